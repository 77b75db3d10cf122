from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from rtnb.protocol.catalog import VOICES
from rtnb.service.engines.espeak_library import VOICE_SETTINGS, voice_settings


def test_every_voice_of_the_service_has_settings() -> None:
    """Every voice that the service knows has settings of its own."""
    assert set(VOICE_SETTINGS) == set(VOICES)
    assert len(set(VOICE_SETTINGS.values())) == len(VOICE_SETTINGS)


@settings(deadline=None)
@given(st.text(max_size=30))
def test_an_unknown_voice_is_always_the_same(name: str) -> None:
    """An unknown name gets settings within the engine's range, the same each time."""
    found = voice_settings(name)
    assert found == voice_settings(name)
    assert 0 <= found.pitch <= 100
    assert 0 <= found.melody <= 100
    assert 80 <= found.rate(0.25) <= found.rate(1.0) <= found.rate(4.0) <= 450
