from __future__ import annotations

import asyncio
import itertools
import logging
import os
import signal
import sys

import numpy as np
import pytest
from counter import never
from numpy.typing import NDArray
from speaking import say, seconds_of, sound_of, spoken, text_of

from rtnb.audio.formats import PCM16
from rtnb.protocol.catalog import VOICES
from rtnb.service.engines.espeak import EspeakVoice
from rtnb.service.engines.tones import ToneVoice
from rtnb.service.engines.worker import Worker

RATE = PCM16.rate
SENTENCE = "My mother may learn a new melody, and we allow you more money for a long evening in Rome."
pytestmark = pytest.mark.usefixtures("espeak")
killing = pytest.mark.skipif(sys.platform == "win32", reason="no signals")


def pitch_hz(samples: NDArray[np.int16]) -> float:
    """Measure the pitch by autocorrelation of the loud 40 ms frames."""
    frames = np.lib.stride_tricks.sliding_window_view(samples / 32768, 960)[::480]
    loud = frames[np.sqrt((frames**2).mean(axis=1)) > 0.03]
    power = np.abs(np.fft.rfft(loud * np.hanning(960), 4096, axis=1)) ** 2
    correlation = np.fft.irfft(power, axis=1)
    return float(RATE / np.median(60 + correlation[:, 60:400].argmax(axis=1)))


def brightness_hz(samples: NDArray[np.int16]) -> float:
    """Measure the middle of the spectrum from 300 to 4000 Hz."""
    spectrum = np.abs(np.fft.rfft(samples.astype(float))) ** 2
    hz = np.fft.rfftfreq(len(samples), 1 / RATE)
    band = (hz > 300) & (hz < 4000)
    return float((hz[band] * spectrum[band]).sum() / spectrum[band].sum())


@pytest.mark.parametrize(
    "text",
    [
        'Hello, "world". It is 3.14 now! 😀 well-known e.g. this costs $5.20.',
        "你好，世界。今天很好",
        "…",
        " \n ",
        "a\x00b \ud800 c",
        "word " * 150,
        "x" * 300,
    ],
)
async def test_words_join_to_the_text(espeak: EspeakVoice, text: str) -> None:
    """Whatever the text, the words join to it, and each has sound of its own."""
    words = await spoken(espeak, say(text, language=None))
    assert text_of(words) == text
    assert all(word.samples.dtype == np.int16 and len(word.samples) for word in words)


async def test_words_come_one_by_one(espeak: EspeakVoice) -> None:
    """A sentence is given word by word, with no word much longer than a second and the whole as long as speech is."""
    words = await spoken(espeak, say(SENTENCE))
    assert len(words) >= len(SENTENCE.split()) - 1  # it says "for a" as if it were one
    assert all(word.text.startswith(" ") for word in words[1:])
    assert max(len(word.samples) for word in words) < 1.2 * RATE
    assert 3.5 < seconds_of(words) < 6


async def test_empty_text(espeak: EspeakVoice) -> None:
    """Nothing to say gives nothing."""
    assert await spoken(espeak, say("")) == []


async def test_word_timings_are_where_the_words_are(espeak: EspeakVoice) -> None:
    """Between two sentences there is a pause, and it belongs to the word before it."""
    words = await spoken(espeak, say("Stop. Go."))
    quiet = np.abs(words[0].samples[-int(0.15 * RATE) :]).max()
    loud = np.abs(words[1].samples[: int(0.15 * RATE)]).max()
    assert quiet < 300 < 2000 < loud


async def test_the_speakers_differ(espeak: EspeakVoice) -> None:
    """Any two voices differ to the ear: in pitch, in colour or in pace."""
    measured = {}
    for name in VOICES:
        words = await spoken(espeak, say(SENTENCE, name))
        measured[name] = (pitch_hz(sound_of(words)), brightness_hz(sound_of(words)), seconds_of(words))
    for one, other in itertools.combinations(VOICES, 2):
        ratios = [a / b for a, b in zip(measured[one], measured[other], strict=True)]
        distance = sum(abs(np.log(ratio)) for ratio in ratios)
        assert distance > 0.12, f"{one} and {other} sound alike: {ratios}"


async def test_all_voices_are_about_as_loud(espeak: EspeakVoice) -> None:
    """All voices are about as loud as one another, and none is clipped."""
    loudness = []
    for name in VOICES:
        samples = sound_of(await spoken(espeak, say(SENTENCE, name))).astype(float)
        assert np.abs(samples).max() < 32_700
        loudness.append(20 * np.log10(np.sqrt((samples**2).mean())))
    assert max(loudness) - min(loudness) < 8


async def test_faster_is_shorter(espeak: EspeakVoice) -> None:
    """The pace is heeded."""
    slow, normal, fast = [seconds_of(await spoken(espeak, say(SENTENCE, speed=speed))) for speed in (0.6, 1.0, 1.5)]
    assert slow > 1.3 * normal > 1.3 * 1.2 * fast


