"""The file of a recording, written whole (`save`) or row by row while the session runs (`Journal`)."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from rtnb.errors import RecordingError
from rtnb.protocol.events import Event
from rtnb.timeline.lines import Header, header_line, row_line
from rtnb.timeline.view import View


class Journal:
    """A recording that is written while its session runs: after a crash, every row written so far can be read.

    Each row reaches the operating system before `write` returns. A disk that is full, or a folder that is gone, ends the
    journal and not the session: `problem` then says what happened.

    Parameters
    ----------
    path : str or Path
        Where; ``lesson.rtnb.jsonl`` is the usual form.
    started : datetime, optional
        When the session opened, with a time zone.
    title : str
        For people.
    meta : mapping, optional
        What else to keep in the header; JSON values, no secrets.
    overwrite : bool
        Whether a file that is there may go.

    Raises
    ------
    RecordingError
        If there is a file at `path` already and `overwrite` is not given.
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
        """Add a recorded event, to a closed journal too. After the first failure this does nothing."""
        if self._file.closed and not self.problem:
            self._go_on()
        if not self._file.closed:
            self._put(row_line(event, late_ms))
            self.rows += not self.problem

    def _go_on(self) -> None:
        """Open the file again: a session that was resumed goes on in it, as long as it is there."""
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
        """End the file; more than once does no harm."""
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
    """Write a snapshot to a file: aside first, then in place of whatever was there; return the path.

    Raises
    ------
    FileNotFoundError
        If the folder does not exist.
    OSError
        If the disk refuses.
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
