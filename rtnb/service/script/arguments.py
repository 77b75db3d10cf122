"""Arguments of a function call: what the prompt gives of them, by the function's JSON schema. Pure.

Numbers, quotations, capitalised words, addresses, and the words of enumerations are found; the rest is as simple as the
schema allows.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from rtnb.service.script.schemas import DEEPEST, FORMATS, Schema, fits, kinds_of, options_of, properties_of
from rtnb.service.script.words import stem, stems, to_digits

__all__ = ["NAMES", "fill"]

_MOST_FOUND = 50
_MONTH = "(?:January|February|March|April|May|June|July|August|September|October|November|December)"
#: Capitalised words that do not begin a sentence, as the names of places and people do.
NAMES = re.compile(
    r"(?<=[^.?!:] )(?!(?:I|English|German|French|Spanish|Italian|Celsius|Fahrenheit|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day"
    rf"|{_MONTH})\b)([A-ZÀ-Þ][\w'-]*(?:[ -](?:(?:de|del|la|of|von|van) )?[A-ZÀ-Þ][\w'-]*){{0,3}})"
)
# Without capitals, as speech is transcribed: one or two words after a preposition.
_PLACED = re.compile(
    r"(?i)\b(?:in|at|near|from|to|for|of|with) (?:the )?(?!(?:me|my|it|that|this|an?|the|today|tomorrow|now)\b)"
    r"([^\W\d_][\w'-]*(?: (?!(?:and|or|but|please|now|today|tomorrow|tonight|this|next|on|in|at|to|for|with|by|is|then|what|the)\b)"
    r"[^\W\d_][\w'-]*)?)"
)
_NUMBER = re.compile(r"(?<![\w.:/-])-?\d{1,15}(?:\.\d{1,6})?(?![\d:/])")
_QUOTE = re.compile(r"\"([^\"]{1,300})\"|(?<!\w)'([^']{1,300})'(?!\w)")
_LISTED = re.compile(r"([^\W\d_][\w'-]*(?:, [^\W\d_][\w' -]*?){0,20}),? and ([^\W\d_][\w'-]*)")
_OFF = re.compile(r"(?i)\b(?:off|no|not|without|don't|disable\w*|false|never|stop|mute)\b")
_ON = re.compile(r"(?i)\b(?:on|yes|with|enable\w*|true)\b")
# Arguments are told apart by the words of their names: free text, and what has a form of its own.
_FREE = frozenset(
    stems("query text message question content prompt note body term description task subject title topic")
)
_SPOKEN = {
    stem(
        "date"
    ): rf"\b(?:\d{{4}}-\d\d-\d\d|(?:next )?\w+day|tomorrow|tonight|\d\d?(?:st|nd|rd|th)? {_MONTH}|{_MONTH} \d\d?)\b",
    stem("time"): r"\b(?:\d\d?(?::\d\d)? ?(?:am|pm)|\d\d?:\d\d|noon|midnight)\b",
}


def fill(parameters: Any, text: str, now: datetime, given: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return all required arguments of a call, and the optional ones that the text speaks of.

    Parameters
    ----------
    parameters : object
        JSON schema of the arguments; anything at all.
    text : str
        The part of the prompt that speaks of this call.
    now : datetime
        For dates and times that are required and not given.
    given : mapping of str to str, optional
        Values that are known for certain arguments.
    """
    finder = _Finder(Schema(parameters, now + timedelta(days="tomorrow" in text.lower())), text, given or {})
    return finder.object(finder.schema.branches(parameters)[0], 0)


