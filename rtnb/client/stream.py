"""`EventStream`: received events one after the other, for `async for`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Self

from rtnb.client.waiters import Predicate
from rtnb.protocol.events import Event

Next = Callable[[str | Predicate, int], Awaitable[Event | None]]


class EventStream:
    """An asynchronous iterator over events; any number of them each see every one.

    No async generator: how far it got is told in the moment in which a loop drops it, not whenever a generator is closed.

    Parameters
    ----------
    next : callable
        ``await next(pattern, row)`` returns the first event from a row on that matches, None once there will be no more.
    pattern : str
    row : int
        Where to begin.
    left_off : callable
        Told of the row behind the last event, when the stream is dropped.
    """

    def __init__(self, next: Next, pattern: str, row: int, left_off: Callable[[int], None]) -> None:
        self._next = next
        self._pattern = pattern
        self._row = row
        self._left_off = left_off
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
            self._left_off(self._row)
