"""Waiters: small machines without I/O that look at each event as it arrives, until the awaited one has come.

A `Waiter` is offered every event until it is settled; its outcome is a future. When the connection ends, every waiter fails
with the same error, so that no call waits for a reader task that is gone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from typing import Any, NamedTuple

from rtnb.client.connection_errors import server_error
from rtnb.protocol.events import Event
from rtnb.protocol.names import Kind

Predicate = Callable[[Event], bool]
MOMENT = 1.5
"""Seconds of silence after which an error that names no event belongs to the call that waits."""
# What shows no progress with a request: other errors, limits, and what the same call has sent before it.
_BESIDE = (Kind.ERROR, Kind.RATE_LIMITS, Kind.ITEM_ADDED, Kind.ITEM_DONE)


class Waiter:
    """Waits for the first event that a predicate accepts, or for the ``error`` that names one of our events.

    Parameters
    ----------
    accept : callable
    event_ids : collection of str
        Ids of the client events that the waiting call sent: an error that names one of them belongs to this call. Waiters
        of one call have the same.
    """

    def __init__(self, accept: Predicate, event_ids: Collection[str] = ()) -> None:
        self._accept = accept
        self.event_ids = frozenset(event_ids)
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
        return isinstance(named, str) and named in self.event_ids

    @property
    def awaits_reply(self) -> bool:
        """Return whether its call has sent something, and no event has answered it yet."""
        return bool(self.event_ids)

    def raises(self, event: Event) -> bool:
        """Return whether its call will raise the failure that an event is."""
        return bool(self.event_ids) and self.future.done()

    def fail(self, error: BaseException) -> None:
        """End the wait with an error."""
        if not self.future.done():
            self.future.set_exception(error)


class _Held(NamedTuple):
    """An error that names no event, the only call that it can belong to, by its events, and the timer that will say so."""

    event: Event
    call: frozenset[str]
    timer: asyncio.TimerHandle


class Waiters:
    """All waiters of one connection.

    An error that names no event, as many servers send it, belongs to the call that waits for an acknowledgement, if there
    is exactly one and nothing else comes in a moment.

    Parameters
    ----------
    resolved : callable, optional
        ``resolved(event, raised)`` is called with an error that named no event, once it is known whether a call raised it.
    """

    def __init__(self, resolved: Callable[[Event, bool], None] = lambda event, raised: None) -> None:
        self._waiters: list[Waiter] = []
        self._settled: list[Waiter] = []
        self._failure: BaseException | None = None
        self._resolved = resolved
        self._held: _Held | None = None

    @property
    def held(self) -> Event | None:
        """Return an error of which it is not known yet whether it belongs to a call; None if there is none."""
        return self._held.event if self._held is not None else None

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
        self._look_again()

    def offer(self, event: Event) -> None:
        """Offer an event to every waiter."""
        waiters = self._waiters
        self._settled = []
        if not waiters:
            return
        for waiter in waiters:
            waiter.offer(event)
        if settled := [waiter for waiter in waiters if waiter.future.done()]:
            self._settled = settled
            self._waiters = [waiter for waiter in waiters if not waiter.future.done()]
        if self._held is not None:
            self._look_again(event)
        if event.kind == Kind.ERROR and event.part("error").get("event_id") in (None, "") and not self.raises(event):
            self._hold(event)

    def raises(self, event: Event) -> bool:
        """Return whether a call raises the failure that the event, the last one that was offered, is."""
        return any(waiter.raises(event) for waiter in (*self._settled, *self._waiters))

    @property
    def _calls(self) -> set[frozenset[str]]:
        """Return the calls that wait for an acknowledgement, by their events."""
        return {waiter.event_ids for waiter in self._waiters if waiter.awaits_reply}

    def _hold(self, event: Event) -> None:
        calls = self._calls
        if self._held is None and len(calls) == 1:
            timer = asyncio.get_running_loop().call_later(MOMENT, self._blame)
            self._held = _Held(event, calls.pop(), timer)

    def _look_again(self, event: Event | None = None) -> None:
        """Give up on the error that is held, if its call has got its answer, or the service goes on with something else."""
        goes_on = event is not None and event.kind not in _BESIDE
        if self._held is not None and (goes_on or self._held.call not in self._calls):
            self.release()

    def release(self) -> None:
        """Resolve the error that is held: no call raises it."""
        if (held := self._held) is not None:
            held.timer.cancel()
            self._held = None
            self._resolved(held.event, False)

    def _blame(self) -> None:
        if (held := self._held) is not None:
            self._held = None
            for waiter in self._waiters:
                if waiter.event_ids == held.call:
                    waiter.fail(server_error(held.event))
            self._waiters = [waiter for waiter in self._waiters if not waiter.future.done()]
            self._resolved(held.event, True)

    def fail(self, error: BaseException) -> None:
        """End every wait, present and future, with `error`."""
        self.release()
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
