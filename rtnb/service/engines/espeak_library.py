"""eSpeak NG's C interface, as far as the service needs it; used only inside the child process that speaks.

eSpeak NG is under the GPL, version 3 or later, and is never part of rtnb: whoever wants it installs it, and it runs in a
process of its own.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

__all__ = ["EspeakLibrary", "WordEvent"]

#: Character of the text (from 0), number of characters, sample at which the word begins.
WordEvent = tuple[int, int, int]

_SYNCHRONOUS = 2
_BUFFER_MS = 60
_DO_NOT_EXIT = 0x8000
_UTF8 = 1
_END_PAUSE = 0x1000
_RATE, _VOLUME, _PITCH, _RANGE = 1, 2, 3, 4
_LIST_END, _WORD = 0, 1


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

#: Takes word events and PCM16 bytes as they are made; returns whether to go on.
Listener = Callable[[list[WordEvent], bytes], bool]


class EspeakLibrary:
    """One engine; never to be used by two threads at once.

    Parameters
    ----------
    library : ctypes.CDLL
    data_path : str
        Where its voices and dictionaries are.

    Attributes
    ----------
    rate : int
        Samples per second (Hz) of what it speaks.
    """

    def __init__(self, library: Any, data_path: str) -> None:
        self._library = library
        self.rate = int(library.espeak_Initialize(_SYNCHRONOUS, _BUFFER_MS, data_path.encode(), _DO_NOT_EXIT))
        if self.rate <= 0:
            raise RuntimeError(f"eSpeak NG did not start: it found no usable data in {data_path}.")
        library.espeak_ng_SetRandSeed.argtypes = [ctypes.c_long]
        self._listener: Listener = lambda words, sound: False
        self._callback = _Callback(self._take)  # kept: the library only has its address
        library.espeak_SetSynthCallback(self._callback)

    def choose(self, languages: list[str], variant: str) -> str:
        """Choose the first language that there is, spoken by a variant, and return it; ``""`` if there is none."""
        for language in languages:
            if self._library.espeak_SetVoiceByName(f"{language}+{variant}".encode()) == 0:
                return language
        return ""

    def speak(
        self, text: str, listener: Listener, *, rate: int, volume: int, pitch: int, melody: int, seed: int, pause: bool
    ) -> None:
        """Speak text, telling `listener` as it goes.

        Parameters
        ----------
        text : str
            Without NUL characters, which would end it.
        listener : callable
        rate : int
            Words per minute, 80 to 450.
        volume : int
            100 is normal, 200 the most.
        pitch, melody : int
            Base of the pitch, and its range; 0 to 100, 50 is normal.
        seed : int
        pause : bool
            Whether the pause after a sentence follows.
        """
        self._listener = listener
        for parameter, value in ((_RATE, rate), (_VOLUME, volume), (_PITCH, pitch), (_RANGE, melody)):
            self._library.espeak_SetParameter(parameter, value, 0)
        self._library.espeak_ng_SetRandSeed(seed & 0x7FFFFFFF)
        encoded = text.encode("utf-8", "replace")
        flags = _UTF8 | (_END_PAUSE if pause else 0)
        self._library.espeak_Synth(encoded, ctypes.c_size_t(len(encoded) + 1), 0, 0, 0, flags, None, None)

    def _take(self, sound: Any, count: int, events: Any) -> int:
        words = []
        index = 0
        while events[index].type != _LIST_END:
            event = events[index]
            if event.type == _WORD:
                words.append((event.text_position - 1, event.length, event.sample))
            index += 1
        data = ctypes.string_at(sound, 2 * count) if sound and count > 0 else b""
        return 0 if self._listener(words, data) else 1
