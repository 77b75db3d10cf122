"""JSON schemas of functions' arguments: whether a value fits one, and the simplest value that does.

Pure and bounded, whatever a client sends as a schema: what is not understood allows everything. Covers types, enumerations,
limits of numbers, strings, arrays and objects, the combining keywords, and references within the schema.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from functools import cached_property
from types import MappingProxyType
from typing import Any

__all__ = ["Schema", "same"]

_DEEPEST = 10  # levels of nesting that are looked at
_MOST_PARTS = 20_000  # parts of one schema that are looked at, however often it refers to itself
_MOST_FILLED = 50  # items or characters that a minimum may ask for, tenfold for characters
_LONGEST_MATCHED = 32  # characters that a pattern is tried on, because a pattern may take exponentially long
_MOST_BRANCHES = 16
_LARGEST = 1e300  # of numbers that are taken for numbers

_KINDS: Mapping[str, Callable[[Any], bool]] = MappingProxyType(
    {
        "string": lambda value: isinstance(value, str),
        "boolean": lambda value: isinstance(value, bool),
        "integer": lambda value: _is_number(value) and value == int(value),
        "number": lambda value: _is_number(value),
        "array": lambda value: isinstance(value, list),
        "object": lambda value: isinstance(value, dict),
        "null": lambda value: value is None,
    }
)
_FORMATS = MappingProxyType(
    {
        "date": (r"\d{4}-\d\d-\d\d", "2025-01-01"),
        "time": (r"\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)", "12:00:00Z"),
        "date-time": (r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)", "2025-01-01T12:00:00Z"),
        "duration": (r"P.+", "PT1H"),
        "email": (r"[^@\s]+@[^@\s]+", "someone@example.com"),
        "hostname": (r"[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*", "example.com"),
        "ipv4": (r"\d{1,3}(?:\.\d{1,3}){3}", "127.0.0.1"),
        "ipv6": (r"[0-9A-Fa-f:.]+", "::1"),
        "uri": (r"[A-Za-z][A-Za-z0-9+.-]*:.+", "https://example.com"),
        "uuid": (r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", "00000000-0000-4000-8000-000000000000"),
    }
)
# What a pattern most often wants; the first that fits is taken.
_SAMPLES = (
    "example", "Example", "EXAMPLE", "1", "12", "123", "1234", "12345", "123456", "0123456789", "2025-01-01", "12:00",
    "12:00:00", "a", "A", "ab", "AB", "abc", "ABC", "USD", "EUR", "en", "en-US", "A1", "AB12", "AB123", "ABC-123", "#336699",
    "+4915112345678", "555-123-4567", "someone@example.com", "https://example.com", "1.0.0", "0.5", "",
)  # fmt: skip


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and -_LARGEST < value < _LARGEST


def same(one: Any, other: Any) -> bool:
    """Tell whether two JSON values are equal; unlike in Python, true is not 1."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


