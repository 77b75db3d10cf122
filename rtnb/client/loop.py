"""`LoopThread`: one event loop on a thread of its own, for everything that touches a socket.

A socket on the notebook's own loop stands still while a cell computes: keepalives fail and arrival times lie. Here cells
only talk to the thread, by `call` (which blocks, and can be interrupted) or `acall` (which awaits on any loop).
"""

from __future__ import annotations

import asyncio
import atexit
import concurrent.futures
import contextlib
import functools
import os
import threading
import time
import weakref
from collections.abc import Callable, Coroutine
from typing import Any, Generic, Protocol, TypeVar, cast

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Coroutine[Any, Any, Any]])
_HEARTBEAT = 0.1  # an interrupt lands only when the awaiting loop wakes (jupyter.md, 2)
_PROBE = 0.05
_SETTLED = 0.02
_EXIT_SECONDS = 1.0


class Closable(Protocol):
    """Something to close when the process ends."""

    async def close_at_exit(self) -> None:
        """Close, quickly."""


class _Job(Generic[T]):
    """A coroutine that another thread wants run. It can be given up at any moment, even before it has begun.

    An interrupt may come between any two steps of the waiting thread, so nothing may depend on what a step returned.
    """

    def __init__(self, coroutine: Coroutine[Any, Any, T]) -> None:
        self.outcome: concurrent.futures.Future[T] = concurrent.futures.Future()
        self._coroutine = coroutine
        self._task: asyncio.Task[T] | None = None
        self._given_up = False

    def begin(self) -> None:
        """Start it; on the loop."""
        if not self._given_up:
            self._task = asyncio.get_running_loop().create_task(self._coroutine)
            self._task.add_done_callback(self._ended)

    def give_up(self) -> None:
        """Cancel it, begun or not; on the loop."""
        self._given_up = True
        if self._task is None:
            self._coroutine.close()
        else:
            self._task.cancel()

    def _ended(self, task: asyncio.Task[T]) -> None:
        error = concurrent.futures.CancelledError() if task.cancelled() else task.exception()
        if error is None:
            self.outcome.set_result(task.result())
        else:
            self.outcome.set_exception(error)


class LoopThread:
    """An asyncio loop on a daemon thread, which measures its own lateness and closes what is open at exit."""

    def __init__(self, name: str = "rtnb-io") -> None:
        self.loop = asyncio.new_event_loop()
        self._due = time.monotonic() + _PROBE
        self._ran = self._due
        self._late = 0.0
        self._open: weakref.WeakSet[Any] = weakref.WeakSet()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.call_soon(self._probe)
        self.loop.run_forever()

    @property
    def here(self) -> bool:
        """Return whether the caller is on this thread."""
        return threading.current_thread() is self._thread

    def call(
        self,
        coroutine: Coroutine[Any, Any, T],
        *,
        while_waiting: Callable[[], None] | None = None,
        every: float = _HEARTBEAT,
    ) -> T:
        """Run a coroutine on the loop and block until it is done; an interrupt cancels it.

        Parameters
        ----------
        while_waiting : callable, optional
            Called on the caller's thread about once in `every` seconds.

        Raises
        ------
        RuntimeError
            On the loop's own thread, where blocking would wait for itself for ever.
        """
        if self.here:
            coroutine.close()
            raise RuntimeError("a blocking call from a coroutine on rtnb's own loop would wait for itself; await it.")
        self._check_alive(coroutine)
        job = _Job(coroutine)
        try:
            self.loop.call_soon_threadsafe(job.begin)
            # In short waits, because not every platform lets an interrupt into a long one.
            while not concurrent.futures.wait([job.outcome], timeout=every).done:
                if while_waiting is not None:
                    while_waiting()
            return job.outcome.result()
        except BaseException:
            self.loop.call_soon_threadsafe(job.give_up)
            raise

    async def acall(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Await a coroutine that runs on this loop, from any loop; cancelling the await cancels the coroutine."""
        if self.here:
            return await coroutine
        future = asyncio.wrap_future(self.submit(coroutine))
        try:
            while not future.done():
                await asyncio.wait([future], timeout=_HEARTBEAT)
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def submit(self, coroutine: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
        """Begin a coroutine on the loop and return at once, from any thread; the outcome comes in the future."""
        self._check_alive(coroutine)
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop)

    def _check_alive(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        if not self._thread.is_alive():
            coroutine.close()
            raise RuntimeError("rtnb's I/O thread did not survive the fork of this process; connect anew in the child.")

    def late_ms(self, now: float) -> float:
        """Return how late this loop may have noticed something that it sees at `now` (monotonic seconds), in ms.

        A row of the timeline keeps this figure: where it is large, the arrival time is in doubt by that much.
        """
        overdue = now - self._due
        just_woken = self._late if now - self._ran < _SETTLED else 0.0
        return max(overdue, just_woken, 0.0) * 1000

    def _probe(self) -> None:
        now = self.loop.time()
        self._late = max(now - self._due, 0.0)
        self._ran = now
        self._due = now + _PROBE
        self.loop.call_at(self._due, self._probe)

    def close_at_exit(self, closable: Closable) -> None:
        """Remember something to close when the process ends: before anything that was started before it, as a service."""
        self._open.add(closable)
        atexit.unregister(self._at_exit)
        atexit.register(self._at_exit)

    def _at_exit(self) -> None:
        closables = list(self._open)
        if not closables or not self._thread.is_alive():
            return

        async def close_all() -> None:
            await asyncio.wait(
                [asyncio.ensure_future(each.close_at_exit()) for each in closables], timeout=_EXIT_SECONDS
            )

        with contextlib.suppress(Exception):
            asyncio.run_coroutine_threadsafe(close_all(), self.loop).result(_EXIT_SECONDS)


def loop_thread() -> LoopThread:
    """Return the process's loop thread, started when it is first needed (and anew in a forked child)."""
    return _loop_thread(os.getpid())


@functools.cache
def _loop_thread(pid: int) -> LoopThread:
    return LoopThread()


def on_io(method: F) -> F:
    """Let a coroutine method be awaited on any loop while it runs on its object's own (``self._io``)."""

    @functools.wraps(method)
    async def bridged(self: Any, *args: Any, **kwargs: Any) -> Any:
        return await self._io.acall(method(self, *args, **kwargs))

    return cast(F, bridged)
