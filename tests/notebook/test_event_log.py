"""EventLog without a browser: what is sent, when, and what a browser may ask."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import fake_comm
import pytest
from fake_comm import Wire

from rtnb.conversation.recording import Recording
from rtnb.notebook.event_log import PAGE, EventLog
from rtnb.protocol.names import Kind
from rtnb.timeline.timeline import Timeline


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    return fake_comm.connected(monkeypatch)


def more(timeline: Timeline, rows: int, text: str = "more") -> None:
    for _ in range(rows):
        timeline.store.append(
            json.dumps({"type": str(Kind.TEXT_DONE), "text": text}).encode(), direction="received", t=len(timeline)
        )


def test_a_log_takes_whatever_has_a_timeline(wire: Wire, one_turn: Callable[..., Timeline]) -> None:
    """A timeline, a selection of it, a recording; anything else is refused in words."""
    timeline = one_turn()
    assert EventLog(timeline)._state["rows"] == 10
    assert EventLog(timeline.select(direction="sent"))._state["rows"] == 1
    assert EventLog(Recording(timeline))._state["total"] == 10
    with pytest.raises(TypeError, match=r"EventLog needs a session, .* or a timeline, not an object of type list"):
        EventLog([])  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="'up' is not one of"):
        EventLog(timeline, direction="up")


def test_the_end_goes_with_the_state_and_the_rest_comes_in_pages(
    wire: Wire, long_session: Callable[..., Timeline]
) -> None:
    """The pages and the end together are all rows, each as the timeline has it."""
    timeline = long_session(1000)
    log = EventLog(timeline)
    state = log._state
    assert state["first"] + len(state["tail"]) == state["rows"] == len(timeline)
    for page in range(-(-len(timeline) // PAGE)):
        wire.say(log, ask="page", page=page, version=state["version"])
    seqs = [row[0] for message in wire.sent for row in message["rows"]]
    assert seqs == list(range(len(timeline)))
    assert [row[0] for row in state["tail"]] == seqs[-len(state["tail"]) :]


def test_a_tick_is_at_most_one_message_and_none_when_nothing_has_come(
    wire: Wire, one_turn: Callable[..., Timeline]
) -> None:
    """Two hundred events between two ticks cost one update, and a still log costs nothing."""
    timeline = one_turn()
    log = EventLog(timeline)
    before = wire.count
    for _ in range(3):
        log.refresh()
    assert wire.count == before
    for tick in range(12):
        more(timeline, 17)
        log.refresh()
        assert wire.count == before + tick + 1
    assert wire.updates[-1]["_state"]["rows"] == len(timeline)
    assert len(json.dumps(wire.updates[-1])) < 20_000


def test_a_filter_is_a_new_version_and_old_pages_are_not_answered(
    wire: Wire, long_session: Callable[..., Timeline]
) -> None:
    """What was asked of the rows before the filter would be rows of another list."""
    log = EventLog(long_session(500))
    wire.say(log, ask="filter", text="word1", direction="received", deltas=True)
    log.refresh()
    assert log._state["version"] == 1
    assert log._state["filter"] == {"text": "word1", "direction": "received", "deltas": True, "follow": ""}
    assert log._state["rows"] == len(log.shown) == len(log.timeline.select(text="word1"))
    before = len(wire.sent)
    wire.say(log, ask="page", page=0, version=0)
    assert len(wire.sent) == before
    wire.say(log, ask="page", page=0, version=1)
    assert len(wire.sent) == before + 1


def test_a_paused_log_takes_in_nothing_and_loses_nothing(wire: Wire, one_turn: Callable[..., Timeline]) -> None:
    """While rows wait there is one message that says so; going on shows them all."""
    timeline = one_turn()
    log = EventLog(timeline)
    wire.say(log, ask="pause", on=True)
    log.refresh()
    before = wire.count
    for _ in range(5):
        more(timeline, 3)
        log.refresh()
    assert wire.count == before + 1
    assert log._state["rows"] == 10
    assert log._state["waiting"]
    log.pause(False)
    log.refresh()
    assert log._state["rows"] == 25


def test_a_row_is_sent_whole_when_it_is_chosen(wire: Wire, one_turn: Callable[..., Timeline]) -> None:
    """By the browser, which then is on all views, or by Python, which goes there."""
    log = EventLog(one_turn())
    assert log.selected is None
    wire.say(log, ask="row", seq=3)
    assert json.loads(wire.sent[-1]["row"]["json"])["delta"] == "Hello"
    log.refresh()
    assert (log.selected, log._state["selected"], log._state["jumps"]) == (3, 3, 0)
    log.select(9)
    log.refresh()
    assert wire.sent[-1]["row"]["seq"] == 9
    assert (log._state["place"], log._state["jumps"]) == (9, 1)
    with pytest.raises(IndexError, match="no row"):
        log.select(10)


def test_following_leaves_what_belongs_and_back_brings_all(wire: Wire, long_session: Callable[..., Timeline]) -> None:
    """With the filter that was set staying set."""
    log = EventLog(long_session(300))
    log.filter(deltas=False)
    log.filter(follow="resp_2")
    assert set(log.shown["response_id"]) == {"resp_2"}
    log.filter(follow="")
    assert len(log.shown) == len(log.timeline[log.timeline["kind"] != ""].select(kind=["response.create*", "*.done"]))


@pytest.mark.parametrize(
    "content",
    [
        None,
        "page",
        {},
        {"ask": "page"},
        {"ask": "page", "page": "0", "version": 0},
        {"ask": "page", "page": -5, "version": 0},
        {"ask": "page", "page": 10**12, "version": 0},
        {"ask": "row", "seq": -1},
        {"ask": "row", "seq": 10**9},
        {"ask": "filter", "text": 5, "deltas": None, "unknown": 1},
        {"ask": "filter", "text": "\ud800 [ \x00"},
        {"ask": "filter", "follow": "\udc00"},
        {"ask": "pause", "on": "yes"},
        {"ask": "nothing"},
    ],
)
def test_nothing_that_a_browser_says_breaks_the_log(
    wire: Wire, one_turn: Callable[..., Timeline], content: Any
) -> None:
    """And what is sent afterwards can be encoded."""
    log = EventLog(one_turn())
    log._handle_custom_msg(content, [])
    log.refresh()
    json.dumps([wire.sent, log._state], ensure_ascii=False, allow_nan=False).encode()


def test_a_direction_that_is_none_is_refused_and_changes_nothing(wire: Wire, one_turn: Callable[..., Timeline]) -> None:
    """In words, and the filter stays."""
    log = EventLog(one_turn())
    with pytest.raises(ValueError, match="'sideways' is not one of"):
        log.filter("x", direction="sideways")
    assert len(log.shown) == 10


def test_the_snapshot_is_the_table_of_what_is_shown(wire: Wire, one_turn: Callable[..., Timeline]) -> None:
    """The timeline's own table, escaped."""
    timeline = one_turn()
    more(timeline, 1, "<script>alert(1)</script>")
    log = EventLog(timeline, deltas=False)
    bundle = log.snapshot()
    assert bundle == log.shown._repr_mimebundle_()
    assert "<script" not in bundle["text/html"]
    assert "&lt;script&gt;" in bundle["text/html"]
