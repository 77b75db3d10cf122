"""The I/O thread: calls that block and can be interrupted, from wherever they come."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import threading
from collections.abc import Iterator

import pytest

from rtnb.client.loop import LoopThread, loop_thread


@pytest.fixture
def io() -> Iterator[LoopThread]:
    made = LoopThread("test-io")
    yield made
    made.loop.call_soon_threadsafe(made.loop.stop)
    made._thread.join(10)
    made.loop.close()


async def where() -> threading.Thread:
    return threading.current_thread()


def test_a_call_runs_on_the_thread_and_returns(io: LoopThread) -> None:
    """Its result, or its exception."""

    async def fail() -> None:
        raise KeyError("x")

    assert io.call(where()) is not threading.current_thread()
    with pytest.raises(KeyError):
        io.call(fail())


async def test_a_coroutine_is_awaited_from_another_loop(io: LoopThread) -> None:
    """And, on the loop itself, directly."""

    async def fail() -> None:
        raise KeyError("x")

    assert await io.acall(where()) is not threading.current_thread()
    with pytest.raises(KeyError):
        await io.acall(fail())

    async def inside() -> bool:
        return io.here and await io.acall(where()) is threading.current_thread()

    assert await io.acall(inside())


class Endless:
    """A coroutine that never ends, and tells that it was cancelled."""

    def __init__(self) -> None:
        self.began, self.cancelled = threading.Event(), threading.Event()

    async def run(self) -> None:
        self.began.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled.set()
            raise


def test_what_interrupts_the_wait_cancels_the_coroutine(io: LoopThread) -> None:
    """A KeyboardInterrupt reaches the caller; nothing is left running."""
    endless = Endless()

    def interrupt() -> None:
        if endless.began.is_set():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        io.call(endless.run(), while_waiting=interrupt, every=0.001)
    assert endless.cancelled.wait(10)


async def test_cancelling_an_await_cancels_the_coroutine(io: LoopThread) -> None:
    """Across the two loops."""
    endless = Endless()
    task = asyncio.create_task(io.acall(endless.run()))
    while not endless.began.is_set():
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await asyncio.to_thread(endless.cancelled.wait, 10)


def test_a_call_from_the_loop_itself_is_refused(io: LoopThread) -> None:
    """It would wait for itself for ever."""

    async def nested() -> None:
        io.call(where())

    with pytest.raises(RuntimeError, match="await it"):
        io.call(nested())


def test_lateness_is_measured(io: LoopThread) -> None:
    """A loop that was held up knows by how much; one that was not says next to nothing."""

    async def hold() -> float:
        due = io._due
        while io.loop.time() < due + 0.2:
            pass
        return io.late_ms(io.loop.time())

    assert io.call(hold()) >= 200


def test_there_is_one_per_process() -> None:
    """Started when first needed, a daemon."""
    assert loop_thread() is loop_thread()
    assert loop_thread()._thread.daemon


def _in_child(queue: object) -> None:
    parent = loop_thread_of_parent[0]
    try:
        parent.call(where())
    except RuntimeError as error:
        queue.put(str(error))  # type: ignore[attr-defined]
    fresh = loop_thread()
    queue.put(fresh.call(where()).name)  # type: ignore[attr-defined]


loop_thread_of_parent: list[LoopThread] = []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform does not fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_gets_the_error_that_the_thread_is_gone(io: LoopThread) -> None:
    """The parent's thread does not exist there; it gets one of its own, and nothing hangs."""
    loop_thread_of_parent[:] = [io]
    context = multiprocessing.get_context("fork")
    queue = context.SimpleQueue()
    child = context.Process(target=_in_child, args=(queue,))
    child.start()
    assert "connect anew in the child" in queue.get()
    assert queue.get() == "rtnb-io"
    child.join(30)
    assert child.exitcode == 0
