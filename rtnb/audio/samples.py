"""Int16 mono samples: made from any numbers, and measured (peak, loudness, envelope).

Full scale is 32768: the sample ``s`` is the fraction ``s / 32768``, in -1..1, in both directions everywhere in rtnb.
"""

from __future__ import annotations

import math
import operator
from typing import Any, SupportsIndex

import numpy as np
import numpy.typing as npt

from rtnb.errors import AudioError

Samples = npt.NDArray[np.int16]

FULL_SCALE = 32768
# Beyond this, floats are not a slightly hot recording but samples on another scale, and clipping would destroy them.
_LOUDEST_FLOAT = 16.0
# An array with more channels than any recording has its axes the other way round.
MOST_CHANNELS = 64
# No device is faster, and the header of a WAV file has no room for more.
_FASTEST_HZ = 10_000_000
# Squares are summed in float64, a block of samples at a time: no measure makes a float copy of the whole.
_BLOCK = 1 << 18


def to_int16(values: npt.ArrayLike) -> Samples:
    """Convert numbers to int16 samples of the same shape.

    Parameters
    ----------
    values : array_like
        int16: taken as they are. int8, int32, uint8, uint16, uint32: scaled from their own range (unsigned around its
        middle, as in WAV). Floats: -1..1, clipped beyond. int64, which a list of Python numbers becomes: taken as int16
        values.

    Returns
    -------
    ndarray of int16
        `values` itself where it is int16 already.

    Raises
    ------
    AudioError
        NaN, infinity, floats on another scale, int64 beyond int16, or values that are not numbers.
    """
    array = np.asarray(values)
    kind, size = array.dtype.kind, array.dtype.itemsize
    if kind not in "iuf":
        raise AudioError(f"Samples must be numbers, not {array.dtype}: give an int16 array, or floats in -1..1.")
    if array.size == 0 or array.dtype == np.int16:
        return array.astype(np.int16, copy=False)
    if kind == "f":
        return _from_floats(array)
    return _from_python_integers(array) if size == 8 else _from_integers(array)


def _from_integers(array: npt.NDArray[Any]) -> Samples:
    bits = 8 * array.dtype.itemsize
    if array.dtype.kind == "u":  # flipping the top bit moves the middle of the range to zero
        array = (array ^ array.dtype.type(1 << (bits - 1))).view(f"i{bits // 8}")
    wide = array.astype(np.int32)
    scaled: Samples = (wide << 8 if bits == 8 else wide >> (bits - 16)).astype(np.int16)
    return scaled


def _from_floats(array: npt.NDArray[Any]) -> Samples:
    least, most = float(array.min()), float(array.max())
    if not (math.isfinite(least) and math.isfinite(most)):
        raise AudioError(
            "The samples hold NaN or infinity. Look for a division by zero, or use numpy.nan_to_num first."
        )
    loudest = max(-least, most)
    if loudest > _LOUDEST_FLOAT:
        raise AudioError(
            f"Float samples must lie in -1..1, the largest here is {loudest:g}. "
            "Divide by full scale (32768 for 16-bit values), or give integers."
        )
    scaled = np.rint(np.multiply(array, FULL_SCALE, dtype=np.result_type(array, np.float32)))
    samples: Samples = np.clip(scaled, -FULL_SCALE, FULL_SCALE - 1).astype(np.int16)
    return samples


def _from_python_integers(array: npt.NDArray[Any]) -> Samples:
    least, most = int(array.min()), int(array.max())
    if least < -FULL_SCALE or most >= FULL_SCALE:
        raise AudioError(
            f"{array.dtype} samples must be 16-bit values (-32768..32767), these reach from {least} to {most}. "
            "Say what the scale is with astype(numpy.int32) for 32-bit samples, or give floats in -1..1."
        )
    return array.astype(np.int16)


def to_mono(samples: Samples) -> Samples:
    """Mix int16 samples of shape (n,) or (n, channels) down to shape (n,): the mean of the channels, never louder.

    Raises
    ------
    AudioError
        Another shape.
    """
    if samples.ndim == 1:
        return samples
    if samples.ndim != 2 or samples.shape[1] == 0:
        raise AudioError(f"Samples must have the shape (n,) or (n, channels), not {samples.shape}.")
    channels = samples.shape[1]
    if channels > MOST_CHANNELS:
        raise AudioError(
            f"Samples of shape {samples.shape} would have {channels} channels; the shape is (n, channels): give array.T."
        )
    if channels == 1:
        return samples[:, 0]
    totals = samples.sum(axis=1, dtype=np.int32)
    mixed: Samples = ((totals + channels // 2) // channels).astype(np.int16)
    return mixed


def valid_rate(rate: object) -> int:
    """Return `rate` as a plain int.

    Raises
    ------
    AudioError
        Not a positive whole number of Hz.
    """
    hertz = 0
    if isinstance(rate, SupportsIndex):
        hertz = operator.index(rate)
    elif isinstance(rate, float) and rate.is_integer():
        hertz = int(rate)
    if not 0 < hertz <= _FASTEST_HZ:
        raise AudioError(f"The sample rate must be a positive whole number of Hz, such as 24000, not {rate!r:.80}.")
    return hertz


def peak(samples: Samples) -> float:
    """Return the greatest magnitude in samples of shape (n,), as a fraction of full scale; NaN where there are none."""
    if len(samples) == 0:
        return math.nan
    return max(-int(samples.min()), int(samples.max())) / FULL_SCALE


def rms(samples: Samples) -> float:
    """Return the root mean square of samples of shape (n,), as a fraction of full scale; NaN where there are none."""
    if len(samples) == 0:
        return math.nan
    total = 0.0
    for start in range(0, len(samples), _BLOCK):
        block = samples[start : start + _BLOCK].astype(np.float64)
        total += float(block @ block)
    return math.sqrt(total / len(samples)) / FULL_SCALE


def envelope(samples: Samples, bins: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return the least and the greatest sample of each of `bins` equal stretches.

    Parameters
    ----------
    samples : ndarray of int16, shape (n,)
    bins : int
        At least 1. With more bins than samples, neighbouring bins show the same sample.

    Returns
    -------
    low, high : ndarray of float32, shape (bins,)
        In -1..1; NaN where there are no samples.

    Raises
    ------
    AudioError
        `bins` is less than 1.
    """
    if bins < 1:
        raise AudioError(f"An envelope needs at least one bin, not {bins}.")
    if len(samples) == 0:
        return np.full(bins, np.nan, np.float32), np.full(bins, np.nan, np.float32)
    starts = np.arange(bins, dtype=np.int64) * len(samples) // bins
    low = np.minimum.reduceat(samples, starts).astype(np.float32)
    high = np.maximum.reduceat(samples, starts).astype(np.float32)
    return low / np.float32(FULL_SCALE), high / np.float32(FULL_SCALE)
