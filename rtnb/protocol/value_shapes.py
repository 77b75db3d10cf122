"""What a field of the protocol may hold: shapes of JSON values, as data.

The tables of settings, items and events are made of them. The local service checks what a client sends by them, and tests
compare them with the official client's types.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Anything:
    """Any value."""


@dataclass(frozen=True, slots=True)
class String:
    """A string of some length; `known` are values with a meaning, among which others are possible."""

    shortest: int = 0
    longest: int | None = None
    known: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of some strings."""

    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Flag:
    """True or false."""


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number from `low` to `high`."""

    low: int | None = None
    high: int | None = None


@dataclass(frozen=True, slots=True)
class Decimal:
    """A number from `low` to `high`."""

    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list of values of one shape."""

    each: Shape


@dataclass(frozen=True, slots=True)
class Combination:
    """A list of names of which only some go together, in any order."""

    combinations: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class MapOf:
    """An object with keys of the client's own; at most `most` of them, of at most `longest_key` characters."""

    each: Shape
    most: int | None = None
    longest_key: int | None = None


@dataclass(frozen=True, slots=True)
class Fields:
    """An object with these fields and no others; a field may be null unless it is `required`."""

    fields: Mapping[str, Shape]
    required: tuple[str, ...] = ()

    def with_fields(self, **fields: Shape) -> Fields:
        """Return this shape with more fields, or other shapes for its own."""
        return replace(self, fields={**self.fields, **fields})


@dataclass(frozen=True, slots=True)
class Tagged:
    """An object whose ``type`` says which fields it has; `default` is the type of one that gives none."""

    kinds: Mapping[str, Fields]
    default: str = ""


@dataclass(frozen=True, slots=True)
class Either:
    """One of some shapes, of which each is a JSON type of its own."""

    shapes: tuple[Shape, ...]


Shape = Anything | String | OneOf | Flag | Whole | Decimal | ListOf | Combination | MapOf | Fields | Tagged | Either

ANYTHING, STRING, FLAG = Anything(), String(), Flag()
WHOLE, DECIMAL = Whole(), Decimal()


def one_of(*values: str) -> OneOf:
    """Return the shape of one of some strings."""
    return OneOf(values)


def either(*shapes: Shape) -> Either:
    """Return the shape of a value that has one of some shapes."""
    return Either(shapes)


def fields(*required: str, **shapes: Shape) -> Fields:
    """Return the shape of an object; `required` names the fields that must be there."""
    return Fields(shapes, required)


def fields_of_kind(kind: str, *required: str, **shapes: Shape) -> Fields:
    """Return the shape of an object of one ``type``."""
    return Fields({"type": OneOf((kind,)), **shapes}, required)


def nested_fields(tree: Mapping[str, Any]) -> Fields:
    """Return a tree, which has shapes where it ends, as the shape of an object."""
    return Fields({key: nested_fields(each) if isinstance(each, Mapping) else each for key, each in tree.items()})


def accepts(shape: Shape, value: Any) -> bool:
    """Return whether a value has the JSON type of a shape, whatever is in it."""
    match shape:
        case Anything():
            return True
        case String() | OneOf():
            return isinstance(value, str)
        case Flag():
            return isinstance(value, bool)
        case Whole():
            return isinstance(value, int) and not isinstance(value, bool)
        case Decimal():
            return isinstance(value, (int, float)) and not isinstance(value, bool)
        case ListOf() | Combination():
            return isinstance(value, list)
        case MapOf() | Fields() | Tagged():
            return isinstance(value, dict)
        case Either():
            return any(accepts(each, value) for each in shape.shapes)
