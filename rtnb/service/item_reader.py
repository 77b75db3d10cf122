"""Items that a client sends: checked, completed, in GA's form."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rtnb.protocol.dialects import Dialect
from rtnb.service import refusals
from rtnb.service.ids import Ids

_TEXT_PARTS = {"user": "input_text", "system": "input_text", "assistant": "output_text"}
_UNHEARD = {"input_audio": "audio in items", "input_image": "images"}
_WORDS = {
    "message": ("role", "content"),
    "function_call": ("call_id", "name", "arguments"),
    "function_call_output": ("call_id", "output"),
}
_SHARED = ("id", "type", "object", "status")


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
    """

    def __init__(self, dialect: Dialect, ids: Ids, calls: Callable[[], set[str]]) -> None:
        self._dialect = dialect
        self._ids = ids
        self._calls = calls

    def __call__(self, given: Any, param: str) -> dict[str, Any]:
        """Return the item as it is kept: with an id, its object name and status.

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
        body = self._message(given, param) if kind == "message" else self._function(given, kind, param)
        item_id = self._id(given, param)
        return {"id": item_id, "object": "realtime.item", "type": kind, "status": "completed", **body}

    def _id(self, given: Mapping[str, Any], param: str) -> str:
        named = given.get("id")
        if named is None:
            return self._ids.new("item")
        if not isinstance(named, str) or not 0 < len(named) <= 64:
            raise refusals.invalid_type(named, "a string of 1 to 64 characters", f"{param}.id")
        return named

    def _message(self, given: Mapping[str, Any], param: str) -> dict[str, Any]:
        role, content = given.get("role"), given.get("content")
        if not isinstance(role, str) or role not in _TEXT_PARTS:
            raise refusals.invalid_value(role, _TEXT_PARTS, f"{param}.role")
        if not isinstance(content, list):
            raise refusals.invalid_type(content, "a list of content parts", f"{param}.content")
        parts = [self._part(part, role, f"{param}.content[{index}]") for index, part in enumerate(content)]
        return {"role": role, "content": parts}

    def _part(self, part: Any, role: str, param: str) -> dict[str, Any]:
        if not isinstance(part, Mapping):
            raise refusals.invalid_type(part, "an object", param)
        kind, expected = part.get("type"), _TEXT_PARTS[role]
        if isinstance(kind, str) and kind in _UNHEARD:
            raise refusals.unsupported(_UNHEARD[kind], f"{param}.type")
        if kind != expected:
            spelled = self._dialect.item_parts.get(expected, expected)
            raise refusals.invalid_value(kind, (spelled,), f"{param}.type")
        if not isinstance(part.get("text"), str):
            raise refusals.invalid_type(part.get("text"), "a string", f"{param}.text")
        return {"type": expected, "text": part["text"]}

    def _function(self, given: Mapping[str, Any], kind: str, param: str) -> dict[str, Any]:
        body: dict[str, str] = {}
        for key in _WORDS[kind]:
            value = given.get(key)
            if value is None and (key, kind) == ("call_id", "function_call"):
                value = self._ids.new("call")
            if value is None:
                raise refusals.missing_parameter(f"{param}.{key}")
            if not isinstance(value, str):
                raise refusals.invalid_type(value, "a string", f"{param}.{key}")
            body[key] = value
        if kind == "function_call_output" and body["call_id"] not in self._calls():
            raise refusals.unknown_call(body["call_id"])
        return body
