from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from rtnb.service.engines.spoken_words import SpokenWords


def cut(text: str, events: list[tuple[int, int, int]], count: int = 22_050) -> list[tuple[str, int]]:
    """Cut a second of sound at 22.05 kHz into words: text and number of samples at 24 kHz."""
    words = SpokenWords(text, 22_050)
    sound = (1000 * np.sin(np.arange(count) / 9)).astype(np.int16)
    return [(word.text, len(word.samples)) for word in [*words.add(events, sound), *words.end()]]


def test_words_keep_their_punctuation() -> None:
    """Spaces and brackets before a word, and marks after it, belong to it."""
    words = cut('"Hello" (my) world!', [(1, 5, 0), (9, 2, 7350), (13, 5, 14_700)])
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
    """A text without sound is given with 60 ms of silence, an empty one not at all."""
    assert cut("…", [], 0) == [("…", 1440)]
    assert cut("", [], 0) == []


def test_a_word_is_given_when_its_sound_is_complete() -> None:
    """The first word does not wait for the end of the second."""
    words = SpokenWords("one two", 22_050)
    assert not words.add([(0, 3, 0)], np.ones(4000, np.int16))
    assert not words.add([(4, 3, 5000)], np.ones(1000, np.int16))  # the resampler is a little behind
    assert [word.text for word in words.add([], np.ones(2000, np.int16))] == ["one"]


@settings(deadline=None)
@given(
    st.text(max_size=30),
    st.lists(st.tuples(st.integers(-3, 40), st.integers(0, 9), st.integers(-5, 30_000)), max_size=12),
    st.integers(0, 25_000),
)
def test_whatever_is_announced_texts_and_sound_add_up(
    text: str, events: list[tuple[int, int, int]], count: int
) -> None:
    """However wrong the timings, the texts join to the text, and no sound is lost or invented."""
    words = cut(text, events, count)
    assert "".join(word for word, _ in words) == text
    assert all(samples > 0 for _, samples in words)
    if text:
        assert sum(samples for _, samples in words) == max(round(count * 24_000 / 22_050), 1440)
