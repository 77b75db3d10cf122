"""Cardinal numbers in the five languages that the service answers in: as words, and back to digits.

Pure text. English is in :mod:`rtnb.service.script.numerals`; the others reach to 999, and further numbers stay in digits.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from types import MappingProxyType

from rtnb.service.script.numerals import number_words, numbers_to_digits
from rtnb.service.script.words import words_of

__all__ = ["cardinal", "to_digits"]

_MOST = 999


def cardinal(value: int, language: str) -> str:
    """Spell a number in words.

    Parameters
    ----------
    value : int
    language : str
        ``"en"``, ``"de"``, ``"fr"``, ``"es"`` or ``"it"``.

    Returns
    -------
    str
        For example ``"zweiundvierzig"``; digits where the language's words do not reach.
    """
    speller = _SPELLERS.get(language)
    if speller is None:
        return number_words(value)
    return speller(value) if 0 <= value <= _MOST else str(value)


def to_digits(text: str, language: str) -> str:
    """Write the number words of a lower-case sentence in digits: ``"sieben plus zwölf"`` becomes ``"7 plus 12"``."""
    if language not in _SPELLERS:
        return numbers_to_digits(text)
    numbers, pattern = _reading(language)
    return pattern.sub(lambda found: str(numbers[found.group()]), text)


@lru_cache(maxsize=4)
def _reading(language: str) -> tuple[Mapping[str, int], re.Pattern[str]]:
    numbers = {**{_SPELLERS[language](value): value for value in range(_MOST + 1)}, **_ALSO[language]}
    longest_first = sorted(numbers, key=len, reverse=True)
    return numbers, re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, longest_first))})(?![\w-])")


def _german(value: int) -> str:
    ones = words_of("null ein zwei drei vier fünf sechs sieben acht neun zehn elf zwölf")
    teens = words_of("drei vier fünf sech sieb acht neun")
    tens = words_of("zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig")
    if value >= 100:
        hundreds, rest = divmod(value, 100)
        return ("" if hundreds == 1 else ones[hundreds]) + "hundert" + (_german(rest) if rest else "")
    if value <= 12:
        return "eins" if value == 1 else ones[value]
    if value < 20:
        return teens[value - 13] + "zehn"
    ten, one = divmod(value, 10)
    return (f"{ones[one]}und" if one else "") + tens[ten - 2]


def _french(value: int) -> str:
    small = words_of("zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize")
    tens = {20: "vingt", 30: "trente", 40: "quarante", 50: "cinquante", 60: "soixante", 80: "quatre-vingt"}
    if value >= 100:
        hundreds, rest = divmod(value, 100)
        head = "cent" if hundreds == 1 else f"{small[hundreds]} cent"
        return f"{head} {_french(rest)}" if rest else head + "s" * (hundreds > 1)
    if value <= 16:
        return small[value]
    if value < 20:
        return f"dix-{small[value - 10]}"
    if value == 80:
        return "quatre-vingts"
    # Seventy and ninety are counted on from sixty and eighty.
    base = value - value % 20 if value >= 60 else value - value % 10
    rest = value - base
    if not rest:
        return tens[base]
    return f"{tens[base]} et {_french(rest)}" if rest in (1, 11) and base != 80 else f"{tens[base]}-{_french(rest)}"


def _spanish(value: int) -> str:
    small = words_of(
        "cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciséis diecisiete "
        "dieciocho diecinueve veinte veintiuno veintidós veintitrés veinticuatro veinticinco veintiséis veintisiete "
        "veintiocho veintinueve"
    )
    tens = words_of("treinta cuarenta cincuenta sesenta setenta ochenta noventa")
    hundreds = words_of(
        "ciento doscientos trescientos cuatrocientos quinientos seiscientos setecientos ochocientos novecientos"
    )
    if value == 100:
        return "cien"
    if value > 100:
        rest = value % 100
        return hundreds[value // 100 - 1] + (f" {_spanish(rest)}" if rest else "")
    if value < 30:
        return small[value]
    ten, one = divmod(value, 10)
    return tens[ten - 3] + (f" y {small[one]}" if one else "")


def _italian(value: int) -> str:
    small = words_of(
        "zero uno due tre quattro cinque sei sette otto nove dieci undici dodici tredici quattordici quindici sedici "
        "diciassette diciotto diciannove"
    )
    tens = words_of("venti trenta quaranta cinquanta sessanta settanta ottanta novanta")
    if value >= 100:
        hundreds, rest = divmod(value, 100)
        return ("" if hundreds == 1 else small[hundreds]) + "cento" + (_italian(rest) if rest else "")
    if value < 20:
        return small[value]
    ten, one = divmod(value, 10)
    head = tens[ten - 2]
    if one in (1, 8):
        head = head[:-1]
    return head + ("tré" if one == 3 else small[one] if one else "")


_SPELLERS: Mapping[str, Callable[[int], str]] = MappingProxyType(
    {"de": _german, "fr": _french, "es": _spanish, "it": _italian}
)

# Other ways of writing the same numbers, as people type them and recognisers hear them.
_ALSO: Mapping[str, Mapping[str, int]] = MappingProxyType(
    {
        "de": {"ein": 1, "zwo": 2, "fuenf": 5, "zwoelf": 12, "dreissig": 30, "einhundert": 100},
        "fr": {"une": 1, "quatre vingt": 80, "quatre-vingt": 80},
        "es": {"un": 1, "una": 1},
        "it": {"un": 1, "una": 1, "ventitre": 23, "trentatre": 33},
    }
)
