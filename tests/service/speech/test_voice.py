from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from rtnb.errors import ConfigurationError
from rtnb.service.speech.voice import RATE, VOICES, speak, voice_profile

SENTENCE = "My mother may learn a new melody, and we allow you more money for a long evening in Rome."


def sound(text: str, voice: str = "alloy", **options: float) -> NDArray[np.float64]:
    """Join a text's samples, as shares of full scale."""
    return np.concatenate([word.samples for word in speak(text, voice, **options)]) / 32768  # type: ignore[arg-type]


def median_pitch_hz(samples: NDArray[np.float64]) -> float:
    """Measure the pitch by autocorrelation of the loud 40 ms frames."""
    frames = np.lib.stride_tricks.sliding_window_view(samples, 960)[::480]
    loud = frames[np.sqrt((frames**2).mean(axis=1)) > 0.05]
    power = np.abs(np.fft.rfft(loud * np.hanning(960), 4096, axis=1)) ** 2
    correlation = np.fft.irfft(power, axis=1)
    shortest, longest = RATE // 400, RATE // 60
    lags = shortest + correlation[:, shortest:longest].argmax(axis=1)
    return float(RATE / np.median(lags))


def centroid_hz(samples: NDArray[np.float64]) -> float:
    """Measure where the middle of the spectrum from 1 to 4 kHz lies: the upper formants."""
    spectrum = np.abs(np.fft.rfft(samples)) ** 2
    hz = np.fft.rfftfreq(len(samples), 1 / RATE)
    band = (hz > 1000) & (hz < 4000)
    return float((hz[band] * spectrum[band]).sum() / spectrum[band].sum())


def longest_silence_s(samples: NDArray[np.float64]) -> float:
    """Measure the longest run below 0.1 % of full scale, in seconds."""
    runs = (len(list(run)) for quiet, run in itertools.groupby(np.abs(samples) < 0.001) if quiet)
    return max(runs, default=0) / RATE


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60), st.sampled_from(sorted(VOICES)))
def test_words_join_to_the_text(text: str, voice: str) -> None:
    """Whatever the text, its pieces join to it exactly, each with sound or silence of its own."""
    words = list(speak(text, voice))
    assert "".join(word.text for word in words) == text
    assert all(word.samples.dtype == np.int16 and word.samples.ndim == 1 and len(word.samples) for word in words)


@pytest.mark.parametrize(
    "text",
    [
        "Hello, 世界! 😀 <b>bold</b> &amp; more\n\n- a list\n- of 3.14 things",
        "Zażółć gęślą jaźń",
        "\t leading and trailing \r\n",
        "👩‍👩‍👧‍👦🇩🇪",
        "e\u0301tude",
        "\ud800 lone surrogate",
    ],
)
def test_words_join_to_difficult_text(text: str) -> None:
    """Scripts, emoji, mark-up, line breaks and broken Unicode are kept as they are."""
    assert "".join(word.text for word in speak(text)) == text


def test_no_text_is_no_sound() -> None:
    """An empty text yields nothing."""
    assert list(speak("")) == []


def test_a_word_carries_its_space_and_punctuation() -> None:
    """Leading spaces and following marks stay with their word."""
    assert [word.text for word in speak("Of course! How can I?")] == ["Of", " course!", " How", " can", " I?"]


def test_speech_is_made_word_by_word() -> None:
    """The first word of a text without end is there before the rest is looked at."""
    assert next(speak("Hello " * 1_000_000)).text == "Hello"


@pytest.mark.parametrize("text", ["a" * 5000, "lighthouse" * 500, "7" * 3000, "世" * 1000, "9,999,999,999.999"])
@pytest.mark.parametrize("speed", [0.5, 1.0, 2.0])
def test_no_piece_is_long(text: str, speed: float) -> None:
    """Text without spaces is spoken in pieces of about a second at most, at any pace."""
    longest = 0.0
    for word in itertools.islice(speak(text, "ballad", speed=speed), 40):
        longest = max(longest, len(word.samples) / RATE)
    assert longest < 1.6 / min(speed, 1.0)


@pytest.mark.parametrize("voice", sorted(VOICES))
def test_level_is_even_among_voices(voice: str) -> None:
    """Every voice peaks at about half of full scale, without clipping and without a constant offset."""
    samples = sound(SENTENCE, voice)
    assert 0.35 < np.abs(samples).max() < 0.6
    assert abs(samples.mean()) < 0.002
    assert 0.05 < np.sqrt((samples**2).mean()) < 0.15


def test_words_begin_and_end_without_clicks() -> None:
    """Each word starts and ends in silence, so joining them makes no step."""
    for word in speak("Please stop talking about big dogs, cats & seven 12-sided dice!", "ash"):
        assert np.abs(word.samples[[0, 1, -2, -1]]).max() <= 16


def test_loudness_does_not_jump() -> None:
    """The vowels of different words are about equally loud."""
    loudest = [np.abs(word.samples).max() for word in speak("see saw sow sue say sigh soy so sir", "coral")]
    assert max(loudest) < 2.2 * min(loudest)


