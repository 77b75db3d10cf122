"""Arguments of a function call: what the prompt gives of them, by the function's JSON schema. Pure.

Numbers, quotations, capitalised words, addresses, and the words of enumerations are found; the rest is as simple as the
schema allows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from rtnb.service.script.schemas import DEEPEST, FORMATS, Schema, fits, kinds_of, options_of, properties_of, required_of
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
_ABOUT = re.compile(r"(?i)\babout ([^.,;?!\"]{1,80}?)(?= saying| with| that| and|[.,;?!\"]|$)")
_LEAD = re.compile(
    r"(?i)^.*?\b(?:saying|that says|called|about|(?:search|look)\b.*? for|look up|find|google|remind me to|translate|ask)\b[\s:]+"
)
_OFF = re.compile(r"(?i)\b(?:off|no|not|without|don't|disable\w*|false|never|stop|mute)\b")
_ON = re.compile(r"(?i)\b(?:on|yes|with|enable\w*|true)\b")
# Arguments are told apart by the words of their names.
_SWITCHES = frozenset(stems("on enabled state active power"))
_TOPIC = frozenset(stems("subject title topic"))
_FREE = _TOPIC | set(stems("query text message question content prompt note body term description task"))
_DIRECTIONS = {"from": set(stems("from origin source start")), "to": set(stems("to destination target"))}
_SPOKEN = {
    stem(
        "date"
    ): rf"\b(?:\d{{4}}-\d\d-\d\d|(?:next )?\w+day|tomorrow|tonight|\d\d?(?:st|nd|rd|th)? {_MONTH}|{_MONTH} \d\d?)\b",
    stem("time"): r"\b(?:\d\d?(?::\d\d)? ?(?:am|pm)|\d\d?:\d\d|noon|midnight)\b",
    "email": FORMATS["email"][0],
    "url": FORMATS["uri"][0],
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
        self._words = stems(text)
        digits = to_digits(re.sub(r"(?<=\d),(?=\d{3}\b)", "", text))
        self._digits = re.sub(r"(?i)\b(?:minus|negative) (?=\d)", "-", digits)
        self._used: set[tuple[str, int]] = set()

    def object(self, branch: Mapping[str, Any], depth: int) -> dict[str, Any]:
        """Return the properties that are found, and the required ones."""
        nodes, required = properties_of(branch), required_of(branch)
        found = {name: list(self._first(node, name, name in required, depth)) for name, node in nodes.items()}
        made = {name: values[0] for name, values in found.items() if values}
        if depth and not made:  # a part of which nothing was said
            return {}
        return {
            name: made[name] if name in made else self._default(nodes.get(name), name, depth)
            for name in dict.fromkeys([*nodes, *required])
            if name in made or name in required
        }

    def _default(self, node: Any, name: str, depth: int) -> Any:
        simplest = self.schema.simplest(node, depth + 1)
        free = simplest == "example" and _FREE & set(stems(name)) and self._text.strip()
        return free if free and fits(self.schema.branches(node)[0], free) else simplest

    def _first(self, node: Any, name: str, required: bool, depth: int) -> Iterator[Any]:
        if depth == 0 and name in self._given:
            text = self._given[name]
            numbers = [_number(digits) for digits in _NUMBER.findall(to_digits(text))]
            kinds = [kind for branch in self.schema.branches(node) for kind in kinds_of(branch)]
            yield from [text] if "string" in kinds else numbers
        for value in self._found(node, name, required, depth + 1):
            yield value
            return

    def _found(self, node: Any, name: str, required: bool, depth: int) -> Iterator[Any]:
        """Yield the values that the text gives for an argument and its schema allows, the best first."""
        for branch in self.schema.branches(node):
            for kind in kinds_of(branch):
                yield from (value for value in self._said(branch, kind, name, required, depth) if fits(branch, value))

    def _said(self, branch: Mapping[str, Any], kind: str, name: str, required: bool, depth: int) -> Iterable[Any]:
        if depth > DEEPEST:
            return
        if options := options_of(branch):
            yield from (each for each in options if isinstance(each, str | int | float) and self._has(str(each)))
        elif kind in ("integer", "number"):
            matches = list(_NUMBER.finditer(self._digits))[:_MOST_FOUND]
            yield from map(
                _number, self._unused("number", sorted(matches, key=lambda match: not self._beside(name, match)))
            )
        elif kind == "boolean":
            switched = _OFF.search(self._text) or _ON.search(self._text)
            if self._has(name) or (switched and _SWITCHES & set(stems(name))):
                yield not switched or not _OFF.fullmatch(switched.group())
        elif kind == "array":
            for item in self.schema.branches(branch.get("items")):
                free = kinds_of(item)[0] == "string" and not options_of(item)
                found = self._listed() if free else self._said(item, kinds_of(item)[0], name, False, depth + 1)
                if fitting := [value for value in found if fits(item, value)][:_MOST_FOUND]:
                    yield fitting
        elif kind == "object":
            yield from [made for made in [self.object(branch, depth)] if made]
        elif kind == "string":
            yield from self._strings(branch, set(stems(name)), name, required)

    def _has(self, words: str) -> bool:
        """Whether these words, an enumeration's value or an argument's name, stand in the text."""
        wanted = stems(words)
        return bool(wanted) and any(self._words[at : at + len(wanted)] == wanted for at in range(len(self._words)))

    def _beside(self, name: str, match: re.Match[str]) -> bool:
        """Whether one of the two words before or behind a number is of the argument's name."""
        around = [*stems(self._digits[: match.start()])[-2:], *stems(self._digits[match.end() :])[:2]]
        return not set(stems(name)).isdisjoint(around)

    def _unused(self, kind: str, matches: Iterable[re.Match[str]]) -> Iterator[str]:
        for match in matches:
            if (kind, match.start()) not in self._used:
                self._used.add((kind, match.start()))
                yield next(filter(None, match.groups()), match.group())

    def _listed(self) -> list[str]:
        """Return the quotations, or the names, or the parts of an enumeration: «milk, eggs and bread»."""
        listed = _LISTED.search(self._text)
        found = [one or other for one, other in _QUOTE.findall(self._text)] or NAMES.findall(self._text)
        return found or ([*listed[1].split(", "), listed[2]] if listed else [])

    def _strings(self, branch: Mapping[str, Any], about: set[str], name: str, required: bool) -> Iterator[str]:
        form = FORMATS.get(str(branch.get("format")))
        spoken = [form[0]] if form else [pattern for word, pattern in _SPOKEN.items() if word in about]
        if spoken:
            yield from re.findall(f"(?i){spoken[0]}", self._text)[:1]
            return
        if about & _TOPIC:
            yield from _ABOUT.findall(self._text)[:1]
        yield from self._unused("quote", _QUOTE.finditer(self._text))
        if words := r"[\s_-]+".join(map(re.escape, re.findall(r"[^\W_]+", name))):
            yield from re.findall(rf"(?i)\b{words} ?(?:is|as|=|:|called|named) ?(\w[\w@/+-]*)", self._text)[:1]
        if about & _FREE:
            if required and _LEAD.match(self._text):
                yield _LEAD.sub("", self._text).strip(" .?!")
            return
        near = next((word for word, names in _DIRECTIONS.items() if about & names), "\0")
        names = sorted(
            NAMES.finditer(self._text), key=lambda match: not self._text[: match.start()].endswith(f"{near} ")
        )
        yield from self._unused("name", names)
        if required and not names:
            yield from self._unused("name", _PLACED.finditer(self._text))


def _number(digits: str) -> float:
    return float(digits) if "." in digits else int(digits)
