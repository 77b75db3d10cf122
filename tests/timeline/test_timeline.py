"""A timeline is filled by one thread and asked by anybody."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from rtnb.conversation.recording import open_recording
from rtnb.errors import ConfigurationError
from rtnb.timeline import Timeline

Build = Callable[..., bytes]


def seqs(timeline: Timeline) -> list[int]:
    return timeline["seq"].tolist()  # type: ignore[no-any-return]


def test_append_returns_the_event(timeline: Timeline, word: Build) -> None:
    """The event that append returns knows its row, its time, its direction and its frame."""
    timeline.store.append(b"{}", direction="sent", t=0.5)
    event = timeline.store.append(word("hi"), direction="received", t=1.25, late_ms=30.0)
    assert (event.seq, event.t, event.direction, event.raw) == (1, 1.25, "received", word("hi"))
    assert timeline.late_ms.tolist() == [0.0, 30.0]


def test_append_takes_bytes_only(timeline: Timeline) -> None:
    """Text is not a frame: which bytes it was would be a guess."""
    with pytest.raises(TypeError, match="bytes, not str"):
        timeline.store.append("{}", direction="sent", t=0.0)  # type: ignore[arg-type]


def test_start_needs_a_time_zone() -> None:
    """A start without a time zone could mean any moment."""
    with pytest.raises(ValueError, match="needs a time zone"):
        Timeline(started=datetime(2026, 1, 1))


def test_head_and_tail(turn: Timeline) -> None:
    """Head and tail are the ends, however few rows there are."""
    assert seqs(turn.head()) == [0, 1, 2, 3, 4]
    assert seqs(turn.tail(2)) == [8, 9]
    assert seqs(turn.tail(0)) == []
    assert seqs(turn.tail(99)) == seqs(turn.head(99)) == list(range(10))


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, list(range(10))),
        ({"type": "response.done"}, [8]),
        ({"type": ["response.done", "session.*"]}, [0, 8]),
        ({"type": "response.audio.delta"}, []),
        ({"kind": "response.audio.delta"}, [5, 7]),
        ({"kind": "response.audio*.delta"}, [4, 5, 6, 7]),
        ({"kind": "response.output_audio*.delta"}, [4, 5, 6, 7]),
        ({"direction": "sent"}, [1]),
        ({"direction": ["sent", "local"]}, [1, 9]),
        ({"direction": "*e*", "response": ""}, [0, 1]),
        ({"response": "resp_1", "direction": "received"}, [2, 3, 4, 5, 6, 7, 8]),
        ({"item": types.SimpleNamespace(id="item_1"), "kind": "*delta"}, [4, 5, 6, 7]),
        ({"text": "ARE"}, [4]),
        ({"text": "you?"}, [6]),
        ({"text": ["how", "bye"]}, [4, 9]),
        ({"since": 1, "until": 2.0}, [2, 3, 4]),
        ({"since": np.float64(4.5)}, [9]),
        ({"type": "nothing.at.all"}, []),
    ],
)
def test_select(turn: Timeline, arguments: dict[str, object], expected: list[int]) -> None:
    """Every argument narrows the selection: names, globs, lists, objects, words, instants."""
    assert seqs(turn.select(**arguments)) == expected  # type: ignore[arg-type]


def test_select_between_events_and_times(turn: Timeline) -> None:
    """An event, its time of day and an aware datetime name the same instant, and both ends belong."""
    start = datetime(2026, 11, 22, 14, 50, tzinfo=UTC)
    assert seqs(turn.select(since=turn[3], until=turn[5])) == [3, 4, 5]
    assert seqs(turn.select(since=turn["time"][3], until=turn["time"][5])) == [3, 4, 5]
    assert seqs(turn.select(since=start + timedelta(seconds=1.5), until=start + timedelta(seconds=2.5))) == [3, 4, 5]


def test_select_from_a_selection(turn: Timeline) -> None:
    """A selection can be selected from, and keeps the session's seq."""
    assert seqs(turn.select(kind="*delta").select(text="you")) == [6]
    assert turn.select(kind="*delta")[1].seq == 5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"direction": "recieved"}, "Did you mean direction='received'"),
        ({"type": 5}, "type=5: give a string, a glob"),
        ({"item": [1]}, r"item=\[1\]: give a string"),
        ({"since": "noon"}, "since='noon': give seconds"),
        ({"until": datetime(2026, 1, 1)}, "has no time zone"),
    ],
)
def test_select_refuses_what_cannot_be_meant(turn: Timeline, arguments: dict[str, object], message: str) -> None:
    """A wrong argument says what would be right."""
    with pytest.raises(ConfigurationError, match=message):
        turn.select(**arguments)  # type: ignore[arg-type]


def test_contract_example(turn: Timeline) -> None:
    """The example that notebooks hold works as it is written."""
    assert seqs(turn[turn["kind"] == "response.output_audio.delta"]) == [5, 7]


def test_counts(turn: Timeline) -> None:
    """Counts are by type as on the wire, most first, of a selection too."""
    counts = turn.counts()
    assert next(iter(counts)) == "response.output_audio_transcript.delta"
    assert counts["response.output_audio.delta"] == 2
    assert sum(counts.values()) == counts.total == 10
    assert turn[[0, 5]].counts() == {"session.created": 1, "response.output_audio.delta": 1}
    assert Timeline().counts() == {}


def test_save_and_open(turn: Timeline, tmp_path: object) -> None:
    """What is saved opens again as the same table."""
    path = turn.save(f"{tmp_path}/x.rtnb.jsonl", meta={"dialect": "ga"})
    recording = open_recording(path)
    assert recording.timeline.to_records() == turn.to_records()
    assert recording.meta == {"dialect": "ga"}


def test_plot_is_the_notebooks(turn: Timeline, monkeypatch: pytest.MonkeyPatch) -> None:
    """Plot hands itself and the axes to the drawing code, which is loaded only then."""
    drawing = types.ModuleType("rtnb.notebook.plots")
    drawing.plot_timeline = lambda timeline, ax: (timeline, ax)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "rtnb.notebook.plots", drawing)
    assert turn.plot(ax="axes") == (turn, "axes")  # type: ignore[arg-type,comparison-overlap]


def test_shows_itself(turn: Timeline) -> None:
    """The repr and the bundle are the table."""
    bundle = turn._repr_mimebundle_()
    assert bundle["text/plain"] == repr(turn)
    assert "10 rows" in bundle["text/html"]
