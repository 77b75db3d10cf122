"""What a local service can be told when it starts: the same options for Python, for the command line and for a child process."""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from typing import Any

from rtnb.errors import ConfigurationError
from rtnb.service.faults import Faults, catalogue
from rtnb.service.server.pace import Pace, is_number

VOICE_ENGINES = ("auto", "numpy", "espeak")
REFUSED = 78
"""The exit status of a service whose options are not possible on this computer; stderr has the reason."""


@dataclass(frozen=True, slots=True)
class ServiceOptions:
    """How a local service behaves.

    Attributes
    ----------
    seed : int
        Makes ids and voices repeatable; the n-th session has ``seed + n``.
    speed : float
        Seconds of speech sent a second; 0 or infinity: as fast as it can be made.
    faults : Faults
        What goes wrong on purpose; also as a text, a list of texts or a mapping.
    expire_in : float or None
        Seconds until a session expires; None: an hour, as in the cloud.
    voice_engine : str
        ``"auto"`` takes the best that is installed, ``"espeak"`` eSpeak NG, ``"numpy"`` the built-in one.
    chat : str or None
        URL of an OpenAI-compatible chat endpoint that writes the answers; None: they are scripted.
    chat_model : str or None
        The model's name there.
    phrases : tuple of str
        Sentences that speech recognition should expect, besides its own.
    script : str or None
        A TOML file whose rules write the answers; None: the script that comes with rtnb.

    Raises
    ------
    ConfigurationError
        A value that is not possible, with the corrected form.
    """

    seed: int = 0
    speed: float = 8.0
    faults: Faults = field(default_factory=Faults)
    expire_in: float | None = None
    voice_engine: str = "auto"
    chat: str | None = None
    chat_model: str | None = None
    phrases: tuple[str, ...] = ()
    script: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "faults", Faults.of(self.faults))
        object.__setattr__(self, "phrases", _phrases(self.phrases))
        Pace(self.speed)
        if not isinstance(self.seed, int) or isinstance(self.seed, bool):
            raise ConfigurationError(f"seed={self.seed!r} is not a whole number; write one, such as seed=7.")
        if self.expire_in is not None and not (is_number(self.expire_in) and 0 <= self.expire_in < math.inf):
            raise ConfigurationError(
                f"expire_in={self.expire_in!r} is no time; write the seconds, such as expire_in=60."
            )
        if self.voice_engine not in VOICE_ENGINES:
            raise ConfigurationError(
                f"voice_engine={self.voice_engine!r} is not known; write one of {', '.join(VOICE_ENGINES)}."
            )
        _check_chat(self.chat, self.chat_model)
        if self.script is not None:
            object.__setattr__(self, "script", _checked_script(self.script))

    @property
    def lifetime(self) -> float | None:
        """Return the seconds until a session expires, by option or by fault; None: an hour."""
        return self.expire_in if self.faults.expire_in is None else self.faults.expire_in

    @classmethod
    def of(cls, given: argparse.Namespace) -> ServiceOptions:
        """Return what was read by a parser that :func:`add_arguments` prepared."""
        return cls(**{each.name: getattr(given, each.name) for each in fields(cls)})

    def arguments(self) -> list[str]:
        """Return the command line that makes these options; what is as by default is left out."""
        words = [f"--fault={fault}" for fault in self.faults.written()] + [f"--phrase={each}" for each in self.phrases]
        for each in fields(self):
            value = getattr(self, each.name)
            if each.name not in ("faults", "phrases") and value != each.default:
                words.append(f"--{each.name.replace('_', '-')}={value}")
        return words


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options to a parser; the faults are listed at the end of its help."""
    group = parser.add_argument_group("how the service behaves")
    default: dict[str, Any] = {each.name: each.default for each in fields(ServiceOptions)}
    group.add_argument("--speed", type=float, default=default["speed"], metavar="TIMES")
    group.add_argument("--seed", type=int, default=default["seed"])
    group.add_argument("--expire-in", type=float, metavar="SECONDS")
    group.add_argument("--voice-engine", choices=VOICE_ENGINES, default=default["voice_engine"])
    group.add_argument("--chat", metavar="URL")
    group.add_argument("--chat-model", metavar="NAME")
    group.add_argument("--phrase", dest="phrases", action="append", default=[], metavar="SENTENCE")
    group.add_argument("--script", metavar="FILE")
    group.add_argument("--fault", dest="faults", action="append", default=[], metavar="NAME=VALUE")
    helps = {
        "speed": "pace of the speech, times real time; 0: no pauses (default: %(default)s)",
        "seed": "makes ids and voices repeatable (default: %(default)s)",
        "expire_in": "end each session after this time (default: an hour)",
        "voice_engine": "what speaks; auto takes the best that is installed (default: %(default)s)",
        "chat": "let an OpenAI-compatible chat endpoint write the answers, such as http://127.0.0.1:11434 (Ollama); "
        "a key for it goes into RTNB_CHAT_API_KEY",
        "chat_model": "the model's name there",
        "phrases": "a sentence that speech recognition should expect; can be given several times",
        "script": "answer by the rules of this TOML file",
        "faults": "let something go wrong on purpose, as listed below; can be given several times",
    }
    for action in group._group_actions:
        action.help = helps[action.dest]
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = (
        f"faults, for --fault (events are counted in each session, session.created is the first):\n{catalogue()}"
    )


def _phrases(given: Any) -> tuple[str, ...]:
    phrases = (given,) if isinstance(given, str) else tuple(given) if isinstance(given, Iterable) else (given,)
    if not all(isinstance(each, str) for each in phrases):
        raise ConfigurationError(f"phrases={given!r} is no text; write phrases=['Open the door.', 'Close the door.'].")
    return phrases


def _checked_script(given: str | os.PathLike[str]) -> str:
    """Return the absolute path of a script without mistakes: a child process may have another working folder."""
    # Only a service with a script of its own pays for loading it here.
    from rtnb.service.script import load_script

    load_script(given)
    return os.path.abspath(given)


def _check_chat(chat: str | None, model: str | None) -> None:
    if (chat is None) != (model is None):
        raise ConfigurationError(
            "A chat endpoint and the model's name there go together: chat='http://127.0.0.1:11434' and chat_model='NAME' "
            "(rtnb serve --chat URL --chat-model NAME)."
        )
    if chat is not None:
        # Only who wants a chat endpoint pays for loading it.
        from rtnb.service.engines.chat_messages import chat_endpoint

        chat_endpoint(chat)
