"""A file opens as what it holds, and says what is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rtnb.conversation.recording import Recording, open_recording
from rtnb.errors import RecordingError
from rtnb.timeline import Timeline


@given(
    st.lists(
        st.tuples(
            st.binary(max_size=60) | st.just(b'{"type":"response.text.delta","delta":"hi"}'),
            st.sampled_from(["sent", "received", "local"]),
            st.floats(0, 1e5),
            st.floats(0, 1e3, width=32),
        ),
        max_size=8,
    )
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_lossless(tmp_path: Path, rows: list[Any]) -> None:
    """Any frames, directions, times and doubts come back from the file as they were."""
    timeline = Timeline()
    for raw, direction, t, late_ms in rows:
        timeline.store.append(raw, direction=direction, t=t, late_ms=late_ms)
    again = open_recording(timeline.save(tmp_path / "x.jsonl"))
    assert again.problem == ""
    assert [again.timeline.raw(seq) for seq in range(len(rows))] == [row[0] for row in rows]
    assert list(again.timeline["direction"]) == [row[1] for row in rows]
    assert again.timeline["t"].tolist() == [row[2] for row in rows]
    assert again.timeline.late_ms.tolist() == [row[3] for row in rows]
    assert again.timeline.to_records() == timeline.to_records()


def test_selection_is_numbered_anew(turn: Timeline, tmp_path: Path) -> None:
    """The rows of a saved selection are numbered from 0 when they are opened."""
    again = open_recording(turn.select(direction="sent").save(tmp_path / "x")).timeline
    assert again["seq"].tolist() == [0]
    assert again["t"].tolist() == [0.5]


@pytest.mark.large
def test_cut_anywhere(turn: Timeline, tmp_path: Path) -> None:
    """Wherever the last row is cut off, the rows before it are read, none is made up, and the problem is told."""
    path = turn.save(tmp_path / "x.jsonl")
    whole = path.read_bytes()
    start = whole.rindex(b"\n", 0, -1) + 1
    for end in range(start + 1, len(whole) - 1):
        path.write_bytes(whole[:end])
        recording = open_recording(path)
        assert len(recording.timeline) == 9, whole[start:end]
        assert "The last row is cut off" in recording.problem
        assert "9 rows" in recording.problem


def test_last_newline_may_be_missing(turn: Timeline, tmp_path: Path) -> None:
    """A file whose last row is whole is whole, though an editor took its newline, or made it two characters."""
    path = turn.save(tmp_path / "x.jsonl")
    whole = path.read_bytes()
    for changed in (whole[:-1], whole.replace(b"\n", b"\r\n"), whole + b"\n"):
        path.write_bytes(changed)
        recording = open_recording(path)
        assert (len(recording.timeline), recording.problem) == (10, "")
        assert recording.timeline.to_records() == turn.to_records()


def test_damaged_lines(turn: Timeline, tmp_path: Path) -> None:
    """Lines that are no rows are left out and named; the others are read."""
    path = turn.save(tmp_path / "x.jsonl")
    lines = path.read_bytes().split(b"\n")
    lines[2], lines[5] = b"garbage", b"{}"
    path.write_bytes(b"\n".join(lines))
    recording = open_recording(path)
    assert len(recording.timeline) == 8
    assert "2 lines of the file are not rows and were left out (line 3, 6)" in recording.problem
    path.write_bytes(b"\n".join([lines[0], *[b"x"] * 7, b""]))
    assert "(line 2, 3, 4, 5, 6, …)" in open_recording(path).problem
    path.write_bytes(b"\n".join([lines[0], b"x", b""]))
    assert open_recording(path).problem == "1 line of the file is not a row and was left out (line 2)."


def test_a_byte_order_mark(turn: Timeline, tmp_path: Path) -> None:
    """A file that an editor has put its mark before is read as ever."""
    path = turn.save(tmp_path / "x.jsonl")
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert (len(open_recording(path).timeline), open_recording(path).problem) == (10, "")


def test_files_that_are_not_there(tmp_path: Path, turn: Timeline) -> None:
    """A missing file is said to be missing, with what lies beside it."""
    with pytest.raises(FileNotFoundError, match=r"There is no recording.*another name or folder\.$"):
        open_recording(tmp_path / "x.jsonl")
    turn.save(tmp_path / "lesson.rtnb.jsonl")
    with pytest.raises(FileNotFoundError, match=r"Beside it: lesson\.rtnb\.jsonl"):
        open_recording(tmp_path / "lesson.jsonl")


def test_files_that_are_no_recordings(tmp_path: Path) -> None:
    """A folder, an empty file and somebody else's file are refused by name."""
    with pytest.raises(RecordingError, match="is a folder"):
        open_recording(tmp_path)
    other = tmp_path / "notes.txt"
    for content in (b"", b"hello\n", b'{"a":1}\n'):
        other.write_bytes(content)
        with pytest.raises(
            RecordingError, match=r"notes\.txt is not a recording" + ("" if content else ": it is empty")
        ):
            open_recording(other)


def test_shows_itself(turn: Timeline, tmp_path: Path) -> None:
    """Text and HTML say what it is, how long, when, and what is wrong."""
    path = turn.save(tmp_path / "lesson.jsonl", meta={"model": "gpt-realtime", "tools": [1]})
    path.write_bytes(path.read_bytes()[:-3])
    bundle = open_recording(path)._repr_mimebundle_()
    for words in (
        "lesson.jsonl",
        "9 rows",
        "4.00 s",
        "2026-11-22 14:50:00 UTC",
        "a test",
        "model: gpt-realtime",
        "cut off",
    ):
        assert words in bundle["text/plain"]
        assert words in bundle["text/html"]
    assert "tools" not in bundle["text/plain"]


def test_shows_an_empty_and_hostile_one() -> None:
    """A recording of nothing shows itself, and what is planted in it is not obeyed."""
    planted = "<script>\u202e\ud800"
    recording = Recording(Timeline(title=planted), meta={planted: planted, "n": 1}, problem=planted)
    bundle = recording._repr_mimebundle_()
    assert "0 rows" in repr(recording)
    assert "time of day not recorded" in repr(recording)
    assert "<script" not in bundle["text/html"]
    for form in bundle.values():
        form.encode("utf-8")
        assert "\u202e" not in form


@pytest.mark.parametrize("t", ["1e999", "-1e300", "9" * 400])
def test_absurd_times_are_missing(tmp_path: Path, t: str) -> None:
    """A time that cannot be one is missing, in the table and in every repr."""
    path = tmp_path / "x"
    row = '{"seq":0,"t":T,"direction":"sent","late_ms":L,"frame":{}}\n'.replace("T", t).replace("L", t.lstrip("-"))
    path.write_text('{"rtnb":1,"started":"2026-01-01T00:00:00Z"}\n' + row + row.replace(",", ", "))
    recording = open_recording(path)
    assert [record["t"] for record in recording.timeline.to_records()] == [None] * len(recording.timeline) != []
    assert recording.timeline.late_ms.tolist() == [0.0] * len(recording.timeline)
    assert "not measured" in repr(recording)
    assert "?" in repr(recording.timeline)


def test_deepest_frames_come_back(tmp_path: Path) -> None:
    """A frame nested as deep as its parser can go is still read inside its row."""
    timeline = Timeline()
    frames = [b'{"type":"x","n":' + b"[" * depth + b"]" * depth + b"}" for depth in (*range(1015, 1030), 100_000)]
    for raw in frames:
        timeline.store.append(raw, direction="received", t=0.0)
    again = open_recording(timeline.save(tmp_path / "x")).timeline
    assert [again.raw(seq) for seq in range(len(again))] == frames
