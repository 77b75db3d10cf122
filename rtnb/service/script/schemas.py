"""JSON schemas of functions' arguments: their parts, whether a value fits one, and the simplest value that does. Pure.

Bounded whatever a client sends as a schema: what is not understood allows everything. Not the ``jsonschema`` package,
which makes no values, and whose import takes two seconds where JupyterLab is installed; the tests judge by it.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

__all__ = ["DEEPEST", "FORMATS", "Schema", "fits", "kinds_of", "options_of", "properties_of"]

DEEPEST = 8
_MOST_LOOKS = 2_000  # at parts of one schema, however often it refers to itself
_MOST_ITEMS = 50
#: Of each format: how a text has it, and an example, in which a time is filled in.
FORMATS: Mapping[str, tuple[str, str]] = {
    "date": (r"\b\d{4}-\d\d-\d\d\b", "%Y-%m-%d"),
    "date-time": (r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d)", "%Y-%m-%dT%H:%M:%SZ"),
    "time": (r"\b\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d)", "%H:%M:%SZ"),
    "email": (r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+", "someone@example.com"),
    "uri": (r"\bhttps?://[^\s\"'<>]{1,300}", "https://example.com"),
    "uuid": (r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b", "00000000-0000-4000-8000-000000000000"),
}
_BOUNDS = {"minimum": operator.ge, "maximum": operator.le, "exclusiveMinimum": operator.gt, "exclusiveMaximum": operator.lt}  # fmt: skip
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
        for part in [*([self._target(node["$ref"])] if "$ref" in node else []), *_list(node, "allOf")]:
            whole = _joined(self.branches(part, depth + 1)[0], whole)
        choices = _list(node, "anyOf") or _list(node, "oneOf")
        apart = [_joined(whole, each) for choice in choices for each in self.branches(choice, depth + 1)]
        return apart[:_MOST_ITEMS] or [whole]

    def _target(self, reference: Any) -> Any:
        found = self._root
        for step in filter(None, str(reference).removeprefix("#").split("/")):
            found = found.get(step) if isinstance(found, Mapping) else None
        return found

    def simplest(self, node: Any, depth: int = 0) -> Any:
        """Return null where it is allowed, else a default, an example, an option, or the smallest value of the type."""
        branches = self.branches(node)
        branch = next((each for each in branches if "null" in kinds_of(each)), branches[0])
        if "default" in branch:
            return branch["default"]
        if given := [*options_of(branch), *_list(branch, "examples")]:
            return given[0]
        deeper = depth < DEEPEST and self._left > 0
        match kinds_of(branch)[-1]:
            case "object":
                nodes, required = properties_of(branch)
                return {name: self.simplest(nodes.get(name), depth + 1) for name in required if deeper}
            case "array":
                least = int(min(_number(branch, "minItems", 0), _MOST_ITEMS)) if deeper else 0
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
    guessed = "object" if "properties" in branch else "array" if "items" in branch else "string"
    return sorted(kinds, key=lambda kind: kind == "null") or [guessed]


def options_of(branch: Mapping[str, Any]) -> list[Any]:
    """Return the only values that are allowed; empty: any."""
    return [branch["const"]] if "const" in branch else _list(branch, "enum")


def properties_of(branch: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return the schemas of an object's properties by name, and the names of those that it must have."""
    given = branch.get("properties")
    nodes = {str(name): node for name, node in list(given.items())[:200]} if isinstance(given, Mapping) else {}
    return nodes, [name for name in _list(branch, "required") if isinstance(name, str)]


def fits(branch: Mapping[str, Any], value: Any) -> bool:
    """Return whether a value of one of the branch's types keeps to its limits."""
    if options := options_of(branch):
        return value in options
    if isinstance(value, str | list):
        unit = "Length" if isinstance(value, str) else "Items"
        if not _number(branch, f"min{unit}", 0) <= len(value) <= _number(branch, f"max{unit}", len(value)):
            return False
    if isinstance(value, str) and (form := FORMATS.get(str(branch.get("format")))):
        return re.fullmatch(form[0], value) is not None
    if isinstance(value, int | float) and not isinstance(value, bool):
        step = _number(branch, "multipleOf", 0)
        whole = float(value).is_integer() or "integer" not in kinds_of(branch)
        multiple = step <= 0 or (value / step).is_integer()
        return whole and multiple and all(_BOUNDS[key](value, limit) for key, limit in _limits(branch).items())
    return True


def _list(branch: Mapping[str, Any], key: str) -> list[Any]:
    value = branch.get(key)
    return value[:_MOST_ITEMS] if isinstance(value, list) else []


def _number(branch: Mapping[str, Any], key: str, default: float) -> float:
    value = branch.get(key)
    if isinstance(value, int | float) and not isinstance(value, bool) and -1e300 < value < 1e300:
        return value
    return default


def _limits(branch: Mapping[str, Any]) -> dict[str, float]:
    return {key: limit for key in _BOUNDS if math.isfinite(limit := _number(branch, key, math.inf))}


def _joined(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Return a schema that asks for what both do."""
    joined = {**one, **other}
    if "properties" in joined or "required" in joined:
        (nodes, required), (more, needed) = properties_of(one), properties_of(other)
        joined |= {"properties": nodes | more, "required": required + needed}
    return joined


def _numbers(branch: Mapping[str, Any]) -> Iterator[float]:
    step = _number(branch, "multipleOf", 1) or 1
    ends = _limits(branch).values()
    near = [(end // step + more) * step for end in ends for more in (0, 1, -1)]
    for value in (1, 0, step, *near, sum(ends) / max(1, len(ends))):
        yield int(value) if float(value).is_integer() else value


def _texts(branch: Mapping[str, Any], now: datetime) -> Iterator[str]:
    form = FORMATS.get(str(branch.get("format")))
    yield now.strftime(form[1]) if form else "example"
    shortest, longest = (int(min(_number(branch, key, 0), 500)) for key in ("minLength", "maxLength"))
    yield ("example " * 63)[: max(shortest, longest)]