async def test_again_is_about_the_same(espeak: EspeakVoice) -> None:
    """The engine is not quite deterministic: the same again is as long within 2 %."""
    first, second = [seconds_of(await spoken(espeak, say(SENTENCE))) for _ in range(2)]
    assert first == pytest.approx(second, rel=0.02)


async def test_languages_are_distinguished(espeak: EspeakVoice) -> None:
    """A text is read in the language that is asked for, else in its own."""
    text = "Ich habe heute keine Zeit, und du auch nicht."
    guessed, german, english = [seconds_of(await spoken(espeak, say(text, "alloy", tag))) for tag in (None, "de", "en")]
    assert guessed == pytest.approx(german, rel=0.02)
    assert english != pytest.approx(german, rel=0.02)


async def test_a_language_it_does_not_know(espeak: EspeakVoice, caplog: pytest.LogCaptureFixture) -> None:
    """What it cannot read it reads in English, and says so in the log, rather than in whatever came before."""
    await spoken(espeak, say("Bonjour", language="fr"))
    words = await spoken(espeak, say("Hello there", language="tlh"))
    assert text_of(words) == "Hello there"
    assert "does not know the language tlh, it speaks en-us" in caplog.text


async def test_stopping_harms_no_other_speech(espeak: EspeakVoice) -> None:
    """A speech that is ended at its first word leaves the worker to the next one, which has nothing of it."""
    talk = espeak.run(say("word " * 2000))
    first = await anext(talk)
    await talk.aclose()
    pid = espeak.worker.pid
    words = await spoken(espeak, say("Hello there."))
    assert (first.text, text_of(words)) == ("word", "Hello there.")
    assert seconds_of(words) < 2
    assert espeak.worker.pid == pid


async def test_a_slow_session_holds_no_other_up(espeak: EspeakVoice) -> None:
    """Speeches whose words are not fetched do not keep others from being spoken."""
    slow = [espeak.run(say("word " * 2000)) for _ in range(4)]
    for talk in slow:
        await anext(talk)
    assert text_of(await spoken(espeak, say(SENTENCE))) == SENTENCE
    for talk in slow:
        await talk.aclose()


async def test_many_at_once_do_not_mix(espeak: EspeakVoice) -> None:
    """Twenty sessions that share the worker each hear their own text in their own voice."""
    tasks = [say(f"{SENTENCE} Number {index}.", VOICES[index % 10]) for index in range(20)]
    together = await asyncio.gather(*(spoken(espeak, task) for task in tasks))
    assert [text_of(words) for words in together] == [task.text for task in tasks]
    for task, words in list(zip(tasks, together, strict=True))[:10]:
        assert seconds_of(words) == pytest.approx(seconds_of(await spoken(espeak, task)), rel=0.03)


@killing
async def test_a_killed_worker_does_not_cost_the_sentence(
    espeak: EspeakVoice, caplog: pytest.LogCaptureFixture
) -> None:
    """When the worker dies before it could speak, the tone voice says all of it; the next speech has a new worker."""
    await espeak.warm()
    pid = espeak.worker.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    talk = asyncio.create_task(spoken(espeak, say(SENTENCE)))
    for _ in range(3):
        await asyncio.sleep(0)
    os.kill(pid, signal.SIGKILL)
    with caplog.at_level(logging.WARNING):
        words = await talk
    assert text_of(words) == SENTENCE
    assert "the tone voice goes on" in caplog.text
    expected = await spoken(ToneVoice(), say(SENTENCE))
    assert np.array_equal(sound_of(words), sound_of(expected))
    again = await spoken(espeak, say(SENTENCE))
    assert not np.array_equal(sound_of(again), sound_of(expected))
    assert espeak.worker.pid not in (None, pid)


@killing
async def test_killed_in_the_middle(espeak: EspeakVoice) -> None:
    """When the worker is killed in the middle of a long text, the texts still join to it."""
    text = f"{SENTENCE} " * 20
    words = []
    async for word in espeak.run(say(text)):
        words.append(word)
        if len(words) in (3, 40) and espeak.worker.pid:
            os.kill(espeak.worker.pid, signal.SIGKILL)
    assert text_of(words) == text


async def test_closed_in_the_middle(espeak: EspeakVoice) -> None:
    """Closing the engine while it speaks ends its worker; the rest is said by the tone voice."""
    talk = espeak.run(say(f"{SENTENCE} " * 3))
    words = [await anext(talk)]
    await espeak.close()
    assert espeak.worker.pid is None
    words += [word async for word in talk]
    assert text_of(words) == f"{SENTENCE} " * 3


async def test_without_the_library(caplog: pytest.LogCaptureFixture) -> None:
    """Where the library cannot be loaded, the log says why, and the tone voice says the text."""
    voice = EspeakVoice()
    voice.worker = Worker(never, seconds=30)
    await voice.warm()
    assert "eSpeak NG does not start: OSError: no counter is left" in caplog.text
    assert np.array_equal(
        sound_of(await spoken(voice, say("Hello."))), sound_of(await spoken(ToneVoice(), say("Hello.")))
    )
    await voice.close()
