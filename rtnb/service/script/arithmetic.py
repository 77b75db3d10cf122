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
_SIGNS = (
    (r"\bhalf (?:of )?(?=\d)", " 1/2 * "),
    (r"\b(?:twice|double)\b", " 2 * "),
    (r"(?:%|\bpercent\b) of\b", " /100 * "),
    (r"\bto the power of\b|\^", " ** "),
    (r"\bsquared\b", " ** 2 "),
    (r"\b(?:multiplied by|times)\b|[×·]|(?<=\d) ?x ?(?=\d)", " * "),
    (r"\b(?:divided by|over)\b|÷", " / "),
    (r"\bplus\b", " + "),
    (r"\bminus\b|[−–]", " - "),
    (r"(?<=\d),(?=\d{3}(?!\d))", ""),
)
_ALOUD = (
    ("1/2 * ", "half of "),
    (" /100 * ", " percent of "),
    ("**", " to the power of "),
    ("*", " times "),
    ("/", " divided by "),
    ("+", " plus "),
    (r" - ", " minus "),
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
    for pattern, sign in _SIGNS:
        sentence = re.sub(pattern, sign, sentence)
    runs = (" ".join(run.split()).strip(" .+*/") for run in re.findall(r"[\d.()*/+\-\s]+", sentence))
    sums = [run for run in runs if len(run) <= _LONGEST and re.search(r"\d.*\S ?[-+*/]|^-?[\d.()]+ ?[-+*/]", run)]
    expression = max(sums, key=len, default="")
    alone = len(expression) >= len(" ".join(sentence.split()).strip(" .?!=")) - 2
    if not expression or not (asked or alone):
        return None
    try:
        return _aloud(expression), _written(_value(ast.parse(expression, mode="eval").body))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _value(node: ast.expr) -> Fraction:
    match node:
        case ast.Constant(value=int() | float() as number):
            return _limited(Fraction(str(number)))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand)
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            base, exponent = _value(left), _value(right)
            if exponent.denominator != 1:
                raise ValueError("a root")
            bits = max(base.numerator.bit_length(), base.denominator.bit_length())
            if abs(exponent) > _MOST_BITS or bits * abs(exponent) > 2 * _MOST_BITS:
                raise TooLargeError
            return _limited(base ** int(exponent))
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in _OPERATORS:
            return _limited(_OPERATORS[type(sign)](_value(left), _value(right)))
    raise ValueError("no sum")


def _limited(value: Fraction) -> Fraction:
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > _MOST_BITS:
        raise TooLargeError
    return value


def _aloud(expression: str) -> str:
    words = re.sub(r"(?<=[\d)])\s*-\s*", " - ", expression)
    for sign, word in _ALOUD:
        words = words.replace(sign, word)
    words = " ".join(words.split()).replace("( ", "(").replace(" )", ")")
    return words[:1].upper() + words[1:]


def _written(value: Fraction) -> str:
    if value.denominator == 1:
        return f"{int(value):,}"
    rounded = round(value, _DECIMALS)
    digits = f"{rounded.numerator / rounded.denominator:,.{_DECIMALS}f}".rstrip("0").rstrip(".")
    return digits if rounded == value else f"about {digits}" if rounded else "almost zero"
