"""Columns, events and parts of a timeline."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest

from rtnb.timeline import Timeline

Build = Callable[..., bytes]

COLUMNS = (
    "seq",
    "t",
    "time",
    "direction",
    "type",
    "kind",
    "event_id",
    "response_id",
    "item_id",
    "bytes",
    "audio_ms",
    "text",
)


def test_columns_are_the_contract(turn: Timeline) -> None:
    """The columns have the names that notebooks hold, each as long as the timeline."""
    assert turn.columns == COLUMNS
    assert turn.shape == (10, 12)
    assert [len(turn[name]) for name in COLUMNS] == [10] * 12


def test_dtypes(turn: Timeline) -> None:
    """Numbers are numpy numbers and times numpy times."""
    assert turn["seq"].dtype == np.int64
    assert turn["t"].dtype == np.float64
    assert turn["time"].dtype == "datetime64[us]"
    assert turn["audio_ms"].dtype == np.float64
    assert turn.late_ms.dtype == np.float32


def test_values(turn: Timeline) -> None:
    """Each column says what its frames say."""
    assert turn["seq"].tolist() == list(range(10))
    assert turn["t"].tolist() == [number / 2 for number in range(10)]
    assert turn["time"][3] == np.datetime64("2026-11-22T14:50:01.500000")
    assert turn["direction"].unique() == ["received", "sent", "local"]
    assert turn["event_id"].tolist()[:3] == ["event_a", "event_b", ""]
    assert list(turn["response_id"])[1:4] == ["", "resp_1", "resp_1"]
    assert list(turn["item_id"])[2:5] == ["", "item_1", "item_1"]
    assert turn["bytes"].tolist() == [len(turn.raw(seq)) for seq in range(10)]
    assert np.flatnonzero(~np.isnan(turn["audio_ms"])).tolist() == [5, 7]
    assert turn["audio_ms"][5] == 250.0
    assert turn["text"][4] == "How are"
    assert turn["text"][9] == "1000 bye client"


def test_kind_is_the_ga_name_of_either_dialect(timeline: Timeline, frame: Build) -> None:
    """Type is as on the wire; kind is one name for both dialects, and one category."""
    for name in ("response.audio.delta", "response.output_audio.delta", "new.thing"):
        timeline.store.append(frame(name), direction="received", t=0.0)
    assert list(timeline["type"]) == ["response.audio.delta", "response.output_audio.delta", "new.thing"]
    assert (timeline["kind"] == "response.output_audio.delta").tolist() == [True, True, False]
    assert timeline["kind"].unique() == ["response.output_audio.delta", "new.thing"]


def test_audio_is_measured_in_the_format_in_effect(timeline: Timeline, frame: Build, sound: Build) -> None:
    """The same bytes last six times as long once the session speaks G.711."""
    timeline.store.append(sound(bytes(480)), direction="received", t=0.0)
    changed = frame("session.updated", session={"output_audio_format": "g711_ulaw"})
    timeline.store.append(changed, direction="received", t=1.0)
    timeline.store.append(sound(bytes(480)), direction="received", t=2.0)
    assert timeline["audio_ms"].tolist() == pytest.approx([10.0, np.nan, 60.0], nan_ok=True)
    assert [timeline.audio_format(seq) for seq in range(3)] == ["pcm16", "", "g711_ulaw"]
    assert timeline.audio_chunk(2) == bytes(480)


def test_columns_cannot_be_written(turn: Timeline) -> None:
    """A column of the whole timeline is a view that refuses to be changed."""
    with pytest.raises(ValueError, match="read-only"):
        turn["t"][0] = 5.0


def test_event_by_number(turn: Timeline) -> None:
    """A number gives the event, parsed from its frame, with its row, time and direction."""
    event = turn[1]
    assert (event.seq, event.t, event.direction, event.type) == (1, 0.5, "sent", "response.create")
    assert turn[-1].type == "close"
    assert turn[np.int64(5)].raw == turn.raw(5)
    assert turn[5]["delta"] == json.loads(turn.raw(5))["delta"]
    assert [event.seq for event in turn] == list(range(10))


def test_parts(turn: Timeline) -> None:
    """Slices, masks and arrays of numbers give timelines whose rows keep their seq."""
    assert turn[2:9]["seq"].tolist() == [2, 3, 4, 5, 6, 7, 8]
    assert turn[::-3]["seq"].tolist() == [9, 6, 3, 0]
    assert turn[:0][::-1]["t"].tolist() == []
    assert turn[[4, 1, -1]]["seq"].tolist() == [4, 1, 9]
    assert turn[np.array([], int)].shape == turn[[]].shape == (0, 12)
    assert turn[2:9][[True] * 3 + [False] * 4][1:]["seq"].tolist() == [3, 4]
    assert turn[2:9][1].seq == 3
    assert [event.seq for event in turn[[4, 1]]] == [4, 1]
    for part in (turn[::-3], turn[[9, 6, 3, 0]]):
        assert part["text"].tolist() == [turn["text"][seq] for seq in (9, 6, 3, 0)]
        assert part["t"].tolist() == [4.5, 3.0, 1.5, 0.0]
        assert list(part["kind"]) == [turn[seq].kind for seq in (9, 6, 3, 0)]


def test_mask_of_a_running_session(turn: Timeline, word: Build) -> None:
    """A mask made before more rows came selects among the rows that there were; a snapshot's mask must fit."""
    mask, snapshot = turn["direction"] == "sent", turn[:]
    turn.store.append(word("later"), direction="received", t=9.0)
    assert turn[mask]["seq"].tolist() == [1]
    with pytest.raises(IndexError, match="A mask of 10 rows does not fit 3"):
        snapshot[:3][mask]
    with pytest.raises(IndexError, match="A mask of 12 rows does not fit 11"):
        turn[np.ones(12, bool)]


