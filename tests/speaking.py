"""What the tests of the voices and of the transcriber share: orders to speak, and what comes of them."""

from __future__ import annotations

import numpy as np

from rtnb.audio.formats import PCM16
from rtnb.audio.samples import Samples
from rtnb.service.engines.base import Voice
from rtnb.service.engines.tasks import Say, SpokenWord


def say(text: str, voice: str = "alloy", language: str | None = "en", *, seed: int = 0, speed: float = 1.0) -> Say:
    return Say(text, voice, language, seed, speed)


async def spoken(voice: Voice, task: Say) -> list[SpokenWord]:
    words = [word async for word in voice.run(task)]
    assert all(isinstance(word, SpokenWord) for word in words)
    return words


def text_of(words: list[SpokenWord]) -> str:
    return "".join(word.text for word in words)


def sound_of(words: list[SpokenWord]) -> Samples:
    return np.concatenate([word.samples for word in words])


def seconds_of(words: list[SpokenWord]) -> float:
    return sum(len(word.samples) for word in words) / PCM16.rate
