"""Schemas as hypothesis makes them: those that people write for functions, and junk in their place."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**6), 10**6) | st.floats(-1e12, 1e12) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip
KEYWORDS = ["type", "enum", "const", "properties", "required", "items", "anyOf", "oneOf", "allOf", "not", "$ref", "pattern", "minimum",
            "maximum", "multipleOf", "minItems", "minLength", "format", "default", "examples", "uniqueItems"]  # fmt: skip
junk_schemas = st.recursive(
    json_values | st.sampled_from(["string", "object", "#", "#/properties/a", "integer", "array"]),
    lambda inner: st.dictionaries(st.sampled_from([*KEYWORDS, "a"]), inner, max_size=5) | st.lists(inner, max_size=3),
    max_leaves=15,
)
names = st.text("abcxyz_", min_size=1, max_size=6)


def _numbers(kind: str) -> st.SearchStrategy[dict[str, Any]]:
    limits = st.tuples(st.integers(-50, 50), st.integers(0, 50))
    return limits.flatmap(
        lambda pair: st.fixed_dictionaries(
            {"type": st.just(kind)}, optional={"minimum": st.just(pair[0]), "maximum": st.just(sum(pair))}
        )
    )


plain_schemas = (
    st.just({"type": "boolean"})
    | _numbers("integer")
    | _numbers("number")
    | st.builds(lambda step: {"type": "integer", "multipleOf": step}, st.integers(1, 9))
    | st.builds(lambda low, span: {"type": "string", "minLength": low, "maxLength": low + span}, st.integers(0, 40), st.integers(0, 9))
    | st.builds(lambda kind: {"type": "string", "format": kind}, st.sampled_from(["date", "date-time", "email", "uri", "uuid", "time"]))
    | st.builds(lambda values: {"enum": values}, st.lists(st.text(max_size=8) | st.integers() | st.booleans(), min_size=1, max_size=4))
    | st.builds(lambda value: {"const": value}, json_values)
)  # fmt: skip


def _object(properties: dict[str, Any], required: list[str], closed: bool) -> dict[str, Any]:
    return {
        "type": "object", "properties": properties, "required": [name for name in required if name in properties],
        "additionalProperties": not closed,
    }  # fmt: skip


def _objects(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(names, inner, max_size=4).flatmap(
        lambda properties: st.builds(
            _object, st.just(properties), st.lists(st.sampled_from([*properties, "-"]), max_size=4), st.booleans()
        )
    )


def _containers(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return (
        _objects(inner)
        | st.builds(lambda item, least: {"type": "array", "items": item, "minItems": least}, inner, st.integers(0, 3))
        | st.builds(lambda choices: {"anyOf": choices}, st.lists(inner, min_size=1, max_size=3))
        | st.builds(lambda part: {"anyOf": [part, {"type": "null"}]}, inner)
    )


#: Schemas as people write them for functions; each can be fulfilled.
schemas = st.recursive(plain_schemas, _containers, max_leaves=8)
object_schemas = _objects(schemas)
