"""Checks of what a client sends, by the shapes of `rtnb.protocol`: what does not fit raises `InvalidRequest`.

The errors have the codes and the words of the cloud services, as people's logs show them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rtnb.protocol.value_shapes import (
    STRING,
    Anything,
    Combination,
    Decimal,
    Either,
    Fields,
    Flag,
    ListOf,
    MapOf,
    OneOf,
    Shape,
    String,
    Tagged,
    Whole,
    accepts,
)
from rtnb.service.session import error_events


def check(shape: Shape | Mapping[str, Any], value: Any, param: str) -> None:
    """Check a value; `param` is its path in the client's event, "" for the event itself.

    A mapping stands for an object with these fields.

    Raises
    ------
    InvalidRequest
        It does not fit, with the path of what does not.
    """
    shape = Fields(shape) if isinstance(shape, Mapping) else shape
    if not accepts(shape, value):
        raise error_events.invalid_type(value, expected(shape), param)
    match shape:
        case Either():
            check(next(each for each in shape.shapes if accepts(each, value)), value, param)
        case OneOf():
            if value not in shape.values:
                raise error_events.invalid_value(value, shape.values, param)
        case String():
            if len(value) < shape.shortest:
                raise error_events.empty_string(param=param)
            if shape.longest is not None and len(value) > shape.longest:
                raise error_events.too_long(shape.longest, len(value), param=param)
        case Whole() | Decimal():
            _check_range(shape, value, param)
        case ListOf():
            for index, each in enumerate(value):
                check(shape.each, each, f"{param}[{index}]")
        case Combination():
            if tuple(sorted(map(str, value))) not in shape.combinations:
                raise error_events.invalid_combination(value, shape.combinations, param)
        case MapOf():
            _check_map(shape, value, param)
        case Tagged():
            _check_tagged(shape, value, param)
        case Fields():
            _check_fields(shape, value, param)


def expected(shape: Shape) -> str:
    """Return in words which JSON type a shape is of."""
    match shape:
        case Anything():
            return "a value"
        case OneOf():
            return (
                f"one of {error_events.listed(shape.values, 'or')}" if len(shape.values) > 1 else repr(shape.values[0])
            )
        case String():
            return "a string"
        case Flag():
            return "a boolean"
        case Whole():
            return "an integer"
        case Decimal():
            return "a decimal"
        case ListOf() | Combination():
            return "an array"
        case MapOf() | Fields() | Tagged():
            return "an object"
        case Either():
            return "one of " + " or ".join(expected(each).removeprefix("one of ") for each in shape.shapes)


def required(given: Mapping[str, Any], key: str, param: str, shape: Shape = STRING) -> Any:
    """Return a field that must be there, and fit; `param` names the object that has it, "" for the event."""
    path = f"{param}.{key}" if param else key
    if given.get(key) is None:
        raise error_events.missing_parameter(param=path)
    check(shape, given[key], path)
    return given[key]


def _check_range(shape: Whole | Decimal, value: float, param: str) -> None:
    kind = "integer" if isinstance(shape, Whole) else "decimal"
    if shape.low is not None and value < shape.low:
        raise error_events.below_minimum(kind, shape.low, value, param)
    if shape.high is not None and value > shape.high:
        raise error_events.above_maximum(kind, shape.high, value, param)
    if value != value:  # NaN
        raise error_events.invalid_type(value, f"a {kind}", param)


def _check_map(shape: MapOf, value: Mapping[str, Any], param: str) -> None:
    if shape.most is not None and len(value) > shape.most:
        raise error_events.too_many_properties(shape.most, len(value), param=param)
    for key, each in value.items():
        if shape.longest_key is not None and len(key) > shape.longest_key:
            raise error_events.too_long(shape.longest_key, len(key), param=f"{param}.{key[:80]}")
        check(shape.each, each, f"{param}.{key}")


def _check_tagged(shape: Tagged, value: Mapping[str, Any], param: str) -> None:
    kind = value.get("type", shape.default or None)
    path = f"{param}.type" if param else "type"
    if kind is None:
        raise error_events.missing_parameter(param=path)
    check(OneOf(tuple(shape.kinds)), kind, path)
    check(shape.kinds[kind], value, param)


def _check_fields(shape: Fields, value: Mapping[str, Any], param: str) -> None:
    begin = f"{param}." if param else ""
    for key, each in value.items():
        if key not in shape.fields:
            raise error_events.unknown_parameter(f"{begin}{key}")
        if each is not None and (inner := shape.fields[key]) is not None:
            check(inner, each, f"{begin}{key}")
    for key in shape.required:
        if value.get(key) is None:
            raise error_events.missing_parameter(param=f"{begin}{key}")
