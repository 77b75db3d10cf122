"""Frames that tell of a failure, and their neighbours that do not: every place that marks failures is tried with both."""

from __future__ import annotations

import json
from typing import Any


def response(type: str, status: str, **details: Any) -> dict[str, Any]:
    return {"type": type, "response": {"id": "resp_1", "status": status, "status_details": details or None}}


def item(type: str, kind: str, **fields: Any) -> dict[str, Any]:
    return {"type": type, "item": {"id": "item_1", "type": kind, "name": "roll", **fields}}


QUOTA = {"type": "server_error", "code": "quota", "message": "No credit."}
_FAILING: list[tuple[Any, str]] = [
    ({"type": "error", "error": QUOTA}, "quota: No credit."),
    ({"type": "error", "error": "No credit."}, "No credit."),
    ({"type": "error", "message": "No credit."}, "No credit."),
    ({"type": "error"}, "an error without words"),
    ({"error": QUOTA}, "quota: No credit."),
    (
        {"type": "conversation.item.input_audio_transcription.failed", "error": QUOTA},
        "the transcription of speech failed: quota: No credit.",
    ),
    ({"type": "mcp_list_tools.failed"}, "an MCP server's tools could not be listed"),
    ({"type": "response.mcp_call.failed"}, "an MCP call failed"),
    (
        item("response.output_item.done", "mcp_call", error={"type": "tool_execution_error", "message": "No dice."}),
        "the MCP call roll failed: tool_execution_error: No dice.",
    ),
    (
        item("conversation.item.done", "mcp_list_tools", status="failed", name=None, server_label="dice"),
        "the list of an MCP server's tools dice failed; the service did not say why",
    ),
    (response("response.done", "failed", error=QUOTA), "the response failed: quota: No credit."),
    (response("response.done", "failed"), "the response failed; the service did not say why"),
    (response("response.created", "failed", error=QUOTA), "the response failed: quota: No credit."),
    (
        response("response.done", "incomplete", reason="max_output_tokens"),
        "the response is incomplete: max_output_tokens",
    ),
    ({"type": "close", "code": 1006, "reason": "cut", "who": "network"}, "the connection ended with code 1006: cut"),
    ({"type": "close", "code": 1001, "who": "service"}, "the connection ended with code 1001; the service did not say why"),
    ({"type": "listener.error", "message": "It raised."}, "It raised."),
    ({"type": "listener.error"}, "a listener raised an exception"),
    ("{", "not JSON"),
    ({"message": "Unauthorized"}, "the event has no type"),
]  # fmt: skip
_FINE: list[Any] = [
    {"type": "response.output_text.delta", "delta": "error"},
    {"type": "conversation.item.input_audio_transcription.completed", "transcript": "failed"},
    {"type": "mcp_list_tools.completed"},
    item("response.output_item.done", "mcp_call", error=None, output="4"),
    item("response.output_item.done", "function_call", error="a field of somebody's own"),
    response("response.created", "in_progress"),
    response("response.done", "completed"),
    response("response.done", "cancelled", reason="turn_detected"),
    {"type": "response.done", "response": {"status": ["failed"], "status_details": 3}},
    {"type": "close", "code": 1000, "who": "service"},
    {"type": "close", "code": 1001, "who": "client"},
    {"type": "a.name.from.the.future", "error": "perhaps"},
]


def _frame(event: Any) -> bytes:
    return event.encode() if isinstance(event, str) else json.dumps(event).encode()


FAILING = [(_frame(event), words) for event, words in _FAILING]
FINE = [_frame(event) for event in _FINE]
