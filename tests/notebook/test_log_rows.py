"""Which rows a log shows: judged by a plain loop over the events."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from fnmatch import fnmatchcase

import pytest
from failing import FAILING, FINE
from hypothesis import given
from hypothesis import strategies as st

from rtnb.notebook.log_rows import LogFilter, LogRows, details
from rtnb.protocol.dialects import PREVIEW
from rtnb.protocol.names import DELTA_KINDS, Kind, kind_of
from rtnb.timeline.timeline import Timeline


def places(timeline: Timeline, chosen: LogFilter) -> list[int]:
    rows = LogRows(timeline, chosen)
    rows.advance()
    return rows.places.tolist()


def oracle(timeline: Timeline, chosen: LogFilter) -> list[int]:
    """Say row by row what a filter of single words lets through."""
    found = []
    for place, (event, text) in enumerate(zip(timeline, timeline["text"], strict=True)):
        fits = not chosen.direction or event.direction == chosen.direction
        fits = fits and (chosen.deltas or event.kind not in DELTA_KINDS)
        for word in chosen.text.split():
            no, word = word.startswith("-"), word.removeprefix("-")
            if not word:
                continue
            if "*" in word:
                hit = fnmatchcase(event.type, word) or fnmatchcase(event.kind, word)
            else:
                hit = any(word.casefold() in each.casefold() for each in (event.type, event.kind, text))
            fits = fits and hit is not no
        if fits:
            found.append(place)
    return found


_WORDS = ("response.*", "*delta", "word1", "HELLO", "-response.created", "session", "-*audio*", "error", "completed")


@given(
    words=st.lists(st.sampled_from(_WORDS), max_size=3),
    direction=st.sampled_from(("", "sent", "received", "local")),
    deltas=st.booleans(),
)
def test_a_filter_lets_through_what_a_plain_loop_lets_through(
    one_turn: Callable[..., Timeline],
    long_session: Callable[..., Timeline],
    words: list[str],
    direction: str,
    deltas: bool,
) -> None:
    """Globs for types, words in any case, exclusions, directions and deltas, together."""
    chosen = LogFilter(" ".join(words), direction, deltas)
    for timeline in (one_turn(), long_session(300)):
        assert places(timeline, chosen) == oracle(timeline, chosen)


def test_rows_that_come_later_are_found_like_those_that_were_there(long_session: Callable[..., Timeline]) -> None:
    """Looking at a growing timeline in parts gives what looking at it once gives."""
    whole = long_session(1000)
    for chosen in (LogFilter("word1*"), LogFilter("word3"), LogFilter(deltas=False), LogFilter(follow="resp_3")):
        grown = Timeline()
        rows = LogRows(grown, chosen)
        assert not rows.advance()
        for event in whole:
            grown.store.append(event.raw, direction=event.direction, t=event.t)
            if event.seq % 37 == 0:
                assert rows.advance()
        rows.advance()
        assert rows.places.tolist() == places(whole, chosen)


def test_a_type_is_found_in_either_dialects_spelling(one_turn: Callable[..., Timeline]) -> None:
    """The audio of a preview session is found as GA spells it, and as the wire does."""
    timeline = one_turn(PREVIEW)
    found = places(timeline, LogFilter("response.output_audio.*"))
    assert found == places(timeline, LogFilter("response.audio.*"))
    assert len(found) == 4


def test_words_between_quotation_marks_belong_together() -> None:
    """Then they are one thing to look for; without the marks, any order fits."""
    timeline = Timeline()
    for text in ("there hello", "Hello there, you"):
        event = {"type": str(Kind.TEXT_DONE), "text": text}
        timeline.store.append(json.dumps(event).encode(), direction="received", t=0)
    assert places(timeline, LogFilter('"hello there"')) == [1]
    assert places(timeline, LogFilter("hello there")) == [0, 1]
    assert places(timeline, LogFilter('-"hello there"')) == [0]
    assert places(timeline, LogFilter('"hello th')) == [1], "a mark that is not closed yet is being typed"
    assert places(timeline, LogFilter('- "" " ')) == [0, 1], "nothing to look for"


def following(*events: tuple[str, dict[str, object]]) -> Timeline:
    timeline = Timeline()
    for place, (direction, event) in enumerate(events):
        timeline.store.append(json.dumps(event).encode(), direction=direction, t=place)
    return timeline


def test_following_finds_what_belongs_to_a_response_an_item_a_call_and_an_event() -> None:
    """The response's item, where only the item is named; the call's result; the error about an event; nothing else."""
    timeline = following(
        ("sent", {"type": str(Kind.RESPONSE_CREATE), "event_id": "event_a"}),
        ("received", {"type": str(Kind.RESPONSE_CREATED), "response": {"id": "resp_1"}}),
        ("received", {"type": str(Kind.OUTPUT_ITEM_ADDED), "response_id": "resp_1", "item": {"id": "item_1"}}),
        ("received", {"type": str(Kind.ITEM_ADDED), "item": {"id": "item_1", "call_id": "call_1"}}),
        ("received", {"type": str(Kind.ITEM_ADDED), "item": {"id": "item_12"}}),
        ("received", {"type": str(Kind.RESPONSE_DONE), "response": {"id": "resp_1"}}),
        ("sent", {"type": str(Kind.ITEM_CREATE), "item": {"call_id": "call_1", "output": "rain"}}),
        ("received", {"type": str(Kind.ERROR), "error": {"event_id": "event_a"}}),
        ("received", {"type": str(Kind.RESPONSE_CREATED), "response": {"id": "resp_11"}}),
    )
    assert places(timeline, LogFilter(follow="resp_1")) == [1, 2, 3, 5]
    assert places(timeline, LogFilter(follow="item_1")) == [2, 3]
    assert places(timeline, LogFilter(follow="call_1")) == [3, 6]
    assert places(timeline, LogFilter(follow="event_a")) == [0, 7]
    assert places(timeline, LogFilter(follow="nobody")) == []
    assert places(timeline, LogFilter(follow="resp_1", direction="sent")) == []


def test_cells_say_what_a_row_holds(one_turn: Callable[..., Timeline]) -> None:
    """Seq, direction, time, type, size, audio, words; a page beyond the end is empty."""
    rows = LogRows(one_turn())
    rows.advance()
    cells = rows.cells(0, 100)
    assert len(cells) == len(rows.timeline)
    assert cells[3][:5] == [3, "r", 0.3, False, str(Kind.TRANSCRIPT_DELTA)]
    assert cells[3][7] == "Hello"
    assert cells[5][6] == "250 ms"
    assert rows.cells(5, 2) == cells[5:7]
    assert rows.cells(500, 10) == []
    assert json.loads(json.dumps(cells, allow_nan=False)) == cells


def test_cells_of_frames_that_are_no_events() -> None:
    """A problem is a warning in the row; times that are none, and words that cannot be encoded, can be sent all the same."""
    timeline = Timeline()
    timeline.store.append(b"{no", direction="received", t=math.nan)
    timeline.store.append(
        b'{"type": "\\ud800", "text": "\\u202e", "item_id": "\\udc00"}', direction="sent", t=1, late_ms=50
    )
    rows = LogRows(timeline)
    rows.advance()
    cells = rows.cells(0, 10)
    assert cells[0][2] is None
    assert cells[0][7].startswith("⚠")
    assert cells[0][8]
    assert cells[1][3]
    json.dumps([*cells, *(details(event) for event in timeline)], ensure_ascii=False).encode()


def test_the_place_of_a_row_is_where_the_filter_puts_it(one_turn: Callable[..., Timeline]) -> None:
    """A hidden row has no place, and a row that is not there is an error that says so."""
    rows = LogRows(one_turn(), LogFilter(deltas=False))
    rows.advance()
    assert [rows.place_of(seq) for seq in (0, 1, 2, 3, 9)] == [0, 1, 2, -1, 3]
    with pytest.raises(IndexError, match="no row with seq 99"):
        rows.event(99)


def test_details_are_whole_json_with_audio_named(one_turn: Callable[..., Timeline]) -> None:
    """The JSON parses to the event, but for the audio, and the ids to follow are those that the row names."""
    event = one_turn()[5]
    told = details(event)
    shown = json.loads(told["json"])
    assert shown.pop("delta") == "… 12,000 bytes of audio …"
    assert shown == {key: value for key, value in event.data.items() if key != "delta"}
    assert [each[:2] for each in told["follow"]] == [["response", "resp_1"], ["item", "item_resp_1"]]
    assert kind_of(told["type"]) == Kind.AUDIO_DELTA


def test_details_of_a_frame_that_is_no_json_or_too_long_are_its_words() -> None:
    """Cut where a browser would choke, and saying so."""
    timeline = Timeline()
    timeline.store.append(b"\xff<b>", direction="received", t=0)
    timeline.store.append(json.dumps({"type": "x", "text": "y" * 500_000}).encode(), direction="received", t=0)
    assert details(timeline[0])["words"] == "\\xff<b>"
    assert "cut: 500,0" in details(timeline[1])["words"]
    assert len(details(timeline[1])["words"]) < 401_000


def test_a_row_is_wrong_where_its_event_tells_of_a_failure() -> None:
    """By the same table as everywhere, and each such row has words."""
    timeline = Timeline()
    for raw in (*(raw for raw, _ in FAILING), *FINE):
        timeline.store.append(raw, direction="received", t=0.0)
    rows = LogRows(timeline)
    rows.advance()
    cells = rows.cells(0, len(rows))
    assert [cell[8] for cell in cells] == [True] * len(FAILING) + [False] * len(FINE)
    assert all(cell[7] for cell in cells[: len(FAILING)])
