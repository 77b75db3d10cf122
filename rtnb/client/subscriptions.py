"""`Subscriptions`: the ways to follow a session's events: listeners, streams for ``async for``, and waiting for one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Self

from rtnb.client.connection import Connection
from rtnb.client.listeners import Listener
from rtnb.client.loop import LoopThread, on_io
from rtnb.client.requests import Requests
from rtnb.client.waiters import Predicate
from rtnb.errors import SessionClosed
from rtnb.protocol.events import Event

Next = Callable[[str | Predicate, int], Awaitable[Event | None]]


class Subscriptions:
    """The listeners and event streams of one session; described at `AsyncSession`'s methods.

    Parameters
    ----------
    requests : Requests
    settled : callable
        ``await settled()`` waits for a reconnect task that runs, and returns whether the session is open.
    io : LoopThread
        Streams may be iterated on any loop.
    """

    def __init__(self, requests: Requests, settled: Callable[[], Awaitable[bool]], io: LoopThread) -> None:
        self._requests = requests
        self._connection: Connection = requests.connection
        self._settled = settled
        self._io = io
        self._consumed = 0

    def add(self, type: str, listener: Listener, *, once: bool = False) -> Listener:
        """Call `listener(event)` for each event that matches, or only for the first."""
        connection = self._connection
        connection.listeners.add(type, listener, once=once, now=connection.opening(type))
        return listener

    def remove(self, type: str, listener: Listener | None) -> None:
        """Remove `listener` for `type`; without a listener, all of them."""
        self._connection.listeners.remove(type, listener)

    def stream(self, type: str, since: int | Event | None) -> EventStream:
        """Return an iterator over the events that match, from `since` on."""
        row = self._consumed if since is None else since if isinstance(since, int) else since.seq + 1
        return EventStream(self._next, type, row, self.consumed)

    async def wait_for(self, type: str | Predicate, timeout: float) -> Event:
        """Return the next event that matches."""
        since = len(self._connection.timeline)
        try:
            async with asyncio.timeout(timeout):
                event = await self._find(type, self._consumed)
        except TimeoutError:
            awaited = type if isinstance(type, str) else "event that the predicate accepts"
            raise self._requests.timed_out(awaited, timeout, since) from None
        if event is None:
            raise self._connection.closed or SessionClosed("The session is closed.")
        self.consumed(event.seq + 1)
        return event

    def consumed(self, row: int) -> None:
        """Note that the rows before `row` were seen: the next stream begins there."""
        self._consumed = max(self._consumed, row)

    @on_io
    async def _next(self, pattern: str | Predicate, row: int) -> Event | None:
        event = await self._find(pattern, row)
        closed = self._connection.closed
        if event is None and closed is not None and closed.code not in (1000, 1001):
            raise closed.with_traceback(None)
        return event

    async def _find(self, pattern: str | Predicate, row: int) -> Event | None:
        """Return the first event that matches; None when the session is closed and no reconnect task opens it."""
        event = await self._connection.find(pattern, row)
        while event is None and await self._settled():
            event = await self._connection.find(pattern, row)
        return event


class EventStream:
    """An asynchronous iterator over events; any number of them each see every one.

    It is no async generator because the row that it got to must be noted at the moment when a loop drops it, not when a
    generator happens to be closed.

    Parameters
    ----------
    next : callable
        ``await next(pattern, row)`` returns the first event from a row on that matches, None once there will be no more.
    pattern : str
    row : int
        Where to begin.
    consumed : callable
        Called with the row behind the last event, when the stream is dropped.
    """

    def __init__(self, next: Next, pattern: str, row: int, consumed: Callable[[int], None]) -> None:
        self._next = next
        self._pattern = pattern
        self._row = row
        self._consumed = consumed
        self._moved = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        event = await self._next(self._pattern, self._row)
        if event is None:
            raise StopAsyncIteration
        self._row = event.seq + 1
        self._moved = True
        return event

    def __del__(self) -> None:
        if self._moved:
            self._consumed(self._row)
