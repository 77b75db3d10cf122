from __future__ import annotations

import asyncio
import itertools
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterable

import numpy as np
import pytest
from speaking import say, sound_of, spoken

from rtnb.audio import resample
from rtnb.audio.samples import Samples
from rtnb.service.engines.base import EngineFailure
from rtnb.service.engines.espeak import EspeakVoice
from rtnb.service.engines.pocketsphinx import Pocketsphinx
from rtnb.service.engines.tasks import Transcribe, Transcript

pytest.importorskip("pocketsphinx")
killing = pytest.mark.skipif(sys.platform == "win32", reason="no signals")
RATE = 24_000
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
    """Give a transcriber that expects nothing in particular, with one child process."""
    engine = Pocketsphinx(built_in=False, size=1)
    yield engine
    await engine.close()
    assert not engine.pool.children


async def speech(voice: EspeakVoice, text: str, rate: int = RATE) -> Samples:
    """Have a sentence spoken, with some silence around it."""
    words = await spoken(voice, say(text, "alloy"))
    quiet = np.zeros(RATE // 3, np.int16)
    return resample(np.concatenate([quiet, sound_of(words), quiet]), RATE, rate)


async def feed(samples: Samples, size: int = 2400) -> AsyncIterator[Samples]:
    for start in range(0, len(samples), size):
        yield samples[start : start + size]
        await asyncio.sleep(0)


async def rest_of(listening: AsyncIterator[Transcript]) -> list[Transcript]:
    return [text async for text in listening]


async def heard(engine: Pocketsphinx, samples: Samples, task: Transcribe | None = None) -> list[Transcript]:
    return await rest_of(engine.run(task or Transcribe("en", "", RATE), feed(samples)))


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
    pairs = [(sentence, (await heard(sphinx, await speech(espeak, sentence)))[-1].text) for sentence in SENTENCES]
    assert error_rate(pairs) <= 0.30, pairs


async def test_it_tells_what_it_hears_meanwhile(sphinx: Pocketsphinx, espeak: EspeakVoice) -> None:
    """While somebody speaks the text grows; the last one is final, and the only one that is."""
    texts = await heard(sphinx, await speech(espeak, SENTENCES[0]))
    assert [text.final for text in texts] == [False] * (len(texts) - 1) + [True]
    assert len(texts) > 4
    lengths = [len(text.text) for text in texts]
    assert lengths[0] < lengths[len(lengths) // 2] < lengths[-2]


async def test_expected_phrases_are_understood_better(espeak: EspeakVoice) -> None:
    """What the transcriber was told to expect it understands nearly without error, and foreign speech no worse."""
    said = ("how much is seven plus five", "can you help me with my homework", *SENTENCES[-3:])
    engine = Pocketsphinx(("How much is 7 plus 5?", "The train leaves at nine."), size=1)
    pairs = [(sentence, (await heard(engine, await speech(espeak, sentence)))[-1].text) for sentence in said]
    await engine.close()
    assert error_rate(pairs[:2]) <= 0.1, pairs
    assert error_rate(pairs[2:]) <= 0.3, pairs


async def test_a_prompt_helps(sphinx: Pocketsphinx, espeak: EspeakVoice) -> None:
    """Lines of the session's transcription prompt are expected like phrases, for this turn."""
    sound = await speech(espeak, "how much is seven plus five")
    hinted = await heard(sphinx, sound, Transcribe("en", "How much is seven plus five?\nZxqv!", RATE))
    assert word_errors("how much is seven plus five", hinted[-1].text) <= 1


async def test_words_nobody_knows_are_told(caplog: pytest.LogCaptureFixture) -> None:
    """A phrase with a word that the dictionary lacks is left out, and the log says so."""
    engine = Pocketsphinx(("zxqvw is my name",), size=1)
    await engine.warm()
    await engine.close()
    assert "zxqvw" in caplog.text


async def test_telephone_speech_is_taken(sphinx: Pocketsphinx, espeak: EspeakVoice) -> None:
    """Speech at 8 kHz is taken too; it is understood less well, so only some of its words are asked for."""
    sound = await speech(espeak, SENTENCES[0], 8000)
    texts = await heard(sphinx, sound, Transcribe(None, "", 8000))
    assert set(texts[-1].text.split()) & set(SENTENCES[0].split())


@pytest.mark.parametrize("length", [0, 1, 300, RATE])
async def test_silence_is_no_text(sphinx: Pocketsphinx, length: int) -> None:
    """Nothing, a single sample and a second of silence are transcribed as an empty text, not an invented one."""
    texts = await heard(sphinx, np.zeros(length, np.int16))
    assert texts[-1] == Transcript("", final=True)


async def test_other_languages_are_refused(sphinx: Pocketsphinx) -> None:
    """A language that it does not understand is refused before anything is started."""
    with pytest.raises(EngineFailure, match="English only, not 'de'") as refusal:
        await heard(sphinx, np.zeros(100, np.int16), Transcribe("de", "", RATE))
    assert refusal.value.code == "transcription_unavailable"
    assert not sphinx.pool.children


async def test_stopped_in_the_middle(sphinx: Pocketsphinx, espeak: EspeakVoice) -> None:
    """A transcription that nobody wants any more leaves its child to the next one, which hears only its own sound."""
    first, second = await speech(espeak, SENTENCES[0]), await speech(espeak, SENTENCES[5])
    listening = sphinx.run(Transcribe("en", "", RATE), feed(first))
    await anext(listening)
    await listening.aclose()
    (child,) = sphinx.pool.children
    texts = await heard(sphinx, second)
    assert word_errors(SENTENCES[5], texts[-1].text) <= 2
    assert sphinx.pool.children == (child,)


async def test_cancelled_at_any_moment(sphinx: Pocketsphinx, espeak: EspeakVoice) -> None:
    """Transcriptions whose tasks are cancelled while they wait leave a child that works."""
    sound = await speech(espeak, SENTENCES[5])
    await sphinx.warm()
    for turns in (1, 5, 30):
        task = asyncio.create_task(heard(sphinx, sound))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert word_errors(SENTENCES[5], (await heard(sphinx, sound))[-1].text) <= 2
    assert sphinx.pool.idle == 1


async def test_two_speakers_share_a_child(sphinx: Pocketsphinx, espeak: EspeakVoice) -> None:
    """Whoever pauses in the middle of a turn gives the child to whoever waits, and is heard in full all the same."""
    patient, other = await speech(espeak, SENTENCES[0]), await speech(espeak, SENTENCES[5])
    done = asyncio.Event()

    async def with_a_pause() -> AsyncIterator[Samples]:
        yield patient[:20_000]
        await done.wait()
        yield patient[20_000:]

    waiting = asyncio.create_task(rest_of(sphinx.run(Transcribe("en", "", RATE), with_a_pause())))
    while not sphinx.pool.children or sphinx.pool.idle:
        await asyncio.sleep(0)
    assert word_errors(SENTENCES[5], (await heard(sphinx, other))[-1].text) <= 2
    done.set()
    assert word_errors(SENTENCES[0], (await waiting)[-1].text) <= 2
    assert len(sphinx.pool.children) == 1


@killing
async def test_a_killed_child_fails_one_transcription(sphinx: Pocketsphinx, espeak: EspeakVoice) -> None:
    """When the child is killed in the middle, that transcription fails and says so; the next one has a new child."""
    sound = await speech(espeak, SENTENCES[5])
    listening = sphinx.run(Transcribe("en", "", RATE), feed(sound))
    await anext(listening)
    (child,) = sphinx.pool.children
    os.kill(child.pid, signal.SIGKILL)
    with pytest.raises(EngineFailure, match="started again for the next turn") as failure:
        await rest_of(listening)
    assert failure.value.code == "transcription_failed"
    assert word_errors(SENTENCES[5], (await heard(sphinx, sound))[-1].text) <= 2


async def test_an_error_of_the_source_is_passed_on(sphinx: Pocketsphinx) -> None:
    """Sound that breaks off with an error is no text: the error is passed on."""

    async def broken() -> AsyncIterator[Samples]:
        yield np.zeros(RATE, np.int16)
        raise OSError("the microphone is gone")

    with pytest.raises(OSError, match="microphone"):
        await rest_of(sphinx.run(Transcribe("en", "", RATE), broken()))
