"""Arguments of a function call: what the prompt gives of them, by the function's JSON schema. Pure.

Numbers, quotations, capitalised words, and the words of enumerations are found; the rest is as simple as the schema
allows. Bounded whatever a client sends as a schema: what is not understood allows everything. Not the ``jsonschema``
package, whose import takes two seconds where JupyterLab is installed; the tests judge by it.
"""

from __future__ import annotations

import itertools
import math
import operator
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from rtnb.service.script.words import stem, stems, to_digits

__all__ = ["NAMES", "fill", "properties_of"]

_DEEPEST = 8
_MOST_LOOKS = 2_000  # at parts of one schema, however often it refers to itself
_MOST = 50  # alternatives, options, items, and finds in a text

_MONTH = "(?:January|February|March|April|May|June|July|August|September|October|November|December)"
#: Capitalised words that do not begin a sentence, as the names of places and people do.
NAMES = re.compile(
    r"(?<=[^.?!:] )(?!(?:I|English|German|French|Spanish|Italian|Celsius|Fahrenheit|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day"
    rf"|{_MONTH})\b)([A-ZÀ-Þ][\w'-]*(?:[ -](?:(?:de|del|la|of|von|van) )?[A-ZÀ-Þ][\w'-]*){{0,3}})"
)
# Without capitals, as speech is transcribed: one or two words after a preposition.
_PLACED = re.compile(
    r"(?i)\b(?:in|at|near|from|to|for|of|with) (?:the )?(?!(?:me|my|it|that|this|an?|the|today|tomorrow|now)\b)"
    r"([^\W\d_](?:[\w'@.-]*\w)?(?: (?!(?:and|or|but|please|now|today|tomorrow|tonight|this|next|on|in|at|to|for|with|by|is|then|what|the)\b)"
    r"[^\W\d_](?:[\w'@.-]*\w)?)?)"
)
_NUMBER = re.compile(r"(?<![\w.:/-])-?\d{1,15}(?:\.\d{1,6})?(?![\d:/])")
_QUOTE = re.compile(r"\"([^\"]{1,300})\"|(?<!\w)'([^']{1,300})'(?!\w)")
_LISTED = re.compile(r"([^\W\d_][\w'-]*(?:, [^\W\d_][\w' -]*?){0,20}),? and ([^\W\d_][\w'-]*)")
_OFF = re.compile(r"(?i)\b(?:off|no|not|without|don't|disable\w*|false|never|stop|mute)\b")
_ON = re.compile(r"(?i)\b(?:on|yes|with|enable\w*|true)\b")
# Arguments that are known by their names: those that take any text, and those that have a form.
_FREE = frozenset(
    stems("query text message question content prompt note body term description task subject title topic")
)
_SPOKEN = {
    stem("date"): rf"\b(?:\d{{4}}-\d\d-\d\d|(?:next )?\w+day|tomorrow|tonight|\d\d?(?:st|nd|rd|th)? {_MONTH}|{_MONTH} \d\d?)\b",
    stem("time"): r"\b(?:\d\d?(?::\d\d)? ?(?:am|pm)|\d\d?:\d\d|noon|midnight)\b",
}  # fmt: skip
# Of each format: how a text has it, and an example, in which a time is filled in.
_FORMATS = {
    "date": (r"\b\d{4}-\d\d-\d\d\b", "%Y-%m-%d"),
    "date-time": (r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d)", "%Y-%m-%dT%H:%M:%SZ"),
    "time": (r"\b\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d)", "%H:%M:%SZ"),
    "email": (r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+", "someone@example.com"),
    "uri": (r"\bhttps?://[^\s\"'<>]{1,300}", "https://example.com"),
    "uuid": (r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b", "00000000-0000-4000-8000-000000000000"),
}
_BOUNDS = {"minimum": operator.ge, "maximum": operator.le, "exclusiveMinimum": operator.gt, "exclusiveMaximum": operator.lt}  # fmt: skip
_KINDS = ("string", "boolean", "integer", "number", "array", "object", "null")

_Branch = Mapping[str, Any]  # one plain alternative of a schema


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
    finder = _Finder(parameters, text, now + timedelta(days="tomorrow" in text.lower()), given or {})
    return finder.object(finder.branches(parameters)[0], 0)


def properties_of(branch: _Branch) -> tuple[dict[str, Any], list[str]]:
    """Return the schemas of an object's properties by name, and the names of those that it must have."""
    given = branch.get("properties")
    nodes = {str(name): node for name, node in list(given.items())[:200]} if isinstance(given, Mapping) else {}
    return nodes, [name for name in _list(branch, "required") if isinstance(name, str)]


class _Finder:
    """Finds the values of one schema in one text; each number, quotation and name is used once."""

    def __init__(self, root: Any, text: str, now: datetime, given: Mapping[str, str]) -> None:
        self._root, self._text, self._now, self._given = root, text, now, given
        digits = to_digits(re.sub(r"(?<=\d),(?=\d{3}\b)", "", text))
        self._digits = re.sub(r"(?i)\b(?:minus|negative) (?=\d)", "-", digits)
        self._words = f" {' '.join(stems(text))} "
        self._used: set[tuple[re.Pattern[str], int]] = set()
        self._left = _MOST_LOOKS

    def branches(self, node: Any, depth: int = 0) -> list[dict[str, Any]]:
        """Return the plain alternatives of a part: references followed, ``allOf`` joined, ``anyOf`` taken apart."""
        self._left -= 1
        if depth > _DEEPEST or self._left < 0 or not isinstance(node, Mapping):
            return [{}]
        whole = {key: value for key, value in node.items() if key not in ("$ref", "allOf", "anyOf", "oneOf")}
        target = self._root
        for step in filter(None, str(node.get("$ref", "")).removeprefix("#").split("/")):
            target = target.get(step) if isinstance(target, Mapping) else None
        for part in [*([target] if "$ref" in node else []), *_list(node, "allOf")]:
            whole = _joined(self.branches(part, depth + 1)[0], whole)
        choices = _list(node, "anyOf") or _list(node, "oneOf")
        apart = [_joined(whole, each) for choice in choices for each in self.branches(choice, depth + 1)]
        return apart[:_MOST] or [whole]

    def object(self, branch: _Branch, depth: int) -> dict[str, Any]:
        """Return the properties that are found, and the required ones."""
        nodes, required = properties_of(branch)
        found = {name: self._first(node, name, name in required, depth) for name, node in nodes.items()}
        if depth and not any(found.values()):  # a part of which nothing was said
            return {}
        return {
            name: found[name][0] if found.get(name) else self._simplest(nodes.get(name), depth + 1)
            for name in dict.fromkeys([*nodes, *required])
            if found.get(name) or name in required
        }

    def _simplest(self, node: Any, depth: int) -> Any:
        """Return null where it is allowed, else a default, an example, an option, or the smallest value of the type."""
        branches = self.branches(node)
        branch = next((each for each in branches if "null" in _kinds(each)), branches[0])
        if "default" in branch:
            return branch["default"]
        if given := [*_options(branch), *_list(branch, "examples")]:
            return given[0]
        deeper = depth < _DEEPEST and self._left > 0
        match _kinds(branch)[-1]:
            case "object":
                nodes, required = properties_of(branch)
                return {name: self._simplest(nodes.get(name), depth + 1) for name in required if deeper}
            case "array":
                least = int(min(_number(branch, "minItems", 0), _MOST)) if deeper else 0
                return [self._simplest(branch.get("items"), depth + 1) for _ in range(least)]
            case "string":
                form, example = _FORMATS.get(str(branch.get("format"))), "example " * 63
                longest = int(max(_number(branch, "minLength", 0), min(_number(branch, "maxLength", 7), 7)))
                return self._now.strftime(form[1]) if form else example[:longest]
            case "boolean":
                return False
            case "null":
                return None
        return next((value for value in _numbers(branch) if _fits(branch, value)), 1)

    def _first(self, node: Any, name: str, required: bool, depth: int) -> list[Any]:
        """Return the first value that the text gives for an argument and its schema allows, or none."""
        for branch in self.branches(node):
            for kind in _kinds(branch):
                said = self._said(branch, kind, name, required, depth + 1)
                if not depth and name in self._given:
                    text = self._given[name]
                    said = [text] if kind == "string" else map(_figure, _NUMBER.findall(to_digits(text)))
                if (value := next((each for each in said if _fits(branch, each)), None)) is not None:
                    return [value]
        return []

    def _said(self, branch: _Branch, kind: str, name: str, required: bool, depth: int) -> Iterable[Any]:
        """Yield the values of one type that the text may give, the best first."""
        if depth > _DEEPEST:
            return
        if options := _options(branch):
            yield from (each for each in options if isinstance(each, str | int | float) and self._has(str(each)))
        elif kind in ("integer", "number"):
            yield from map(_figure, self._unused(_NUMBER, self._digits))
        elif kind == "boolean":
            off = _OFF.search(self._text) is not None
            if self._has(name) or (required and (off or _ON.search(self._text))):
                yield not off
        elif kind == "array":
            for item in self.branches(branch.get("items")):
                free = _kinds(item)[0] == "string" and not _options(item)
                found = self._listed() if free else self._said(item, _kinds(item)[0], name, False, depth + 1)
                yield from filter(None, [[value for value in found if _fits(item, value)][:_MOST]])
        elif kind == "object":
            yield from filter(None, [self.object(branch, depth)])
        elif kind == "string":
            yield from self._strings(str(branch.get("format")), name, required)

    def _strings(self, form: str, name: str, required: bool) -> Iterator[str]:
        spoken = next((_SPOKEN[each] for each in stems(name) if each in _SPOKEN), "")
        if spoken or form in _FORMATS:
            yield from re.findall(f"(?i){_FORMATS[form][0] if form in _FORMATS else spoken}", self._text)[:1]
            return
        yield from self._unused(_QUOTE, self._text)
        if words := r"[\s_-]+".join(map(re.escape, re.findall(r"[^\W_]+", name))):
            yield from re.findall(rf"(?i)\b{words} ?(?:is|as|=|:|called|named) ?(\w[\w@/+-]*)", self._text)[:1]
        if not _FREE.isdisjoint(stems(name)):
            yield from filter(None, [self._text.strip()] if required else [])
            return
        yield from self._unused(NAMES, self._text)
        if required and not NAMES.search(self._text):
            yield from self._unused(_PLACED, self._text)

    def _has(self, words: str) -> bool:
        """Return whether these words, an option or an argument's name, stand in the text."""
        return bool(stems(words)) and f" {' '.join(stems(words))} " in self._words

    def _unused(self, pattern: re.Pattern[str], text: str) -> Iterator[str]:
        """Yield what a pattern finds in a text and no other argument has taken."""
        for match in itertools.islice(pattern.finditer(text), _MOST):
            if (pattern, match.start()) not in self._used:
                self._used.add((pattern, match.start()))
                yield next(filter(None, match.groups()), match.group())

    def _listed(self) -> list[str]:
        """Return the quotations, or the names, or the parts of an enumeration: «milk, eggs and bread»."""
        listed = _LISTED.search(self._text)
        found = [one or other for one, other in _QUOTE.findall(self._text)] or NAMES.findall(self._text)
        return found or ([*listed[1].split(", "), listed[2]] if listed else [])


def _kinds(branch: _Branch) -> list[str]:
    """Return the types that are allowed, null last; guessed from the other keywords where none is named."""
    named = branch.get("type")
    kinds = [kind for kind in (named if isinstance(named, list) else [named]) if kind in _KINDS]
    guessed = "object" if "properties" in branch else "array" if "items" in branch else "string"
    return sorted(kinds, key=lambda kind: kind == "null") or [guessed]


def _options(branch: _Branch) -> list[Any]:
    """Return the only values that are allowed; empty: any."""
    return [branch["const"]] if "const" in branch else _list(branch, "enum")


def _fits(branch: _Branch, value: Any) -> bool:
    """Return whether a value of one of the branch's types keeps to its limits."""
    if options := _options(branch):
        return value in options
    if isinstance(value, str | list):
        unit = "Length" if isinstance(value, str) else "Items"
        if not _number(branch, f"min{unit}", 0) <= len(value) <= _number(branch, f"max{unit}", len(value)):
            return False
    if isinstance(value, str) and (form := _FORMATS.get(str(branch.get("format")))):
        return re.fullmatch(form[0], value) is not None
    if isinstance(value, int | float) and not isinstance(value, bool):
        step = _number(branch, "multipleOf", 0)
        whole = float(value).is_integer() or "integer" not in _kinds(branch)
        multiple = step <= 0 or (value / step).is_integer()
        return whole and multiple and all(_BOUNDS[key](value, limit) for key, limit in _limits(branch).items())
    return True


def _numbers(branch: _Branch) -> Iterator[float]:
    """Yield simple numbers near the limits."""
    step, ends = _number(branch, "multipleOf", 1) or 1, _limits(branch).values()
    near = [(end // step + more) * step for end in ends for more in (0, 1, -1)]
    for value in (1, 0, step, *near, sum(ends) / max(1, len(ends))):
        yield int(value) if float(value).is_integer() else value


def _limits(branch: _Branch) -> dict[str, float]:
    return {key: limit for key in _BOUNDS if math.isfinite(limit := _number(branch, key, math.inf))}


def _number(branch: _Branch, key: str, default: float) -> float:
    value = branch.get(key)
    if isinstance(value, int | float) and not isinstance(value, bool) and -1e300 < value < 1e300:
        return value
    return default


def _list(branch: _Branch, key: str) -> list[Any]:
    value = branch.get(key)
    return value[:_MOST] if isinstance(value, list) else []


def _joined(one: _Branch, other: _Branch) -> dict[str, Any]:
    """Return a schema that asks for what both do."""
    joined = {**one, **other}
    if "properties" in joined or "required" in joined:
        (nodes, required), (more, needed) = properties_of(one), properties_of(other)
        joined |= {"properties": nodes | more, "required": required + needed}
    return joined


def _figure(digits: str) -> float:
    return float(digits) if "." in digits else int(digits)
