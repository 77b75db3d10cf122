"""Words of a text: as they are compared, the numbers among them, and the sentences that they make. English, pure text."""

from __future__ import annotations

import re
from functools import lru_cache

from num2words import num2words

__all__ = ["content_words", "in_words", "plain", "sentences", "stem", "stems", "to_digits"]

_LONGEST_NUMBER = 15  # digits of a number that is read in words
_COMMON = frozenset(
    re.findall(
        r"\S+",
        """a an the and or but if then so of to in on at by for with from as is are was were be been am do does did have has
    had i me my mine you your yours he him his she her it its we us our they them their this that these those there here
    what which who whom whose when where why how can could will would shall should may might must not no yes please just
    very really some any all more most much many too also than about into over up down out off again let lets want like
    need know think say tell give make get go see use one hello hi hey it's i'm don't what's let's i'd""",
    )
)
_SMALL = {num2words(value): value for value in (*range(20), *range(20, 100, 10))}
_SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_NUMBER_WORD = f"(?:{'|'.join(sorted((*_SMALL, 'hundred', *_SCALES), key=len, reverse=True))})"
_SPOKEN_NUMBER = re.compile(
    rf"(?i)\b(?:a (?=hundred|thousand|million))?{_NUMBER_WORD}(?:[\s-]+(?:and\s+)?{_NUMBER_WORD})*\b"
)


def plain(text: str) -> str:
    """Return a text with straight quotes and single spaces."""
    return " ".join(text.translate({0x2019: "'", 0x2018: "'", 0x201C: '"', 0x201D: '"', 0x201E: '"'}).split())


def sentences(text: str) -> list[str]:
    """Split a finished text into its sentences."""
    return re.split(r"(?<=[.!?…])\s+(?=[^\W\d_a-zß-ÿ]|[\"¡¿\d])", text)


def stem(word: str) -> str:
    """Cut a lower-case word's ending: ``"lights"`` and ``"lighting"`` become ``"light"``."""
    for ending, kept in (("ies", "y"), ("ing", ""), ("ed", ""), ("es", ""), ("s", ""), ("e", "")):
        if word.endswith(ending) and len(word) - len(ending) >= 3 and not word.endswith("ss"):
            return word[: -len(ending)] + kept
    return word


def stems(text: str) -> list[str]:
    """Return the stems of all words, in order; names like ``get_weather`` and ``getWeather`` are taken apart."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|_", " ", text)
    return [stem(word) for word in re.findall(r"[^\W_]+", apart.lower())]


def content_words(text: str) -> dict[str, str]:
    """Return the words that a text is about, in its order: stem to word as written."""
    words = re.findall(r"[^\W_]+(?:['’-][^\W_]+)*", text)
    return {stem(word.lower()): word for word in words if len(word) > 1 and plain(word.lower()) not in _COMMON}


@lru_cache(maxsize=1024)
def in_words(value: int) -> str:
    """Spell a number as it is counted: ``"forty-two"``, ``"one hundred two"``; in digits where it is too long."""
    if abs(value) >= 10**_LONGEST_NUMBER:
        return str(value)
    return str(num2words(value)).replace(",", "").replace(" and ", " ")


def to_digits(text: str) -> str:
    """Write the number words of a text in digits: ``"seven plus twenty-five"`` becomes ``"7 plus 25"``.

    Runs of words that are not one number, such as ``"one two three"``, stay as they are.
    """

    def digits(found: re.Match[str]) -> str:
        words = re.sub(r"^a\b", "one", re.sub(r"[\s-]+(?:and\s+)?", " ", found.group().lower()))
        words = re.sub(r"^hundred", "one hundred", words)
        value = _value(words.split())
        return str(value) if in_words(value).replace("-", " ") == words else found.group()

    return _SPOKEN_NUMBER.sub(digits, text)


def _value(words: list[str]) -> int:
    total = group = 0
    for word in words:
        if word in _SMALL:
            group += _SMALL[word]
        elif word == "hundred":
            group *= 100
        else:
            total, group = total + group * _SCALES[word], 0
    return total + group
