"""JSON schemas of functions' arguments: their parts, whether a value fits one, and the simplest value that does.

Pure, and bounded whatever a client sends as a schema: what is not understood allows everything. Not the ``jsonschema``
package, which makes no values, and whose import takes two seconds where JupyterLab is installed; the tests judge by it.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from fractions import Fraction
from typing import Any

__all__ = ["DEEPEST", "FORMATS", "Schema", "fits", "kinds_of", "options_of", "properties_of", "required_of"]

DEEPEST = 8
_MOST_LOOKS = 2_000  # at parts of one schema, however often it refers to itself
_MOST_ITEMS = 50
_LONGEST_MATCHED = 24  # characters that a pattern is tried on, because a pattern may take exponentially long
#: Of each format: how a text has it, and an example, in which a time is filled in.
FORMATS: Mapping[str, tuple[str, str]] = {
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
_BOUNDS = {"minimum": operator.ge, "maximum": operator.le, "exclusiveMinimum": operator.gt, "exclusiveMaximum": operator.lt}  # fmt: skip
_HINTS = {"object": ("properties", "required"), "array": ("items",), "number": (*_BOUNDS, "multipleOf")}
_KINDS = ("string", "boolean", "integer", "number", "array", "object", "null")


class Schema:
    """A schema that is looked up by its parts.

    Parameters
    ----------
    root : object
        As JSON; anything at all.
    now : datetime
        For required dates and times.
    """

    def __init__(self, root: Any, now: datetime) -> None:
        self._root, self._now, self._left = root, now, _MOST_LOOKS

    def branches(self, node: Any, depth: int = 0) -> list[dict[str, Any]]:
        """Return the plain alternatives of a part: references followed, ``allOf`` joined, ``anyOf`` taken apart."""
        self._left -= 1
        if depth > DEEPEST or self._left < 0 or not isinstance(node, Mapping):
            return [{}]
        whole = {key: value for key, value in node.items() if key not in ("$ref", "allOf", "anyOf", "oneOf")}
        for part in [*([self._target(node["$ref"])] if "$ref" in node else []), *_list(node.get("allOf"))]:
            whole = _joined(self.branches(part, depth + 1)[0], whole)
        choices = _list(node.get("anyOf")) or _list(node.get("oneOf"))
        apart = [_joined(whole, each) for choice in choices for each in self.branches(choice, depth + 1)]
        return apart[:_MOST_ITEMS] or [whole]

    def _target(self, reference: Any) -> Any:
        found = self._root
        for step in filter(None, str(reference).removeprefix("#").split("/")):
            found = found.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(found, Mapping) else None
        return found

    def simplest(self, node: Any, depth: int = 0) -> Any:
        """Return null where it is allowed, else a default, an example, an option, or the smallest value of the type."""
        branches = self.branches(node)
        branch = next((each for each in branches if "null" in kinds_of(each)), branches[0])
        if "default" in branch:
            return branch["default"]
        if given := [*options_of(branch), *_list(branch.get("examples"))]:
            return given[0]
        deeper = depth < DEEPEST and self._left > 0
        match kinds_of(branch)[-1]:
            case "object":
                nodes = properties_of(branch)
                return {name: self.simplest(nodes.get(name), depth + 1) for name in required_of(branch) if deeper}
            case "array":
                least = int(min(_number(branch, "minItems") or 0, _MOST_ITEMS)) if deeper else 0
                return [self.simplest(branch.get("items"), depth + 1) for _ in range(least)]
            case "string":
                return next((text for text in _texts(branch, self._now) if fits(branch, text)), "example")
            case "boolean":
                return False
            case "null":
                return None
        return next((value for value in _numbers(branch) if fits(branch, value)), 1)


def kinds_of(branch: Mapping[str, Any]) -> list[str]:
    """Return the types that are allowed, null last; guessed from the other keywords where none is named."""
    named = branch.get("type")
    kinds = [kind for kind in (named if isinstance(named, list) else [named]) if kind in _KINDS]
    kinds = kinds or [kind for kind, keys in _HINTS.items() if any(key in branch for key in keys)][:1] or ["string"]
    return sorted(kinds, key=lambda kind: kind == "null")


def options_of(branch: Mapping[str, Any]) -> list[Any]:
    """Return the only values that are allowed; empty: any."""
    return [branch["const"]] if "const" in branch else _list(branch.get("enum"))


def properties_of(branch: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schemas of an object's properties by name, at most two hundred."""
    given = branch.get("properties")
    return {str(name): node for name, node in list(given.items())[:200]} if isinstance(given, Mapping) else {}


