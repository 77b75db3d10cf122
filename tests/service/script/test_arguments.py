from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from rtnb.service.script.arguments import fill

from .schema_strategies import junk_schemas, object_schemas

NOW = datetime(2025, 3, 14, 9, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "schema", "value"),
    [
        ("on 2026-05-03 please", {"type": "string", "format": "date"}, "2026-05-03"),
        ("some day", {"type": "string", "format": "date"}, "2025-03-14"),
        ("tomorrow", {"type": "string", "format": "date-time"}, "2025-03-15T09:05:00Z"),
        ("1,200 euros", {"type": "number"}, 1200),
        ("minus five", {"type": "integer"}, -5),
        ("minus five", {"type": "integer", "minimum": 0}, 1),
        ("it is 2.5 or so", {"type": "number"}, 2.5),
        ("see https://example.com/a now", {"type": "string", "format": "uri"}, "https://example.com/a"),
        ("with cheese and ham", {"type": "array", "items": {"enum": ["ham", "cheese", "olives"]}}, ["ham", "cheese"]),
        ("3, 5 and 8", {"type": "array", "items": {"type": "integer"}}, [3, 5, 8]),
        ("nothing here", {"type": ["string", "null"]}, None),
        ("nothing here", {"anyOf": [{"type": "integer"}, {"type": "null"}]}, None),
        ("x is forty", {"$ref": "#/$defs/n"}, 40),
        ("please", {"type": "string", "default": "metric"}, "metric"),
        ("please", {"type": "string", "examples": ["Oslo"]}, "Oslo"),
        ("please", {"enum": ["celsius", "fahrenheit"]}, "celsius"),
        ("in fahrenheit", {"enum": ["celsius", "fahrenheit"]}, "fahrenheit"),
        ("please", {"type": "integer", "exclusiveMinimum": 6, "multipleOf": 3}, 9),
        ("please", {"allOf": [{"type": "object", "required": ["a"], "properties": {"a": {"type": "boolean"}}},
                              {"required": ["b"], "properties": {"b": {"const": 2}}}]}, {"a": False, "b": 2}),
        ("please", {"type": "array", "minItems": 2, "items": {"type": "integer", "minimum": 5}}, [5, 5]),
    ],
)  # fmt: skip
def test_a_required_argument_is_found_or_made_up(text: str, schema: Any, value: Any) -> None:
    """What the text gives is read; what is not said is as simple as allowed."""
    parameters = {"properties": {"x": schema}, "required": ["x"], "$defs": {"n": {"type": "integer"}}}
    assert fill(parameters, text, NOW) == {"x": value}


def test_known_values_come_first() -> None:
    """A value that is given for an argument is taken, in the type that the schema wants."""
    parameters = {"properties": {"city": {"type": "string"}, "days": {"type": "integer"}}, "required": ["city"]}
    assert fill(parameters, "in Rome for 2 days", NOW, {"city": "Oslo", "days": "three"}) == {"city": "Oslo", "days": 3}


SAID = ["weather", "in", "Paris", "five", "and", "7", "tomorrow", "off", "true", "a", "b", "abc", "x_y", "kitchen", '"quoted"', ",", "2025-01-02"]  # fmt: skip
words = st.lists(st.sampled_from(SAID) | st.text(max_size=5), max_size=12).map(" ".join)


@given(object_schemas, words)
def test_arguments_always_fit(schema: dict[str, Any], text: str) -> None:
    """Whatever is said, the arguments are valid by the standard's validator, for every schema that can be fulfilled."""
    Draft202012Validator(schema).validate(fill(schema, text, NOW))


@given(junk_schemas, words)
def test_junk_is_survived(schema: Any, text: str) -> None:
    """Whatever stands where a schema should, nothing throws and what is made is a JSON object."""
    made = fill(schema, text, NOW)
    assert isinstance(made, dict)
    json.dumps(made)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]},
        {"$ref": "#"},
        {"allOf": [{"$ref": "#"}, {"$ref": "#"}, {"$ref": "#"}]},
        {"anyOf": [{"$ref": "#"}] * 16},
        {"required": ["x"], "properties": {"x": {"type": "array", "minItems": 10**9, "items": {"type": "array", "minItems": 10**9, "items": {"$ref": "#"}}}}},
        {"required": ["x"], "properties": {"x": {"type": "string", "minLength": 10**9}}},
        {"required": ["x"], "properties": {"x": {"type": "string", "pattern": "(a+)+$"}}},
        {"required": ["x"], "properties": {"x": {"type": "string", "pattern": "("}}},
        {"$defs": {"x": {"type": "object", "required": list("abcdefgh"), "properties": {name: {"$ref": "#/$defs/x"} for name in "abcdefgh"}}},
         "$ref": "#/$defs/x"},
        {"required": ["x"], "properties": {"x": {"type": "integer", "minimum": 10**400}}},
        {"required": ["x"], "properties": {"x": {"type": "number", "multipleOf": 1e-300, "minimum": 1e299}}},
    ],
)  # fmt: skip
def test_a_schema_without_end_ends(schema: Any) -> None:
    """Schemas that refer to themselves or ask for giants give a small value at once."""
    assert len(json.dumps(fill(schema, "five a a a", NOW))) < 200_000
