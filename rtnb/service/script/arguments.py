"""Arguments of a function call: what the prompt gives by the function's JSON schema, else the simplest value that fits.

Pure, and bounded whatever a client sends as a schema: what is not understood allows everything.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

from rtnb.service.script.words import stem, stems, to_digits

__all__ = ["NAMES", "fill"]

_DEEPEST = 8
_MOST_LOOKS = 2_000  # at parts of one schema, however often it refers to itself
_MOST_ITEMS = 50
_LONGEST_MATCHED = 24  # characters that a pattern is tried on, because a pattern may take exponentially long
_FORMATS: Mapping[str, tuple[str, str]] = {
    "date": (r"\b\d{4}-\d\d-\d\d\b", "%Y-%m-%d"),
    "date-time": (r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d)", "%Y-%m-%dT%H:%M:%SZ"),
    "time": (r"\b\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d)", "%H:%M:%SZ"),
    "email": (r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+", "someone@example.com"),
    "uri": (r"\bhttps?://[^\s\"'<>]{1,300}", "https://example.com"),
    "uuid": (r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b", "00000000-0000-4000-8000-000000000000"),
}
# What a pattern most often wants.
_SAMPLES = (
    "example", "1", "12", "123", "1234", "12345", "2025-01-01", "12:00", "a", "A", "ab", "AB", "abc", "ABC", "en", "en-US",
    "A1", "AB12", "ABC-123", "#336699", "+4915112345678", "someone@example.com", "https://example.com", "1.0.0",
)  # fmt: skip
_NUMBER = re.compile(r"(?<![\w.:/-])-?\d{1,15}(?:\.\d{1,6})?(?![\d:/])")
_QUOTE = re.compile(r"\"([^\"]{1,300})\"|(?<!\w)'([^']{1,300})'(?!\w)")
_MONTH = "(?:January|February|March|April|May|June|July|August|September|October|November|December)"
_PROPER = r"[A-ZÀ-Þ][\w'-]*(?:[ -](?:(?:de|del|la|of|von|van) )?[A-ZÀ-Þ][\w'-]*){0,3}"
#: Capitalised words that do not begin a sentence, as the names of places and people do.
NAMES = re.compile(
    r"(?<=[^.?!:] )(?!(?:I|English|German|French|Spanish|Italian|Celsius|Fahrenheit|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day"
    rf"|{_MONTH})\b)({_PROPER})"
)
# Without capitals, as speech is transcribed: one or two words after a preposition.
_PLACED = (
    r"(?i:\b(?:in|at|near|from|to|for|of|with)) (?i:the )?(?!(?i:me|my|it|that|this|an?|the|today|tomorrow|now)\b)"
    r"([^\W\d_][\w'-]*(?: (?!(?:and|or|but|please|now|today|tomorrow|tonight|this|next|on|in|at|to|for|with|by|is|then|what|the)\b)"
    r"[^\W\d_][\w'-]*)?)"
)
_LISTED = re.compile(r"([^\W\d_][\w'-]*(?:, [^\W\d_][\w' -]*?){0,20}),? and ([^\W\d_][\w'-]*)")
_TOPIC = frozenset(stems("subject title topic"))
_FREE = _TOPIC | set(stems("query text message question content prompt note body term description task"))
_LEAD = re.compile(
    r"(?i)^.*?\b(?:saying|that says|called|about|(?:search|look)\b.*? for|look up|find|google|remind me to|translate|ask)\b[\s:]+"
)
_DIRECTIONS = {"from": set(stems("from origin source start")), "to": set(stems("to destination target"))}
# How arguments without a format are said, by a word of their names.
_SPOKEN = {
    stem(
        "date"
    ): rf"\b(?:\d{{4}}-\d\d-\d\d|(?:next )?\w+day|tomorrow|tonight|\d\d?(?:st|nd|rd|th)? {_MONTH}|{_MONTH} \d\d?)\b",
    stem("time"): r"\b(?:\d\d?(?::\d\d)? ?(?:am|pm)|\d\d?:\d\d|noon|midnight)\b",
    "email": _FORMATS["email"][0],
    "url": _FORMATS["uri"][0],
}
_OFF = re.compile(r"(?i)\b(?:off|no|not|without|don't|disable\w*|false|never|stop|mute)\b")


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
    filler = _Filler(parameters, text, now + timedelta(days="tomorrow" in text.lower()), given or {})
    made = filler.object(filler.branches(parameters)[0], 0)
    return made if isinstance(made, dict) else {}


class _Filler:
    """Fills the parts of one schema from one text; each number, quotation and name is used once."""

    def __init__(self, root: Any, text: str, now: datetime, given: Mapping[str, str]) -> None:
        self.root, self.text, self.now, self.given = root, text, now, given
        self.words = stems(text)
        self.digits = re.sub(
            r"(?i)\b(?:minus|negative) (?=\d)", "-", to_digits(re.sub(r"(?<=\d),(?=\d{3}\b)", "", text))
        )
        self.used: set[tuple[str, int]] = set()
        self.left = _MOST_LOOKS

    def branches(self, node: Any, depth: int = 0) -> list[dict[str, Any]]:
        """Return the plain alternatives of a part: references followed, ``allOf`` joined, ``anyOf`` taken apart."""
        self.left -= 1
        if depth > _DEEPEST or self.left < 0 or not isinstance(node, Mapping):
            return [{}]
        whole = {key: value for key, value in node.items() if key not in ("$ref", "allOf", "anyOf", "oneOf")}
        for part in [*([self._target(node["$ref"])] if "$ref" in node else []), *_list(node.get("allOf"))]:
            whole = _joined(self.branches(part, depth + 1)[0], whole)
        choices = _list(node.get("anyOf")) or _list(node.get("oneOf"))
        apart = [_joined(whole, each) for choice in choices for each in self.branches(choice, depth + 1)]
        return apart[:_MOST_ITEMS] or [whole]

    def _target(self, reference: Any) -> Any:
        found = self.root
        for step in filter(None, str(reference).removeprefix("#").split("/")):
            found = found.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(found, Mapping) else None
        return found

    def object(self, branch: Mapping[str, Any], depth: int, name: str = "") -> dict[str, Any] | None:
        """Return an object with what is found and what is required; None for a part where nothing is found."""
        required, properties = _names(branch.get("required")), branch.get("properties")
        nodes = dict(list(properties.items())[:200]) if isinstance(properties, Mapping) else {}
        made = {}
        for key, node in nodes.items():
            for value in self.found(node, str(key), key in required, depth + 1):
                made[key] = value
                break
        if name and not made:
            return None
        missing = {key: self.simplest(nodes.get(key), depth + 1, key) for key in required if key not in made}
        return {
            key: {**made, **missing}[key] for key in dict.fromkeys([*nodes, *required]) if key in made or key in missing
        }

    def found(self, node: Any, name: str, required: bool, depth: int) -> Iterator[Any]:
        """Yield the values that the text gives for an argument and its schema allows, the best first."""
        for branch in self.branches(node) if depth < _DEEPEST else []:
            for kind in _kinds(branch):
                for value in self._said(branch, kind, name, required, depth):
                    if value is not None and _fits(branch, value):
                        yield value

    def _said(self, branch: Mapping[str, Any], kind: str, name: str, required: bool, depth: int) -> Iterable[Any]:
        if name in self.given and depth == 1:
            text = self.given[name]
            yield from (
                [text] if kind == "string" else [_number(digits) for digits in _NUMBER.findall(to_digits(text))[:1]]
            )
        if options := _options(branch):
            yield from (each for each in options if isinstance(each, str | int | float) and self._has(str(each)))
        elif kind in ("integer", "number"):
            beside = set(stems(name))
            matches = list(_NUMBER.finditer(self.digits))[:_MOST_ITEMS]
            around = {
                m.start(): {*stems(self.digits[: m.start()])[-2:], *stems(self.digits[m.end() :])[:2]} for m in matches
            }
            yield from map(
                _number, self._unused(kind[:1], sorted(matches, key=lambda m: not beside & around[m.start()]))
            )
        elif kind == "boolean":
            switch = _OFF.search(self.text) or re.search(r"(?i)\b(?:on|yes|with|enable\w*|true)\b", self.text)
            if switch and (name in ("on", "enabled", "state", "active", "power") or self._has(name)):
                yield not _OFF.fullmatch(switch.group())
            elif self._has(name):
                yield True
        elif kind == "array":
            yield self._items(branch.get("items"), depth) or None
        elif kind == "object":
            yield self.object(branch, depth, name)
        elif kind == "string":
            yield from self._strings(branch, name, required)

    def _has(self, words: str) -> bool:
        """Whether these words, an enumeration's value or an argument's name, stand in the text."""
        wanted = stems(words)
        return bool(wanted) and any(self.words[at : at + len(wanted)] == wanted for at in range(len(self.words)))

    def _unused(self, kind: str, matches: Iterable[re.Match[str]]) -> Iterator[str]:
        for match in matches:
            if (kind, match.start()) not in self.used:
                self.used.add((kind, match.start()))
                yield next(filter(None, match.groups()), match.group())

    def _items(self, node: Any, depth: int) -> list[Any]:
        for branch in self.branches(node):
            found: list[Any] = []
            kind = _kinds(branch)[0]
            if options := _options(branch):
                found = [each for each in options if isinstance(each, str | int | float) and self._has(str(each))]
            elif kind in ("integer", "number"):
                found = [_number(digits) for digits in _NUMBER.findall(self.digits)]
            elif kind == "object":
                found = [value for value in [self.object(branch, depth + 1, "item")] if value]
            elif kind == "string":
                listed = _LISTED.search(self.text)
                found = [one or other for one, other in _QUOTE.findall(self.text)] or NAMES.findall(self.text)
                found = found or ([*listed[1].split(", "), listed[2]] if listed else [])
            if fitting := [value for value in found if _fits(branch, value)][:_MOST_ITEMS]:
                return fitting
        return []

    def _strings(self, branch: Mapping[str, Any], name: str, required: bool) -> Iterator[str]:
        about = set(stems(name))
        spoken = [pattern for word, pattern in _SPOKEN.items() if word in about]
        if form := _FORMATS.get(str(branch.get("format"))):
            spoken = [form[0]]
        for pattern in spoken:
            yield from re.findall(f"(?i){pattern}", self.text)[:1]
        if spoken:
            return
        if about & _TOPIC:
            yield from re.findall(
                r"(?i)\babout ([^.,;?!\"]{1,80}?)(?= saying| with| that| and|[.,;?!\"]|$)", self.text
            )[:1]
        yield from self._unused("quote", _QUOTE.finditer(self.text))
        if words := r"[\s_-]+".join(map(re.escape, re.findall(r"[^\W_]+", name))):
            yield from re.findall(rf"(?i)\b{words} ?(?:is|as|=|:|called|named) ?(\w[\w@/+-]*)", self.text)[:1]
        if about & _FREE:
            if required and _LEAD.match(self.text):
                yield _LEAD.sub("", self.text).strip(" .?!")
            return
        near = next((word for word, names in _DIRECTIONS.items() if about & names), "\0")
        places = sorted(NAMES.finditer(self.text), key=lambda m: not self.text[: m.start()].endswith(f"{near} "))
        yield from self._unused("name", places)
        if required and not places:
            yield from self._unused("name", re.finditer(_PLACED, self.text))

    def simplest(self, node: Any, depth: int = 0, name: str = "") -> Any:
        """Return a default, an example, an enumeration's first value, or the smallest value of the type."""
        branch = next((each for each in self.branches(node) if "null" in _kinds(each)), self.branches(node)[0])
        for value in [
            *([branch["default"]] if "default" in branch else []),
            *_options(branch),
            *_list(branch.get("examples")),
        ]:
            return value
        kind = _kinds(branch)[-1]
        if kind == "object":
            names = _names(branch.get("required")) if depth < _DEEPEST and self.left > 0 else []
            nodes = branch["properties"] if isinstance(branch.get("properties"), Mapping) else {}
            return {key: self.simplest(nodes.get(key), depth + 1, key) for key in names}
        if kind == "array":
            least = min(_limit(branch, "minItems", 0), _MOST_ITEMS) if depth < _DEEPEST and self.left > 0 else 0
            return [self.simplest(branch.get("items"), depth + 1, name) for _ in range(int(least))]
        if kind == "string":
            free = [self.text.strip()] if set(stems(name)) & _FREE and self.text.strip() else []
            return next((text for text in [*free, *_samples(branch, name, self.now)] if _fits(branch, text)), "example")
        return {"boolean": False, "null": None}[kind] if kind in ("boolean", "null") else _smallest(branch)


