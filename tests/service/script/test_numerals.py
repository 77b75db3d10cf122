from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtnb.service.script.numerals import digits_aloud, number_words, numbers_to_digits, parse_number_words


@given(st.integers(min_value=-(10**15) + 1, max_value=10**15 - 1))
def test_number_words_are_read_back_as_the_same_number(value: int) -> None:
    """Every integer of up to fifteen digits survives being spelled and read again."""
    assert parse_number_words(number_words(value)) == value


@given(st.integers(min_value=0, max_value=10**15 - 1), st.booleans())
def test_digits_keep_their_alignment_with_the_text(value: int, commas: bool) -> None:
    """The pieces of a written number join to it exactly, and their words are the number's words."""
    written = f"{value:,}" if commas else str(value)
    parts = list(digits_aloud(written))
    assert "".join(piece for piece, _ in parts) == written
    assert all(piece and words for piece, words in parts)
    assert [word for _, words in parts for word in words] == number_words(value).replace("-", " ").split()


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("45,000", [("4", "forty"), ("5,000", "five thousand")]),
        ("12", [("12", "twelve")]),
        ("3.14", [("3", "three"), (".", "point"), ("1", "one"), ("4", "four")]),
        ("007", [("0", "zero"), ("0", "zero"), ("7", "seven")]),
        ("٤٢", [("٤", "forty"), ("٢", "two")]),
    ],
)
def test_digits_aloud(written: str, spoken: list[tuple[str, str]]) -> None:
    """Thousands, teens, decimals, leading zeros and foreign digits are read as people read them."""
    assert [(piece, " ".join(words)) for piece, words in digits_aloud(written)] == spoken


def test_a_number_beyond_all_names_is_read_digit_by_digit() -> None:
    """A number of thousands of digits neither fails nor needs names of scales."""
    assert number_words(10**5000).split() == ["one"] + ["zero"] * 5000


@pytest.mark.parametrize("text", ["", "two horses", "two three", "and", "minus", "hundred thousand million", "1,2"])
def test_what_is_not_one_number_is_none(text: str) -> None:
    """Only a whole number is read as one."""
    assert parse_number_words(text) is None


def test_number_words_in_a_sentence_become_digits() -> None:
    """Numbers are replaced in place, words that only contain one are not, nor are several numbers in a row."""
    assert numbers_to_digits("Add twenty-five to one hundred and five") == "Add 25 to 105"
    assert numbers_to_digits("someone often counts one two three") == "someone often counts one two three"
