"""The fields of each event, in GA's form: those that a client may send, and those that a service sends.

The local service refuses a client event that has others. What a service sends is taken as it comes; the table says what of
it is known, so that a test can name what the official client's types have beyond it.
"""

from __future__ import annotations

from rtnb.protocol import dialect_tables
from rtnb.protocol.item_shapes import ITEMS
from rtnb.protocol.names import Kind
from rtnb.protocol.value_shapes import (
    ANYTHING,
    DECIMAL,
    STRING,
    WHOLE,
    Fields,
    ListOf,
    Shape,
    Tagged,
    Whole,
    fields,
    fields_of_kind,
    nested_fields,
    one_of,
)

GA_SESSION, GA_TRANSCRIPTION = nested_fields(dialect_tables.GA_SESSION), nested_fields(dialect_tables.GA_TRANSCRIPTION)
GA_RESPONSE, TRANSLATION_SESSION = (
    nested_fields(dialect_tables.GA_RESPONSE),
    nested_fields(dialect_tables.TRANSLATION_SESSION),
)
_ID: dict[str, Shape] = {"item_id": STRING}
_CLIENT: dict[str, dict[str, Shape]] = {
    Kind.SESSION_UPDATE: {"session": Tagged({"realtime": GA_SESSION, "transcription": GA_TRANSCRIPTION})},
    Kind.ITEM_CREATE: {"item": ITEMS, "previous_item_id": STRING},
    Kind.ITEM_DELETE: _ID,
    Kind.ITEM_RETRIEVE: _ID,
    Kind.ITEM_TRUNCATE: {**_ID, "content_index": Whole(0), "audio_end_ms": Whole(0)},
    Kind.INPUT_APPEND: {"audio": STRING},
    Kind.INPUT_COMMIT: {},
    Kind.INPUT_CLEAR: {},
    Kind.OUTPUT_CLEAR: {},
    Kind.RESPONSE_CREATE: {"response": GA_RESPONSE},
    Kind.RESPONSE_CANCEL: {"response_id": STRING},
    Kind.SESSION_CLOSE: {},
}

_ERROR: dict[str, Shape] = dict.fromkeys(("type", "code", "message", "param"), STRING)
_KINDS_OF_TOKENS = dict.fromkeys(("text_tokens", "audio_tokens", "image_tokens"), WHOLE)
_TOKENS: dict[str, Shape] = dict.fromkeys(("total_tokens", "input_tokens", "output_tokens"), WHOLE)
_USAGE = fields(
    input_token_details=fields(cached_tokens=WHOLE, cached_tokens_details=Fields(_KINDS_OF_TOKENS), **_KINDS_OF_TOKENS),
    output_token_details=Fields(_KINDS_OF_TOKENS),
    **_TOKENS,
)
_TRANSCRIPTION_USAGE = Tagged(
    {
        "tokens": fields_of_kind("tokens", input_token_details=Fields(_KINDS_OF_TOKENS), **_TOKENS),
        "duration": fields_of_kind("duration", seconds=DECIMAL),
    }
)
_STATUS_DETAILS = fields(
    type=one_of("completed", "cancelled", "incomplete", "failed"),
    reason=one_of("turn_detected", "client_cancelled", "max_output_tokens", "content_filter"),
    error=Fields(_ERROR),
)
OF_RESPONSE_OBJECT: dict[str, Shape] = {
    "id": STRING,
    "object": one_of("realtime.response"),
    "conversation_id": STRING,
    "status": one_of("completed", "cancelled", "failed", "incomplete", "in_progress"),
    "status_details": _STATUS_DETAILS,
    "usage": _USAGE,
}
"""What a response object has besides its settings and its output."""

OF_SESSION_OBJECT: dict[str, Shape] = {"id": STRING, "object": STRING, "expires_at": WHOLE}
"""What a session object has besides its settings."""

RESPONSE_OBJECT = GA_RESPONSE.with_fields(output=ListOf(ITEMS), **OF_RESPONSE_OBJECT)
SESSION_OBJECT = Tagged(
    {
        "realtime": GA_SESSION.with_fields(**OF_SESSION_OBJECT),
        "transcription": GA_TRANSCRIPTION.with_fields(**OF_SESSION_OBJECT),
        "translation": TRANSLATION_SESSION.with_fields(type=one_of("translation"), model=STRING, **OF_SESSION_OBJECT),
    }
)

