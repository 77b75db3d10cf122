"""Both sides of a talk are placed on the session's clock."""

from __future__ import annotations

import base64
import json

import numpy as np
import numpy.typing as npt

from rtnb.timeline import Timeline
from rtnb.timeline.sound import mix


def pcm(value: int, seconds: float) -> bytes:
    return np.full(round(seconds * 24_000), value, "<i2").tobytes()


def answer(timeline: Timeline, t: float, data: bytes, item: str = "item_1") -> None:
    frame = {"type": "response.output_audio.delta", "response_id": "r", "item_id": item}
    timeline.store.append(
        json.dumps({**frame, "delta": base64.b64encode(data).decode()}).encode(), direction="received", t=t
    )


def speak(timeline: Timeline, t: float, data: bytes) -> None:
    frame = {"type": "input_audio_buffer.append", "audio": base64.b64encode(data).decode()}
    timeline.store.append(json.dumps(frame).encode(), direction="sent", t=t)


def at(samples: npt.NDArray[np.int16], seconds: float) -> int:
    return int(samples[round(seconds * 24_000)])


def test_user_left_assistant_right_on_one_clock() -> None:
    """Sound stands where it was sent or heard; what arrives early waits for its turn, and gaps are silence."""
    timeline = Timeline()
    speak(timeline, 1.0, pcm(11, 0.5))
    answer(timeline, 2.0, pcm(21, 0.5))
    answer(timeline, 2.1, pcm(22, 0.5))
    answer(timeline, 4.0, pcm(23, 0.5), "item_2")
    both = mix(timeline)
    assert [at(both.left.samples, t) for t in (0.5, 1.25)] == [0, 11]
    assert [at(both.right.samples, t) for t in (1.9, 2.25, 2.75, 3.5, 4.25)] == [0, 21, 22, 0, 23]
    assert both.right.duration == 4.5


def test_a_truncated_item_sounds_as_far_as_it_was_heard() -> None:
    """What a truncation cut off is silent, and the next answer follows at its own time."""
    timeline = Timeline()
    answer(timeline, 0.0, pcm(1, 1.0))
    answer(timeline, 0.1, pcm(2, 1.0))
    cut = {"type": "conversation.item.truncated", "item_id": "item_1", "content_index": 0, "audio_end_ms": 1200}
    timeline.store.append(json.dumps(cut).encode(), direction="received", t=1.2)
    answer(timeline, 2.0, pcm(3, 0.5), "item_2")
    right = mix(timeline).right.samples
    assert [at(right, t) for t in (0.9, 1.1, 1.3, 2.2)] == [1, 2, 0, 3]


def test_a_session_without_sound_mixes_to_nothing() -> None:
    """No audio, no samples."""
    both = mix(Timeline())
    assert (both.duration, both.rate) == (0.0, 24_000)


def test_other_rates() -> None:
    """The result has the rate that was asked for, each stream resampled as a whole."""
    timeline = Timeline()
    answer(timeline, 0.0, pcm(1000, 0.25))
    answer(timeline, 0.0, pcm(1000, 0.25))
    right = mix(timeline, 8000).right
    assert (right.rate, right.duration) == (8000, 0.5)
    middle = right.samples[400:-400].astype(int)
    assert np.abs(middle - 1000).max() <= 2


def event(timeline: Timeline, t: float, type: str, **fields: object) -> None:
    timeline.store.append(json.dumps({"type": type, **fields}).encode(), direction="received", t=t)


def test_a_deleted_item_sounds_until_it_was_deleted() -> None:
    """One of which nothing was heard does not sound at all, and what follows does not wait for it."""
    timeline = Timeline()
    answer(timeline, 0.0, pcm(1, 1.0))
    event(timeline, 0.0, "conversation.item.deleted", item_id="item_1")
    answer(timeline, 0.5, pcm(2, 1.0), "item_2")
    event(timeline, 0.75, "conversation.item.deleted", item_id="item_2")
    answer(timeline, 1.0, pcm(3, 0.5), "item_3")
    right = mix(timeline).right.samples
    assert [at(right, t) for t in (0.25, 0.7, 0.8, 1.2)] == [0, 2, 0, 3]


def test_answers_beside_the_conversation_are_no_part_of_the_talk() -> None:
    """They would sound between the pieces of the other."""
    timeline = Timeline()
    event(timeline, 0.0, "response.created", response={"id": "r", "conversation_id": "conv_1"})
    event(timeline, 0.0, "response.created", response={"id": "aside", "conversation_id": None})
    for n in range(3):
        answer(timeline, 0.0, pcm(1, 0.1))
        frame = {"type": "response.output_audio.delta", "response_id": "aside", "item_id": "item_b"}
        delta = base64.b64encode(pcm(2, 0.1)).decode()
        timeline.store.append(json.dumps({**frame, "delta": delta}).encode(), direction="received", t=n / 100)
    assert set(mix(timeline).right.samples[:-10]) == {1}


def test_a_format_that_changes_in_the_middle() -> None:
    """Each piece is read as what it is, though no gap is between them."""
    timeline = Timeline()
    answer(timeline, 0.0, pcm(1000, 0.5))
    event(timeline, 0.0, "session.updated", session={"output_audio_format": "g711_ulaw"})
    answer(timeline, 0.0, b"\xff" * 4000)
    right = mix(timeline).right
    assert right.duration == 1.0
    assert (at(right.samples, 0.25), at(right.samples, 0.75)) == (1000, 0)


def test_a_sample_that_is_split_between_two_deltas_is_whole() -> None:
    """However the bytes are cut, and also where the second one comes late, the mix is the same."""
    data = np.arange(-3000, 3000, dtype="<i2").tobytes()
    for late in (0.0, 1.0):
        timeline = Timeline()
        answer(timeline, 0.0, data[:2401])
        answer(timeline, late, data[2401:])
        right = mix(timeline).right.samples
        assert right[right != 0].tolist() == [value for value in range(-3000, 3000) if value]


def test_a_part_of_a_session_is_mixed_on_the_sessions_clock() -> None:
    """A selection sounds where it does in the whole."""
    timeline = Timeline()
    answer(timeline, 0.0, pcm(1, 0.5))
    answer(timeline, 2.0, pcm(2, 0.5), "item_2")
    right = mix(timeline[1:]).right.samples
    assert (at(right, 0.2), at(right, 2.2)) == (0, 2)
