"""Audio on its way in: in the session's format, in chunks, ended as turn detection wants it, and what it may not notice. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rtnb.audio import AudioClip, to_clip
from rtnb.audio.formats import FORMATS
from rtnb.errors import AudioError, ResponseTimeout
from rtnb.formatting import seconds
from rtnb.protocol import commands
from rtnb.protocol.commands import Command
from rtnb.protocol.config import AUDIO_SETTINGS, format_name, look
from rtnb.protocol.events import encode_base64
from rtnb.protocol.names import Kind
from rtnb.timeline.view import View

CHUNK_SECONDS = 0.1
QUIET_SECONDS = 5.0
"""Seconds after which silence that turn detection passes over is given up."""

_DETECTION = AUDIO_SETTINGS["turn_detection"]
_TURN_END_SECONDS = 0.8
_MARGIN_SECONDS = 0.3
_SILENT_PEAK = 0.002  # -54 dBFS: the noise of a good microphone in a quiet room is louder
_LONGEST_WAIT = {"low": 8.0, "medium": 4.0, "auto": 4.0, "high": 2.0}
"""Seconds that semantic turn detection waits at most, by its eagerness."""


def append_commands(clip: AudioClip, config: Mapping[str, Any]) -> list[Command]:
    """Return the commands that append `clip` in the session's input format, 100 ms each (4,800 bytes of PCM16)."""
    encoding = FORMATS[format_name(look(config, ("audio", "input", "format")))]
    samples = clip.resample(encoding.rate).samples
    step = round(encoding.rate * CHUNK_SECONDS)
    pieces = (samples[start : start + step] for start in range(0, len(samples), step))
    return [commands.append_audio(encoding.encode(piece)) for piece in pieces]


@dataclass(frozen=True, slots=True)
class UserTurn:
    """A turn of the user, as commands: a message, or speech.

    Attributes
    ----------
    detected : bool
        Whether the service ends the turn by itself.
    answered : bool
        Whether the service makes the response by itself, too.
    ended : str
        How speech is ended, in words; empty for a message.
    seconds, peak : float
        Of speech: its duration, and its greatest magnitude (0..1).
    silence_counts : bool
        Whether the service answers silence, too, after its idle timeout.
    """

    commands: list[Command]
    detected: bool
    answered: bool
    ended: str
    seconds: float = 0.0
    peak: float = 0.0
    silence_counts: bool = False

    @property
    def silent(self) -> bool:
        """Return whether there is nothing in it that turn detection could take for speech."""
        return self.peak < _SILENT_PEAK and not self.silence_counts


def unnoticed_speech(spoken: UserTurn, rows: View, waited: float, said: str) -> ResponseTimeout | None:
    """Return the error for speech that turn detection has not noticed; None where it has noticed some.

    Parameters
    ----------
    spoken : UserTurn
        What was sent.
    rows : View
        The timeline's, since then.
    waited : float
        Seconds.
    said : str
        What the service last said about a failure, as a sentence after a space; empty for nothing.
    """
    if rows["kind"].isin((Kind.SPEECH_STARTED, Kind.INPUT_COMMITTED)).any():
        return None
    advice = (
        "The clip is silent: check what was recorded or read."
        if spoken.silent
        else "It may be too quiet: configure turn_detection= with a lower threshold, or None."
    )
    return ResponseTimeout(
        f"The service's turn detection noticed no speech in {spoken.seconds:.1f} s, peak {spoken.peak:.3f}, and made no "
        f"response within {seconds(waited)}.{said} {advice}",
        waited_for=str(Kind.SPEECH_STARTED),
        timeout=waited,
    )


def spoken_turn(speech: object, config: Mapping[str, Any]) -> UserTurn:
    """Return a whole turn of speech, ended as the session's turn mode wants it.

    Raises
    ------
    AudioError
        If `speech` is no audio that can be read, or holds no sound at all.
    """
    clip = spoken_clip(speech)
    said, sound = append_commands(clip, config), (clip.duration, clip.peak)
    if not turn_detected(config):
        return UserTurn([*said, commands.commit()], False, False, "committed", *sound)
    quiet = trailing_silence(config)
    ended = f"ended by {quiet.duration:.1f} s of silence for the turn detection"
    answered = look(config, (*_DETECTION, "create_response")) is not False
    idle = bool(look(config, (*_DETECTION, "idle_timeout_ms")))
    return UserTurn([*said, *append_commands(quiet, config)], True, answered, ended, *sound, idle)


def speech_part(speech: object, config: Mapping[str, Any]) -> dict[str, Any]:
    """Return speech as a content part of a user message, in the session's input format.

    Raises
    ------
    AudioError
        As `spoken_turn` does.
    """
    encoding = FORMATS[format_name(look(config, ("audio", "input", "format")))]
    audio = encoding.encode(spoken_clip(speech).resample(encoding.rate).samples)
    return {"type": "input_audio", "audio": encode_base64(audio)}


def spoken_clip(speech: object) -> AudioClip:
    """Return speech as a clip.

    Raises
    ------
    AudioError
        If it is no audio that can be read, or holds no sound at all.
    """
    try:
        clip = to_clip(speech)
    except OSError as error:
        raise AudioError(f"The audio cannot be read: {error}. Check the path.") from error
    if not len(clip):
        raise AudioError("The audio has no samples, so there is nothing to say; check what was recorded or read.")
    return clip


def turn_detected(config: Mapping[str, Any]) -> bool:
    """Return whether the service ends turns by itself."""
    return bool(look(config, _DETECTION))


def stops_for_speech(config: Mapping[str, Any]) -> bool:
    """Return whether the service itself stops an answer when the user begins to speak."""
    return turn_detected(config) and (
        look(config, ("audio", "input", "turn_detection", "interrupt_response")) is not False
    )


def trailing_silence(config: Mapping[str, Any]) -> AudioClip:
    """Return as much silence as ends a turn under turn detection: a file without it would never end its turn."""
    if look(config, (*_DETECTION, "type")) == "semantic_vad":
        wanted = _LONGEST_WAIT.get(str(look(config, (*_DETECTION, "eagerness"))), _LONGEST_WAIT["auto"])
    else:
        ms = look(config, (*_DETECTION, "silence_duration_ms"))
        wanted = ms / 1000 if isinstance(ms, (int, float)) else 0.0
    return AudioClip.silence(max(_TURN_END_SECONDS, wanted + _MARGIN_SECONDS))
