"""The official client's types beside rtnb's shapes: walks both, and names what only the types have."""

from __future__ import annotations

import inspect
import types
from collections.abc import Iterator
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from openai.types import realtime as ga_types
from openai.types.beta import realtime as preview_types
from pydantic import BaseModel

from rtnb.protocol import dialect_tables
from rtnb.protocol.event_shapes import (
    CLIENT_EVENTS,
    OF_RESPONSE_OBJECT,
    OF_SESSION_OBJECT,
    SERVER_EVENTS,
    SESSION_OBJECT,
    TRANSLATION_SESSION,
)
from rtnb.protocol.item_shapes import PREVIEW_ITEMS
from rtnb.protocol.names import PREVIEW_TRANSCRIPTION_NAME, kind_of
from rtnb.protocol.value_shapes import (
    Anything,
    Combination,
    Either,
    Fields,
    ListOf,
    MapOf,
    OneOf,
    Shape,
    String,
    Tagged,
    Whole,
    either,
    nested_fields,
)

UNIONS = {
    "ga client": (ga_types.RealtimeClientEvent, CLIENT_EVENTS),
    "ga server": (ga_types.RealtimeServerEvent, SERVER_EVENTS),
    "preview client": (preview_types.RealtimeClientEvent, CLIENT_EVENTS),
    "preview server": (preview_types.RealtimeServerEvent, SERVER_EVENTS),
    "translation client": (ga_types.RealtimeTranslationClientEvent, CLIENT_EVENTS),
    "translation server": (ga_types.RealtimeTranslationServerEvent, SERVER_EVENTS),
}
"""The unions of events, and rtnb's shapes of the same."""


def members(annotation: Any) -> list[Any]:
    """Return what a type may be, without None."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) in (Union, types.UnionType):
        return [each for one in get_args(annotation) for each in members(one)]
    return [] if annotation is type(None) else [annotation]


def tags(model: type[BaseModel]) -> tuple[str, ...]:
    """Return the values that a model's ``type`` may have."""
    found = members(model.model_fields["type"].annotation) if "type" in model.model_fields else []
    return tuple(value for each in found if get_origin(each) is Literal for value in get_args(each))


def models(union: Any) -> dict[str, type[BaseModel]]:
    """Return the models of a union of events by the events' names."""
    found = [each for each in members(union) if inspect.isclass(each) and issubclass(each, BaseModel)]
    return {name: model for model in found for name in tags(model)}


def shape_of_event(union: str, name: str) -> Fields | None:
    """Return rtnb's shape of an event; None for one that it does not know."""
    shape = UNIONS[union][1].get(kind_of(name))
    if shape is None or union.startswith("ga"):
        return shape
    given = OF_SESSION_OBJECT if union.endswith("server") else {}
    if union.startswith("translation"):
        session = SESSION_OBJECT.kinds["translation"] if given else TRANSLATION_SESSION
        return shape.with_fields(session=session) if "session" in shape.fields else shape
    only_transcribes = name in PREVIEW_TRANSCRIPTION_NAME.values()
    tree = dialect_tables.PREVIEW_TRANSCRIPTION if only_transcribes else dialect_tables.PREVIEW_SESSION
    response = nested_fields(dialect_tables.PREVIEW_RESPONSE)
    if union.endswith("server"):
        response = response.with_fields(output=ListOf(PREVIEW_ITEMS), **OF_RESPONSE_OBJECT)
    own = {
        "session": nested_fields(tree).with_fields(**given),
        "response": response,
        "item": PREVIEW_ITEMS,
    }
    return shape.with_fields(**{key: each for key, each in own.items() if key in shape.fields})


def unknown(union: str) -> Iterator[str]:
    """Yield the path of each event, field and value of a union that rtnb's shapes do not have."""
    for name, model in models(UNIONS[union][0]).items():
        shape = shape_of_event(union, name)
        if shape is None:
            yield name
        else:
            yield from unknown_in(model, shape, name)


def unknown_in(annotation: Any, shape: Shape, path: str) -> Iterator[str]:
    """Yield what a type has that a shape has not; `path` is where they stand."""
    shapes = _alternatives(shape)
    if any(isinstance(each, Anything) for each in shapes):
        return
    for member in members(annotation):
        if get_origin(member) is Literal:
            yield from (f"{path} = {value!r}" for value in get_args(member) if not _has_value(shapes, value))
        elif get_origin(member) is list:
            inner = [each.each for each in shapes if isinstance(each, ListOf)]
            inner += [OneOf(sum(each.combinations, ())) for each in shapes if isinstance(each, Combination)]
            yield from unknown_in(get_args(member)[0], either(*inner), f"{path}[]") if inner else (path,)
        elif inspect.isclass(member) and issubclass(member, BaseModel):
            yield from _unknown_fields(member, shapes, path)


def _alternatives(shape: Shape) -> list[Shape]:
    return [each for one in shape.shapes for each in _alternatives(one)] if isinstance(shape, Either) else [shape]


def _has_value(shapes: list[Shape], value: Any) -> bool:
    return any(
        (isinstance(each, OneOf) and value in each.values)
        or (isinstance(each, String) and value in each.known)
        or (isinstance(each, Whole) and isinstance(value, int))
        for each in shapes
    )


def _unknown_fields(model: type[BaseModel], shapes: list[Shape], path: str) -> Iterator[str]:
    objects = [each for each in shapes if isinstance(each, (Fields, Tagged, MapOf))]
    kinds = [kind for each in objects if isinstance(each, Tagged) for kind in each.kinds.items()]
    if kinds and (named := tags(model)):
        for name in set(named) - {kind for kind, _ in kinds}:
            yield f"{path}<{name}>"
        kinds = [(kind, each) for kind, each in kinds if kind in named]
        path = f"{path}<{named[0]}>" if len(named) == 1 else path
    found = [each for each in objects if isinstance(each, Fields)] + [each for _, each in kinds]
    if not found and not any(isinstance(each, MapOf) for each in objects):
        yield from () if kinds or any(isinstance(each, Tagged) for each in objects) else (path,)
        return
    for name, field in model.model_fields.items():
        given = [each.fields[name] for each in found if name in each.fields]
        if given:
            yield from unknown_in(field.annotation, either(*given), f"{path}.{name}")
        elif found:
            yield f"{path}.{name}"
