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
from speakers import at_level, noise, pcm16
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


async def test_unknown_words_are_told(caplog: pytest.LogCaptureFixture) -> None:
    """A phrase with a word that the dictionary lacks is left out; the log and a remark for every session say so."""
    engine = Pocketsphinx(("Zxqvw is my name", "Open the door."), size=1)
    assert "zxqvw" in caplog.text
    ((words, rate),) = engine.remarks
    assert rate is None
    assert "has no 'zxqvw'; it expects no phrase with an unknown word" in words
    assert Pocketsphinx(("Open the door.",), size=1).remarks == ()
    await engine.warm()
    await engine.close()


async def test_telephone_speech_is_taken(sphinx: Pocketsphinx, espeak: EspeakVoice) -> None:
    """Speech at 8 kHz is taken too; a remark says that words are unsure without phrases, and phrases are understood."""
    ((words, rate),) = sphinx.remarks
    assert rate == 8000
    assert "phrases=" in words
    engine = Pocketsphinx((SENTENCES[0],), built_in=False, size=1)
    sound = await speech(espeak, SENTENCES[0], 8000)
    text = await heard(engine, sound, Transcribe(None, "", 8000))
    await engine.close()
    assert word_errors(SENTENCES[0], text) <= 2


@pytest.mark.parametrize("length", [0, 1, 300, RATE])
async def test_silence_is_no_text(sphinx: Pocketsphinx, length: int) -> None:
    """Nothing, a single sample and a second of silence are transcribed as an empty text, not an invented one."""
    assert await heard(sphinx, np.zeros(length, np.int16)) == ""


FOREIGN = (
    ("fr", "Quel temps fera-t-il demain à Paris?"),
    ("es", "Por favor enciende la luz de la cocina."),
    ("it", "Accendi la luce in cucina, per favore."),
    ("pl", "Poproszę dwie bułki i kawę."),
    ("fi", "Millainen sää huomenna on Helsingissä?"),
    ("cs", "Jaké bude zítra počasí v Praze?"),
    ("ru", "Пожалуйста, включи свет на кухне."),
    ("tr", "Lütfen mutfaktaki ışığı aç."),
)


async def test_a_text_is_never_invented(espeak: EspeakVoice) -> None:
    """Of eight sentences in other languages at most one becomes English; the others fail, and say how much was heard."""
    engine = Pocketsphinx(size=1)
    expected, told = [], []
    for language, sentence in FOREIGN:
        words = await spoken(espeak, say(sentence, "marin", language))
        sound = np.concatenate([np.zeros(8_000, np.int16), sound_of(words), np.zeros(12_000, np.int16)])
        seconds = f"{len(sound) / RATE:.1f}"
        expected.append(f"audio_unintelligible: {seconds} s of speech were heard, the words could not be made out")
        try:
            told.append(await heard(engine, sound, Transcribe(None, "", RATE)))
        except EngineFailure as failure:
            told.append(f"{failure.code}: {failure.message.partition('. The')[0]}")
    await engine.close()
    assert sum(each != failed for each, failed in zip(told, expected, strict=True)) <= 1, told


@pytest.mark.parametrize("kind", ["white", "pink", "hum 50", "tone"])
async def test_noise_is_no_text(sphinx: Pocketsphinx, kind: str) -> None:
    """Steady noise and a tone have no words, however sure the recogniser is of one that lasts for seconds."""
    for level in (-50, -20):
        sound = pcm16(at_level(noise(kind, 3 * RATE, seed=3), level))
        assert await heard(sphinx, sound) == "", level


async def test_a_single_word_is_sure_where_it_is_expected(espeak: EspeakVoice) -> None:
    """«hello», of which the general model is unsure, is understood: it is one of the phrases."""
    engine = Pocketsphinx(size=1)
    assert await heard(engine, await speech(espeak, "hello")) == "hello"
    await engine.close()


@pytest.mark.parametrize("size", [240, 2400, 100_000])
async def test_noise_is_added_to_silence_only(size: int) -> None:
    """Sound with a room in it is handed on as it is, whatever its pieces; digital silence gets noise that no one hears."""
    fed: list[bytes] = []

    class Listening:
        pid = None

        async def call(self, method: Any, *args: Any) -> Any:
            if method is SphinxDecoders.feed:
                fed.append(args[0])
            return {SphinxDecoders.finish: "", SphinxDecoders.logprobs: ()}.get(method)

    room = pcm16(at_level(noise("white", 16_000), -55))
    for sound, change in ((room, 0), (np.zeros(16_000, np.int16), 20), (np.zeros(100, np.int16), 20)):
        engine = Pocketsphinx(size=0)
        engine._idle.put_nowait(Listening())
        fed.clear()
        task = Transcribe(None, "", 16_000)
        assert await transcribed(engine, feed(sound, size), task) == ""
        taken = np.frombuffer(b"".join(fed), "<i2").astype(float)
        assert len(taken) == len(sound)
        assert (taken - sound).std() == pytest.approx(change, rel=0.2)


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
