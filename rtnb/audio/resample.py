"""From one sample rate to another: soxr where it is installed, else a polyphase filter in numpy.

Both remove what the new rate cannot carry by more than 90 dB, and give round(n * out / in) samples.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from types import ModuleType
from typing import Any

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
    """Resample int16 `samples` of shape (n,) from `rate_in` to `rate_out` (Hz), loudness untouched.

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
    # Fed with floats and rounded here: for int16 soxr adds dither, noise that was not in the clip.
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
