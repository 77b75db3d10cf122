"""Calls of MCP tools in a response's output, and the approvals that some of them wait for.

As in the cloud (openai-ruby's ``mcp_approval.rb``, openai-agents-js), a response that calls a tool ends with the call, and
the client asks for the response that uses the result. A call without approval is run as its response ends; one that needs
an approval is run when that is given, which may be long after.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rtnb.protocol.names import Kind
from rtnb.service.engines.tasks import Call
from rtnb.service.session import error_events
from rtnb.service.session.client_events import Events
from rtnb.service.session.deltas import text_deltas
from rtnb.service.session.mcp_servers import OfferedTool
from rtnb.service.session.outputs import OutputContext, OutputItem
from rtnb.service.session.usage import text_tokens

_RESPONSE = "mcp_approval_response"


class OutputRemoteCall(OutputItem):
    """A call of a tool that the service runs itself.

    Attributes
    ----------
    asks : bool
        Whether it needs an approval.
    """

    def __init__(self, context: OutputContext, index: int, item_id: str, offered: OfferedTool, call: Call) -> None:
        named = {"server_label": offered.server_label, "name": offered.tool.name, "arguments": ""}
        nothing_yet = {"approval_request_id": None, "output": None, "error": None}
        super().__init__(context, index, {"id": item_id, "type": "mcp_call", **named, **nothing_yet})
        self.asks = offered.asks
        self._tool = offered.tool
        self._call = call
        self._sent = ""
        self._result: dict[str, Any] = {}

    def write(self) -> Events:
        """Send its arguments, as far as the budget goes."""
        events: Events = []
        for delta in text_deltas(self._call.arguments_json):
            if not self._context.budget.spend(text=text_tokens(delta)):
                break
            self._sent += delta
            events.append(self._event(Kind.MCP_ARGUMENTS_DELTA, delta=delta))
        return [*events, self._event(Kind.MCP_ARGUMENTS_DONE, arguments=self._sent)]

    def request(self, index: int, request_id: str) -> OutputItem:
        """Return the request for its approval, as output number `index`."""
        self._result["approval_request_id"] = request_id
        shown = {key: self._item.shown[key] for key in ("server_label", "name")}
        shown = {"id": request_id, "type": "mcp_approval_request", **shown, "arguments": self._sent}
        return OutputItem(self._context, index, shown)

    def end(self, *, completed: bool) -> Events:
        """Return the events with which its response ends it: the call is run, unless it waits for an approval."""
        if "approval_request_id" not in self._result:
            return [*(self._run() if completed else ()), *self.close("")]
        self._finish("")
        return [self._item_event(Kind.OUTPUT_ITEM_DONE, self.final())]

    def decide(self, *, approve: bool, reason: str) -> Events:
        """Return the events of a call that was approved, which is run, or denied."""
        events = self._run() if approve else []
        if not approve:
            self._item.denial = f"The call was not approved: {reason}" if reason else "The call was not approved."
        self._finish("")
        return [*events, *self._done()]

    def _run(self) -> Events:
        self._result["output"], error = self._tool.call(self._sent)
        self._result["error"] = error
        place = {"item_id": self._item.id, "output_index": self._index}
        ended = Kind.MCP_CALL_COMPLETED if error is None else Kind.MCP_CALL_FAILED
        return [{"type": kind.value, **place} for kind in (Kind.MCP_CALL_IN_PROGRESS, ended)]

    def _body(self) -> dict[str, Any]:
        return {"arguments": self._sent, **self._result}


class Approvals:
    """The calls of a session that wait for an approval, by the ids of the requests."""

    def __init__(self) -> None:
        self._waiting: dict[str, OutputRemoteCall] = {}

    def wait(self, request_id: str, call: OutputRemoteCall) -> None:
        """Let a call wait."""
        self._waiting[request_id] = call

    def check(self, item: Mapping[str, Any]) -> None:
        """Refuse an item that answers no request, or one that was answered; any other item passes.

        Raises
        ------
        InvalidRequest
        """
        if item["type"] == _RESPONSE and item["approval_request_id"] not in self._waiting:
            raise error_events.unknown_approval(item["approval_request_id"])

    def take(self, item: Mapping[str, Any]) -> Events:
        """Return what follows from an item that was checked: where it decides over a call, the call's events."""
        if item["type"] != _RESPONSE:
            return []
        call = self._waiting.pop(item["approval_request_id"])
        return call.decide(approve=item["approve"], reason=item.get("reason") or "")

    def clear(self) -> None:
        """Forget all of them."""
        self._waiting.clear()
