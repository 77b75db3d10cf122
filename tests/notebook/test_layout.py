"""What is where in the picture of a session: judged by the events themselves, by the mix, and by what is drawn."""

import math
from collections.abc import Callable
from typing import Any

import matplotlib.colors
import numpy as np
import pytest
from failing import FAILING, FINE

from rtnb.formatting import AUDIO_COLOUR
from rtnb.notebook.layout import Layout, Span, runs
from rtnb.notebook.plots import UNHEARD_COLOUR, plot_timeline
from rtnb.notebook.timeline_view import visible
from rtnb.notebook.waveform import Axis, Wave
from rtnb.protocol.commands import append_audio
from rtnb.protocol.dialects import GA, PREVIEW, Dialect
from rtnb.protocol.events import LOCAL, RECEIVED, SENT, encode_base64
from rtnb.protocol.names import Kind
from rtnb.timeline.sound import mix
from rtnb.timeline.timeline import Timeline

RATE = 24_000
Make = Callable[..., Any]


def laid_out(timeline: Timeline) -> tuple[Layout, Axis]:
    """Return a layout, and the axis of the whole."""
    layout = Layout.of(timeline)
    return layout, Axis(*layout.whole, 1000)


def waves_of(timeline: Timeline) -> dict[str, Wave]:
    layout, axis = laid_out(timeline)
    return layout.waves(axis)


def shapes_of(ax: Any, colour: str) -> list[Any]:
    wanted = matplotlib.colors.to_rgb(colour)
    filled = [each for each in ax.collections if len(each.get_facecolor())]
    return [each for each in filled if tuple(each.get_facecolor()[0][:3]) == wanted]


def covered(wave: Wave) -> tuple[float, float]:
    return float(wave.t[0]), float(wave.t[-1] + wave.step)


@pytest.mark.parametrize("dialect", [GA, PREVIEW], ids=str)
def test_a_turn_is_laid_out_in_its_lanes(dialect: Dialect, one_turn: Make) -> None:
    """Each event of a turn is in its lane at its time, in both dialects."""
    layout, axis = laid_out(one_turn(dialect))
    assert layout.rows == 10
    ticks = layout.ticks(axis)
    np.testing.assert_allclose(ticks[SENT].t, [0.1])
    np.testing.assert_allclose(ticks[RECEIVED].t, [0.0, 0.2, 0.6])
    np.testing.assert_allclose(ticks["text"].t, (0.3, 0.31))
    assert ticks["text"].count.sum() == 2
    assert [label.lines for label in layout.text(axis, rows=3)] == [("Hello there!",)]
    assert layout.responses == [Span(0.2, 0.6, 2, "completed", "completed")]
    assert [label.lines for label in layout.statuses(axis)] == [("completed",)]


def test_names_stand_as_on_the_wire(one_turn: Make) -> None:
    """The names in the lanes are the wire's, not translated; deltas are not named."""
    layout, axis = laid_out(one_turn())
    names = layout.names(axis)
    assert [label.lines for label in names[SENT]] == [("response.create",)]
    named = " ".join(" ".join(label.lines) for label in names[RECEIVED])
    assert "session.created" in named
    assert "response.done" in named
    assert "delta" not in named


def test_audio_is_where_it_arrived_and_where_it_is_heard(one_turn: Make) -> None:
    """A second of audio that arrived in a fifth of one is drawn over both, at the height that it has."""
    layout, axis = laid_out(one_turn())
    waves = layout.waves(axis)
    assert covered(waves["arrived"]) == pytest.approx((0.4, 0.6), abs=2 * axis.step)
    assert covered(waves["heard"]) == pytest.approx((0.4, 1.4), abs=2 * axis.step)
    assert axis.end == pytest.approx(1.4)
    np.testing.assert_allclose(waves["heard"].peak, 10_000 / 32_768, rtol=1e-3)
    np.testing.assert_allclose(waves["heard"].high[~np.isnan(waves["heard"].high)], 10_000 / 32_768, rtol=1e-3)


