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
from rtnb.service.engines.sphinx_decoders import SphinxDecoders, unknown_words
from rtnb.service.engines.sphinx_phrases import PHRASES, spoken_forms
from rtnb.service.engines.tasks import UNINTELLIGIBLE, Task, Transcribe, Transcript
from rtnb.service.engines.worker import Worker, WorkerError

__all__ = ["Pocketsphinx"]

_LOG = logging.getLogger(__name__)
_RATE = 16_000
_LEAST, _MOST = _RATE // 10, _RATE  # samples that are sent to the worker at once
_LONGEST = 600 * _RATE
_CALL_SECONDS = 20.0  # a worker that is busy for so long hangs
_PLACE_SECONDS = 60.0  # how long to wait while all workers listen to others
_PAUSE_SECONDS = 1.0  # without sound, after which the worker is given to another turn that waits for one
# Digital silence breaks the decoder's features: without noise it gets 45 % of the words of a voice in silence wrong, with this
# much 34 %. A room has noise of its own: there it makes little difference.
_DITHER = 20.0
_ROOM = 8.0  # so much noise is of a room
_LISTEN = 3 * _RATE // 10  # samples in which it is looked for, before the speech
_HINT = 1000  # characters of a prompt that are used
_LISTED = 8  # unknown words
_UNHEARD = (
    "speech were heard, the words could not be made out. The local transcriber understands American English, and best "
    "what phrases= names."
)
_TELEPHONE = (
    "the input is at 8 kHz, and the local transcriber is unsure of most words of that: name the sentences to expect as "
    "phrases=[…], or have another transcriber (transcribe=, transcriber=)"
)


class Pocketsphinx:
    """Transcribes with PocketSphinx.

    Parameters
    ----------
    phrases : tuple of str
        Sentences to expect, besides the built-in ones.
    size : int
        Most workers; each takes some 170 MB, and listens to one turn at a time.
    built_in : bool
        Whether to expect the built-in phrases too.

    Attributes
    ----------
    name : str
    remarks : tuple of (str, int or None)
        Remarks for the problems of sessions: words, and the sample rate of the input (Hz) for which they hold; None: any.
    workers : tuple of Worker of SphinxDecoders
    """

    name = "pocketsphinx"
    gives = frozenset({"logprobs"})

    def __init__(self, phrases: tuple[str, ...] = (), *, size: int = 2, built_in: bool = True) -> None:
        expected = spoken_forms([*(PHRASES if built_in else ()), *phrases])
        self.remarks = _remarks(spoken_forms(phrases))
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
                await worker.call(SphinxDecoders.begin, [])
        except WorkerError as error:
            _LOG.warning("PocketSphinx does not start: %s", error)

    async def close(self) -> None:
        """End the workers."""
        await asyncio.gather(*(worker.close() for worker in self.workers))

    async def run(self, task: Task, feed: AsyncIterator[Samples] | None = None) -> AsyncGenerator[Transcript, None]:
        """Do a `Transcribe`: listen while the sound comes, and give one final `Transcript` after it.

        Raises
        ------
        EngineFailure
            ``"transcription_unavailable"``: the language is not English. ``"audio_unintelligible"``: it is not sure of the
            words. ``"transcription_failed"``: the worker failed, or had no time.
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
                if text is None:
                    raise EngineFailure(UNINTELLIGIBLE, f"{turn.seconds:.1f} s of {_UNHEARD}")
                return Transcript(text, final=True, logprobs=await worker.call(SphinxDecoders.logprobs))
            position += len(pcm16)
            await worker.call(SphinxDecoders.feed, pcm16)


def _remarks(phrases: list[str]) -> tuple[tuple[str, int | None], ...]:
    if not phrases:
        return ((_TELEPHONE, 8000),)
    unknown = unknown_words(phrases)
    for word in unknown:
        _LOG.warning("PocketSphinx's dictionary has no %r.", word)
    listed = ", ".join(map(repr, unknown[:_LISTED])) + (" …" if len(unknown) > _LISTED else "")
    return (
        (
            (
                f"phrases=: the local transcriber's dictionary has no {listed}; it expects no phrase with an unknown word",
                None,
            ),
        )
        if unknown
        else ()
    )


class _Turn:
    """The sound of one turn as it comes, as PCM16 at 16 kHz; kept until the end, so that another worker can take over.

    Positions are in bytes.
    """

    def __init__(self, rate: int, feed: AsyncIterator[Samples]) -> None:
        self._pcm16 = bytearray()
        self._complete = False
        self._changed = asyncio.Event()
        self._noise = np.random.default_rng(0)
        self._dither: float | None = None  # None: not known yet
        self._first = np.zeros(0, np.int16)  # until it is known
        self._task = asyncio.create_task(self._take(ResampleStream(rate, _RATE), feed))

    async def _take(self, resampled: ResampleStream, feed: AsyncIterator[Samples]) -> None:
        try:
            async for samples in feed:
                self._keep(resampled.push(samples))
            self._keep(resampled.push(np.zeros(0, np.int16), last=True), last=True)
        finally:
            self._complete = True
            self._changed.set()

    def _keep(self, samples: Samples, *, last: bool = False) -> None:
        if self._dither is None:
            samples = self._first = np.concatenate([self._first, samples])
            if len(samples) < _LISTEN and not last:
                return
            self._dither = 0.0 if _room_noise(samples[:_LISTEN]) >= _ROOM else _DITHER
        dithered = np.rint(samples + self._noise.normal(0, self._dither, len(samples)))
        self._pcm16 += np.clip(dithered, -FULL_SCALE, FULL_SCALE - 1).astype("<i2").tobytes()
        if len(self._pcm16) > 2 * _LONGEST:
            raise EngineFailure("transcription_failed", "The local transcriber takes at most 10 minutes of speech.")
        self._changed.set()

    @property
    def seconds(self) -> float:
        """Return how long the turn is, as far as it has come."""
        return len(self._pcm16) / 2 / _RATE

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


def _room_noise(samples: Samples) -> float:
    """Return the standard deviation of the quietest 20 ms."""
    size = _RATE // 50
    frames = samples[: len(samples) // size * size].reshape(-1, size)
    return float(frames.std(axis=1).min()) if len(frames) else 0.0
