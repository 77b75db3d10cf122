"""What speaks where no microphone can: a clip, or the local voice, in pieces of 40 ms, as fast as somebody speaks."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator

import numpy as np

from rtnb.audio import AudioClip
from rtnb.audio.formats import PCM16
from rtnb.audio.samples import Samples
from rtnb.service.engines import make
from rtnb.service.engines.tasks import Say, SpokenWord

CHUNK_SECONDS = 0.04
SENTENCE = "Hello! What is six times seven?"
"""What the local voice says for somebody who has no microphone."""


async def local_speech(text: str = SENTENCE) -> AudioClip:
    """Return a text spoken by the local voice."""
    engines = make(transcriber="none")
    try:
        words = [
            word.samples
            async for word in engines.voice.run(Say(text, "alloy", None, 0, 1.0))
            if isinstance(word, SpokenWord)
        ]
    finally:
        await engines.close()
    return AudioClip(np.concatenate(words), PCM16.rate)


def pieces(clip: AudioClip, rate: int, seconds: float | None = None) -> Iterator[Samples]:
    """Yield a clip at `rate` Hz in pieces of 40 ms; with `seconds`, cut to that length, or with silence up to it."""
    samples = clip.resample(rate).samples
    if seconds is not None:
        length = round(seconds * rate)
        samples = np.concatenate([samples[:length], np.zeros(max(length - len(samples), 0), np.int16)])
    step = round(rate * CHUNK_SECONDS)
    for start in range(0, len(samples), step):
        yield samples[start : start + step]


async def speak(said: Iterator[Samples], hand: Callable[[Samples], None], stopped: asyncio.Event) -> None:
    """Hand on pieces, each when it would have been spoken, until there are no more, or `stopped` is set."""
    due = asyncio.get_running_loop().time()
    for piece in said:
        hand(piece)
        due += CHUNK_SECONDS
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(due):
                await stopped.wait()
        if stopped.is_set():
            return