def test_a_second_answer_is_heard_after_the_first(new_story: Make, level: Make) -> None:
    """An answer that arrives while another is being heard waits for its end, even if their deltas are mixed."""
    story = new_story()
    for place in range(4):
        story.spoke(0.1 * place, "resp_1", level(0.5, 20_000))
        story.spoke(0.1 * place + 0.05, "resp_2", level(0.5, 5_000))
    heard = waves_of(story.timeline)["heard"]
    first = heard.start + heard.step * np.flatnonzero(heard.high > 0.3)
    second = heard.start + heard.step * np.flatnonzero(heard.high < 0.3)
    assert (first.min(), first.max()) == pytest.approx((0.0, 2.0), abs=0.01)
    assert (second.min(), second.max()) == pytest.approx((2.0, 4.0), abs=0.01)


def test_audio_that_comes_late_leaves_a_gap(new_story: Make, level: Make) -> None:
    """Where the network was slower than the speech, the picture shows that nothing could be heard."""
    story = new_story()
    story.spoke(0.0, "resp_1", level(0.5))
    story.spoke(3.0, "resp_1", level(0.5))
    heard = waves_of(story.timeline)["heard"]
    assert not np.any((heard.t > 0.51) & (heard.t < 2.99))
    assert covered(heard)[1] == pytest.approx(3.5, abs=0.01)


def test_a_sample_split_between_two_deltas_is_one_sample(new_story: Make, level: Make) -> None:
    """An odd number of bytes in a delta does not turn the rest of the speech into noise."""
    data = level(1.0, 300).samples.tobytes()
    story = new_story()
    story.spoke(0.0, "resp_1", data[:10_001])
    story.spoke(0.1, "resp_1", data[10_001:])
    assert waves_of(story.timeline)["heard"].peak == pytest.approx(300 / 32_768, rel=1e-3)


def test_telephone_audio_is_decoded_as_such(new_story: Make) -> None:
    """A session that speaks mu-law is drawn at its own length and height."""
    story = new_story()
    output = {"output": {"format": {"type": "audio/pcmu"}}}
    story.received(0, Kind.SESSION_CREATED, session={"type": "realtime", "audio": output})
    story.spoke(0.0, "resp_1", b"\x80" * 8000)  # the greatest positive sample of mu-law
    assert laid_out(story.timeline)[1].end == pytest.approx(1.0)
    assert waves_of(story.timeline)["heard"].peak == pytest.approx(32_124 / 32_768, rel=1e-3)


def test_the_users_audio_is_where_it_was_sent(new_story: Make, level: Make) -> None:
    """Audio that was sent is a wave of its own, not a mark, and is not heard again."""
    story = new_story()
    for place in range(10):
        story.sent(0.1 * place, **_flat(append_audio(level(0.1).samples.tobytes())))
    layout, axis = laid_out(story.timeline)
    waves = layout.waves(axis)
    assert covered(waves["user"]) == pytest.approx((0.0, 1.0), abs=0.01)
    assert len(layout.ticks(axis)[SENT].t) == 0
    assert len(waves["heard"].t) == 0


def _flat(command: dict[str, object]) -> dict[str, object]:
    return {"kind": command["type"], **{key: value for key, value in command.items() if key != "type"}}


def test_errors_are_apart_and_shown(new_story: Make) -> None:
    """An error is not among the ordinary marks, and its words are shown as an error's."""
    story = new_story()
    story.received(0.0, Kind.SESSION_CREATED, session={"type": "realtime"})
    story.received(1.0, Kind.ERROR, error={"code": "bad", "message": "No such thing."})
    story.received(5.0, Kind.RATE_LIMITS, rate_limits=[])
    story.timeline.store.append(b"\xff not JSON", direction=RECEIVED, t=9.0)
    layout, axis = laid_out(story.timeline)
    ticks = layout.ticks(axis)[RECEIVED]
    np.testing.assert_allclose(ticks.t[ticks.failed], [1.0, 9.0])
    np.testing.assert_allclose(ticks.t[~ticks.failed], [0.0, 5.0])
    assert [(error.seq, error.start, error.end) for error in layout.errors] == [(1, 1.0, 1.0), (3, 9.0, 9.0)]
    told = [" ".join(label.lines) for label in layout.names(axis)[RECEIVED] if label.loud]
    assert told == ["bad No such thing.", layout.errors[1].label]


