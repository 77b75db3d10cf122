from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtnb.service.engines.word_spread import RATE, WordSpread, is_speakable, silent_word, spread_whole

pieces = st.lists(st.integers(0, 30_000), max_size=8)


@given(st.text(min_size=1, max_size=40), pieces, st.floats(0.001, 1.0))
def test_texts_join_to_the_text_and_sounds_to_the_sound(text: str, lengths: list[int], pace: float) -> None:
    """However the sound comes and however fast the voice was expected to be, nothing is lost and nothing is added."""
    spread = WordSpread(text, pace)
    sound = np.arange(sum(lengths)).astype(np.int16)
    words, at = [], 0
    for length in lengths:
        words += spread.add(sound[at : at + length])
        at += length
    words += spread.end()
    assert "".join(word.text for word in words) == text
    joined = np.concatenate([word.samples for word in words])
    assert np.array_equal(joined[: len(sound)], sound)
    assert len(sound) == 0 or len(joined) == len(sound)
    assert all(len(word.samples) for word in words)


def test_words_come_while_the_sound_does() -> None:
    """A word is given as soon as the sound of its length is there; the last one waits for the end."""
    spread = WordSpread("One two three.", 0.1)
    assert [word.text for word in spread.add(np.zeros(RATE // 2, np.int16))] == ["One"]
    assert [word.text for word in spread.add(np.zeros(RATE // 2, np.int16))] == [" two"]
    assert spread.add(np.zeros(RATE * 5, np.int16)) == []
    assert [word.text for word in spread.end()] == [" three."]


def test_longer_words_have_more_of_the_sound() -> None:
    """The sound is shared by length, a number counts by its digits, and a sentence's end has its pause."""
    lengths = [len(word.samples) for word in spread_whole("A wonderful 1984. Yes", np.zeros(RATE * 3, np.int16))]
    assert lengths[0] < lengths[1] < lengths[2]
    assert lengths[3] < lengths[2]
    assert sum(lengths) == RATE * 3


def test_the_pace_of_a_voice_is_measured() -> None:
    """A voice twice as fast as expected is known to be so after its first text."""
    spread = WordSpread("Hello there, how are you?", 0.1)
    letters = spread.letters
    spread.add(np.zeros(round(letters * 0.05 * RATE), np.int16))
    spread.end()
    assert spread.seconds_per_letter == pytest.approx(0.05, rel=0.01)


def test_chinese_is_spread_by_its_characters() -> None:
    """Where no spaces are written, each character is a word."""
    assert [word.text for word in spread_whole("你好。", np.zeros(3000, np.int16))] == ["你", "好", "。"]


@pytest.mark.parametrize(("text", "speakable"), [("Hi", True), ("7", True), ("…", False), (" \n", False), ("你", True)])
def test_what_can_be_said(text: str, speakable: bool) -> None:
    """A text without a letter or a digit is not worth a request: it is a moment of silence."""
    assert is_speakable(text) is speakable
    word = silent_word(text)
    assert (word.text, int(np.abs(word.samples).max())) == (text, 0)
