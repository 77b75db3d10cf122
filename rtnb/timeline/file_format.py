"""The file of a recording: one line of JSON for the header, one for each row.

::

    {"rtnb":1,"started":"2026-11-22T14:50:00.000000+00:00","title":"…","meta":{…}}
    {"seq":0,"t":0.0123,"direction":"received","frame":{"type":"session.created",…}}
    {"seq":1,"t":0.0127,"direction":"received","late_ms":31.5,"base64":"…"}

A frame that is a JSON object on one line is part of its row character for character, so that the file can be searched with
grep and read by any JSON tool. Any other frame is kept as base64. Both are read back byte for byte. `save` writes a whole
file, `Journal` writes row by row while the session runs.
"""

from __future__ import annotations

import math
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import orjson
from pybase64 import b64decode, b64encode

from rtnb.errors import RecordingError
from rtnb.protocol.events import LOCAL, RECEIVED, SENT, Event
from rtnb.timeline.view import View

VERSION = 1
_LARGEST = 1e12  # a greater number of seconds or milliseconds is damage
_NUMBER = rb"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?"
_ROW = re.compile(
    rb'\{"seq":\d+,"t":(?P<t>null|%b),"direction":"(?P<direction>sent|received|local)"'
    rb'(?:,"late_ms":(?P<late>%b))?,"(?P<form>frame|base64)":' % (_NUMBER, _NUMBER)
)


@dataclass(frozen=True, slots=True)
class Header:
    """The first line: when the session opened (aware; None if not known), its title, and other facts about it."""

    started: datetime | None = None
    title: str = ""
    meta: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FileRow:
    """One frame: its bytes and direction, seconds since the session opened, and by how many ms they may be too late."""

    raw: bytes
    direction: str
    t: float
    late_ms: float = 0.0


def header_line(header: Header) -> bytes:
    """Return the header as a line.

    Raises
    ------
    TypeError
        If a value in `meta` has no form in JSON.
    """
    started = header.started.astimezone(UTC).isoformat(timespec="microseconds") if header.started else None
    title = header.title.encode("utf-8", "backslashreplace").decode("utf-8")
    return orjson.dumps({"rtnb": VERSION, "started": started, "title": title, "meta": dict(header.meta)}) + b"\n"


def row_line(event: Event, late_ms: float = 0.0) -> bytes:
    """Return a recorded event as a line."""
    raw = event.raw
    t = repr(float(event.t)).encode() if math.isfinite(event.t) else b"null"
    late = b',"late_ms":%b' % repr(float(late_ms)).encode() if late_ms > 0 and math.isfinite(late_ms) else b""
    body = b'"frame":' + raw if _is_one_line(event) else b'"base64":"' + b64encode(raw) + b'"'
    return b'{"seq":%d,"t":%b,"direction":"%b"%b,%b}\n' % (event.seq, t, event.direction.encode(), late, body)


def _is_one_line(event: Event) -> bool:
    raw = event.raw
    if raw[:1] != b"{" or raw[-1:] != b"}" or b"\n" in raw or b"\r" in raw:
        return False
    return not event.problem or is_json(raw)  # without a problem, the event was parsed as strict JSON


def is_json(line: bytes) -> bool:
    """Return whether a line is one whole strict JSON value."""
    try:
        orjson.loads(line)
    except ValueError:
        return False
    return True


def read_header(line: bytes, name: str) -> Header:
    """Read the first line of the file called `name`.

    Raises
    ------
    RecordingError
        If the file is not a recording, or was written by a later version.
    """
    if not line:
        raise RecordingError(f"{name} is not a recording: it is empty.")
    found = orjson.loads(line) if is_json(line) else None
    version = found.get("rtnb") if isinstance(found, dict) else None
    if found is None or not isinstance(version, int):
        raise RecordingError(
            f"{name} is not a recording: its first line is not rtnb's. session.save(path) and timeline.save(path) make one."
        )
    if version > VERSION:
        raise RecordingError(
            f"{name} is a recording of version {version}, and this rtnb reads up to {VERSION}: pip install --upgrade rtnb."
        )
    meta, title = found.get("meta"), found.get("title")
    return Header(
        started=_aware(found.get("started")),
        title=title if isinstance(title, str) else "",
        meta=meta if isinstance(meta, dict) else {},
    )


