"""What a sentence holds that can become an argument: numbers, quotes, places, people, days and times, lists.

Pure text. Each clue is handed out once, so that two arguments do not get the same number.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import date, datetime, time, timedelta

from rtnb.service.script.numerals import numbers_to_digits
from rtnb.service.script.words import stems, words_of

__all__ = ["Clues", "clauses"]

_LONGEST = 2000  # characters
_MOST = 50  # clues of a kind

_NUMBER = re.compile(
    r"(?<![\w.:/-])-?\d{1,3}(?:,\d{3})+(?:\.\d+)?(?![\w:/])|(?<![\w.:/])-?\d{1,15}(?:\.\d{1,6})?(?![\d:/])"
)
_QUOTE = re.compile(r"[\"“„«]([^\"“”„«»]{1,300})[\"”“»]|(?<!\w)'([^']{1,300})'(?!\w)")
_WORD = r"[^\W\d_][\w'’.-]*"
_PROPER = r"[A-ZÀ-Þ][\w'’-]*(?:[ -](?:(?:de|del|la|of|upon|am|the|von|van)[ -])?[A-ZÀ-Þ][\w'’-]*){0,3}"
_PLACED = re.compile(
    rf"\b(?i:in|at|for|to|from|near|around|of|über|nach|à|en|a|di)\s+(?:(?i:the) (?:(?i:city|town) of )?)?({_PROPER})"
)
_LOWER_PLACED = re.compile(
    r"(?i)\b(?:in|at|near|around|to|from|for)\s+(?:the )?(?!the\b|an?\b|me\b|my\b|it\b|that\b|this\b|today\b|tomorrow\b|now\b|\d)([^\W\d_][\w'’-]*(?: [^\W\d_][\w'’-]*)?)"
)
_NOT_A_PLACE = frozenset(
    words_of(
        "monday tuesday wednesday thursday friday saturday sunday january february march april may june july august "
        "september october november december celsius fahrenheit english german french spanish italian i please thanks "
        "today tomorrow tonight now noon midnight morning afternoon evening night moment"
    )
)
_AFTER_A_PLACE = frozenset(
    words_of(
        "and or but please now today tomorrow tonight this next on in at for with by is right then later like what how the using"
    )
)
_MONTHS = words_of("january february march april may june july august september october november december")
_WEEKDAYS = words_of("monday tuesday wednesday thursday friday saturday sunday")


def clauses(text: str) -> list[str]:
    """Cut a sentence where something else may be asked for: at its marks, and at «and» and «then»."""
    return [
        part
        for part in re.split(r"(?:[,;.?!]\s+|\s+)(?=(?:and|then|und|et|y|e|also)\s)|[;.?!]\s+", text)
        if part.strip()
    ]


class Clues:
    """The clues of a text.

    Parameters
    ----------
    text : str
        At most two thousand characters of it are looked at.
    now : datetime
        What ``today`` and ``tomorrow`` are reckoned from.
    """

    def __init__(self, text: str, now: datetime) -> None:
        self.text = text[:_LONGEST]
        self.now = now
        self.words = stems(self.text)
        self._digits = _spoken_signs(numbers_to_digits(self.text))
        self._taken: set[tuple[str, int]] = set()

    def _take(
        self, kind: str, found: Iterable[tuple[int, str]], near: Callable[[int], bool] | None = None
    ) -> str | None:
        """Hand out the next clue of a kind, of those that `near` prefers where there are any."""
        fresh = [(place, value) for place, value in list(found)[:_MOST] if (kind, place) not in self._taken]
        if near is not None:
            fresh = [clue for clue in fresh if near(clue[0])] or fresh
        if not fresh:
            return None
        self._taken.add((kind, fresh[0][0]))
        return fresh[0][1]

    def number(self, name: str) -> float | None:
        """Take a number, the one beside the argument's name where there is one."""
        wanted = set(stems(name))

        def near(place: int) -> bool:
            before, after = self._digits[:place], self._digits[place:]
            return bool(wanted & {*stems(before[-40:])[-2:], *stems(after[:40])[1:3]})

        found = ((match.start(), match.group()) for match in _NUMBER.finditer(self._digits))
        value = self._take("number", found, near)
        return None if value is None else float(value.replace(",", ""))

    def numbers(self) -> list[float]:
        """Return all numbers."""
        return [float(found.replace(",", "")) for found in _NUMBER.findall(self._digits)[:_MOST]]

    def quote(self) -> str | None:
        """Take what stands in quotation marks."""
        return self._take("quote", ((match.start(), match[1] or match[2]) for match in _QUOTE.finditer(self.text)))

    def quotes(self) -> list[str]:
        """Return everything in quotation marks."""
        return [one or other for one, other in _QUOTE.findall(self.text)[:_MOST]]

    def place(self, after: str = "") -> str | None:
        """Take a place, one that follows the word `after` where there is one."""
        return self._take(
            "place",
            ((place, name) for place, name in self._places()),
            (lambda place: re.search(rf"(?i)\b{after}\s*$", self.text[:place]) is not None) if after else None,
        )

    def places(self) -> list[str]:
        """Return all places, those of a list included."""
        return [name for _, name in self._places()]

    def _places(self) -> list[tuple[int, str]]:
        found: dict[int, str] = {}
        for match in _PLACED.finditer(self.text):
            found[match.start(1)] = match[1]
            rest = self.text[match.end() :]
            while listed := re.match(rf"(?:,? (?:and|or|und|et|y|e) |, )(?:(?i:in|for|at|to|from) )?({_PROPER})", rest):
                found[len(self.text) - len(rest) + listed.start(1)] = listed[1]
                rest = rest[listed.end() :]
        if not found:
            found = {match.start(1): _trimmed(match[1]) for match in _LOWER_PLACED.finditer(self.text)}
        return [(at, name) for at, name in sorted(found.items()) if name and name.lower() not in _NOT_A_PLACE][:_MOST]

    def person(self) -> str | None:
        """Take a name of somebody."""
        found = re.finditer(
            rf"\b(?i:to|for|with|named|called|call|email|message|text|invite|tell|ask|name|name is|remind)\s+({_PROPER})",
            self.text,
        )
        spoken = re.finditer(r"(?i)\b(?:named|called|name is)\s+([^\W\d_]\w*)", self.text)
        clues = ((match.start(1), match[1]) for matches in (found, spoken) for match in matches)
        return self._take("person", (clue for clue in clues if clue[1].lower() not in _NOT_A_PLACE))

    def subject(self) -> str | None:
        """Return what something is about."""
        found = re.search(r"(?i)\babout\s+(.{1,120}?)(?=\s+(?:saying|with|that|to|and)\b|[.,;?!\"“]|$)", self.text)
        return found[1].strip() if found else None

    def matching(self, pattern: str) -> str | None:
        """Take what matches a pattern."""
        return self._take(pattern, ((match.start(), match.group()) for match in re.finditer(pattern, self.text)))

    def named(self, name: str) -> str | None:
        """Return what is said to be the argument of this name: ``"colour is red"``, ``"size: 3"``."""
        spoken = r"[\s_-]+".join(map(re.escape, stems(name))) if stems(name) else ""
        found = spoken and re.search(
            rf"(?i)\b{spoken}\w*\s*(?:is|of|to|as|=|:|should be|called|named)\s*[\"“']?([\w][\w .@/+-]{{0,80}})",
            self.text,
        )
        return re.split(r"\s+(?:and|with|in|for|please|then)\s", found[1].strip())[0].strip(" .") if found else None

    def day(self) -> date | None:
        """Return the day that is spoken of."""
        return _day(self.text.lower(), self.now.date())

    def clock(self) -> time | None:
        """Return the time of day that is spoken of."""
        return _clock(numbers_to_digits(self.text.lower()))

    def listed(self) -> list[str]:
        """Return the parts of an enumeration: ``"milk, eggs and bread"``."""
        if quotes := self.quotes():
            return quotes
        found = re.search(rf"({_WORD}(?:, {_WORD}(?: {_WORD})?){{0,20}}),? (?:and|und|et|y|e) ({_WORD})", self.text)
        return [*re.split(r", ", found[1]), found[2].rstrip(".")] if found else []


