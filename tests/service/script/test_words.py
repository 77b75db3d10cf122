from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtnb.service.script.words import in_words, sentences, stems, to_digits


@given(st.integers(0, 10**15 - 1))
def test_words_are_read_back(value: int) -> None:
    """Each number's words are read as that number."""
    assert to_digits(in_words(value)) == str(value)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("seven plus twenty-five", "7 plus 25"),
        ("a hundred and five thousand", "105000"),
        ("one two three", "one two three"),
        ("Forty Two horses", "42 horses"),
        ("someone stone", "someone stone"),
        ("hundred", "100"),
    ],
)
def test_numbers_in_a_sentence_become_digits(text: str, written: str) -> None:
    """Number words become digits; runs that are not one number, and words that hold one, stay."""
    assert to_digits(text) == written


@given(st.integers())
def test_any_number_has_a_form(value: int) -> None:
    """Beyond the words there are digits."""
    assert in_words(value)


def test_names_of_functions_are_taken_apart() -> None:
    """Both spellings of a name have the same words."""
    assert stems("get_weather") == stems("getWeather") == ["get", "weather"]


def test_a_text_is_split_into_sentences() -> None:
    """A dot ends a sentence only before a capital letter or a digit."""
    assert sentences("It is 3.5 metres, i.e. small. Really? 5 more.") == [
        "It is 3.5 metres, i.e. small.",
        "Really?",
        "5 more.",
    ]
