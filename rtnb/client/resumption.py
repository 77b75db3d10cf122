"""`ResumableSession`: a session that goes on after its connection was lost, in one timeline with a visible seam."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Self

from rtnb.client.connection import Connection
from rtnb.client.credentials import Credential
from rtnb.client.endpoint import Endpoint
from rtnb.client.handshake import OpenTransport, establish_again, open_websocket
from rtnb.client.loop import LoopThread, on_io
from rtnb.client.resuming import items_to_restore, settings_to_restore
from rtnb.client.waiters import Predicate, Watch, accepts
from rtnb.client.watching import WatchedSession
from rtnb.conversation.items import Item
from rtnb.errors import ConfigurationError, ServerError, SessionClosed
from rtnb.formatting import one_line
from rtnb.protocol import commands
from rtnb.protocol.commands import Command
from rtnb.protocol.config import copy_tree
from rtnb.protocol.events import Event
from rtnb.protocol.names import Kind

ATTEMPTS = 6
FIRST_PAUSE = 0.5
STEADY_SECONDS = 60.0
"""How long a connection must have lived for the attempts before it not to count any more."""


class ResumableSession(WatchedSession):
    """A session that can be connected anew.

    Parameters
    ----------
    timeout : float
        Seconds for a connection attempt, and for each acknowledgement.
    reconnect : bool
        Whether a lost or expired connection is resumed without being asked: 6 attempts, after 0.5 s, 1 s, 2 s …, which
        count until a connection has lived for a minute.
    """

    def __init__(
        self,
        connection: Connection,
        endpoint: Endpoint,
        credential: Credential,
        io: LoopThread,
        *,
        timeout: float,
        reconnect: bool = False,
        open_transport: OpenTransport = open_websocket,
    ) -> None:
        super().__init__(connection, endpoint, credential, io)
        self._timeout = timeout
        self._reconnect = reconnect
        self._open_transport = open_transport
        self._resuming: asyncio.Task[None] | None = None
        self._attempts = 0
        self._failure: BaseException | None = None
        self._over = False
        self._look_after()

    @on_io
    async def resume(self) -> Self:
        """Connect anew after the session was lost, closed or has expired, and go on where it stopped.

        Settings and conversation items are told to the new connection: speech by its transcript, a truncated answer by
        what was heard of it. The timeline goes on; a row of type ``"resume"`` marks the seam. What could not be told again
        is among `problems`. Where a resumption is under way already, this waits for it.

        Raises
        ------
        ConfigurationError
            The session is open.
        ConnectError, AuthError, SessionClosed, ResponseTimeout
            It did not come about; the session is closed, and can be resumed later.
        """
        task = self._under_way
        if task is None:
            if self._connection.closed is None:
                raise ConfigurationError("The session is open; there is nothing to resume.")
            self._attempts, self._over = 0, False
            task = self._resuming = asyncio.create_task(self._resume(), name="rtnb-resume")
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError:
            task.cancel()
            await asyncio.wait([task])
            raise
        if not task.cancelled():
            task.result()
        self._check_open()
        return self

    async def _resume(self) -> None:
        config = copy_tree(self.config)
        items = list(self.conversation.items.values())
        await establish_again(
            self._connection,
            self.endpoint,
            self._credential,
            timeout=self._timeout,
            open_transport=self._open_transport,
        )
        try:
            await self._restore(config, items)
        except BaseException:
            await self._connection.close(1000, "the conversation could not be restored")
            raise
        self._look_after()

    async def _restore(self, config: dict[str, object], items: Iterable[Item]) -> None:
        told, lost = items_to_restore(items)
        restore = commands.session_update(settings_to_restore(config))
        for command, kind in ((restore, Kind.SESSION_UPDATED), *((each, Kind.ITEM_ADDED) for each in told)):
            try:
                await self._acknowledged(command, accepts(kind), kind)
            except ServerError as error:
                lost.append(one_line(f"{command.get('item', {}).get('id', 'the settings')}: {error}", 200))
        for words in lost:
            self._connection.note_problem(f"not restored when the session was resumed: {words}")

    # By itself --------------------------------------------------------------------------------------------------------

    @property
    def _under_way(self) -> asyncio.Task[None] | None:
        return None if self._resuming is None or self._resuming.done() else self._resuming

    def _look_after(self) -> None:
        """Attend to the connection that is there now."""
        self._since = asyncio.get_running_loop().time()
        self._seen: SessionClosed | None = None
        if self._reconnect:
            ended = self._connection.watch(Watch(lambda event: False))
            ended.future.add_done_callback(lambda _: self._resume_if_lost())

    def _resume_if_lost(self) -> None:
        """Begin to resume a session that was lost, unless that is under way, or was tried often enough."""
        closed = self._connection.closed
        if not self._reconnect or closed is None or self._under_way or self._over or _ended_on_purpose(closed):
            return
        if self._seen is None and asyncio.get_running_loop().time() - self._since >= STEADY_SECONDS:
            self._attempts = 0
        self._seen = closed
        if self._attempts < ATTEMPTS:
            self._resuming = asyncio.create_task(self._keep_resuming(), name="rtnb-resume")
            # What it resumed may be lost again before it has ended.
            self._resuming.add_done_callback(lambda _: self._resume_if_lost())
        else:
            self._over = True
            why = f": {one_line(self._failure, 300)}" if self._failure else ""
            self._connection.note_problem(
                f"the session could not be resumed in {ATTEMPTS} attempts{why}; session.resume() tries again"
            )

    async def _keep_resuming(self) -> None:
        while self._attempts < ATTEMPTS:
            pause = FIRST_PAUSE * 2**self._attempts
            self._attempts += 1
            await asyncio.sleep(pause)
            try:
                await self._resume()
                return
            except Exception as error:  # whatever it is, it may be another thing next time
                self._failure = error

    async def _stop_resuming(self) -> None:
        self._over = True
        if (task := self._under_way) is not None:
            task.cancel()
            await asyncio.wait([task])

    async def _comes_back(self) -> bool:
        self._resume_if_lost()
        task = self._under_way
        if task is not None and task is not asyncio.current_task():
            await asyncio.wait([task])
        return self._connection.closed is None

    async def _ready(self, timeout: float) -> float:
        """Wait for a resumption that is under way; return what is left of `timeout`, in seconds.

        Raises
        ------
        SessionClosed
            The session is closed, and does not come back.
        ResponseTimeout
        """
        began = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(timeout):
                await self._comes_back()
        except TimeoutError:
            raise self._nothing("connection", timeout) from None
        self._check_open()
        return timeout - (asyncio.get_running_loop().time() - began)

    def _check_open(self) -> None:
        if self._connection.closed is not None:
            raise self._connection.closed.with_traceback(None)

    async def _acknowledged(
        self, command: Command, accept: Predicate, words: str, *, before: Iterable[Command] = ()
    ) -> Event:
        """Send a command, and what comes `before` it, and return the event that acknowledges it."""
        self._check_open()
        event_id = commands.new_id("event")
        watch = self._connection.watch(Watch(accept, [event_id], words))
        try:
            async with asyncio.timeout(self._timeout):
                for each in before:
                    await self._connection.send(each)
                await self._connection.send({**command, "event_id": event_id})
                return await watch.future
        except TimeoutError:
            raise self._nothing(words, self._timeout) from None
        finally:
            self._connection.watches.discard(watch)


def _ended_on_purpose(closed: SessionClosed) -> bool:
    """Return whether a connection was ended because it had done its work, or because this process ends."""
    return (closed.code == 1000 and closed.who == "service") or (closed.who == "client" and closed.code in (1001, 1006))
