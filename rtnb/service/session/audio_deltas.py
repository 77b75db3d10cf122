"""Speech cut into deltas: whole tokens of 50 ms, 2, 3, 5, 5, 5 … of them, and a long last one, as the services send."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from rtnb.audio.formats import PCM16, AudioFormat
from rtnb.audio.resample import resample
from rtnb.audio.samples import Samples
from rtnb.service.session.usage import AUDIO_TOKENS_PER_SECOND

TOKEN_SECONDS = 1 / AUDIO_TOKENS_PER_SECOND
_TOKEN = PCM16.rate // AUDIO_TOKENS_PER_SECOND  # samples
_RAMP = (2, 3)
_STEADY = 5
_LONGEST_TAIL, _SHORTEST_TAIL = 12, 10


@dataclass(frozen=True, slots=True)
class AudioDelta:
    """One delta's sound.

    Attributes
    ----------
    data : bytes
        In the output format; whole samples.
    tokens : int
        Of 50 ms each.
    """

    data: bytes
    tokens: int

    @property
    def seconds(self) -> float:
        """Return how long it lasts."""
        return self.tokens * TOKEN_SECONDS


class AudioDeltas:
    """Takes samples as they are spoken, and gives deltas.

    Parameters
    ----------
    format : AudioFormat
        What the deltas are encoded in.
    """

    def __init__(self, format: AudioFormat) -> None:
        self.format = format
        self._pending = np.zeros(0, np.int16)
        self._before = np.zeros(_TOKEN, np.int16)
        self._sizes = iter(_RAMP)
        self._size = next(self._sizes)

    def add(self, samples: Samples) -> None:
        """Take samples (int16, 24 kHz)."""
        self._pending = np.concatenate([self._pending, samples])

    def ready(self) -> Iterator[AudioDelta]:
        """Yield the deltas that are due. After the first two so much is held back that the last can be a long one."""
        while len(self._pending) >= (self._size + self._held_back()) * _TOKEN:
            yield self._cut(self._size)

    def rest(self) -> Iterator[AudioDelta]:
        """Yield what is left, filled up with silence to a whole token."""
        missing = -len(self._pending) % _TOKEN
        self.add(np.zeros(missing, np.int16))
        while (left := len(self._pending) // _TOKEN) > _LONGEST_TAIL:
            yield self._cut(min(self._size, left - _SHORTEST_TAIL))
        if left:
            yield self._cut(left)

    def _held_back(self) -> int:
        return _LONGEST_TAIL if self._size == _STEADY else 1

    def _cut(self, tokens: int) -> AudioDelta:
        samples, self._pending = np.split(self._pending, [tokens * _TOKEN])
        data = self.format.encode(self._at_output_rate(samples))
        self._before = samples[-_TOKEN:]
        self._size = next(self._sizes, _STEADY)
        return AudioDelta(data, tokens)

    def _at_output_rate(self, samples: Samples) -> Samples:
        """Resample with a token of what comes before and after, so that the seams are not heard."""
        if self.format.rate == PCM16.rate:
            return samples
        after = np.zeros(_TOKEN, np.int16)
        after[: len(self._pending)] = self._pending[:_TOKEN]
        around = resample(np.concatenate([self._before, samples, after]), PCM16.rate, self.format.rate)
        edge = _TOKEN * self.format.rate // PCM16.rate
        return around[edge:-edge]
