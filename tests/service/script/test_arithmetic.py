from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtnb.service.script.arithmetic import TooLargeError, find_sum
from rtnb.service.script.words import in_words


def answer_sum(text: str) -> str | None:
    found = find_sum(text)
    return found and f"{found[0]} is {found[1]}."


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("what is 12 * 7", "12 times 7 is 84."),
        ("What is 12 * 7?", "12 times 7 is 84."),
        ("seven plus five", "7 plus 5 is 12."),
        ("what's 15% of 80?", "15 percent of 80 is 12."),
        ("two to the power of ten", "2 to the power of 10 is 1,024."),
        ("calculate (2+3)*4", "(2 plus 3) times 4 is 20."),
        ("hello, can you tell me what twenty-one divided by four makes please", "21 divided by 4 is 5.25."),
        ("what is 1/3", "1 divided by 3 is about 0.3333."),
        ("what is 1/1000000", "1 divided by 1000000 is about 0."),
        ("how much is 1,000 - 1", "1000 minus 1 is 999."),
        ("-5 + 3", "-5 plus 3 is -2."),
        ("12 x 12", "12 times 12 is 144."),
        ("what is 0.1 + 0.2", "0.1 plus 0.2 is 0.3."),
    ],
)
def test_sums_are_answered(question: str, answer: str) -> None:
    """Sums in digits, signs and words are found in a sentence and calculated exactly."""
    assert answer_sum(question) == answer


@pytest.mark.parametrize("question", ["what is 10 divided by zero?", "7/0", "what is 1/(2-2)", "what is 0 ** -1"])
def test_division_by_zero_is_explained(question: str) -> None:
    """No number is made up for a division by zero."""
    with pytest.raises(ZeroDivisionError):
        find_sum(question)


@pytest.mark.parametrize(
    "question", ["2**1000000", "9**9**9", "what is 999999999999999**60", "what is " + "9" * 100 + "*2"]
)
def test_giants_are_refused_at_once(question: str) -> None:
    """A result that would fill the memory is not calculated."""
    with pytest.raises(TooLargeError):
        find_sum(question)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "the api version is 2024-10-01-preview",
        "what is python 3.11.2?",
        "I am 5 - well nearly 6",
        "what is on 12/24?",
        "what does 24/ mean",
        "what is (2",
        "what is 5 (3)",
        "what is 2 ** 0.3",
        "((((" * 30 + "1+1",
        "what is 007 + 1",
    ],
)
def test_no_sum_no_answer(text: str) -> None:
    """Dates, versions, stray signs and broken expressions are not answered as sums."""
    assert answer_sum(text) is None


@given(st.integers(-(10**6), 10**6), st.integers(0, 10**6), st.sampled_from("+-*"))
def test_whole_numbers_are_exact(left: int, right: int, sign: str) -> None:
    """Sums of integers are right to the last digit."""
    value = {"+": left + right, "-": left - right, "*": left * right}[sign]
    assert (answer_sum(f"what is {left} {sign} {right}") or "").endswith(f" is {value:,}.")


@given(st.integers(0, 10**6), st.integers(1, 10**4))
def test_words_and_digits_agree(left: int, right: int) -> None:
    """A sum in words has the answer of the same sum in digits, and a rounded one says that it is."""
    digits = answer_sum(f"what is {left} / {right}")
    assert answer_sum(f"what is {in_words(left)} divided by {in_words(right)}") == digits
    exact = (10**4 * Fraction(left, right)).denominator == 1
    assert digits is not None
    assert exact != ("about" in digits)


@given(st.text(alphabet="0123456789.()+-*/^√% xof", max_size=80))
def test_no_expression_throws(text: str) -> None:
    """Anything made of digits and signs gives a short answer or none."""
    try:
        answer = answer_sum("what is " + text)
    except (ZeroDivisionError, TooLargeError):
        return
    assert answer is None or 0 < len(answer) < 700
