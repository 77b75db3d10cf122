"""A voice and a transcriber made of the user's functions, ``package.module:function``, each in a worker process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import signal
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import Any

import numpy as np

from rtnb.audio.samples import Samples
from rtnb.errors import ConfigurationError
from rtnb.formatting import one_line
from rtnb.service.engines import function_worker
from rtnb.service.engines.base import EngineFailure
from rtnb.service.engines.function_worker import FunctionError
from rtnb.service.engines.tasks import Say, SpokenWord, Transcribe, Transcript
from rtnb.service.engines.word_spread import is_speakable, silent_word, spread_whole

__all__ = ["FunctionTimeouts", "FunctionTranscriber", "FunctionVoice"]

_START_SECONDS = 60.0  # a process of Python, before it imports anything of the user's
_END_SECONDS = 1.0
_CRASH = "Its library failed, or there was too little memory; what it wrote last is on the service's stderr."


@dataclass(frozen=True, slots=True)
class FunctionTimeouts:
    """How long a function may take, in seconds.

    Attributes
    ----------
    load : float
        To import its module, which may load a model.
    call : float
        For one call.
    """

    load: float = 120.0
    call: float = 60.0


@dataclass(frozen=True, slots=True)
class _Worker:
    """A process with the function loaded, and what ends it."""

    pool: ProcessPoolExecutor
    pid: int

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(self.pid, getattr(signal, "SIGKILL", signal.SIGTERM))


class _Function:
    """One function in a worker process, which is started when needed, and again after a crash.

    Parameters
    ----------
    option : str
        ``"speaker"`` or ``"transcriber"``: what it is given as, and what the codes of its failures begin with.
    spec : str
        ``"package.module:function"``.
    arguments : tuple of str
        What it takes.
    timeouts : FunctionTimeouts or None
    """

    def __init__(
        self, option: str, spec: str, arguments: tuple[str, ...], timeouts: FunctionTimeouts | None = None
    ) -> None:
        self.spec = spec
        self._option = option
        self._arguments = arguments
        self._timeouts = timeouts or FunctionTimeouts()
        self._starting: asyncio.Task[_Worker] | None = None

    async def check(self) -> None:
        """Load the function.

        Raises
        ------
        ConfigurationError
            It cannot be loaded, and why.
        """
        try:
            await self._worker()
        except EngineFailure as failure:
            raise ConfigurationError(f"--{self._option} {failure.message}") from None

    async def call(self, work: Callable[..., Any], *arguments: Any) -> Any:
        """Do `work`, which is one of `function_worker`, in the worker process.

        Raises
        ------
        EngineFailure
            The function raises, returns what it should not, takes too long, or crashes its process.
        """
        worker = await self._worker()
        try:
            future = worker.pool.submit(work, self.spec, *arguments)
        except BrokenProcessPool:  # it crashed between two calls: this one has not begun, and gets a new process
            self._starting = None
            worker = await self._worker()
            future = worker.pool.submit(work, self.spec, *arguments)
        try:
            async with asyncio.timeout(self._timeouts.call):
                return await asyncio.wrap_future(future)
        except FunctionError as error:
            raise self._failure("failed", f"{error}.") from None
        except TimeoutError:
            worker.kill()
            self._starting = None
            raise self._failure("timeout", f"it did not return within {self._timeouts.call:g} seconds.") from None
        except BrokenProcessPool:
            self._starting = None
            raise self._failure("crashed", f"its process crashed. {_CRASH} The next call starts a new one.") from None

    async def close(self) -> None:
        """End the process, at once where it does not end by itself."""
        starting, self._starting = self._starting, None
        if starting is None:
            return
        starting.cancel()
        await asyncio.wait([starting])
        if not starting.cancelled() and starting.exception() is None:
            await _end(starting.result())

    async def _worker(self) -> _Worker:
        """Return the running worker, started when it is first needed. All calls wait for the same start."""
        if self._starting is None:
            self._starting = asyncio.create_task(self._start())
        starting = self._starting
        try:
            return await asyncio.shield(starting)
        except EngineFailure:
            if self._starting is starting:
                self._starting = None
            raise

    async def _start(self) -> _Worker:
        context = multiprocessing.get_context("spawn")  # what this process has open or imported stays out of it
        pool = ProcessPoolExecutor(1, context, function_worker.begin, (os.getcwd(),))
        worker = _Worker(pool, 0)
        try:
            async with asyncio.timeout(_START_SECONDS):
                worker = _Worker(pool, await asyncio.wrap_future(pool.submit(os.getpid)))
            async with asyncio.timeout(self._timeouts.load):
                await asyncio.wrap_future(pool.submit(function_worker.load, self.spec, self._arguments))
        except BaseException as error:
            await asyncio.shield(_end(worker))
            match error:
                case FunctionError():
                    raise self._failure("failed", f"{error}.") from None
                case TimeoutError():
                    seconds = f"{self._timeouts.load:g} seconds"
                    raise self._failure("timeout", f"its module was not imported within {seconds}.") from None
                case BrokenProcessPool():
                    raise self._failure("crashed", f"its process crashed while it was imported. {_CRASH}") from None
            raise
        return worker

    def _failure(self, what: str, message: str) -> EngineFailure:
        return EngineFailure(f"{self._option}_{what}", f"{self.spec}: {one_line(message, 400)}")


async def _end(worker: _Worker) -> None:
    ending = asyncio.ensure_future(asyncio.to_thread(worker.pool.shutdown, wait=True, cancel_futures=True))
    await asyncio.wait([ending], timeout=_END_SECONDS)
    if not ending.done() and worker.pid:
        worker.kill()
    await ending


class FunctionVoice:
    """Speaks with a function: ``def speak(text, voice)`` returns mono samples and their rate in Hz.

    Parameters
    ----------
    spec : str
        ``"package.module:function"``. It returns ``(samples, rate)``: int16 of shape (n,), or floats in -1..1.
    timeouts : FunctionTimeouts, optional

    Attributes
    ----------
    name : str
        ``"function my_engines:speak"``.
    """

    def __init__(self, spec: str, timeouts: FunctionTimeouts | None = None) -> None:
        self.name = f"function {spec}"
        self._function = _Function("speaker", spec, ("text", "voice"), timeouts)

    async def check(self) -> None:
        """Import the function in its process; a ConfigurationError says why it cannot be used."""
        await self._function.check()

    async def run(self, task: Say) -> AsyncGenerator[SpokenWord, None]:
        """Speak: the words, when the function has returned their sound.

        Raises
        ------
        EngineFailure
            The function raises, returns what it should not, takes too long, or crashes.
        """
        if not is_speakable(task.text):
            yield silent_word(task.text)
            return
        samples = await self._function.call(function_worker.speak, task.text, task.voice)
        for word in spread_whole(task.text, samples):
            yield word

    async def close(self) -> None:
        """End the process."""
        await self._function.close()


class FunctionTranscriber:
    """Transcribes with a function: ``def transcribe(samples, rate, language)`` returns the text of a turn.

    Parameters
    ----------
    spec : str
        ``"package.module:function"``. It takes int16 samples of shape (n,), their rate in Hz, and a language tag or None.
    timeouts : FunctionTimeouts, optional

    Attributes
    ----------
    name : str
        ``"function my_engines:transcribe"``.
    """

    def __init__(self, spec: str, timeouts: FunctionTimeouts | None = None) -> None:
        self.name = f"function {spec}"
        self._function = _Function("transcriber", spec, ("samples", "rate", "language"), timeouts)

    async def check(self) -> None:
        """Import the function in its process; a ConfigurationError says why it cannot be used."""
        await self._function.check()

    async def run(self, task: Transcribe, feed: AsyncIterator[Samples]) -> AsyncGenerator[Transcript, None]:
        """Write down a turn, when it has ended.

        Raises
        ------
        EngineFailure
            The function raises, returns what it should not, takes too long, or crashes.
        """
        sound = np.concatenate([np.zeros(0, np.int16), *[samples async for samples in feed]])
        text = await self._function.call(function_worker.transcribe, sound, task.rate, task.language)
        yield Transcript(text, final=True)

    async def close(self) -> None:
        """End the process."""
        await self._function.close()