def _list(value: Any) -> list[Any]:
    return value[:_MOST_ITEMS] if isinstance(value, list) else []


def _names(value: Any) -> list[str]:
    return [name for name in _list(value) if isinstance(name, str)]


def _options(branch: Mapping[str, Any]) -> list[Any]:
    return [branch["const"]] if "const" in branch else _list(branch.get("enum"))


def _kinds(branch: Mapping[str, Any]) -> list[str]:
    """Return the types that are allowed, null last; guessed from the other keywords where none is named."""
    named = branch.get("type")
    known = ("string", "boolean", "integer", "number", "array", "object", "null")
    kinds = [kind for kind in (named if isinstance(named, list) else [named]) if kind in known]
    hints = {"object": ("properties", "required"), "array": ("items",), "number": ("minimum", "maximum", "multipleOf")}
    kinds = kinds or [kind for kind, keys in hints.items() if any(key in branch for key in keys)][:1] or ["string"]
    return sorted(kinds, key=lambda kind: kind == "null")


def _joined(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Return a schema that asks for what both do."""
    joined = {**one, **other}
    if isinstance(one.get("properties"), Mapping) and isinstance(other.get("properties"), Mapping):
        joined["properties"] = {**one["properties"], **other["properties"]}
    if one.get("required") and other.get("required"):
        joined["required"] = [*_list(one["required"]), *_list(other["required"])]
    return joined


def _limit(branch: Mapping[str, Any], key: str, default: float) -> float:
    value = branch.get(key)
    usable = isinstance(value, int | float) and not isinstance(value, bool) and -1e300 < value < 1e300
    return value if usable else default  # type: ignore[return-value]


def _number(digits: str) -> float:
    return float(digits) if "." in digits else int(digits)


def _fits(branch: Mapping[str, Any], value: Any) -> bool:
    """Whether a value of the branch's type keeps to its limits."""
    if isinstance(value, str) and not _options(branch):
        form, pattern = _FORMATS.get(str(branch.get("format"))), branch.get("pattern")
        try:
            matches = not isinstance(pattern, str) or (
                len(value) <= _LONGEST_MATCHED and bool(re.search(pattern, value))
            )
        except (re.error, RecursionError, OverflowError):
            matches = True
        longest = _limit(branch, "maxLength", math.inf)
        return matches and _limit(branch, "minLength", 0) <= len(value) <= longest and (not form or bool(re.fullmatch(form[0], value)))  # fmt: skip
    if isinstance(value, list):
        return _limit(branch, "minItems", 0) <= len(value) <= _limit(branch, "maxItems", math.inf)
    if isinstance(value, int | float) and not isinstance(value, bool):
        step = Fraction(str(_limit(branch, "multipleOf", 0)))
        least, most = _limit(branch, "minimum", -math.inf), _limit(branch, "maximum", math.inf)
        apart = value not in (branch.get("exclusiveMinimum"), branch.get("exclusiveMaximum"))
        inside = _limit(branch, "exclusiveMinimum", least) <= value <= _limit(branch, "exclusiveMaximum", most)
        whole = value == int(value) or "integer" not in _kinds(branch)
        return least <= value <= most and inside and apart and whole and (step <= 0 or Fraction(str(value)) % step == 0)
    return True


def _smallest(branch: Mapping[str, Any]) -> float:
    step = Fraction(str(_limit(branch, "multipleOf", 1))) or Fraction(1)
    ends = [_limit(branch, key, math.nan) for key in ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum")]
    near = [
        Fraction(math.floor(Fraction(str(end)) / step) + more) * step
        for end in ends
        if end == end
        for more in (0, 1, -1)
    ]
    middle = [Fraction(str(sum(ends[at] for at in (0, 2)) / 2))] if ends[0] == ends[0] and ends[2] == ends[2] else []
    tried = (
        float(value) if value.denominator > 1 else int(value)
        for value in [Fraction(1), Fraction(0), step, *near, *middle]
    )
    return next((value for value in tried if _fits(branch, value)), 1)


def _samples(branch: Mapping[str, Any], name: str, now: datetime) -> Iterator[str]:
    about = set(stems(name))
    form = _FORMATS.get(str(branch.get("format"))) or next(
        (_FORMATS[key] for key in ("date", "email") if stem(key) in about), None
    )
    yield from [now.strftime(form[1])] if form else []
    yield from _SAMPLES
    shortest, longest = (int(min(_limit(branch, key, 0), 500)) for key in ("minLength", "maxLength"))
    yield from (letters[: max(shortest, longest)] for letters in ("example " * 63, "A" * 500, "0" * 500))
    yield "a" * shortest
