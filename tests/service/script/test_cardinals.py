from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtnb.service.script.cardinals import cardinal, to_digits

LANGUAGES = ["en", "de", "fr", "es", "it"]


@given(st.sampled_from(LANGUAGES), st.integers(0, 999))
def test_words_are_read_back(language: str, value: int) -> None:
    """Each number's words are read as that number, in every language."""
    assert to_digits(cardinal(value, language), language) == str(value)


@pytest.mark.parametrize(
    ("language", "value", "words"),
    [
        ("de", 1, "eins"), ("de", 16, "sechzehn"), ("de", 17, "siebzehn"), ("de", 21, "einundzwanzig"),
        ("de", 101, "hunderteins"), ("de", 342, "dreihundertzweiundvierzig"),
        ("fr", 17, "dix-sept"), ("fr", 21, "vingt et un"), ("fr", 71, "soixante et onze"), ("fr", 75, "soixante-quinze"),
        ("fr", 80, "quatre-vingts"), ("fr", 81, "quatre-vingt-un"), ("fr", 99, "quatre-vingt-dix-neuf"),
        ("fr", 200, "deux cents"), ("fr", 201, "deux cent un"),
        ("es", 22, "veintidós"), ("es", 31, "treinta y uno"), ("es", 100, "cien"), ("es", 115, "ciento quince"),
        ("es", 500, "quinientos"), ("it", 21, "ventuno"), ("it", 23, "ventitré"), ("it", 28, "ventotto"),
        ("it", 90, "novanta"), ("it", 208, "duecentootto"), ("en", 42, "forty-two"),
    ],
)  # fmt: skip
def test_the_spelling_is_the_language_s_own(language: str, value: int, words: str) -> None:
    """The irregular numbers are spelled as they are taught."""
    assert cardinal(value, language) == words


def test_numbers_are_found_in_a_sentence() -> None:
    """Number words inside a sentence become digits, and other words stay."""
    assert to_digits("zähle von drei bis einundzwanzig", "de") == "zähle von 3 bis 21"
    assert to_digits("vingt et un plus deux", "fr") == "21 plus 2"
    assert to_digits("die einzige", "de") == "die einzige"


@given(st.sampled_from([*LANGUAGES, "xx", ""]), st.integers() | st.integers(1000, 10**20))
def test_any_number_has_a_form(language: str, value: int) -> None:
    """Beyond the words there are digits; nothing throws."""
    assert cardinal(value, language)
