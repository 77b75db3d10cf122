from __future__ import annotations

import asyncio
import itertools

import numpy as np
import pytest
from examples import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from speaking import say, sound_of, spoken, text_of

from rtnb.audio.formats import PCM16
from rtnb.protocol.catalog import VOICES
from rtnb.service.engines.tones import PITCH_HZ, ToneVoice, pitch_hz, syllables, tones

RATE = PCM16.rate
PROSE = (
    "My mother may learn a new melody, and we allow you more money for a long evening in Rome. The train leaves at "
    "nine, so please be there on time. What would you like to drink? I could make some tea, or open the wine that our "
    "neighbours brought us last Sunday."
)


def sound(text: str, voice: str = "alloy", *, seed: int = 0, speed: float = 1.0) -> NDArray[np.float64]:
    """Join a text's samples, as shares of full scale."""
    return sound_of(list(tones(text, voice, seed=seed, speed=speed))) / 32_768


def bursts(samples: NDArray[np.float64]) -> int:
    """Count the tones: stretches of 10 ms frames above 2 % of full scale."""
    frames = samples[: len(samples) // 240 * 240].reshape(-1, 240)
    loud = np.sqrt((frames**2).mean(axis=1)) > 0.02
    return int((np.diff(np.concatenate([[0], loud.astype(int)])) == 1).sum())


def median_pitch_hz(samples: NDArray[np.float64]) -> float:
    """Measure the pitch by autocorrelation of the loud 40 ms frames."""
    frames = np.lib.stride_tricks.sliding_window_view(samples, 960)[::480]
    loud = frames[np.sqrt((frames**2).mean(axis=1)) > 0.05]
    power = np.abs(np.fft.rfft(loud * np.hanning(960), 4096, axis=1)) ** 2
    correlation = np.fft.irfft(power, axis=1)
    return float(RATE / np.median(60 + correlation[:, 60:400].argmax(axis=1)))


def longest_silence_s(samples: NDArray[np.float64]) -> float:
    """Measure the longest run below 0.1 % of full scale, in seconds."""
    runs = (len(list(run)) for quiet, run in itertools.groupby(np.abs(samples) < 0.001) if quiet)
    return max(runs, default=0) / RATE


@pytest.mark.parametrize(
    ("word", "count"),
    [
        ("Rome", 2),
        ("melody", 3),
        ("Straßenbahn", 3),
        ("été", 2),
        ("Mr", 1),
        ("42", 3),
        ("7", 2),
        ("привет", 2),
        ("καλημέρα", 4),
        ("世界", 2),
        ("ありがとう", 5),
        ("مرحبا", 2),
        ("—", 0),
        ("😀", 0),
    ],
)
def test_syllables(word: str, count: int) -> None:
    """A syllable is a group of vowels, a sign of an Eastern script, or two or three letters of another one."""
    assert syllables(word) == count


def test_numbers_are_counted_in_the_language() -> None:
    """Digits count as they are read: seventy-six, soixante-seize; in English where the language is not known."""
    assert syllables("76", "en") == 4
    assert syllables("76", "fr-CA") != syllables("76", "de")
    for unknown in ("tlh", "am", ""):
        assert syllables("999999999", unknown) == syllables("999999999", "en")


@pytest.mark.parametrize(("text", "count"), [("Banana", 3), ("one two. three", 4), ("世界", 2), ("…", 0)])
def test_one_tone_per_syllable(text: str, count: int) -> None:
    """There are as many tones as syllables."""
    assert bursts(sound(text)) == count


@settings(max_examples=examples(60), deadline=None)
@given(st.text(max_size=60), st.sampled_from(VOICES))
def test_words_join_to_the_text(text: str, voice: str) -> None:
    """Whatever the text, its words join to it exactly, each with sound or silence of its own."""
    words = list(tones(text, voice))
    assert text_of(words) == text
    assert all(word.samples.dtype == np.int16 and word.samples.ndim == 1 and len(word.samples) for word in words)


@pytest.mark.parametrize(
    "text",
    [
        "Hello, 世界! 😀 <b>bold</b> &amp; more\n\n- a list\n- of 3.14 things",
        "\t leading and trailing \r\n",
        "👩‍👩‍👧‍👦🇩🇪",
        "e\u0301tude",
        "\ud800 lone surrogate",
        " \n ",
    ],
)
def test_words_join_to_difficult_text(text: str) -> None:
    """Scripts, emoji, mark-up, line breaks and broken Unicode are kept as they are."""
    assert text_of(list(tones(text))) == text


def test_no_text_is_no_sound() -> None:
    """An empty text yields nothing."""
    assert list(tones("")) == []


def test_a_word_carries_its_space_and_punctuation() -> None:
    """Leading spaces and following marks stay with their word."""
    assert [word.text for word in tones("Of course! How can I?")] == ["Of", " course!", " How", " can", " I?"]


def test_speech_is_made_word_by_word() -> None:
    """The first word of a very long text is there before the rest is spoken."""
    assert next(tones("Hello " * 1_000_000)).text == "Hello"


@pytest.mark.parametrize("text", ["a" * 5000, "lighthouse" * 500, "7" * 3000, "世" * 1000, "9,999,999,999.999"])
@pytest.mark.parametrize("speed", [0.5, 1.0, 2.0])
def test_no_word_is_long(text: str, speed: float) -> None:
    """Text without spaces is spoken in pieces of about a second at most, at any pace."""
    for word in itertools.islice(tones(text, "ballad", speed=speed), 40):
        assert len(word.samples) / RATE < 1.6 / speed


def test_the_pace_is_that_of_speech() -> None:
    """Plain English takes 150 to 190 words a minute, and the speed scales that."""
    normal, fast = len(sound(PROSE)) / RATE, len(sound(PROSE, speed=2.0)) / RATE
    assert 150 < len(PROSE.split()) / normal * 60 < 190
    assert fast == pytest.approx(normal / 2, rel=0.01)


@pytest.mark.parametrize("voice", VOICES)
def test_level(voice: str) -> None:
    """Every voice peaks below half of full scale, is about as loud as the others, and has no constant offset."""
    samples = sound(PROSE, voice)
    assert 0.25 < np.abs(samples).max() < 0.5
    assert abs(samples.mean()) < 0.002
    assert 0.05 < np.sqrt((samples**2).mean()) < 0.15


def test_nothing_clicks() -> None:
    """Each word begins and ends in silence, and no step inside is larger than the tone's own slope."""
    for word in tones("Please stop talking about big dogs, cats & seven 12-sided dice!", "shimmer"):
        assert np.abs(word.samples[[0, 1, -2, -1]]).max() <= 16
        assert np.abs(np.diff(word.samples.astype(int))).max() < 3000


@pytest.mark.parametrize(("text", "least"), [("yes, we may", 0.15), ("yes. We may", 0.3), ('"yes?" We may', 0.3)])
def test_pauses(text: str, least: float) -> None:
    """A comma gives a short silence, the end of a sentence a longer one."""
    assert longest_silence_s(sound_of(list(tones(text))[:2]) / 32_768) > least
    assert longest_silence_s(sound_of(list(tones("yes we may"))[:2]) / 32_768) < 0.15


def test_a_question_rises_and_a_statement_falls() -> None:
    """The last syllable of a question is higher than that of a statement."""
    asked, stated = (median_pitch_hz(sound(f"we have money{mark}", "ash")[-13_500:]) for mark in "?.")
    assert asked > 1.1 * stated


def test_equal_tasks_give_equal_samples() -> None:
    """The sound is decided by the task; the seed varies its melody but not its length."""
    first, again, other = (sound("Tell me, tell me more.", "sage", seed=seed) for seed in (7, 7, 8))
    assert np.array_equal(first, again)
    assert len(first) == len(other)
    assert not np.array_equal(first, other)


def test_samples_are_read_only() -> None:
    """What is handed out cannot be changed under another listener."""
    word = next(tones("Hello"))
    with pytest.raises(ValueError, match="read-only"):
        word.samples[0] = 1


@pytest.mark.parametrize("voice", VOICES)
def test_each_voice_has_its_pitch(voice: str) -> None:
    """The measured pitch is the one that the voice is given."""
    assert median_pitch_hz(sound(PROSE, voice)) == pytest.approx(PITCH_HZ[voice], rel=0.1)


def test_voices_differ_in_pitch() -> None:
    """Any two voices that the service knows are at least a semitone apart."""
    pitches = sorted(PITCH_HZ[voice] for voice in VOICES)
    assert all(high / low > 1.059 for low, high in itertools.pairwise(pitches))


@given(st.text(max_size=30))
def test_any_name_has_a_voice(name: str) -> None:
    """An unknown name gets a pitch in the range of human speakers, always the same one."""
    assert 80 <= pitch_hz(name) == pitch_hz(name) <= 240


async def test_others_have_their_turn_between_words() -> None:
    """The engine gives what `tones` gives, and between two words everything else that runs has a turn."""
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(others())
    words = await spoken(ToneVoice(), say("one two three four five 66", "coral", "de", seed=3, speed=1.5))
    task.cancel()
    assert turns >= len(words) - 1
    expected = list(tones("one two three four five 66", "coral", language="de", seed=3, speed=1.5))
    assert np.array_equal(sound_of(words), sound_of(expected))


def test_it_says_what_it_is() -> None:
    """The voice is named after what it does."""
    assert (ToneVoice.name, repr(ToneVoice())) == ("tones", "<ToneVoice: one tone per syllable>")
