from __future__ import annotations

import numpy as np
import pytest
from speakers import RATE, SPEAKERS, at_level, noise, pcm16, utterances

from rtnb.audio.samples import Samples
from rtnb.service.session.spectrum import FALL_DB, Spectrum

FRAME = RATE // 50


def measured(sound: Samples) -> tuple[list[float], list[float], list[bool]]:
    return Spectrum(RATE, FRAME).measure(sound[: len(sound) // FRAME * FRAME].reshape(-1, FRAME))


@pytest.mark.large
@pytest.mark.parametrize("kind", ["white", "pink", "brown", "hum 50", "hum 60", "fan", "tone"])
def test_noise_does_not_fall(kind: str) -> None:
    """In two minutes of a steady sound, faded in, nothing is as far below its highest as speech falls."""
    sound = at_level(noise(kind, 120 * RATE), -30)
    sound[:RATE] *= np.linspace(0, 1, RATE)
    _, falls, _ = measured(pcm16(sound))
    assert max(falls) < 0.9 * FALL_DB


@pytest.mark.large
def test_speech_falls_within_half_a_second() -> None:
    """Every sentence of every speaker does, be it loud, soft, or 10 dB above noise."""
    pytest.importorskip("espeakng_loader")
    for speaker, sentences in zip(SPEAKERS, utterances(), strict=True):
        for sentence in sentences:
            for level, room in ((-26, -70), (-44, -70), (-26, -36)):
                sound = at_level(sentence, level) + at_level(noise("pink", len(sentence)), room)
                _, falls, _ = measured(pcm16(sound))
                assert max(falls[:25]) > FALL_DB, (speaker, level, room)


def test_levels_are_of_the_voice() -> None:
    """A tone in the band has its level; what is far below or above it, and an offset, hardly count; silence is -120 dB."""
    time = np.arange(RATE) / RATE
    for hz, level in ((1000, -23), (50, -60), (9000, -60)):
        levels, _, _ = measured(pcm16(at_level(np.sin(2 * np.pi * hz * time), -23) + 3000))
        assert levels[10] == pytest.approx(-23, abs=0.1) if level == -23 else levels[10] < level
    assert measured(np.zeros(RATE, np.int16))[0] == [-120.0] * 50


def test_noise_is_distinguished_from_a_tone() -> None:
    """White noise has an even spectrum, a hum has not."""
    assert all(measured(pcm16(at_level(noise("white", RATE), -30)))[2])
    assert not any(measured(pcm16(at_level(noise("hum 50", RATE), -30)))[2])
