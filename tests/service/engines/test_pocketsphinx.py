from __future__ import annotations

import asyncio
import itertools
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterable
from typing import Any

import numpy as np
import pytest
from speaking import say, sound_of, spoken

from rtnb.audio import resample
from rtnb.audio.samples import Samples
from rtnb.service.engines.base import EngineFailure
from rtnb.service.engines.espeak import EspeakVoice
from rtnb.service.engines.pocketsphinx import Pocketsphinx
from rtnb.service.engines.sphinx_decoders import SphinxDecoders
from rtnb.service.engines.tasks import Transcribe

pytest.importorskip("pocketsphinx")
killing = pytest.mark.skipif(sys.platform == "win32", reason="no signals")
RATE = 24_000
ENGLISH = Transcribe("en", "", RATE)
SENTENCES = (
    "please turn on the lights in the kitchen",
    "tell me a short story about a dog",
    "good morning how are you today",
    "my name is john and i live in london",
    "please repeat what i just said",
    "i would like to order a pizza",
    "stop talking and listen to me",
    "my flight was delayed because of heavy snow in the mountains",
    "the committee will publish its final report next year",
    "she bought three green apples at the market",
)


@pytest.fixture
async def sphinx() -> AsyncIterator[Pocketsphinx]:
    """Give a transcriber that expects nothing in particular, with one worker."""
    engine = Pocketsphinx(built_in=False, size=1)
    yield engine
    await engine.close()
    assert not pids(engine)


def pids(engine: Pocketsphinx) -> list[int]:
    return [worker.pid for worker in engine.workers if worker.pid]


