"""TimelineView without a browser: what is sent, when, and what a browser may ask."""

from __future__ import annotations

import base64
import itertools
import json
import math
from collections.abc import Callable
from typing import Any

import fake_comm
import numpy as np
import pytest
from fake_comm import Wire

from rtnb.notebook import timeline_view
from rtnb.notebook.event_log import EventLog
from rtnb.notebook.layout import Layout
from rtnb.notebook.timeline_view import TimelineView, visible
from rtnb.notebook.waveform import Axis
from rtnb.protocol.dialects import GA, PREVIEW
from rtnb.protocol.names import Kind
from rtnb.timeline.sound import mix
from rtnb.timeline.timeline import Timeline

Make = Callable[..., Any]


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    monkeypatch.setattr(timeline_view, "_IDLE", 0)  # time stands still: a test's refreshes are all in one moment
    return fake_comm.connected(monkeypatch)


@pytest.fixture
def turn(one_turn: Callable[..., Timeline]) -> Timeline:
    return one_turn()


def test_only_what_has_a_timeline_is_drawn(wire: Wire) -> None:
    """Anything else is refused in words."""
    with pytest.raises(TypeError, match=r"TimelineView needs a session, .* or a timeline, not an object of type int"):
        TimelineView(3)  # type: ignore[arg-type]


def test_a_tick_is_at_most_one_message_and_none_when_nothing_has_come(wire: Wire, turn: Timeline) -> None:
    """A still timeline costs nothing; many events between two ticks cost one update, with all that is in sight."""
    view = TimelineView(turn)
    before = wire.count
    view.refresh()
    assert wire.count == before
    for tick in range(5):
        for place in range(40):
            turn.store.append(b'{"type": "x"}', direction="received", t=2 + tick + place / 40)
        view.refresh()
        assert wire.count == before + tick + 1
    assert view._visible["events"] == len(turn)
    assert view._visible["view"][1] > 6.9


