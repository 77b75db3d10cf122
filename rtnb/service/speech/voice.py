"""The service's own voice: text to speech, word by word, deterministic, with numpy alone.

It is half intelligible at best, and does not pretend otherwise: what it gives truly is the rhythm, loudness, pauses
and spectrum of speech, so that players, plots, clocks and speech detectors have something real to work on.

>>> words = list(speak("Of course!", "alloy"))
>>> [word.text for word in words]
['Of', ' course!']
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from rtnb.errors import ConfigurationError
from rtnb.service.engines.tasks import SpokenWord
from rtnb.service.speech.formant import RATE, Speaker, synthesize
from rtnb.service.speech.phones import PHONES, VOWELS, Segment, segments
from rtnb.service.speech.phonetics import Break, Piece, pieces

__all__ = ["RATE", "VOICES", "SpokenWord", "VoiceProfile", "speak", "voice_profile"]

_PIECE_MS = 760.0  # longest piece, so that audio and transcript advance together
_PAUSE_MS = {Break.JOIN: 0, Break.WORD: 15, Break.COMMA: 190, Break.STOP: 380, Break.QUESTION: 400}
_UNSPOKEN_MS = 60  # a piece without any sound: an emoji, mark-up
_TAIL_MS = 160  # after the last word, instead of its pause
_DECLINATION = 0.02  # the pitch falls by this share a word, down to a floor
_DECLINED = 8


@dataclass(frozen=True, slots=True)
class VoiceProfile:
    """How one speaker sounds.

    Attributes
    ----------
    pitch_hz : float
        Middle of the speaking pitch.
    formant_scale : float
        Size of the vocal tract: 1.0 a large adult, above that smaller.
    rate : float
        Pace relative to normal.
    breathiness : float
        Breath noise under the voice, relative to it.
    brightness : float
        Pole of the glottal spectrum: near 0.8 bright, near 0.95 dull.
    melody : float
        Extent of the pitch movements, 1.0 is normal.
    """

    pitch_hz: float
    formant_scale: float
    rate: float = 1.0
    breathiness: float = 0.03
    brightness: float = 0.9
    melody: float = 1.0


#: The speakers that the service knows by name.
VOICES: Mapping[str, VoiceProfile] = MappingProxyType(
    {
        "alloy": VoiceProfile(152, 1.06),
        "ash": VoiceProfile(106, 0.96, rate=1.03, brightness=0.92),
        "ballad": VoiceProfile(128, 1.01, rate=0.92, breathiness=0.06, melody=1.4),
        "coral": VoiceProfile(208, 1.17, rate=1.04, brightness=0.88, melody=1.2),
        "echo": VoiceProfile(96, 0.99, rate=0.98, breathiness=0.02, brightness=0.93, melody=0.7),
        "sage": VoiceProfile(186, 1.12, rate=0.96, breathiness=0.07, brightness=0.92),
        "shimmer": VoiceProfile(230, 1.21, rate=1.0, breathiness=0.09, brightness=0.89, melody=1.3),
        "verse": VoiceProfile(138, 1.03, rate=1.08, brightness=0.86, melody=1.5),
        "marin": VoiceProfile(170, 1.15, rate=1.02, breathiness=0.05, brightness=0.86, melody=1.1),
        "cedar": VoiceProfile(84, 0.94, rate=0.95, breathiness=0.04, brightness=0.9, melody=0.9),
    }
)


def voice_profile(name: str) -> VoiceProfile:
    """Give the profile of a named voice; a name never heard of gets a speaker of its own, always the same."""
    return VOICES.get(name) or _stranger(name)


def _stranger(name: str) -> VoiceProfile:
    digest = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=5).digest()
    height, size, pace, breath, light = (byte / 255 for byte in digest)
    return VoiceProfile(
        pitch_hz=round(90 * 2.5**height, 1),
        formant_scale=round(0.92 + 0.22 * height + 0.08 * size, 3),
        rate=round(0.94 + 0.14 * pace, 3),
        breathiness=round(0.02 + 0.07 * breath, 3),
        brightness=round(0.86 + 0.08 * light, 3),
    )


def speak(text: str, voice: str = "alloy", *, seed: int = 0, speed: float = 1.0) -> Iterator[SpokenWord]:
    """Speak text, one word at a time.

    Parameters
    ----------
    text : str
        Anything: digits are read as words, mark-up and emoji are silent, foreign scripts become syllables.
    voice : str
        A name of :data:`VOICES`, or any other (see :func:`voice_profile`).
    seed : int
        Varies the fine detail; the same text, voice, seed and speed give the same samples.
    speed : float
        Pace, 0.25 to 4.0; 1.0 is normal.

    Returns
    -------
    iterator of SpokenWord
        Lazy. The texts join to ``text`` exactly; no word lasts much more than a second.

    Raises
    ------
    ConfigurationError
        ``speed`` is out of range.
    """
    if not 0.25 <= speed <= 4.0:
        raise ConfigurationError(f"speed={speed!r} is out of range: choose a pace from 0.25 to 4.0 (1.0 is normal).")
    return _words(text, voice_profile(voice), seed, speed)


def _words(text: str, profile: VoiceProfile, seed: int, speed: float) -> Iterator[SpokenWord]:
    pace = profile.rate * speed
    position = reached = 0
    for piece in pieces(text, _PIECE_MS * pace):
        reached += len(piece.text)
        samples = _sound(piece.phones, piece.ending, min(position, _DECLINED), profile, seed, pace)
        pause = _pause(piece, pace, last=reached == len(text))
        yield SpokenWord(piece.text, _read_only(np.concatenate([samples, pause])))
        position = 0 if piece.ending in (Break.STOP, Break.QUESTION) else position + bool(piece.phones)


def _pause(piece: Piece, pace: float, *, last: bool) -> NDArray[np.int16]:
    milliseconds = _TAIL_MS if last else _PAUSE_MS[piece.ending] / pace
    if not piece.phones:
        milliseconds = max(milliseconds, _UNSPOKEN_MS)
    return np.zeros(round(milliseconds * RATE / 1000), np.int16)


def _read_only(samples: NDArray[np.int16]) -> NDArray[np.int16]:
    samples.flags.writeable = False
    return samples


@lru_cache(maxsize=512)
def _sound(
    phones: tuple[str, ...], ending: Break, position: int, profile: VoiceProfile, seed: int, pace: float
) -> NDArray[np.int16]:
    """Synthesize one piece. Everything that shapes it is an argument, so remembering it changes nothing."""
    if not phones:
        return np.zeros(0, np.int16)
    detail = zlib.crc32(f"{seed} {position} {' '.join(phones)}".encode())
    speaker = Speaker(profile.formant_scale, profile.brightness, profile.breathiness, roughness=0.012)
    sound = synthesize(
        _phrased(phones, ending), _contour(ending, position, profile), speaker, stretch=1 / pace, seed=detail
    )
    return _read_only(sound)


def _phrased(phones: tuple[str, ...], ending: Break) -> list[Segment]:
    """Expand phones, the last vowel before a pause drawn out as speakers do."""
    last = max((index for index, phone in enumerate(phones) if phone.rstrip("1") in VOWELS), default=-1)
    if ending in (Break.JOIN, Break.WORD) or last < 0:
        return segments(phones)
    drawn = [
        Segment(part.ms * 1.3, part.formants, part.voice, part.breath, part.friction, part.band)
        for part in PHONES[phones[last]]
    ]
    return [*segments(phones[:last]), *drawn, *segments(phones[last + 1 :])]


def _contour(ending: Break, position: int, profile: VoiceProfile) -> tuple[float, ...]:
    """Give the pitch over one piece, in Hz: a fall through the sentence and a turn at its end."""
    base = 1.08 - _DECLINATION * position
    moves = {
        Break.JOIN: (0.0, 0.03, 0.0),
        Break.WORD: (0.0, 0.04, -0.04),
        Break.COMMA: (0.0, -0.02, 0.07),
        Break.STOP: (0.02, -0.03, -0.16),
        Break.QUESTION: (-0.04, 0.04, 0.25),
    }
    return tuple(profile.pitch_hz * (1 + (base - 1 + move) * profile.melody) for move in moves[ending])
