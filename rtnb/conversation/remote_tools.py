"""Remote (MCP) tools in a conversation: the states of their items, the approvals that are asked for, and all of it in words.

The service calls these tools itself. A tool that needs an approval waits for it beyond the end of the response that wanted
it, and the response that uses a tool's result has to be asked for (openai-ruby, ``examples/realtime/mcp_approval.rb``;
openai-agents-js asks for it by default).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rtnb.conversation.items import COMPLETED, FAILED, IN_PROGRESS, Item, ResponseState, fill
from rtnb.formatting import one_line
from rtnb.protocol.events import Event
from rtnb.protocol.item_words import (
    APPROVAL_REQUEST,
    APPROVAL_RESPONSE,
    MCP_CALL,
    MCP_LIST_TOOLS,
    call_words,
    error_words,
)
from rtnb.protocol.names import Kind

ARGUMENT_KINDS = (Kind.MCP_ARGUMENTS_DELTA, Kind.MCP_ARGUMENTS_DONE)
STATES: dict[str, tuple[str, str]] = {
    Kind.MCP_LIST_IN_PROGRESS: (MCP_LIST_TOOLS, IN_PROGRESS),
    Kind.MCP_LIST_COMPLETED: (MCP_LIST_TOOLS, COMPLETED),
    Kind.MCP_LIST_FAILED: (MCP_LIST_TOOLS, FAILED),
    Kind.MCP_CALL_IN_PROGRESS: (MCP_CALL, IN_PROGRESS),
    Kind.MCP_CALL_COMPLETED: (MCP_CALL, COMPLETED),
    Kind.MCP_CALL_FAILED: (MCP_CALL, FAILED),
}
"""By kind of event, the type of item that it is about, and the item's status from then on."""

FAILURE_KINDS: frozenset[str] = frozenset({*STATES, Kind.ITEM_ADDED, Kind.ITEM_DONE, Kind.OUTPUT_ITEM_DONE})
"""The kinds of events after which a remote tool may have failed, or the reason may be known."""


class RemoteItems:
    """Follows the events of remote tools, also those that come before the item that they are about.

    Parameters
    ----------
    early : dict of str to Item
        Receives the items that no event has introduced yet.
    """

    def __init__(self, early: dict[str, Item]) -> None:
        self._early = early

    def take(self, item: Item | None, event: Event) -> None:
        """Update an item, None for one that no event has introduced yet, by an event of its tool."""
        if item is None and event.item_id:
            item = self._early.setdefault(event.item_id, Item(event.item_id))
        if item is None:
            return
        if event.kind in ARGUMENT_KINDS:
            item.type = MCP_CALL
            whole = event.kind == Kind.MCP_ARGUMENTS_DONE
            item.arguments = (
                (event.text("arguments") or item.arguments) if whole else item.arguments + event.text("delta")
            )
        else:
            item.type, item.status = STATES[event.kind]
            fill(item, {"error": event.data.get("error")})


def adopt(item: Item, responses: Iterable[ResponseState]) -> None:
    """Add a new item of a remote tool to the response that wanted it, which the item's own events need not name.

    That is the response in progress of the default conversation, else its newest.
    """
    if item.type in (APPROVAL_REQUEST, MCP_CALL) and not item.response_id:
        inside = [each for each in responses if each.conversation_id is not None]
        wanted = [each for each in inside if each.active] or inside
        for response in wanted[-1:]:
            item.response_id = response.id
            response.items[item.id] = item


def decide(items: Iterable[Item], decision: Item) -> None:
    """Note an approval, or its denial, on the request that it answers; any other item decides nothing."""
    if decision.type == APPROVAL_RESPONSE:
        for item in items:
            if item.type == APPROVAL_REQUEST and item.id == decision.approval_request_id:
                item.approve, item.reason = decision.approve, decision.reason


def undecided(items: Iterable[Item]) -> list[Item]:
    """Return the approval requests that have no answer."""
    return [item for item in items if item.type == APPROVAL_REQUEST and item.approve is None]


def unfinished(items: Iterable[Item]) -> list[Item]:
    """Return the calls whose tools have not ended."""
    return [item for item in items if item.type == MCP_CALL and item.status in ("", IN_PROGRESS)]


def ends_in_call(state: ResponseState) -> bool:
    """Return whether a completed response ends in calls of remote tools, so that the model has not used their results."""
    last = next((item for item in reversed(list(state.items.values())) if item.type in ("message", MCP_CALL)), None)
    return state.status == COMPLETED and last is not None and last.type == MCP_CALL


def asks_words(items: Sequence[Item]) -> list[str]:
    """Return a sentence for each approval that a response's items ask for, with the call that gives it."""
    waiting = undecided(items)
    return [
        f"the model asks for approval to call {one_line(call_words(item.name, item.arguments, item.server_label), 300)}: "
        f"session.approve(r.items[{_place(items, item)}])"
        for item in waiting
    ]


def _place(items: Sequence[Item], item: Item) -> int:
    place = next(index for index, each in enumerate(items) if each is item)
    return -1 if place == len(items) - 1 else place


def remote_failure(item: Item | None) -> str:
    """Return a sentence about a remote tool that failed, for a session's problems; empty for any other item, and for none."""
    if item is None or item.status != FAILED or item.type not in (MCP_CALL, MCP_LIST_TOOLS):
        return ""
    why = one_line(error_words(item.error) or "no reason was given", 300)
    if item.type == MCP_LIST_TOOLS:
        return f"the tools of MCP server {one_line(item.server_label or item.id, 80)!r} could not be listed: {why}"
    return f"MCP tool {one_line(call_words(item.name, item.arguments, item.server_label), 200)} failed: {why}"
