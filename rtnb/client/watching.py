"""`WatchedSession`: a live record that one can listen to, iterate over and wait on."""

from __future__ import annotations

import asyncio

from rtnb.client.connection import Connection
from rtnb.client.credentials import Credential
from rtnb.client.endpoint import Endpoint
from rtnb.client.listeners import Listener
from rtnb.client.live_record import LiveRecord
from rtnb.client.loop import LoopThread, on_io
from rtnb.client.stream import EventStream
from rtnb.client.waiters import Predicate
from rtnb.errors import ResponseTimeout, SessionClosed
from rtnb.formatting import seconds
from rtnb.protocol.events import Event
from rtnb.protocol.names import Local


class WatchedSession(LiveRecord):
    """A session as one who watches it sees it: listeners, event streams, and waiting for an event."""

    def __init__(self, connection: Connection, endpoint: Endpoint, credential: Credential, io: LoopThread) -> None:
        super().__init__(connection, endpoint, credential)
        self._io = io
        self._consumed = 0

    def on(self, type: str, listener: Listener) -> Listener:
        """Call `listener(event)` for each received event that matches, on the listeners' thread.

        Parameters
        ----------
        type : str
            A name in either dialect, ``"*"``, or a glob like ``"response.*"``; ``"open"`` and ``"close"`` too. For a
            session that is open already, a listener for ``"open"`` is called at once.
        """
        self._connection.listeners.add(type, listener, now=self._opened(type))
        return listener

    def once(self, type: str, listener: Listener) -> Listener:
        """Call `listener` for the first event that matches, and forget it."""
        self._connection.listeners.add(type, listener, once=True, now=self._opened(type))
        return listener

    def _opened(self, type: str) -> Event | None:
        return self._connection.opened if type == Local.OPEN and self._connection.closed is None else None

    def off(self, type: str, listener: Listener | None = None) -> None:
        """Forget `listener` for `type`; without a listener, all of them."""
        self._connection.listeners.remove(type, listener)

    def events(self, type: str = "*", *, since: int | Event | None = None) -> EventStream:
        """Iterate over received events; any number of consumers each see every one.

        A loop begins where the last finished one, or the last finished `ask`, left off: nothing that arrives between two
        loops is missed. It ends with the session; when the session broke, it raises SessionClosed after the last event.
        A session that resumes by itself goes on.

        Parameters
        ----------
        since : int or Event, optional
            Row to begin at instead; 0 is the beginning.
        """
        row = self._consumed if since is None else since if isinstance(since, int) else since.seq + 1
        return EventStream(self._next, type, row, self._left_off)

    @on_io
    async def _next(self, pattern: str | Predicate, row: int) -> Event | None:
        event = await self._find(pattern, row)
        if event is None and self.closed is not None and self.closed.code not in (1000, 1001):
            raise self.closed.with_traceback(None)
        return event

    async def _find(self, pattern: str | Predicate, row: int) -> Event | None:
        """Return the first event that matches; None when the session is over and does not come back."""
        event = await self._connection.find(pattern, row)
        while event is None and await self._comes_back():
            event = await self._connection.find(pattern, row)
        return event

    async def _comes_back(self) -> bool:
        """Wait for a resumption that is under way; return whether the session is open."""
        return self._connection.closed is None

    def _left_off(self, row: int) -> None:
        self._consumed = max(self._consumed, row)

    @on_io
    async def wait_for(self, type: str | Predicate, timeout: float = 30.0) -> Event:
        """Return the next event that matches a type, a glob or a predicate, beginning where `events` would.

        Raises
        ------
        ResponseTimeout, SessionClosed
        """
        words = type if isinstance(type, str) else "event that the predicate accepts"
        try:
            async with asyncio.timeout(timeout):
                event = await self._find(type, self._consumed)
        except TimeoutError:
            raise self._nothing(words, timeout) from None
        if event is None:
            raise self.closed or SessionClosed("The session is closed.")
        self._left_off(event.seq + 1)
        return event

    def _nothing(self, words: str, timeout: float) -> ResponseTimeout:
        said = f" The service last said: {self._connection.last_error}." if self._connection.last_error else ""
        return ResponseTimeout(
            f"No {words} within {seconds(timeout)}.{said} session.timeline.tail() shows what came instead.",
            waited_for=str(words),
            timeout=timeout,
        )