@pytest.mark.parametrize(("text", "least"), [("yes, we may", 0.15), ("yes. We may", 0.3), ("yes? We may", 0.3)])
def test_pauses_are_heard(text: str, least: float) -> None:
    """A comma gives a short silence, the end of a sentence a longer one."""
    without = list(speak("yes we may"))
    spoken = list(speak(text))
    assert longest_silence_s(np.concatenate([word.samples for word in spoken[:2]]) / 32768) > least
    assert longest_silence_s(np.concatenate([word.samples for word in without[:2]]) / 32768) < 0.15


def test_a_question_rises_and_a_statement_falls() -> None:
    """The pitch at the end tells a question from a statement."""
    asked, told = (median_pitch_hz(sound(f"money{mark}", "ash")[4000:8000]) for mark in "?.")
    assert asked > 1.1 * told


def test_the_same_arguments_give_the_same_samples() -> None:
    """Speech is deterministic, remembered words included, and the seed varies its detail but not its length."""
    first, again, other = (sound("Tell me, tell me more.", "sage", seed=seed) for seed in (7, 7, 8))
    assert np.array_equal(first, again)
    assert len(first) == len(other)
    assert not np.array_equal(first, other)


def test_speech_does_not_depend_on_what_was_said_before() -> None:
    """Words remembered from other texts change nothing."""
    expected = sound("nine lives", "echo", seed=3)
    for text in ("nine", "lives and nine lives", "lives nine"):
        sound(text, "echo", seed=3)
    assert np.array_equal(sound("nine lives", "echo", seed=3), expected)


def test_samples_are_read_only() -> None:
    """What is handed out cannot be changed under another listener."""
    word = next(speak("Hello"))
    with pytest.raises(ValueError, match="read-only"):
        word.samples[0] = 1


@pytest.mark.parametrize("voice", sorted(VOICES))
def test_each_voice_has_its_pitch(voice: str) -> None:
    """The measured pitch is the one that the profile names."""
    assert median_pitch_hz(sound(SENTENCE, voice)) == pytest.approx(VOICES[voice].pitch_hz, rel=0.12)


def test_voices_sound_apart() -> None:
    """Any two voices differ in measured pitch or in the place of their formants."""
    measured = {
        voice: (median_pitch_hz(sound(SENTENCE, voice)), centroid_hz(sound(SENTENCE, voice))) for voice in VOICES
    }
    for (one, (pitch, centre)), (two, (other_pitch, other_centre)) in itertools.combinations(measured.items(), 2):
        apart = max(abs(np.log2(pitch / other_pitch)), abs(np.log2(centre / other_centre)))
        assert apart > 0.06, (one, two)
    pitches, centres = zip(*measured.values(), strict=True)
    assert max(pitches) > 2 * min(pitches)
    assert max(centres) > 1.1 * min(centres)


def test_vowels_have_their_formants() -> None:
    """«ee» has a low first and a high second resonance, «ah» the opposite: the voice articulates."""

    def strongest_hz(text: str, low: float, high: float) -> float:
        samples = sound(text, "ash")
        spectrum, hz = np.abs(np.fft.rfft(samples)), np.fft.rfftfreq(len(samples), 1 / RATE)
        band = (hz > low) & (hz < high)
        return float(hz[band][spectrum[band].argmax()])

    assert strongest_hz("ee", 100, 3000) < 450
    assert strongest_hz("ah", 100, 3000) > 500
    assert strongest_hz("ee", 1000, 3200) > 1800
    assert strongest_hz("ah", 1000, 3200) < 1500


def test_hissing_is_high_noise() -> None:
    """An s is noise at high frequencies, a vowel is not."""
    hiss, vowel = sound("s", "alloy"), sound("oh", "alloy")
    high = [float((np.diff(samples) ** 2).sum() / (samples**2).sum()) for samples in (hiss, vowel)]
    assert high[0] > 5 * high[1]


def test_pace() -> None:
    """Twice the speed takes about half the time."""
    normal, fast = len(sound(SENTENCE)), len(sound(SENTENCE, speed=2.0))
    assert 0.4 < fast / normal < 0.65


@pytest.mark.parametrize("speed", [0.0, 0.2, 4.5, -1.0, float("nan"), float("inf")])
def test_an_impossible_pace_is_refused_at_once(speed: float) -> None:
    """A pace out of range is refused before anything is spoken, with the range in the message."""
    with pytest.raises(ConfigurationError, match=r"0\.25 to 4\.0"):
        speak("Hello", speed=speed)


@given(st.text(max_size=30))
def test_any_name_has_a_voice(name: str) -> None:
    """A voice never heard of gets a profile in the range of human speakers, always the same one."""
    profile = voice_profile(name)
    assert profile == voice_profile(name)
    assert 80 <= profile.pitch_hz <= 240
    assert 0.9 <= profile.formant_scale <= 1.25


def test_strangers_differ_from_one_another() -> None:
    """Two unknown names sound apart."""
    assert not np.array_equal(sound("hello", "stranger"), sound("hello", "another"))
