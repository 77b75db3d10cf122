"""Runs of deltas fold into one row for each kind and item, and unfold by seq."""

from __future__ import annotations

import math
from collections.abc import Callable

from rtnb.timeline import Timeline, fold

Build = Callable[..., bytes]


def add(timeline: Timeline, *frames: bytes, direction: str = "received") -> None:
    for raw in frames:
        timeline.store.append(raw, direction=direction, t=float(len(timeline)))


def test_interleaved_deltas_fold_per_kind(turn: Timeline) -> None:
    """Words and sound of one item that come interleaved are two rows, with the words joined and the sound summed."""
    folds = fold(turn)
    assert [each.seqs for each in folds] == [(0,), (1,), (2,), (3,), (4, 6), (5, 7), (8,), (9,)]
    words, sound = folds[4], folds[5]
    assert (words.count, words.text, words.t, words.until) == (2, "How are you?", 2.0, 3.0)
    assert math.isnan(words.audio_ms)
    assert (sound.audio_ms, sound.kind, sound.item_id, sound.response_id) == (
        500.0,
        "response.output_audio.delta",
        "item_1",
        "resp_1",
    )
    assert sound.bytes == len(turn.raw(5)) + len(turn.raw(7))


def test_full_duplex(timeline: Timeline, frame: Build, word: Build) -> None:
    """The microphone's frames between the answer's do not break its run."""
    for text in "abc":
        add(timeline, frame("input_audio_buffer.append", audio="AAAA"), direction="sent")
        add(timeline, word(text))
    assert [(each.direction, each.count, each.text) for each in fold(timeline)] == [
        ("sent", 3, ""),
        ("received", 3, "abc"),
    ]


def test_another_item_is_another_fold(timeline: Timeline, word: Build) -> None:
    """Deltas of two items do not run into one another."""
    add(timeline, word("a"), word("b", item="item_2"), word("c"))
    assert [(each.item_id, each.text) for each in fold(timeline)] == [("item_1", "ac"), ("item_2", "b")]


def test_any_other_event_ends_a_run(timeline: Timeline, frame: Build, word: Build) -> None:
    """Order is kept: what comes after an event is not folded into what came before it."""
    add(timeline, word("a"), frame("rate_limits.updated"), word("b"))
    assert [each.seqs for each in fold(timeline)] == [(0,), (1,), (2,)]


def test_the_worst_doubt_and_every_problem(timeline: Timeline, frame: Build) -> None:
    """A fold tells the latest of its times and all that is wrong with its rows."""
    raw = frame("response.audio.delta", delta="???")
    timeline.store.append(raw, direction="received", t=0.0, late_ms=5.0)
    timeline.store.append(raw, direction="received", t=0.1, late_ms=50.0)
    (only,) = fold(timeline)
    assert only.late_ms == 50.0
    assert len(only.problems) == 2


def test_of_a_selection_and_of_nothing(turn: Timeline) -> None:
    """A selection folds by its own order, and nothing folds to nothing."""
    assert [each.seqs for each in fold(turn.select(kind="response.output_audio.delta"))] == [(5, 7)]
    assert fold(Timeline()) == []
