"""`Recording`: a session read back from its file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from rtnb import formatting
from rtnb.conversation.record import SessionRecord
from rtnb.errors import RecordingError
from rtnb.timeline.file_format import Header, read_header, read_row
from rtnb.timeline.timeline import Timeline

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"  # some editors write it at the beginning of a file


class Recording(SessionRecord):
    """A session read back from its file: all that a live session can be asked, but nothing to send.

    Attributes
    ----------
    timeline : Timeline
        Every row of the file, its frames byte for byte.
    meta : mapping
        Other facts of the session from the file's header.
    path : Path or None
        The file.
    problem : str
        What is wrong with the file; empty for a whole one.
    """

    def __init__(
        self, timeline: Timeline, meta: Mapping[str, Any] | None = None, path: Path | None = None, problem: str = ""
    ) -> None:
        super().__init__(timeline)
        self.meta = meta or {}
        self.path = path
        self.problem = problem

    def _lines(self) -> list[str]:
        started, rows = self.timeline.started, len(self.timeline)
        length = formatting.seconds(float(self.timeline["t"][-1]) if rows else 0.0)
        when = f"{started:%Y-%m-%d %H:%M:%S} UTC" if started else "time of day not recorded"
        plain = {key: value for key, value in self.meta.items() if isinstance(value, (str, int, float))}
        meta = [f"{formatting.one_line(key, 40)}: {formatting.one_line(plain[key], 60)}" for key in list(plain)[:12]]
        return [
            formatting.one_line(self.timeline.title, 100),
            " · ".join([formatting.plural(rows, "row"), length, when]),
            " · ".join(meta),
        ]

    def _name(self) -> str:
        return formatting.one_line(self.path.name if self.path else "recording", 80)

    def __repr__(self) -> str:
        problem = f"⚠ {formatting.one_line(self.problem, 300)}" if self.problem else ""
        return "\n  ".join(filter(None, [f"<Recording {self._name()}>", problem, *self._lines()]))

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        html = formatting.card(
            f"<strong>{formatting.escape(self._name())}</strong>",
            formatting.banner(formatting.one_line(self.problem, 300)) if self.problem else "",
            *(formatting.muted(line) for line in self._lines() if line),
        )
        return {"text/plain": repr(self), "text/html": html}


def open_recording(path: str | Path) -> Recording:
    """Open a file that `session.save`, `timeline.save` or ``connect(record=…)`` wrote.

    A last row that was cut off, and lines that are no rows, are left out, and `Recording.problem` says so. Rows are numbered
    again, from 0.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    RecordingError
        If it is not a recording, or was written by a later version.
    """
    source = Path(path).expanduser()
    if source.is_dir():
        raise RecordingError(f"{source} is a folder: name the recording in it.")
    try:
        with open(source, "rb") as file:
            header = read_header(file.readline().removeprefix(_BYTE_ORDER_MARK), str(source))
            timeline, problem = read_rows(header, file)
    except FileNotFoundError:
        beside = sorted(each.name for each in source.parent.glob("*.jsonl"))[:5]
        hint = f" Beside it: {', '.join(beside)}." if beside else ""
        raise FileNotFoundError(
            f"There is no recording {str(source)!r}; look for another name or folder.{hint}"
        ) from None
    return Recording(timeline, header.meta, source, problem)


def read_rows(header: Header, lines: Iterable[bytes]) -> tuple[Timeline, str]:
    """Return the timeline of the lines that follow a header, and what is wrong with them."""
    timeline = Timeline(started=header.started, title=header.title)
    damaged: list[int] = []
    cut = False
    for number, line in enumerate(lines, start=2):
        row = read_row(line.rstrip(b"\r\n"))
        if row is not None:
            timeline.store.append(row.raw, direction=row.direction, t=row.t, late_ms=row.late_ms)
        elif not line.endswith(b"\n"):
            cut = True
        elif line.strip():
            damaged.append(number)
    kept = f"The {formatting.plural(len(timeline), 'row')} before it {'is' if len(timeline) == 1 else 'are'} here."
    cut_off = f"The last row is cut off: the writer was stopped in the middle of it. {kept}"
    return timeline, " ".join(filter(None, [_damage(damaged), cut_off if cut else ""]))


def _damage(numbers: list[int]) -> str:
    if not numbers:
        return ""
    shown = ", ".join(map(str, numbers[:5])) + (", …" if len(numbers) > 5 else "")
    if len(numbers) == 1:
        return f"1 line of the file is not a row and was left out (line {shown})."
    return f"{len(numbers):,} lines of the file are not rows and were left out (line {shown})."
