"""Events on the wire: the ids of the service's own, and how a client's are read, measured and checked."""

from __future__ import annotations

import random
import string
from collections.abc import Mapping
from typing import Any

import orjson

from rtnb.protocol.config import look
from rtnb.protocol.dialects import Dialect
from rtnb.protocol.names import CLIENT_KINDS, TRANSLATION_NAME, Kind, kind_of
from rtnb.service.session import error_events

Events = list[dict[str, Any]]
"""Server events in GA's form, in the order in which they are sent."""

LARGEST_EVENT = 256 * 1024
"""Bytes of an event that is not audio: what is sent back with it must stay below 1 MiB, the old clients' limit."""

_DEEPEST = 64
_BASE62 = string.digits + string.ascii_letters
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


class Ids:
    """Makes ids in the services' form: ``item_``, ``resp_``, ``event_`` … and base62 characters; repeatable by seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def new(self, prefix: str, length: int = 21) -> str:
        """Return a fresh id."""
        return f"{prefix}_" + "".join(self._random.choices(_BASE62, k=length))


def read_event(raw: bytes | str) -> dict[str, Any]:
    """Return the JSON object in a frame.

    Raises
    ------
    InvalidRequest
        The frame holds no JSON object, or one that is nested too deep.
    """
    try:
        event = orjson.loads(raw)
    except ValueError as error:
        raise error_events.not_json(str(error)) from None
    if not isinstance(event, dict):
        raise error_events.not_json("it holds a JSON value that is not an object")
    if _depth(event) > _DEEPEST:
        raise error_events.too_deep(_DEEPEST)
    return event


def check_event(event: Mapping[str, Any], size: int, dialect: Dialect) -> Kind:
    """Return the kind of a client event, given in its dialect; `size` is its frame's, in bytes.

    Raises
    ------
    InvalidRequest
        No type or an unknown one, a field or a setting that the dialect does not have, a size beyond `LARGEST_EVENT`.
    """
    name = event.get("type")
    if name is None:
        raise error_events.no_type()
    kind = kind_of(name) if isinstance(name, str) else ""
    if kind not in CLIENT_KINDS or name in TRANSLATION_NAME.values():
        raise error_events.invalid_value(name, sorted(CLIENT_KINDS), "type")
    if size > LARGEST_EVENT and kind != Kind.INPUT_APPEND and (bare := size - _media(event)) > LARGEST_EVENT:
        raise error_events.too_large(bare, LARGEST_EVENT)
    allowed: dict[str, Any] = dict.fromkeys(("type", "event_id", *_FIELDS.get(kind, ())))
    session = _session_settings(event, dialect)
    for key, settings in (("session", session), ("response", dialect.response_settings)):
        if event.get(key) is not None and key in allowed:
            allowed[key] = settings
    _check_fields(event, allowed, "")
    if not isinstance(event.get("event_id"), (str, type(None))):
        raise error_events.invalid_type(event["event_id"], "a string", "event_id")
    return Kind(kind)


def _session_settings(event: Mapping[str, Any], dialect: Dialect) -> Mapping[str, Any]:
    typed = dialect.typed_session and look(event, ("session", "type")) == "transcription"
    return (
        dialect.transcription_settings if typed or dialect.only_transcribes(event["type"]) else dialect.session_settings
    )


def _media(event: Mapping[str, Any]) -> int:
    """Return how many characters of an event are audio and images, which no answer repeats."""
    found, level = 0, [event.get("item"), event.get("response")]
    while level:
        each = level.pop()
        if isinstance(each, Mapping):
            found += sum(len(each[key]) for key in ("audio", "image_url") if isinstance(each.get(key), str))
            level += each.values()
        elif isinstance(each, list):
            level += each
    return found


def _check_fields(given: Any, known: Mapping[str, Any], path: str) -> None:
    if not isinstance(given, Mapping):
        raise error_events.invalid_type(given, "an object", path.rstrip("."))
    for key, value in given.items():
        if key not in known:
            raise error_events.unknown_parameter(f"{path}{key}")
        if isinstance(known[key], Mapping) and value is not None:
            _check_fields(value, known[key], f"{path}{key}.")


def _depth(value: Any) -> int:
    """Return how deep a value is nested; level by level, since a hostile one would exhaust a recursion."""
    level, depth = [value], 0
    while level and depth <= _DEEPEST:
        inner: list[Any] = []
        for each in level:
            inner += each.values() if isinstance(each, dict) else each if isinstance(each, list) else ()
        level, depth = inner, depth + 1
    return depth
