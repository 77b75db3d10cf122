from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from rtnb.service.engines.espeak import sentences, spoken_words


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


def cut(text: str, events: list[tuple[int, int, int]], count: int = 24_000) -> list[tuple[str, int]]:
    """Cut a second of sound into words: text and number of samples."""
    sound = (1000 * np.sin(np.arange(count) / 9)).astype(np.int16)
    words = spoken_words(text, events, sound)
    assert np.array_equal(np.concatenate([word.samples for word in words])[:count], sound)
    return [(word.text, len(word.samples)) for word in words]


def test_words_keep_their_punctuation() -> None:
    """Spaces and brackets before a word, and marks after it, belong to it."""
    words = cut('"Hello" (my) world!', [(1, 5, 0), (9, 2, 8000), (13, 5, 16_000)])
    assert words == [('"Hello"', 8000), (" (my)", 8000), (" world!", 8000)]


def test_the_parts_of_a_number_are_one_word() -> None:
    """A number is announced several times, at its beginning and inside it: it stays one word."""
    words = cut(
        "It is 3.14 now", [(0, 2, 0), (3, 2, 2000), (6, 4, 4000), (7, 4, 9000), (7, 4, 12_000), (11, 3, 15_000)]
    )
    assert [text for text, _ in words] == ["It", " is", " 3.14", " now"]


def test_without_spaces_every_sign_is_a_word() -> None:
    """In scripts without spaces a word begins where it is announced."""
    assert [text for text, _ in cut("你好，世界", [(0, 1, 0), (3, 1, 9000), (4, 1, 15_000)])] == ["你好，", "世", "界"]


def test_nothing_spoken_still_takes_a_moment() -> None:
    """A text without sound is given with 60 ms of silence."""
    assert cut("…", [], 0) == [("…", 1440)]


def test_a_word_that_no_sound_follows_belongs_to_the_one_before() -> None:
    """A word whose event lies at the end of the sound is no word of its own."""
    assert cut("one two", [(0, 3, 0), (4, 3, 24_000)]) == [("one two", 24_000)]


@settings(deadline=None)
@given(
    st.text(min_size=1, max_size=30),
    st.lists(st.tuples(st.integers(-3, 40), st.integers(0, 9), st.integers(-5, 30_000)), max_size=12),
    st.integers(0, 25_000),
)
def test_with_any_events_texts_and_sound_add_up(text: str, events: list[tuple[int, int, int]], count: int) -> None:
    """However wrong the events, the texts join to the text, and no sound is lost or invented."""
    words = cut(text, events, count)
    assert "".join(word for word, _ in words) == text
    assert all(samples > 0 for _, samples in words)
    assert sum(samples for _, samples in words) == max(count, 1440)
