"""Client events in GA's shape. A `Dialect` encodes them; the session adds the ``event_id``."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from rtnb.protocol.config import RESPONSE_SETTINGS, nest
from rtnb.protocol.events import encode_base64
from rtnb.protocol.names import Kind

Command = dict[str, Any]
_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_PART_OF_ROLE = {"user": "input_text", "system": "input_text", "assistant": "output_text"}


def new_id(prefix: str, length: int = 21) -> str:
    """Return a new id in the services' form, such as ``event_`` and 21 base62 characters."""
    return f"{prefix}_" + "".join(secrets.choice(_BASE62) for _ in range(length))


def session_update(config: Mapping[str, Any], session_type: str = "realtime") -> Command:
    """Change settings, given in GA's nested form; an update of a session without a type of its own names none."""
    named = {"type": session_type} if session_type else {}
    return {"type": Kind.SESSION_UPDATE.value, "session": {**named, **config}}


def session_close() -> Command:
    """End a translation session; the service sends what is still to come before it confirms."""
    return {"type": Kind.SESSION_CLOSE.value}


def text_part(text: str, role: str = "user") -> dict[str, Any]:
    """Return a text as a content part of a message."""
    return {"type": _PART_OF_ROLE.get(role, "input_text"), "text": text}


def message(content: Sequence[Mapping[str, Any]], role: str = "user") -> Command:
    """Add a message of content parts to the conversation."""
    item = {"type": "message", "role": role, "content": [dict(part) for part in content]}
    return {"type": Kind.ITEM_CREATE.value, "item": item}


def text_message(text: str, role: str = "user") -> Command:
    """Add a text message to the conversation."""
    return message([text_part(text, role)], role)


def approval(request_id: str, *, approve: bool, reason: str = "") -> Command:
    """Approve, or deny, the call of a remote (MCP) tool; the item needs an id of its own."""
    answer = {
        "type": "mcp_approval_response",
        "id": new_id("item"),
        "approval_request_id": request_id,
        "approve": approve,
    }
    return {"type": Kind.ITEM_CREATE.value, "item": {**answer, **({"reason": reason} if reason else {})}}


def append_audio(chunk: bytes) -> Command:
    """Append encoded audio to the input buffer (the session's input format; at most 15 MiB)."""
    return {"type": Kind.INPUT_APPEND.value, "audio": encode_base64(chunk)}


def commit() -> Command:
    """Commit the input buffer as a user item."""
    return {"type": Kind.INPUT_COMMIT.value}


def clear() -> Command:
    """Clear the input buffer."""
    return {"type": Kind.INPUT_CLEAR.value}


def response_create(options: Mapping[str, Any] | None = None) -> Command:
    """Ask for a response; `options` are flat GA settings for this response alone."""
    command: Command = {"type": Kind.RESPONSE_CREATE.value}
    if options:
        command["response"] = nest(options, allowed=RESPONSE_SETTINGS)
    return command


def response_cancel(response_id: str | None = None) -> Command:
    """Cancel a response: the one named, or the one in progress."""
    command: Command = {"type": Kind.RESPONSE_CANCEL.value}
    return {**command, "response_id": response_id} if response_id else command


def item_truncate(item_id: str, audio_end_ms: int, content_index: int = 0) -> Command:
    """Truncate an assistant item to the milliseconds of its audio that were heard."""
    return {
        "type": Kind.ITEM_TRUNCATE.value,
        "item_id": item_id,
        "content_index": content_index,
        "audio_end_ms": audio_end_ms,
    }


def item_delete(item_id: str) -> Command:
    """Delete an item of the conversation."""
    return {"type": Kind.ITEM_DELETE.value, "item_id": item_id}


def item_retrieve(item_id: str) -> Command:
    """Retrieve an item as the service has it, audio included."""
    return {"type": Kind.ITEM_RETRIEVE.value, "item_id": item_id}


def function_output(call_id: str, output: str) -> Command:
    """Add the output of a function call."""
    item = {"type": "function_call_output", "call_id": call_id, "output": output}
    return {"type": Kind.ITEM_CREATE.value, "item": item}
