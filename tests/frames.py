"""Fixtures that fill timelines with frames, for the tests of the timeline and of the conversation."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from rtnb.timeline import Timeline

Build = Callable[..., bytes]
STARTED = datetime(2026, 11, 22, 14, 50, tzinfo=UTC)


def _frame(type: str, **fields: object) -> bytes:
    return json.dumps({"type": type, **fields}, separators=(",", ":")).encode()


@pytest.fixture(scope="session")
def frame() -> Build:
    """Build a frame: ``frame(type, **fields)``."""
    return _frame


@pytest.fixture(scope="session")
def word() -> Build:
    """Build a transcript delta: ``word(text, item="item_1", response="resp_1")``."""

    def build(text: str, item: str = "item_1", response: str = "resp_1") -> bytes:
        return _frame("response.output_audio_transcript.delta", response_id=response, item_id=item, delta=text)

    return build


@pytest.fixture(scope="session")
def sound() -> Build:
    """Build an audio delta: ``sound(pcm, item="item_1", response="resp_1")``."""

    def build(pcm: bytes = bytes(12_000), item: str = "item_1", response: str = "resp_1") -> bytes:
        encoded = base64.b64encode(pcm).decode()
        return _frame("response.output_audio.delta", response_id=response, item_id=item, delta=encoded)

    return build


@pytest.fixture
def timeline() -> Timeline:
    """Return an empty timeline that started at a known time."""
    return Timeline(started=STARTED, origin=100.0, title="a test")


@pytest.fixture
def turn(timeline: Timeline, frame: Build, word: Build, sound: Build) -> Timeline:
    """Return the timeline of one short turn: 10 rows, half a second apart."""
    frames = [
        ("received", frame("session.created", event_id="event_a", session={"model": "m", "voice": "verse"})),
        ("sent", frame("response.create", event_id="event_b")),
        ("received", frame("response.created", response={"id": "resp_1"})),
        (
            "received",
            frame("response.output_item.added", response_id="resp_1", item={"id": "item_1", "role": "assistant"}),
        ),
        ("received", word("How are")),
        ("received", sound()),
        ("received", word(" you?")),
        ("received", sound()),
        ("received", frame("response.done", response={"id": "resp_1", "status": "completed"})),
        ("local", frame("close", code=1000, reason="bye", who="client")),
    ]
    for number, (direction, raw) in enumerate(frames):
        timeline.store.append(raw, direction=direction, t=number / 2)
    return timeline
