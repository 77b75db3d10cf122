"""Which fields a client event may have: a frame is read, measured and checked against what its dialect knows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from rtnb.protocol.dialects import Dialect
from rtnb.protocol.names import CLIENT_KINDS, Kind, kind_of
from rtnb.service.session import refusals

LARGEST_EVENT = 256 * 1024
"""Bytes of an event that is not audio: what is sent back with it must stay below 1 MiB, the old clients' limit."""

_DEEPEST = 64
_FIELDS: dict[str, tuple[str, ...]] = {
    Kind.SESSION_UPDATE: ("session",),
    Kind.ITEM_CREATE: ("item", "previous_item_id"),
    Kind.ITEM_DELETE: ("item_id",),
    Kind.ITEM_RETRIEVE: ("item_id",),
    Kind.ITEM_TRUNCATE: ("item_id", "content_index", "audio_end_ms"),
    Kind.INPUT_APPEND: ("audio",),
    Kind.RESPONSE_CREATE: ("response",),
    Kind.RESPONSE_CANCEL: ("response_id",),
}


def read_event(raw: bytes | str) -> dict[str, Any]:
    """Return the JSON object that a frame holds.

    Raises
    ------
    Refusal
        It holds none, or one that is nested too deep.
    """
    try:
        event = orjson.loads(raw)
    except ValueError as error:
        raise refusals.not_json(str(error)) from None
    if not isinstance(event, dict):
        raise refusals.not_json("it holds a JSON value that is not an object")
    if _depth(event) > _DEEPEST:
        raise refusals.too_deep(_DEEPEST)
    return event


def check_event(event: Mapping[str, Any], size: int, dialect: Dialect) -> Kind:
    """Return what kind of client event it is.

    Parameters
    ----------
    event : mapping
        As it came, in the client's dialect.
    size : int
        Bytes of its frame.
    dialect : Dialect
        Whose words ``session`` and ``response`` may hold.

    Raises
    ------
    Refusal
        No type or an unknown one, a field or a word that the dialect does not have, a size beyond `LARGEST_EVENT`.
    """
    name = event.get("type")
    if name is None:
        raise refusals.no_type()
    kind = kind_of(name) if isinstance(name, str) else ""
    if kind not in CLIENT_KINDS:
        raise refusals.invalid_value(name, sorted(CLIENT_KINDS), "type")
    if size > LARGEST_EVENT and kind != Kind.INPUT_APPEND and (bare := size - _media(event)) > LARGEST_EVENT:
        raise refusals.too_large(bare, LARGEST_EVENT)
    allowed: dict[str, Any] = dict.fromkeys(("type", "event_id", *_FIELDS.get(kind, ())))
    for key, words in (("session", _session_words(event, dialect)), ("response", dialect.response_settings)):
        if event.get(key) is not None and key in allowed:
            allowed[key] = words
    _check_words(event, allowed, "")
    if not isinstance(event.get("event_id"), (str, type(None))):
        raise refusals.invalid_type(event["event_id"], "a string", "event_id")
    return Kind(kind)


def _session_words(event: Mapping[str, Any], dialect: Dialect) -> Mapping[str, Any]:
    session = event.get("session")
    typed = isinstance(session, Mapping) and session.get("type") == "transcription" and dialect.typed_session
    return (
        dialect.transcription_settings if typed or dialect.only_transcribes(event["type"]) else dialect.session_settings
    )


def _media(event: Mapping[str, Any]) -> int:
    """Return how many characters of an event are sound and images, which no answer repeats."""
    found, level = 0, [event.get("item"), event.get("response")]
    while level:
        each = level.pop()
        if isinstance(each, Mapping):
            found += sum(len(each[key]) for key in ("audio", "image_url") if isinstance(each.get(key), str))
            level += each.values()
        elif isinstance(each, list):
            level += each
    return found


def _check_words(given: Any, known: Mapping[str, Any], path: str) -> None:
    if not isinstance(given, Mapping):
        raise refusals.invalid_type(given, "an object", path.rstrip("."))
    for key, value in given.items():
        if key not in known:
            raise refusals.unknown_parameter(f"{path}{key}")
        if isinstance(known[key], Mapping) and value is not None:
            _check_words(value, known[key], f"{path}{key}.")


def _depth(value: Any) -> int:
    """Return how deep a value is nested; by levels, since recursion is what a hostile one would break."""
    level, depth = [value], 0
    while level and depth <= _DEEPEST:
        inner: list[Any] = []
        for each in level:
            if isinstance(each, dict):
                inner += each.values()
            elif isinstance(each, list):
                inner += each
        level, depth = inner, depth + 1
    return depth
