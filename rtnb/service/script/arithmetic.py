"""Sums asked for in a sentence: found, calculated exactly, and answered in words.

Pure and safe: an expression is parsed to a syntax tree and walked, never evaluated as code, and its size is limited.
"""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from types import MappingProxyType

from rtnb.service.script.cardinals import to_digits
from rtnb.service.script.phrasebook import Phrases, phrases

__all__ = ["answer_sum"]

_LONGEST = 160  # characters of an expression
_MOST_BITS = 200  # of a result and of all that leads to it: about sixty digits
_DECIMALS = 4

_PHRASES = tuple(
    (re.compile(pattern), symbol)
    for pattern, symbol in (
        (r"\bhalf (?:of )?(?=[\d(√])", " 1/2 * "),
        (r"\b(?:a|one|1) third of\b", " 1/3 * "),
        (r"\b(?:a|one|1) quarter of\b", " 1/4 * "),
        (r"\b(?:twice|double)\b", " 2 * "),
        (r"\btriple\b", " 3 * "),
        (r"(?:%|\bpercent\b) of\b", " /100 * "),
        (r"\b(?:the )?square root of\b", " √ "),
        (r"\bto the power of\b|\^", " ** "),
        (r"\bsquared\b|²", " ** 2 "),
        (r"\bcubed\b|³", " ** 3 "),
        (r"\b(?:multiplied by|times)\b|[×·∙]|(?<=\d) ?x ?(?=\d)", " * "),
        (r"\b(?:divided by|over)\b|÷", " / "),
        (r"\bplus\b|\badded to\b", " + "),
        (r"\bminus\b|[−–]", " - "),
        (r"(?<=\d),(?=\d{3}(?!\d))", ""),
    )
)
# How the other languages say it, in English or in signs.
_TRANSLATED: Mapping[str, tuple[tuple[re.Pattern[str], str], ...]] = MappingProxyType(
    {
        language: tuple((re.compile(rf"\b(?:{words})(?!\w)"), sign) for words, sign in table)
        for language, table in {
            "de": (("mal", "*"), ("geteilt durch|durch", "/"), ("hoch", "**"), ("prozent von", "% of"), ("hälfte von", "half of"), ("(?:die )?wurzel (?:aus|von)", "√"), ("was (?:ist|macht|ergibt)|wie ?viel|rechne", "what")),
            "fr": (("fois|multiplié par", "*"), ("divisé par|sur", "/"), ("moins", "-"), ("pour cent de", "% of"), ("moitié de", "half of"), ("racine (?:carrée )?de", "√"), ("combien|calcule[zr]?|font|fait", "what")),
            "es": (("por|multiplicado por", "*"), ("dividido (?:por|entre)|entre", "/"), ("más|mas", "+"), ("menos", "-"), ("por ciento de", "% of"), ("mitad de", "half of"), ("raíz (?:cuadrada )?de", "√"), ("cuántos?|calcula|es|son", "what")),
            "it": (("per|moltiplicato per", "*"), ("diviso(?: per)?", "/"), ("più", "+"), ("meno", "-"), ("per cento di", "% of"), ("metà di", "half of"), ("radice (?:quadrata )?di", "√"), ("quanto|calcola|fa|fanno", "what")),
        }.items()
    }
)  # fmt: skip
_RUN = re.compile(r"[\d.()√*/+\-\s]+")
_ROOT = re.compile(r"√\s*(\d+(?:\.\d+)?|\([^()]*\))")
_ASKS = re.compile(r"\b(?:what|what's|how much|calculate|compute|work out|solve|equals?|makes?|sum|result)\b|=")
_NOT_A_SUM = re.compile(
    r"\d+-\d+-\d+|\d+\.\d+\.\d+|\d+/\d+/\d+|\b[io]n \d+/\d+"
)  # a date, a version, a telephone number

_SPOKEN_SHARES = (
    ("1/2 * ", "half of "),
    ("1/3 * ", "a third of "),
    ("1/4 * ", "a quarter of "),
    (" /100 * ", " percent of "),
)
_SIGNS = ("**", "*", "/", "+", "-")
_OPERATORS: Mapping[type[ast.AST], Callable[[Fraction, Fraction], Fraction]] = MappingProxyType(
    {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}
)


class _TooLargeError(ArithmeticError):
    """A result that nobody would listen to."""


