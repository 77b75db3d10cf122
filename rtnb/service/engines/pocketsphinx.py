"""The transcriber PocketSphinx, in child processes that all sessions share: it holds the interpreter while it computes.

It understands American English, offline, and far less well than the cloud does. What it cannot do it says; it never invents.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
from collections.abc import AsyncGenerator, AsyncIterator

import numpy as np

from rtnb.audio.resample import ResampleStream
from rtnb.audio.samples import FULL_SCALE, Samples
from rtnb.service.engines.base import EngineFailure
from rtnb.service.engines.child import Child, ChildEnded, ChildPool
from rtnb.service.engines.frames import Message
from rtnb.service.engines.sphinx_phrases import PHRASES, spoken_forms
from rtnb.service.engines.tasks import Task, Transcribe, Transcript

__all__ = ["Pocketsphinx"]

_LOG = logging.getLogger(__name__)
_WORKER = "rtnb.service.engines.sphinx_worker"
_RATE = 16_000
_BLOCK = _RATE // 10  # samples that are sent at once
_LONGEST = 600 * _RATE
_ANSWER_SECONDS = 20.0  # a child that says nothing for so long hangs
_PLACE_SECONDS = 60.0  # how long to wait while all children listen to others
_PAUSE_SECONDS = 1.0  # without sound, after which the child is given to whoever waits for one
_DITHER = 20.0  # digital silence breaks the decoder's features; this much noise is inaudible
_HINT = 1000  # characters of a prompt that are used


class Pocketsphinx:
    """Transcribes with PocketSphinx.

    Parameters
    ----------
    phrases : tuple of str
        Sentences to expect, besides the built-in ones.
    size : int
        Most child processes; each takes some 150 MB, and listens to one speaker at a time.
    built_in : bool
        Whether to expect the built-in phrases too.
    """

    name = "pocketsphinx"

    def __init__(self, phrases: tuple[str, ...] = (), *, size: int = 2, built_in: bool = True) -> None:
        expected = spoken_forms([*(PHRASES if built_in else ()), *phrases])
        self._pool = ChildPool(_WORKER, size, {"phrases": expected})
        self._jobs = itertools.count(1)

    @property
    def pool(self) -> ChildPool:
        """Return the child processes."""
        return self._pool

    async def warm(self) -> None:
        """Start a child process, which takes about a second."""
        try:
            await self._pool.warm()
        except ChildEnded as error:
            _LOG.warning("PocketSphinx does not start: %s", error)
        for child in self._pool.children:
            if unknown := child.greeting.get("unknown"):
                _LOG.warning("PocketSphinx does not know these words, and expects no phrase with them: %s", unknown)

    async def close(self) -> None:
        """End the child processes."""
        await self._pool.close()

    async def run(self, task: Task, feed: AsyncIterator[Samples] | None = None) -> AsyncGenerator[Transcript, None]:
        """Do a `Transcribe`: give what was heard so far whenever that changes, and the final text after the last sound.

        Raises
        ------
        EngineFailure
            ``"transcription_unavailable"``: the language is not English. ``"transcription_failed"``: the child process
            ended, or had no time.
        """
        assert isinstance(task, Transcribe)
        assert feed is not None
        if not (task.language or "en").lower().startswith("en"):
            raise EngineFailure(
                "transcription_unavailable",
                f"The local transcriber understands English only, not {task.language!r}: "
                'leave the language out, or set it to "en".',
            )
        hearing = _Hearing(task.rate, feed)
        hint = spoken_forms(task.prompt[:_HINT].splitlines())
        try:
            while True:
                async with self._child() as child:
                    listening = _listen(child, next(self._jobs), hint, hearing, self._pool)
                    async with contextlib.aclosing(listening) as texts:
                        async for heard in texts:
                            yield heard
                            if heard.final:
                                return
                await hearing.more()  # the child was needed elsewhere; when the speaker goes on, all is heard again
        except ChildEnded as error:
            _LOG.warning("Transcription failed. %s", error)
            raise EngineFailure(
                "transcription_failed",
                "The local transcriber's process ended or did not answer; it is started again for the next turn.",
            ) from None
        finally:
            await hearing.close()

    @contextlib.asynccontextmanager
    async def _child(self) -> AsyncIterator[Child]:
        async with contextlib.AsyncExitStack() as stack:
            try:
                async with asyncio.timeout(_PLACE_SECONDS):
                    child = await stack.enter_async_context(self._pool.lend())
            except TimeoutError:
                message = "The local transcriber is busy with other sessions; try again later."
                raise EngineFailure("transcription_failed", message) from None
            yield child


class _Hearing:
    """The sound of one turn as it comes, at 16 kHz; kept until the end, so that it can be heard again."""

    def __init__(self, rate: int, feed: AsyncIterator[Samples]) -> None:
        self._blocks: list[Samples] = []  # of 100 ms
        self._pending: Samples = np.zeros(0, "<i2")
        self._length = 0
        self._complete = False
        self._news = asyncio.Event()
        self._noise = np.random.default_rng(0)
        self._task = asyncio.create_task(self._take(ResampleStream(rate, _RATE), feed))

    async def _take(self, resampled: ResampleStream, feed: AsyncIterator[Samples]) -> None:
        try:
            async for samples in feed:
                self._keep(resampled.push(samples))
            self._keep(resampled.push(np.zeros(0, np.int16), last=True))
            if len(self._pending):
                self._blocks.append(self._pending)
        finally:
            self._complete = True
            self._news.set()

    def _keep(self, samples: Samples) -> None:
        dithered = np.rint(samples + self._noise.normal(0, _DITHER, len(samples)))
        sound = np.concatenate([self._pending, np.clip(dithered, -FULL_SCALE, FULL_SCALE - 1).astype("<i2")])
        self._length += len(samples)
        if self._length > _LONGEST:
            raise EngineFailure("transcription_failed", "The local transcriber takes at most 10 minutes of speech.")
        whole = len(sound) // _BLOCK * _BLOCK
        self._blocks += np.split(sound[:whole], whole // _BLOCK) if whole else []
        self._pending = sound[whole:]
        self._news.set()

    async def block(self, index: int, patience: float | None = None) -> Samples | None:
        """Return a block; None after the last one.

        Raises
        ------
        TimeoutError
            It did not come within `patience` seconds.
        """
        async with asyncio.timeout(patience):
            while index >= len(self._blocks) and not self._complete:
                self._news.clear()
                await self._news.wait()
        if index < len(self._blocks):
            return self._blocks[index]
        await self._task  # an error of the sound's is one of the transcription's
        return None

    async def more(self) -> None:
        """Wait until there is more than there is now."""
        await self.block(len(self._blocks))

    async def close(self) -> None:
        """Take no more."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


