"""The figures that describe samples: peak, loudness, envelope. None of them makes a float copy of the whole."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from rtnb.audio.samples import FULL_SCALE, Samples
from rtnb.errors import AudioError

# Squares are summed in float64, a block at a time.
_BLOCK = 1 << 18


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
