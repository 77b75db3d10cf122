"""The local services of this process: started when first needed, one for each way in which they shall behave."""

from __future__ import annotations

import difflib
import functools
import os
import threading
from collections.abc import Mapping
from typing import Any

from rtnb.errors import ConfigurationError
from rtnb.protocol.config import SESSION_WORDS
from rtnb.service.server.options import ServiceOptions
from rtnb.service.server.process import ServiceProcess

OPTION_WORDS: dict[str, str] = {
    "faults": "faults",
    "seed": "seed",
    "pace": "speed",
    "expire_in": "expire_in",
    "voice_engine": "voice_engine",
    "chat": "chat",
    "chat_model": "chat_model",
    "phrases": "phrases",
    "script": "script",
}
"""What `rtnb.connect` takes for the local service beside the session's settings, and the option of the service that it is."""


def split_options(words: Mapping[str, Any]) -> tuple[ServiceOptions, dict[str, Any]]:
    """Return the options of the local service among `words`, and the rest, which are the session's settings.

    Raises
    ------
    ConfigurationError
        An option that is not possible, or a word that is almost one.
    """
    for word in words.keys() - SESSION_WORDS - OPTION_WORDS.keys():
        if near := difflib.get_close_matches(word, OPTION_WORDS, n=1, cutoff=0.8):
            raise ConfigurationError(f"{word}= is not known. Did you mean {near[0]}=, an option of the local service?")
    given = {name: words[word] for word, name in OPTION_WORDS.items() if words.get(word) is not None}
    return ServiceOptions(**given), {word: value for word, value in words.items() if word not in OPTION_WORDS}


def refuse_options(options: ServiceOptions, where: str) -> None:
    """Refuse options that the service to connect to does not have.

    Raises
    ------
    ConfigurationError
        With what to write instead.
    """
    default = ServiceOptions()
    for word, name in OPTION_WORDS.items():
        if getattr(options, name) != getattr(default, name):
            raise ConfigurationError(
                f"{word}= is an option of the local service, and this session would be with {where}; "
                f"write rtnb.connect('local', {word}=…), or leave it out."
            )


def local_service(options: ServiceOptions | None = None) -> ServiceProcess:
    """Return the local service that behaves so, started when it is first needed, and again if it has died."""
    wanted = (os.getpid(), options or ServiceOptions())
    with _lock():
        running = _services().get(wanted)
        if running is None or not running.running:
            running = _services()[wanted] = ServiceProcess.start_with(wanted[1])
        return running


@functools.cache
def _lock() -> threading.Lock:
    return threading.Lock()


@functools.cache
def _services() -> dict[tuple[int, ServiceOptions], ServiceProcess]:
    return {}
