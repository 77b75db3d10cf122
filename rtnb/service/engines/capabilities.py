"""What is installed here for the local service to write, speak and transcribe with, and how to get the rest."""

from __future__ import annotations

import importlib.metadata
import importlib.util
from collections.abc import Container
from dataclasses import dataclass

from rtnb import formatting
from rtnb.version import __version__

__all__ = ["Capabilities", "Capability", "capabilities"]

_VOICE_EXTRA = 'pip install "rtnb[voice]"'
_FILES_EXTRA = 'pip install "rtnb[files]"'
_BUILT_IN = ""
_COLUMNS = ("part", "engine", "version", "state", "how to get it")
# Part, engine, module, distribution, how to get it; of each part the best first. Nothing is imported to find out.
_KNOWN = (
    ("voice", "espeak-ng", "espeakng_loader", "espeakng-loader", f"{_VOICE_EXTRA} (GPL-3.0-or-later)"),
    (
        "voice",
        "tones",
        "",
        "",
        "one tone per syllable, no words; or a model of your own: rtnb serve --speak URL, --speaker MODULE:FUNCTION",
    ),
    (
        "transcriber",
        "pocketsphinx",
        "pocketsphinx",
        "pocketsphinx",
        f"{_VOICE_EXTRA} (American English), or a model of your own: --transcribe URL, --transcriber MODULE:FUNCTION",
    ),
    ("speech detector", "webrtcvad", "webrtcvad", "webrtcvad-wheels", _VOICE_EXTRA),
    ("speech detector", "energy", "", "", _BUILT_IN),
    ("resampling", "soxr", "soxr", "soxr", _VOICE_EXTRA),
    ("resampling", "numpy", "", "", _BUILT_IN),
    ("writer", "script", "", "", "or any chat endpoint: rtnb serve --chat URL --chat-model NAME"),
    ("audio files", "soundfile", "soundfile", "soundfile", f"{_FILES_EXTRA} (FLAC, OGG, MP3)"),
    ("audio files", "wav", "", "", _BUILT_IN),
)


@dataclass(frozen=True, slots=True)
class Capability:
    """One engine.

    Attributes
    ----------
    part : str
        What it does: ``"voice"``, ``"transcriber"``, ``"speech detector"`` …
    engine : str
        Its name, as the service shows it.
    version : str
        Of what is installed; ``""`` if it is not.
    state : str
        ``"used"``, ``"present"`` (a better one is used), or ``"not installed"``.
    how_to_get : str
        A command, or what else there is; ``""`` for what is built in.
    """

    part: str
    engine: str
    version: str
    state: str
    how_to_get: str


class Capabilities(tuple[Capability, ...]):
    """All engines, as a table."""

    __slots__ = ()

    def _rows(self) -> list[tuple[str, str, str, str, str]]:
        return [(row.part, row.engine, row.version, row.state, row.how_to_get) for row in self]

    def __repr__(self) -> str:
        return formatting.text_table(_COLUMNS, self._rows())

    def _repr_mimebundle_(
        self, include: Container[str] | None = None, exclude: Container[str] | None = None
    ) -> dict[str, str]:
        """Return the table as plain text and as HTML."""
        cells = [tuple(map(formatting.escape, row)) for row in self._rows()]
        views = {"text/plain": repr(self), "text/html": formatting.html_table(_COLUMNS, cells)}
        return {
            mime: view
            for mime, view in views.items()
            if (include is None or mime in include) and (exclude is None or mime not in exclude)
        }


def capabilities() -> Capabilities:
    """Return which engines are here, and which of each kind the service uses where no option names one."""
    found = []
    served: set[str] = set()
    for part, engine, module, distribution, how_to_get in _KNOWN:
        installed = not module or importlib.util.find_spec(module) is not None
        # Every file reader that is here is used, each for its own formats.
        used = installed and (part not in served or part == "audio files")
        if installed:
            served.add(part)
        state = "used" if used else "present" if installed else "not installed"
        version = _version(distribution or "rtnb") if installed else ""
        found.append(Capability(part, engine, version, state, how_to_get))
    return Capabilities(found)


def _version(distribution: str) -> str:
    if distribution == "rtnb":
        return __version__
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return "unknown"
