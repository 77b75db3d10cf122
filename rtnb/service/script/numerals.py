"""Number words: digits as they are spoken, and spoken numbers as integers.

Pure text. The voice reads digits with it, the replies count and calculate with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

__all__ = ["digits_aloud", "number_words", "numbers_to_digits", "parse_number_words"]

_SMALL = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
_ONES = tuple(f"{_SMALL} seventeen eighteen nineteen".split())
_TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_SCALES = ("", "thousand", "million", "billion", "trillion")
_LONGEST = 3 * len(_SCALES)


def number_words(value: int) -> str:
    """Spell an integer in English words.

    Parameters
    ----------
    value : int
        Any integer; beyond fifteen digits it is read digit by digit.

    Returns
    -------
    str
        For example ``"minus forty-two"``.
    """
    text = str(abs(value)) if abs(value) < 10**_LONGEST else _long_digits(abs(value))
    words = " ".join(word for _, spoken in digits_aloud(text) for word in spoken)
    words = re.sub(r"(\w+ty) (one|two|three|four|five|six|seven|eight|nine)\b", r"\1-\2", words)
    return f"minus {words}" if value < 0 else words


def _long_digits(value: int) -> str:
    """Give the decimal digits of an integer of any size (``str`` refuses more than 4300 digits)."""
    digits = []
    while value:
        value, last = divmod(value, 10**15)
        digits.append(f"{last:015d}")
    return "".join(reversed(digits)).lstrip("0")


def digits_aloud(number: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Say which words each part of a written number sounds as.

    Parameters
    ----------
    number : str
        Decimal digits of any script, optionally with thousands commas and a decimal point.

    Yields
    ------
    (str, tuple of str)
        A piece of ``number`` and its words. The pieces join to ``number`` exactly, so that speech stays aligned
        with the text: ``"45,000"`` gives ``"4" -> forty``, ``"5,000" -> five thousand``.
    """
    whole, point, fraction = number.partition(".")
    digits = whole.replace(",", "")
    if len(digits) > _LONGEST or (len(digits) > 1 and int(digits[0]) == 0):
        yield from ((char, (_ONES[int(char)],) if char.isdecimal() else ()) for char in whole)
    elif digits:
        yield from _with_commas(whole, _cardinal([int(char) for char in digits]))
    if point:
        yield point, ("point",)
        yield from ((char, (_ONES[int(char)],)) for char in fraction)


def _cardinal(digits: Sequence[int]) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Yield (number of digits used, words); digits that are not spoken join the part before them."""
    if not any(digits):
        yield len(digits), ("zero",)
        return
    used, position = 0, 0
    words: tuple[str, ...] = ()
    while position < len(digits):
        place = len(digits) - 1 - position
        width, spoken = _digit_words(digits, position)
        scale = _SCALES[(place - width + 1) // 3]
        if (place - width + 1) % 3 == 0 and scale and any(digits[max(0, position + width - 3) : position + width]):
            spoken = (*spoken, scale)
        if spoken and used:
            yield used, words
            used, words = 0, ()
        used, words = used + width, (*words, *spoken)
        position += width
    yield used, words


def _digit_words(digits: Sequence[int], position: int) -> tuple[int, tuple[str, ...]]:
    """Read one digit of a group of three, or the two digits of ten to nineteen."""
    digit, place = digits[position], (len(digits) - 1 - position) % 3
    if place == 1 and digit == 1:
        return 2, (_ONES[10 + digits[position + 1]],)
    if not digit:
        return 1, ()
    return 1, ((_ONES[digit], "hundred"), (_TENS[digit],), (_ONES[digit],))[2 - place]


def _with_commas(written: str, parts: Iterator[tuple[int, tuple[str, ...]]]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Put the commas of the written number back into its spoken parts."""
    start = 0
    for count, words in parts:
        end = start
        while count or (end < len(written) and written[end] == ","):
            count -= written[end] != ","
            end += 1
        yield written[start:end], words
        start = end


def parse_number_words(text: str) -> int | None:
    """Read an English number, in digits or words, of at most fifteen digits.

    Returns
    -------
    int or None
        None when ``text`` is not wholly a number: ``"forty two"`` is 42, ``"two horses"`` is None.
    """
    text = text.strip().lower()
    if re.fullmatch(r"-?\d{1,3}(?:,\d{3}){1,4}|-?\d{1,15}", text):
        return int(text.replace(",", ""))
    words = [word for word in re.split(r"[\s-]+", text) if word and word != "and"]
    sign = 1
    if words and words[0] in ("minus", "negative"):
        sign, words = -1, words[1:]
    value = _value(words)
    return None if value is None else sign * value


def _value(words: Sequence[str]) -> int | None:
    if not words:
        return None
    total = group = 0
    smallest_scale = len(_SCALES)
    for word in words:
        if word in _ONES:
            unit = _ONES.index(word)
            if group % 100 and (unit > 9 or not unit or group % 10 or group % 100 < 20):
                return None  # «two three» is two numbers
            group += unit
        elif word in _TENS[2:]:
            if group % 100:
                return None
            group += 10 * _TENS.index(word)
        elif word == "a" and len(words) > 1:
            group += 1
        elif word == "hundred" and group < 10:
            group = 100 * max(group, 1)
        elif word in _SCALES[1:smallest_scale]:
            smallest_scale = _SCALES.index(word)
            total += max(group, 1) * 1000**smallest_scale
            group = 0
        else:
            return None
    return total + group


@lru_cache(maxsize=1)
def _spoken_number() -> re.Pattern[str]:
    word = "(?:" + "|".join(sorted((*_ONES, *_TENS[2:], "hundred", *_SCALES[1:]), key=len, reverse=True)) + ")"
    return re.compile(rf"\b(?:a (?=hundred|thousand|million))?{word}(?:(?:[\s-]+(?:and\s+)?){word})*\b", re.IGNORECASE)


def numbers_to_digits(text: str) -> str:
    """Write the number words of a sentence in digits: ``"seven plus twenty-five"`` becomes ``"7 plus 25"``.

    Runs of words that are not one number, such as ``"one two three"``, are left as they are.
    """

    def digits(match: re.Match[str]) -> str:
        value = parse_number_words(match.group())
        return match.group() if value is None else str(value)

    return _spoken_number().sub(digits, text)