def test_the_lane_of_errors_has_every_failure() -> None:
    """By the same table as everywhere: as a span, as a mark and as a name that is not cut short."""
    timeline = Timeline()
    for place, raw in enumerate((*(raw for raw, _ in FAILING), *FINE)):
        timeline.store.append(raw, direction=RECEIVED, t=float(place))
    layout, axis = laid_out(timeline)
    assert [error.seq for error in layout.errors] == list(range(len(FAILING)))
    for error, (_, words) in zip(layout.errors, FAILING, strict=True):
        assert error.label.startswith(words)
    ticks = layout.ticks(axis)[RECEIVED]
    assert ticks.t[ticks.failed].tolist() == list(range(len(FAILING)))
    assert layout.row_at("errors", 1e9) == len(FAILING) - 1


def test_a_call_id_that_comes_again_is_another_call(new_story: Make) -> None:
    """Some models number the calls of each turn from zero; an output answers the newest."""
    story = new_story()
    for turn in (0.0, 2.0):
        call = {"type": "function_call", "call_id": "call_0", "name": "weather", "id": f"item_{turn}"}
        for later in (0.1, 0.2):
            story.received(turn + later, Kind.OUTPUT_ITEM_ADDED, item=call, response_id=f"resp_{turn}")
        story.sent(turn + 1, Kind.ITEM_CREATE, item={"type": "function_call_output", "call_id": "call_0"})
    layout, _ = laid_out(story.timeline)
    assert [(span.start, span.end, span.status) for span in layout.tools] == [
        (0.1, 1, "answered"),
        (2.1, 3, "answered"),
    ]


def test_a_note_of_our_own_is_neither_sent_nor_received(new_story: Make) -> None:
    """The close of the connection is marked as local."""
    story = new_story()
    story.received(0.0, Kind.SESSION_CREATED, session={"type": "realtime"})
    story.closed(2.0)
    layout, axis = laid_out(story.timeline)
    ticks = layout.ticks(axis)
    np.testing.assert_allclose(ticks[LOCAL].t, [2.0])
    np.testing.assert_allclose(ticks[RECEIVED].t, [0.0])


def test_a_response_without_an_end_is_in_progress(new_story: Make) -> None:
    """It ends with the session at the latest; one whose beginning is not selected begins where the selection does."""
    story = new_story()
    story.created(1.0, "resp_1")
    story.done(2.0, "resp_1")
    story.created(3.0, "resp_2")
    story.received(6.0, Kind.RATE_LIMITS, rate_limits=[])
    begun = Layout.of(story.timeline).responses[1]
    assert (begun.start, begun.status) == (3.0, "in_progress")
    assert math.isnan(begun.end)
    ended = Layout.of(story.timeline[1:]).responses[0]
    assert (ended.start, ended.end, ended.status) == (2.0, 2.0, "completed")
    story.closed(7.0)
    closed = Layout.of(story.timeline).responses[1]
    assert (closed.end, closed.label, closed.status) == (7.0, "incomplete", "incomplete")


def test_ten_thousand_events_are_few_marks(long_session: Make) -> None:
    """What is laid out stays as small as the picture, however long the timeline."""
    layout, axis = laid_out(long_session())
    assert layout.rows >= 10_000
    ticks = layout.ticks(axis)
    for lane in ("text", RECEIVED, SENT):
        assert len(ticks[lane].t) <= 1001
        assert len(runs(ticks[lane].t, 2 * axis.step)[0]) <= 500
    assert all(len(wave.low) == 1000 for wave in layout.waves(axis).values())
    assert sum(int(each.count.sum()) for each in ticks.values()) < layout.rows
    assert len(layout.text(axis, 3)) + len(layout.names(axis)[RECEIVED]) + len(layout.statuses(axis)) < 60


