from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from stand_in_endpoints import Start, endpoints

from rtnb.service.engines.espeak import EspeakVoice


@pytest.fixture
async def espeak() -> AsyncIterator[EspeakVoice]:
    """Give the voice eSpeak NG."""
    pytest.importorskip("espeakng_loader")
    voice = EspeakVoice()
    yield voice
    await voice.close()
    assert voice.worker.pid is None


@pytest.fixture
async def endpoint() -> AsyncIterator[Start]:
    """Give what starts a stand-in for an HTTP endpoint."""
    async with endpoints() as start:
        yield start