async def _listen(
    child: Child, job: int, hint: list[str], hearing: _Hearing, pool: ChildPool
) -> AsyncGenerator[Transcript, None]:
    """Have a child hear the turn from its beginning; ends early if the speaker pauses while others wait."""
    heard = ""
    index = 0
    try:
        await child.send({"begin": job, "hint": hint})
        while True:
            try:
                block = await hearing.block(index, _PAUSE_SECONDS)
            except TimeoutError:
                if pool.waiting:
                    return
                continue
            if block is None:
                break
            index += 1
            text = (await _ask(child, {"feed": job}, block.tobytes()))["text"]
            if text != heard:
                heard = text
                yield Transcript(text, final=False)
        yield Transcript((await _ask(child, {"finish": job}))["text"], final=True)
    finally:
        child.post({"stop": job})


async def _ask(child: Child, order: Message, sound: bytes = b"") -> Message:
    """Send an order and wait for its answer; those to a borrower who left are passed over."""
    (job,) = order.values()
    await child.send(order, sound)
    try:
        async with asyncio.timeout(_ANSWER_SECONDS):
            while True:
                answer, _ = await child.receive()
                if answer["job"] == job:
                    return answer
    except TimeoutError:
        raise ChildEnded(f"The child process {child.pid} said nothing for {_ANSWER_SECONDS:g} s.") from None
