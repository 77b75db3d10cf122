"""Timelines to draw, made of events as they stand on the wire in either dialect."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from rtnb.audio import AudioClip
from rtnb.protocol.dialects import GA, Dialect
from rtnb.protocol.events import LOCAL, RECEIVED, SENT, encode_base64
from rtnb.protocol.names import Kind, Local
from rtnb.timeline.timeline import Timeline

RATE = 24_000


class Story:
    """A timeline in the making; times are seconds since the session opened."""

    def __init__(self, dialect: Dialect = GA) -> None:
        self.timeline = Timeline(title="wss://example.test/realtime")
        self._dialect = dialect

    def _add(self, direction: str, t: float, event: Mapping[str, Any]) -> None:
        plain = {**event, "type": str(event["type"])}
        for wire in self._dialect.encode_all(plain):
            self.timeline.store.append(json.dumps(wire).encode(), direction=direction, t=t)

    def sent(self, t: float, kind: str, **fields: Any) -> None:
        self._add(SENT, t, {"type": kind, **fields})

    def received(self, t: float, kind: str, **fields: Any) -> None:
        self._add(RECEIVED, t, {"type": kind, **fields})

    def closed(self, t: float) -> None:
        self._add(LOCAL, t, {"type": Local.CLOSE, "code": 1000, "reason": "", "who": "client"})

    def created(self, t: float, response: str) -> None:
        self.received(t, Kind.RESPONSE_CREATED, response={"id": response, "status": "in_progress"})

    def done(self, t: float, response: str, status: str = "completed") -> None:
        self.received(t, Kind.RESPONSE_DONE, response={"id": response, "status": status})

    def said(self, t: float, response: str, words: str) -> None:
        ids = {"response_id": response, "item_id": f"item_{response}", "output_index": 0, "content_index": 0}
        self.received(t, Kind.TRANSCRIPT_DELTA, **ids, delta=words)

    def spoke(self, t: float, response: str, clip: AudioClip | bytes) -> None:
        data = clip if isinstance(clip, bytes) else clip.samples.tobytes()
        ids = {"response_id": response, "item_id": f"item_{response}", "output_index": 0, "content_index": 0}
        self.received(t, Kind.AUDIO_DELTA, **ids, delta=encode_base64(data))


def _level(seconds: float, value: int = 10_000) -> AudioClip:
    """Sound of one constant sample value, to be found again in a picture."""
    return AudioClip(np.full(round(seconds * RATE), value, np.int16), RATE)


def _one_turn(dialect: Dialect = GA) -> Timeline:
    """A question and its answer: two words, and a second of audio that arrives in a fifth of one."""
    story = Story(dialect)
    story.received(0.0, Kind.SESSION_CREATED, session={"id": "sess_1", "type": "realtime", "model": "m"})
    story.sent(0.1, Kind.RESPONSE_CREATE)
    story.created(0.2, "resp_1")
    story.said(0.3, "resp_1", "Hello")
    story.said(0.31, "resp_1", " there!")
    for place in range(4):
        story.spoke(0.4 + 0.05 * place, "resp_1", _level(0.25))
    story.done(0.6, "resp_1")
    return story.timeline


def _long_session(rows: int = 10_000) -> Timeline:
    """Turn after turn until there are at least `rows` events."""
    story, t, turn = Story(), 0.0, 0
    piece = _level(0.25)
    while len(story.timeline) < rows:
        name = f"resp_{turn}"
        story.sent(t, Kind.RESPONSE_CREATE)
        story.created(t + 0.1, name)
        for place in range(20):
            story.said(t + 0.2 + 0.02 * place, name, f"word{place} ")
            story.spoke(t + 0.2 + 0.02 * place, name, piece)
        story.done(t + 0.7, name, "completed" if turn % 3 else "cancelled")
        t, turn = t + 7.0, turn + 1
    return story.timeline


@pytest.fixture(scope="session")
def new_story() -> type[Story]:
    """Begin a timeline: ``new_story(dialect=GA)``, with a method for each thing that happens."""
    return Story


@pytest.fixture(scope="session")
def level() -> Callable[..., AudioClip]:
    """Make sound: ``level(seconds, value=10_000)``."""
    return _level


@pytest.fixture(scope="session")
def one_turn() -> Callable[..., Timeline]:
    """Make the timeline of one turn: ``one_turn(dialect=GA)``."""
    return _one_turn


@pytest.fixture(scope="session")
def long_session() -> Callable[..., Timeline]:
    """Make the timeline of many turns: ``long_session(rows=10_000)``."""
    return _long_session
