"""eSpeak NG's C interface, as far as the service needs it, and its settings for each voice; used in a worker's process.

eSpeak NG is under the GPL, version 3 or later, and is never part of rtnb: the extra ``voice`` installs it, and it runs in
a process of its own.
"""

from __future__ import annotations

import ctypes
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

__all__ = ["VOICE_SETTINGS", "EspeakLibrary", "EspeakSpeech", "VoiceSettings", "WordEvent", "voice_settings"]

#: Character of the text (from 0), number of characters, sample at which the word begins.
WordEvent = tuple[int, int, int]

_SYNCHRONOUS = 2
_BUFFER_MS = 60
_DO_NOT_EXIT = 0x8000
_UTF8 = 1
_END_PAUSE = 0x1000
_RATE, _VOLUME, _PITCH, _RANGE = 1, 2, 3, 4
_LIST_END, _WORD = 0, 1
_SLOWEST, _FASTEST = 80, 450  # words per minute that eSpeak NG can do


@dataclass(frozen=True, slots=True)
class VoiceSettings:
    """eSpeak NG's settings for one voice.

    Attributes
    ----------
    variant : str
        Of eSpeak NG's voice variants: the size and shape of the vocal tract.
    pitch, melody : int
        Base of the pitch, and its range: 0 to 100, 50 is the variant's own.
    words_per_minute : int
    volume : int
        100 is the variant's own, 200 the most; chosen so that all voices are about equally loud.
    """

    variant: str
    pitch: int = 50
    melody: int = 50
    words_per_minute: int = 175
    volume: int = 90

    def rate(self, speed: float) -> int:
        """Return the words per minute at a speed (1.0 is normal), within the 80 to 450 that eSpeak NG can do."""
        return round(min(max(self.words_per_minute * speed, _SLOWEST), _FASTEST))


#: The settings by voice; the voices resemble none of the cloud's. The recogniser understands the first one best.
VOICE_SETTINGS = {
    "alloy": VoiceSettings("klatt4", volume=80),
    "ash": VoiceSettings("m3", pitch=38, melody=40, words_per_minute=180),
    "ballad": VoiceSettings("m7", pitch=52, melody=80, words_per_minute=155),
    "coral": VoiceSettings("f2", pitch=58, melody=60, words_per_minute=180),
    "echo": VoiceSettings("klatt2", pitch=28, melody=35, words_per_minute=165, volume=200),
    "sage": VoiceSettings("f3", pitch=40, melody=40, words_per_minute=160),
    "shimmer": VoiceSettings("f5", pitch=72, melody=75, words_per_minute=170),
    "verse": VoiceSettings("m4", pitch=66, melody=85, words_per_minute=190),
    "marin": VoiceSettings("steph", pitch=45, melody=55, words_per_minute=178),
    "cedar": VoiceSettings("Gene", pitch=12, melody=45, words_per_minute=160, volume=75),
}


def voice_settings(name: str) -> VoiceSettings:
    """Return the settings of a voice; an unknown name has settings of its own, always the same."""
    if name in VOICE_SETTINGS:
        return VOICE_SETTINGS[name]
    shape, pitch, melody, pace = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=4).digest()
    variants = sorted({known.variant for known in VOICE_SETTINGS.values()})
    return VoiceSettings(variants[shape % len(variants)], 25 + pitch % 50, 35 + melody % 45, 158 + pace % 32)


class EspeakSpeech(NamedTuple):
    """A spoken sentence.

    Attributes
    ----------
    language : str
        The language that it was spoken in, of those asked for; ``""`` if eSpeak NG has none of them.
    rate : int
        Samples per second (Hz).
    words : list of WordEvent
    pcm16 : bytes
        The samples, int16 in the machine's byte order.
    """

    language: str
    rate: int
    words: list[WordEvent]
    pcm16: bytes


class _Id(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Id),
    )


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


class EspeakLibrary:
    """The library, loaded and ready; not to be used by two threads at once.

    Raises
    ------
    RuntimeError
        It finds no usable data.
    """

    def __init__(self) -> None:
        import espeakng_loader

        data_path = espeakng_loader.get_data_path()
        self._library = library = ctypes.CDLL(espeakng_loader.get_library_path())
        self._rate = int(library.espeak_Initialize(_SYNCHRONOUS, _BUFFER_MS, data_path.encode(), _DO_NOT_EXIT))
        if self._rate <= 0:
            raise RuntimeError(f"eSpeak NG did not start: it found no usable data in {data_path}.")
        library.espeak_ng_SetRandSeed.argtypes = [ctypes.c_long]
        self._words: list[WordEvent] = []
        self._pcm16: list[bytes] = []
        self._callback = _Callback(self._take)  # kept: the library only has its address
        library.espeak_SetSynthCallback(self._callback)

    def warm(self) -> None:
        """Load the data of a first voice."""
        self._library.espeak_SetVoiceByName(b"en-us+m1")

    def speak(
        self, text: str, languages: Sequence[str], voice: VoiceSettings, *, speed: float, seed: int, pause: bool
    ) -> EspeakSpeech:
        """Speak a sentence.

        Parameters
        ----------
        text : str
            Without NUL characters, which would end it.
        languages : sequence of str
            The first one that eSpeak NG has is spoken.
        voice : VoiceSettings
        speed : float
            1.0 is normal.
        seed : int
        pause : bool
            Whether the pause after a sentence follows.
        """
        library = self._library
        names = ((language, f"{language}+{voice.variant}".encode()) for language in languages)
        found = next((language for language, name in names if library.espeak_SetVoiceByName(name) == 0), "")
        settings = {_RATE: voice.rate(speed), _VOLUME: voice.volume, _PITCH: voice.pitch, _RANGE: voice.melody}
        for parameter, value in settings.items():
            library.espeak_SetParameter(parameter, value, 0)
        library.espeak_ng_SetRandSeed(seed & 0x7FFFFFFF)
        self._words, self._pcm16 = [], []
        encoded = text.encode("utf-8", "replace")
        flags = _UTF8 | (_END_PAUSE if pause else 0)
        library.espeak_Synth(encoded, ctypes.c_size_t(len(encoded) + 1), 0, 0, 0, flags, None, None)
        return EspeakSpeech(found, self._rate, self._words, b"".join(self._pcm16))

    def _take(self, sound: Any, count: int, events: Any) -> int:
        """Take a buffer of sound and its events from the library; 0 asks for the next."""
        index = 0
        while events[index].type != _LIST_END:
            event = events[index]
            if event.type == _WORD:
                self._words.append((event.text_position - 1, event.length, event.sample))
            index += 1
        if sound and count > 0:
            self._pcm16.append(ctypes.string_at(sound, 2 * count))
        return 0
