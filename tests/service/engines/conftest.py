from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from stand_in_endpoints import Start, endpoints

from rtnb.service.engines.espeak import EspeakVoice
from rtnb.service.engines.numpy_voice import NumpyVoice


@pytest.fixture
async def espeak() -> AsyncIterator[EspeakVoice]:
    """Give the voice eSpeak NG with two child processes."""
    pytest.importorskip("espeakng_loader")
    voice = EspeakVoice(fallback=NumpyVoice(), size=2)
    yield voice
    await voice.close()
    assert not voice.pool.children


@pytest.fixture
async def endpoint() -> AsyncIterator[Start]:
    """Give what starts a stand-in for an HTTP endpoint."""
    async with endpoints() as start:
        yield start