async def speech(voice: EspeakVoice, text: str, rate: int = RATE) -> Samples:
    """Have a sentence spoken, with some silence around it."""
    words = await spoken(voice, say(text, "alloy"))
    quiet = np.zeros(RATE // 3, np.int16)
    return resample(np.concatenate([quiet, sound_of(words), quiet]), RATE, rate)


async def feed(samples: Samples, size: int = 2400) -> AsyncIterator[Samples]:
    for start in range(0, len(samples), size):
        yield samples[start : start + size]
        await asyncio.sleep(0)


async def transcribed(engine: Pocketsphinx, sound: AsyncIterator[Samples], task: Transcribe = ENGLISH) -> str:
    """Transcribe a turn: the engine gives one text, which is final."""
    (text,) = [text async for text in engine.run(task, sound)]
    assert text.final
    return text.text


async def heard(engine: Pocketsphinx, samples: Samples, task: Transcribe = ENGLISH) -> str:
    return await transcribed(engine, feed(samples), task)


class Pause:
    """A turn whose speaker pauses after some of it, until the test lets them go on."""

    def __init__(self, samples: Samples, after: int) -> None:
        self._samples = samples
        self._after = after
        self.reached, self.over = asyncio.Event(), asyncio.Event()

    async def feed(self) -> AsyncIterator[Samples]:
        yield self._samples[: self._after]
        self.reached.set()
        await self.over.wait()
        yield self._samples[self._after :]


def word_errors(said: str, understood: str) -> int:
    """Count the words that have to be changed, added or left out."""
    row = list(range(len(understood.split()) + 1))
    for index, word in enumerate(said.split(), 1):
        diagonal, row[0] = row[0], index
        for column, other in enumerate(understood.split(), 1):
            diagonal, row[column] = row[column], min(row[column] + 1, row[column - 1] + 1, diagonal + (word != other))
    return row[-1]


def error_rate(texts: Iterable[tuple[str, str]]) -> float:
    pairs = list(texts)
    return sum(itertools.starmap(word_errors, pairs)) / sum(len(said.split()) for said, _ in pairs)


async def test_it_understands_speech(sphinx: Pocketsphinx, espeak: EspeakVoice) -> None:
    """Ten sentences of the service's own voice are understood with at most 30 % of the words wrong."""
    pairs = [(sentence, await heard(sphinx, await speech(espeak, sentence))) for sentence in SENTENCES]
    assert error_rate(pairs) <= 0.30, pairs


async def test_it_says_how_sure_it_is_of_each_word(sphinx: Pocketsphinx, espeak: EspeakVoice) -> None:
    """The words join to the text, each with the logarithm of its posterior probability, which is none above 1."""
    sound = await speech(espeak, SENTENCES[0])
    (heard,) = [each async for each in sphinx.run(ENGLISH, feed(sound))]
    assert "".join(word for word, _ in heard.logprobs) == heard.text
    values = [value for _, value in heard.logprobs]
    assert max(values) <= 0.01  # its own arithmetic rounds
    assert min(values) < -0.001  # of no sentence is every word certain


async def test_expected_phrases_are_understood_better(espeak: EspeakVoice) -> None:
    """What the transcriber expects it understands nearly without error, and other speech no worse."""
    said = ("how much is seven plus five", "can you help me with my homework", *SENTENCES[-3:])
    engine = Pocketsphinx(("How much is 7 plus 5?", "The train leaves at nine."), size=1)
    pairs = [(sentence, await heard(engine, await speech(espeak, sentence))) for sentence in said]
    await engine.close()
    assert error_rate(pairs[:2]) <= 0.1, pairs
    assert error_rate(pairs[2:]) <= 0.3, pairs


async def test_a_prompt_helps(sphinx: Pocketsphinx, espeak: EspeakVoice) -> None:
    """Lines of the session's transcription prompt are expected like phrases, for this turn."""
    sound = await speech(espeak, "how much is seven plus five")
    hinted = await heard(sphinx, sound, Transcribe("en", "How much is seven plus five?\nZxqv!", RATE))
    assert word_errors("how much is seven plus five", hinted) <= 1


async def test_unknown_words_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    """A phrase with a word that the dictionary lacks is left out, and the log says so."""
    engine = Pocketsphinx(("zxqvw is my name",), size=1)
    await engine.warm()
    await engine.close()
    assert "zxqvw" in caplog.text


async def test_telephone_speech_is_taken(sphinx: Pocketsphinx, espeak: EspeakVoice) -> None:
    """Speech at 8 kHz is taken too; it is understood less well, so only some of its words are asked for."""
    sound = await speech(espeak, SENTENCES[0], 8000)
    text = await heard(sphinx, sound, Transcribe(None, "", 8000))
    assert set(text.split()) & set(SENTENCES[0].split())


@pytest.mark.parametrize("length", [0, 1, 300, RATE])
async def test_silence_is_no_text(sphinx: Pocketsphinx, length: int) -> None:
    """Nothing, a single sample and a second of silence are transcribed as an empty text, not an invented one."""
    assert await heard(sphinx, np.zeros(length, np.int16)) == ""


async def test_it_listens_while_the_sound_comes(sphinx: Pocketsphinx, espeak: EspeakVoice) -> None:
    """Before a turn is over the worker has taken most of its sound, so that little is left to do at its end."""
    sound = await speech(espeak, SENTENCES[0])
    turn = Pause(sound, len(sound) - 1000)
    task = asyncio.create_task(transcribed(sphinx, turn.feed()))
    await turn.reached.wait()
    fed = 0
    call = sphinx.workers[0].call

    async def counting(method: Any, *args: Any) -> Any:
        nonlocal fed
        if method is SphinxDecoders.feed:
            fed += len(args[0]) // 2
        return await call(method, *args)

    sphinx.workers[0].call = counting  # type: ignore[method-assign]
    while fed < (len(sound) - 1000) * 2 // 3 - 3200:  # at 16 kHz; the last 100 ms wait for more
        await asyncio.sleep(0)
    assert not task.done()
    turn.over.set()
    assert word_errors(SENTENCES[0], await task) <= 2


async def test_other_languages_are_refused(sphinx: Pocketsphinx) -> None:
    """A language that it does not understand is refused before anything is started."""
    with pytest.raises(EngineFailure, match="English only, not 'de'") as refusal:
        await heard(sphinx, np.zeros(100, np.int16), Transcribe("de", "", RATE))
    assert refusal.value.code == "transcription_unavailable"
    assert not pids(sphinx)


async def test_stopped_in_the_middle(sphinx: Pocketsphinx, espeak: EspeakVoice) -> None:
    """A transcription that is stopped leaves its worker to the next one, which transcribes only its own sound."""
    first, second = await speech(espeak, SENTENCES[0]), await speech(espeak, SENTENCES[5])
    await sphinx.warm()
    turn = Pause(first, len(first) // 2)
    listening = asyncio.create_task(transcribed(sphinx, turn.feed()))
    await turn.reached.wait()
    listening.cancel()
    before = pids(sphinx)
    assert word_errors(SENTENCES[5], await heard(sphinx, second)) <= 2
    assert pids(sphinx) == before


async def test_cancelled_at_any_moment(sphinx: Pocketsphinx, espeak: EspeakVoice) -> None:
    """Transcriptions whose tasks are cancelled while they wait leave a worker that works."""
    sound = await speech(espeak, SENTENCES[5])
    await sphinx.warm()
    before = pids(sphinx)
    for turns in (1, 5, 30):
        task = asyncio.create_task(heard(sphinx, sound))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert word_errors(SENTENCES[5], await heard(sphinx, sound)) <= 2
    assert pids(sphinx) == before


async def test_two_speakers_share_a_worker(sphinx: Pocketsphinx, espeak: EspeakVoice) -> None:
    """A speaker's pause gives the worker to a turn that waits for one; the paused turn is transcribed in full later."""
    patient, other = await speech(espeak, SENTENCES[0]), await speech(espeak, SENTENCES[5])
    turn = Pause(patient, 20_000)
    waiting = asyncio.create_task(transcribed(sphinx, turn.feed()))
    await turn.reached.wait()
    while not pids(sphinx):
        await asyncio.sleep(0)
    assert word_errors(SENTENCES[5], await heard(sphinx, other)) <= 2
    assert not waiting.done()
    turn.over.set()
    assert word_errors(SENTENCES[0], await waiting) <= 2
    assert len(pids(sphinx)) == 1


@killing
async def test_a_killed_worker_fails_one_transcription(sphinx: Pocketsphinx, espeak: EspeakVoice) -> None:
    """When the worker is killed in the middle, that transcription fails and says so; the next one has a new worker."""
    sound = await speech(espeak, SENTENCES[5])
    await sphinx.warm()
    turn = Pause(sound, len(sound) // 2)
    listening = asyncio.create_task(transcribed(sphinx, turn.feed()))
    await turn.reached.wait()
    (pid,) = pids(sphinx)
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(EngineFailure, match="started again for the next turn") as failure:
        await listening
    assert failure.value.code == "transcription_failed"
    assert word_errors(SENTENCES[5], await heard(sphinx, sound)) <= 2
    assert pids(sphinx) != [pid]


async def test_an_error_of_the_source_is_passed_on(sphinx: Pocketsphinx) -> None:
    """Sound that breaks off with an error is no text: the error is passed on."""

    async def broken() -> AsyncIterator[Samples]:
        yield np.zeros(RATE, np.int16)
        raise OSError("the microphone is gone")

    with pytest.raises(OSError, match="microphone"):
        await transcribed(sphinx, broken())


async def test_a_turn_has_an_end(sphinx: Pocketsphinx) -> None:
    """More than ten minutes of sound are refused."""

    async def long() -> AsyncIterator[Samples]:
        for _ in range(11):
            yield np.zeros(60 * 16_000, np.int16)

    with pytest.raises(EngineFailure, match="at most 10 minutes"):
        await transcribed(sphinx, long(), Transcribe(None, "", 16_000))