def _aware(text: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def read_row(line: bytes) -> FileRow | None:
    """Read a line without its newline; None where it is not a whole row.

    A row that another program has rewritten is read, too: its frame has the same meaning, but not the same bytes.
    """
    ours = _ROW.match(line)
    if ours is None:
        return _rewritten_row(line)
    body: bytes = line[ours.end() : -1]
    raw = (body if is_json(body) else None) if ours["form"] == b"frame" else _decoded(body[1:-1])
    if raw is None or not line.endswith(b"}"):
        return None
    t = math.nan if ours["t"] == b"null" else float(ours["t"])
    return FileRow(raw, ours["direction"].decode(), _number(t, math.nan), _number(float(ours["late"] or 0.0), 0.0))


def _rewritten_row(line: bytes) -> FileRow | None:
    found = orjson.loads(line) if is_json(line) else None
    if not isinstance(found, dict) or found.get("direction") not in (SENT, RECEIVED, LOCAL):
        return None
    frame, encoded = found.get("frame"), found.get("base64")
    if isinstance(frame, dict):
        raw = orjson.dumps(frame)
    elif isinstance(encoded, str) and (decoded := _decoded(encoded.encode())) is not None:
        raw = decoded
    else:
        return None
    return FileRow(raw, found["direction"], _number(found.get("t"), math.nan), _number(found.get("late_ms"), 0.0))


def _number(value: object, missing: float) -> float:
    return float(value) if isinstance(value, (int, float)) and abs(value) < _LARGEST else missing


def _decoded(encoded: bytes) -> bytes | None:
    try:
        return b64decode(encoded, validate=True)
    except ValueError:
        return None


class Journal:
    """A recording that is written while its session runs: after a crash, every row written so far can be read.

    Each row reaches the operating system before `write` returns. A full disk or a deleted folder ends the journal, not the
    session; `problem` then says what happened.

    Parameters
    ----------
    path : str or Path
        Usually named like ``lesson.rtnb.jsonl``.
    started : datetime, optional
        When the session opened, with a time zone.
    title : str
        For people.
    meta : mapping, optional
        Other facts to keep in the header; JSON values, no secrets.
    overwrite : bool
        Whether to replace an existing file.

    Raises
    ------
    RecordingError
        If the file exists and `overwrite` is not given.
    FileNotFoundError
        If the folder does not exist.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        started: datetime | None = None,
        title: str = "",
        meta: Mapping[str, Any] | None = None,
        overwrite: bool = False,
    ) -> None:
        self.path = _in_existing_folder(path)
        self.problem = ""
        self.rows = 0
        first = header_line(Header(started, title, meta or {}))
        try:
            self._file: BinaryIO = open(self.path, "wb" if overwrite else "xb")  # noqa: SIM115 - it stays open as long as the session
        except FileExistsError:
            raise RecordingError(
                f"{self.path} is there already, and recording into it would lose it: choose another name, or delete it first."
            ) from None
        self._put(first)

    def write(self, event: Event, *, late_ms: float = 0.0) -> None:
        """Add a row, also to a closed journal, which is then opened again. After a failure this does nothing."""
        if self._file.closed and not self.problem:
            self._open_again()
        if not self._file.closed:
            self._put(row_line(event, late_ms))
            self.rows += not self.problem

    def _open_again(self) -> None:
        """Open the file for a session that was resumed; not where the file was deleted in the meantime."""
        try:
            self._file = open(self.path, "r+b")  # noqa: SIM115 - it stays open as long as the session
            self._file.seek(0, os.SEEK_END)
        except OSError as error:
            self.problem = f"recording to {self.path} stopped after {self.rows:,} rows: {error.strerror or error}"

    def _put(self, line: bytes) -> None:
        try:
            self._file.write(line)
            self._file.flush()
        except OSError as error:
            self.problem = f"recording to {self.path} stopped after {self.rows:,} rows: {error.strerror or error}"
            self.close()

    def close(self) -> None:
        """Close the file; calling this again does nothing."""
        try:
            self._file.close()
        except OSError as error:
            self.problem = self.problem or f"{self.path} could not be closed: {error.strerror or error}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        state = self.problem or ("closed" if self._file.closed else "open")
        return f"<Journal {str(self.path)!r}: {self.rows:,} rows, {state}>"


def save(view: View, path: str | Path, *, meta: Mapping[str, Any]) -> Path:
    """Write a snapshot to a file beside `path`, then put it in place of an old one; return the path.

    Raises
    ------
    FileNotFoundError
        If the folder does not exist.
    OSError
        If the file cannot be written.
    """
    target = _in_existing_folder(path)
    aside = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        with open(aside, "xb") as file:
            file.write(header_line(Header(view.started, view.title, meta)))
            for event, late_ms in zip(view, view.late_ms.tolist(), strict=True):
                file.write(row_line(event, late_ms))
            file.flush()
            os.fsync(file.fileno())
        os.replace(aside, target)
    finally:
        aside.unlink(missing_ok=True)
    return target


def _in_existing_folder(path: str | Path) -> Path:
    target = Path(path).expanduser()
    if not target.parent.is_dir():
        raise FileNotFoundError(
            f"The folder {str(target.parent)!r} does not exist: make it first, or choose another path."
        )
    return target
