"""The table of errors: why the service refuses a client event, in the words and codes of the cloud services."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rtnb.formatting import one_line
from rtnb.protocol.names import Kind

UNSUPPORTED = "unsupported_by_local_service"
"""The one code that no cloud service has: the local service cannot do this yet."""


class Refusal(Exception):
    """A client event that is not carried out; it changes nothing, and the session stays open.

    Attributes
    ----------
    code : str
        Machine-readable reason.
    param : str or None
        Dotted path of the field at fault, as the client's dialect spells it.
    type : str
        ``"invalid_request_error"`` or ``"server_error"``.
    """

    def __init__(
        self, code: str, message: str, param: str | None = None, *, type: str = "invalid_request_error"
    ) -> None:
        super().__init__(message)
        self.code = code
        self.param = param
        self.type = type

    def event(self, event_id: str | None) -> dict[str, Any]:
        """Return the ``error`` event; `event_id` is the client event's own."""
        error = {"type": self.type, "code": self.code, "message": str(self), "param": self.param, "event_id": event_id}
        return {"type": Kind.ERROR.value, "error": error}


def _quoted(value: Any) -> str:
    return one_line(repr(value), 120)


def not_json(problem: str) -> Refusal:
    """The frame is not a JSON object."""
    return Refusal(
        "invalid_event", f"The event could not be read: {one_line(problem, 200)}. Send one JSON object a frame."
    )


def binary_frame() -> Refusal:
    """The frame is binary."""
    return Refusal("invalid_event", "Binary frames carry no events. Send each event as JSON in a text frame.")


def too_large(size: int, limit: int) -> Refusal:
    """An event that is not audio is larger than what the service would send back in one frame."""
    return Refusal(
        "string_above_max_length",
        f"The event has {size:,} bytes; the local service takes {limit:,} bytes at most where the event is not audio.",
    )


def too_deep(limit: int) -> Refusal:
    """JSON nested deeper than any event is."""
    return Refusal("invalid_event", f"The event is nested more than {limit} levels deep.")


def no_type() -> Refusal:
    """The event has no type."""
    return Refusal("invalid_event", "The 'type' field is missing.")


def unknown_parameter(path: str) -> Refusal:
    """A field that the event does not have."""
    shown = one_line(path, 200)
    return Refusal("unknown_parameter", f"Unknown parameter: '{shown}'.", shown)


def missing_parameter(path: str) -> Refusal:
    """A field that the event cannot be without."""
    return Refusal("missing_required_parameter", f"Missing required parameter: '{path}'.", path)


def invalid_value(value: Any, supported: Iterable[str], param: str) -> Refusal:
    """A value that is none of those that are possible."""
    known = ", ".join(f"'{name}'" for name in supported)
    return Refusal("invalid_value", f"Invalid value: {_quoted(value)}. Supported values are: {known}.", param)


def invalid_type(value: Any, expected: str, param: str) -> Refusal:
    """A value of the wrong kind or out of its range."""
    return Refusal("invalid_type", f"Invalid '{param}': expected {expected}, but got {_quoted(value)}.", param)


def unsupported(what: str, param: str | None = None) -> Refusal:
    """Something that the cloud services do and the local service does not."""
    return Refusal(UNSUPPORTED, f"The local service does not support {what}. Leave it out.", param)


def other_session_type(given: str, held: str) -> Refusal:
    """A change for a session of the other type."""
    return Refusal(
        "invalid_value", f"Passing a {given} session update event to a {held} session is not allowed.", "session.type"
    )


def not_answering() -> Refusal:
    """A response in a session that only transcribes."""
    return Refusal("invalid_value", "A transcription session gives no responses. Connect without intent=transcription.")


def not_over_websocket(name: str) -> Refusal:
    """An event that only WebRTC and SIP have."""
    return Refusal("invalid_value", f"'{name}' is only for WebRTC and SIP connections.", "type")


def bad_audio(param: str) -> Refusal:
    """Audio that is not base64, in the words of the service, which say PCM16 whatever the format is."""
    return Refusal(
        "invalid_value",
        f"Invalid '{param}'. Expected base64-encoded audio bytes (mono PCM16 at 24kHz) but got an invalid value.",
        param,
    )


def audio_too_long(size: int, limit: int, param: str) -> Refusal:
    """More audio in one event than the service takes."""
    return Refusal(
        "string_above_max_length",
        f"Invalid '{param}': {size:,} bytes of audio are more than the {limit:,} that one event may hold.",
        param,
    )


def buffer_full(seconds: int) -> Refusal:
    """More audio than the input buffer holds."""
    return Refusal(
        "input_audio_buffer_full",
        f"The input audio buffer holds {seconds // 60} minutes at most: commit it or clear it.",
    )


def buffer_too_small(milliseconds: float) -> Refusal:
    """A commit of next to nothing."""
    return Refusal(
        "input_audio_buffer_commit_empty",
        "Error committing input audio buffer: buffer too small. "
        f"Expected at least 100ms of audio, but buffer only has {milliseconds:.2f}ms of audio.",
    )


def active_response(response_id: str) -> Refusal:
    """A second response for the conversation while one is in progress."""
    return Refusal(
        "conversation_already_has_active_response",
        f"Conversation already has an active response in progress: {response_id}. "
        "Wait until the response is finished before creating a new one.",
    )


def nothing_to_cancel() -> Refusal:
    """There is no such response in progress."""
    return Refusal("response_cancel_not_active", "Cancellation failed: no active response found")


def voice_is_fixed(param: str) -> Refusal:
    """The voice was heard already."""
    return Refusal("cannot_update_voice", "Cannot update a conversation's voice if assistant audio is present.", param)


def unknown_item(verb: str, item_id: Any, param: str = "item_id") -> Refusal:
    """An id that names no item of the conversation; `verb` is ``delete``, ``retrieve`` or ``truncate``."""
    return Refusal(
        f"item_{verb}_invalid_item_id",
        f"Cannot {verb} the item: no item with id {_quoted(item_id)} is in the conversation.",
        param,
    )


def unknown_call(call_id: str) -> Refusal:
    """A function's output without its call."""
    return Refusal(
        "invalid_tool_call_id", f"Tool call ID {_quoted(call_id)} not found in conversation.", "item.call_id"
    )


def unknown_tool(name: str) -> Refusal:
    """The choice of a function that is not among the tools."""
    return Refusal("invalid_value", f"Tool choice {_quoted(name)} is none of the tools.", "response.tool_choice")


def not_audio() -> Refusal:
    """Truncation of something that is not heard."""
    return Refusal("unsupported_content_type", "Only model output audio messages can be truncated")


def already_shorter(have_ms: int, wanted_ms: int) -> Refusal:
    """Truncation past the end."""
    return Refusal(
        "invalid_value", f"Audio content of {have_ms}ms is already shorter than {wanted_ms}ms", "audio_end_ms"
    )


def expired(seconds: float) -> Refusal:
    """The session's time is up; the connection closes."""
    minutes = seconds / 60
    span = f"{minutes:.0f} minutes" if minutes == int(minutes) else f"{seconds:g} seconds"
    return Refusal("session_expired", f"Your session hit the maximum duration of {span}.")
