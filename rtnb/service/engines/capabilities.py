"""What is installed here for the local service to write, speak and transcribe with, and how to get the rest."""

from __future__ import annotations

import importlib.metadata
import importlib.util
from dataclasses import dataclass

from rtnb.version import __version__

__all__ = ["Capability", "capabilities"]

_VOICE_EXTRA = 'pip install "rtnb[voice]"'
_YOUR_OWN = "or a model of your own: rtnb serve"
# Part, engine, module, distribution, how to get it; of each part the best first. Nothing is imported to find out.
_KNOWN = (
    ("voice", "espeak-ng", "espeakng_loader", "espeakng-loader", f"{_VOICE_EXTRA} (GPL-3.0-or-later)"),
    ("voice", "tones", "", "", f"one tone per syllable, no words; {_YOUR_OWN} --speak URL, --speaker MODULE:FUNCTION"),
    ("transcriber", "pocketsphinx", "pocketsphinx", "pocketsphinx",
     f"{_VOICE_EXTRA} (American English); {_YOUR_OWN} --transcribe URL, --transcriber MODULE:FUNCTION"),
    ("speech detector", "webrtcvad", "webrtcvad", "webrtcvad-wheels", _VOICE_EXTRA),
    ("speech detector", "energy", "", "", ""),
    ("resampling", "soxr", "soxr", "soxr", _VOICE_EXTRA),
    ("resampling", "numpy", "", "", ""),
    ("writer", "script", "", "", f"{_YOUR_OWN} --chat URL --chat-model NAME"),
    ("audio files", "soundfile", "soundfile", "soundfile", 'pip install "rtnb[files]" (FLAC, OGG, MP3)'),
    ("audio files", "wav", "", "", ""),
)  # fmt: skip


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


def capabilities() -> list[Capability]:
    """Return which engines are here, and which of each kind the service uses where no option names one."""
    found: list[Capability] = []
    for part, engine, module, distribution, how_to_get in _KNOWN:
        installed = not module or importlib.util.find_spec(module) is not None
        # Every file reader that is here is used, each for its own formats.
        better = part != "audio files" and any(row.part == part and row.state == "used" for row in found)
        state = "not installed" if not installed else "present" if better else "used"
        version = _version(distribution) if installed else ""
        found.append(Capability(part, engine, version, state, how_to_get))
    return found


def _version(distribution: str) -> str:
    if not distribution:
        return __version__
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return "unknown"
