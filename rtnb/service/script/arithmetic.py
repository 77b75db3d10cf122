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
_DECIMALS = 4
# How a sentence says it, as an expression, and read aloud.
_SIGNS = (
    (r"\bhalf (?:of )?(?=\d)", " 1/2 * ", "half of "),
    (r"(?:%|\bpercent\b) of\b", " /100 * ", " percent of "),
    (r"\bto the power of\b|\^", " ** ", " to the power of "),
    (r"\b(?:multiplied by|times)\b|[×·]|(?<=\d) ?x ?(?=\d)", " * ", " times "),
    (r"\b(?:divided by|over)\b|÷", " / ", " divided by "),
    (r"\bplus\b", " + ", " plus "),
    (r"\bminus\b|[−–]", " - ", " minus "),
    (r"(?<=\d),(?=\d{3}(?!\d))", "", ""),
)
_ASKS = re.compile(r"\b(?:what|what's|how much|calculate|compute|work out|equals?|makes?|sum)\b|=")
# A date, a version, a telephone number.
_NOT_A_SUM = re.compile(r"\d+-\d+-\d+|\d+\.\d+\.\d+|\d+/\d+/\d+|\b[io]n \d+/\d+")
_OPERATORS: dict[type[ast.AST], Callable[[Fraction, Fraction], Fraction]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv
}  # fmt: skip


class TooLargeError(ArithmeticError):
    """A number with more than sixty digits."""


def find_sum(text: str) -> tuple[str, str] | None:
    """Return a sum in words and its value, ``("12 times 7", "84")``; None for a text that asks for none.

    Raises
    ------
    ZeroDivisionError, TooLargeError
        It has no value that can be told.
    """
    sentence = to_digits(text.lower())
    if _NOT_A_SUM.search(sentence):
        return None
    asked = bool(_ASKS.search(sentence))
    for pattern, sign, _ in _SIGNS:
        sentence = re.sub(pattern, sign, sentence)
    sentence = " ".join(sentence.split())
    runs = (run.strip(" .+*/") for run in re.findall(r"[\d.()*/+\- ]+", sentence))
    sums = [run for run in runs if len(run) <= _LONGEST and re.search(r"\d.*\S ?[-+*/]|^-?[\d.()]+ ?[-+*/]", run)]
    expression = max(sums, key=len, default="")
    if not expression or not (asked or len(expression) >= len(sentence.strip(" .?!=")) - 2):
        return None
    try:
        return _aloud(expression), _written(_value(ast.parse(expression, mode="eval").body))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _value(node: ast.expr) -> Fraction:
    match node:
        case ast.Constant(value=int() | float() as number):
            value = Fraction(str(number))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            value = -_value(operand)
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            base, exponent = _value(left), _value(right)
            if exponent.denominator != 1:
                raise ValueError("a root")
            if abs(exponent) > _MOST_BITS or _bits(base) * abs(exponent) > 2 * _MOST_BITS:
                raise TooLargeError
            value = base ** int(exponent)
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in _OPERATORS:
            value = _OPERATORS[type(sign)](_value(left), _value(right))
        case _:
            raise ValueError("no sum")
    if _bits(value) > _MOST_BITS:
        raise TooLargeError
    return value


def _bits(value: Fraction) -> int:
    return max(value.numerator.bit_length(), value.denominator.bit_length())


def _aloud(expression: str) -> str:
    words = re.sub(r"(?<=[\d)]) ?(\*\*|[-*/+]) ?", r" \1 ", f" {expression}")
    words = words.replace(" 1 / 2 * ", " 1/2 * ").replace(" / 100 * ", " /100 * ")
    for _, sign, word in _SIGNS:
        words = words.replace(sign, word) if sign else words
    words = " ".join(words.split()).replace("( ", "(").replace(" )", ")")
    return words[:1].upper() + words[1:]


def _written(value: Fraction) -> str:
    if value.denominator == 1:
        return f"{int(value):,}"
    rounded = round(value, _DECIMALS)
    digits = f"{rounded.numerator / rounded.denominator:,.{_DECIMALS}f}".rstrip("0").rstrip(".")
    return digits if rounded == value else f"about {digits}" if rounded else "almost zero"
