import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from rtnb.notebook.lanes import lay_out
from rtnb.protocol.commands import append_audio
from rtnb.protocol.dialects import GA, PREVIEW, Dialect
from rtnb.protocol.events import LOCAL, RECEIVED, SENT
from rtnb.protocol.names import Kind
from rtnb.timeline.timeline import Timeline

Make = Callable[..., Any]


def covered(wave: object) -> tuple[float, float]:
    return float(wave.t[0]), float(wave.t[-1] + wave.step)


@pytest.mark.parametrize("dialect", [GA, PREVIEW], ids=str)
def test_a_turn_is_laid_out_in_its_lanes(dialect: Dialect, one_turn: Make) -> None:
    """Each event of a turn is in its lane at its time, in both dialects."""
    lanes = lay_out(one_turn(dialect))
    assert lanes.events == 10
    np.testing.assert_allclose(lanes.marks[SENT].start, [0.1])
    np.testing.assert_allclose(lanes.marks[RECEIVED].start, [0.0, 0.2, 0.6])
    np.testing.assert_allclose((lanes.text.start[0], lanes.text.end[-1]), (0.3, 0.31))
    assert lanes.text.count.sum() == 2
    assert [label.lines for label in lanes.words] == [("Hello there!",)]
    assert [(span.response_id, span.status) for span in lanes.responses] == [("resp_1", "completed")]
    np.testing.assert_allclose([(span.start, span.end) for span in lanes.responses], [(0.2, 0.6)])
    assert [label.lines for label in lanes.statuses] == [("completed",)]


def test_names_stand_as_on_the_wire(one_turn: Make) -> None:
    """The names in the lanes are the wire's, not translated; deltas are not named."""
    lanes = lay_out(one_turn())
    assert [label.lines for label in lanes.names[SENT]] == [("response.create",)]
    named = " ".join(" ".join(label.lines) for label in lanes.names[RECEIVED])
    assert "session.created" in named
    assert "response.done" in named
    assert "delta" not in named


def test_audio_is_where_it_arrived_and_where_it_is_heard(one_turn: Make) -> None:
    """A second of audio that arrived in a fifth of one is drawn over both, at the height that it has."""
    lanes = lay_out(one_turn())
    arrived, heard = covered(lanes.arrived), covered(lanes.heard)
    assert arrived == pytest.approx((0.4, 0.6), abs=2 * lanes.step)
    assert heard == pytest.approx((0.4, 1.4), abs=2 * lanes.step)
    assert lanes.end == pytest.approx(1.4)
    np.testing.assert_allclose(lanes.heard.high, 10_000 / 32_768, rtol=1e-3)


def test_a_second_answer_is_heard_after_the_first(new_story: Make, level: Make) -> None:
    """An answer that arrives while another is being heard waits for its end, even if their deltas are mixed."""
    story = new_story()
    for place in range(4):
        story.spoke(0.1 * place, "resp_1", level(0.5, 20_000))
        story.spoke(0.1 * place + 0.05, "resp_2", level(0.5, 5_000))
    heard = lay_out(story.timeline).heard
    first = heard.t[heard.high > 0.3]
    second = heard.t[heard.high < 0.3]
    assert (first.min(), first.max()) == pytest.approx((0.0, 2.0), abs=0.01)
    assert (second.min(), second.max()) == pytest.approx((2.0, 4.0), abs=0.01)


def test_audio_that_comes_late_leaves_a_gap(new_story: Make, level: Make) -> None:
    """Where the network was slower than the speech, the picture shows that nothing could be heard."""
    story = new_story()
    story.spoke(0.0, "resp_1", level(0.5))
    story.spoke(3.0, "resp_1", level(0.5))
    heard = lay_out(story.timeline).heard
    assert not np.any((heard.t > 0.51) & (heard.t < 2.99))
    assert covered(heard)[1] == pytest.approx(3.5, abs=0.01)


def test_a_sample_split_between_two_deltas_is_one_sample(new_story: Make, level: Make) -> None:
    """An odd number of bytes in a delta does not turn the rest of the speech into noise."""
    data = level(1.0, 300).samples.tobytes()
    story = new_story()
    story.spoke(0.0, "resp_1", data[:10_001])
    story.spoke(0.1, "resp_1", data[10_001:])
    assert lay_out(story.timeline).heard.peak == pytest.approx(300 / 32_768, rel=1e-3)


def test_telephone_audio_is_decoded_as_such(new_story: Make) -> None:
    """A session that speaks mu-law is drawn at its own length and height."""
    story = new_story()
    output = {"output": {"format": {"type": "audio/pcmu"}}}
    story.received(0, Kind.SESSION_CREATED, session={"type": "realtime", "audio": output})
    story.spoke(0.0, "resp_1", b"\x80" * 8000)  # the greatest positive sample of mu-law
    lanes = lay_out(story.timeline)
    assert lanes.end == pytest.approx(1.0)
    assert lanes.heard.peak == pytest.approx(32_124 / 32_768, rel=1e-3)


