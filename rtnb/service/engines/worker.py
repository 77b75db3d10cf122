"""A worker: an object in a process of its own, whose methods an engine calls. Replaced when the process dies or hangs.

A native library that holds the interpreter lock or crashes there harms neither the service nor a notebook.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from functools import partial
from multiprocessing import connection
from typing import Concatenate, Generic, ParamSpec, TypeVar

from rtnb.errors import RtnbError
from rtnb.service.engines.worker_process import WorkerContext, begin, run

__all__ = ["Worker", "WorkerError"]

_CLOSE_SECONDS = 1.0
_START_SECONDS = 30.0  # the recogniser loads 130 MB, which takes long from a cold disk

T = TypeVar("T")
P = ParamSpec("P")
R = TypeVar("R")


class WorkerError(RtnbError):
    """The worker's process died, hung or was closed, or the method that it ran raised an error, which is the cause.

    Attributes
    ----------
    what : str
        ``"crashed"``, ``"timeout"``, ``"closed"`` or ``"failed"``.
    """

    def __init__(self, what: str, message: str) -> None:
        super().__init__(message)
        self.what = what


class Worker(Generic[T]):
    """An object of type T in a process of its own, which is started by the first call.

    Parameters
    ----------
    make : callable
        Makes the object, in that process; it is pickled, and so are arguments and results of the calls.
    seconds : float
        Longest time that a call may take; the process is ended after it, and the next call starts another.
    start_seconds : float
        Time that the first call may take beyond that, to make the object.
    credentials : bool
        Whether the process is given the credentials of the environment.
    """

    def __init__(
        self,
        make: Callable[[], T],
        *,
        seconds: float,
        start_seconds: float = _START_SECONDS,
        credentials: bool = False,
    ) -> None:
        self._make = make
        self._seconds = seconds
        self._start_seconds = start_seconds
        self._credentials = credentials
        self._turn = asyncio.Lock()
        self._context = WorkerContext()
        self._executor: ProcessPoolExecutor | None = None
        self._answered = False
        self._closed = False

    @property
    def pid(self) -> int | None:
        """Return the id of the process; None if there is none."""
        return self._context.processes[-1].pid if self._executor else None

    async def call(self, method: Callable[Concatenate[T, P], R], *args: P.args, **options: P.kwargs) -> R:
        """Call a method of the object, after the calls before; a cancelled caller leaves the method running.

        Raises
        ------
        WorkerError
        """
        async with self._turn:
            future = await self._submit(partial(run, method, *args, **options))
            try:
                async with asyncio.timeout(limit := self._seconds + (0 if self._answered else self._start_seconds)):
                    result: R = await asyncio.wrap_future(future)
            except TimeoutError:
                await self._end()
                raise WorkerError("timeout", f"The worker process did not answer within {limit:g} s.") from None
            except BrokenExecutor:
                await self._end()
                raise WorkerError("crashed", "The worker process ended.") from None
            except Exception as error:
                raise WorkerError("failed", f"{type(error).__name__}: {error}") from error
            self._answered = True
            return result

    async def close(self) -> None:
        """End the process; a call that is running has a second to return. There are no calls afterwards."""
        self._closed = True
        await self._end(_CLOSE_SECONDS)

    async def _submit(self, call: Callable[[], R]) -> Future[R]:
        """Hand a call to the process, or to a new one: the first, or that after one that died since the last call."""
        # The sentinel says at once that the process has ended; is_alive() may not, when another thread has just reaped it.
        if self._executor and not connection.wait([self._context.processes[-1].sentinel], timeout=0):
            with contextlib.suppress(BrokenExecutor):
                return self._executor.submit(call)
        await self._end()
        if self._closed:
            raise WorkerError("closed", "The service is closing.")
        self._executor = ProcessPoolExecutor(
            1, self._context, initializer=begin, initargs=(self._make, self._credentials)
        )
        return self._executor.submit(call)

    async def _end(self, grace: float = 0.0) -> None:
        executor, self._executor, self._answered = self._executor, None, False
        if executor:
            ended = asyncio.ensure_future(asyncio.to_thread(executor.shutdown))
            await asyncio.wait([ended], timeout=grace)
            if not ended.done():
                for process in self._context.processes:
                    if process.pid is not None:
                        process.kill()
            self._context.processes.clear()  # and with them their pipes
            await ended
