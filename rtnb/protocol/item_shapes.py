"""The shapes of conversation items and their content parts, in both dialects."""

from __future__ import annotations

from rtnb.protocol.value_shapes import (
    ANYTHING,
    FLAG,
    STRING,
    WHOLE,
    Fields,
    ListOf,
    Shape,
    String,
    Tagged,
    fields,
    fields_of_kind,
    one_of,
)

_TEXT: dict[str, Shape] = {"text": STRING}
_AUDIO: dict[str, Shape] = {"audio": STRING, "transcript": STRING, "format": ANYTHING}
INPUT_PARTS: dict[str, Fields] = {
    "input_text": fields_of_kind("input_text", "text", **_TEXT),
    "input_audio": fields_of_kind("input_audio", **_AUDIO),
}
_IMAGE_PART = fields_of_kind("input_image", image_url=STRING, detail=one_of("auto", "low", "high"))
PARTS: dict[str, Fields] = {
    **INPUT_PARTS,
    "input_image": _IMAGE_PART,
    "output_text": fields_of_kind("output_text", "text", **_TEXT),
    "output_audio": fields_of_kind("output_audio", **_AUDIO),
}
"""The content parts of GA's items."""

PREVIEW_PARTS: dict[str, Fields] = {
    **INPUT_PARTS,
    "text": fields_of_kind("text", "text", **_TEXT),
    "audio": fields_of_kind("audio", **_AUDIO),
}

ROLES = one_of("system", "user", "assistant")
PHASES = one_of("commentary", "final_answer")
"""What is said before an answer, and the answer: Azure's pages on the models of 2026; not in the official types."""

ITEM_STATUS = one_of("completed", "incomplete", "in_progress")
_SHARED: dict[str, Shape] = {"id": String(1, 64), "object": one_of("realtime.item"), "status": ITEM_STATUS}
_CALL: dict[str, Shape] = {"name": STRING, "arguments": STRING}
_FUNCTIONS: dict[str, Fields] = {
    "function_call": fields_of_kind("function_call", "name", "arguments", call_id=STRING, **_CALL, **_SHARED),
    "function_call_output": fields_of_kind(
        "function_call_output", "call_id", "output", call_id=STRING, output=STRING, **_SHARED
    ),
}
_SERVER_LABEL: dict[str, Shape] = {"server_label": STRING}
_MCP_TOOL = fields("name", name=STRING, description=STRING, input_schema=ANYTHING, annotations=ANYTHING)
_MCP_ERRORS = Tagged(
    {
        "protocol_error": fields_of_kind("protocol_error", code=WHOLE, message=STRING),
        "tool_execution_error": fields_of_kind("tool_execution_error", message=STRING),
        "http_error": fields_of_kind("http_error", code=WHOLE, message=STRING),
    }
)
_MCP_ITEMS: dict[str, Fields] = {
    # Its error, where the tools could not be had, is in the type of the Responses API only.
    "mcp_list_tools": fields_of_kind(
        "mcp_list_tools", tools=ListOf(_MCP_TOOL), error=_MCP_ERRORS, **_SERVER_LABEL, **_SHARED
    ),
    "mcp_call": fields_of_kind(
        "mcp_call", approval_request_id=STRING, output=STRING, error=_MCP_ERRORS, **_SERVER_LABEL, **_CALL, **_SHARED
    ),
    "mcp_approval_request": fields_of_kind("mcp_approval_request", **_SERVER_LABEL, **_CALL, **_SHARED),
    "mcp_approval_response": fields_of_kind(
        "mcp_approval_response",
        "approval_request_id",
        "approve",
        approval_request_id=STRING,
        approve=FLAG,
        reason=STRING,
        **_SHARED,
    ),
}
_REFERENCE = fields_of_kind("item_reference", "id", id=STRING)


def _message(parts: dict[str, Fields]) -> Fields:
    return fields_of_kind("message", "role", "content", role=ROLES, content=ListOf(Tagged(parts)), **_SHARED)


ITEMS = Tagged({"message": _message(PARTS).with_fields(phase=PHASES), **_FUNCTIONS, **_MCP_ITEMS})
PREVIEW_ITEMS = Tagged({"message": _message(PREVIEW_PARTS), **_FUNCTIONS})
INPUT_ITEMS = ListOf(Tagged({**ITEMS.kinds, "item_reference": _REFERENCE}))
PREVIEW_INPUT_ITEMS = ListOf(Tagged({**PREVIEW_ITEMS.kinds, "item_reference": _REFERENCE}))
"""What a response may be asked to answer instead of the conversation."""
