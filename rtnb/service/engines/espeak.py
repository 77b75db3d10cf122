"""The voice eSpeak NG, in a worker that all sessions share; when that fails, the tone voice speaks the rest of the text."""

from __future__ import annotations

import contextlib
import logging
import re
from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import replace

import numpy as np

from rtnb.audio.formats import PCM16
from rtnb.audio.resample import resample
from rtnb.audio.samples import Samples
from rtnb.service.engines.espeak_library import EspeakLibrary, WordEvent, voice_settings
from rtnb.service.engines.languages import espeak_languages, guess_language
from rtnb.service.engines.tasks import Say, SpokenWord
from rtnb.service.engines.tones import ToneVoice
from rtnb.service.engines.worker import Worker, WorkerError

__all__ = ["EspeakVoice", "sentences", "spoken_words"]

_LOG = logging.getLogger(__name__)
_SENTENCE_SECONDS = 5.0  # a sentence takes some 10 ms: a worker that is busy for so long hangs
_LONGEST_SENTENCE = 200  # characters; 14 s of speech
_LONGEST_WORD = 80
_SENTENCE_END = re.compile(r"[.!?…][\"'”’)\]]*\s+|[。！？]\s*|\n\s*")
_CLAUSE_END = re.compile(r"[,;:–—]\s+|[，；：、]")
_SPACE = re.compile(r"\s+")
_UNSPOKEN = PCM16.rate * 60 // 1000  # samples: a text without any sound still takes a moment
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

    async def run(self, task: Say) -> AsyncGenerator[SpokenWord, None]:
        """Speak, sentence by sentence; the words' texts join to the task's."""
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


def sentences(text: str) -> Iterator[str]:
    """Cut a text where a speaker would breathe: parts of at most 200 characters, which join to it.

    A part ends after a sentence, else after a clause, else after a word, else anywhere.
    """
    while len(text) > _LONGEST_SENTENCE:
        stretch = text[:_LONGEST_SENTENCE]
        ends = ([match.end() for match in each.finditer(stretch)] for each in (_SENTENCE_END, _CLAUSE_END, _SPACE))
        end = next((found[-1] for found in ends if found), _LONGEST_WORD)
        yield text[:end]
        text = text[end:]
    if text:
        yield text


def spoken_words(text: str, events: Sequence[WordEvent], sound: Samples) -> list[SpokenWord]:
    """Cut a sentence and its sound into words.

    Parameters
    ----------
    text : str
        The words' texts join to it exactly, each with the spaces before and the punctuation after it.
    events : sequence of (int, int, int)
        Character, number of characters, sample at which the word begins.
    sound : int16 array, shape (n,)
        The words' samples join to it, and silence where it is shorter than 60 ms.
    """
    marks = [(0, 0)]  # character and sample at which each word begins
    covered = -1  # character after the last event; -1: there was none
    for start, length, sample in events:
        if not 0 <= start < len(text) or text[start].isspace() or start < covered:
            continue  # the rest of a number, or of an emoji's name
        first, covered = covered < 0, start + length
        character = _with_space(text, start, marks[-1][0])
        # What stands before the first word belongs to it.
        if not first and character > marks[-1][0] and marks[-1][1] < sample < len(sound):
            marks.append((character, sample))
    sound = np.concatenate([sound, np.zeros(max(_UNSPOKEN - len(sound), 0), np.int16)])
    sound.flags.writeable = False
    ends = [*marks[1:], (len(text), len(sound))]
    return [
        SpokenWord(text[character:text_end], sound[sample:sound_end])
        for (character, sample), (text_end, sound_end) in zip(marks, ends, strict=True)
    ]


def _with_space(text: str, start: int, lowest: int) -> int:
    """Return the character at which the space before a word begins: brackets and quotes stay with the word."""
    begin = start
    while begin > lowest and not text[begin - 1].isspace() and not text[begin - 1].isalnum():
        begin -= 1
    if begin == 0 or not text[begin - 1].isspace():
        return start
    return len(text[:begin].rstrip())
