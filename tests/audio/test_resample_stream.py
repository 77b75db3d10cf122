from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtnb.audio.resample import resample_with_numpy
from rtnb.audio.resample_stream import ResampleStream
from rtnb.audio.samples import Samples
from rtnb.errors import AudioError

RATES = [(22_050, 24_000), (24_000, 16_000), (8_000, 16_000), (44_100, 16_000)]


def tone(hz: float, rate: int, seconds: float = 1.0) -> Samples:
    return (8000 * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)).astype(np.int16)


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


@settings(max_examples=40, deadline=None)
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
    gone = in_pieces(tone(10_000, 24_000), (24_000, 16_000), [480], numpy_only=numpy_only)
    kept = in_pieces(tone(1_000, 24_000), (24_000, 16_000), [480], numpy_only=numpy_only)
    assert np.abs(gone[500:-500]).max() <= 1
    assert np.abs(kept[500:-500]).max() == pytest.approx(8000, rel=0.01)


@pytest.mark.parametrize("numpy_only", [False, True])
def test_it_keeps_little_back(numpy_only: bool) -> None:
    """Before the end, no more than 50 ms are held back."""
    stream = ResampleStream(22_050, 24_000, numpy_only=numpy_only)
    given = sum(len(stream.push(tone(300, 22_050, 0.1))) for _ in range(10))
    assert 24_000 - given < 24_000 * 0.05


def test_equal_rates_pass_through() -> None:
    """Where there is nothing to do the samples are the same ones."""
    samples = tone(300, 8_000)
    assert ResampleStream(8_000, 8_000).push(samples) is samples


def test_impossible_rate() -> None:
    """A rate that is no rate is refused at once."""
    with pytest.raises(AudioError, match="sample rate"):
        ResampleStream(24_000, 0)
