"""Where a session's orders are carried out: each job is a task that runs an engine and brings back what it gives."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable
from typing import Any

from rtnb.audio.samples import Samples
from rtnb.formatting import one_line
from rtnb.service.engines import EngineFailure, Engines
from rtnb.service.engines.tasks import Feed, Finish, Order, Result, Say, Start, Stop, Task, Transcribe, Write
from rtnb.service.session.connection import ServiceConnection
from rtnb.service.session.transcription import UNAVAILABLE

_MOST_AHEAD = 8.0  # seconds of one job's speech that wait to be told; then the voice waits


class Workshop:
    """Carries out the orders of one session.

    Parameters
    ----------
    connection : ServiceConnection
        Who gives the orders.
    engines : Engines
        Who does the work.
    tell : callable
        Is handed the events that a result causes, and called whenever something changed.
    """

    def __init__(
        self, connection: ServiceConnection, engines: Engines, tell: Callable[[list[dict[str, Any]]], None]
    ) -> None:
        self._connection = connection
        self._engines = engines
        self._tell = tell
        self._group: asyncio.TaskGroup | None = None
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._feeds: dict[str, asyncio.Queue[Samples | None]] = {}
        self._room = asyncio.Event()

    def open(self, group: asyncio.TaskGroup) -> None:
        """Run the jobs in this group from now on."""
        self._group = group

    def close(self) -> None:
        """End every job, and take no more."""
        self._group = None
        for task in self._tasks.values():
            task.cancel()

    def carry_out(self, orders: Iterable[Order]) -> None:
        """Take orders."""
        self._room.set()
        for order in orders:
            match order:
                case Start():
                    self._start(order.job, order.task)
                case Feed():
                    self._feed(order.job, order.samples)
                case Finish():
                    self._feed(order.job, None)
                case Stop():
                    self._end(order.job)

    def _start(self, job: str, task: Task) -> None:
        if self._group is None:
            return
        if isinstance(task, Transcribe):
            self._feeds[job] = asyncio.Queue()
        self._tasks[job] = self._group.create_task(self._run(job, task))

    def _feed(self, job: str, samples: Samples | None) -> None:
        if job in self._feeds:
            self._feeds[job].put_nowait(samples)

    def _end(self, job: str) -> None:
        if job in self._tasks:
            self._tasks[job].cancel()

    async def _run(self, job: str, task: Task) -> None:
        connection = self._connection
        try:
            await self._work(job, task)
        except EngineFailure as failure:
            self._tell(connection.supply_failure(job, failure.code, failure.message))
        except Exception as error:
            message = f"{type(error).__name__}: {one_line(str(error), 300)}"
            self._tell(connection.supply_failure(job, "local_service_failed", message))
        else:
            self._tell(connection.supply_end(job))
        finally:
            self._tasks.pop(job, None)
            self._feeds.pop(job, None)

    async def _work(self, job: str, task: Task) -> None:
        async with contextlib.aclosing(self._results(job, task)) as results:
            async for result in results:
                self._tell(self._connection.supply(job, result))
                while isinstance(task, Say) and self._connection.ahead(job) > _MOST_AHEAD:
                    self._room.clear()
                    await self._room.wait()

    def _results(self, job: str, task: Task) -> AsyncGenerator[Result, None]:
        engines = self._engines
        match task:
            case Write():
                return engines.writer.run(task)
            case Say():
                return engines.voice.run(task)
            case Transcribe() if engines.transcriber is not None:
                return engines.transcriber.run(task, self._fed(job))
        raise EngineFailure(
            UNAVAILABLE,
            'No speech recognition is installed here: pip install "rtnb[voice]" brings it, or name an endpoint '
            "with transcribe= (rtnb serve --transcribe URL).",
        )

    async def _fed(self, job: str) -> AsyncIterator[Samples]:
        feed = self._feeds[job]
        while (samples := await feed.get()) is not None:
            yield samples
