"""From one sample rate to another while the sound is still being made: soxr where it is installed, else numpy.

What comes out of the pieces is what :func:`rtnb.audio.resample.resample` gives for the whole, give or take the rounding.
"""

from __future__ import annotations

import math
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from rtnb.audio.resample import _convolve, _polyphase_taps
from rtnb.audio.samples import FULL_SCALE, Samples, valid_rate

_Floats = npt.NDArray[np.floating[Any]]

__all__ = ["ResampleStream"]


class _Filter(Protocol):
    def push(self, samples: Samples, last: bool) -> _Floats: ...


class ResampleStream:
    """Resamples int16 samples piece by piece.

    Parameters
    ----------
    rate_in, rate_out : int
        Samples per second (Hz).
    numpy_only : bool
        Do not use soxr, so that every machine gives the same samples.

    Raises
    ------
    AudioError
        A rate is not a positive whole number.
    """

    def __init__(self, rate_in: int, rate_out: int, *, numpy_only: bool = False) -> None:
        self.rate_in, self.rate_out = valid_rate(rate_in), valid_rate(rate_out)
        self._taken = self._given = 0
        self._filter = None if self.rate_in == self.rate_out else _filter(self.rate_in, self.rate_out, numpy_only)

    def push(self, samples: Samples, *, last: bool = False) -> Samples:
        """Take samples of shape (n,), and give those that are certain by now.

        Parameters
        ----------
        samples : ndarray of int16, shape (n,)
        last : bool
            Nothing follows: give the rest too. All pieces together then have round(n * rate_out / rate_in) samples.

        Returns
        -------
        ndarray of int16
            About 10 to 35 ms behind `samples`, until the last.
        """
        if self._filter is None:
            return samples
        self._taken += len(samples)
        length = round(self._taken * self.rate_out / self.rate_in)
        values = self._filter.push(samples, last)[: length - self._given]
        result = np.clip(np.rint(values), -FULL_SCALE, FULL_SCALE - 1).astype(np.int16)
        if last and len(result) < length - self._given:
            result = np.concatenate([result, np.zeros(length - self._given - len(result), np.int16)])
        self._given += len(result)
        return result


def _filter(rate_in: int, rate_out: int, numpy_only: bool) -> _Filter:
    if not numpy_only:
        try:
            return _SoxrFilter(rate_in, rate_out)
        except ImportError:
            pass
    return _NumpyFilter(rate_in, rate_out)


class _SoxrFilter:
    def __init__(self, rate_in: int, rate_out: int) -> None:
        import soxr

        # Floats, because for int16 soxr adds dither that was not in the sound.
        self._stream = soxr.ResampleStream(rate_in, rate_out, 1, dtype="float32", quality="HQ")

    def push(self, samples: Samples, last: bool) -> _Floats:
        values: _Floats = self._stream.resample_chunk(samples.astype(np.float32), last=last)
        return values


class _NumpyFilter:
    """The polyphase filter, with the input that the next output needs kept from piece to piece."""

    def __init__(self, rate_in: int, rate_out: int) -> None:
        divisor = math.gcd(rate_in, rate_out)
        self._up, self._down = rate_out // divisor, rate_in // divisor
        self._taps = _polyphase_taps(self._up, self._down, self._up)
        self._reach = self._taps.shape[1] // 2
        self._kept: _Floats = np.zeros(self._reach - 1)  # silence before the beginning

    def push(self, samples: Samples, last: bool) -> _Floats:
        parts = [self._kept, samples, np.zeros(self._reach)] if last else [self._kept, samples]
        values = np.concatenate(parts)
        # Whole periods only, so that every piece begins with phase 0; the last one ends where its caller cuts it.
        windows = len(values) - self._taps.shape[1] + 1
        periods = max(-(-windows // self._down) if last else windows // self._down, 0)
        if last:
            values = np.concatenate([values, np.zeros(periods * self._down - windows)])
        if not periods:
            self._kept = values
            return np.zeros(0)
        self._kept = values[periods * self._down :]
        return _convolve(values, self._taps, self._up, self._down, periods * self._up)
