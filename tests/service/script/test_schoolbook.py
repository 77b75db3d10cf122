from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtnb.service.script.schoolbook import fact


@pytest.mark.parametrize(
    ("question", "part"),
    [
        ("what is the capital of kenya?", "The capital of Kenya is Nairobi."),
        ("what's the capital city of mexico", "Mexico City"),
        ("is 91 a prime number?", "seven times 13"),
        ("is ninety-seven prime?", "Yes, 97 is a prime number."),
        ("is 1 prime", "not a prime"),
        ("is 12 even?", "12 is even."),
        ("the seven times table", "10 times 7 is 70."),
        ("name the planets", "Neptune"),
        ("what are the days of the week?", "Sunday"),
        ("what is a vowel?", "mouth stays open"),
        ("what is the nyquist frequency", "12 kilohertz"),
        ("explain json", "braces"),
    ],
)
def test_school_facts_are_told(question: str, part: str) -> None:
    """Lists, capitals, tables and the notions of sound are told."""
    assert part in (fact(question) or "")


@pytest.mark.parametrize(
    "text",
    [
        "what is the capital of atlantis?",
        "hello",
        "i measured the frequency of the tone twice and wrote everything down in my book",
        "",
    ],
)
def test_nothing_is_made_up(text: str) -> None:
    """What is not in the book is not told."""
    assert fact(text) is None


@given(st.text(max_size=200) | st.integers().map(lambda number: f"is {number} prime"))
def test_any_text_is_survived(text: str) -> None:
    """Nothing throws, and a fact is short."""
    assert len(fact(text) or "") < 400