def test_nothing_is_lost_in_merging(long_session: Make) -> None:
    """The counts of the ticks add up to the events, so a merged picture is still of all of them."""
    timeline = long_session(500)
    layout, axis = laid_out(timeline)
    ticks, kinds = layout.ticks(axis), timeline["kind"]
    assert ticks["text"].count.sum() == (kinds == str(Kind.TRANSCRIPT_DELTA)).sum()
    assert ticks[SENT].count.sum() == (timeline["direction"] == SENT).sum()
    assert sum(each.count.sum() for each in ticks.values()) == (kinds != str(Kind.AUDIO_DELTA)).sum()


def test_a_selection_in_any_order_is_laid_out_by_time(one_turn: Make) -> None:
    """A selection turned around, or of a part, is drawn as time ran."""
    timeline = one_turn()
    (forward, axis), (backward, turned) = laid_out(timeline), laid_out(timeline[::-1])
    assert turned == axis
    np.testing.assert_allclose(backward.waves(axis)["heard"].low, forward.waves(axis)["heard"].low)
    np.testing.assert_allclose(backward.ticks(axis)[RECEIVED].t, forward.ticks(axis)[RECEIVED].t)
    assert backward.words(axis, 2) == forward.words(axis, 2)
    assert Layout.of(timeline[2:4]).whole[0] == pytest.approx(0.2)


def test_an_empty_timeline_has_an_axis() -> None:
    """Without events there is nothing in any lane, and still an axis of some length."""
    layout, axis = laid_out(Timeline())
    assert (layout.rows, *layout.whole) == (0, 0.0, 1.0)
    assert not layout.advance()
    assert not layout.text(axis, 2) + layout.words(axis, 2) + layout.statuses(axis)
    assert not layout.responses
    assert all(len(each.t) == 0 for each in [*layout.ticks(axis).values(), *layout.waves(axis).values()])


def test_a_session_is_shown_from_its_opening(new_story: Make) -> None:
    """A selection from its first row; so is a session whose times do not count from its opening."""
    story = new_story()
    story.created(0.3, "resp_1")
    story.done(2.0, "resp_1")
    assert Layout.of(story.timeline).whole == (0.0, 2.0)
    assert Layout.of(story.timeline[1:]).whole[0] == 2.0
    late = new_story()
    late.created(1000.0, "resp_1")
    assert Layout.of(late.timeline).whole[0] == 1000.0


def test_one_event_has_an_axis(one_turn: Make) -> None:
    """A single event, which lasts no time, is drawn at its time all the same."""
    layout, axis = laid_out(one_turn()[1:2])
    assert axis.end > axis.start
    assert math.isclose(layout.ticks(axis)[SENT].t[0], 0.1)


def test_hostile_frames_are_laid_out() -> None:
    """Frames of unforeseen shapes are marks like others; nothing raises."""
    timeline = Timeline()
    for place, raw in enumerate(
        (
            b'{"type":"response.done","response":7}',
            b'{"type":"response.created","response":{"id":5,"status":[]}}',
            b'{"type":"response.output_audio.delta","response_id":{},"delta":"!"}',
            b'{"type":"response.output_audio.delta","delta":""}',
            b'{"type":"response.output_text.delta","delta":{"a":1}}',
            b'{"type":"error","error":"flat"}',
            b"[]",
        )
    ):
        timeline.store.append(raw, direction=RECEIVED, t=float(place))
    layout, axis = laid_out(timeline)
    assert layout.rows == 7
    assert layout.names(axis)[RECEIVED]
    assert [span.status for span in layout.responses] == ["", "in_progress"]