def required_of(branch: Mapping[str, Any]) -> list[str]:
    """Return the names of the properties that an object must have."""
    return [name for name in _list(branch.get("required")) if isinstance(name, str)]


def fits(branch: Mapping[str, Any], value: Any) -> bool:
    """Return whether a value of one of the branch's types keeps to its limits."""
    if isinstance(value, str):
        form, pattern = FORMATS.get(str(branch.get("format"))), branch.get("pattern")
        if options_of(branch):
            return True
        if not _within(branch, "Length", value) or (form and not re.fullmatch(form[0], value)):
            return False
        try:
            return not isinstance(pattern, str) or (
                len(value) <= _LONGEST_MATCHED and re.search(pattern, value) is not None
            )
        except (re.error, RecursionError, OverflowError):
            return True
    if isinstance(value, int | float) and not isinstance(value, bool):
        step = _number(branch, "multipleOf") or 0
        limits = {key: limit for key in _BOUNDS if (limit := _number(branch, key)) is not None}
        whole = value == int(value) or "integer" not in kinds_of(branch)
        multiple = step <= 0 or Fraction(str(value)) % Fraction(str(step)) == 0
        return whole and multiple and all(_BOUNDS[key](value, limit) for key, limit in limits.items())
    return not isinstance(value, list) or _within(branch, "Items", value)


def _within(branch: Mapping[str, Any], unit: str, value: str | list[Any]) -> bool:
    most = _number(branch, f"max{unit}")
    return (_number(branch, f"min{unit}") or 0) <= len(value) <= (len(value) if most is None else most)


def _list(value: Any) -> list[Any]:
    return value[:_MOST_ITEMS] if isinstance(value, list) else []


def _number(branch: Mapping[str, Any], key: str) -> float | None:
    value = branch.get(key)
    return value if isinstance(value, int | float) and not isinstance(value, bool) and -1e300 < value < 1e300 else None


def _joined(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Return a schema that asks for what both do."""
    joined = {**one, **other}
    if "properties" in one and "properties" in other:
        joined["properties"] = {**properties_of(one), **properties_of(other)}
    if "required" in one and "required" in other:
        joined["required"] = [*required_of(one), *required_of(other)]
    return joined


def _numbers(branch: Mapping[str, Any]) -> Iterator[float]:
    step = Fraction(str(_number(branch, "multipleOf") or 1))
    ends = [Fraction(str(end)) for key in _BOUNDS if (end := _number(branch, key)) is not None]
    near = [(end // step + more) * step for end in ends for more in (0, 1, -1)]
    for value in (Fraction(1), Fraction(0), step, *near, sum(ends, Fraction(0)) / max(1, len(ends))):
        yield int(value) if value.denominator == 1 else float(value)


def _texts(branch: Mapping[str, Any], now: datetime) -> Iterator[str]:
    form = FORMATS.get(str(branch.get("format")))
    yield from [now.strftime(form[1])] if form else []
    yield from _SAMPLES
    shortest, longest = (int(min(_number(branch, key) or 0, 500)) for key in ("minLength", "maxLength"))
    yield from (letters[: max(shortest, longest)] for letters in ("example " * 63, "A" * 500, "0" * 500))
    yield "a" * shortest
