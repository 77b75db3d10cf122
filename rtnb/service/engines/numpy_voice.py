"""The voice that is always there: `rtnb.service.speech.voice`, spoken word by word without holding the loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator

from rtnb.audio.samples import Samples
from rtnb.service.engines.tasks import Say, SpokenWord, Task
from rtnb.service.speech.voice import speak

__all__ = ["NumpyVoice"]


class NumpyVoice:
    """Speaks with the formant voice: a word takes about 2 ms, and between two of them everybody else has their turn."""

    name = "numpy-formant"

    async def run(self, task: Task, feed: AsyncIterator[Samples] | None = None) -> AsyncGenerator[SpokenWord, None]:
        """Speak a `Say`."""
        assert isinstance(task, Say)
        for word in speak(task.text, task.voice, seed=task.seed, speed=task.speed):
            yield word
            await asyncio.sleep(0)

    async def close(self) -> None:
        """Do nothing: there is nothing running."""