class Schema:
    """A schema within the one that it is a part of.

    Parameters
    ----------
    node : object
        The schema as JSON; what is no schema allows everything.
    root : object, optional
        The outermost schema, in which references are looked up.
    depth : int
        Levels above this one.
    left : list of int, optional
        One number, shared by all parts of a schema: how many more are looked at.
    """

    def __init__(self, node: Any, root: Any = None, depth: int = 0, left: list[int] | None = None) -> None:
        self.root = node if root is None else root
        self.depth = depth
        self._left = [_MOST_PARTS] if left is None else left
        self._left[0] -= 1
        self.node = self._resolved(node)

    def _resolved(self, node: Any) -> Mapping[str, Any]:
        for _ in range(_DEEPEST):
            if not isinstance(node, Mapping) or not isinstance(node.get("$ref"), str):
                break
            rest = {key: value for key, value in node.items() if key != "$ref"}
            target = self._target(node["$ref"])
            node = {**target, **rest} if isinstance(target, Mapping) else rest
        return node if isinstance(node, Mapping) else {}

    def _target(self, reference: str) -> Any:
        found = self.root
        for step in reference.removeprefix("#").strip("/").split("/"):
            key = step.replace("~1", "/").replace("~0", "~")
            if step and isinstance(found, Mapping):
                found = found.get(key)
        return found if reference.startswith("#") else None

    def part(self, node: Any) -> Schema:
        """Return a schema that stands within this one."""
        return Schema(node, self.root, self.depth + 1, self._left)

    def subschemas(self, key: str) -> list[Any]:
        """Return the list that a combining keyword holds."""
        given = self.node.get(key)
        return given[:_MOST_BRANCHES] if isinstance(given, list) else []

    @property
    def too_deep(self) -> bool:
        """Whether this part is looked at no more."""
        return self.depth > _DEEPEST or self._left[0] < 0

    @cached_property
    def branches(self) -> list[Schema]:
        """The plain alternatives that it consists of: ``allOf`` put together, ``anyOf`` and ``oneOf`` taken apart."""
        if self.too_deep:
            return [self]
        whole = {key: value for key, value in self.node.items() if key not in ("allOf", "anyOf", "oneOf")}
        for node in self.subschemas("allOf"):
            whole = _together(whole, self.part(node).branches[0].node)
        choices = self.subschemas("anyOf") or self.subschemas("oneOf")
        if not choices:
            return [Schema(whole, self.root, self.depth, self._left)]
        apart = [branch.node for choice in choices for branch in self.part(choice).branches]
        return [Schema(_together(whole, node), self.root, self.depth, self._left) for node in apart[:_MOST_BRANCHES]]

    @property
    def kinds(self) -> list[str]:
        """The types allowed, the telling ones first; guessed from the other keywords where none is named."""
        named = self.node.get("type")
        kinds = [
            kind for kind in (named if isinstance(named, list) else [named]) if isinstance(kind, str) and kind in _KINDS
        ]
        if not kinds:
            hints = (("object", "properties"), ("object", "required"), ("array", "items"), ("string", "pattern"))
            kinds = [kind for kind, key in hints if key in self.node][:1]
            kinds = kinds or ["number" if {"minimum", "maximum", "multipleOf"} & set(self.node) else "string"]
        return sorted(kinds, key=lambda kind: kind == "null")

    @property
    def properties(self) -> Mapping[str, Any]:
        """The named properties of an object."""
        given = self.node.get("properties")
        return {str(key): value for key, value in given.items()} if isinstance(given, Mapping) else {}

    @property
    def required(self) -> list[str]:
        """Names of the properties that an object must have."""
        given = self.node.get("required")
        return [name for name in given if isinstance(name, str)] if isinstance(given, list) else []

    @property
    def options(self) -> list[Any] | None:
        """The only values allowed, or None."""
        if "const" in self.node:
            return [self.node["const"]]
        given = self.node.get("enum")
        return given if isinstance(given, list) and given else None

    @property
    def description(self) -> str:
        """What it says about itself."""
        return " ".join(text for key in ("title", "description") if isinstance(text := self.node.get(key), str))[:500]

    def fits(self, value: Any) -> bool:
        """Tell whether a JSON value is allowed."""
        if self.too_deep:
            return True
        if self.node.get("$ref") or not self._allowed(value):
            return False
        checks: dict[type, Callable[[Any], bool]] = {
            str: self._fits_text, list: self._fits_list, dict: self._fits_object, int: self._fits_number, float: self._fits_number
        }  # fmt: skip
        check = checks.get(type(value))
        return (check is None or check(value)) and self._combined(value)

    def _allowed(self, value: Any) -> bool:
        named = self.node.get("type")
        kinds = [kind for kind in (named if isinstance(named, list) else [named]) if isinstance(kind, str)]
        if kinds and not any(_KINDS[kind](value) for kind in kinds if kind in _KINDS):
            return False
        return self.options is None or any(same(value, option) for option in self.options)

    def _combined(self, value: Any) -> bool:
        def fitting(key: str) -> Iterator[bool]:
            return (_allows(self, node, value) for node in self.subschemas(key))

        return (
            all(fitting("allOf"))
            and (not self.subschemas("anyOf") or any(fitting("anyOf")))
            and (not self.subschemas("oneOf") or sum(fitting("oneOf")) == 1)
            and not ("not" in self.node and _allows(self, self.node["not"], value))
        )

    def _fits_number(self, value: float) -> bool:
        least, most = self.limits()
        step = self.number("multipleOf")
        exclusive = value in (self.number("exclusiveMinimum"), self.number("exclusiveMaximum"))
        whole = step is None or step <= 0 or Fraction(str(value)) % Fraction(str(step)) == 0
        return least <= value <= most and not exclusive and whole

    def limits(self) -> tuple[float, float]:
        """Return the least and the greatest number, of which exclusive ones are not reached."""
        least = [value for key in ("minimum", "exclusiveMinimum") if (value := self.number(key)) is not None]
        most = [value for key in ("maximum", "exclusiveMaximum") if (value := self.number(key)) is not None]
        return max(least, default=-math.inf), min(most, default=math.inf)

    def number(self, key: str) -> float | None:
        """Return a keyword's number, if it has one."""
        value = self.node.get(key)
        return value if _is_number(value) else None

    def count(self, key: str, default: int) -> int:
        """Return a keyword's count, if it has one."""
        value = self.number(key)
        return default if value is None or value < 0 else int(value)

    def _fits_text(self, value: str) -> bool:
        if not self.count("minLength", 0) <= len(value) <= self.count("maxLength", len(value)):
            return False
        known = _FORMATS.get(str(self.node.get("format")))
        if known and not re.fullmatch(known[0], value):
            return False
        pattern = self.node.get("pattern")
        return not isinstance(pattern, str) or _matches(pattern, value)

    def _fits_list(self, value: list[Any]) -> bool:
        if not self.count("minItems", 0) <= len(value) <= self.count("maxItems", len(value)):
            return False
        if self.node.get("uniqueItems") is True and any(
            same(one, other) for place, one in enumerate(value) for other in value[:place]
        ):
            return False
        leading = self.subschemas("prefixItems")
        rest = self.node.get("items", True)
        return all(
            _allows(self, leading[place] if place < len(leading) else rest, item) for place, item in enumerate(value)
        )

    def _fits_object(self, value: dict[str, Any]) -> bool:
        if any(name not in value for name in self.required):
            return False
        if not self.count("minProperties", 0) <= len(value) <= self.count("maxProperties", len(value)):
            return False
        others = self.node.get("additionalProperties", True)
        return all(_allows(self, self.properties.get(name, others), held) for name, held in value.items())

    def simplest(self) -> Any:
        """Return a simple value that fits, as far as there is one that can be found."""
        if self.too_deep:
            return None
        made = None
        for place, branch in enumerate(self.branches):
            for value in branch._candidates():
                if self.fits(value):
                    return value
                made = value if not place and made is None else made
        return made

    def _candidates(self) -> Iterator[Any]:
        """Values worth trying, the most sensible first."""
        if "default" in self.node:
            yield self.node["default"]
        examples = self.node.get("examples")
        yield from examples[:8] if isinstance(examples, list) else ()
        if self.options is not None:
            yield from self.options[:200]
            return
        for kind in self.kinds:
            if kind == "object":
                yield {name: self.part(self.properties.get(name, {})).simplest() for name in self.required}
                yield {name: self.part(node).simplest() for name, node in list(self.properties.items())[:50]}
            elif kind == "array":
                yield self._items()
            elif kind in ("integer", "number"):
                yield from self._numbers(kind == "integer")
            else:
                yield from {"boolean": (False, True), "null": (None,)}.get(kind) or self._texts()

    def _items(self) -> list[Any]:
        leading, rest = self.subschemas("prefixItems"), self.node.get("items", {})
        count = min(self.count("minItems", 0), _MOST_FILLED)
        parts = [self.part(leading[place] if place < len(leading) else rest) for place in range(count)]
        if self.node.get("uniqueItems") is not True:
            return [part.simplest() for part in parts]
        chosen: list[Any] = []
        for part in parts:
            options = part.options or [part.simplest(), *part._more()]
            fresh = (value for value in options if not any(same(value, taken) for taken in chosen))
            chosen.append(next((value for value in fresh if part.fits(value)), None))
        return chosen

    def _more(self) -> Iterator[Any]:
        """Further values than the simplest one, for lists in which none may come twice."""
        least, most = self.limits()
        start = math.ceil(least) if math.isfinite(least) else math.floor(most) - 60 if math.isfinite(most) else 1
        for kind in self.kinds:
            yield from {"boolean": (False, True), "null": (None,), "string": _SAMPLES}.get(kind, ())
            if kind in ("integer", "number"):
                yield from range(start, start + 60)
            if kind == "string":
                yield from (f"example {number}" for number in range(1, 60))

    def _numbers(self, whole: bool) -> Iterator[float]:
        least, most = self.limits()
        step = self.number("multipleOf") or 1
        yield from (value for value in (1, 0) if least <= value <= most)
        for end, sign in ((least, 1), (most, -1)):
            if math.isfinite(end) and step > 0:
                start = Fraction(str(end)) / Fraction(str(step))
                first = math.ceil(start) if sign > 0 else math.floor(start)
                for number in (first, first + sign):
                    value = number * Fraction(str(step))
                    yield int(value) if value.denominator == 1 else float(value)
        if math.isfinite(least) and math.isfinite(most) and not whole:
            yield (least + most) / 2
        yield int(step) if step == int(step) else step

    def _texts(self) -> Iterator[str]:
        known = _FORMATS.get(str(self.node.get("format")))
        if known:
            yield known[1]
        yield from _SAMPLES
        shortest = min(self.count("minLength", 0), 10 * _MOST_FILLED)
        longest = self.count("maxLength", shortest + 7)
        yield ("example " * (shortest // 8 + 1))[: max(shortest, min(longest, 7))]
        yield from (letter * max(shortest, 1) for letter in "aA0")


def _together(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Join two schemas that both hold."""
    joined = {**one, **other}
    for key in ("properties", "required"):
        first, second = one.get(key), other.get(key)
        if isinstance(first, Mapping) and isinstance(second, Mapping):
            joined[key] = {**first, **second}
        elif isinstance(first, list) and isinstance(second, list):
            joined[key] = [*first, *second]
    return joined


def _allows(schema: Schema, node: Any, value: Any) -> bool:
    return node if isinstance(node, bool) else schema.part(node).fits(value)


def _matches(pattern: str, value: str) -> bool:
    try:
        return len(value) <= _LONGEST_MATCHED and re.search(pattern, value) is not None
    except (re.error, RecursionError, OverflowError):
        return True
