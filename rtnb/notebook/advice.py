"""What to do about an error of the service's, in a sentence."""

from __future__ import annotations

from rtnb.client.connection_errors import server_error
from rtnb.protocol.events import Event

_ADVICE = {
    "cannot_update_voice": "Connect anew, with voice=…, for another voice: this session has spoken already.",
    "conversation_already_has_active_response": "Wait for the answer that is on its way, or stop it first.",
    "input_audio_buffer_commit_empty": "Nothing had been heard yet: speak for longer, at least 0.1 s.",
    "insufficient_quota": "The account has no credit left: look at its billing page.",
    "invalid_event": "The event was not sent in a form that the service reads: look at its row in session.timeline.",
    "invalid_type": "Change the value that the error names; nothing else was changed.",
    "invalid_value": "Change the value that the error names; nothing else was changed.",
    "missing_required_parameter": "Add the parameter that the error names, and send it again.",
    "rate_limit_exceeded": "Wait a little, then try again.",
    "response_cancel_not_active": "Nothing was being answered any more; there is nothing to do.",
    "session_expired": "session.resume() goes on with the conversation on a new connection.",
    "unknown_parameter": "Leave the parameter out, or look for another spelling.",
}
_OTHERWISE = "The session goes on; the row of the error in session.timeline has all that the service said."


def error_words(event: Event) -> str:
    """Return an ``error`` event in words: what the service said, and what to do."""
    error = server_error(event)
    return f"{error} — {_ADVICE.get(error.code or '', _OTHERWISE)}"
