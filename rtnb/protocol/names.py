"""Event names, as they are on the wire: no other module spells one.

`kind_of` returns the name in today's protocol (GA) for either dialect's spelling, so that everything above this package
uses one vocabulary. The list was checked against the official client's types.
"""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """The GA name of each event of a realtime WebSocket session, client events first."""

    SESSION_UPDATE = "session.update"
    ITEM_CREATE = "conversation.item.create"
    ITEM_DELETE = "conversation.item.delete"
    ITEM_RETRIEVE = "conversation.item.retrieve"
    ITEM_TRUNCATE = "conversation.item.truncate"
    INPUT_APPEND = "input_audio_buffer.append"
    INPUT_COMMIT = "input_audio_buffer.commit"
    INPUT_CLEAR = "input_audio_buffer.clear"
    OUTPUT_CLEAR = "output_audio_buffer.clear"
    RESPONSE_CREATE = "response.create"
    RESPONSE_CANCEL = "response.cancel"
    SESSION_CLOSE = "session.close"

    SESSION_CREATED = "session.created"
    SESSION_UPDATED = "session.updated"
    SESSION_CLOSED = "session.closed"
    CONVERSATION_CREATED = "conversation.created"
    ITEM_ADDED = "conversation.item.added"
    ITEM_DONE = "conversation.item.done"
    ITEM_DELETED = "conversation.item.deleted"
    ITEM_RETRIEVED = "conversation.item.retrieved"
    ITEM_TRUNCATED = "conversation.item.truncated"
    INPUT_TRANSCRIPTION_DELTA = "conversation.item.input_audio_transcription.delta"
    INPUT_TRANSCRIPTION_SEGMENT = "conversation.item.input_audio_transcription.segment"
    INPUT_TRANSCRIPTION_COMPLETED = "conversation.item.input_audio_transcription.completed"
    INPUT_TRANSCRIPTION_FAILED = "conversation.item.input_audio_transcription.failed"
    INPUT_COMMITTED = "input_audio_buffer.committed"
    INPUT_CLEARED = "input_audio_buffer.cleared"
    SPEECH_STARTED = "input_audio_buffer.speech_started"
    SPEECH_STOPPED = "input_audio_buffer.speech_stopped"
    INPUT_TIMEOUT = "input_audio_buffer.timeout_triggered"
    INPUT_DTMF = "input_audio_buffer.dtmf_event_received"
    OUTPUT_STARTED = "output_audio_buffer.started"
    OUTPUT_STOPPED = "output_audio_buffer.stopped"
    OUTPUT_CLEARED = "output_audio_buffer.cleared"
    RESPONSE_CREATED = "response.created"
    RESPONSE_DONE = "response.done"
    OUTPUT_ITEM_ADDED = "response.output_item.added"
    OUTPUT_ITEM_DONE = "response.output_item.done"
    PART_ADDED = "response.content_part.added"
    PART_DONE = "response.content_part.done"
    TEXT_DELTA = "response.output_text.delta"
    TEXT_DONE = "response.output_text.done"
    AUDIO_DELTA = "response.output_audio.delta"
    AUDIO_DONE = "response.output_audio.done"
    TRANSCRIPT_DELTA = "response.output_audio_transcript.delta"
    TRANSCRIPT_DONE = "response.output_audio_transcript.done"
    ARGUMENTS_DELTA = "response.function_call_arguments.delta"
    ARGUMENTS_DONE = "response.function_call_arguments.done"
    MCP_ARGUMENTS_DELTA = "response.mcp_call_arguments.delta"
    MCP_ARGUMENTS_DONE = "response.mcp_call_arguments.done"
    MCP_CALL_IN_PROGRESS = "response.mcp_call.in_progress"
    MCP_CALL_COMPLETED = "response.mcp_call.completed"
    MCP_CALL_FAILED = "response.mcp_call.failed"
    MCP_LIST_IN_PROGRESS = "mcp_list_tools.in_progress"
    MCP_LIST_COMPLETED = "mcp_list_tools.completed"
    MCP_LIST_FAILED = "mcp_list_tools.failed"
    RATE_LIMITS = "rate_limits.updated"
    ERROR = "error"


