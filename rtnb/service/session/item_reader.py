"""Items that a client sends: checked, completed, in GA's form."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rtnb.audio.formats import AudioFormat
from rtnb.protocol.dialects import Dialect
from rtnb.service.session import refusals
from rtnb.service.session.held_item import HeldItem
from rtnb.service.session.ids import Ids
from rtnb.service.session.input_buffer import decode_audio

_PARTS = {
    "user": ("input_text", "input_audio", "input_image"),
    "system": ("input_text",),
    "assistant": ("output_text", "output_audio"),
}
_PART_WORDS = {
    **dict.fromkeys(("input_text", "output_text"), ("type", "text")),
    **dict.fromkeys(("input_audio", "output_audio"), ("type", "audio", "transcript", "format")),
    "input_image": ("type", "image_url", "detail"),
}
_WORDS = {
    "message": ("role", "content", "phase"),
    "function_call": ("call_id", "name", "arguments"),
    "function_call_output": ("call_id", "output"),
}
_SHARED = ("id", "type", "object", "status")
_IMAGES = ("data:image/png;base64,", "data:image/jpeg;base64,", "data:image/jpg;base64,")


class ItemReader:
    """Reads the items of one session's client.

    Parameters
    ----------
    dialect : Dialect
        Whose names the errors use.
    ids : Ids
        Names an item that has none.
    calls : callable
        Returns the call ids that an output may answer.
    input_format : callable
        Returns the format of the user's sound.
    """

    def __init__(
        self, dialect: Dialect, ids: Ids, calls: Callable[[], set[str]], input_format: Callable[[], AudioFormat]
    ) -> None:
        self._dialect = dialect
        self._ids = ids
        self._calls = calls
        self._input_format = input_format

    def __call__(self, given: Any, param: str) -> HeldItem:
        """Return the item as it is kept: with an id, its object name and status, its sound beside it.

        Raises
        ------
        Refusal
            It is not an item that the service knows; `param` leads to the field at fault.
        """
        if given is None:
            raise refusals.missing_parameter(param)
        if not isinstance(given, Mapping):
            raise refusals.invalid_type(given, "an object", param)
        kind = given.get("type")
        if not isinstance(kind, str) or kind not in _WORDS:
            raise refusals.invalid_value(kind, _WORDS, f"{param}.type")
        for key in given:
            if key not in (*_SHARED, *_WORDS[kind]):
                raise refusals.unknown_parameter(f"{param}.{key}")
        sound = bytearray()
        body = self._message(given, param, sound) if kind == "message" else self._function(given, kind, param)
        item = {"id": self._id(given, param), "object": "realtime.item", "type": kind, "status": "completed", **body}
        held = HeldItem(item, format=self._input_format())
        held.say(bytes(sound))
        return held

    def _id(self, given: Mapping[str, Any], param: str) -> str:
        named = given.get("id")
        if named is None:
            return self._ids.new("item")
        if not isinstance(named, str) or not 0 < len(named) <= 64:
            raise refusals.invalid_type(named, "a string of 1 to 64 characters", f"{param}.id")
        return named

    def _message(self, given: Mapping[str, Any], param: str, sound: bytearray) -> dict[str, Any]:
        role, content = given.get("role"), given.get("content")
        if not isinstance(role, str) or role not in _PARTS:
            raise refusals.invalid_value(role, _PARTS, f"{param}.role")
        if not isinstance(content, list):
            raise refusals.invalid_type(content, "a list of content parts", f"{param}.content")
        parts = [self._part(part, role, f"{param}.content[{index}]", sound) for index, part in enumerate(content)]
        return {"role": role, "content": parts}

    def _part(self, part: Any, role: str, param: str, sound: bytearray) -> dict[str, Any]:
        if not isinstance(part, Mapping):
            raise refusals.invalid_type(part, "an object", param)
        kind = part.get("type")
        if not isinstance(kind, str) or kind not in _PARTS[role]:
            spelled = [self._dialect.item_parts.get(each, each) for each in _PARTS[role]]
            raise refusals.invalid_value(kind, spelled, f"{param}.type")
        for key in part:
            if key not in _PART_WORDS[kind]:
                raise refusals.unknown_parameter(f"{param}.{key}")
        if kind.endswith("_text"):
            return {"type": kind, "text": _string(part, "text", param)}
        if kind == "input_image":
            return self._image(part, param)
        if part.get("audio") is not None:
            sound += decode_audio(part["audio"], f"{param}.audio")
        elif part.get("transcript") is None:
            raise refusals.missing_parameter(f"{param}.audio")
        return {
            "type": kind,
            "transcript": None if part.get("transcript") is None else _string(part, "transcript", param),
        }

    def _image(self, part: Mapping[str, Any], param: str) -> dict[str, Any]:
        """The image itself is not kept: nobody looks at it."""
        if not self._dialect.takes_images:
            raise refusals.invalid_value("input_image", _PARTS["user"][:2], f"{param}.type")
        if not _string(part, "image_url", param).startswith(_IMAGES):
            raise refusals.invalid_value(part["image_url"], [f"{each}…" for each in _IMAGES[:2]], f"{param}.image_url")
        detail = part.get("detail") or "auto"
        if detail not in ("auto", "low", "high"):
            raise refusals.invalid_value(detail, ("auto", "low", "high"), f"{param}.detail")
        return {"type": "input_image", "detail": detail}

    def _function(self, given: Mapping[str, Any], kind: str, param: str) -> dict[str, Any]:
        body: dict[str, str] = {}
        for key in _WORDS[kind]:
            if given.get(key) is None and (key, kind) == ("call_id", "function_call"):
                body[key] = self._ids.new("call", 16)
            else:
                body[key] = _string(given, key, param)
        if kind == "function_call_output" and body["call_id"] not in self._calls():
            raise refusals.unknown_call(body["call_id"])
        return body


def _string(given: Mapping[str, Any], key: str, param: str) -> str:
    value = given.get(key)
    if value is None:
        raise refusals.missing_parameter(f"{param}.{key}")
    if not isinstance(value, str):
        raise refusals.invalid_type(value, "a string", f"{param}.{key}")
    return value
