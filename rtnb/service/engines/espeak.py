"""The voice eSpeak NG, in a worker that all sessions share; when that fails, the tone voice speaks the rest of the text."""

from __future__ import annotations

import contextlib
import logging
import re
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import replace

import numpy as np

from rtnb.audio.formats import PCM16
from rtnb.audio.resample import resample
from rtnb.audio.samples import Samples
from rtnb.service.engines.espeak_library import EspeakLibrary
from rtnb.service.engines.espeak_voices import voice_settings
from rtnb.service.engines.espeak_words import sentences, spoken_words
from rtnb.service.engines.languages import espeak_languages, guess_language
from rtnb.service.engines.tasks import Say, SpokenWord, Task
from rtnb.service.engines.tones import ToneVoice
from rtnb.service.engines.worker import Worker, WorkerError

__all__ = ["EspeakVoice"]

_LOG = logging.getLogger(__name__)
_SENTENCE_SECONDS = 5.0  # a sentence takes some 10 ms: a worker that is busy for so long hangs
_UNREADABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")


class EspeakVoice:
    """Speaks with eSpeak NG.

    Attributes
    ----------
    name : str
    worker : Worker of EspeakLibrary
    """

    name = "espeak-ng"

    def __init__(self) -> None:
        self._fallback = ToneVoice()
        self.worker = Worker(EspeakLibrary, seconds=_SENTENCE_SECONDS)

    async def warm(self) -> None:
        """Start the worker, which takes a tenth of a second."""
        try:
            await self.worker.call(EspeakLibrary.warm)
        except WorkerError as error:
            _LOG.warning("eSpeak NG does not start: %s", error)

    async def close(self) -> None:
        """End the worker; a text that is being spoken is finished by the tone voice."""
        await self.worker.close()

    async def run(self, task: Task, feed: AsyncIterator[Samples] | None = None) -> AsyncGenerator[SpokenWord, None]:
        """Speak a `Say`, sentence by sentence; the words' texts join to the task's."""
        assert isinstance(task, Say)
        languages = espeak_languages(task.language or guess_language(task.text))
        spoken = 0
        for sentence in sentences(task.text):
            pause = spoken + len(sentence) < len(task.text)
            try:
                words = await self._speak(sentence, task, languages, pause=pause)
            except WorkerError as error:
                _LOG.warning("eSpeak NG failed while speaking, the tone voice goes on. %s", error)
                break
            for word in words:
                yield word
            spoken += len(sentence)
        async with contextlib.aclosing(self._fallback.run(replace(task, text=task.text[spoken:]))) as rest:
            async for word in rest:
                yield word

    async def _speak(self, sentence: str, task: Say, languages: list[str], *, pause: bool) -> list[SpokenWord]:
        readable = _UNREADABLE.sub(" ", sentence)  # as long as the sentence, for the words' places
        voice = voice_settings(task.voice)
        speech = await self.worker.call(
            EspeakLibrary.speak, readable, languages, voice, speed=task.speed, seed=task.seed, pause=pause
        )
        wanted, found = languages[0], speech.language
        if wanted.split("-")[0] != found.split("-")[0]:
            _LOG.warning("eSpeak NG does not know the language %s, it speaks %s.", wanted, found or "as before")
        sound = resample(np.frombuffer(speech.pcm16, np.int16), speech.rate, PCM16.rate)
        scale = PCM16.rate / speech.rate
        return spoken_words(sentence, [(start, size, round(at * scale)) for start, size, at in speech.words], sound)
