"""The service's error events: each reason to reject a client event, in the wording and with the codes of the cloud."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rtnb.formatting import one_line
from rtnb.protocol.names import Kind


class InvalidRequest(Exception):
    """A client event that is rejected: it changes nothing, and the session stays open.

    Attributes
    ----------
    code : str
        Machine-readable reason.
    param : str or None
        Dotted path of the field at fault, as the client's dialect spells it.
    """

    type = "invalid_request_error"

    def __init__(self, code: str, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.param = param

    def event(self, event_id: str | None) -> dict[str, Any]:
        """Return the ``error`` event; `event_id` is the client event's own."""
        error = {"type": self.type, "code": self.code, "message": str(self), "param": self.param, "event_id": event_id}
        return {"type": Kind.ERROR.value, "error": error}


def _quoted(value: Any) -> str:
    return one_line(repr(value), 120)


def not_json(problem: str) -> InvalidRequest:
    """The frame is not a JSON object."""
    return InvalidRequest(
        "invalid_event", f"The event could not be read: {one_line(problem, 200)}. Send one JSON object a frame."
    )


def binary_frame() -> InvalidRequest:
    """The frame is binary."""
    return InvalidRequest("invalid_event", "Binary frames carry no events. Send each event as JSON in a text frame.")


def too_large(size: int, limit: int) -> InvalidRequest:
    """An event that is not audio is larger than what the service could send back in one frame."""
    return InvalidRequest(
        "string_above_max_length",
        f"The event has {size:,} bytes; the local service takes {limit:,} bytes at most where the event is not audio.",
    )


def too_deep(limit: int) -> InvalidRequest:
    """JSON nested deeper than any event is."""
    return InvalidRequest("invalid_event", f"The event is nested more than {limit} levels deep.")


def no_type() -> InvalidRequest:
    """The event has no type."""
    return InvalidRequest("invalid_event", "The 'type' field is missing.")


def unknown_parameter(path: str) -> InvalidRequest:
    """A field that the event does not have."""
    shown = one_line(path, 200)
    return InvalidRequest("unknown_parameter", f"Unknown parameter: '{shown}'.", shown)


def missing_parameter(path: str) -> InvalidRequest:
    """A required field is missing."""
    return InvalidRequest("missing_required_parameter", f"Missing required parameter: '{path}'.", path)


def invalid_value(value: Any, supported: Iterable[str], param: str) -> InvalidRequest:
    """A value that is not one of the supported ones."""
    known = ", ".join(f"'{name}'" for name in supported)
    return InvalidRequest("invalid_value", f"Invalid value: {_quoted(value)}. Supported values are: {known}.", param)


def invalid_type(value: Any, expected: str, param: str) -> InvalidRequest:
    """A value of the wrong type or out of range."""
    return InvalidRequest("invalid_type", f"Invalid '{param}': expected {expected}, but got {_quoted(value)}.", param)


def unsupported(what: str, param: str | None = None) -> InvalidRequest:
    """Something that the cloud services can do and the local service cannot; the one code that no cloud has."""
    return InvalidRequest(
        "unsupported_by_local_service", f"The local service does not support {what}. Leave it out.", param
    )


def other_session_type(given: str, held: str) -> InvalidRequest:
    """A change for a session of the other type."""
    return InvalidRequest(
        "invalid_value", f"Passing a {given} session update event to a {held} session is not allowed.", "session.type"
    )


def no_responses() -> InvalidRequest:
    """A response asked of a session that only transcribes."""
    return InvalidRequest(
        "invalid_value", "A transcription session gives no responses. Connect without intent=transcription."
    )


def not_over_websocket(name: str) -> InvalidRequest:
    """An event that only WebRTC and SIP have."""
    return InvalidRequest("invalid_value", f"'{name}' is only for WebRTC and SIP connections.", "type")


def bad_audio(param: str) -> InvalidRequest:
    """Audio that is not base64; the cloud's message says PCM16 whatever the format is."""
    return InvalidRequest(
        "invalid_value",
        f"Invalid '{param}'. Expected base64-encoded audio bytes (mono PCM16 at 24kHz) but got an invalid value.",
        param,
    )


def audio_too_long(size: int, limit: int, param: str) -> InvalidRequest:
    """More audio than one event may hold."""
    return InvalidRequest(
        "string_above_max_length",
        f"Invalid '{param}': {size:,} bytes of audio are more than the {limit:,} that one event may hold.",
        param,
    )


def buffer_full(seconds: int) -> InvalidRequest:
    """More audio than the input buffer holds."""
    return InvalidRequest(
        "input_audio_buffer_full",
        f"The input audio buffer holds {seconds // 60} minutes at most: commit it or clear it.",
    )


def buffer_too_small(milliseconds: float) -> InvalidRequest:
    """A commit of less than 100 ms."""
    return InvalidRequest(
        "input_audio_buffer_commit_empty",
        "Error committing input audio buffer: buffer too small. "
        f"Expected at least 100ms of audio, but buffer only has {milliseconds:.2f}ms of audio.",
    )


def active_response(response_id: str) -> InvalidRequest:
    """A second response for the conversation while one is in progress."""
    return InvalidRequest(
        "conversation_already_has_active_response",
        f"Conversation already has an active response in progress: {response_id}. "
        "Wait until the response is finished before creating a new one.",
    )


def nothing_to_cancel() -> InvalidRequest:
    """No such response is in progress."""
    return InvalidRequest("response_cancel_not_active", "Cancellation failed: no active response found")


def voice_is_fixed(param: str) -> InvalidRequest:
    """A change of voice after the first audio."""
    return InvalidRequest(
        "cannot_update_voice", "Cannot update a conversation's voice if assistant audio is present.", param
    )


def item_exists(item_id: str) -> InvalidRequest:
    """A new item with the id of one that is there."""
    return InvalidRequest("invalid_value", f"An item with id '{item_id}' exists already.", "item.id")


def unknown_item(verb: str, item_id: Any, param: str = "item_id") -> InvalidRequest:
    """An id that names no item of the conversation; `verb` is ``delete``, ``retrieve`` or ``truncate``."""
    return InvalidRequest(
        f"item_{verb}_invalid_item_id",
        f"Cannot {verb} the item: no item with id {_quoted(item_id)} is in the conversation.",
        param,
    )


def unknown_call(call_id: str) -> InvalidRequest:
    """A function call output without its function call."""
    return InvalidRequest(
        "invalid_tool_call_id", f"Tool call ID {_quoted(call_id)} not found in conversation.", "item.call_id"
    )


def unknown_tool(name: str) -> InvalidRequest:
    """A tool choice that names none of the tools."""
    return InvalidRequest("invalid_value", f"Tool choice {_quoted(name)} is none of the tools.", "response.tool_choice")


def not_audio() -> InvalidRequest:
    """Truncation of an item without assistant audio."""
    return InvalidRequest("unsupported_content_type", "Only model output audio messages can be truncated")


def already_shorter(have_ms: int, wanted_ms: int) -> InvalidRequest:
    """Truncation past the end."""
    return InvalidRequest(
        "invalid_value", f"Audio content of {have_ms}ms is already shorter than {wanted_ms}ms", "audio_end_ms"
    )


def expired(seconds: float) -> InvalidRequest:
    """The session is as old as a session may be; the connection closes."""
    minutes = seconds / 60
    span = f"{minutes:.0f} minutes" if minutes == int(minutes) else f"{seconds:g} seconds"
    return InvalidRequest("session_expired", f"Your session hit the maximum duration of {span}.")
