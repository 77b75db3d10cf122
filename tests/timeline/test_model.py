"""A timeline behaves as a list of dicts would, whatever is appended and however it is cut."""

from __future__ import annotations

import base64
import json
import math
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rtnb.timeline import Timeline

STARTED = datetime(2026, 11, 22, 14, 50, tzinfo=UTC)
TYPES = {  # wire name -> GA name
    "response.audio.delta": "response.output_audio.delta",
    "response.output_audio.delta": "response.output_audio.delta",
    "response.text.delta": "response.output_text.delta",
    "response.output_text.delta": "response.output_text.delta",
    "something.new": "something.new",
}
IDS = ["", "item_aaaa1", "item_aaaa2", "x*"]

Row = dict[str, Any]


@st.composite
def rows(draw: st.DrawFn) -> tuple[bytes, Row]:
    """Return a frame and what its row must say, worked out here."""
    direction = draw(st.sampled_from(["sent", "received", "local"]))
    row: Row = {"direction": direction, "event_id": "", "response_id": "", "item_id": "", "audio_ms": None, "text": ""}
    if draw(st.integers(0, 5)) == 0:
        raw = draw(st.binary(max_size=40).filter(lambda each: not each.strip().startswith(b"{")))
        row |= {"type": "(not JSON)", "kind": "(not JSON)", "text": None}
        return raw, row | {"bytes": len(raw)}
    name, item, response = draw(st.sampled_from(list(TYPES))), draw(st.sampled_from(IDS)), draw(st.sampled_from(IDS))
    event: Row = {"type": name, "item_id": item, "response_id": response}
    if "audio" in name:
        pcm = draw(st.integers(1, 400)) * b"\1\2\3"
        event["delta"], row["audio_ms"] = base64.b64encode(pcm).decode(), len(pcm) / 48
    elif "text" in name:
        event["delta"] = row["text"] = draw(st.text(max_size=8))
    raw = json.dumps(event).encode()
    row |= {"type": name, "kind": TYPES[name], "item_id": item, "response_id": response, "bytes": len(raw)}
    return raw, row


def build(frames: list[tuple[bytes, Row]]) -> tuple[Timeline, list[Row]]:
    timeline = Timeline(started=STARTED)
    expected = []
    for seq, (raw, row) in enumerate(frames):
        timeline.store.append(raw, direction=row["direction"], t=seq / 4)
        expected.append({"seq": seq, "t": seq / 4, "raw": raw, **row})
    return timeline, expected


def check(timeline: Timeline, expected: list[Row]) -> None:
    """Compare every column, every event and every frame."""
    records = timeline.to_records()
    assert len(records) == len(timeline) == len(expected)
    for record, row, event in zip(records, expected, timeline, strict=True):
        for name, value in row.items():
            if name == "raw":
                assert timeline.raw(row["seq"]) == event.raw == value
            elif name == "audio_ms" and value is not None:
                assert math.isclose(record[name], value)
            elif value is not None or name == "audio_ms":
                assert record[name] == value, name
        assert (event.seq, event.t, event.type, event.direction) == tuple(
            row[name] for name in ("seq", "t", "type", "direction")
        )
    for name in timeline.columns:
        assert len(timeline[name]) == len(expected)


@given(st.lists(rows(), max_size=12), st.data())
def test_any_cut_is_the_same_cut_of_a_list(frames: list[tuple[bytes, Row]], data: st.DataObject) -> None:
    """Appends, slices, masks and lists of numbers, in any order, give what a list of dicts gives."""
    timeline, expected = build(frames)
    check(timeline, expected)
    live = True  # until the first cut
    for _ in range(data.draw(st.integers(0, 4))):
        length = len(expected)
        match data.draw(st.sampled_from(["slice", "mask", "numbers", "append"])):
            case "slice":
                part = data.draw(st.slices(length))
                timeline, expected, live = timeline[part], expected[part], False
            case "mask":
                mask = data.draw(st.lists(st.booleans(), min_size=length, max_size=length))
                timeline, live = timeline[np.array(mask, bool)], False
                expected = [row for row, chosen in zip(expected, mask, strict=True) if chosen]
            case "numbers" if length:
                numbers = data.draw(st.lists(st.integers(-length, length - 1), max_size=length))
                timeline, expected, live = timeline[numbers], [expected[number] for number in numbers], False
            case _ if live:
                raw, row = data.draw(rows())
                expected = [*expected, {"seq": length, "t": length / 4, "raw": raw, **row}]
                timeline.store.append(raw, direction=row["direction"], t=length / 4)
        check(timeline, expected)


@given(
    st.lists(rows(), max_size=15),
    st.fixed_dictionaries(
        {},
        optional={
            "type": st.sampled_from(["response.audio.delta", "response.*", "*"]),
            "kind": st.sampled_from(["response.output_text.delta", "response.output_*", "something.new"]),
            "direction": st.sampled_from(["sent", "received", "local"]),
            "item": st.sampled_from(["", "item_aaaa1", "item_*", "x*", "aaa2"]),
            "since": st.floats(0, 4),
            "until": st.floats(0, 4),
        },
    ),
)
def test_any_selection_is_the_same_filter_of_a_list(frames: list[tuple[bytes, Row]], asked: dict[str, Any]) -> None:
    """Select keeps just the rows that a filter over the list keeps."""
    timeline, expected = build(frames)
    ids = {row["item_id"] for row in expected} | {""}

    def keeps(row: Row) -> bool:
        item = asked.get("item")
        named = (
            row["item_id"] == item
            if item in ids
            else item and (fnmatchcase(row["item_id"], item) or (row["item_id"].endswith(item) and len(item) > 3))
        )
        return (
            fnmatchcase(row["type"], asked.get("type", "*"))
            and fnmatchcase(row["kind"], asked.get("kind", "*"))
            and row["direction"] == asked.get("direction", row["direction"])
            and (item is None or bool(named))
            and asked.get("since", 0) <= row["t"] <= asked.get("until", 99)
        )

    chosen = timeline.select(**asked)
    check(chosen, [row for row in expected if keeps(row)])
    assert sum(chosen.counts().values()) == len(chosen)
