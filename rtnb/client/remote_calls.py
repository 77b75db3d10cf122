"""`RemoteCalls`: the calls of remote (MCP) tools: the approvals that they wait for, and what comes after their results.

The service calls these tools itself. A response that wants a tool's result may end before the tool does, and the response
that uses the result has to be asked for; an approved call goes on beyond the response that asked for the approval
(openai-ruby, ``examples/realtime/mcp_approval.rb``). Other services answer in the same response, or begin the next one by
themselves: whichever comes first is followed.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

from rtnb.client.live_response import REMOTE, LiveResponse
from rtnb.client.requests import Requests
from rtnb.client.waiters import Waiter
from rtnb.conversation.items import Item, ResponseState
from rtnb.conversation.remote_tools import ends_in_call, undecided, unfinished
from rtnb.conversation.response import Response
from rtnb.errors import ConfigurationError
from rtnb.formatting import one_line
from rtnb.protocol import commands
from rtnb.protocol.events import Event
from rtnb.protocol.item_words import APPROVAL_REQUEST, MCP_CALL, call_words
from rtnb.protocol.names import DELTA_KINDS, Kind

Asked = Item | Response | str
"""An approval request, its id, or a response that asks for approval."""

_GRACE = 0.5
"""Seconds that a service has to go on by itself after a decision that no call is known to wait for."""


class RemoteCalls:
    """Follows the remote calls of one session's responses, and answers the approvals that they ask for.

    Parameters
    ----------
    requests : Requests
    """

    def __init__(self, requests: Requests) -> None:
        self._connection = requests.connection

    def requests_of(self, asked: Asked) -> list[Item]:
        """Return the approval requests that are meant by an item, its id, or a response that asks for approval.

        Raises
        ------
        ConfigurationError
            There is none, or it was answered already.
        """
        if isinstance(asked, Response):
            if found := undecided(asked.items):
                return found
            raise ConfigurationError("The response waits for no approval; r.items has what it did.")
        item = self._find(asked) if isinstance(asked, str) else asked
        if not isinstance(item, Item) or item.type != APPROVAL_REQUEST:
            what = asked if isinstance(asked, str) else getattr(asked, "type", type(asked).__name__)
            raise ConfigurationError(f"{one_line(what, 80)} is no approval request.{self._waiting_words()}")
        if item.approve is not None:
            raise ConfigurationError(f"{item.id} was {'approved' if item.approve else 'denied'} already.")
        return [item]

    def _find(self, item_id: str) -> Item | None:
        return next((item for item in self._items() if item.id == item_id), None)

    def _items(self) -> list[Item]:
        conversation = self._connection.conversation
        inside = [item for state in list(conversation.responses.values()) for item in list(state.items.values())]
        return [*conversation.items.values(), *(item for item in inside if item.id not in conversation.items)]

    def _waiting_words(self) -> str:
        waiting = ", ".join(item.id for item in undecided(self._items()))
        return f" Waiting: {waiting}." if waiting else " None is waiting."

    async def decide(self, response: LiveResponse, asked: Sequence[Item], *, approve: bool, reason: str) -> bool:
        """Answer approval requests, and wait until the model can go on.

        `response` follows the response that goes on, or begins, by itself. Returns whether one has to be asked for.

        Raises
        ------
        ServerError
            The service refused an answer.
        """
        held = self._connection.conversation.active
        began = _NextResponse(self, response, self.newest)
        answers = [
            {**commands.approval(each.id, approve=approve, reason=reason), "event_id": commands.new_id("event")}
            for each in asked
        ]
        calls = [call for each in asked for call in self._calls_of(each)]

        def can_go_on(event: Event) -> bool:
            if began() or (held is not None and not held.active):
                return True
            if held is not None or event.kind in DELTA_KINDS:
                return False
            known = [*calls, *(call for each in asked for call in self._calls_of(each))]
            return bool(known) and not unfinished(known)

        response.waits_for = f"{REMOTE} {_call_names(asked)}" if approve else str(Kind.RESPONSE_CREATED)
        waiter = Waiter(can_go_on, [each["event_id"] for each in answers])
        limit = None if held is not None or (approve and calls) else _GRACE
        with self._connection.waiting(waiter) as ready, contextlib.suppress(TimeoutError):
            for answer in answers:
                await self._connection.send(answer)
            async with asyncio.timeout(limit):
                await ready
        if held is not None and not began():
            response.follow(held)
        return held is None and not began()

    def _calls_of(self, request: Item) -> list[Item]:
        """Return the calls that wait for a request, or did."""
        return [
            item
            for item in self._items()
            if item.type == MCP_CALL
            and (
                item.approval_request_id == request.id
                or (
                    not item.approval_request_id
                    and item.response_id == request.response_id
                    and item.name in ("", request.name)
                    and unfinished([item])
                )
            )
        ]

    def wants_response(self, state: ResponseState) -> bool:
        """Return whether a response ended in remote calls, so that another one has to say what the model makes of them."""
        return ends_in_call(state) and not undecided(state.items.values())

    async def ended(self, response: LiveResponse) -> bool:
        """Wait for the remote calls that a response ended in; return whether a response to them has to be asked for.

        `response` follows one that the service begins by itself. Where an approval is asked for, nothing is waited for.
        """
        state = response.state
        if not self.wants_response(state):
            return False
        began = _NextResponse(self, response, state)

        def ended(event: Event) -> bool:
            items = list(state.items.values())
            return began() or bool(undecided(items)) or not unfinished(items)

        if waiting := unfinished(state.items.values()):
            response.waits_for = f"{REMOTE} {_call_names(waiting)}"
            with self._connection.waiting(Waiter(ended)) as ready:
                await ready
        return not began() and not undecided(state.items.values())

    @property
    def newest(self) -> ResponseState | None:
        """Return the newest response of the default conversation."""
        responses = reversed(self._connection.conversation.responses.values())
        return next((each for each in responses if each.conversation_id is not None), None)


class _NextResponse:
    """Notices the response that a service begins by itself after `before`, and lets `response` follow it."""

    def __init__(self, calls: RemoteCalls, response: LiveResponse, before: ResponseState | None) -> None:
        self._calls = calls
        self._response = response
        self._before = before
        self._found = False

    def __call__(self) -> bool:
        newest = self._calls.newest
        if not self._found and newest is not None and newest is not self._before:
            self._found = True
            if self._response.state.id:
                self._response.next_round()
            self._response.follow(newest)
        return self._found


def _call_names(items: Sequence[Item]) -> str:
    return ", ".join(one_line(call_words(item.name, item.arguments, item.server_label), 100) for item in items)
