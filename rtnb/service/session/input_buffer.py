"""The input audio buffer: what the user's side appended and nobody committed yet, on a clock that counts its samples."""

from __future__ import annotations

import binascii
from collections import deque
from collections.abc import Iterator
from typing import Any

import numpy as np
import pybase64

from rtnb.audio.formats import AudioFormat
from rtnb.audio.samples import Samples
from rtnb.service.session import refusals

LARGEST_APPEND = 15 * 2**20
"""Bytes of audio that one event may hold."""

LONGEST = 30 * 60
"""Seconds that the buffer holds."""


def decode_audio(encoded: Any, param: str) -> bytes:
    """Return the bytes behind strict base64.

    Raises
    ------
    Refusal
        It is none, or holds more than `LARGEST_APPEND`.
    """
    if encoded is None:
        raise refusals.missing_parameter(param)
    if not isinstance(encoded, str):
        raise refusals.invalid_type(encoded, "a string", param)
    try:
        data = pybase64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise refusals.bad_audio(param) from None
    if len(data) > LARGEST_APPEND:
        raise refusals.audio_too_long(len(data), LARGEST_APPEND, param)
    return data


class InputBuffer:
    """Samples with their place among all that the session was ever sent.

    Parameters
    ----------
    format : AudioFormat
        What is appended.

    Attributes
    ----------
    start, end : int
        Samples since the session began, or since the format was changed last: the first held one, and the one to come.
    """

    def __init__(self, format: AudioFormat) -> None:
        self.format = format
        self.start = self.end = 0
        self._base_ms = 0.0
        self._spare = b""
        self._pieces: deque[Samples] = deque()

    @property
    def seconds(self) -> float:
        """Return how much it holds."""
        return (self.end - self.start) / self.format.rate

    def ms(self, sample: int) -> int:
        """Return when a sample was, in whole milliseconds of all audio ever appended."""
        return round(self._base_ms + sample * 1000 / self.format.rate)

    def append(self, data: bytes) -> Samples:
        """Take bytes, return their samples (int16). A byte that is not yet a whole sample waits for the next ones.

        Raises
        ------
        Refusal
            It would hold more than `LONGEST`.
        """
        data = self._spare + data
        whole = len(data) - len(data) % self.format.bytes_per_sample
        if self.seconds + self.format.duration(whole) > LONGEST:
            raise refusals.buffer_full(LONGEST)
        samples = self.format.decode(data[:whole])
        self._spare = data[whole:]
        if len(samples):
            self._pieces.append(samples)
            self.end += len(samples)
        return samples

    def between(self, first: int, last: int) -> Samples:
        """Return the held samples from `first` to before `last`."""
        found: list[Samples] = []
        for begin, piece in self._placed():
            if begin < last and begin + len(piece) > first:
                found.append(piece[max(0, first - begin) : last - begin])
        return np.concatenate(found) if found else np.zeros(0, np.int16)

    def drop(self, until: int) -> None:
        """Forget the samples before `until`."""
        while self._pieces and self.start + len(self._pieces[0]) <= until:
            self.start += len(self._pieces.popleft())
        if self._pieces and self.start < until:
            self._pieces[0] = self._pieces[0][until - self.start :]
            self.start = until

    def clear(self) -> None:
        """Forget everything but the time."""
        self._pieces.clear()
        self._spare = b""
        self.start = self.end

    def change(self, format: AudioFormat) -> None:
        """Go over to another format: what was not committed is lost, the clock goes on."""
        self._base_ms += self.end * 1000 / self.format.rate
        self.clear()
        self.start = self.end = 0
        self.format = format

    def _placed(self) -> Iterator[tuple[int, Samples]]:
        begin = self.start
        for piece in self._pieces:
            yield begin, piece
            begin += len(piece)