def test_words_stand_where_they_are_said(new_story: Make, level: Make) -> None:
    """A word goes with the sound that comes after it; words that came after all sound have no known time."""
    story = new_story()
    for place, word in enumerate(("one ", "two ", "three ")):
        story.said(1.0 + place * 0.01, "resp_1", word)
        story.spoke(1.001 + place * 0.01, "resp_1", level(1.0))
    story.received(1.4, Kind.AUDIO_DELTA, response_id="resp_1", item_id="item_resp_1", delta="")
    story.said(1.5, "resp_1", "four")
    layout, axis = Layout.of(story.timeline), Axis(0.0, 5.0, 1000)
    found = [(round(label.t, 2), label.lines) for label in layout.words(axis, rows=2)]
    assert found == [(1.0, ("one",)), (2.0, ("two",)), (3.0, ("three",))]
    assert " ".join(line for label in layout.text(axis, rows=2) for line in label.lines) == "one two three four"


def test_words_that_were_not_heard_are_not_among_those_that_are_spoken(new_story: Make, level: Make) -> None:
    """They are still among the text that arrived."""
    story = new_story()
    for place, word in enumerate(("one ", "two ", "three ")):
        story.said(1.0 + place * 0.01, "resp_1", word)
        story.spoke(1.001 + place * 0.01, "resp_1", level(1.0))
    story.received(2.5, Kind.ITEM_TRUNCATED, item_id="item_resp_1", audio_end_ms=1500, content_index=0)
    layout, axis = Layout.of(story.timeline), Axis(0.0, 5.0, 1000)
    assert [label.lines for label in layout.words(axis, rows=2)] == [("one",), ("two",)]
    assert " ".join(line for label in layout.text(axis, rows=2) for line in label.lines) == "one two three"


def test_each_word_goes_with_the_sound_of_its_own_item(new_story: Make, level: Make) -> None:
    """Also where the deltas of two responses are mixed."""
    story = new_story()
    story.said(1.0, "resp_1", "first")
    story.said(1.01, "resp_2", "second")
    story.spoke(1.02, "resp_2", level(1.0))
    story.spoke(1.03, "resp_1", level(1.0))
    found = Layout.of(story.timeline).words(Axis(0.0, 5.0, 1000), rows=2)
    assert [(round(label.t, 2), label.lines) for label in found] == [(1.02, ("second",)), (2.02, ("first",))]


def test_responses_speech_tools_and_errors_are_spans(new_story: Make) -> None:
    """With the rows they began with; what has not ended has no end, until the session is closed."""
    story = new_story()
    story.received(0.5, Kind.SPEECH_STARTED, audio_start_ms=0)
    story.received(0.9, Kind.SPEECH_STOPPED, audio_end_ms=400)
    story.created(1.0, "resp_1")
    call = {"type": "function_call", "call_id": "call_1", "name": "weather"}
    story.received(1.1, Kind.OUTPUT_ITEM_ADDED, item=call, response_id="resp_1")
    story.done(1.5, "resp_1", "failed")
    story.sent(1.8, Kind.ITEM_CREATE, item={"type": "function_call_output", "call_id": "call_1", "output": "rain"})
    story.received(2.0, Kind.ERROR, error={"message": "no\nway"})
    story.created(2.5, "resp_2")
    layout = Layout(story.timeline)
    layout.advance()
    assert layout.speech == [Span(0.5, 0.9, 0, "speech", "speech")]
    assert layout.responses[0] == Span(1.0, 1.5, 2, "failed", "failed")
    assert layout.tools == [Span(1.1, 1.8, 3, "weather", "answered")]
    failed = Span(1.5, 1.5, 4, "the response failed; the service did not say why", "error")
    assert layout.errors == [failed, Span(2.0, 2.0, 6, "no way", "error")]
    begun = layout.responses[1]
    assert (begun.start, begun.seq, begun.label, begun.status) == (2.5, 7, "in progress", "in_progress")
    assert math.isnan(begun.end)
    story.closed(2.8)
    layout.advance()
    assert layout.responses[1].end == 2.8


