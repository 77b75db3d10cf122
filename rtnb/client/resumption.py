"""`ResumableSession`: a session that goes on after its connection was lost, in one timeline with a visible seam."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable
from typing import Self

from rtnb.client.connection import Connection
from rtnb.client.credentials import Credential
from rtnb.client.endpoint import Endpoint
from rtnb.client.establish import OpenTransport, establish_again, open_websocket
from rtnb.client.loop import LoopThread, on_io
from rtnb.client.resuming import items_to_restore, settings_to_restore
from rtnb.client.watches import Predicate, Watch
from rtnb.client.watching import WatchedSession
from rtnb.errors import ConfigurationError, ConnectError, RtnbError
from rtnb.formatting import one_line
from rtnb.items import Item
from rtnb.protocol import commands
from rtnb.protocol.commands import Command
from rtnb.protocol.config import copy_tree
from rtnb.protocol.events import Event
from rtnb.protocol.names import Kind

ATTEMPTS = 6
FIRST_PAUSE = 0.5


class ResumableSession(WatchedSession):
    """A session that can be connected anew.

    Parameters
    ----------
    timeout : float
        Seconds for a connection attempt, and for each acknowledgement.
    reconnect : bool
        Whether a lost or expired connection is resumed without being asked: 6 attempts, 0.5 s, 1 s, 2 s … apart.
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
        self._look_after()

    @on_io
    async def resume(self) -> Self:
        """Connect anew after the session was lost, closed or has expired, and go on where it stopped.

        Settings and conversation items are told to the new connection: speech by its transcript, a truncated answer by
        what was heard of it. The timeline goes on; a row of type ``"resume"`` marks the seam. What could not be told again
        is among `problems`.

        Raises
        ------
        ConfigurationError
            The session is open.
        ConnectError, AuthError
        """
        if self._resuming is None:
            if self._connection.closed is None:
                raise ConfigurationError("The session is open; there is nothing to resume.")
            await self._resume()
        else:
            await asyncio.wait([self._resuming])
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
        self._look_after()
        await self._restore(config, items)

    async def _restore(self, config: dict[str, object], items: Iterable[Item]) -> None:
        told, lost = items_to_restore(items)
        restore = commands.session_update(settings_to_restore(config))
        for command, kind in ((restore, Kind.SESSION_UPDATED), *((each, Kind.ITEM_ADDED) for each in told)):
            try:
                await self._acknowledged(command, _is(kind), kind)
            except RtnbError as error:
                if self._connection.closed is not None:
                    raise
                lost.append(one_line(error, 200))
        for words in lost:
            self._connection.note_problem(f"not restored when the session was resumed: {words}")

    def _look_after(self) -> None:
        """Attend to the connection that is there now."""
        if self._reconnect:
            ended = self._connection.watch(Watch(lambda event: False))
            ended.future.add_done_callback(lambda _: self._ended())

    def _ended(self) -> None:
        closed = self._connection.closed
        if closed is not None and closed.who != "client" and self._resuming is None:
            self._resuming = asyncio.create_task(self._resume_in_time(), name="rtnb-resume")

    async def _resume_in_time(self) -> None:
        pause = FIRST_PAUSE
        try:
            for _ in range(ATTEMPTS):
                await asyncio.sleep(pause)
                pause *= 2
                with contextlib.suppress(ConnectError, RtnbError):
                    await self._resume()
                    return
            self._connection.note_problem(f"the session could not be resumed in {ATTEMPTS} attempts")
        finally:
            self._resuming = None

    async def _ready(self) -> None:
        """Wait for a resumption that is under way; refuse to go on with a session that is closed."""
        if self._resuming is not None:
            await asyncio.wait([self._resuming])
        self._check_open()

    def _check_open(self) -> None:
        if self._connection.closed is not None:
            raise self._connection.closed.with_traceback(None)

    async def _acknowledged(self, command: Command, accept: Predicate, words: str) -> Event:
        """Send a command and return the event that acknowledges it."""
        self._check_open()
        event_id = commands.new_id("event")
        watch = self._connection.watch(Watch(accept, [event_id], words))
        try:
            async with asyncio.timeout(self._timeout):
                await self._connection.send({**command, "event_id": event_id})
                return await watch.future
        except TimeoutError:
            raise self._nothing(words, self._timeout) from None
        finally:
            self._connection.watches.discard(watch)


def _is(kind: str) -> Predicate:
    return lambda event: event.kind == kind
