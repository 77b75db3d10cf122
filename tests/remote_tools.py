"""A service with remote (MCP) tools, in the forms in which services go on after a call and after an approval.

Section 3 of the protocol's description has the events; ``examples/realtime/mcp_approval.rb`` of openai-ruby has their order in
the cloud: the response that wants a call ends, the call goes on, and the client asks for the response that uses its result.
"""

from __future__ import annotations

from typing import Any

from scripted import Ladder, Script, Wire

SERVER = {"type": "mcp", "server_label": "calculator", "server_url": "https://example.test/mcp"}
LISTED = [
    {"name": "add", "input_schema": {"type": "object"}},
    {"name": "fail", "input_schema": {}, "description": "Fails."},
]


def call(status: str | None = None, **fields: Any) -> Wire:
    """An ``mcp_call`` item."""
    item = {"id": "item_call", "type": "mcp_call", "name": "add", "server_label": "calculator", "arguments": ""}
    return (
        item
        | ({"status": status} if status else {})
        | {"output": None, "error": None, "approval_request_id": None}
        | fields
    )


def asks(**fields: Any) -> Wire:
    """An ``mcp_approval_request`` item."""
    item = {"id": "mcpr_1", "type": "mcp_approval_request", "name": "add", "server_label": "calculator"}
    return item | {"arguments": '{"a": 1}'} | fields


def listing(*, failed: bool = False, error: Any = None) -> list[Wire]:
    """The events of a list of tools, or of its failure."""
    item = {"id": "mcpl_1", "type": "mcp_list_tools", "server_label": "calculator", "tools": []}
    ended = "mcp_list_tools.failed" if failed else "mcp_list_tools.completed"
    whole = item | ({"error": error} if failed else {"tools": LISTED})
    return [
        {"type": "conversation.item.added", "previous_item_id": None, "item": item},
        {"type": "mcp_list_tools.in_progress", "item_id": "mcpl_1"},
        {"type": ended, "item_id": "mcpl_1"},
        {"type": "conversation.item.done", "previous_item_id": None, "item": whole},
    ]


def wanting(ladder: Ladder, arguments: str = '{"a": 1}') -> list[Wire]:
    """The events of a response up to the end of a call's arguments."""
    of = {"response_id": ladder.response, "output_index": 0}
    return [
        ladder.created(),
        {"type": "response.output_item.added", **of, "item": call()},
        {"type": "conversation.item.added", "previous_item_id": ladder.after, "item": call()},
        {"type": "response.mcp_call_arguments.delta", **of, "item_id": "item_call", "delta": arguments[:3]},
        {"type": "response.mcp_call_arguments.delta", **of, "item_id": "item_call", "delta": arguments[3:]},
        {"type": "response.mcp_call_arguments.done", **of, "item_id": "item_call", "arguments": arguments},
    ]


def asking(**fields: Any) -> list[Wire]:
    """The events of an approval request; none names the response."""
    item = asks(**fields)
    return [
        {"type": "conversation.item.added", "previous_item_id": "item_call", "item": item},
        {"type": "conversation.item.done", "previous_item_id": "item_call", "item": item},
    ]


def ran(output: str | None = "3", error: Any = None, **fields: Any) -> list[Wire]:
    """The events of a call that runs and ends."""
    ended = "response.mcp_call.failed" if error else "response.mcp_call.completed"
    item = call(arguments='{"a": 1}', output=output, error=error, **fields)
    return [
        {"type": "response.mcp_call.in_progress", "item_id": "item_call", "output_index": 0},
        {"type": ended, "item_id": "item_call", "output_index": 0},
        {"type": "conversation.item.done", "previous_item_id": None, "item": item},
    ]


def done(ladder: Ladder, *output: Wire) -> Wire:
    """The end of a response."""
    body = {"id": ladder.response, "status": "completed", "status_details": None, "output": list(output)}
    return {"type": "response.done", "response": body | {"conversation_id": "conv_1"}}


class ToolService(Script):
    """A service whose first response wants a remote call; later ones say that it is three.

    Parameters
    ----------
    approval : bool
        Whether the call waits for one.
    goes_on : {"asked", "unasked", "held", "inside"}
        What follows a call that has ended: nothing until a response is asked for (the cloud); a response that the service
        begins by itself; the end of the response that wanted the call, which is held until then; the same, for a call that
        needs no approval.
    error : object
        What the call fails with.
    late : bool
        Whether the approval is asked for after the end of the response that wanted the call.
    """

    def __init__(
        self,
        transport: Any,
        dialect: str = "ga",
        *,
        approval: bool = False,
        goes_on: str = "asked",
        error: Any = None,
        late: bool = False,
    ) -> None:
        super().__init__(transport, dialect)
        self.approval, self.goes_on, self.error, self.late = approval, goes_on, error, late
        self.wanted: Ladder | None = None

    async def respond(self, heard: Wire) -> None:
        if self.wanted is not None:
            return await self.answer()
        self.wanted = Ladder("ga", response="resp_1", after=self._last)
        await self.say(*wanting(self.wanted))
        if not self.approval:
            return await self.run_call()
        if self.goes_on == "held":
            return await self.say(*asking())
        if self.late:
            return await self.say(done(self.wanted, call(arguments='{"a": 1}')), *asking())
        await self.say(*asking(), done(self.wanted, call(arguments='{"a": 1}'), asks()))

    async def run_call(self, **fields: Any) -> None:
        assert self.wanted
        events = ran(None if self.error else "3", self.error, **fields)
        if self.goes_on in ("inside", "held"):
            await self.say(*events, *self.message(self.wanted)[1:])
        elif not self.approval:
            await self.say(done(self.wanted, call(arguments='{"a": 1}')), *events)
        else:
            await self.say(*events)
        if self.goes_on == "unasked":
            await self.answer()

    def message(self, ladder: Ladder) -> list[Wire]:
        return ladder.speech_turn(["It", " is", " three."], [bytes(4800)])

    async def answer(self) -> None:
        ladder = Ladder("ga", response="resp_2", item="item_answer", after="item_call")
        await self.say(*self.message(ladder))

    async def add(self, item: Wire) -> None:
        await super().add(item)
        if item["type"] == "mcp_approval_response":
            if item["approve"]:
                await self.run_call(approval_request_id=item["approval_request_id"])
            elif self.goes_on == "held":
                assert self.wanted
                await self.say(*self.message(self.wanted)[1:])
            elif self.goes_on == "unasked":
                await self.answer()


def sent(script: Script, type: str) -> list[Wire]:
    """The events of one type that a service has heard."""
    return [event for event in script.heard if event["type"] == type]
