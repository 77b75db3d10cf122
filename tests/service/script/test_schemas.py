from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from jsonschema import Draft202012Validator

from rtnb.service.script.schemas import Schema

from .schema_strategies import json_values, junk_schemas, schemas


@given(schemas)
def test_the_simplest_value_fits(schema: dict[str, Any]) -> None:
    """For every schema that can be fulfilled there is a value, and it is valid by the standard's own validator."""
    Draft202012Validator(schema).validate(Schema(schema).simplest())


@given(schemas, json_values)
def test_fitting_means_what_the_standard_means(schema: dict[str, Any], value: Any) -> None:
    """A value is judged as the standard's validator judges it, apart from the formats, which that one does not check."""
    if "format" not in json.dumps(schema):
        assert Schema(schema).fits(value) == Draft202012Validator(schema).is_valid(value)


@given(junk_schemas, json_values)
def test_junk_is_survived(schema: Any, value: Any) -> None:
    """Whatever stands where a schema should, nothing throws and what is made is JSON."""
    Schema(schema).fits(value)
    json.dumps(Schema(schema).simplest())


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]},
        {"$ref": "#"},
        {"allOf": [{"$ref": "#"}, {"$ref": "#"}, {"$ref": "#"}]},
        {"anyOf": [{"$ref": "#"}] * 16},
        {"type": "array", "minItems": 10**9, "items": {"type": "array", "minItems": 10**9, "items": {"$ref": "#"}}},
        {"type": "string", "minLength": 10**9},
        {"type": "string", "pattern": "(a+)+$"},
        {"type": "string", "pattern": "("},
        {"$defs": {"x": {"type": "object", "required": list("abcdefgh"), "properties": {name: {"$ref": "#/$defs/x"} for name in "abcdefgh"}}},
         "$ref": "#/$defs/x"},
        {"type": "integer", "minimum": 10**400},
        {"type": "number", "multipleOf": 1e-300, "minimum": 1e300},
    ],
)  # fmt: skip
def test_a_schema_without_end_ends(schema: Any) -> None:
    """Schemas that refer to themselves or ask for giants give a small value at once."""
    assert len(json.dumps(Schema(schema).simplest())) < 200_000


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "string", "default": "metric"}, "metric"),
        ({"type": "string", "examples": ["Oslo"]}, "Oslo"),
        ({"type": ["null", "integer"]}, 1),
        ({"enum": ["celsius", "fahrenheit"]}, "celsius"),
        ({"type": "integer", "exclusiveMinimum": 6, "multipleOf": 3}, 9),
        ({"$defs": {"unit": {"const": "K"}}, "properties": {"unit": {"$ref": "#/$defs/unit"}}, "required": ["unit"]}, {"unit": "K"}),
        ({"allOf": [{"required": ["a"], "properties": {"a": {"type": "boolean"}}}, {"required": ["b"], "properties": {"b": {"const": 2}}}]},
         {"a": False, "b": 2}),
        ({"type": "string", "pattern": "^[A-Z]{3}$"}, "ABC"),
        ({"type": "array", "uniqueItems": True, "minItems": 3, "items": {"type": "integer", "minimum": 5}}, [5, 6, 7]),
    ],
)  # fmt: skip
def test_the_simplest_value_is_sensible(schema: Any, value: Any) -> None:
    """Defaults, examples and the keywords decide what is taken."""
    assert Schema(schema).simplest() == value
