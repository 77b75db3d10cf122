"""Resampling, of a whole clip or of a stream: with soxr where it is installed, else with a polyphase filter in numpy.

Both attenuate frequencies above the new Nyquist frequency by more than 90 dB, and return round(n * out / in) samples. The
pieces of a stream have the samples of the whole, but for rounding.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from types import ModuleType
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from rtnb.audio.samples import FULL_SCALE, Samples, valid_rate

_Floats = npt.NDArray[np.floating[Any]]

# Kaiser window of 110 dB over 64 zero crossings on each side: the transition takes 11 % of the lower Nyquist frequency,
# and the cut-off lies half of that below it, so that the stop band begins at Nyquist.
_CROSSINGS = 64
_ATTENUATION_DB = 110.0
_BETA = 0.1102 * (_ATTENUATION_DB - 8.7)
_CUTOFF = 1 - (_ATTENUATION_DB - 7.95) / (2.285 * math.pi * 2 * _CROSSINGS) / 2
# Samples per step: an hour of audio is never held as floats.
_BLOCK = 1 << 18


def resample(samples: Samples, rate_in: int, rate_out: int) -> Samples:
    """Resample int16 `samples` of shape (n,) from `rate_in` to `rate_out` (Hz) at the same loudness.

    Returns
    -------
    ndarray of int16, shape (round(n * rate_out / rate_in),)
        `samples` itself when the rates are equal.

    Raises
    ------
    AudioError
        A rate is not a positive whole number.
    """
    rate_in, rate_out = valid_rate(rate_in), valid_rate(rate_out)
    if rate_in == rate_out or len(samples) == 0:
        return samples
    try:
        import soxr
    except ImportError:
        return resample_with_numpy(samples, rate_in, rate_out)
    return _resample_with_soxr(soxr, samples, rate_in, rate_out)


def _resample_with_soxr(soxr: ModuleType, samples: Samples, rate_in: int, rate_out: int) -> Samples:
    # Floats, since for int16 soxr adds dither, noise that was not in the clip.
    stream = soxr.ResampleStream(rate_in, rate_out, 1, dtype="float32", quality="HQ")

    def pieces() -> Iterator[_Floats]:
        for start in range(0, len(samples), _BLOCK):
            block = samples[start : start + _BLOCK].astype(np.float32)
            yield stream.resample_chunk(block, last=start + _BLOCK >= len(samples))

    return _collect(pieces(), _length(len(samples), rate_in, rate_out))


def resample_with_numpy(samples: Samples, rate_in: int, rate_out: int) -> Samples:
    """Resample as :func:`resample` does, with numpy alone."""
    divisor = math.gcd(rate_in, rate_out)
    up, down = rate_out // divisor, rate_in // divisor
    length = _length(len(samples), rate_in, rate_out)
    taps = _polyphase_taps(up, down, min(up, length))
    reach = taps.shape[1] // 2
    step = math.ceil(_BLOCK / up) * up  # a whole number of periods: every block begins with phase 0

    def pieces() -> Iterator[_Floats]:
        for first in range(0, length, step):
            count = min(step, length - first)
            begin = first // up * down - reach + 1
            end = (first + count - 1) * down // up + reach + 1
            yield _convolve(_padded(samples, begin, end), taps, up, down, count)

    return _collect(pieces(), length)


def _convolve(values: _Floats, taps: _Floats, up: int, down: int, count: int) -> _Floats:
    """Return `count` output samples: output k is the window at k * down // up, under the filter of phase k % up."""
    windows = np.lib.stride_tricks.sliding_window_view(values, taps.shape[1])
    result = np.empty(count)
    for phase in range(min(up, count)):
        outputs = result[phase::up]
        outputs[:] = windows[phase * down // up :: down][: len(outputs)] @ taps[phase]
    return result


def _polyphase_taps(up: int, down: int, phases: int) -> _Floats:
    """Return the filter of each of the first `phases` phases, shape (phases, 2 * reach), each with a sum of 1.

    Tap j of a phase weighs the input sample that lies j - reach + 1 samples after the one at or before the output.
    """
    lower_nyquist = min(1.0, up / down)
    half = _CROSSINGS / lower_nyquist
    reach = math.ceil(half)
    fraction = (np.arange(phases) * down % up) / up
    distance = fraction[:, np.newaxis] - np.arange(1 - reach, reach + 1)
    inside = np.sqrt(np.maximum(1 - (distance / half) ** 2, 0))
    window = np.where(np.abs(distance) < half, np.i0(_BETA * inside), 0)
    taps = np.sinc(_CUTOFF * lower_nyquist * distance) * window
    return np.asarray(taps / taps.sum(axis=1, keepdims=True))


def _padded(samples: Samples, begin: int, end: int) -> _Floats:
    """Return samples[begin:end] as floats, with silence where that reaches beyond either end."""
    values = np.zeros(end - begin)
    first, last = max(begin, 0), min(end, len(samples))
    values[first - begin : last - begin] = samples[first:last]
    return values


def _length(count: int, rate_in: int, rate_out: int) -> int:
    return round(count * rate_out / rate_in)


def _collect(pieces: Iterator[_Floats], length: int) -> Samples:
    """Round the pieces to int16, one after the other, into exactly `length` samples."""
    result = np.zeros(length, np.int16)
    filled = 0
    for piece in pieces:
        whole = np.clip(np.rint(piece[: length - filled]), -FULL_SCALE, FULL_SCALE - 1)
        result[filled : filled + len(whole)] = whole
        filled += len(whole)
    return result


class _Filter(Protocol):
    def push(self, samples: Samples, last: bool) -> _Floats: ...


class ResampleStream:
    """Resamples a stream of int16 samples, piece by piece.

    Parameters
    ----------
    rate_in, rate_out : int
        Samples per second (Hz).
    numpy_only : bool
        Do not use soxr, so that the samples are the same on every machine.

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
        """Take the next samples, and return the resampled ones that no later input can change.

        Parameters
        ----------
        samples : ndarray of int16, shape (n,)
        last : bool
            Nothing follows: return the rest, too. All pieces together then have round(n * rate_out / rate_in) samples.

        Returns
        -------
        ndarray of int16
            They lag about 10 to 35 ms behind `samples`, until the last.
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

        # Floats, since for int16 soxr adds dither, noise that was not in the sound.
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
        # Whole periods only, so that every piece begins with phase 0; the caller cuts the last one to its length.
        windows = len(values) - self._taps.shape[1] + 1
        periods = max(-(-windows // self._down) if last else windows // self._down, 0)
        if last:
            values = np.concatenate([values, np.zeros(periods * self._down - windows)])
        if not periods:
            self._kept = values
            return np.zeros(0)
        self._kept = values[periods * self._down :]
        return _convolve(values, self._taps, self._up, self._down, periods * self._up)
