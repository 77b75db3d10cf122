from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np
import pytest
from examples import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from rtnb.audio.resample import ResampleStream, resample, resample_with_numpy
from rtnb.audio.samples import Samples
from rtnb.errors import AudioError

RATIOS = [
    (24000, 16000),
    (24000, 8000),
    (8000, 24000),
    (16000, 24000),
    (48000, 24000),
    (24000, 48000),
    (44100, 24000),
    (22050, 24000),
    (24000, 44100),
    (11025, 8000),
]
Resampler = Callable[[np.ndarray, int, int], np.ndarray]


@pytest.fixture(params=["soxr", "numpy"])
def resampler(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Resampler:
    """`resample` as it works with soxr installed, and as it works without."""
    if request.param == "soxr":
        pytest.importorskip("soxr")
    else:
        monkeypatch.setitem(sys.modules, "soxr", None)
    return resample


def tone(hertz: float, rate: int, amplitude: float = 16000, count: int | None = None) -> np.ndarray:
    count = rate // 2 if count is None else count
    return np.rint(amplitude * np.sin(2 * np.pi * hertz * np.arange(count) / rate)).astype(np.int16)


def middle(samples: np.ndarray) -> np.ndarray:
    return samples[len(samples) // 4 : -len(samples) // 4].astype(float)


def level(samples: np.ndarray, hertz: float, rate: int) -> float:
    """Amplitude of one frequency in `samples`."""
    window = np.hanning(len(samples))
    turning = np.exp(-2j * np.pi * hertz * np.arange(len(samples)) / rate)
    return float(2 * np.abs(np.sum(samples * window * turning)) / np.sum(window))


@pytest.mark.parametrize(("rate_in", "rate_out"), RATIOS)
def test_a_tone_keeps_frequency_phase_and_loudness(resampler: Resampler, rate_in: int, rate_out: int) -> None:
    """A 1 kHz tone equals the same tone made at the new rate, to the noise of 16-bit rounding (SNR above 85 dB)."""
    result = resampler(tone(1000, rate_in), rate_in, rate_out)
    ideal = 16000 * np.sin(2 * np.pi * 1000 * np.arange(len(result)) / rate_out)
    error = middle(result - ideal)
    assert 10 * np.log10(np.mean(middle(ideal) ** 2) / np.mean(error**2)) > 85


@pytest.mark.parametrize(("rate_in", "rate_out"), [pair for pair in RATIOS if pair[1] < pair[0]])
@pytest.mark.parametrize("where", [0.02, 0.5, 0.95])
def test_what_the_new_rate_cannot_carry_is_gone(
    resampler: Resampler, rate_in: int, rate_out: int, where: float
) -> None:
    """A tone above the new Nyquist frequency comes back as an alias more than 90 dB weaker."""
    hertz = rate_out / 2 + where * (rate_in - rate_out) / 2
    result = middle(resampler(tone(hertz, rate_in, 30000), rate_in, rate_out))
    alias = abs(hertz - rate_out * round(hertz / rate_out))
    assert level(result, alias, rate_out) < 30000 * 10 ** (-90 / 20)
    assert np.abs(result).max() <= 2


@pytest.mark.parametrize(("rate_in", "rate_out"), [(8000, 24000), (16000, 24000), (22050, 24000)])
def test_nothing_is_added_above_the_old_band(resampler: Resampler, rate_in: int, rate_out: int) -> None:
    """A tone's image above the old Nyquist frequency is more than 90 dB weaker than the tone."""
    hertz = 0.44 * rate_in
    result = middle(resampler(tone(hertz, rate_in, 30000), rate_in, rate_out))
    image = abs(rate_in - hertz - rate_out * round((rate_in - hertz) / rate_out))
    assert level(result, image, rate_out) < 30000 * 10 ** (-90 / 20)


@pytest.mark.parametrize(("rate_in", "rate_out"), RATIOS)
@pytest.mark.parametrize("count", [1, 2, 3, 7, 100, 479, 4801])
def test_the_length_is_exact(resampler: Resampler, rate_in: int, rate_out: int, count: int) -> None:
    """A clip of n samples becomes round(n * out / in), however few they are."""
    result = resampler(np.full(count, 1000, np.int16), rate_in, rate_out)
    assert result.dtype == np.int16
    assert result.shape == (round(count * rate_out / rate_in),)


@pytest.mark.large
@pytest.mark.parametrize(("rate_in", "rate_out"), RATIOS)
def test_both_ways_agree(rate_in: int, rate_out: int) -> None:
    """Well inside the band, numpy's filter and soxr differ by rounding only, over several blocks."""
    pytest.importorskip("soxr")
    limit = 0.6 * min(rate_in, rate_out) / 2  # from 0.8 of Nyquist on, soxr's gain falls by up to 0.004 dB
    count = 600_000
    parts = [tone(limit * share, rate_in, 6000, count) for share in (0.13, 0.41, 0.77, 1.0)]
    chord = np.sum(parts, axis=0).astype(np.int16)
    difference = resample(chord, rate_in, rate_out) - resample_with_numpy(chord, rate_in, rate_out).astype(int)
    assert np.abs(middle(difference)).max() <= 2


def test_rates_without_a_common_divisor() -> None:
    """Any whole rates will do, also those that share no factor."""
    result = resample_with_numpy(tone(1000, 8000), 8000, 7919)
    ideal = 16000 * np.sin(2 * np.pi * 1000 * np.arange(len(result)) / 7919)
    assert np.abs(middle(result - ideal)).max() < 2


def test_a_constant_stays_constant(resampler: Resampler) -> None:
    """Steady input gives steady output: the filter has a gain of one and no ripple."""
    result = middle(resampler(np.full(8000, 12345, np.int16), 22050, 24000))
    assert np.abs(result - 12345).max() <= 1


def test_full_scale_is_clipped_not_wrapped(resampler: Resampler) -> None:
    """A full-scale square wave overshoots in the filter; it must not come back with the other sign."""
    square = np.repeat(np.tile(np.array([32767, -32768], np.int16), 50), 200)
    result = resampler(square, 24000, 48000)
    expected_sign = np.repeat(np.sign(square.astype(int)), 2)
    settled = np.tile(np.arange(400), 100)
    inside = (settled > 20) & (settled < 380)
    assert (np.sign(result[inside].astype(int)) == expected_sign[inside]).all()
    assert result.max() == 32767
    assert result.min() == -32768


def test_the_same_input_gives_the_same_samples(resampler: Resampler) -> None:
    """Resampling is deterministic, and silence stays digital silence."""
    clip = tone(700, 44100)
    assert np.array_equal(resampler(clip, 44100, 24000), resampler(clip, 44100, 24000))
    assert not resampler(np.zeros(5000, np.int16), 24000, 16000).any()


def test_equal_rates_and_no_samples_need_no_work() -> None:
    """The samples themselves come back when there is nothing to do."""
    samples, empty = tone(100, 8000), np.zeros(0, np.int16)
    assert resample(samples, 8000, 8000) is samples
    assert resample(empty, 8000, 24000).shape == (0,)


@pytest.mark.parametrize("rates", [(0, 8000), (8000, -1), (8000, 8000.5)])
def test_impossible_rates_are_refused(rates: tuple[int, int]) -> None:
    """A rate must be a positive whole number."""
    with pytest.raises(AudioError, match="sample rate"):
        resample(tone(100, 8000), *rates)


RATES = [(22_050, 24_000), (24_000, 16_000), (8_000, 16_000), (44_100, 16_000)]


def in_pieces(samples: Samples, rates: tuple[int, int], sizes: list[int], *, numpy_only: bool) -> Samples:
    """Resample in pieces of these sizes, over and over."""
    stream = ResampleStream(*rates, numpy_only=numpy_only)
    pieces = []
    position = index = 0
    while position < len(samples):
        size = sizes[index % len(sizes)]
        pieces.append(stream.push(samples[position : position + size]))
        position, index = position + size, index + 1
    return np.concatenate([*pieces, stream.push(samples[:0], last=True)])


@settings(max_examples=examples(40), deadline=None)
@given(
    st.lists(st.integers(1, 4000), min_size=1, max_size=6), st.sampled_from(RATES), st.booleans(), st.integers(0, 9000)
)
def test_pieces_join_to_the_whole(sizes: list[int], rates: tuple[int, int], numpy_only: bool, length: int) -> None:
    """However the sound is cut, the pieces join to what one piece gives, with round(n * out / in) samples."""
    samples = np.random.default_rng(1).normal(0, 3000, length).astype(np.int16)
    whole = in_pieces(samples, rates, [max(length, 1)], numpy_only=numpy_only)
    cut = in_pieces(samples, rates, sizes, numpy_only=numpy_only)
    assert len(cut) == len(whole) == round(length * rates[1] / rates[0])
    assert np.abs(cut.astype(int) - whole).max(initial=0) <= 1


@pytest.mark.parametrize("rates", RATES)
def test_numpy_streams_what_numpy_gives_at_once(rates: tuple[int, int]) -> None:
    """The streamed numpy filter is the one that resamples whole clips, to the sample."""
    samples = np.random.default_rng(2).normal(0, 3000, 30_000).astype(np.int16)
    assert np.array_equal(in_pieces(samples, rates, [777], numpy_only=True), resample_with_numpy(samples, *rates))


@pytest.mark.parametrize("numpy_only", [False, True])
def test_nothing_aliases(numpy_only: bool) -> None:
    """A tone that 16 kHz cannot carry vanishes, one that it can keeps its loudness."""
    gone = in_pieces(tone(10_000, 24_000, 8000, 24_000), (24_000, 16_000), [480], numpy_only=numpy_only)
    kept = in_pieces(tone(1_000, 24_000, 8000, 24_000), (24_000, 16_000), [480], numpy_only=numpy_only)
    assert np.abs(gone[500:-500]).max() <= 1
    assert np.abs(kept[500:-500]).max() == pytest.approx(8000, rel=0.01)


@pytest.mark.parametrize("numpy_only", [False, True])
def test_it_keeps_little_back(numpy_only: bool) -> None:
    """Before the end, no more than 50 ms are held back."""
    stream = ResampleStream(22_050, 24_000, numpy_only=numpy_only)
    given = sum(len(stream.push(tone(300, 22_050, 8000, 2205))) for _ in range(10))
    assert 24_000 - given < 24_000 * 0.05


def test_equal_rates_pass_through() -> None:
    """Where there is nothing to do the samples are the same ones."""
    samples = tone(300, 8_000, 8000, 8_000)
    assert ResampleStream(8_000, 8_000).push(samples) is samples


def test_impossible_rate() -> None:
    """A rate that is no rate is refused at once."""
    with pytest.raises(AudioError, match="sample rate"):
        ResampleStream(24_000, 0)
