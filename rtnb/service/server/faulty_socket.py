"""A socket on which things go wrong as they were asked for. What and when is decided in `rtnb.service.server.fault_plan`."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from rtnb.service.server.fault_plan import Act, Close, Course, Drop, Send

_MOST_WAITING = 1_000  # events on their way; then the sender waits
_FLUSH_SECONDS = 2.0


class FaultySocket(ServerConnection):
    """A server's end of a WebSocket; inside :meth:`following`, what is sent takes its course.

    Events that are late wait in a line of their own, so that lateness is a delay and not a lower rate.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._course: Course | None = None
        self._line: asyncio.Queue[Act] = asyncio.Queue(_MOST_WAITING)
        self._carrying: asyncio.Task[None] | None = None

    @contextlib.asynccontextmanager
    async def following(self, course: Course) -> AsyncIterator[None]:
        """Let what is sent take this course."""
        self._course = course
        self._carrying = asyncio.create_task(self._carry_out())
        try:
            yield
        finally:
            self._carrying.cancel()
            await asyncio.wait([self._carrying])

    async def send(self, message: Any, text: bool | None = None) -> None:
        """Send a frame, or whatever becomes of it."""
        if self._course is None:
            await super().send(message, text=text)
            return
        for act in self._course.leaving(message, asyncio.get_running_loop().time()):
            await self._line.put(act)

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close, after what is still on its way."""
        if self._carrying is not None and not self._carrying.done():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_FLUSH_SECONDS):
                    await self._line.join()
        await super().close(code, reason)

    async def _carry_out(self) -> None:
        loop = asyncio.get_running_loop()
        with contextlib.suppress(ConnectionClosed):
            while True:
                act = await self._line.get()
                if (delay := act.due - loop.time()) > 0:
                    await asyncio.sleep(delay)
                match act:
                    case Send():
                        await super().send(act.frame, text=True)
                    case Drop():
                        self.transport.abort()
                    case Close():
                        await super().close(act.code, act.reason)
                self._line.task_done()