def test_selection_is_a_snapshot(turn: Timeline, word: Build) -> None:
    """The session's timeline grows, a part of it does not."""
    part = turn[:]
    turn.store.append(word("later"), direction="received", t=9.0)
    assert (len(turn), len(part)) == (11, 10)


@pytest.mark.parametrize(
    ("index", "message"), [(10, "There is no row 10: the timeline has 10 rows"), (-11, "no row -11")]
)
def test_no_such_row(turn: Timeline, index: int, message: str) -> None:
    """A number beyond the ends is refused."""
    with pytest.raises(IndexError, match=message):
        turn[index]


def test_no_such_column_or_index(turn: Timeline) -> None:
    """What is no column or no index is refused, and the columns are named."""
    with pytest.raises(KeyError, match="no column 'kinds'; there are seq, t, time"):
        turn["kinds"]
    with pytest.raises(IndexError, match="one dimension"):
        turn[np.zeros((2, 2), int)]
    with pytest.raises(IndexError):
        turn[[99]]
    with pytest.raises(TypeError):
        turn[1.5]  # type: ignore[call-overload]


@pytest.mark.parametrize("seq", [-1, 10])
def test_seq_out_of_range(turn: Timeline, seq: int) -> None:
    """A seq names a row of the session, from 0; nothing else is taken for one."""
    for ask in (turn.raw, turn.audio_chunk, turn.audio_format):
        with pytest.raises(IndexError, match=f"no row with seq {seq}"):
            ask(seq)


def test_raw_by_seq_from_a_selection(turn: Timeline) -> None:
    """A selection answers for any row of its session by seq."""
    assert turn[8:].raw(1) == turn.raw(1)


def test_time_without_a_start() -> None:
    """A timeline that does not know when it started has no time of day."""
    timeline = Timeline()
    timeline.store.append(b"{}", direction="sent", t=1.0)
    assert np.isnat(timeline["time"]).all()
    assert (timeline.started, timeline.origin, timeline.title) == (None, None, "")


def test_time_of_a_row_without_t(timeline: Timeline) -> None:
    """A row whose t is missing has no time of day either."""
    timeline.store.append(b"{}", direction="sent", t=float("nan"))
    assert np.isnat(timeline["time"]).all()


def test_problems(turn: Timeline) -> None:
    """The rows with a problem are named, in a selection only its own."""
    turn.store.append(b"nonsense", direction="received", t=6.0)
    assert list(turn.problems) == [10]
    assert turn[:5].problems == turn[[1, 2]].problems == {}
    assert list(turn[[10, 2]].problems) == [10]
