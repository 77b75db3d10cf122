"""The three ways of taking turns that a panel offers, as the setting of turn detection that each of them is. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rtnb.protocol.config import look

DETECTED = "detected"
MANUAL = "manual"
PUSH = "push"
WORDS = {
    DETECTED: "server VAD: it answers by itself",
    PUSH: "push-to-talk: hold, speak, let go",
    MANUAL: "manual: you ask for the answer",
}


def turn_mode(config: Mapping[str, Any]) -> str:
    """Return which of the ways a session's settings (GA's nested form) are."""
    detection = look(config, ("audio", "input", "turn_detection"))
    if not isinstance(detection, Mapping):
        return PUSH
    return MANUAL if detection.get("create_response") is False else DETECTED


def turn_detection(mode: str, config: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the setting that makes `mode` of what is in effect: the same kind of detection, where there is one."""
    if mode == PUSH:
        return None
    before = look(config, ("audio", "input", "turn_detection"))
    kind = before.get("type") if isinstance(before, Mapping) else None
    return {"type": kind or "server_vad", "create_response": mode == DETECTED}