def _spoken_signs(text: str) -> str:
    """Write «minus 5» and «2 point 5» in signs."""
    return re.sub(r"(?i)\b(?:minus|negative) (?=\d)", "-", re.sub(r"(?<=\d) point (?=\d)", ".", text))


def _trimmed(name: str) -> str:
    words = name.split()
    return " ".join(words[:1] if len(words) > 1 and words[1].lower() in _AFTER_A_PLACE else words)


def _day(text: str, today: date) -> date | None:
    for word, days in (
        ("day after tomorrow", 2),
        ("tomorrow", 1),
        ("yesterday", -1),
        ("today", 0),
        ("tonight", 0),
        ("this evening", 0),
    ):
        if word in text:
            return today + timedelta(days=days)
    ahead = re.search(r"\bin (\d{1,3}|a|one|two|three) (day|week)s?\b", numbers_to_digits(text))
    if ahead:
        count = int(ahead[1]) if ahead[1].isdecimal() else 1
        return today + timedelta(days=count * (7 if ahead[2] == "week" else 1))
    written = re.search(r"\b(\d{4})-(\d\d?)-(\d\d?)\b", text)
    if written:
        return _date(int(written[1]), int(written[2]), int(written[3]))
    months = "|".join(f"{month}|{month[:3]}" for month in _MONTHS)
    spoken = re.search(rf"\b(\d\d?)(?:st|nd|rd|th)?(?: of)? ({months})\b\.?,?(?: (\d{{4}}))?", text)
    turned = re.search(rf"\b({months})\b\.? (\d\d?)(?:st|nd|rd|th)?\b(?:,? (\d{{4}}))?", text)
    if spoken or turned:
        number, month, year = (spoken[1], spoken[2], spoken[3]) if spoken else (turned[2], turned[1], turned[3])  # type: ignore[index]
        position = next(place for place, name in enumerate(_MONTHS, 1) if name.startswith(month[:3]))
        day = _date(int(year or today.year), position, int(number))
        return _date(today.year + 1, position, int(number)) if day and not year and day < today else day
    weekday = next((place for place, name in enumerate(_WEEKDAYS) if re.search(rf"\b{name}\b", text)), None)
    return None if weekday is None else today + timedelta(days=(weekday - today.weekday() - 1) % 7 + 1)


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _clock(text: str) -> time | None:
    if re.search(r"\bnoon\b", text):
        return time(12)
    if re.search(r"\bmidnight\b", text):
        return time(0)
    found = (
        re.search(r"\b([01]?\d|2[0-3])(?::([0-5]\d))\s*(am|pm|a\.m\.|p\.m\.)?(?!\w)", text)
        or re.search(r"\b(1[0-2]|[1-9])()\s*(am|pm|a\.m\.|p\.m\.|o'clock)(?!\w)", text)
        or re.search(r"\bat ([01]?\d|2[0-3])()()(?![\w:.,]*\d)\b", text)
    )
    if found is None:
        return None
    hour = int(found[1])
    if (found[3] or "").startswith("p") and hour < 12:
        hour += 12
    if (found[3] or "").startswith("a") and hour == 12:
        hour = 0
    return time(hour, int(found[2] or 0))