_LOGPROBS = ListOf(fields(token=STRING, logprob=DECIMAL, bytes=ListOf(WHOLE)))
_IN_ITEM: dict[str, Shape] = {**_ID, "content_index": WHOLE}
_OF_RESPONSE: dict[str, Shape] = {"response_id": STRING}
_IN_RESPONSE: dict[str, Shape] = {**_OF_RESPONSE, "output_index": WHOLE}
_IN_OUTPUT: dict[str, Shape] = {**_IN_RESPONSE, **_ID}
_IN_PART: dict[str, Shape] = {**_IN_RESPONSE, **_IN_ITEM}
_PART = fields(type=one_of("text", "audio"), text=STRING, audio=STRING, transcript=STRING)
_DELTA: dict[str, Shape] = {**_IN_PART, "delta": STRING}
_PLACED_ITEM: dict[str, Shape] = {"item": ITEMS, "previous_item_id": STRING}
_CALL: dict[str, Shape] = {**_IN_OUTPUT, "call_id": STRING}
_SPAN: dict[str, Shape] = {"audio_start_ms": WHOLE, "audio_end_ms": WHOLE}
_LIMIT = fields(name=one_of("requests", "tokens"), limit=WHOLE, remaining=WHOLE, reset_seconds=DECIMAL)
_SERVER: dict[str, dict[str, Shape]] = {
    Kind.SESSION_CREATED: {"session": SESSION_OBJECT},
    Kind.SESSION_UPDATED: {"session": SESSION_OBJECT},
    Kind.SESSION_CLOSED: {},
    Kind.CONVERSATION_CREATED: {"conversation": fields(id=STRING, object=one_of("realtime.conversation"))},
    Kind.ITEM_ADDED: _PLACED_ITEM,
    Kind.ITEM_DONE: _PLACED_ITEM,
    Kind.ITEM_DELETED: _ID,
    Kind.ITEM_RETRIEVED: {"item": ITEMS},
    Kind.ITEM_TRUNCATED: {**_IN_ITEM, "audio_end_ms": WHOLE},
    Kind.INPUT_TRANSCRIPTION_DELTA: {**_IN_ITEM, "delta": STRING, "logprobs": _LOGPROBS},
    Kind.INPUT_TRANSCRIPTION_SEGMENT: {
        **_IN_ITEM,
        **{"id": STRING, "speaker": STRING, "start": DECIMAL, "end": DECIMAL, "text": STRING},
    },
    Kind.INPUT_TRANSCRIPTION_COMPLETED: {
        **_IN_ITEM,
        **{"transcript": STRING, "usage": _TRANSCRIPTION_USAGE, "logprobs": _LOGPROBS},
        "languages": ListOf(fields(code=STRING)),
    },
    Kind.INPUT_TRANSCRIPTION_FAILED: {**_IN_ITEM, "error": Fields(_ERROR)},
    Kind.INPUT_COMMITTED: {**_ID, "previous_item_id": STRING},
    Kind.INPUT_CLEARED: {},
    Kind.SPEECH_STARTED: {**_ID, "audio_start_ms": WHOLE},
    Kind.SPEECH_STOPPED: {**_ID, "audio_end_ms": WHOLE},
    Kind.INPUT_TIMEOUT: {**_ID, **_SPAN},
    Kind.INPUT_DTMF: {"event": STRING, "received_at": WHOLE},
    Kind.OUTPUT_STARTED: _OF_RESPONSE,
    Kind.OUTPUT_STOPPED: _OF_RESPONSE,
    Kind.OUTPUT_CLEARED: _OF_RESPONSE,
    Kind.RESPONSE_CREATED: {"response": RESPONSE_OBJECT},
    Kind.RESPONSE_DONE: {"response": RESPONSE_OBJECT},
    Kind.OUTPUT_ITEM_ADDED: {**_IN_RESPONSE, "item": ITEMS},
    Kind.OUTPUT_ITEM_DONE: {**_IN_RESPONSE, "item": ITEMS},
    Kind.PART_ADDED: {**_IN_PART, "part": _PART},
    Kind.PART_DONE: {**_IN_PART, "part": _PART},
    Kind.TEXT_DELTA: _DELTA,
    Kind.AUDIO_DELTA: _DELTA,
    Kind.TRANSCRIPT_DELTA: _DELTA,
    Kind.TEXT_DONE: {**_IN_PART, "text": STRING},
    Kind.AUDIO_DONE: _IN_PART,
    Kind.TRANSCRIPT_DONE: {**_IN_PART, "transcript": STRING},
    Kind.ARGUMENTS_DELTA: {**_CALL, "delta": STRING},
    Kind.ARGUMENTS_DONE: {**_CALL, "arguments": STRING, "name": STRING},
    Kind.MCP_ARGUMENTS_DELTA: {**_IN_OUTPUT, "delta": STRING},
    Kind.MCP_ARGUMENTS_DONE: {**_IN_OUTPUT, "arguments": STRING},
    **dict.fromkeys((Kind.MCP_CALL_IN_PROGRESS, Kind.MCP_CALL_COMPLETED, Kind.MCP_CALL_FAILED), _IN_OUTPUT),
    **dict.fromkeys((Kind.MCP_LIST_IN_PROGRESS, Kind.MCP_LIST_COMPLETED, Kind.MCP_LIST_FAILED), _ID),
    Kind.RATE_LIMITS: {"rate_limits": ListOf(_LIMIT)},
    Kind.ERROR: {"error": fields(event_id=STRING, **_ERROR)},
}
_EVERY: dict[str, Shape] = {"type": ANYTHING, "event_id": STRING}

CLIENT_EVENTS: dict[str, Fields] = {kind: Fields({**_EVERY, **_CLIENT[kind]}) for kind in _CLIENT}
"""The fields of a client's events, by GA name."""

SERVER_EVENTS: dict[str, Fields] = {kind: Fields({**_EVERY, **found}) for kind, found in _SERVER.items()}
"""The fields of a service's events, by GA name."""
