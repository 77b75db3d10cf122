"""`Reconnect`: connects a session anew after its connection was lost, and restores settings and conversation items."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

from rtnb.client.handshake import Handshake
from rtnb.client.requests import Requests
from rtnb.client.restore import items_to_restore, settings_to_restore
from rtnb.client.waiters import Waiter, never
from rtnb.conversation.items import Item
from rtnb.errors import ConfigurationError, ServerError, SessionClosed
from rtnb.formatting import one_line
from rtnb.protocol.config import copy_tree
from rtnb.protocol.names import Kind

ATTEMPTS = 6
FIRST_PAUSE = 0.5
STEADY_SECONDS = 60.0
"""How long a connection must have lived for the attempts before it not to count any more."""


class Reconnect:
    """The reconnect task of one session: one timeline goes on, with a row where the seam is.

    Parameters
    ----------
    requests : Requests
        Restore the session, and name the connection.
    handshake : Handshake
        Where its `reconnect` is True, a lost or expired connection is replaced without `resume` being called: 6 attempts,
        after 0.5 s, 1 s, 2 s …, which count until a connection has lived for a minute.
    reconnected : callable
        Called on the loop once a new connection is restored.
    own_tools : callable
        ``own_tools(definitions)`` returns tools as they were sent, for those that the service has in its settings.
    """

    def __init__(
        self,
        requests: Requests,
        handshake: Handshake,
        reconnected: Callable[[], None],
        own_tools: Callable[[Iterable[Any]], list[Any]] = list,
    ) -> None:
        self._requests = requests
        self._connection = requests.connection
        self._handshake = handshake
        self._reconnected = reconnected
        self._own_tools = own_tools
        self._task: asyncio.Task[None] | None = None
        self._attempts = 0
        self._failure: BaseException | None = None
        self._stopped = False
        self._attend()

    async def resume(self) -> None:
        """Connect anew, or wait for the reconnect task that runs; see `AsyncSession.resume`."""
        task = self._running
        if task is None:
            if self._connection.closed is None:
                raise ConfigurationError("The session is open; there is nothing to resume.")
            self._attempts, self._stopped = 0, False
            task = self._task = asyncio.create_task(self._attempt(), name="rtnb-reconnect")
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError:
            await _cancel(task)
            raise
        if not task.cancelled():
            task.result()
        self._connection.check_open()

    async def ready(self, timeout: float) -> float:
        """Wait for a reconnect task that runs; return what is left of `timeout`, in seconds.

        Raises
        ------
        SessionClosed
            The session is closed, and no reconnect task opens it.
        ResponseTimeout
        """
        began, since = asyncio.get_running_loop().time(), len(self._connection.timeline)
        try:
            async with asyncio.timeout(timeout):
                await self.settled()
        except TimeoutError:
            raise self._requests.timed_out("connection", timeout, since) from None
        self._connection.check_open()
        return timeout - (asyncio.get_running_loop().time() - began)

    async def settled(self) -> bool:
        """Wait for a reconnect task that runs; return whether the session is open."""
        self._start_if_lost()
        task = self._running
        if task is not None and task is not asyncio.current_task():
            await asyncio.wait([task])
        return self._connection.closed is None

    async def stop(self) -> None:
        """Cancel the reconnect task, and start no other."""
        self._stopped = True
        if self._running is not None:
            await _cancel(self._running)

    @property
    def _running(self) -> asyncio.Task[None] | None:
        return None if self._task is None or self._task.done() else self._task

    async def _attempt(self) -> None:
        config = copy_tree(self._connection.conversation.config)
        items = list(self._connection.conversation.items.values())
        await self._handshake.connect_again(self._connection)
        try:
            await self._restore(config, items)
        except BaseException:
            await self._connection.close(1000, "the conversation could not be restored")
            raise
        self._attend()
        self._reconnected()

    async def _restore(self, config: dict[str, object], items: Iterable[Item]) -> None:
        if self._handshake.endpoint.call_id:
            return  # a running call has kept everything
        session = self._requests.kind
        to_send, lost = items_to_restore(items) if session.allows("add_message()") else ([], [])
        settings = settings_to_restore(config)
        if isinstance(tools := settings.get("tools"), list):
            settings["tools"] = self._own_tools(tools)
        for command in (session.update(settings), *to_send):
            try:
                if "item" in command:
                    await self._requests.acknowledged(command, Kind.ITEM_ADDED)
                elif not await self._requests.update(command):
                    self._connection.note_problem("the service did not confirm the settings of the resumed session")
            except ServerError as error:
                lost.append(one_line(f"{command.get('item', {}).get('id', 'the settings')}: {error}", 200))
        for words in lost:
            self._connection.note_problem(f"not restored when the session was resumed: {words}")

    # Without being asked ----------------------------------------------------------------------------------------------

    def _attend(self) -> None:
        """Watch the connection that is open now, to reconnect when it is lost."""
        self._since = asyncio.get_running_loop().time()
        self._seen: SessionClosed | None = None
        if self._handshake.reconnect:
            ended = self._connection.waiters.add(Waiter(never))
            ended.future.add_done_callback(lambda _: self._start_if_lost())

    def _start_if_lost(self) -> None:
        """Start the reconnect task if the connection was lost, unless it runs or has failed often enough."""
        closed = self._connection.closed
        if (
            not self._handshake.reconnect
            or closed is None
            or self._running
            or self._stopped
            or _ended_on_purpose(closed)
        ):
            return
        if self._seen is None and asyncio.get_running_loop().time() - self._since >= STEADY_SECONDS:
            self._attempts = 0
        self._seen = closed
        if self._attempts < ATTEMPTS:
            self._task = asyncio.create_task(self._keep_trying(), name="rtnb-reconnect")
            # The new connection may be lost again before the task has ended.
            self._task.add_done_callback(lambda _: self._start_if_lost())
        else:
            self._stopped = True
            why = f": {one_line(self._failure, 300)}" if self._failure else ""
            self._connection.note_problem(
                f"the session could not be resumed in {ATTEMPTS} attempts{why}; session.resume() tries again"
            )

    async def _keep_trying(self) -> None:
        while self._attempts < ATTEMPTS:
            pause = FIRST_PAUSE * 2**self._attempts
            self._attempts += 1
            await asyncio.sleep(pause)
            try:
                await self._attempt()
                return
            except Exception as error:  # whatever it is, the next attempt may fare better
                self._failure = error


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])


def _ended_on_purpose(closed: SessionClosed) -> bool:
    """Return whether the service ended its work, or this process ends."""
    return (closed.code == 1000 and closed.who == "service") or (closed.who == "client" and closed.code in (1001, 1006))
