"""Waiters: small machines without I/O that look at each event as it arrives, until the awaited one has come.

A `Waiter` is offered every event until it is settled; its outcome is a future. When the connection ends, every waiter fails
with the same error, so that no call waits for a reader task that is gone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from typing import Any

from rtnb.client.connection_errors import server_error
from rtnb.protocol.events import Event
from rtnb.protocol.names import Kind

Predicate = Callable[[Event], bool]


class Waiter:
    """Waits for the first event that a predicate accepts, or for the ``error`` that names one of our events.

    Parameters
    ----------
    accept : callable
    event_ids : collection of str
        Ids of the client events that the waiting call sent: an error that names one of them belongs to this call.
    """

    def __init__(self, accept: Predicate, event_ids: Collection[str] = ()) -> None:
        self._accept = accept
        self._event_ids = frozenset(event_ids)
        self.future: asyncio.Future[Event] = asyncio.get_running_loop().create_future()
        # A failure that is never retrieved is in the log; asyncio need not warn of it.
        self.future.add_done_callback(_mark_retrieved)

    def offer(self, event: Event) -> None:
        """Look at an event."""
        if self.future.done():
            return
        if event.kind == Kind.ERROR and self.blames(event):
            self.future.set_exception(server_error(event))
        elif self._accept(event):
            self.future.set_result(event)

    def blames(self, event: Event) -> bool:
        """Return whether an ``error`` event names an event of this call."""
        named = event.part("error").get("event_id")
        return isinstance(named, str) and named in self._event_ids

    def fail(self, error: BaseException) -> None:
        """End the wait with an error."""
        if not self.future.done():
            self.future.set_exception(error)


class Waiters:
    """All waiters of one connection."""

    def __init__(self) -> None:
        self._waiters: list[Waiter] = []
        self._failure: BaseException | None = None

    def add(self, waiter: Waiter) -> Waiter:
        """Offer `waiter` what comes from now on; on a connection that has ended it fails at once."""
        if self._failure is not None:
            waiter.fail(self._failure)
        else:
            self._waiters.append(waiter)
        return waiter

    def discard(self, waiter: Waiter) -> None:
        """Remove `waiter`, if it is still there."""
        if waiter in self._waiters:
            self._waiters.remove(waiter)

    def offer(self, event: Event) -> bool:
        """Offer an event to every waiter; return whether it is an error that names an event of one of them."""
        if not self._waiters:
            return False
        blamed = event.kind == Kind.ERROR and any(waiter.blames(event) for waiter in self._waiters)
        for waiter in self._waiters:
            waiter.offer(event)
        self._waiters = [waiter for waiter in self._waiters if not waiter.future.done()]
        return blamed

    def fail(self, error: BaseException) -> None:
        """End every wait, present and future, with `error`."""
        self._failure = error
        for waiter in self._waiters:
            waiter.fail(error)
        self._waiters = []


def _mark_retrieved(future: asyncio.Future[Any]) -> None:
    if not future.cancelled():
        future.exception()


def accepts(kind: str) -> Predicate:
    """Return the predicate that accepts any event of a kind."""
    return lambda event: event.kind == kind


def never(event: Event) -> bool:
    """Accept no event: a waiter with this predicate waits for the end of the connection."""
    return False
