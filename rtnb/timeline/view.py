"""`View`: rows of a store as a table of columns, events and frames. `Timeline` adds selection, counts and exports."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Self, overload

import numpy as np
from numpy.typing import NDArray

from rtnb.protocol.events import Event
from rtnb.timeline.categorical import Categorical
from rtnb.timeline.store import DIRECTIONS, FORMAT_NAMES, Store

Column = NDArray[Any] | Categorical
Rows = range | NDArray[np.int64]
Index = slice | Sequence[int] | Sequence[bool] | NDArray[Any]

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


_LONGEST = 1e11  # seconds; a greater t is damage, and beyond numpy's calendar


class View:
    """Rows of a store: all there are so far, or a selection, which is a snapshot.

    Parameters
    ----------
    store : Store
    rows : range or ndarray of int64, optional
        Places in the store; None for all rows, now and later.
    """

    def __init__(self, store: Store, rows: Rows | None = None) -> None:
        self._store = store
        self._selected = rows

    @classmethod
    def _of(cls, store: Store, rows: Rows) -> Self:
        view = cls.__new__(cls)
        View.__init__(view, store, rows)
        return view

    @property
    def store(self) -> Store:
        """Return the store underneath, to which a connection appends; all views of a session share it."""
        return self._store

    @property
    def started(self) -> datetime | None:
        """Return when the session opened; None if not known."""
        return self._store.started

    @property
    def origin(self) -> float | None:
        """Return the monotonic clock's reading at t = 0, in seconds; None if not known."""
        return self._store.origin

    @property
    def title(self) -> str:
        """Return what the session was connected to, for people."""
        return self._store.title

    @property
    def session_length(self) -> int:
        """Return the number of rows of the whole session, of which this may be a selection."""
        return self._store.length

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the names of the columns."""
        return COLUMNS

    @property
    def shape(self) -> tuple[int, int]:
        """Return (rows, columns)."""
        return len(self), len(COLUMNS)

    def __len__(self) -> int:
        return self._store.length if self._selected is None else len(self._selected)

    def __iter__(self) -> Iterator[Event]:
        return (self._store.event(int(seq)) for seq in self._rows())

    @overload
    def __getitem__(self, index: str) -> Any: ...
    @overload
    def __getitem__(self, index: int) -> Event: ...
    @overload
    def __getitem__(self, index: Index) -> Self: ...
    def __getitem__(self, index: Any) -> Column | Event | Self:
        """Return a column by name, an event by number, or the rows of a slice, a bool mask or an array of numbers.

        Raises
        ------
        KeyError
            If there is no such column.
        IndexError
            If there is no such row, or a mask does not fit.
        """
        if isinstance(index, str):
            return self._column(index)
        rows = self._rows()
        if isinstance(index, slice):
            return self._of(self._store, rows[index])
        if isinstance(index, (list, tuple)) or np.ndim(index):
            return self._of(self._store, _as_array(rows)[self._places(np.asarray(index), len(rows))])
        place = operator.index(index)
        if not -len(rows) <= place < len(rows):
            raise IndexError(f"There is no row {place}: the timeline has {len(rows):,} rows.")
        return self._store.event(int(rows[place]))

    def _places(self, index: NDArray[Any], length: int) -> NDArray[Any]:
        if index.ndim != 1:
            raise IndexError(f"An index of shape {index.shape} does not fit: rows are chosen by one dimension.")
        if index.dtype != bool:
            return index if index.size else index.astype(np.int64)
        # A mask of a growing timeline may be shorter than the timeline is by now; it is still valid.
        if len(index) == length or (self._selected is None and len(index) < length):
            return np.flatnonzero(index)
        raise IndexError(
            f"A mask of {len(index):,} rows does not fit {length:,}: make it from this timeline's columns."
        )

    @property
    def late_ms(self) -> NDArray[np.float32]:
        """Return by how many milliseconds each row's time may be too late, float32, shape (rows,)."""
        return self._taken(self._rows(), "late_ms")

    @property
    def failed(self) -> NDArray[np.bool_]:
        """Return which rows are failures: an error, a response that failed …, bool, shape (rows,)."""
        return self._taken(self._rows(), "failed")

    @property
    def problems(self) -> dict[int, str]:
        """Return the rows that have a problem: seq -> what is wrong with the frame."""
        rows = self._rows()
        among = rows if isinstance(rows, range) else set(rows.tolist())
        return {seq: problem for seq, problem in self._store.problems.copy().items() if seq in among}

    def raw(self, seq: int) -> bytes:
        """Return the frame of row `seq` of the session's timeline, byte for byte."""
        return self._store.raw(self._checked(seq))

    def audio_chunk(self, seq: int) -> bytes:
        """Return the decoded audio of row `seq` of the session's timeline; empty if it carries none."""
        return self._store.audio(self._checked(seq))

    def audio_format(self, seq: int) -> str:
        """Return the encoding of row `seq`'s audio, a name of `rtnb.audio.formats.FORMATS`; empty if it carries none."""
        code: int = self._store.rows["format"][self._checked(seq)]
        return FORMAT_NAMES[code]

    def _checked(self, seq: int) -> int:
        place = operator.index(seq)
        if not 0 <= place < self._store.length:
            raise IndexError(f"There is no row with seq {place}: the session has {self._store.length:,} rows.")
        return place

    def _rows(self) -> Rows:
        return range(self._store.length) if self._selected is None else self._selected

    def _taken(self, rows: Rows, field: str) -> NDArray[Any]:
        column = self._store.rows[field]
        if not isinstance(rows, range):
            return np.asarray(column[rows])
        view = column[_as_slice(rows)]
        view.flags.writeable = False
        return view

    def _column(self, name: str) -> Column:
        # The number of rows is read first: every column that is read after it is at least that long.
        rows, store = self._rows(), self._store
        match name:
            case "seq":
                return _as_array(rows)
            case "t" | "bytes" | "audio_ms":
                return self._taken(rows, name)
            case "time":
                return self._time(rows)
            case "direction":
                return Categorical(self._taken(rows, name), DIRECTIONS)
            case "type":
                return Categorical(self._taken(rows, name), store.types.words)
            case "kind":
                kinds = np.array(store.kind_of_type, np.int32)
                return Categorical(kinds[self._taken(rows, "type")], store.kinds.words)
            case "response_id":
                return Categorical(self._taken(rows, "response"), store.responses.words)
            case "item_id":
                return Categorical(self._taken(rows, "item"), store.items.words)
            case "event_id":
                return _strings(store.event_ids, rows)
            case "text":
                return _strings(store.texts, rows)
        raise KeyError(f"There is no column {name!r}; there are {', '.join(COLUMNS)}.")

    def _time(self, rows: Rows) -> NDArray[np.datetime64]:
        started = self._store.started
        origin: np.datetime64[Any] = np.datetime64("NaT", "us")
        if started is not None:
            origin = np.datetime64(started.astimezone(UTC).replace(tzinfo=None), "us")
        t = self._taken(rows, "t")
        t = np.where(np.abs(t) < _LONGEST, t, np.nan)
        return np.asarray(origin + np.round(t * 1e6).astype("timedelta64[us]"))


def _as_array(rows: Rows) -> NDArray[np.int64]:
    return np.arange(rows.start, rows.stop, rows.step, dtype=np.int64) if isinstance(rows, range) else rows


def _as_slice(rows: range) -> slice:
    if not rows:
        return slice(0, 0)
    # A range that runs backwards to row 0 stops at -1, which a slice would read as the last row.
    return slice(rows.start, rows.stop if rows.stop >= 0 else None, rows.step)


def _strings(words: list[str], rows: Rows) -> NDArray[Any]:
    column = np.empty(len(rows), object)
    taken: Iterable[str] = words[_as_slice(rows)] if isinstance(rows, range) else map(words.__getitem__, rows.tolist())
    column[:] = list(taken)
    return column
