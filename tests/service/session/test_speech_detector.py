from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest
from examples import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from rtnb.audio import resample
from rtnb.audio.formats import PCM16
from rtnb.audio.samples import Samples
from rtnb.errors import AudioError
from rtnb.service.engines.tones import tones
from rtnb.service.session.speech_detector import SpeechDetector

Floats = NDArray[np.float64]
ENGINES = pytest.mark.parametrize("webrtc", [False, pytest.param(True, id="webrtcvad")])
VOICES = ("alloy", "coral", "ash", "shimmer", "cedar")
RATE = PCM16.rate
FRAME = RATE // 50


@pytest.fixture(autouse=True)
def _installed(request: pytest.FixtureRequest) -> None:
    if "webrtc" in request.fixturenames and request.getfixturevalue("webrtc"):
        pytest.importorskip("webrtcvad")


@lru_cache
def utterances() -> Samples:
    """Five voices say a sentence each, with a second of silence before, between and after."""
    parts: list[Samples] = [np.zeros(RATE, np.int16)]
    for voice in VOICES:
        words = [word.samples // 2 for word in tones("Please tell me a story about the sea.", voice)]
        parts += [*words, np.zeros(RATE, np.int16)]
    return np.concatenate(parts)


def noise(kind: str) -> Floats:
    """Make what is heard besides the speech."""
    count = len(utterances())
    time = np.arange(count) / RATE
    speech = utterances()[utterances() != 0].astype(float)
    loudness = float(np.sqrt((speech**2).mean()))
    white = np.random.default_rng(3).normal(size=count)
    spectrum = np.fft.rfft(white) / np.sqrt(np.maximum(np.arange(count // 2 + 1), 1))
    pink = np.fft.irfft(spectrum, count)
    made = {
        "clean": np.zeros(count),
        "white, 20 dB below": white * loudness / 10,
        "pink, 10 dB below": pink / pink.std() * loudness / 10**0.5,
        "tone": 400 * np.sin(2 * np.pi * 440 * time),
    }
    return np.asarray(made[kind])


def bridged(speech: NDArray[np.bool_], frames: int) -> NDArray[np.bool_]:
    """Let speech go on for some frames after it ended."""
    return np.convolve(speech, np.ones(frames + 1))[: len(speech)] > 0


def probabilities(samples: Samples, *, webrtc: bool, rate: int = RATE) -> Floats:
    return np.array([frame.probability for frame in SpeechDetector(rate, webrtc=webrtc).feed(samples)])


def beginnings(speech: NDArray[np.bool_]) -> int:
    return int((np.diff(np.concatenate([[0], speech.astype(int)])) == 1).sum())


@pytest.mark.large
@ENGINES
@pytest.mark.parametrize("kind", ["clean", "white, 20 dB below", "pink, 10 dB below", "tone"])
def test_speech_is_found_in_noise(kind: str, webrtc: bool) -> None:
    """At a threshold of a half, once the background is known, nearly all speech is found and nearly all silence kept.

    With 500 ms of silence between turns each utterance is a turn, and at most one falls apart.
    """
    heard = np.clip(utterances() + noise(kind), -32768, 32767).astype(np.int16)
    frames = utterances()[: len(heard) // FRAME * FRAME].reshape(-1, FRAME).astype(float)
    truth = bridged(np.sqrt((frames**2).mean(axis=1)) > 150, 10)
    found = bridged(probabilities(heard, webrtc=webrtc) >= 0.5, 10)
    assert found[truth].mean() > 0.85
    assert found[75:][~truth[75:]].mean() < 0.15
    assert len(VOICES) <= beginnings(bridged(found, 15)[75:]) <= len(VOICES) + 1


@ENGINES
@settings(max_examples=examples(25), deadline=None)
@given(sizes=st.lists(st.integers(0, 3000), min_size=1, max_size=8), rate=st.sampled_from([8000, 24000]))
def test_chunking_changes_nothing(webrtc: bool, sizes: list[int], rate: int) -> None:
    """However the samples are cut into pieces, the frames are the same, with the same figures."""
    sound = resample(utterances()[RATE : 2 * RATE], RATE, rate)
    whole = SpeechDetector(rate, webrtc=webrtc).feed(sound)
    detector = SpeechDetector(rate, webrtc=webrtc)
    frames = []
    position = index = 0
    while position < len(sound):
        size = sizes[index % len(sizes)] if any(sizes) else 1000
        frames += detector.feed(sound[position : position + size])
        position, index = position + size, index + 1
    assert frames == whole
    assert [frame.start_sample for frame in whole] == list(range(0, len(sound) - rate // 50 + 1, rate // 50))


@ENGINES
def test_a_higher_threshold_hears_less(webrtc: bool) -> None:
    """Each step of the documented thresholds lets fewer frames count as speech, and each step matters."""
    figures = probabilities(
        np.clip(utterances() + noise("pink, 10 dB below"), -32768, 32767).astype(np.int16), webrtc=webrtc
    )
    counts = [int((figures >= threshold).sum()) for threshold in (0.1, 0.3, 0.5, 0.7, 0.9)]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > counts[2] > counts[4]


@ENGINES
def test_what_is_inaudible_is_zero(webrtc: bool) -> None:
    """Digital silence and the least bit of noise have a probability of exactly 0."""
    quiet = np.random.default_rng(0).integers(-2, 3, RATE).astype(np.int16)
    assert not probabilities(np.concatenate([np.zeros(RATE, np.int16), quiet]), webrtc=webrtc).any()


@ENGINES
def test_steady_sound_becomes_background(webrtc: bool) -> None:
    """A hum that does not change is no speech after two seconds."""
    time = np.arange(6 * RATE) / RATE
    hum = (1500 * np.sin(2 * np.pi * 100 * time) + 700 * np.sin(2 * np.pi * 300 * time)).astype(np.int16)
    assert (probabilities(hum, webrtc=webrtc)[100:] < 0.1).all()


@ENGINES
@pytest.mark.parametrize("rate", [8000, 16000, 48000])
def test_other_rates(rate: int, webrtc: bool) -> None:
    """Speech is found at telephone, wide-band and studio rates alike."""
    sound = resample(utterances(), RATE, rate)
    here = probabilities(utterances(), webrtc=webrtc) >= 0.5
    there = probabilities(sound, webrtc=webrtc, rate=rate)[: len(here)] >= 0.5
    assert (here[: len(there)] == there).mean() > 0.93


def test_loud_from_the_first_sample() -> None:
    """Speech at the very beginning, without a moment of silence before, is found."""
    start = int(np.flatnonzero(utterances())[0])
    assert (probabilities(utterances()[start : start + RATE // 2], webrtc=False) >= 0.5).mean() > 0.6


def test_rates_that_webrtcvad_does_not_know() -> None:
    """At 22.05 kHz loudness alone decides, and the detector says so."""
    assert SpeechDetector(22_050).name == "energy"


def test_impossible_rate() -> None:
    """A rate that is no rate is refused."""
    with pytest.raises(AudioError, match="sample rate"):
        SpeechDetector(0)
