"""`Calls`: the functions that a response wants called are called, and the response to their outputs is followed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any

from rtnb.client.connection import Connection
from rtnb.client.exchange import Exchanges
from rtnb.client.live_response import ITS_TURN, LiveResponse
from rtnb.client.remote_calls import RemoteCalls
from rtnb.client.tools import MOST_ROUNDS, Tools, interrupted_outputs
from rtnb.client.waiters import Waiter, never
from rtnb.conversation.items import Item, ResponseState
from rtnb.conversation.remote_tools import undecided
from rtnb.errors import SessionClosed
from rtnb.formatting import one_line
from rtnb.protocol import commands
from rtnb.protocol.commands import Command

_SHOWN = 80


class Calls:
    """Answers the calls of one session's responses, those of one turn at a time.

    Parameters
    ----------
    connection : Connection
    tools : Tools
        The functions that are called when a response wants it.
    exchanges : Exchanges
    remote : RemoteCalls
        The calls that the service makes itself, which a turn waits for.
    """

    def __init__(self, connection: Connection, tools: Tools, exchanges: Exchanges, remote: RemoteCalls) -> None:
        self._connection = connection
        self._tools = tools
        self._exchanges = exchanges
        self._remote = remote
        self._running: asyncio.Task[list[Command]] | None = None

    def interrupt(self) -> None:
        """Stop waiting for the functions that run: the model gets an output that says so, and the turn ends with what there is."""
        if self._running is not None:
            self._running.cancel()

    def open(self, state: ResponseState) -> bool:
        """Return whether a response has calls to be answered, or ended in remote ones; note calls that lack their arguments."""
        for call in self._tools.unfinished(state):
            self._connection.note_problem(
                f"{one_line(call.name, 64)} not called yet: its arguments had not come when the response was done"
            )
        return bool(self._tools.unanswered(state)) or self._remote.wants_response(state)

    async def answer(self, response: LiveResponse) -> None:
        """Call the functions that a response wants called, and follow the response to their outputs."""
        for _ in range(MOST_ROUNDS):
            outputs, go_on = await self._outputs(response)
            if outputs and go_on:
                await self._next(response, outputs)
                continue
            await self._send(outputs)
            if outputs or not await self._after_remote_calls(response):
                return
        if left := self._tools.unanswered(response.state):
            names = ", ".join(call.name for call in left)
            self._connection.note_problem(
                f"{names} not called: after {MOST_ROUNDS} rounds the model gets no more answers"
            )

    async def _after_remote_calls(self, response: LiveResponse) -> bool:
        """Wait for the remote calls of a response, and follow the one that uses them; return whether there is one."""
        state = response.state
        if self._tools.leaves_some(state):
            return False
        if await self._remote.ended(response):
            response.waits_for = ITS_TURN
            await self._exchanges.idle()
            await self._next(response, [])
        elif response.state is not state:  # the service went on by itself
            await self._exchanges.finish(response)
        return response.state is not state

    async def _next(self, response: LiveResponse, outputs: Sequence[Command]) -> None:
        """Ask for the response that uses what was called, and follow it to its end."""
        response.next_round()
        await self._exchanges.run(response, outputs, commands.response_create())

    async def _outputs(self, response: LiveResponse) -> tuple[list[Command], bool]:
        """Return the outputs of all calls of a response, and whether the model may go on with them.

        It may not where they were interrupted, or the user has calls to answer, or to approve, too. Calls that come late
        are waited for until no other response is in the way any more.
        """
        state = response.state
        outputs: list[Command] = []
        while calls := self._tools.unanswered(state):
            try:
                made = await self._made(response, calls)
                outputs += interrupted_outputs(calls) if made is None else made
                if made is None or self._tools.leaves_some(state) or undecided(state.items.values()):
                    return outputs, False
                response.waits_for = ITS_TURN
                await self._exchanges.idle()
            except asyncio.CancelledError:
                await self._send(outputs)
                raise
        return outputs, True

    async def _made(self, response: LiveResponse, calls: Sequence[Item]) -> list[Command] | None:
        """Return what the functions gave, as commands; None if they were stopped. Raises when the session ends meanwhile."""

        def waiting(left: Sequence[Item]) -> None:
            if left:
                response.waits_for = f"function {', '.join(call.name for call in left)}"
                response.awaited = ", ".join(map(_words, left))

        running = self._running = asyncio.ensure_future(self._tools.answer(calls, waiting))
        try:
            with self._connection.waiting(Waiter(never)) as ended:
                waited: tuple[asyncio.Future[Any], ...] = (running, ended)
                await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
                if running.done():
                    return None if running.cancelled() else running.result()
                raise ended.exception() or SessionClosed("The session is closed.")
        except asyncio.CancelledError:
            await self._send(interrupted_outputs(calls))
            raise
        finally:
            running.cancel()
            self._running = None

    async def _send(self, outputs: Sequence[Command]) -> None:
        """Send outputs without asking for a response."""
        with contextlib.suppress(SessionClosed):
            for command in outputs:
                await self._connection.send(command)


def _words(call: Item) -> str:
    """Return a call as the model wrote it, and its id."""
    called = f"{one_line(call.name, 64)}({one_line(call.arguments, _SHOWN)})"
    return f"{called} as {one_line(call.call_id, 64)}" if call.call_id else called
