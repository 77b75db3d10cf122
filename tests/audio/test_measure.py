from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtnb.audio.measure import envelope, peak, rms
from rtnb.errors import AudioError

sample_lists = st.lists(st.integers(-32768, 32767), min_size=1, max_size=300)


def as_samples(values: list[int]) -> np.ndarray:
    return np.array(values, np.int16)


def test_full_scale_is_one() -> None:
    """The most negative sample has the magnitude 1, and does not overflow."""
    assert peak(as_samples([-32768, 5])) == 1.0
    assert rms(as_samples([-32768, -32768])) == 1.0


def test_peak_takes_either_sign() -> None:
    """The peak is the greatest magnitude, above or below zero."""
    assert peak(as_samples([0, 16384, -8192])) == 0.5
    assert peak(as_samples([0, 8192, -16384])) == 0.5


def test_rms_of_a_sine() -> None:
    """A sine's RMS is its amplitude over the square root of two, also over more than one block."""
    sine = np.rint(16384 * np.sin(2 * np.pi * np.arange(600_000) / 100)).astype(np.int16)
    assert rms(sine) == pytest.approx(0.5 / math.sqrt(2), rel=1e-4)


def test_nothing_measures_as_nan() -> None:
    """Without samples there is no peak, no RMS and no envelope."""
    empty = as_samples([])
    low, high = envelope(empty, 4)
    assert math.isnan(peak(empty))
    assert math.isnan(rms(empty))
    assert np.isnan(low).all()
    assert np.isnan(high).all()
    assert low.shape == high.shape == (4,)


@given(values=sample_lists, bins=st.integers(1, 400))
def test_each_bin_spans_the_samples_of_its_stretch(values: list[int], bins: int) -> None:
    """Bin i holds the extremes of samples i*n//bins up to the next bin's, and at least one sample."""
    samples = as_samples(values)
    low, high = envelope(samples, bins)
    assert low.shape == high.shape == (bins,)
    assert low.dtype == high.dtype == np.float32
    for index in range(bins):
        start = index * len(samples) // bins
        part = samples[start : max((index + 1) * len(samples) // bins, start + 1)]
        assert low[index] == part.min() / np.float32(32768)
        assert high[index] == part.max() / np.float32(32768)


@given(values=sample_lists, bins=st.integers(1, 300))
def test_an_envelope_misses_no_peak(values: list[int], bins: int) -> None:
    """With no more bins than samples, the envelope's extremes are those of the samples."""
    samples = as_samples(values)
    low, high = envelope(samples, min(bins, len(samples)))
    assert low.min() * 32768 == samples.min()
    assert high.max() * 32768 == samples.max()


@pytest.mark.parametrize("bins", [0, -3])
def test_an_envelope_needs_a_bin(bins: int) -> None:
    """Fewer than one bin is refused."""
    with pytest.raises(AudioError, match="at least one bin"):
        envelope(as_samples([1]), bins)
