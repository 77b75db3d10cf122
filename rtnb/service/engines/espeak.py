"""The voice eSpeak NG, in child processes that all sessions share; when one dies, the numpy voice finishes its sentence.

eSpeak NG is under the GPL, version 3 or later. rtnb neither contains nor links it: the extra ``voice`` installs it, and it
runs in a process of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import replace

import numpy as np

from rtnb.audio.samples import Samples
from rtnb.service.engines.child import Child, ChildEnded, ChildPool
from rtnb.service.engines.espeak_speakers import readable, sentences, speaker
from rtnb.service.engines.frames import Message
from rtnb.service.engines.languages import espeak_languages, guess_language
from rtnb.service.engines.numpy_voice import NumpyVoice
from rtnb.service.engines.spoken_words import SpokenWords
from rtnb.service.engines.tasks import Say, SpokenWord, Task

__all__ = ["EspeakVoice"]

_LOG = logging.getLogger(__name__)
_WORKER = "rtnb.service.engines.espeak_worker"
_SILENT_SECONDS = 10.0  # a child that says nothing for so long hangs
_Words = asyncio.Queue[list[SpokenWord] | ChildEnded | None]


class EspeakVoice:
    """Speaks with eSpeak NG.

    Parameters
    ----------
    fallback : NumpyVoice
        Who goes on when a child process ends in the middle of a text.
    size : int
        Most child processes; one sentence takes one of them for some 10 ms.
    """

    name = "espeak-ng"

    def __init__(self, *, fallback: NumpyVoice, size: int = 2) -> None:
        self._fallback = fallback
        self._pool = ChildPool(_WORKER, size)
        self._jobs = itertools.count(1)
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def pool(self) -> ChildPool:
        """Return the child processes."""
        return self._pool

    async def warm(self) -> None:
        """Start a child process, which takes a tenth of a second."""
        try:
            await self._pool.warm()
        except ChildEnded as error:
            _LOG.warning("eSpeak NG does not start: %s", error)

    async def close(self) -> None:
        """End the child processes."""
        await self._pool.close()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def run(self, task: Task, feed: AsyncIterator[Samples] | None = None) -> AsyncGenerator[SpokenWord, None]:
        """Speak a `Say`: a word is given when its sound is complete; the texts join to the task's."""
        assert isinstance(task, Say)
        spoken = 0
        languages = espeak_languages(task.language or guess_language(task.text))
        try:
            for sentence in sentences(task.text):
                last = spoken + len(sentence) == len(task.text)
                order = self._order(sentence, task, languages, last)
                async with contextlib.aclosing(self._sentence(sentence, order)) as given:
                    async for word in given:
                        spoken += len(word.text)
                        yield word
        except ChildEnded as error:
            _LOG.warning("eSpeak NG stopped while speaking, the numpy voice goes on. %s", error)
            async with contextlib.aclosing(self._fallback.run(replace(task, text=task.text[spoken:]))) as rest:
                async for word in rest:
                    yield word

    def _order(self, sentence: str, task: Say, languages: list[str], last: bool) -> Message:
        who = speaker(task.voice)
        return {
            "say": readable(sentence),
            "job": next(self._jobs),
            "languages": languages,
            "variant": who.variant,
            "rate": who.rate(task.speed),
            "volume": who.volume,
            "pitch": who.pitch,
            "melody": who.melody,
            "seed": task.seed,
            "pause": not last,
        }

    async def _sentence(self, sentence: str, order: Message) -> AsyncGenerator[SpokenWord, None]:
        """Have one sentence spoken. The child never waits for whoever listens: it is needed for others."""
        words: _Words = asyncio.Queue()
        stopped = asyncio.Event()
        task = asyncio.create_task(self._speak(sentence, order, words, stopped))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            while (given := await words.get()) is not None:
                if isinstance(given, ChildEnded):
                    raise given
                for word in given:
                    yield word
        finally:
            stopped.set()

    async def _speak(self, sentence: str, order: Message, words: _Words, stopped: asyncio.Event) -> None:
        try:
            async with self._pool.lend() as child:
                if not stopped.is_set():
                    await _hear(child, sentence, order, words, stopped)
            words.put_nowait(None)
        except ChildEnded as error:
            words.put_nowait(error)


async def _hear(child: Child, sentence: str, order: Message, words: _Words, stopped: asyncio.Event) -> None:
    """Take what a child says to an order until it is through, or until nobody wants it any more and it has stopped."""
    spoken = SpokenWords(sentence, child.greeting["rate"])
    await child.send(order)
    told = False
    while True:
        message, data = await _receive(child)
        if "end" in message:
            break
        if stopped.is_set():
            if not told:
                await child.send({"stop": order["job"]})
                told = True
        elif complete := spoken.add(message["words"], np.frombuffer(data, "<i2")):
            words.put_nowait(complete)
    wanted, found = order["languages"][0], message["language"]
    if wanted.split("-")[0] != found.split("-")[0]:
        _LOG.warning("eSpeak NG does not know the language %s, it speaks %s.", wanted, found or "as before")
    words.put_nowait(spoken.end())


async def _receive(child: Child) -> tuple[Message, bytes]:
    try:
        async with asyncio.timeout(_SILENT_SECONDS):
            return await child.receive()
    except TimeoutError:
        raise ChildEnded(f"The child process {child.pid} said nothing for {_SILENT_SECONDS:g} s.") from None
