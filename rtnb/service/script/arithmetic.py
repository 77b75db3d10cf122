"""Sums asked for in a sentence: found, calculated exactly and written out. Pure.

An expression is parsed to a syntax tree and walked, never evaluated as code, and its size is limited.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable
from fractions import Fraction

from rtnb.service.script.words import to_digits

__all__ = ["TooLargeError", "find_sum"]

_LONGEST = 160  # characters of an expression
_MOST_BITS = 200  # of a result and of all that leads to it: about sixty digits
# How a sentence says a sign.
_SIGNS = (
    (r"(?:%|\bpercent\b) of\b", "/ 100 *"),
    (r"\bto the power of\b|\^", "**"),
    (r"\b(?:multiplied by|times)\b|[×·]|(?<=\d) ?x ?(?=\d)", "*"),
    (r"\b(?:divided by|over)\b|÷", "/"),
    (r"\bplus\b", "+"),
    (r"\bminus\b|[−–]", "-"),
    (r"(?<=\d),(?=\d{3}(?!\d))", ""),
)
_ALOUD = {"**": "to the power of", "*": "times", "/": "divided by", "+": "plus", "-": "minus"}
_ASKS = re.compile(r"\b(?:what|what's|how much|calculate|compute|work out|equals?|makes?|sum)\b|=")
# A date, a version, a telephone number.
_NOT_A_SUM = re.compile(r"\d+-\d+-\d+|\d+\.\d+\.\d+|\d+/\d+/\d+|\b[io]n \d+/\d+")
_OPERATORS: dict[type[ast.operator], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv, ast.Pow: operator.pow,
}  # fmt: skip


class TooLargeError(ArithmeticError):
    """A number with more than sixty digits."""


def find_sum(text: str) -> tuple[str, str] | None:
    """Return a sum in words and its value, ``("12 times 7", "84")``; None for a text that asks for none.

    Raises
    ------
    ZeroDivisionError, TooLargeError
        The sum has no value, or one that is too long to read aloud.
    """
    sentence = to_digits(text.lower())
    if _NOT_A_SUM.search(sentence):
        return None
    asked = bool(_ASKS.search(sentence))
    for pattern, sign in _SIGNS:
        sentence = re.sub(pattern, sign, sentence)
    runs = (run.strip(" .+*/") for run in re.findall(r"[\d.()*/+\- ]+", " ".join(sentence.split())))
    sums = [run for run in runs if len(run) <= _LONGEST and re.search(r"\d.*\S ?[-+*/]|^-?[\d.()]+ ?[-+*/]", run)]
    expression = max(sums, key=len, default="")
    if not expression or not (asked or len(expression) >= len(sentence.strip(" .?!=")) - 2):
        return None
    try:
        value = _value(ast.parse(expression, mode="eval").body)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    aloud = re.sub(r"(?<=[\d)]) ?(\*\*|[-*/+]) ?", lambda sign: f" {_ALOUD[sign[1]]} ", expression)
    return aloud.replace("divided by 100 times", "percent of"), _written(value)


def _value(node: ast.expr) -> Fraction:
    match node:
        case ast.Constant(value=int() | float() as number):
            value = Fraction(str(number))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            value = -_value(operand)
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in _OPERATORS:
            first, second = _value(left), _value(right)
            if isinstance(sign, ast.Pow) and second.denominator != 1:
                raise ValueError("a root")
            if isinstance(sign, ast.Pow) and _bits(first) * abs(second) > 2 * _MOST_BITS:
                raise TooLargeError
            value = _OPERATORS[type(sign)](first, second)
        case _:
            raise ValueError("no sum")
    if _bits(value) > _MOST_BITS:
        raise TooLargeError
    return value


def _bits(value: Fraction) -> int:
    return max(value.numerator.bit_length(), value.denominator.bit_length())


def _written(value: Fraction) -> str:
    rounded = round(value, 4)
    digits = f"{rounded.numerator / rounded.denominator:,.4f}".rstrip("0").rstrip(".")
    exact = f"{int(value):,}" if value.denominator == 1 else digits
    return exact if rounded == value else f"about {digits}"
