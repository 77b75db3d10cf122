"""A frame's line gives the frame back byte for byte, and can be read by any JSON tool."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rtnb.conversation.recording import open_recording
from rtnb.errors import RecordingError
from rtnb.timeline import Journal, Timeline
from rtnb.timeline.file_format import FileRow, Header, header_line, is_json, read_header, read_row, row_line

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def line_of(raw: bytes, t: float = 0.25, late_ms: float = 0.0, direction: str = "received") -> bytes:
    return row_line(Timeline().store.append(raw, direction=direction, t=t, late_ms=late_ms), late_ms)


@given(
    st.binary(max_size=400) | st.dictionaries(st.text(), JSON, max_size=4).map(lambda each: json.dumps(each).encode())
)
@example(b"")
@example(b"{}")
@example(b' {"a":1}')
@example(b'{"a":\n1}')
@example(b'{"a":\r1}')
@example(b'{"a":NaN}')
@example(b'{"type":"x"}}')
@example(b'{"type":"x","y":{"frame":"}"}}')
@example(b'{"type":"x","a":"\\ud800"}')
@example(b'{"type":"x","a":"\xed\xa0\x80"}')
@example('{"type":"x","a":"\u2028語"}'.encode())
@example(b"\xef\xbb\xbf{}")
@example(b"[" * 5000)
def test_any_frame_comes_back(raw: bytes) -> None:
    """Arbitrary bytes and arbitrary JSON come back as they were, each as one line of strict JSON."""
    line = line_of(raw)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert is_json(line)
    assert read_row(line[:-1]) == FileRow(raw, "received", 0.25)


@pytest.mark.parametrize(
    "raw", [b'{"type":"x","delta":"a \\"b\\""}', b'{ "type" : "x" }', b'{"no":"type"}', '{"type":"ö"}'.encode()]
)
def test_frames_stand_as_they_are(raw: bytes) -> None:
    """A JSON object on one line is in the file character for character."""
    assert b'"frame":' + raw + b"}\n" in line_of(raw)


def test_other_frames_stand_as_base64() -> None:
    """What is no JSON object on one line is in the file as base64."""
    assert json.loads(line_of(b"\xff"))["base64"] == "/w=="


@given(st.floats(-1e11, 1e11), st.floats(0, 1e6, width=32), st.sampled_from(["sent", "local"]))
def test_any_time_comes_back(t: float, late_ms: float, direction: str) -> None:
    """Times and doubts come back exactly."""
    assert read_row(line_of(b"{}", t, late_ms, direction)[:-1]) == FileRow(b"{}", direction, t, late_ms)


@pytest.mark.parametrize("t", [math.nan, math.inf])
def test_a_missing_time_is_null(t: float) -> None:
    """JSON has no NaN: a time that is missing is null, and missing again when read."""
    line = line_of(b"{}", t)
    assert json.loads(line)["t"] is None
    row = read_row(line[:-1])
    assert row is not None
    assert math.isnan(row.t)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b'{"direction": "sent", "t": 1, "frame": {"a": 1}, "seq": 0}', FileRow(b'{"a":1}', "sent", 1.0)),
        (
            b'{"seq": 0, "t": 2.5, "late_ms": 3, "direction": "local", "base64": "/w=="}',
            FileRow(b"\xff", "local", 2.5, 3.0),
        ),
    ],
)
def test_rewritten_rows(line: bytes, expected: FileRow) -> None:
    """A row that another JSON tool has written anew is read as what it means."""
    assert read_row(line) == expected


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"[]",
        b'{"seq":0}',
        b'{"seq":0,"t":0.0,"direction":"up","frame":{}}',
        b'{"seq":0,"t":0.0,"direction":"sent","frame":{}',
        b'{"seq":0,"t":0.0,"direction":"sent","base64":"?"}',
        b'{"seq": 0,"t":0.0,"direction":"sent","base64":"?"}',
        b'{"seq": 0,"t":0.0,"direction":"sent","frame":[]}',
    ],
)
def test_no_rows(line: bytes) -> None:
    """What is not a row is none."""
    assert read_row(line) is None


def test_header_comes_back() -> None:
    """Start, title and meta come back; the start in UTC."""
    started = datetime(2026, 11, 22, 16, 50, 0, 123456, tzinfo=timezone(timedelta(hours=2)))
    header = Header(started, "local service", {"dialect": "ga", "n": [1, None]})
    line = header_line(header)
    assert json.loads(line) == {
        "rtnb": 1,
        "started": "2026-11-22T14:50:00.123456+00:00",
        "title": "local service",
        "meta": {"dialect": "ga", "n": [1, None]},
    }
    assert read_header(line, "x") == Header(started.astimezone(UTC), "local service", {"dialect": "ga", "n": [1, None]})


def test_header_without_anything() -> None:
    """A header that lacks what it may lack is a header."""
    assert read_header(header_line(Header(title="\ud800")), "x") == Header(title="\\ud800")
    assert read_header(b'{"rtnb":1,"started":5,"title":6,"meta":7}', "x") == Header()
    assert read_header(b'{"rtnb":1,"started":"2026-01-01"}', "x").started == datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("line", [b"{}", b"[1]", b"\x00\xff", b'{"rtnb":"x"}', b"a,b,c\n"])
def test_files_of_others(line: bytes) -> None:
    """A file that is not a recording is refused with what makes one."""
    with pytest.raises(RecordingError, match=r"notes\.csv is not a recording.*timeline\.save"):
        read_header(line, "notes.csv")


def test_later_versions() -> None:
    """A recording of a later version is refused with what to do."""
    with pytest.raises(RecordingError, match="version 2, and this rtnb reads up to 1: pip install --upgrade rtnb"):
        read_header(b'{"rtnb":2}', "x")


Build = Callable[..., bytes]


def test_rows_are_there_while_the_session_runs(tmp_path: Path, turn: Timeline) -> None:
    """Without being closed, the file holds every row that was written, as after a crash."""
    journal = Journal(tmp_path / "live.jsonl", started=turn.started, title=turn.title, meta={"model": "m"})
    for event in turn:
        journal.write(event, late_ms=30.0)
        assert open_recording(journal.path).timeline.raw(event.seq) == event.raw
    recording = open_recording(journal.path)
    assert recording.timeline.to_records() == turn.to_records()
    assert recording.timeline.late_ms.tolist() == [30.0] * 10
    assert (recording.meta, recording.problem, journal.rows) == ({"model": "m"}, "", 10)
    journal.close()


def test_a_file_that_is_there_is_not_lost(tmp_path: Path) -> None:
    """Recording over a file is refused, unless it is asked for."""
    path = tmp_path / "lesson.jsonl"
    path.write_text("precious")
    with pytest.raises(RecordingError, match="there already"):
        Journal(path)
    assert path.read_text() == "precious"
    with Journal(path, overwrite=True, started=datetime(2026, 1, 1, tzinfo=UTC)) as journal:
        assert repr(journal).endswith("0 rows, open>")
    assert open_recording(path).timeline.started == datetime(2026, 1, 1, tzinfo=UTC)
    assert repr(journal).endswith("0 rows, closed>")


def test_header_that_cannot_be_written_leaves_no_file(tmp_path: Path) -> None:
    """Meta that is no JSON is refused before the file is made."""
    with pytest.raises(TypeError):
        Journal(tmp_path / "x", meta={"a": object()})
    assert not list(tmp_path.iterdir())


class Full:
    """A disk that fills up after a number of writes, or when the file is closed."""

    def __init__(self, room: int, closes: bool = True) -> None:
        self.room, self.closes, self.closed = room, closes, False

    def write(self, line: bytes) -> None:
        self.room -= 1
        if self.room < 0:
            raise OSError(28, os.strerror(28))

    def flush(self) -> None:
        pass

    def close(self) -> None:
        self.closed = True
        if not self.closes:
            raise OSError(5, "Input/output error")


@pytest.mark.parametrize("closes", [True, False])
def test_a_full_disk_ends_the_journal_not_the_session(
    tmp_path: Path, turn: Timeline, monkeypatch: pytest.MonkeyPatch, closes: bool
) -> None:
    """The first write that fails is kept as the problem; those after it do nothing, and none raises."""
    monkeypatch.setattr("builtins.open", lambda *args, **kwargs: Full(4, closes))
    journal = Journal(tmp_path / "x")
    for event in turn:
        journal.write(event)
    journal.close()
    assert journal.rows == 3
    assert "stopped after 3 rows: No space left" in journal.problem
    assert journal.problem in repr(journal)


def test_closing_can_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that cannot be closed is a problem, not an exception."""
    monkeypatch.setattr("builtins.open", lambda *args, **kwargs: Full(4, False))
    journal = Journal(tmp_path / "x")
    journal.close()
    assert "could not be closed: Input/output error" in journal.problem


