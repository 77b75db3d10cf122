from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtnb.service.speech.phones import PHONES, VOWELS, duration_ms, segments
from rtnb.service.speech.phonetics import Break, pieces, word_phones
from rtnb.service.speech.spelling import irregular_words, letter_names, match_rule, weak_words

LIMIT_MS = 700.0


@given(st.text(max_size=400))
def test_pieces_join_to_the_text(text: str) -> None:
    """Whatever the text contains, nothing of it is lost, doubled or changed, and every phone is known."""
    parts = list(pieces(text, LIMIT_MS))
    assert "".join(part.text for part in parts) == text
    assert all(part.text for part in parts)
    assert all(phone in PHONES for part in parts for phone in part.phones)


def test_every_character_of_unicode_is_taken() -> None:
    """No single character stops the reading."""
    text = "".join(chr(code) for code in range(0, sys.maxunicode, 7))
    assert "".join(part.text for part in pieces(text, LIMIT_MS)) == text


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=600))
def test_pieces_are_short(text: str) -> None:
    """A word without end is continued in pieces that each stay within the limit."""
    longest_sound = duration_ms([*word_phones("w"), *word_phones("seventy"), *word_phones("thousand")])
    assert all(duration_ms(part.phones) <= max(LIMIT_MS, longest_sound) for part in pieces(text, LIMIT_MS))


def test_pieces_are_made_lazily() -> None:
    """The first piece of an endless word comes without reading the whole of it."""
    first = next(iter(pieces("lighthouse" * 100_000, LIMIT_MS)))
    assert "lighthouse".startswith(first.text) or first.text.startswith("lighthouse")


@pytest.mark.parametrize(
    ("word", "phones"),
    [
        ("cat", "K AE1 T"),
        ("making", "M EY1 K IH NG"),
        ("nation", "N EY1 SH AX N"),
        ("knight", "N AY1 T"),
        ("stopped", "S T AA1 P T"),
        ("wanted", "W AA1 N T IH D"),
        ("played", "P L EY1 D"),
        ("churches", "CH ER1 CH IH Z"),
        ("measure", "M EH1 ZH ER"),
        ("phone", "F OW1 N"),
        ("queen", "K W IY1 N"),
        ("the", "DH AX"),
        ("One", "W AH1 N"),
        ("don’t", "D OW1 N T"),
    ],
)
def test_letters_become_sounds(word: str, phones: str) -> None:
    """Rules and irregular words give the phones of English; the first full vowel is stressed, small words are not."""
    assert " ".join(word_phones(word)) == phones


@pytest.mark.parametrize(("written", "read"), [("VAD", "v a d"), ("rtnb", "r t n b"), ("x", "x")])
def test_what_cannot_be_pronounced_is_spelt(written: str, read: str) -> None:
    """Abbreviations sound as the names of their letters."""
    assert word_phones(written) == tuple(phone for letter in read.split() for phone in letter_names()[letter])


@pytest.mark.parametrize(
    ("foreign", "latin"), [("мама", "mama"), ("かな", "kana"), ("한", "han"), ("Müller", "muller"), ("γατα", "gata")]
)
def test_foreign_scripts_sound(foreign: str, latin: str) -> None:
    """Letters of other scripts are read by what their Unicode names tell."""
    assert word_phones(foreign) == word_phones(latin)


def test_ideographs_have_the_rhythm_of_syllables() -> None:
    """A script that tells no sounds gets one syllable with a vowel for each character, always the same."""
    spoken = word_phones("你好世界")
    assert sum(phone.rstrip("1") in VOWELS for phone in spoken) == 4
    assert spoken == word_phones("你好世界")


@pytest.mark.parametrize(
    ("text", "endings"),
    [
        ("Yes.", [Break.STOP]),
        ("Well, no", [Break.COMMA, Break.WORD]),
        ('He said "really?" twice!', [Break.WORD, Break.WORD, Break.QUESTION, Break.STOP]),
        ("a heading\nand text", [Break.WORD, Break.STOP, Break.WORD, Break.WORD]),
        ("0.5 times", [Break.WORD, Break.WORD]),
        ("你好，世界。", [Break.COMMA, Break.STOP]),
    ],
)
def test_punctuation_is_heard(text: str, endings: list[Break]) -> None:
    """Marks decide the pause after a word, also behind quotes, at line ends and in scripts without spaces."""
    assert [part.ending for part in pieces(text, 2000.0)] == endings


@pytest.mark.parametrize(
    ("mark", "said"),
    [("5%", "five percent"), ("2*3", "two times three"), ("2+3", "two plus three"), ("-5", "minus five"), ("1/2", "one divided by two")],
)  # fmt: skip
def test_signs_beside_digits_are_spoken(mark: str, said: str) -> None:
    """A sign sounds as its word where it calculates."""
    spoken = [phone for part in pieces(mark, 5000.0) for phone in part.phones]
    assert spoken == [phone for word in said.split() for phone in word_phones(word)]


@pytest.mark.parametrize("text", ["😀", "**", "  \n", "<>", "\u0301"])
def test_marks_without_sound_are_silent(text: str) -> None:
    """Emoji, mark-up and spaces are kept as text and not spoken."""
    assert [part.phones for part in pieces(text, LIMIT_MS)] == [()]


def test_tables_are_whole() -> None:
    """Every phone that a rule, an irregular word or a letter's name uses is one that can be sounded."""
    used = {phone for table in (irregular_words(), letter_names()) for phones in table.values() for phone in phones}
    assert used <= PHONES.keys()
    assert set(letter_names()) == set("abcdefghijklmnopqrstuvwxyz")
    assert weak_words() & irregular_words().keys()
    assert all(segment.ms > 0 for segment in segments(PHONES))


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz'", min_size=1, max_size=20))
def test_rules_always_advance(word: str) -> None:
    """Any run of letters is consumed from left to right, each step at least one letter."""
    position = 0
    while position < len(word):
        after, phones = match_rule(word, position)
        assert position < after <= len(word)
        assert all(phone in PHONES for phone in phones)
        position = after
