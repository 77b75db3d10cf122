from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtnb.audio.samples import envelope, peak, rms, to_int16, to_mono, valid_rate
from rtnb.errors import AudioError


@pytest.mark.parametrize("dtype", ["<i2", ">i2"])
def test_int16_of_either_byte_order_keeps_its_values(dtype: str) -> None:
    """int16 values come through unchanged, in the machine's byte order."""
    values = np.array([-32768, -1, 0, 1, 32767], dtype)
    result = to_int16(values)
    assert result.dtype == np.int16
    assert result.tolist() == [-32768, -1, 0, 1, 32767]


@pytest.mark.parametrize(
    ("dtype", "values", "expected"),
    [
        ("i1", [-128, -1, 0, 127], [-32768, -256, 0, 32512]),
        ("u1", [0, 127, 128, 255], [-32768, -256, 0, 32512]),
        ("u2", [0, 32768, 65535], [-32768, 0, 32767]),
        (">u2", [0, 32768, 65535], [-32768, 0, 32767]),
        ("i4", [-(2**31), -65536, 0, 65536, 2**31 - 1], [-32768, -1, 0, 1, 32767]),
        (">i4", [-(2**31), 0, 2**31 - 1], [-32768, 0, 32767]),
        ("u4", [0, 2**31, 2**32 - 1], [-32768, 0, 32767]),
    ],
)
def test_other_integers_are_scaled_from_their_own_range(dtype: str, values: list[int], expected: list[int]) -> None:
    """The least, the middle and the greatest value of an integer type become those of int16."""
    assert to_int16(np.array(values, dtype)).tolist() == expected


def test_python_numbers_are_int16_values() -> None:
    """A list of Python integers is taken as int16 values, not scaled from 64 bits."""
    assert to_int16([-32768, 100, 32767]).tolist() == [-32768, 100, 32767]
    assert to_int16(np.array([0, 7], np.uint64)).tolist() == [0, 7]


@pytest.mark.parametrize("values", [[32768], [-32769], np.array([2**63], np.uint64)])
def test_int64_beyond_16_bits_is_refused(values: object) -> None:
    """int64 values that int16 cannot hold are refused with both ways out named."""
    with pytest.raises(AudioError, match=r"-32768\.\.32767.*int32.*floats"):
        to_int16(values)  # type: ignore[arg-type]


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", ">f4", "longdouble"])
def test_floats_are_scaled_and_clipped(dtype: str) -> None:
    """Floats of any width are fractions of full scale, rounded, and clipped beyond -1..1."""
    values = np.array([-1.5, -1, -0.5, 0, 0.5, 1, 1.5], dtype)
    assert to_int16(values).tolist() == [-32768, -32768, -16384, 0, 16384, 32767, 32767]


def test_every_int16_survives_the_way_through_floats() -> None:
    """Dividing by 32768 and coming back gives every int16 value unchanged."""
    every = np.arange(-32768, 32768).astype(np.int16)
    assert np.array_equal(to_int16(every / np.float32(32768)), every)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity_are_refused(bad: float) -> None:
    """One sample that is no number is enough to refuse all."""
    with pytest.raises(AudioError, match="NaN or infinity"):
        to_int16(np.array([0.1, bad, 0.2]))


def test_floats_on_another_scale_are_refused_not_flattened() -> None:
    """16-bit values that became floats are refused, since clipping would turn them into noise."""
    with pytest.raises(AudioError, match=r"largest here is 12000.*32768"):
        to_int16(np.array([0.0, -12000.0]))


@pytest.mark.parametrize("values", [["a"], [True], [1j], [None]])
def test_what_is_not_a_number_is_refused(values: list[object]) -> None:
    """Strings, booleans, complex numbers and objects are not samples."""
    with pytest.raises(AudioError, match="must be numbers"):
        to_int16(values)  # type: ignore[arg-type]


@pytest.mark.parametrize("dtype", ["i2", "u1", "i8", "f4"])
def test_nothing_is_no_samples(dtype: str) -> None:
    """An empty array of any numeric type keeps its shape."""
    assert to_int16(np.zeros((0, 2), dtype)).shape == (0, 2)


def test_channels_are_mixed_to_their_mean() -> None:
    """Stereo becomes the rounded mean, and cannot overflow."""
    stereo = np.array([[32767, 32767], [-32768, -32768], [100, 0], [3, 0], [-3, 0]], np.int16)
    assert to_mono(stereo).tolist() == [32767, -32768, 50, 2, -1]


def test_one_channel_is_taken_as_it_is() -> None:
    """(n,) and (n, 1) hold the same sound."""
    samples = np.array([1, 2, 3], np.int16)
    assert to_mono(samples) is samples
    assert to_mono(samples[:, np.newaxis]).tolist() == [1, 2, 3]


@pytest.mark.parametrize("shape", [(), (2, 2, 2), (5, 0)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    """A shape that is neither (n,) nor (n, channels) is named in the error."""
    with pytest.raises(AudioError, match="shape"):
        to_mono(np.zeros(shape, np.int16))


def test_channels_first_is_recognised() -> None:
    """An array with its axes the other way round is refused with the remedy."""
    with pytest.raises(AudioError, match=r"48000 channels.*array\.T"):
        to_mono(np.zeros((2, 48000), np.int16))


@pytest.mark.parametrize("rate", [24000, 24000.0, np.int64(24000), np.float64(24000)])
def test_whole_rates_become_plain_ints(rate: object) -> None:
    """Whole numbers of any type are a rate, and a plain int afterwards."""
    assert type(valid_rate(rate)) is int
    assert valid_rate(rate) == 24000


@pytest.mark.parametrize("rate", [0, -8000, 22050.5, float("nan"), float("inf"), "24000", None, 10**12, [24000]])
def test_impossible_rates_are_refused(rate: object) -> None:
    """A rate that no sound has is refused with an example of one."""
    with pytest.raises(AudioError, match="such as 24000"):
        valid_rate(rate)


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
