"""Arrays that are appended to while a session goes on: plain values, and the envelope of sound."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from rtnb.audio import AudioClip
from rtnb.audio.formats import FORMATS, AudioFormat
from rtnb.audio.samples import FULL_SCALE
from rtnb.conversation.items import ContentPart

STEP_SECONDS = 0.02
_LEVELS = 127


class GrowingArray:
    """A one-dimensional array with spare room; appending costs the same however long it is.

    Parameters
    ----------
    dtype : dtype
    """

    def __init__(self, dtype: DTypeLike) -> None:
        self._room: NDArray[Any] = np.empty(256, dtype)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def values(self) -> NDArray[Any]:
        """Return the present values, shape (n,); an array returned earlier keeps its values."""
        return self._room[: self._count]

    def extend(self, more: ArrayLike) -> None:
        """Append values."""
        added = np.asarray(more, self._room.dtype)
        needed = self._count + len(added)
        if needed > len(self._room):
            larger = np.empty(2 * needed, self._room.dtype)
            larger[: self._count] = self.values
            self._room = larger
        self._room[self._count : needed] = added
        self._count = needed


class GrowingEnvelope:
    """Lowest and highest sample of each 20 ms of content parts; each sample is read once while the parts grow."""

    def __init__(self) -> None:
        self._reset()

    def _reset(self) -> None:
        self._seen: dict[int, int] = {}
        self._rest = b""
        self._low: list[NDArray[np.int16]] = []
        self._high: list[NDArray[np.int16]] = []

    def take(self, parts: Sequence[ContentPart]) -> None:
        """Measure the chunks that have come since the last call; start again if the parts are other ones."""
        if not self._seen.keys() <= {id(part) for part in parts}:
            self._reset()
        for part in parts:
            chunks = list(part.chunks)
            new = chunks[self._seen.get(id(part), 0) :]
            if id(part) not in self._seen:
                self._rest = b""
            self._seen[id(part)] = len(chunks)
            if new:
                self.add(b"".join(new), part.format)

    def add(self, data: bytes, encoding: AudioFormat = FORMATS["pcm16"]) -> None:
        """Measure more sound, given as its bytes on the wire; an incomplete step is kept for the next call."""
        data = self._rest + data
        step = round(encoding.rate * STEP_SECONDS)
        whole = len(data) // (step * encoding.bytes_per_sample) * step * encoding.bytes_per_sample
        self._rest = data[whole:]
        if whole:
            samples = encoding.decode(data[:whole]).reshape(-1, step)
            self._low.append(samples.min(axis=1))
            self._high.append(samples.max(axis=1))

    def envelope(self, bins: int) -> bytes:
        """Return (low, high) pairs of int8, in 1/127 of full scale: at most `bins` pairs, fewer of short sound."""
        if not self._low:
            return b""
        self._low = [np.concatenate(self._low)]
        self._high = [np.concatenate(self._high)]
        steps = len(self._low[0])
        edges = np.unique(np.arange(min(bins, steps)) * steps // min(bins, steps))
        low, high = np.minimum.reduceat(self._low[0], edges), np.maximum.reduceat(self._high[0], edges)
        return _pairs(low / FULL_SCALE * _LEVELS, high / FULL_SCALE * _LEVELS)


def clip_envelope(clip: AudioClip, bins: int) -> bytes:
    """Return the envelope of a finished clip, in the form of `GrowingEnvelope.envelope`."""
    if not len(clip):
        return b""
    low, high = clip.envelope(min(bins, len(clip)))
    return _pairs(low * _LEVELS, high * _LEVELS)


def _pairs(low: NDArray[Any], high: NDArray[Any]) -> bytes:
    return np.stack((np.floor(low), np.ceil(high)), axis=1).clip(-_LEVELS, _LEVELS).astype(np.int8).tobytes()
