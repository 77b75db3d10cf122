"""Which events are failures, and in which words: one table for rows, plots, problems, reprs and views alike.

Some events always are, such as ``error``. Others are by what they hold: a ``response.done`` whose status is
``"failed"``, an MCP call that is done with an error, a connection that was lost.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rtnb.protocol.events import Event
from rtnb.protocol.item_words import error_words
from rtnb.protocol.names import Kind, Local

_BROKEN = {"failed": "the response failed", "incomplete": "the response is incomplete"}
_BAD_ITEMS = {"mcp_call": "the MCP call", "mcp_list_tools": "the list of an MCP server's tools"}


def failure_words(event: Event) -> str:
    """Return what an event says has failed; empty for an event that is no failure."""
    words = _FAILURES.get(event.kind)
    return words(event) if words is not None else ""


def failed_part(event: Event) -> str:
    """Return the id of the item or response that an event says has failed; empty for what has no id, such as an error.

    Several events may be about one failure, and the last of them know the reason.
    """
    return "" if event.kind == Kind.ERROR else event.item_id or event.response_id


def _with_reason(words: str, reason: str) -> str:
    return f"{words}: {reason}" if reason else f"{words}; the service did not say why"


def _error(event: Event) -> str:
    said = error_words(event.data.get("error")) or event.text("message")
    return said or "an error without words"


def _response(event: Event) -> str:
    response = event.part("response")
    status = response.get("status")
    broken = _BROKEN.get(status) if isinstance(status, str) else None
    if broken is None:
        return ""
    details = response.get("status_details")
    details = details if isinstance(details, dict) else {}
    reason = details.get("reason")
    said = [reason if isinstance(reason, str) else "", error_words(details.get("error"))]
    return _with_reason(broken, " ".join(filter(None, said)))


def _item(event: Event) -> str:
    item: dict[str, Any] = event.part("item")
    kind = item.get("type")
    named = _BAD_ITEMS.get(kind) if isinstance(kind, str) else None
    if named is None or not (item.get("error") or item.get("status") == "failed"):
        return ""
    name = item.get("name") or item.get("server_label")
    return _with_reason(f"{named} {name} failed" if name else f"{named} failed", error_words(item.get("error")))


def _close(event: Event) -> str:
    code, who = event.data.get("code"), event.text("who")
    if code == 1000 or (who, code) == ("client", 1001):
        return ""
    return _with_reason(f"the connection ended with code {code}", event.text("reason"))


_FAILURES: dict[str, Callable[[Event], str]] = {
    Kind.ERROR: _error,
    Kind.INPUT_TRANSCRIPTION_FAILED: lambda event: _with_reason(
        "the transcription of speech failed", error_words(event.data.get("error"))
    ),
    # The event itself gives no reason; the item that comes done after it does.
    Kind.MCP_CALL_FAILED: lambda event: "an MCP call failed",
    Kind.MCP_LIST_FAILED: lambda event: "an MCP server's tools could not be listed",
    Kind.OUTPUT_ITEM_DONE: _item,
    Kind.ITEM_DONE: _item,
    Kind.RESPONSE_CREATED: _response,
    Kind.RESPONSE_DONE: _response,
    Local.CLOSE: _close,
    Local.LISTENER_ERROR: lambda event: event.text("message") or "a listener raised an exception",
    Local.NOT_JSON: lambda event: event.problem or "a frame that is not JSON",
    Local.NO_TYPE: lambda event: event.problem or "an event without a type",
}
