"""Faults carried out: a socket that follows a `FaultPlan`, and a writer that is out of rate limit."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from rtnb.service.engines.base import EngineFailure
from rtnb.service.engines.tasks import Call, Text, Write
from rtnb.service.server.fault_plan import Action, Close, Drop, FaultPlan, Send

_MOST_WAITING = 1_000  # actions that are not due; then the sender waits
_FLUSH_SECONDS = 2.0


class FaultySocket(ServerConnection):
    """The server's end of a WebSocket; inside :meth:`following`, a plan decides what becomes of each frame.

    Actions that are not due yet wait in a queue, so that lateness is a delay and not a lower rate.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._plan: FaultPlan | None = None
        self._actions: asyncio.Queue[Action] = asyncio.Queue(_MOST_WAITING)
        self._acting: asyncio.Task[None] | None = None

    @contextlib.asynccontextmanager
    async def following(self, plan: FaultPlan) -> AsyncIterator[None]:
        """Follow this plan."""
        self._plan = plan
        self._acting = asyncio.create_task(self._act())
        try:
            yield
        finally:
            self._acting.cancel()
            await asyncio.wait([self._acting])

    async def send(self, message: Any, text: bool | None = None) -> None:
        """Send a frame, or do what the plan has for it."""
        if self._plan is None:
            await super().send(message, text=text)
            return
        for action in self._plan.actions(message, asyncio.get_running_loop().time()):
            await self._actions.put(action)

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close, after the actions that are still waiting."""
        if self._acting is not None and not self._acting.done():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_FLUSH_SECONDS):
                    await self._actions.join()
        await super().close(code, reason)

    async def _act(self) -> None:
        loop = asyncio.get_running_loop()
        with contextlib.suppress(ConnectionClosed):
            while True:
                action = await self._actions.get()
                if (delay := action.due - loop.time()) > 0:
                    await asyncio.sleep(delay)
                match action:
                    case Send():
                        await super().send(action.frame, text=True)
                    case Drop():
                        self.transport.abort()
                    case Close():
                        await super().close(action.code, action.reason)
                self._actions.task_done()


class RateLimitedWriter:
    """The writer for the fault ``rate_limit``: every response fails with ``rate_limit_exceeded``, as at a cloud."""

    name = "none (fault: rate_limit)"

    async def run(self, task: Write) -> AsyncGenerator[Text | Call, None]:
        """Fail.

        Raises
        ------
        EngineFailure
            Always.
        """
        raise EngineFailure(
            "rate_limit_exceeded",
            "Rate limit reached: no tokens are left in this minute. Please try again in 20 seconds. "
            "(Asked for by the fault rate_limit.)",
        )
        yield  # makes it a generator

    async def close(self) -> None:
        """Do nothing: it has nothing running."""
