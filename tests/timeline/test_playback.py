"""When audio sounds, judged by rows whose times and lengths are known."""

from __future__ import annotations

import base64
import json
import math

import numpy as np
import pytest

from rtnb.protocol.names import Kind
from rtnb.timeline import Timeline
from rtnb.timeline.playback import AudioPlayback, PlaybackTimes, playback_starts, whole_samples


def array(*values: float) -> np.ndarray:
    return np.array(values, np.float64)


def add(timeline: Timeline, t: float, type: str, **fields: object) -> None:
    timeline.store.append(json.dumps({"type": type, **fields}).encode(), direction="received", t=t)


def answer(timeline: Timeline, t: float, seconds: float, response: str = "r", item: str | None = None) -> None:
    delta = base64.b64encode(bytes(2 * round(seconds * 24_000))).decode()
    add(timeline, t, Kind.AUDIO_DELTA, response_id=response, item_id=item or f"item_{response}", delta=delta)


def truncated(timeline: Timeline, t: float, item: str, ms: object) -> None:
    add(timeline, t, Kind.ITEM_TRUNCATED, item_id=item, content_index=0, audio_end_ms=ms)


def played(timeline: Timeline, kind: str = Kind.AUDIO_DELTA) -> PlaybackTimes:
    playback = AudioPlayback(kind)
    playback.extend(timeline[:])
    return playback.times()


def test_sound_is_heard_without_gaps() -> None:
    """What arrives faster than it plays is heard gapless from the first arrival on."""
    np.testing.assert_allclose(playback_starts(array(1.0, 1.1, 1.2), array(0.5, 0.5, 0.5)), [1.0, 1.5, 2.0])


def test_sound_is_not_heard_before_it_arrives() -> None:
    """A piece that comes late is heard when it comes, and what follows it is moved along."""
    np.testing.assert_allclose(playback_starts(array(0, 2.0, 2.1), array(0.5, 0.5, 0.5)), [0, 2.0, 2.5])


def test_an_answer_waits_for_the_one_before() -> None:
    """A second response that arrives while the first is still heard begins where the first one ends."""
    np.testing.assert_allclose(playback_starts(array(0, 0.1, 1.0), array(2.0, 2.0, 1.0)), [0, 2.0, 4.0])


def test_responses_sound_one_after_the_other_even_if_their_deltas_are_mixed() -> None:
    """A player queues responses; times come in the order of the rows."""
    timeline = Timeline()
    for place in range(2):
        answer(timeline, place / 10, 0.5, "r1")
        answer(timeline, place / 10 + 0.05, 0.5, "r2")
    times = played(timeline)
    np.testing.assert_allclose(times.start, [0, 1.0, 0.5, 1.5])
    assert times.order.tolist() == [0, 2, 1, 3]
    assert times.end == pytest.approx(2.0)


def test_a_truncated_item_sounds_as_far_as_it_was_heard_and_the_next_answer_does_not_wait_for_the_rest() -> None:
    """What was cut off is placed where it would have sounded, however many rows it is."""
    timeline = Timeline()
    for place in range(4):
        answer(timeline, place / 10, 1.0, "r1")
    truncated(timeline, 1.6, "item_r1", 1500)
    answer(timeline, 1.8, 0.5, "r2")
    times = played(timeline)
    np.testing.assert_allclose(times.heard, [1.0, 0.5, 0, 0, 0.5])
    np.testing.assert_allclose(times.unheard, [0, 0.5, 1.0, 1.0, 0])
    np.testing.assert_allclose(times.start, [0, 1.0, 2.0, 3.0, 1.8])
    assert times.end == pytest.approx(2.3)


def test_audio_that_still_arrives_after_the_cut_delays_nothing() -> None:
    """The rest of an answer may come when the next one is under way: that one sounds when it arrives."""
    timeline = Timeline()
    answer(timeline, 0.0, 1.0, "r1")
    truncated(timeline, 0.5, "item_r1", 500)
    answer(timeline, 0.6, 0.5, "r2")
    answer(timeline, 3.0, 1.0, "r1")
    times = played(timeline)
    np.testing.assert_allclose(times.heard, [0.5, 0.5, 0])
    np.testing.assert_allclose(times.start, [0, 0.6, 3.0])