class _Finder:
    """Finds the values of one schema in one text; each number, quotation and name is used once."""

    def __init__(self, schema: Schema, text: str, given: Mapping[str, str]) -> None:
        self.schema, self._text, self._given = schema, text, given
        digits = to_digits(re.sub(r"(?<=\d),(?=\d{3}\b)", "", text))
        self._digits = re.sub(r"(?i)\b(?:minus|negative) (?=\d)", "-", digits)
        self._words = f" {' '.join(stems(text))} "
        self._used: set[tuple[re.Pattern[str], int]] = set()

    def object(self, branch: Mapping[str, Any], depth: int) -> dict[str, Any]:
        """Return the properties that are found, and the required ones."""
        nodes, required = properties_of(branch)
        found = {name: self._first(node, name, name in required, depth) for name, node in nodes.items()}
        if depth and not any(found.values()):  # a part of which nothing was said
            return {}
        return {
            name: found[name][0] if found.get(name) else self.schema.simplest(nodes.get(name), depth + 1)
            for name in dict.fromkeys([*nodes, *required])
            if found.get(name) or name in required
        }

    def _first(self, node: Any, name: str, required: bool, depth: int) -> list[Any]:
        """Return the first value that the text gives for an argument and its schema allows, or none."""
        for branch in self.schema.branches(node):
            for kind in kinds_of(branch):
                said = self._said(branch, kind, name, required, depth + 1)
                if not depth and name in self._given:
                    text = self._given[name]
                    said = [text] if kind == "string" else map(_number, _NUMBER.findall(to_digits(text)))
                if (value := next((each for each in said if fits(branch, each)), None)) is not None:
                    return [value]
        return []

    def _said(self, branch: Mapping[str, Any], kind: str, name: str, required: bool, depth: int) -> Iterable[Any]:
        """Yield the values of one type that the text may give, the best first."""
        if depth > DEEPEST:
            return
        if options := options_of(branch):
            yield from (each for each in options if isinstance(each, str | int | float) and self._has(str(each)))
        elif kind in ("integer", "number"):
            yield from map(_number, self._unused(_NUMBER, self._digits))
        elif kind == "boolean":
            off = _OFF.search(self._text) is not None
            if self._has(name) or (required and (off or _ON.search(self._text))):
                yield not off
        elif kind == "array":
            for item in self.schema.branches(branch.get("items")):
                free = kinds_of(item)[0] == "string" and not options_of(item)
                found = self._listed() if free else self._said(item, kinds_of(item)[0], name, False, depth + 1)
                if fitting := [value for value in found if fits(item, value)][:_MOST_FOUND]:
                    yield fitting
        elif kind == "object":
            yield from filter(None, [self.object(branch, depth)])
        elif kind == "string":
            yield from self._strings(str(branch.get("format")), name, required)

    def _has(self, words: str) -> bool:
        """Return whether these words, an option or an argument's name, stand in the text."""
        return bool(stems(words)) and f" {' '.join(stems(words))} " in self._words

    def _unused(self, pattern: re.Pattern[str], text: str) -> Iterator[str]:
        """Yield what a pattern finds in a text and no other argument has taken."""
        for match in itertools.islice(pattern.finditer(text), _MOST_FOUND):
            if (pattern, match.start()) not in self._used:
                self._used.add((pattern, match.start()))
                yield next(filter(None, match.groups()), match.group())

    def _listed(self) -> list[str]:
        """Return the quotations, or the names, or the parts of an enumeration: «milk, eggs and bread»."""
        listed = _LISTED.search(self._text)
        found = [one or other for one, other in _QUOTE.findall(self._text)] or NAMES.findall(self._text)
        return found or ([*listed[1].split(", "), listed[2]] if listed else [])

    def _strings(self, form: str, name: str, required: bool) -> Iterator[str]:
        spoken = (
            FORMATS[form][0]
            if form in FORMATS
            else next((_SPOKEN[each] for each in stems(name) if each in _SPOKEN), "")
        )
        if spoken:
            yield from re.findall(f"(?i){spoken}", self._text)[:1]
            return
        yield from self._unused(_QUOTE, self._text)
        if words := r"[\s_-]+".join(map(re.escape, re.findall(r"[^\W_]+", name))):
            yield from re.findall(rf"(?i)\b{words} ?(?:is|as|=|:|called|named) ?(\w[\w@/+-]*)", self._text)[:1]
        if not _FREE.isdisjoint(stems(name)):
            yield from [self._text.strip()] if required and self._text.strip() else []
            return
        yield from self._unused(NAMES, self._text)
        if required and not NAMES.search(self._text):
            yield from self._unused(_PLACED, self._text)


def _number(digits: str) -> float:
    return float(digits) if "." in digits else int(digits)
