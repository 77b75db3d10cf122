"""An event loop whose clock jumps to the next timer whenever there is nothing to do: timeouts without waiting."""

from __future__ import annotations

import asyncio
import functools
import selectors
import time
from collections.abc import Callable, Coroutine
from typing import Any

_STUCK = 10.0


class _Jumping(selectors.DefaultSelector):
    """Looks whether anything has happened; if nothing has, it is already the time of the next timer."""

    now = 0.0

    def select(self, timeout: float | None = None) -> Any:
        if timeout is None:  # no timer at all: only another thread can still bring something
            ready = super().select(_STUCK)
            assert ready, "nothing will ever happen on this loop"
            return ready
        ready = super().select(0)
        if not ready:
            self.now += timeout
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now


def virtual_time(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run a coroutine test in virtual time, and see that it leaves no task behind that failed."""

    @functools.wraps(test)
    def run(*args: Any, **kwargs: Any) -> None:
        with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
            runner.run(test(*args, **kwargs))

    return run


async def pass_time(seconds: float) -> None:
    """Let so much of a virtual loop's time go by; nobody waits for it."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualTimeLoop)
    gone = loop.create_future()
    loop.call_later(seconds, gone.set_result, None)
    await gone


async def until(condition: Callable[[], Any]) -> None:
    """Let the loop turn until something is so: for `_STUCK` seconds of real time, since another thread may bring it."""
    given_up = time.monotonic() + _STUCK
    while not condition():
        assert time.monotonic() < given_up, "it never came to be"
        await asyncio.sleep(0)