def test_drawing_takes_a_tenth_of_the_time_at_most(wire: Wire, turn: Timeline, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a drawing that took a second to make, the next comes nine seconds later."""
    monkeypatch.setattr(timeline_view, "_IDLE", 9)
    view = TimelineView(turn)
    now = [100.0]
    monkeypatch.setattr(timeline_view.time, "monotonic", lambda: now[0])
    made = view._next

    def slow() -> dict[str, Any]:
        now[0] += 1.0
        return made()

    monkeypatch.setattr(view, "_next", slow)
    drawn = []
    for second in range(1, 32):
        turn.store.append(b'{"type": "x"}', direction="received", t=2.0 + second)
        before = wire.count
        view.refresh()
        drawn += [now[0]] * (wire.count - before)
        now[0] += 1.0
    assert len(drawn) == 4
    assert {later - earlier for earlier, later in itertools.pairwise(drawn)} == {10.0}


def test_the_browser_chooses_what_it_sees_and_in_how_many_pixels(wire: Wire, turn: Timeline) -> None:
    """There is as much again to either side, for when it is moved; and "all" follows what comes."""
    view = TimelineView(turn)
    wire.say(view, ask="range", start=0.2, end=0.7, pixels=300)
    view.refresh()
    shown = view._visible
    assert (shown["view"], shown["pixels"]) == ([0.2, 0.7], 600)
    assert (shown["start"], shown["end"]) == pytest.approx((-0.05, 0.95))
    assert all(len(each) == 2 * 600 for each in shown["waves"].values())
    turn.store.append(b'{"type": "x"}', direction="received", t=9.0)
    view.refresh()
    assert view.range == (0.2, 0.7)
    wire.say(view, ask="all", pixels=500)
    view.refresh()
    assert view._visible["all"]
    assert view.range[1] > 9


def test_an_axis_that_reaches_the_end_moves_with_it(wire: Wire, turn: Timeline) -> None:
    """A live session is seen with the zoom that was chosen."""
    view = TimelineView(turn)
    wire.say(view, ask="range", start=1.0, end=2.0, pixels=300, follow=True)
    view.refresh()
    turn.store.append(b'{"type": "x"}', direction="received", t=9.0)
    view.refresh()
    assert view.range == pytest.approx((8.0, 9.0))


def test_zooming_refuses_what_is_no_range_and_stops_at_the_samples(wire: Wire, turn: Timeline) -> None:
    """An end before the start is an error; a range of nothing is the closest there is."""
    view = TimelineView(turn)
    for start, end in ((2.0, 1.0), (1.0, 1.0), (0.0, math.nan), (-math.inf, 1.0)):
        with pytest.raises(ValueError, match="give an end after the start"):
            view.zoom(start, end)
    view.zoom(1.0, 1.0000001)
    assert view.range[1] - view.range[0] == pytest.approx(0.002)
    view.zoom()
    assert view.range[0] < 0 < 1.4 < view.range[1]


def test_a_row_that_is_pointed_at_is_selected_in_the_linked_log(wire: Wire, turn: Timeline) -> None:
    """And a row that is selected in the log is marked on the lanes."""
    log = EventLog(turn)
    view = TimelineView(turn, log=log)
    wire.say(view, ask="pick", lane="text", t=0.3)
    assert (view.selected, log.selected) == (3, 3)
    log.refresh()
    assert log._state["jumps"] == 1
    wire.say(log, ask="row", seq=9)
    view.refresh()
    assert (view._visible["selected"], view._visible["selected_t"]) == (9, 0.6)
    wire.say(view, ask="select", seq=2)
    assert log.selected == 2
    alone = TimelineView(turn)
    alone.select(1)
    assert alone.selected == 1
    with pytest.raises(IndexError):
        alone.select(10)


def test_the_sound_that_is_sent_is_the_mixed_talk(wire: Wire, turn: Timeline, monkeypatch: pytest.MonkeyPatch) -> None:
    """As WAV files, one after the other from where the cursor is, sample for sample; beyond the end there is nothing."""
    monkeypatch.setattr(timeline_view, "_SEGMENT", 0.75)
    view = TimelineView(turn)
    talk = mix(turn)
    starts = [0.25, 1.0, 5.0]
    for start in starts:
        wire.say(view, ask="sound", start=start, play=7)
    sounds = [message["sound"] for message in wire.sent]
    assert [each["play"] for each in sounds] == [7, 7, 7]
    assert [(each["start"], each["end"]) for each in sounds[:2]] == [(0.25, 1.0), (1.0, talk.duration)]
    assert wire.buffers[0] == [talk.between(0.25, 1.0).to_wav()]
    assert wire.buffers[1] == [talk.between(1.0, talk.duration).to_wav()]
    assert wire.buffers[2] == []


@pytest.mark.parametrize(
    "content",
    [
        None,
        {"ask": "range"},
        {"ask": "range", "start": 2, "end": 1, "pixels": 100},
        {"ask": "range", "start": math.nan, "end": 1.0, "pixels": 100},
        {"ask": "range", "start": 0, "end": 1e300, "pixels": 10**9},
        {"ask": "select", "seq": -1},
        {"ask": "select", "seq": 10**9},
        {"ask": "pick", "lane": "nonsense", "t": 0.1},
        {"ask": "pick", "lane": "heard", "t": math.nan},
        {"ask": "sound", "start": -5, "play": 1},
        {"ask": "sound", "start": math.nan, "play": 1},
        {"ask": "pick", "lane": "user", "t": 1e300},
    ],
)
def test_nothing_that_a_browser_says_breaks_the_view(wire: Wire, turn: Timeline, content: Any) -> None:
    """And what is sent afterwards can be encoded."""
    view = TimelineView(turn)
    view._handle_custom_msg(content, [])
    view.refresh()
    plain = {name: value for name, value in view._visible.items() if name not in ("waves", "ticks")}
    json.dumps([wire.sent, plain], ensure_ascii=False, allow_nan=False).encode()


def test_hostile_words_can_be_sent_and_are_on_one_line(wire: Wire) -> None:
    """Names, states, errors, words and types that hold what cannot be encoded or would turn a line around."""
    timeline = Timeline(title="<script>")
    bad = '"\\ud800 \\u202e <img src=x onerror=alert(1)> \\n"'
    frames = (
        f'{{"type": "error", "error": {{"message": {bad}}}}}',
        f'{{"type": "response.created", "response": {{"id": {bad}}}}}',
        f'{{"type": "response.done", "response": {{"id": {bad}, "status": {bad}}}}}',
        f'{{"type": "response.output_text.delta", "delta": {bad}, "response_id": {bad}, "item_id": {bad}}}',
        f'{{"type": "response.output_item.added", "item": {{"type": "function_call", "call_id": {bad}, "name": {bad}}}}}',
        f'{{"type": {bad}}}',
    )
    for place, frame in enumerate(frames):
        timeline.store.append(frame.encode(), direction="received", t=place / 10)
    view = TimelineView(timeline)
    plain = {name: value for name, value in view._visible.items() if name not in ("waves", "ticks")}
    told = json.dumps(plain, ensure_ascii=False)
    told.encode()
    assert "\u202e" not in told
    assert "<script>" not in view.snapshot()["text/html"]


def test_the_snapshot_is_a_bounded_picture(wire: Wire, long_session: Callable[..., Timeline]) -> None:
    """A PNG in the page itself, however long the session is; without events, too."""
    for timeline in (long_session(3000), Timeline()):
        html = TimelineView(timeline).snapshot()["text/html"]
        encoded = html.split("base64,")[1].split('"')[0]
        assert base64.b64decode(encoded).startswith(b"\x89PNG")
        assert len(html) < 200_000


def test_ticks_are_the_events_of_their_pixel(turn: Timeline) -> None:
    """Each lane's events, counted, named after the first."""
    shown = visible(Layout.of(turn), Axis(-0.05, 0.95, 10))
    ticks = {lane: np.frombuffer(found, "<u2").reshape(4, -1).tolist() for lane, found in shown["ticks"].items()}
    types = shown["types"]
    assert ticks["sent"][:2] == [[1], [1]]
    assert [types[code] for code in ticks["received"][2]] == [
        Kind.SESSION_CREATED,
        Kind.RESPONSE_CREATED,
        Kind.RESPONSE_DONE,
    ]
    assert ticks["text"][:2] == [[3], [2]]
    assert ticks["local"][0] == []
    assert ticks["received"][3] == [0, 0, 0]
    turn.store.append(b'{"type": "error", "error": {}}', direction="received", t=0.21)
    turn.store.append(b'{"type": "close"}', direction="local", t=0.9)
    shown = visible(Layout.of(turn), Axis(-0.05, 0.95, 10))
    ticks = {lane: np.frombuffer(found, "<u2").reshape(4, -1).tolist() for lane, found in shown["ticks"].items()}
    assert ticks["received"][3] == [0, 1, 0]
    assert ticks["local"][:2] == [[9], [1]]


def test_the_same_turn_looks_the_same_in_both_dialects(one_turn: Make) -> None:
    """Words, sound, responses."""
    preview, ga = (visible(Layout.of(one_turn(dialect)), Axis(0.0, 2.0, 100)) for dialect in (PREVIEW, GA))
    for part in ("waves", "spans", "labels"):
        assert preview[part] == ga[part]


def test_a_long_session_is_no_more_to_send_than_a_short_one(long_session: Make) -> None:
    """Bounded by pixels: waves by their number, ticks and spans by what can be told apart."""
    layout = Layout.of(long_session(10_000))
    shown = visible(layout, Axis(*layout.whole, 500))
    assert all(len(each) == 1000 for each in shown["waves"].values())
    assert all(len(each) <= 8 * 501 for each in shown["ticks"].values())
    assert len(shown["spans"]["responses"]) <= 400


def test_only_spans_in_sight_are_sent(new_story: Make) -> None:
    """What has not ended has no end, and is in sight of whatever comes after its start."""
    story = new_story()
    story.created(1.0, "resp_1")
    story.done(1.5, "resp_1", "failed")
    story.created(2.5, "resp_2")
    layout = Layout.of(story.timeline)
    first, second = [1.0, 1.5, 0, "failed", "failed"], [2.5, None, 2, "in progress", "in_progress"]
    for start, end, expected in (
        (0.0, 3.0, [first, second]),
        (1.2, 1.4, [first]),
        (1.6, 1.7, []),
        (8.0, 9.0, [second]),
    ):
        assert visible(layout, Axis(start, end, 100))["spans"]["responses"] == expected
