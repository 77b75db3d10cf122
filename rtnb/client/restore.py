"""What restores a session on a new connection: its settings, and its conversation items as commands. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rtnb.conversation.items import IN_PROGRESS, ContentPart, Item
from rtnb.protocol.commands import Command
from rtnb.protocol.config import AUDIO_SETTINGS, RESPONSE_SETTINGS, SESSION_SETTINGS, copy_tree, look, put
from rtnb.protocol.images import IMAGE_PART
from rtnb.protocol.item_words import APPROVAL_REQUEST, APPROVAL_RESPONSE, MCP_CALL, MCP_LIST_TOOLS
from rtnb.protocol.names import Kind

_LANGUAGE = ("audio", "output", "language")  # of a translation
_UNFINISHED = (IN_PROGRESS, "incomplete")
_MADE_ANEW = (MCP_LIST_TOOLS, APPROVAL_RESPONSE)
_TOP = sorted(
    (SESSION_SETTINGS | RESPONSE_SETTINGS)
    - set(AUDIO_SETTINGS)
    - {"type", "audio", "conversation", "input", "metadata"}
)


def settings_to_restore(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings in effect, in GA's nested form, without what a service gives by itself or leaves empty."""
    kept: dict[str, Any] = {"type": config["type"]} if config.get("type") == "transcription" else {}
    for path in [*((word,) for word in _TOP), *AUDIO_SETTINGS.values(), _LANGUAGE]:
        value = look(config, path)
        # Turn detection that is off has to be sent; for anything else None is what a new session begins with.
        if value is not None or (path == AUDIO_SETTINGS["turn_detection"] and look(config, path, "") is None):
            put(kept, path, copy_tree(value))
    return kept


def items_to_restore(items: Iterable[Item]) -> tuple[list[Command], list[str]]:
    """Return the commands that add the conversation's items again, and in words what cannot be restored.

    Speech is restored as its transcript, because a service takes no assistant audio; a truncated answer as what was heard
    of it. The calls of remote tools are restored with their results, the approvals before them are not: they would call the
    tools again. The lists of remote tools come from their settings.
    """
    made: list[Command] = []
    lost: list[str] = []
    for item in items:
        if item.type in _MADE_ANEW or (item.type == APPROVAL_REQUEST and item.approve is not None):
            continue
        restored = _restored(item)
        if restored is None:
            lost.append(f"{item.role or item.type} {item.id} {_why_not(item)}")
            continue
        made.append({"type": Kind.ITEM_CREATE.value, "item": {"id": item.id, **restored}})
        if any(part.type == IMAGE_PART and part.image is None for part in item.content.values()):
            lost.append(f"the image of {item.role} {item.id}")
    return made, lost


def _restored(item: Item) -> dict[str, Any] | None:
    if item.type == "function_call" and item.status not in _UNFINISHED:
        call = {"call_id": item.call_id, "name": item.name, "arguments": item.arguments}
        return {"type": item.type, **call}
    if item.type == "function_call_output":
        return {"type": item.type, "call_id": item.call_id, "output": item.output}
    if item.type == MCP_CALL and item.status not in ("", *_UNFINISHED):
        call = {"server_label": item.server_label, "name": item.name, "arguments": item.arguments}
        return {"type": item.type, **call, "output": item.output or None, "error": item.error}
    said = item.heard if item.role == "assistant" else item.text
    if item.type != "message" or not (said or item.images):
        return None
    phase = {"phase": item.phase} if item.phase else {}
    parts = [_part(part, item.role) for _, part in sorted(item.content.items())]
    return {"type": "message", "role": item.role or "user", **phase, "content": [each for each in parts if each]}


def _part(part: ContentPart, role: str) -> dict[str, Any] | None:
    if part.image is not None:
        return part.image.part()
    kind, words = "output_text" if role == "assistant" else "input_text", _words(part, role)
    return {"type": kind, "text": words} if words else None


def _words(part: ContentPart, role: str) -> str:
    if part.type == IMAGE_PART:
        return "(an image that is no longer there)"
    return (part.heard_transcript if role == "assistant" else part.transcript) if part.transcript else part.text


def _why_not(item: Item) -> str:
    if item.type in ("function_call", MCP_CALL):
        return "was not finished"
    if item.type == APPROVAL_REQUEST:
        return "waited for an approval, which the new connection does not know of: ask again"
    return "has no words to restore it by" if item.type == "message" else "cannot be sent again"
