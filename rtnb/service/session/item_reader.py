"""Items that a client sends: checked, completed, in GA's form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rtnb.audio.formats import AudioFormat
from rtnb.protocol.dialects import Dialect
from rtnb.protocol.value_shapes import one_of
from rtnb.service.session import error_events
from rtnb.service.session.checks import check, required
from rtnb.service.session.client_events import Ids
from rtnb.service.session.input_buffer import decode_audio
from rtnb.service.session.items import ItemList, StoredItem

_PARTS = {
    "user": ("input_text", "input_audio", "input_image"),
    "system": ("input_text",),
    "assistant": ("output_text", "output_audio"),
}
_KINDS = ("message", "function_call", "function_call_output")
_MCP_KINDS = ("mcp_call", "mcp_approval_response")  # the first to restore a conversation; the tool is not called
_MCP_FIELDS = ("server_label", "name", "arguments", "approval_request_id", "approve", "reason", "output", "error")
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
        kind = given["type"]
        check(one_of(*_KINDS, *_MCP_KINDS), kind, f"{param}.type")
        if kind in _MCP_KINDS:
            return self._remote(given, kind, param)
        audio = bytearray()
        body = self._message(given, param, audio) if kind == "message" else self._function(given, kind)
        shown = {"id": self._id(given), "object": "realtime.item", "type": kind, "status": "completed", **body}
        item = StoredItem(shown, format)
        item.add_audio(bytes(audio))
        return item

    def _remote(self, given: Mapping[str, Any], kind: str, param: str) -> StoredItem:
        """Return an item of MCP, which the official types have without a status."""
        for name in ("server_label", "name", "arguments") if kind == "mcp_call" else ():
            required(given, name, param)
        if given.get("error"):
            required(given["error"], "message", f"{param}.error")
        fields = {key: given[key] for key in _MCP_FIELDS if key in given}
        return StoredItem({"id": self._id(given), "type": kind, **fields})

    def _id(self, given: Mapping[str, Any]) -> str:
        return given.get("id") or self._ids.new("item")

    def _message(self, given: Mapping[str, Any], param: str, audio: bytearray) -> dict[str, Any]:
        role = given["role"]
        parts = [
            self._part(part, role, f"{param}.content[{index}]", audio) for index, part in enumerate(given["content"])
        ]
        phase = {key: given[key] for key in ("phase",) if given.get(key) and role == "assistant"}
        return {"role": role, "content": parts, **phase}

    def _part(self, part: Any, role: str, param: str, audio: bytearray) -> dict[str, Any]:
        kind = part["type"]
        known = [each for each in _PARTS[role] if each != "input_image" or self._dialect.takes_images]
        if kind not in known:
            spelled = [self._dialect.item_parts.get(each, each) for each in known]
            raise error_events.invalid_value(kind, spelled, f"{param}.type")
        if kind.endswith("_text"):
            return {"type": kind, "text": part["text"]}
        if kind == "input_image":
            return _image(part, param)
        if part.get("audio") is not None:
            audio += decode_audio(part["audio"], f"{param}.audio")
        elif part.get("transcript") is None:
            raise error_events.missing_parameter(param=f"{param}.audio")
        return {"type": kind, "transcript": part.get("transcript")}

    def _function(self, given: Mapping[str, Any], kind: str) -> dict[str, Any]:
        if kind == "function_call" and given.get("call_id") is None:
            given = {**given, "call_id": self._ids.new("call", 16)}
        named = ("call_id", "name", "arguments") if kind == "function_call" else ("call_id", "output")
        body = {key: given[key] for key in named}
        if kind == "function_call_output" and body["call_id"] not in self._items.call_ids:
            raise error_events.unknown_call(body["call_id"])
        return body


def _image(part: Mapping[str, Any], param: str) -> dict[str, Any]:
    """Check an image part. The image itself is not kept, since nothing here can look at it."""
    if not required(part, "image_url", param).startswith(_IMAGES):
        shown = [f"{each}…" for each in _IMAGES[:2]]
        raise error_events.invalid_value(part["image_url"], shown, f"{param}.image_url")
    return {"type": "input_image", "detail": part.get("detail") or "auto"}
