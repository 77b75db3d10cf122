from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from rtnb.service.engines.espeak_speakers import SPEAKERS, readable, sentences, speaker
from rtnb.service.speech.voice import VOICES


@settings(deadline=None)
@given(st.text(alphabet=st.sampled_from("ab .,!?\n，。"), max_size=900))
def test_sentences_join_to_the_text(text: str) -> None:
    """However a text is cut, the parts join to it, and none is longer than 200 characters."""
    parts = list(sentences(text))
    assert "".join(parts) == text
    assert all(0 < len(part) <= 200 for part in parts)


def test_texts_are_cut_where_one_breathes() -> None:
    """A long text is cut after a sentence, else after a clause, else after a word."""
    first, *_ = sentences("One short sentence. " * 12)
    assert first.endswith("sentence. ")
    first, *_ = sentences("a clause without an end, " * 12)
    assert first.endswith("end, ")
    first, *_ = sentences("word " * 60)
    assert first.endswith("word ")
    assert max(map(len, sentences("x" * 1000))) <= 200


def test_the_speakers_have_the_services_names() -> None:
    """Every voice that the service knows has a speaker of its own."""
    assert set(SPEAKERS) == set(VOICES)
    assert len(set(SPEAKERS.values())) == len(SPEAKERS)


@settings(deadline=None)
@given(st.text(max_size=30))
def test_a_stranger_is_always_the_same(name: str) -> None:
    """A name never heard of gets a speaker that the engine can be."""
    who = speaker(name)
    assert who == speaker(name)
    assert 0 <= who.pitch <= 100
    assert 0 <= who.melody <= 100
    assert 80 <= who.rate(0.25) <= who.rate(1.0) <= who.rate(4.0) <= 450


@settings(deadline=None)
@given(st.text(max_size=50))
def test_readable_text_is_as_long(text: str) -> None:
    """What the engine cannot take is replaced, character by character."""
    clean = readable(text)
    assert len(clean) == len(text)
    assert "\x00" not in clean
    clean.encode()