def test_save_replaces_at_once(tmp_path: Path, turn: Timeline, monkeypatch: pytest.MonkeyPatch) -> None:
    """A save that fails leaves the old file as it was, and nothing beside it."""
    path = turn.save(tmp_path / "x.jsonl")
    before = path.read_bytes()

    def broken(*args: object) -> None:
        raise OSError("no")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", broken)
        with pytest.raises(OSError, match="no"):
            turn[:2].save(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
    turn[:2].save(path)
    assert len(open_recording(path).timeline) == 2


def test_missing_folder(tmp_path: Path, turn: Timeline) -> None:
    """A folder that does not exist is named."""
    for write in (turn.save, Journal):
        with pytest.raises(FileNotFoundError, match="nowhere' does not exist: make it first"):
            write(tmp_path / "nowhere" / "x.jsonl")


def test_home_is_understood(tmp_path: Path, turn: Timeline, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path may begin with a tilde."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert turn.save("~/x.jsonl") == tmp_path / "x.jsonl"
    assert len(open_recording("~/x.jsonl").timeline) == 10


def test_grep_finds_words(tmp_path: Path, timeline: Timeline, word: Build) -> None:
    """What was said can be searched for in the file."""
    timeline.store.append(word("Grüße 語"), direction="received", t=0.0)
    timeline.store.append('{"type":"x","text":"Grüße 語"}'.encode(), direction="received", t=0.0)
    assert '"text":"Grüße 語"' in timeline.save(tmp_path / "x").read_text("utf-8")


def test_a_closed_journal_goes_on_in_the_same_file(tmp_path: Path, turn: Timeline) -> None:
    """As long as the file is there; a new one without a beginning would be no recording."""
    journal = Journal(tmp_path / "s.jsonl", started=turn.started)
    for event in turn:
        journal.write(event)
        journal.close()
    assert [event.raw for event in open_recording(journal.path).timeline] == [event.raw for event in turn]
    journal.path.unlink()
    journal.write(turn[0])
    assert not journal.path.exists()
    assert "stopped after 10 rows" in journal.problem
    journal.write(turn[0])
    assert journal.rows == 10
