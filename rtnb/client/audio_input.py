"""Audio on its way in: resampled to the session's format, cut into chunks, and ended as the turn mode wants it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rtnb.audio import AudioClip
from rtnb.audio.formats import FORMATS
from rtnb.protocol import commands
from rtnb.protocol.commands import Command
from rtnb.protocol.config import format_name, look
from rtnb.protocol.events import encode_base64

CHUNK_SECONDS = 0.1
_TURN_END_SECONDS = 0.8


def append_commands(clip: AudioClip, config: Mapping[str, Any]) -> list[Command]:
    """Return the commands that append `clip` in the session's input format, 100 ms each (4,800 bytes of PCM16)."""
    encoding = FORMATS[format_name(look(config, ("audio", "input", "format")))]
    samples = clip.resample(encoding.rate).samples
    step = round(encoding.rate * CHUNK_SECONDS)
    pieces = (samples[start : start + step] for start in range(0, len(samples), step))
    return [commands.append_audio(encoding.encode(piece)) for piece in pieces]


@dataclass(frozen=True, slots=True)
class SpokenTurn:
    """Speech as the commands that say it.

    Attributes
    ----------
    detected : bool
        Whether the service ends the turn and makes the response by itself.
    ended : str
        How the turn is ended, in words.
    """

    commands: list[Command]
    detected: bool
    ended: str


def spoken_turn(speech: object, config: Mapping[str, Any]) -> SpokenTurn:
    """Return a whole turn of speech, ended as the session's turn mode wants it.

    Raises
    ------
    AudioError
        If `speech` is no audio that can be read.
    """
    said = append_commands(AudioClip.coerce(speech), config)
    if not turn_detected(config):
        return SpokenTurn([*said, commands.commit()], False, "committed")
    quiet = trailing_silence(config)
    ended = f"{quiet.duration:.1f} s of silence appended for turn detection"
    return SpokenTurn([*said, *append_commands(quiet, config)], True, ended)


def question(prompt: object, config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a user message as a response's own input has it: text, or speech in the session's input format."""
    if isinstance(prompt, str):
        item: dict[str, Any] = commands.text_message(prompt)["item"]
        return item
    encoding = FORMATS[format_name(look(config, ("audio", "input", "format")))]
    speech = encoding.encode(AudioClip.coerce(prompt).resample(encoding.rate).samples)
    return {"type": "message", "role": "user", "content": [{"type": "input_audio", "audio": encode_base64(speech)}]}


def turn_detected(config: Mapping[str, Any]) -> bool:
    """Return whether the service ends turns by itself."""
    return bool(look(config, ("audio", "input", "turn_detection")))


def trailing_silence(config: Mapping[str, Any]) -> AudioClip:
    """Return as much silence as ends a turn under turn detection: a file without it would never end its turn."""
    told = look(config, ("audio", "input", "turn_detection", "silence_duration_ms"))
    return AudioClip.silence(max(_TURN_END_SECONDS, (told if isinstance(told, (int, float)) else 0) / 1000 + 0.3))