class Local(StrEnum):
    """Types of the rows that rtnb itself writes into the timeline; no service sends them."""

    OPEN = "open"
    CLOSE = "close"
    RESUME = "resume"
    LISTENER_ERROR = "listener.error"
    NOT_JSON = "(not JSON)"
    NO_TYPE = "(no type)"
    NO_TYPE_ERROR = "(error without a type)"


PREVIEW_TRANSCRIPTION_NAME: dict[str, str] = {
    Kind.SESSION_UPDATE: "transcription_session.update",
    Kind.SESSION_CREATED: "transcription_session.created",
    Kind.SESSION_UPDATED: "transcription_session.updated",
}
"""The GA names that the preview dialect spells otherwise in a transcription session."""

PREVIEW_NAME: dict[str, str] = {
    Kind.TEXT_DELTA: "response.text.delta",
    Kind.TEXT_DONE: "response.text.done",
    Kind.AUDIO_DELTA: "response.audio.delta",
    Kind.AUDIO_DONE: "response.audio.done",
    Kind.TRANSCRIPT_DELTA: "response.audio_transcript.delta",
    Kind.TRANSCRIPT_DONE: "response.audio_transcript.done",
    Kind.ITEM_ADDED: "conversation.item.created",
}
"""The GA names that the preview dialect spells otherwise."""

TRANSLATION_NAME: dict[str, str] = {
    Kind.INPUT_APPEND: "session.input_audio_buffer.append",
    Kind.INPUT_TRANSCRIPTION_DELTA: "session.input_transcript.delta",
    Kind.TRANSCRIPT_DELTA: "session.output_transcript.delta",
    Kind.AUDIO_DELTA: "session.output_audio.delta",
}
"""The names of a translation session's events that carry what other sessions' events carry (official types, 2026)."""

GA_NAME: dict[str, str] = {
    name: str(ga)
    for names in (PREVIEW_NAME, PREVIEW_TRANSCRIPTION_NAME, TRANSLATION_NAME)
    for ga, name in names.items()
}
"""Every other spelling of an event that has a GA name, with that name."""

CLIENT_KINDS = frozenset(
    {
        Kind.SESSION_UPDATE,
        Kind.ITEM_CREATE,
        Kind.ITEM_DELETE,
        Kind.ITEM_RETRIEVE,
        Kind.ITEM_TRUNCATE,
        Kind.INPUT_APPEND,
        Kind.INPUT_COMMIT,
        Kind.INPUT_CLEAR,
        Kind.OUTPUT_CLEAR,
        Kind.RESPONSE_CREATE,
        Kind.RESPONSE_CANCEL,
    }
)

DELTA_KINDS = frozenset(
    {
        Kind.TEXT_DELTA,
        Kind.AUDIO_DELTA,
        Kind.TRANSCRIPT_DELTA,
        Kind.ARGUMENTS_DELTA,
        Kind.MCP_ARGUMENTS_DELTA,
        Kind.INPUT_TRANSCRIPTION_DELTA,
        Kind.INPUT_APPEND,
    }
)
"""Kinds that come in runs, which a table folds into one line each."""

AUDIO_FIELD: dict[str, str] = {Kind.AUDIO_DELTA: "delta", Kind.INPUT_APPEND: "audio"}
"""Kinds that carry base64 audio, and the field that holds it."""


_KIND: dict[str, str] = {**GA_NAME, Local.NO_TYPE_ERROR: Kind.ERROR}


def kind_of(type: str) -> str:
    """Return the GA name of an event type of either dialect; an unknown type is its own kind."""
    return str(_KIND.get(type, type))
