"""Cutting a text where it can be spoken."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rtnb.service.session.sentences import Sentences

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
