from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from rtnb.service.engines.espeak import EspeakVoice


@pytest.fixture
async def espeak() -> AsyncIterator[EspeakVoice]:
    """Give the voice eSpeak NG."""
    pytest.importorskip("espeakng_loader")
    voice = EspeakVoice()
    yield voice
    await voice.close()
    assert voice.worker.pid is None
