"""What waits for an event: small machines without I/O that look at each event as it arrives.

A `Watch` is offered every event until it is settled; its outcome is a future. When the connection dies, every watch
fails with the same truth, so nobody waits for a reader that is gone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from typing import Any

from rtnb.client.refusals import server_error
from rtnb.protocol.events import Event
from rtnb.protocol.names import Kind

Predicate = Callable[[Event], bool]


class Watch:
    """Waits for the first event that a predicate accepts, or for the ``error`` that names one of our events.

    Parameters
    ----------
    accept : callable
    event_ids : collection of str
        Ids of the client events that this call sent: an error that names one of them belongs to this call.
    words : str
        What is awaited, for messages.
    """

    def __init__(self, accept: Predicate, event_ids: Collection[str] = (), words: str = "an event") -> None:
        self._accept = accept
        self.event_ids = frozenset(event_ids)
        self.words = words
        self.future: asyncio.Future[Event] = asyncio.get_running_loop().create_future()
        # A failure that nobody comes to ask about is in the log; asyncio need not warn of it.
        self.future.add_done_callback(_seen)

    @property
    def settled(self) -> bool:
        """Return whether there is nothing more to wait for."""
        return self.future.done()

    def offer(self, event: Event) -> None:
        """Look at an event."""
        if self.settled:
            return
        if event.kind == Kind.ERROR and self.blames(event):
            self.future.set_exception(server_error(event))
        elif self._accept(event):
            self.future.set_result(event)

    def blames(self, event: Event) -> bool:
        """Return whether an ``error`` event names this call."""
        named = event.part("error").get("event_id")
        return isinstance(named, str) and named in self.event_ids

    def fail(self, error: BaseException) -> None:
        """End the wait with an error."""
        if not self.settled:
            self.future.set_exception(error)


class Watches:
    """All who wait on one connection."""

    def __init__(self) -> None:
        self._watches: list[Watch] = []
        self._failure: BaseException | None = None

    def add(self, watch: Watch) -> Watch:
        """Let `watch` see what comes from now on; on a dead connection it fails at once."""
        if self._failure is not None:
            watch.fail(self._failure)
        else:
            self._watches.append(watch)
        return watch

    def discard(self, watch: Watch) -> None:
        """Take `watch` away."""
        if watch in self._watches:
            self._watches.remove(watch)

    def offer(self, event: Event) -> bool:
        """Show an event to all; return whether it was an error that some call is to blame for."""
        if not self._watches:
            return False
        blamed = event.kind == Kind.ERROR and any(watch.blames(event) for watch in self._watches)
        for watch in self._watches:
            watch.offer(event)
        self._watches = [watch for watch in self._watches if not watch.settled]
        return blamed

    def fail(self, error: BaseException) -> None:
        """End every wait, present and future, with `error`."""
        self._failure = error
        for watch in self._watches:
            watch.fail(error)
        self._watches = []


def _seen(future: asyncio.Future[Any]) -> None:
    if not future.cancelled():
        future.exception()


def accepts(kind: str) -> Predicate:
    """Return what accepts any event of a kind."""
    return lambda event: event.kind == kind
