"""Carries out a session's orders: each job is an asyncio task that runs an engine and brings back its results."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable

from rtnb.audio.samples import Samples
from rtnb.formatting import one_line
from rtnb.service.engines.base import EngineFailure, Engines
from rtnb.service.engines.tasks import Feed, Finish, Order, Result, Say, Start, Stop, Task, Transcribe, Write
from rtnb.service.session.client_events import Events
from rtnb.service.session.connection import ServiceConnection
from rtnb.service.session.transcription import UNAVAILABLE

_MOST_UNSENT = 8.0  # seconds of one job's speech; then the voice waits


class EngineJobs:
    """The jobs of one session; `send` is called with the events of each result, which may be none."""

    def __init__(self, connection: ServiceConnection, engines: Engines, send: Callable[[Events], None]) -> None:
        self._connection = connection
        self._engines = engines
        self._send = send
        self._group: asyncio.TaskGroup | None = None
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._feeds: dict[str, asyncio.Queue[Samples | None]] = {}
        self._progress = asyncio.Event()

    def open(self, group: asyncio.TaskGroup) -> None:
        """Run the jobs in this group from now on."""
        self._group = group

    def close(self) -> None:
        """End every job, and start no more."""
        self._group = None
        for task in self._tasks.values():
            task.cancel()

    def carry_out(self, orders: Iterable[Order]) -> None:
        """Take orders. To be called after every change of the session: a voice may be waiting until speech was sent."""
        self._progress.set()
        for order in orders:
            match order:
                case Start():
                    self._start(order.job, order.task)
                case Feed() if order.job in self._feeds:
                    self._feeds[order.job].put_nowait(order.samples)
                case Finish() if order.job in self._feeds:
                    self._feeds[order.job].put_nowait(None)
                case Stop() if order.job in self._tasks:
                    self._tasks[order.job].cancel()

    def _start(self, job: str, task: Task) -> None:
        if self._group is not None:
            if isinstance(task, Transcribe):
                self._feeds[job] = asyncio.Queue()
            self._tasks[job] = self._group.create_task(self._run(job, task))

    async def _run(self, job: str, task: Task) -> None:
        connection = self._connection
        try:
            async with contextlib.aclosing(self._results(job, task)) as results:
                async for result in results:
                    self._send(connection.supply(job, result))
                    while isinstance(task, Say) and connection.unsent_seconds(job) > _MOST_UNSENT:
                        self._progress.clear()
                        await self._progress.wait()
        except EngineFailure as failure:
            self._send(connection.supply_failure(job, failure.code, failure.message))
        except Exception as error:
            message = f"{type(error).__name__}: {one_line(str(error), 300)}"
            self._send(connection.supply_failure(job, "local_service_failed", message))
        else:
            self._send(connection.supply_end(job))
        finally:
            self._tasks.pop(job, None)
            self._feeds.pop(job, None)

    def _results(self, job: str, task: Task) -> AsyncGenerator[Result, None]:
        """Start the engine of a task; return its results as they come."""
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
