"""What restores a session on a new connection: its settings, and its conversation items as commands. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rtnb.conversation.items import IN_PROGRESS, ContentPart, Item
from rtnb.protocol.commands import Command
from rtnb.protocol.config import AUDIO_SETTINGS, RESPONSE_SETTINGS, SESSION_SETTINGS, copy_tree, look, put
from rtnb.protocol.names import Kind

_IMAGE = "input_image"
_LANGUAGE = ("audio", "output", "language")  # of a translation
_UNFINISHED = (IN_PROGRESS, "incomplete")
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
    of it.
    """
    made: list[Command] = []
    lost: list[str] = []
    for item in items:
        restored = _restored(item)
        if restored is None:
            lost.append(f"{item.role or item.type} {item.id} {_why_not(item)}")
            continue
        made.append({"type": Kind.ITEM_CREATE.value, "item": {"id": item.id, **restored}})
        if any(part.type == _IMAGE for part in item.content.values()):
            lost.append(f"the image of {item.role} {item.id}")
    return made, lost


def _restored(item: Item) -> dict[str, Any] | None:
    if item.type == "function_call" and item.status not in _UNFINISHED:
        call = {"call_id": item.call_id, "name": item.name, "arguments": item.arguments}
        return {"type": item.type, **call}
    if item.type == "function_call_output":
        return {"type": item.type, "call_id": item.call_id, "output": item.output}
    if item.type != "message" or not (item.heard if item.role == "assistant" else item.text):
        return None
    kind = "output_text" if item.role == "assistant" else "input_text"
    words = [_words(part, item.role) for _, part in sorted(item.content.items())]
    content = [{"type": kind, "text": each} for each in words if each]
    return {"type": "message", "role": item.role or "user", "content": content}


def _words(part: ContentPart, role: str) -> str:
    if part.type == _IMAGE:
        return "(an image that is no longer there)"
    return (part.heard_transcript if role == "assistant" else part.transcript) if part.transcript else part.text


def _why_not(item: Item) -> str:
    if item.type == "function_call":
        return "was not finished"
    return "has no words to restore it by" if item.type == "message" else "cannot be sent again"
