"""The encoding in effect is learned from the session's events, in both dialects."""

from __future__ import annotations

from typing import Any

import pytest

from rtnb.protocol.events import Event, write_json
from rtnb.timeline.audio_format import BYTES_PER_MS, FormatInEffect

APPEND = {"type": "input_audio_buffer.append", "audio": "AAAA"}
DELTA = {"type": "response.output_audio.delta", "response_id": "resp_1", "delta": "AAAA"}


def event(fields: dict[str, Any]) -> Event:
    return Event.parse(write_json(fields))


def both(formats: FormatInEffect) -> tuple[str, str]:
    return formats.of(event(APPEND)), formats.of(event(DELTA))


GA_SESSION = {"audio": {"input": {"format": {"type": "audio/pcmu"}}, "output": {"format": {"type": "audio/pcma"}}}}
PREVIEW_SESSION = {"input_audio_format": "g711_ulaw", "output_audio_format": "g711_alaw"}


def test_pcm16_until_told_otherwise() -> None:
    """A session that says nothing speaks 24 kHz PCM16: 48 bytes a millisecond."""
    assert both(FormatInEffect()) == ("pcm16", "pcm16")
    assert BYTES_PER_MS == {"pcm16": 48.0, "g711_ulaw": 8.0, "g711_alaw": 8.0}


@pytest.mark.parametrize("session", [GA_SESSION, PREVIEW_SESSION])
@pytest.mark.parametrize("type", ["session.created", "session.updated"])
def test_service_sets_both(type: str, session: dict[str, Any]) -> None:
    """What the service says of the session holds for both directions, in either dialect's spelling."""
    formats = FormatInEffect()
    formats.watch(event({"type": type, "session": session}))
    assert both(formats) == ("g711_ulaw", "g711_alaw")


@pytest.mark.parametrize("session", [GA_SESSION, PREVIEW_SESSION])
def test_request_sets_input_only(session: dict[str, Any]) -> None:
    """A sent session.update changes what is appended after it; the answer changes with the service's word."""
    formats = FormatInEffect()
    formats.watch(event({"type": "session.update", "session": session}))
    assert both(formats) == ("g711_ulaw", "pcm16")


@pytest.mark.parametrize(
    "response",
    [
        {"id": "resp_1", "output_audio_format": "g711_ulaw"},
        {"id": "resp_1", "audio": {"output": {"format": {"type": "audio/pcmu"}}}},
    ],
)
def test_response_has_its_own(response: dict[str, Any]) -> None:
    """A response that was asked for in another encoding is measured by it, and no other is."""
    formats = FormatInEffect()
    formats.watch(event({"type": "response.created", "response": response}))
    assert both(formats) == ("pcm16", "g711_ulaw")
    assert formats.of(event({**DELTA, "response_id": "resp_2"})) == "pcm16"


@pytest.mark.parametrize("session", [{}, {"audio": None}, {"output_audio_format": "flac"}, {"audio": {"output": 5}}])
def test_nonsense_changes_nothing(session: dict[str, Any]) -> None:
    """A session that says nothing, or nothing known, leaves the encodings as they are."""
    formats = FormatInEffect()
    formats.watch(event({"type": "session.updated", "session": PREVIEW_SESSION}))
    formats.watch(event({"type": "session.updated", "session": session}))
    formats.watch(event({"type": "response.created", "response": {"id": "resp_1"}}))
    assert both(formats) == ("g711_ulaw", "g711_alaw")
