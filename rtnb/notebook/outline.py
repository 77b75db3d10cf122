"""`Outline`: the envelope of sound that grows, each sample of it looked at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from rtnb.audio import AudioClip
from rtnb.audio.formats import FORMATS, AudioFormat
from rtnb.audio.samples import FULL_SCALE
from rtnb.conversation.items import ContentPart

STEP_SECONDS = 0.02
_LEVELS = 127


class Outline:
    """Least and greatest sample of each 20 ms of the content parts that it is shown, again and again as they grow."""

    def __init__(self) -> None:
        self._forget()

    def _forget(self) -> None:
        self._seen: dict[int, int] = {}
        self._rest = b""
        self._low: list[npt.NDArray[np.int16]] = []
        self._high: list[npt.NDArray[np.int16]] = []

    def take(self, parts: Sequence[ContentPart]) -> None:
        """Measure what has come since the last time; begin anew where the parts are others than they were."""
        if not self._seen.keys() <= {id(part) for part in parts}:
            self._forget()
        for part in parts:
            chunks = list(part.chunks)
            new = chunks[self._seen.get(id(part), 0) :]
            if id(part) not in self._seen:
                self._rest = b""
            self._seen[id(part)] = len(chunks)
            if new:
                self.add(b"".join(new), part.format)

    def add(self, data: bytes, encoding: AudioFormat = FORMATS["pcm16"]) -> None:
        """Measure more sound, as its bytes travel on the wire; what is not yet a whole step waits for the rest."""
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


def envelope_of(clip: AudioClip, bins: int) -> bytes:
    """Return the envelope of a finished clip, in the form of `Outline.envelope`."""
    if not len(clip):
        return b""
    low, high = clip.envelope(min(bins, len(clip)))
    return _pairs(low * _LEVELS, high * _LEVELS)


def _pairs(low: npt.NDArray[Any], high: npt.NDArray[Any]) -> bytes:
    return np.stack((np.floor(low), np.ceil(high)), axis=1).clip(-_LEVELS, _LEVELS).astype(np.int8).tobytes()
