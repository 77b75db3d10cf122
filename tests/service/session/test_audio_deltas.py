"""Cutting speech into deltas, whatever pieces it comes in."""

from __future__ import annotations

import numpy as np
import pytest

from rtnb.audio.formats import G711_ALAW, G711_ULAW, PCM16
from rtnb.audio.resample import resample
from rtnb.service.session.audio_deltas import AudioDeltas


def cut(samples, format, piece=7_001):
    """Return the deltas of samples that come in pieces."""
    deltas, found = AudioDeltas(format), []
    for start in range(0, len(samples), piece):
        deltas.add(samples[start : start + piece])
        found += deltas.ready()
    return [*found, *deltas.rest()]


@pytest.mark.parametrize("tokens", range(1, 60))
def test_sizes_for_every_length(tokens):
    """2, 3, 5, 5, 5 … tokens and a tail of 10 to 12, once there is enough for both; nothing is lost, no delta is empty."""
    sizes = [delta.tokens for delta in cut(np.ones(tokens * 1_200 - 17, np.int16), PCM16)]
    assert sum(sizes) == tokens
    assert min(sizes) > 0
    if tokens >= 15:
        assert sizes[:2] == [2, 3]
        assert 10 <= sizes[-1] <= 12
        assert set(sizes[2:-2]) <= {5}
        assert all(size <= 5 for size in sizes[:-1])


def test_the_first_delta_waits_for_no_more_than_it_needs():
    """Three tokens of sound are enough for the first delta."""
    deltas = AudioDeltas(PCM16)
    deltas.add(np.ones(3_600, np.int16))
    assert [delta.tokens for delta in deltas.ready()] == [2]


@pytest.mark.parametrize("format", [G711_ULAW, G711_ALAW], ids=["ulaw", "alaw"])
def test_telephone_seams_are_not_heard(format):
    """Resampled delta by delta it is what resampling the whole gives, but for a step of the encoding."""
    time = np.arange(60_000) / 24_000
    whole = (9_000 * np.sin(2 * np.pi * 440 * time)).astype(np.int16)
    heard = format.decode(b"".join(delta.data for delta in cut(whole, format))).astype(int)
    expected = format.decode(format.encode(resample(whole, 24_000, 8_000))).astype(int)
    assert len(heard) == len(expected) == 20_000
    assert np.abs(heard - expected).max() <= 512  # the step at this loudness
    assert np.sqrt(np.mean((heard - expected) ** 2.0)) < 40