def test_an_answer_of_which_nothing_was_heard_would_have_followed_the_one_before() -> None:
    """It waited for its turn when it was truncated."""
    timeline = Timeline()
    answer(timeline, 0.0, 2.0, "r1")
    answer(timeline, 0.1, 1.0, "r2")
    answer(timeline, 0.2, 1.0, "r2")
    truncated(timeline, 0.9, "item_r2", 0)
    times = played(timeline)
    np.testing.assert_allclose(times.start, [0, 2.0, 3.0])
    assert times.order.tolist() == [0]


@pytest.mark.parametrize("ms", [True, None, "100", math.nan, [1]])
def test_a_truncation_that_says_nothing_cuts_nothing(ms: object) -> None:
    """A damaged event leaves the audio whole; so does one that names no item."""
    timeline = Timeline()
    answer(timeline, 0.0, 1.0)
    truncated(timeline, 0.5, "item_r", ms)
    add(timeline, 0.5, Kind.ITEM_TRUNCATED, audio_end_ms=0)
    np.testing.assert_allclose(played(timeline).heard, [1.0])


def test_a_deleted_item_sounds_until_then() -> None:
    """Each cut is seen by those that follow; a deletion after the sound has ended changes nothing."""
    timeline = Timeline()
    answer(timeline, 0.0, 1.0, "r1")
    answer(timeline, 0.0, 1.0, "r2")
    answer(timeline, 0.0, 1.0, "r3")
    add(timeline, 0.5, Kind.ITEM_DELETED, item_id="item_r1")
    add(timeline, 0.75, Kind.ITEM_DELETED, item_id="item_r2")
    add(timeline, 5.0, Kind.ITEM_DELETED, item_id="item_r3")
    times = played(timeline)
    np.testing.assert_allclose(times.heard, [0.5, 0.25, 1.0])
    np.testing.assert_allclose(times.start, [0, 0.5, 0.75])


def test_responses_outside_the_conversation_are_not_played() -> None:
    """Neither heard nor cut off; the others sound as if they were not there."""
    timeline = Timeline()
    add(timeline, 0.0, Kind.RESPONSE_CREATED, response={"id": "aside", "conversation_id": None})
    answer(timeline, 0.0, 1.0, "aside")
    answer(timeline, 0.1, 1.0, "r")
    times = played(timeline)
    np.testing.assert_allclose(times.heard, [0, 1.0])
    np.testing.assert_allclose(times.unheard, [0, 0])
    assert times.start[1] == pytest.approx(0.1)


def test_the_users_audio_is_cut_by_no_truncation() -> None:
    """Its item is made only when it is committed."""
    timeline = Timeline()
    audio = base64.b64encode(bytes(48_000)).decode()
    timeline.store.append(json.dumps({"type": Kind.INPUT_APPEND, "audio": audio}).encode(), direction="sent", t=1.0)
    truncated(timeline, 1.1, "", 0)
    times = played(timeline, Kind.INPUT_APPEND)
    assert (times.start.tolist(), times.heard.tolist()) == ([1.0], [1.0])


def test_taken_in_piece_by_piece_it_is_the_same() -> None:
    """A timeline that grows ends up with the times of one that is complete."""
    timeline, playback, done = Timeline(), AudioPlayback(Kind.AUDIO_DELTA), 0
    for place in range(6):
        answer(timeline, place / 10, 0.5, f"r{place // 3}")
        if place == 2:
            truncated(timeline, 0.25, "item_r0", 700)
        playback.extend(timeline[done:])
        done = len(timeline)
    grown, whole = playback.times(), played(timeline)
    for name in PlaybackTimes.__slots__:
        np.testing.assert_array_equal(getattr(grown, name), getattr(whole, name))


def test_no_audio_has_no_end() -> None:
    """Nothing sounds in an empty timeline, and times that are none are no obstacle."""
    assert played(Timeline()).end == -math.inf
    timeline = Timeline()
    answer(timeline, math.nan, 0.5)
    answer(timeline, 1.0, 0.5)
    np.testing.assert_allclose(played(timeline).start, [0, 1.0])


def test_half_a_sample_waits_for_the_rest_of_its_item() -> None:
    """Also where a row of another item comes between; what is left over stays for the next call."""
    spare: dict[int, bytes] = {}
    assert whole_samples([b"abc", b"xy", b"def"], [1, 2, 1], 2, spare) == ([b"ab", b"xy", b"cdef"], [b"", b"", b"c"])
    assert whole_samples([b"x"], [1], 2, spare) == ([b""], [b""])
    assert whole_samples([b"12", b"y"], [2, 1], 2, spare) == ([b"12", b"xy"], [b"", b"x"])
