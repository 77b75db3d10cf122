"""The service's error events: each reason to reject a client event, in the wording and with the codes of the cloud."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class ErrorTemplate:
    """An error whose message has places for values, and for the name of the field at fault."""

    code: str
    message: str
    param: str | None = None

    def __call__(self, *values: object, param: str | None = None) -> InvalidRequest:
        """Return the error, to be raised."""
        shown = [one_line(value, 200) if isinstance(value, str) else value for value in values]
        return InvalidRequest(self.code, self.message.format(*shown, param=param), param or self.param)


# The frame and the event in it. The words about values out of range are those of the cloud services' logs, such as:
# "Invalid 'session.audio.input.format.rate': integer below minimum value. Expected a value >= 24000, but got 16000 instead."
not_json = ErrorTemplate("invalid_event", "The event could not be read: {}. Send one JSON object a frame.")
binary_frame = ErrorTemplate("invalid_event", "Binary frames carry no events. Send each event as JSON in a text frame.")
too_deep = ErrorTemplate("invalid_event", "The event is nested more than {} levels deep.")
too_large = ErrorTemplate(
    "string_above_max_length",
    "The event has {:,} bytes; the local service takes {:,} bytes at most where the event is not audio.",
)
empty_string = ErrorTemplate(
    "empty_string",
    "Invalid '{param}': empty string. Expected a string with minimum length 1, but got an empty string instead.",
)
too_long = ErrorTemplate(
    "string_above_max_length",
    "Invalid '{param}': string too long. Expected a string with maximum length {}, "
    "but got a string with length {} instead.",
)
too_many_properties = ErrorTemplate(
    "object_above_max_properties",
    "Invalid '{param}': too many properties. Expected an object with at most {} properties, "
    "but got an object with {} properties instead.",
)
no_type = ErrorTemplate("invalid_event", "The 'type' field is missing.")
not_over_websocket = ErrorTemplate("invalid_value", "'{}' is only for WebRTC and SIP connections.", "type")
missing_parameter = ErrorTemplate("missing_required_parameter", "Missing required parameter: '{param}'.")
# The one code that no cloud service has.
unsupported = ErrorTemplate("unsupported_by_local_service", "The local service does not support {}. Leave it out.")

# Sessions and responses.
other_session_type = ErrorTemplate(
    "invalid_value", "Passing a {} session update event to a {} session is not allowed.", "session.type"
)
voice_is_fixed = ErrorTemplate(
    "cannot_update_voice", "Cannot update a conversation's voice if assistant audio is present."
)
no_responses = ErrorTemplate(
    "invalid_value", "A transcription session gives no responses. Connect without intent=transcription."
)
active_response = ErrorTemplate(
    "conversation_already_has_active_response",
    "Conversation already has an active response in progress: {}. "
    "Wait until the response is finished before creating a new one.",
)
nothing_to_cancel = ErrorTemplate("response_cancel_not_active", "Cancellation failed: no active response found")
unknown_tool = ErrorTemplate("invalid_value", "Tool choice {!r} is none of the tools.", "response.tool_choice")

server_label_in_use = ErrorTemplate("invalid_value", "Another MCP server is labelled {!r} already.")

# Input audio. The cloud's message says PCM16 whatever the format is.
bad_audio = ErrorTemplate(
    "invalid_value",
    "Invalid '{param}'. Expected base64-encoded audio bytes (mono PCM16 at 24kHz) but got an invalid value.",
)
audio_too_long = ErrorTemplate(
    "string_above_max_length",
    "Invalid '{param}': {:,} bytes of audio are more than the {:,} that one event may hold.",
)
buffer_full = ErrorTemplate(
    "input_audio_buffer_full", "The input audio buffer holds {} minutes at most: commit it or clear it."
)
buffer_too_small = ErrorTemplate(
    "input_audio_buffer_commit_empty",
    "Error committing input audio buffer: buffer too small. "
    "Expected at least 100ms of audio, but buffer only has {:.2f}ms of audio.",
)

# Items.
item_exists = ErrorTemplate("invalid_value", "An item with id '{}' exists already.", "item.id")
unknown_call = ErrorTemplate("invalid_tool_call_id", "Tool call ID {!r} not found in conversation.", "item.call_id")
unknown_approval = ErrorTemplate(
    "invalid_value", "No call waits for an approval with the request ID {!r}.", "item.approval_request_id"
)
not_audio = ErrorTemplate("unsupported_content_type", "Only model output audio messages can be truncated")
already_shorter = ErrorTemplate("invalid_value", "Audio content of {}ms is already shorter than {}ms", "audio_end_ms")


def unknown_parameter(path: str) -> InvalidRequest:
    """A field that the event does not have."""
    shown = one_line(path, 200)
    return InvalidRequest("unknown_parameter", f"Unknown parameter: '{shown}'.", shown)


def invalid_value(value: Any, supported: Iterable[str], param: str) -> InvalidRequest:
    """A value that is not one of the supported ones."""
    known = listed(supported)
    return InvalidRequest("invalid_value", f"Invalid value: {_quoted(value)}. Supported values are: {known}.", param)


def invalid_combination(value: Any, supported: Iterable[Iterable[str]], param: str) -> InvalidRequest:
    """A list of names that do not go together."""
    known = " and ".join(str(list(each)) for each in supported)
    name = param.rpartition(".")[2]
    message = f"Invalid {name.removeprefix('output_')}: {_quoted(value)}. Supported combinations are: {known}."
    return InvalidRequest("invalid_value", message, param)


def invalid_type(value: Any, expected: str, param: str) -> InvalidRequest:
    """A value of the wrong JSON type."""
    shown = one_line(param, 200)
    message = f"Invalid type for '{shown}': expected {expected}, but got {_json_type(value)} instead."
    return InvalidRequest("invalid_type", message, shown)


def below_minimum(kind: str, low: float, value: float, param: str) -> InvalidRequest:
    """An ``"integer"`` or ``"decimal"`` below its range."""
    message = f"Invalid '{param}': {kind} below minimum value. Expected a value >= {low}, but got {value} instead."
    return InvalidRequest(f"{kind}_below_min_value", message, param)


def above_maximum(kind: str, high: float, value: float, param: str) -> InvalidRequest:
    """An ``"integer"`` or ``"decimal"`` above its range."""
    message = f"Invalid '{param}': {kind} above maximum value. Expected a value <= {high}, but got {value} instead."
    return InvalidRequest(f"{kind}_above_max_value", message, param)


def listed(names: Iterable[str], last: str = "and") -> str:
    """Return names as an error lists them: ``'a', 'b', and 'c'``."""
    quoted = [f"'{name}'" for name in names]
    if len(quoted) < 3:
        return f" {last} ".join(quoted)
    return f"{', '.join(quoted[:-1])}, {last} {quoted[-1]}"


def unknown_item(verb: str, item_id: Any, param: str) -> InvalidRequest:
    """An id that names no item of the conversation; `verb` is ``create``, ``delete``, ``retrieve`` or ``truncate``."""
    message = f"Cannot {verb} the item: no item with id {_quoted(item_id)} is in the conversation."
    return InvalidRequest(f"item_{verb}_invalid_item_id", message, param)


def expired(seconds: float) -> InvalidRequest:
    """The session is as old as a session may be; the connection closes."""
    minutes = seconds / 60
    span = f"{minutes:.0f} minutes" if minutes == int(minutes) else f"{seconds:g} seconds"
    return InvalidRequest("session_expired", f"Your session hit the maximum duration of {span}.")


def _json_type(value: Any) -> str:
    """Return the JSON type of a value in words."""
    kinds = {
        bool: "a boolean", int: "an integer", float: "a decimal", str: "a string", list: "an array", dict: "an object"
    }  # fmt: skip
    return kinds.get(type(value), "null")


def _quoted(value: Any) -> str:
    return one_line(repr(value), 120)