def answer_sum(text: str, *, asked_in: str = "en", say: Phrases | None = None) -> str | None:
    """Answer the sum in a sentence.

    Parameters
    ----------
    text : str
        For example ``"What is 12 * 7?"``, ``"seven plus five"``, ``"half of ten"``.
    asked_in : str
        Code of the language that the text is written in.
    say : Phrases, optional
        Of the answer's language; English by default.

    Returns
    -------
    str or None
        A sentence, ``"12 times 7 is 84."``; None when the sentence asks for no sum.
    """
    say = say or phrases("en")
    expression = _find(text, asked_in)
    if expression is None:
        return None
    try:
        tree = ast.parse(_ROOT.sub(r"(\1) ** (1/2)", expression), mode="eval")
        value = _walk(tree.body)
    except ZeroDivisionError:
        return say.division_by_zero
    except _TooLargeError:
        return say.too_large
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return say.sum.format(sum=_spoken(expression, say), value=_written(value, say))


def _find(text: str, language: str) -> str | None:
    """Find the longest run of numbers and operators, if the sentence is about it."""
    sentence = to_digits(text.lower(), language)
    if _NOT_A_SUM.search(sentence):
        return None
    for pattern, sign in _TRANSLATED.get(language, ()):
        sentence = re.sub(" +", " ", pattern.sub(f" {sign} ", sentence))
    asked = bool(_ASKS.search(sentence))
    for pattern, symbol in _PHRASES:
        sentence = pattern.sub(symbol, sentence)
    runs = (re.sub(r"\s+", " ", run).strip(" .+*/") for run in _RUN.findall(sentence))
    sums = [run for run in runs if len(run) <= _LONGEST and re.search(r"\d", run) and re.search(r"√|\S ?[-+*/]", run)]
    if not sums:
        return None
    longest = max(sums, key=len)
    alone = len(longest) >= len(re.sub(r"\s+", " ", sentence).strip(" .?!=¿")) - 2
    return longest if asked or alone else None


def _walk(node: ast.expr) -> Fraction:
    match node:
        case ast.Constant(value=int() | float() as number):
            return _limited(Fraction(str(number)))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_walk(operand)
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return _walk(operand)
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            return _power(_walk(left), _walk(right))
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in _OPERATORS:
            return _limited(_OPERATORS[type(sign)](_walk(left), _walk(right)))
    raise ValueError("not a sum")


def _power(base: Fraction, exponent: Fraction) -> Fraction:
    if exponent == Fraction(1, 2) and base >= 0:
        top, bottom = math.isqrt(base.numerator), math.isqrt(base.denominator)
        exact = Fraction(top, bottom)
        return exact if exact**2 == base else Fraction(math.sqrt(base)).limit_denominator(10**9)
    if exponent.denominator != 1:
        raise ValueError("only whole powers and square roots")
    bits = max(base.numerator.bit_length(), base.denominator.bit_length())
    # A power of 0, 1 or -1 stays small; of any other number it must fit the limit before it is calculated.
    if abs(exponent) > _MOST_BITS or bits * abs(exponent) > 2 * _MOST_BITS:
        raise _TooLargeError
    return _limited(base ** int(exponent))


def _limited(value: Fraction) -> Fraction:
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > _MOST_BITS:
        raise _TooLargeError
    return value


def _spoken(expression: str, say: Phrases) -> str:
    signs = dict(zip(_SIGNS, say.signs.split("|"), strict=True))
    english = say is phrases("en")
    for written, aloud in _SPOKEN_SHARES if english else ((" /100 * ", " % * "),):
        expression = expression.replace(written, aloud)
    words = re.sub(r"\*\*|(?<=[\d)%])\s*[-+]|[*/]", lambda sign: f" {signs[sign.group().strip()]} ", expression)
    words = words.replace("√", "the square root of " if english else "√").replace("- ", "-")
    words = re.sub(r"\s+", " ", words).replace("( ", "(").replace(" )", ")").strip()
    return words[:1].upper() + words[1:]


def _written(value: Fraction, say: Phrases) -> str:
    english = say is phrases("en")
    if value.denominator == 1:
        return f"{int(value):,}" if english else str(int(value))
    rounded = round(value, _DECIMALS)
    if not rounded:
        return say.tiny
    whole, _, decimals = f"{rounded.numerator / rounded.denominator:,.{_DECIMALS}f}".partition(".")
    whole, point = (whole, ".") if english else (whole.replace(",", ""), ",")
    digits = decimals.rstrip("0")
    text = f"{whole}{point}{digits}" if digits else whole
    return text if rounded == value else f"{say.about} {text}"
