"""`Listeners`: functions that are called with events, on a thread of their own, where a slow or raising one delays no other."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import fnmatch
import inspect
import queue
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from rtnb.errors import ConfigurationError
from rtnb.protocol.events import Event
from rtnb.protocol.names import Local, kind_of

Listener = Callable[[Event], Any]
Report = Callable[[str, BaseException, Event], None]
_LAST_SECONDS = 0.5  # how long the end of the process waits for the listeners of the close event
_REST = 0.001  # seconds; by how much a listener's call may be late for an event that follows closely on another


@dataclass(frozen=True, eq=False)
class _Registration:
    pattern: str
    listener: Listener
    once: bool


_Job = tuple[Event, tuple[_Registration, ...]]


def matches(pattern: str, event: Event) -> bool:
    """Return whether `pattern` (a name in either dialect, or a glob) means this event."""
    return (
        pattern in ("*", event.type)
        or kind_of(pattern) == event.kind
        or fnmatch.fnmatchcase(event.type, pattern)
        or fnmatch.fnmatchcase(event.kind, pattern)
    )


class Listeners:
    """The listeners of one session. Events are queued; one thread, started with the first listener, calls them in order.

    Parameters
    ----------
    report : callable
        ``report(name, error, event)`` is called when a listener has raised.
    """

    def __init__(self, report: Report) -> None:
        self._report = report
        self._registrations: tuple[_Registration, ...] = ()
        self._lock = threading.Lock()
        self._queue: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._stopped: threading.Thread | None = None
        self._over = False
        self._last_words = False
        self._thread_ended: concurrent.futures.Future[None] | None = None
        self._wanted: dict[str, tuple[_Registration, ...]] = {}

    def add(self, pattern: str, listener: Listener, *, once: bool = False, now: Event | None = None) -> None:
        """Call `listener` with what matches `pattern`; with the event `now` at once, if it is given and matches.

        Raises
        ------
        ConfigurationError
            If `listener` cannot be called, or is a coroutine function.
        """
        if not callable(listener) or inspect.iscoroutinefunction(listener):
            raise ConfigurationError(
                "A listener is a plain function that takes one event, e.g. session.on('response.done', print); "
                "for coroutines use 'async for event in session.events()'."
            )
        registration = _Registration(pattern, listener, once)
        with self._lock:
            self._registrations += (registration,)
            self._wanted = {}
        if not self._over:
            self._start()
        if now is not None and matches(pattern, now):
            self._queue.put((now, (registration,)))

    def remove(self, pattern: str, listener: Listener | None = None) -> None:
        """Remove `listener` for `pattern`; without a listener, all of that pattern."""
        self._remove(lambda each: each.pattern == pattern and (listener is None or each.listener == listener))

    def _remove(self, chosen: Callable[[_Registration], bool]) -> None:
        with self._lock:
            self._registrations = tuple(each for each in self._registrations if not chosen(each))
            self._wanted = {}

    def emit(self, event: Event) -> None:
        """Queue an event for the listeners that it matches."""
        if not self._registrations or (self._last_words and event.kind != Local.CLOSE):
            return
        wanted = self._wanted.get(event.type)
        if wanted is None:
            with self._lock:
                wanted = tuple(each for each in self._registrations if matches(each.pattern, event))
                self._wanted[event.type] = wanted
        if wanted:
            self._queue.put((event, wanted))

    def start(self) -> None:
        """Begin anew after `stop`."""
        self._over = False
        self._start()

    def _start(self) -> None:
        """Start the thread, if there are listeners and it does not run."""
        with self._lock:
            if self._thread is None and self._registrations:
                self._thread_ended = concurrent.futures.Future()
                self._thread = threading.Thread(
                    target=self._run,
                    args=(self._queue, self._stopped, self._thread_ended),
                    name="rtnb-listeners",
                    daemon=True,
                )
                self._thread.start()

    def stop(self) -> None:
        """Let the thread finish the queue and end; `start` begins anew."""
        with self._lock:
            self._over = True
            if self._thread is not None:
                self._queue.put(None)
                self._stopped, self._thread = self._thread, None
            self._queue = queue.SimpleQueue()

    async def end(self, close: Callable[[], Awaitable[None]]) -> None:
        """End with the process: drop the calls that wait, and leave a moment for that of the close event alone.

        `close` closes the connection. What a listener raises in this moment is not reported: it cannot send any more.
        """
        self._last_words = True
        with contextlib.suppress(queue.Empty):
            while True:
                self._queue.get_nowait()
        await close()
        if self._thread_ended is not None:
            await asyncio.wait([asyncio.wrap_future(self._thread_ended)], timeout=_LAST_SECONDS)

    def join(self, timeout: float) -> None:
        """Wait until the calls queued before `stop` are done, at most `timeout` seconds."""
        if self._stopped is not None and self._stopped is not threading.current_thread():
            self._stopped.join(timeout)

    def _run(
        self,
        jobs: queue.SimpleQueue[_Job | None],
        before: threading.Thread | None,
        ended: concurrent.futures.Future[None],
    ) -> None:
        if before is not None:
            before.join()  # the calls that are left to it come first
        while (job := jobs.get()) is not None:
            event, registrations = job
            for registration in registrations:
                self._call(registration, event)
            if jobs.empty():
                # Waking this thread costs the I/O thread more than all the rest of an event's way.
                time.sleep(_REST)
        ended.set_result(None)

    def _call(self, registration: _Registration, event: Event) -> None:
        if registration not in self._registrations:
            return
        if registration.once:
            self._remove(lambda each: each is registration)
        try:
            registration.listener(event)
        except BaseException as error:  # a listener must not be able to end the thread, whatever it raises
            if self._last_words:
                return
            name = getattr(registration.listener, "__name__", type(registration.listener).__name__)
            self._report(name, error, event)