def test_the_users_audio_is_where_it_was_sent(new_story: Make, level: Make) -> None:
    """Audio that was sent is a wave of its own, not a mark, and is not heard again."""
    story = new_story()
    for place in range(10):
        story.sent(0.1 * place, **_flat(append_audio(level(0.1).samples.tobytes())))
    lanes = lay_out(story.timeline)
    assert covered(lanes.appended) == pytest.approx((0.0, 1.0), abs=0.01)
    assert len(lanes.marks[SENT].start) == 0
    assert len(lanes.heard.t) == 0


def _flat(command: dict[str, object]) -> dict[str, object]:
    return {"kind": command["type"], **{key: value for key, value in command.items() if key != "type"}}


def test_errors_are_apart_and_told(new_story: Make) -> None:
    """An error is not among the ordinary marks, and its words are shown as an error's."""
    story = new_story()
    story.received(0.0, Kind.SESSION_CREATED, session={"type": "realtime"})
    story.received(1.0, Kind.ERROR, error={"code": "bad", "message": "No such thing."})
    story.received(5.0, Kind.RATE_LIMITS, rate_limits=[])
    story.timeline.store.append(b"\xff not JSON", direction=RECEIVED, t=9.0)
    lanes = lay_out(story.timeline)
    np.testing.assert_allclose(lanes.errors[RECEIVED].start, [1.0, 9.0])
    np.testing.assert_allclose(lanes.marks[RECEIVED].start, [0.0, 5.0])
    assert next(" ".join(label.lines) for label in lanes.names[RECEIVED] if label.loud) == "bad No such thing."


def test_a_note_of_our_own_is_neither_sent_nor_received(new_story: Make) -> None:
    """The close of the connection is marked as local."""
    story = new_story()
    story.received(0.0, Kind.SESSION_CREATED, session={"type": "realtime"})
    story.closed(2.0)
    lanes = lay_out(story.timeline)
    np.testing.assert_allclose(lanes.marks[LOCAL].start, [2.0])
    np.testing.assert_allclose(lanes.marks[RECEIVED].start, [0.0])


def test_a_response_without_an_end_lasts_to_the_edge(new_story: Make) -> None:
    """A response in progress is drawn to the end of the axis; one whose beginning is not selected, from its start."""
    story = new_story()
    story.created(1.0, "resp_1")
    story.done(2.0, "resp_1")
    story.created(3.0, "resp_2")
    story.received(6.0, Kind.RATE_LIMITS, rate_limits=[])
    begun = lay_out(story.timeline).responses[1]
    assert (begun.start, begun.end, begun.status) == (3.0, 6.0, "in_progress")
    ended = lay_out(story.timeline[1:]).responses[0]
    assert (ended.start, ended.end, ended.status) == (2.0, 2.0, "completed")


def test_ten_thousand_events_are_few_marks(long_session: Make) -> None:
    """What is laid out stays as small as the picture, however long the timeline."""
    lanes = lay_out(long_session(), pixels=1000)
    assert lanes.events >= 10_000
    for runs in (lanes.text, lanes.marks[RECEIVED], lanes.marks[SENT]):
        assert len(runs.start) <= 500
    assert max(len(lanes.heard.t), len(lanes.arrived.t)) <= 1001
    assert lanes.text.count.sum() + lanes.marks[RECEIVED].count.sum() + lanes.marks[SENT].count.sum() < lanes.events
    assert len(lanes.words) + len(lanes.names[RECEIVED]) + len(lanes.statuses) < 60


def test_nothing_is_lost_in_merging(long_session: Make) -> None:
    """The counts of the runs add up to the events, so a merged picture is still of all of them."""
    timeline = long_session(500)
    lanes = lay_out(timeline)
    kinds = timeline["kind"]
    assert lanes.text.count.sum() == (kinds == str(Kind.TRANSCRIPT_DELTA)).sum()
    assert lanes.marks[SENT].count.sum() == (timeline["direction"] == SENT).sum()


def test_a_selection_in_any_order_is_laid_out_by_time(one_turn: Make) -> None:
    """A selection turned around, or of a part, is drawn as time ran."""
    timeline = one_turn()
    forward, backward = lay_out(timeline), lay_out(timeline[::-1])
    np.testing.assert_allclose(backward.heard.t, forward.heard.t)
    np.testing.assert_allclose(backward.marks[RECEIVED].start, forward.marks[RECEIVED].start)
    assert lay_out(timeline[2:4]).start == pytest.approx(0.2)


def test_an_empty_timeline_has_an_axis() -> None:
    """Without events there is nothing in any lane, and still an axis of some length."""
    lanes = lay_out(Timeline())
    assert (lanes.events, lanes.start, lanes.end) == (0, 0.0, 1.0)
    assert not lanes.words
    assert not lanes.responses


def test_one_event_has_an_axis(one_turn: Make) -> None:
    """A single event, which lasts no time, is drawn at its time all the same."""
    lanes = lay_out(one_turn()[1:2])
    assert lanes.end > lanes.start
    assert math.isclose(lanes.marks[SENT].start[0], 0.1)


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
    assert lay_out(timeline).events == 7
