"""Text and speech are cut into the same deltas and sentences, whatever pieces they come in."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtnb.audio.formats import G711_ALAW, G711_ULAW, PCM16
from rtnb.audio.resample import resample
from rtnb.service.session.deltas import AudioDeltas, Sentences, text_deltas


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


@given(st.text(max_size=300))
def test_deltas_join_to_the_text(text):
    """The streamed pieces are the text, none empty, none long."""
    deltas = text_deltas(text)
    assert "".join(deltas) == text
    assert all(0 < len(delta) <= 9 for delta in deltas)


def test_deltas_keep_the_leading_space():
    """Words come with the space before them, marks on their own, long words in parts."""
    assert text_deltas("Of course! A rehearsal.") == ["Of", " course", "!", " A", " rehearsa", "l", "."]


text = st.text(st.sampled_from("ab .!?…\n。\"'”),"), max_size=60)


def cuts(pieces):
    sentences = Sentences()
    found = [each for piece in pieces for each in sentences.add(piece)]
    return found + sentences.rest()


def test_whole_sentences_are_given_as_soon_as_they_are_complete():
    """A sentence is complete when something follows it; the rest comes at the end."""
    sentences = Sentences()
    assert sentences.add("This is one sen") == []
    assert sentences.add("tence.") == []
    assert sentences.add(" And") == ["This is one sentence."]
    assert sentences.rest() == [" And"]
    assert sentences.rest() == []


def test_short_ones_are_joined():
    """An interjection is not worth a breath of its own."""
    assert cuts(["Yes! No. I really do not know that. Sorry."]) == ["Yes! No. I really do not know that.", " Sorry."]


def test_numbers_are_not_cut():
    """A point inside a number ends nothing."""
    assert cuts(["Pi is about 3.14159, and e 2.71828"]) == ["Pi is about 3.14159, and e 2.71828"]


@given(pieces=st.lists(text, max_size=8))
def test_the_stretches_join_to_the_text_however_it_came(pieces):
    """Nothing is lost, and the cuts depend on the text alone."""
    assert "".join(cuts(pieces)) == "".join(pieces)
    assert cuts(pieces) == cuts(["".join(pieces)])
    assert cuts(pieces) == cuts(list("".join(pieces)))
