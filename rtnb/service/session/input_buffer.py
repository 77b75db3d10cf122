"""The input audio buffer: what the client appended and nothing committed yet, on a clock that counts samples."""

from __future__ import annotations

import binascii
from typing import Any

import numpy as np
import pybase64

from rtnb.audio.formats import AudioFormat
from rtnb.audio.samples import Samples
from rtnb.protocol.value_shapes import STRING
from rtnb.service.session import error_events
from rtnb.service.session.checks import check

LARGEST_APPEND = 15 * 2**20
"""Bytes of audio that one event may hold."""

LONGEST = 30 * 60
"""Seconds that the buffer holds."""


def decode_audio(encoded: Any, param: str) -> bytes:
    """Return the bytes of strict base64.

    Raises
    ------
    InvalidRequest
        It is not base64, or holds more than `LARGEST_APPEND`.
    """
    if encoded is None:
        raise error_events.missing_parameter(param=param)
    check(STRING, encoded, param)
    try:
        data = pybase64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise error_events.bad_audio(param=param) from None
    if len(data) > LARGEST_APPEND:
        raise error_events.audio_too_long(len(data), LARGEST_APPEND, param=param)
    return data


class InputBuffer:
    """Samples, numbered since the session began or the format last changed; `start` is the first held, `end` the next."""

    def __init__(self, format: AudioFormat) -> None:
        self.format = format
        self.start = self.end = 0
        self._base_ms = 0.0
        self._spare = b""
        self._held = bytearray()  # int16 samples

    @property
    def seconds(self) -> float:
        """Return how much it holds."""
        return (self.end - self.start) / self.format.rate

    def ms(self, sample: int) -> int:
        """Return the time of a sample, in whole milliseconds of all audio ever appended."""
        return round(self._base_ms + sample * 1000 / self.format.rate)

    def append(self, data: bytes) -> Samples:
        """Take bytes, return their samples (int16). A byte that is not yet a whole sample is kept for the next call.

        Raises
        ------
        InvalidRequest
            It would hold more than `LONGEST`.
        """
        data = self._spare + data
        whole = len(data) - len(data) % self.format.bytes_per_sample
        if self.seconds + self.format.duration(whole) > LONGEST:
            raise error_events.buffer_full(LONGEST // 60)
        samples = self.format.decode(data[:whole])
        self._spare = data[whole:]
        self._held += samples.data
        self.end += len(samples)
        return samples

    def between(self, first: int, last: int) -> Samples:
        """Return the held samples (int16) from `first` to before `last`."""
        begin, end = (max(0, sample - self.start) for sample in (first, last))
        return np.frombuffer(self._held[2 * begin : 2 * end], np.int16)

    def drop(self, until: int) -> None:
        """Forget the samples before `until`."""
        count = max(0, min(until, self.end) - self.start)
        del self._held[: 2 * count]
        self.start += count

    def clear(self) -> None:
        """Forget all samples; the clock keeps its time."""
        self._held.clear()
        self._spare = b""
        self.start = self.end

    def change(self, format: AudioFormat) -> None:
        """Go over to another format: what was not committed is lost, the clock goes on."""
        self._base_ms += self.end * 1000 / self.format.rate
        self.clear()
        self.start = self.end = 0
        self.format = format
