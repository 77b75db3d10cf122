"""The transcriber PocketSphinx, in workers that all sessions share.

It understands American English, offline, and far less well than the cloud does. It never invents a text.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from functools import partial

import numpy as np

from rtnb.audio.resample import ResampleStream
from rtnb.audio.samples import FULL_SCALE, Samples
from rtnb.service.engines.base import EngineFailure
from rtnb.service.engines.sphinx_decoders import SphinxDecoders
from rtnb.service.engines.sphinx_phrases import PHRASES, spoken_forms
from rtnb.service.engines.tasks import Task, Transcribe, Transcript
from rtnb.service.engines.worker import Worker, WorkerError

__all__ = ["Pocketsphinx"]

_LOG = logging.getLogger(__name__)
_RATE = 16_000
_LEAST, _MOST = _RATE // 10, _RATE  # samples that are sent to the worker at once
_LONGEST = 600 * _RATE
_CALL_SECONDS = 20.0  # a worker that is busy for so long hangs
_PLACE_SECONDS = 60.0  # how long to wait while all workers listen to others
_PAUSE_SECONDS = 1.0  # without sound, after which the worker is given to another turn that waits for one
_DITHER = 20.0  # digital silence breaks the decoder's features; this much noise is inaudible
_HINT = 1000  # characters of a prompt that are used


class Pocketsphinx:
    """Transcribes with PocketSphinx.

    Parameters
    ----------
    phrases : tuple of str
        Sentences to expect, besides the built-in ones.
    size : int
        Most workers; each takes some 150 MB, and listens to one turn at a time.
    built_in : bool
        Whether to expect the built-in phrases too.

    Attributes
    ----------
    name : str
    workers : tuple of Worker of SphinxDecoders
    """

    name = "pocketsphinx"
    gives = frozenset({"logprobs"})

    def __init__(self, phrases: tuple[str, ...] = (), *, size: int = 2, built_in: bool = True) -> None:
        expected = spoken_forms([*(PHRASES if built_in else ()), *phrases])
        make = partial(SphinxDecoders, expected)
        self.workers = tuple(Worker(make, seconds=_CALL_SECONDS) for _ in range(size))
        self._idle: asyncio.LifoQueue[Worker[SphinxDecoders]] = asyncio.LifoQueue()  # those that run come first
        for worker in self.workers:
            self._idle.put_nowait(worker)
        self._waiting = 0  # turns that wait for a worker

    async def warm(self) -> None:
        """Start a worker, which takes about a second, unless one is running."""
        if any(worker.pid for worker in self.workers):
            return
        try:
            async with self._worker() as worker:
                unknown = await worker.call(SphinxDecoders.unknown_words)
        except WorkerError as error:
            _LOG.warning("PocketSphinx does not start: %s", error)
        else:
            if unknown:
                _LOG.warning("PocketSphinx does not know these words, and expects no phrase with them: %s", unknown)

    async def close(self) -> None:
        """End the workers."""
        await asyncio.gather(*(worker.close() for worker in self.workers))

    async def run(self, task: Task, feed: AsyncIterator[Samples] | None = None) -> AsyncGenerator[Transcript, None]:
        """Do a `Transcribe`: listen while the sound comes, and give one final `Transcript` after it.

        Raises
        ------
        EngineFailure
            ``"transcription_unavailable"``: the language is not English. ``"transcription_failed"``: the worker failed,
            or had no time.
        """
        assert isinstance(task, Transcribe)
        assert feed is not None
        if not (task.language or "en").lower().startswith("en"):
            raise EngineFailure(
                "transcription_unavailable",
                f"The local transcriber understands English only, not {task.language!r}: "
                'leave the language out, or set it to "en".',
            )
        turn = _Turn(task.rate, feed)
        hint = spoken_forms(task.prompt[:_HINT].splitlines())
        heard = None
        try:
            while heard is None:
                async with self._worker() as worker:
                    heard = await self._listen(worker, hint, turn)
                if heard is None:
                    await turn.more()  # then another worker listens to the turn from its beginning
            yield heard
        except WorkerError as error:
            _LOG.warning("Transcription failed. %s", error)
            raise EngineFailure(
                "transcription_failed",
                "The local transcriber's process ended or did not answer; it is started again for the next turn.",
            ) from None
        finally:
            await turn.close()

    @contextlib.asynccontextmanager
    async def _worker(self) -> AsyncIterator[Worker[SphinxDecoders]]:
        """Lend a worker to one turn."""
        self._waiting += 1
        try:
            async with asyncio.timeout(_PLACE_SECONDS):
                worker = await self._idle.get()
        except TimeoutError:
            message = "The local transcriber is busy with other sessions; try again later."
            raise EngineFailure("transcription_failed", message) from None
        finally:
            self._waiting -= 1
        try:
            yield worker
        finally:
            self._idle.put_nowait(worker)

    async def _listen(self, worker: Worker[SphinxDecoders], hint: list[str], turn: _Turn) -> Transcript | None:
        """Return what was said in a turn; None if the speaker pauses while another turn waits for a worker."""
        await worker.call(SphinxDecoders.begin, hint)
        position = 0
        while True:
            try:
                async with asyncio.timeout(_PAUSE_SECONDS):
                    await turn.more(position)
            except TimeoutError:
                if self._waiting:
                    return None
                continue
            pcm16 = turn.sound(position)
            if not pcm16:
                text = await worker.call(SphinxDecoders.finish)
                return Transcript(text, final=True, logprobs=await worker.call(SphinxDecoders.logprobs))
            position += len(pcm16)
            await worker.call(SphinxDecoders.feed, pcm16)


class _Turn:
    """The sound of one turn as it comes, as PCM16 at 16 kHz; kept until the end, so that another worker can take over.

    Positions are in bytes.
    """

    def __init__(self, rate: int, feed: AsyncIterator[Samples]) -> None:
        self._pcm16 = bytearray()
        self._complete = False
        self._changed = asyncio.Event()
        self._noise = np.random.default_rng(0)
        self._task = asyncio.create_task(self._take(ResampleStream(rate, _RATE), feed))

    async def _take(self, resampled: ResampleStream, feed: AsyncIterator[Samples]) -> None:
        try:
            async for samples in feed:
                self._keep(resampled.push(samples))
            self._keep(resampled.push(np.zeros(0, np.int16), last=True))
        finally:
            self._complete = True
            self._changed.set()

    def _keep(self, samples: Samples) -> None:
        dithered = np.rint(samples + self._noise.normal(0, _DITHER, len(samples)))
        self._pcm16 += np.clip(dithered, -FULL_SCALE, FULL_SCALE - 1).astype("<i2").tobytes()
        if len(self._pcm16) > 2 * _LONGEST:
            raise EngineFailure("transcription_failed", "The local transcriber takes at most 10 minutes of speech.")
        self._changed.set()

    async def more(self, position: int | None = None) -> None:
        """Wait until there are 100 ms after a position, by default the present end, or the turn is complete.

        An error of the feed is raised here.
        """
        wanted = (len(self._pcm16) if position is None else position) + 2 * _LEAST
        while len(self._pcm16) < wanted and not self._complete:
            self._changed.clear()
            await self._changed.wait()
        if self._complete:
            await self._task

    def sound(self, position: int) -> bytes:
        """Return what there is after a position, at most a second."""
        return bytes(self._pcm16[position : position + 2 * _MOST])

    async def close(self) -> None:
        """Take no more."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
