"""Items that a client sends: checked, completed, in GA's form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rtnb.audio.formats import AudioFormat
from rtnb.protocol.dialects import Dialect
from rtnb.service.session import error_events
from rtnb.service.session.checks import json_object, one_of, required
from rtnb.service.session.client_events import Ids
from rtnb.service.session.input_buffer import decode_audio
from rtnb.service.session.items import ItemList, StoredItem

_PARTS = {
    "user": ("input_text", "input_audio", "input_image"),
    "system": ("input_text",),
    "assistant": ("output_text", "output_audio"),
}
_PART_FIELDS = {
    **dict.fromkeys(("input_text", "output_text"), ("type", "text")),
    **dict.fromkeys(("input_audio", "output_audio"), ("type", "audio", "transcript", "format")),
    "input_image": ("type", "image_url", "detail"),
}
_FIELDS = {
    "message": ("role", "content", "phase"),
    "function_call": ("call_id", "name", "arguments"),
    "function_call_output": ("call_id", "output"),
}
_SHARED = ("id", "type", "object", "status")
_IMAGES = ("data:image/png;base64,", "data:image/jpeg;base64,", "data:image/jpg;base64,")


class ItemReader:
    """Reads the items that one session's client sends; `items` are the conversation, with the calls to be answered."""

    def __init__(self, dialect: Dialect, ids: Ids, items: ItemList) -> None:
        self._dialect = dialect
        self._ids = ids
        self._items = items

    def read(self, given: Any, param: str, format: AudioFormat) -> StoredItem:
        """Return the item as it is kept: with an id and a status, its audio (of this format) beside it.

        `InvalidRequest` says what is wrong with it; `param` leads to the field at fault.
        """
        if given is None:
            raise error_events.missing_parameter(param=param)
        kind = one_of(*_FIELDS)(json_object(given, param).get("type"), f"{param}.type")
        _check_fields(given, (*_SHARED, *_FIELDS[kind]), param)
        audio = bytearray()
        body = self._message(given, param, audio) if kind == "message" else self._function(given, kind, param)
        shown = {"id": self._id(given, param), "object": "realtime.item", "type": kind, "status": "completed", **body}
        item = StoredItem(shown, format)
        item.add_audio(bytes(audio))
        return item

    def _id(self, given: Mapping[str, Any], param: str) -> str:
        named = given.get("id")
        if named is None:
            return self._ids.new("item")
        if not isinstance(named, str) or not 0 < len(named) <= 64:
            raise error_events.invalid_type(named, "a string of 1 to 64 characters", f"{param}.id")
        return named

    def _message(self, given: Mapping[str, Any], param: str, audio: bytearray) -> dict[str, Any]:
        role = one_of(*_PARTS)(given.get("role"), f"{param}.role")
        content = given.get("content")
        if not isinstance(content, list):
            raise error_events.invalid_type(content, "a list of content parts", f"{param}.content")
        parts = [self._part(part, role, f"{param}.content[{index}]", audio) for index, part in enumerate(content)]
        return {"role": role, "content": parts}

    def _part(self, part: Any, role: str, param: str, audio: bytearray) -> dict[str, Any]:
        kind = json_object(part, param).get("type")
        known = [each for each in _PARTS[role] if each != "input_image" or self._dialect.takes_images]
        if kind not in known:
            spelled = [self._dialect.item_parts.get(each, each) for each in known]
            raise error_events.invalid_value(kind, spelled, f"{param}.type")
        _check_fields(part, _PART_FIELDS[kind], param)
        if kind.endswith("_text"):
            return {"type": kind, "text": required(part, "text", param)}
        if kind == "input_image":
            return _image(part, param)
        if part.get("audio") is not None:
            audio += decode_audio(part["audio"], f"{param}.audio")
        elif part.get("transcript") is None:
            raise error_events.missing_parameter(param=f"{param}.audio")
        transcript = None if part.get("transcript") is None else required(part, "transcript", param)
        return {"type": kind, "transcript": transcript}

    def _function(self, given: Mapping[str, Any], kind: str, param: str) -> dict[str, Any]:
        if kind == "function_call" and given.get("call_id") is None:
            given = {**given, "call_id": self._ids.new("call", 16)}
        body = {key: required(given, key, param) for key in _FIELDS[kind]}
        if kind == "function_call_output" and body["call_id"] not in self._items.call_ids:
            raise error_events.unknown_call(body["call_id"])
        return body


def _check_fields(given: Mapping[str, Any], known: tuple[str, ...], param: str) -> None:
    for key in given:
        if key not in known:
            raise error_events.unknown_parameter(f"{param}.{key}")


def _image(part: Mapping[str, Any], param: str) -> dict[str, Any]:
    """Check an image part. The image itself is not kept, since nothing here can look at it."""
    if not required(part, "image_url", param).startswith(_IMAGES):
        shown = [f"{each}…" for each in _IMAGES[:2]]
        raise error_events.invalid_value(part["image_url"], shown, f"{param}.image_url")
    detail = one_of("auto", "low", "high")(part.get("detail") or "auto", f"{param}.detail")
    return {"type": "input_image", "detail": detail}
