"""The shapes of the larger settings: audio formats, turn detection, transcription, tools, truncation."""

from __future__ import annotations

from typing import Any

from rtnb.protocol.catalog import TRANSCRIPTION_MODELS
from rtnb.protocol.value_shapes import (
    ANYTHING,
    FLAG,
    STRING,
    Decimal,
    ListOf,
    MapOf,
    String,
    Tagged,
    Whole,
    either,
    fields,
    fields_of_kind,
    one_of,
)

FORMAT_OBJECTS: dict[str, dict[str, Any]] = {
    "pcm16": {"type": "audio/pcm", "rate": 24000},
    "g711_ulaw": {"type": "audio/pcmu"},
    "g711_alaw": {"type": "audio/pcma"},
}
"""The audio formats: the preview dialect's name, which rtnb uses too, and GA's object."""

PREVIEW_FORMATS = one_of(*FORMAT_OBJECTS)
FORMATS = Tagged(
    {
        "audio/pcm": fields_of_kind("audio/pcm", rate=Whole(24000, 24000)),
        "audio/pcmu": fields_of_kind("audio/pcmu"),
        "audio/pcma": fields_of_kind("audio/pcma"),
    }
)

_RESPONDING = {"create_response": FLAG, "interrupt_response": FLAG}
_SERVER_VAD = fields_of_kind(
    "server_vad",
    threshold=Decimal(0.0, 1.0),
    prefix_padding_ms=Whole(0, 10_000),
    silence_duration_ms=Whole(0, 60_000),
    **_RESPONDING,
)
_OTHER_VAD = {
    "semantic_vad": fields_of_kind("semantic_vad", eagerness=one_of("low", "medium", "high", "auto"), **_RESPONDING),
    "none": fields_of_kind("none"),  # Azure's preview takes it for null
}
PREVIEW_TURN_DETECTION = Tagged({"server_vad": _SERVER_VAD, **_OTHER_VAD})
GA_TURN_DETECTION = Tagged({"server_vad": _SERVER_VAD.with_fields(idle_timeout_ms=Whole(5_000, 30_000)), **_OTHER_VAD})

SERVER_VAD: dict[str, Any] = {
    **{"type": "server_vad", "threshold": 0.5, "prefix_padding_ms": 300},
    **{"create_response": True, "interrupt_response": True},
}
SEMANTIC_VAD: dict[str, Any] = {
    **{"type": "semantic_vad", "eagerness": "auto"},
    **{"create_response": True, "interrupt_response": True},
}
"""What a kind of turn detection is where it is only named; the silence of the first differs by dialect."""

PREVIEW_TRANSCRIPTION = fields(model=String(known=TRANSCRIPTION_MODELS), language=STRING, prompt=STRING)
GA_TRANSCRIPTION = PREVIEW_TRANSCRIPTION.with_fields(
    delay=one_of("minimal", "low", "medium", "high", "xhigh"), languages=ListOf(STRING), keywords=ListOf(STRING)
)
PREVIEW_NOISE_REDUCTION = fields(type=one_of("near_field", "far_field"))
GA_NOISE_REDUCTION = PREVIEW_NOISE_REDUCTION.with_fields(strength=Decimal(0.0))

LOGPROBS = "item.input_audio_transcription.logprobs"
"""What ``include`` may ask for: the probability of each token of a transcript."""

METADATA = MapOf(String(longest=512), most=16, longest_key=64)
PROMPT = fields("id", id=STRING, version=STRING, variables=MapOf(either(STRING, MapOf(ANYTHING))))
TRACING = either(one_of("auto"), fields(workflow_name=STRING, group_id=STRING, metadata=MapOf(ANYTHING)))
TRUNCATION = either(
    one_of("auto", "disabled"),
    Tagged(
        {
            "retention_ratio": fields_of_kind(
                "retention_ratio",
                "retention_ratio",
                retention_ratio=Decimal(0.0, 1.0),
                token_limits=fields(post_instructions=Whole(1)),
            )
        }
    ),
)
REASONING = fields(effort=one_of("minimal", "low", "medium", "high", "xhigh"))

_FILTER = fields(tool_names=ListOf(STRING), read_only=FLAG)
_CONNECTORS = ("dropbox", "gmail", "googlecalendar", "googledrive", "microsoftteams", "outlookcalendar", "outlookemail")
_FUNCTION = fields_of_kind("function", "name", name=STRING, description=STRING, parameters=MapOf(ANYTHING))
_MCP = fields_of_kind(
    "mcp",
    "server_label",
    server_label=STRING,
    server_url=STRING,
    server_description=STRING,
    connector_id=one_of(*(f"connector_{name}" for name in (*_CONNECTORS, "sharepoint"))),
    authorization=STRING,
    headers=MapOf(STRING),
    allowed_tools=either(ListOf(STRING), _FILTER),
    allowed_callers=ListOf(one_of("direct", "programmatic")),
    require_approval=either(one_of("always", "never"), fields(always=_FILTER, never=_FILTER)),
    defer_loading=FLAG,
    tunnel_id=STRING,
)
FUNCTION_TOOLS = ListOf(Tagged({"function": _FUNCTION}, default="function"))
TOOLS = ListOf(Tagged({"function": _FUNCTION, "mcp": _MCP}, default="function"))
TOOL_CHOICE = either(
    one_of("none", "auto", "required"),
    Tagged(
        {
            "function": fields_of_kind("function", "name", name=STRING),
            "mcp": fields_of_kind("mcp", "server_label", server_label=STRING, name=STRING),
        }
    ),
)
