"""A recording is on the disk row by row, or whole and at once."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rtnb.conversation.recording import open_recording
from rtnb.errors import RecordingError
from rtnb.timeline import Journal, Timeline

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
    timeline.append(word("Grüße 語"), direction="received", t=0.0)
    timeline.append('{"type":"x","text":"Grüße 語"}'.encode(), direction="received", t=0.0)
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
