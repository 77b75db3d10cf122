from __future__ import annotations

import asyncio

import numpy as np
from speaking import say, sound_of, spoken, text_of

from rtnb.service.engines.numpy_voice import NumpyVoice
from rtnb.service.speech.voice import speak


async def test_it_is_the_formant_voice() -> None:
    """The engine gives what the voice gives, word by word."""
    words = await spoken(NumpyVoice(), say("Of course, 42!", "coral", seed=3, speed=1.5))
    expected = list(speak("Of course, 42!", "coral", seed=3, speed=1.5))
    assert text_of(words) == "Of course, 42!"
    assert np.array_equal(sound_of(words), sound_of(expected))


async def test_others_have_their_turn_between_words() -> None:
    """Between two words everything else that runs has a turn."""
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(others())
    words = await spoken(NumpyVoice(), say("one two three four five six"))
    task.cancel()
    assert turns >= len(words) - 1