def test_calls_that_are_none_are_no_spans(new_story: Make) -> None:
    """Damaged items, an output without its call, speech that ends without having begun; a call is one span however often it is named."""
    story = new_story()
    story.received(0.0, Kind.SPEECH_STOPPED, audio_end_ms=400)
    for item in (
        {"type": "function_call", "call_id": 7},
        {"type": "message"},
        {"call_id": "lost", "type": "function_call_output"},
    ):
        story.received(0.1, Kind.OUTPUT_ITEM_DONE, item=item, response_id="resp_1")
    for kind in (Kind.OUTPUT_ITEM_ADDED, Kind.OUTPUT_ITEM_DONE):
        call = {"type": "function_call", "call_id": "call_1", "name": "weather"}
        story.received(0.2, kind, item=call, response_id="resp_1")
    layout = Layout.of(story.timeline)
    assert layout.speech == []
    assert [span.label for span in layout.tools] == ["weather"]


def test_text_that_cannot_be_read_is_left_out(new_story: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where more deltas are in sight than can be read, there are no labels; a closer look has them."""
    monkeypatch.setattr("rtnb.notebook.layout._MOST_TEXTS", 3)
    story = new_story()
    for place in range(5):
        story.said(float(place), "resp_1", f"word{place} ")
    layout = Layout.of(story.timeline)
    assert layout.text(Axis(0.0, 4.0, 100), rows=2) == ()
    assert layout.text(Axis(0.0, 2.0, 100), rows=2)[0].lines == ("word0",)


def test_growing_row_by_row_is_the_same_as_all_at_once(long_session: Make) -> None:
    """The layout of a live session ends up like that of a recording."""
    whole = long_session(600)
    grown = Timeline(title=whole.title)
    layout = Layout(grown)
    for event in whole:
        grown.store.append(event.raw, direction=event.direction, t=event.t)
        if event.seq % 11 == 0:
            layout.advance()
    layout.advance()
    other = Layout.of(whole)
    assert layout.whole == other.whole
    for axis in (Axis(0.0, 60.0, 400), Axis(3.0, 4.0, 400)):
        assert visible(layout, axis) == visible(other, axis)
        assert layout.names(axis) == other.names(axis)


def test_a_click_finds_the_row_under_it(one_turn: Make) -> None:
    """In lanes of ticks the nearest, in lanes of sound the piece that sounds then, in an empty lane nothing."""
    layout = Layout.of(one_turn())
    assert layout.row_at("sent", 0.5) == 1
    assert layout.row_at("received", 0.22) == 2
    assert layout.row_at("text", 0.4) == 4
    assert layout.row_at("arrived", 0.46) == 6
    assert layout.row_at("heard", 0.4 + 0.6) == 7
    assert layout.row_at("heard", 0.0) == 5
    assert layout.row_at("user", 0.5) is None
    assert layout.row_at("errors", 0.5) is None
    assert layout.row_at("local", 0.5) is None


def test_times_that_are_none_are_drawn_without_complaint(new_story: Make, level: Make) -> None:
    """A damaged recording has a layout, too; so has one whose rows are not in the order of time."""
    story = new_story()
    story.created(math.nan, "resp_1")
    assert Layout.of(story.timeline).whole == (0.0, 1.0)
    story.spoke(math.nan, "resp_1", level(0.2))
    story.said(math.nan, "resp_1", "word")
    story.spoke(0.5, "resp_1", level(0.2))
    story.sent(0.2, Kind.RESPONSE_CREATE)
    for layout in (Layout.of(story.timeline), Layout(story.timeline)):
        layout.advance()
        axis = Axis(*layout.whole, 100)
        assert layout.whole[1] >= 0.7
        assert layout.responses == []
        np.testing.assert_allclose(layout.ticks(axis)[SENT].t, [0.2])
        assert not layout.text(axis, rows=2)
        assert layout.row_at("text", 0.3) is None


@pytest.fixture
def interrupted(new_story: Make, level: Make) -> Timeline:
    """An answer that is cut off at 1.1 s by the user's speech, and the next one, which is cut by a deletion."""
    story = new_story()
    for place in range(20):
        story.sent(0.2 + place * 0.04, Kind.INPUT_APPEND, audio=encode_base64(level(0.04).samples.tobytes()))
    for place in range(8):
        story.spoke(2.0 + place * 0.01, "resp_1", level(0.25))
    story.received(2.1, Kind.RESPONSE_CREATED, response={"id": "aside", "conversation_id": None})
    story.spoke(2.2, "aside", level(0.5))
    for place in range(10):
        story.sent(2.9 + place * 0.04, Kind.INPUT_APPEND, audio=encode_base64(level(0.04).samples.tobytes()))
    story.received(3.2, Kind.ITEM_TRUNCATED, item_id="item_resp_1", audio_end_ms=1100, content_index=0)
    for place in range(4):
        story.spoke(3.5 + place * 0.01, "resp_2", level(0.25))
    story.received(4.1, Kind.ITEM_DELETED, item_id="item_resp_2")
    story.spoke(4.3, "resp_3", level(0.25))
    return story.timeline  # type: ignore[no-any-return]


EXPECTED = {
    "user": [(0.2, 1.0), (2.9, 3.3)],
    "heard": [(2.0, 3.1), (3.5, 4.1), (4.3, 4.55)],
    "unheard": [(3.1, 3.5), (4.1, 4.3)],
}
STEP = 0.005


def spans_of(sounding: Any, start: float, step: float) -> list[tuple[float, float]]:
    """Return from when to when there is sound, given for each step whether there is."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], sounding, [False])).astype(int)))
    return [(start + first * step, start + last * step) for first, last in edges.reshape(-1, 2)]


def the_same(found: list[tuple[float, float]], expected: list[tuple[float, float]], step: float) -> bool:
    return len(found) == len(expected) and bool(np.abs(np.array(found) - np.array(expected)).max() <= 1.5 * step)


def test_the_mix_of_an_interrupted_session_sounds_as_far_as_it_was_heard(interrupted: Timeline) -> None:
    """What was cut off is silent, the next answer begins at its own time, what is outside the conversation is left out."""
    talk = mix(interrupted)
    for clip, lane in ((talk.left, "user"), (talk.right, "heard")):
        assert the_same(spans_of(clip.samples != 0, 0.0, 1 / RATE), EXPECTED[lane], STEP)


def test_the_plot_of_an_interrupted_session_shows_as_heard_what_the_mix_has(interrupted: Timeline) -> None:
    """What was cut off is drawn in grey, where it would have sounded, up to the next answer."""
    ax = plot_timeline(interrupted)
    (_, upper) = ax.get_xlim()
    shapes = {"heard": shapes_of(ax, AUDIO_COLOUR)[-1], "unheard": shapes_of(ax, UNHEARD_COLOUR)[0]}
    for lane, shape in shapes.items():
        found = sorted(
            (float(path.vertices[:, 0].min()), float(path.vertices[:, 0].max())) for path in shape.get_paths()
        )
        assert the_same(found, EXPECTED[lane], upper / 500)


def test_a_timeline_view_of_an_interrupted_session_shows_as_heard_what_the_mix_has(interrupted: Timeline) -> None:
    """What a browser is sent has the same spans, of the user, of what is heard and of what was cut off."""
    axis = Axis(0.0, 5.0, 1000)
    waves = visible(Layout.of(interrupted), axis)["waves"]
    for lane, expected in EXPECTED.items():
        low, high = np.frombuffer(waves[lane], np.int8).reshape(2, -1)
        assert the_same(spans_of(low <= high, 0.0, axis.step), expected, axis.step)


def test_what_arrived_is_shown_whether_it_was_heard_or_not(interrupted: Timeline) -> None:
    """Also that of a response outside the conversation, and after a cut."""
    arrived = Layout.of(interrupted).waves(Axis(0.0, 5.0, 1000))["arrived"]
    found = spans_of(~np.isnan(arrived.low), 0.0, arrived.step)
    assert [round(float(start), 1) for start, _ in found] == [2.0, 3.5, 4.3]
    assert found[0][1] > 2.2
