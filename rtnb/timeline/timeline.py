"""`Timeline`: everything that crossed the wire, as a table."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from rtnb import display
from rtnb.timeline import file_format, rendering, selection, tables
from rtnb.timeline.categorical import Categorical, Mask
from rtnb.timeline.store import DIRECTIONS, Store
from rtnb.timeline.tables import Count, Counts
from rtnb.timeline.view import View

if TYPE_CHECKING:
    import pandas
    from matplotlib.axes import Axes


class Timeline(View):
    """The events of a session in the order in which they crossed the wire.

    A session's own timeline grows while it is read; a selection of it is a snapshot. Columns, masks and frames may be read
    from any thread. What appends to it is its `store`.

    Parameters
    ----------
    started : datetime, optional
        When the session opened, with a time zone. Without it the column ``time`` is NaT.
    origin : float, optional
        The monotonic clock's reading at t = 0, in seconds.
    title : str
        For people, such as what the session is connected to.

    Notes
    -----
    The columns, each of shape (rows,):

    ============ ============== =========================================================================
    seq          int64          row in the session's timeline; a selection keeps it
    t            float64        seconds since the session opened, by the monotonic clock
    time         datetime64[us] UTC
    direction    Categorical    "sent", "received", or "local" for a row of rtnb's own
    type         Categorical    as on the wire
    kind         Categorical    the type's GA name, the same in both dialects
    event_id     object (str)   empty where there is none, like the next two
    response_id  Categorical
    item_id      Categorical
    bytes        int32          size of the frame
    audio_ms     float64        milliseconds of audio in this frame, NaN if none
    text         object (str)   the event's content: a delta, a transcript, an error …
    ============ ============== =========================================================================
    """

    def __init__(self, *, started: datetime | None = None, origin: float | None = None, title: str = "") -> None:
        if started is not None and started.tzinfo is None:
            raise ValueError(f"started={started!r} needs a time zone: datetime.now(datetime.UTC) has one.")
        super().__init__(Store(started=started, origin=origin, title=title))

    def head(self, n: int = 5) -> Self:
        """Return the first `n` rows."""
        return self[:n]

    def tail(self, n: int = 5) -> Self:
        """Return the last `n` rows."""
        length = len(self)
        return self[max(length - n, 0) : length]

    def select(
        self,
        *,
        type: selection.Words | None = None,
        kind: selection.Words | None = None,
        direction: selection.Words | None = None,
        response: object = None,
        item: object = None,
        text: selection.Words | None = None,
        since: object = None,
        until: object = None,
    ) -> Self:
        """Return the rows that satisfy every argument given, as a snapshot.

        Parameters
        ----------
        type, kind, direction : str or list of str
            Names or globs. `type` is as on the wire; `kind` is the GA name, and takes the preview dialect's too.
        response, item : str, list of str, or object with an ``id``
            Whole ids, globs, the last characters of one, or an id as a table shortens it.
        text : str or list of str
            Words that the text contains, in any case; with a ``*``, a glob for the whole text.
        since, until : float, Event or datetime
            Seconds since the session opened, an event, or an aware datetime; both ends belong to the selection.

        Raises
        ------
        ConfigurationError
            If an argument cannot mean anything.
        """
        view = self[:]
        masks: list[Mask] = []
        if type is not None:
            masks.append(view["type"].where(selection.type_matcher(type)))
        if kind is not None:
            masks.append(view["kind"].where(selection.kind_matcher(kind)))
        if direction is not None:
            masks.append(view["direction"].where(selection.direction_matcher(direction)))
        for argument, column, value in (("response", "response_id", response), ("item", "item_id", item)):
            if value is not None:
                ids: Categorical = view[column]
                masks.append(ids.where(selection.id_matcher(argument, value, ids.categories)))
        if since is not None:
            masks.append(_compared(view, selection.instant("since", since), np.greater_equal))
        if until is not None:
            masks.append(_compared(view, selection.instant("until", until), np.less_equal))
        if text is not None:
            accepts = selection.text_matcher(text)
            masks.append(np.fromiter(map(accepts, view["text"]), bool, len(view)))
        return view[np.logical_and.reduce(masks)] if masks else view

    def counts(self) -> Counts:
        """Return how many rows there are of each type, most first."""
        rows = self._rows()
        types, directions = self._taken(rows, "type"), self._taken(rows, "direction")
        words = self._store.types.words[:]
        cells = np.bincount(types * np.int32(len(DIRECTIONS)) + directions, minlength=len(words) * len(DIRECTIONS))
        table = cells.reshape(-1, len(DIRECTIONS))
        return Counts(
            [
                Count(words[code], tuple(np.array(DIRECTIONS)[line > 0].tolist()), int(line.sum()))
                for code, line in enumerate(table)
                if line.any()
            ]
        )

    def to_records(self) -> list[dict[str, Any]]:
        """Return the rows as dicts of plain values, as JSON needs them; missing values are None, times ISO 8601 in UTC."""
        return tables.to_records(self[:])

    def to_pandas(self) -> pandas.DataFrame:
        """Return the rows as a DataFrame: categories for types and ids, ``time`` with its time zone.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        return tables.to_pandas(self[:])

    def save(self, path: str | Path, *, meta: Mapping[str, Any] | None = None) -> Path:
        """Write the rows to a file that `rtnb.open` reads: JSON lines, lossless; return its path.

        An old file stays until the new one is complete.
        """
        return file_format.save(self[:], path, meta=meta or {})

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw events, text, audio and responses over time into `ax`, or into a new figure, and return the axes."""
        return display.backend().plot_timeline(self, ax)

    def __repr__(self) -> str:
        return rendering.to_text(self[:])

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return rendering.to_bundle(self[:])


def _compared(view: View, instant: float | np.datetime64, compare: np.ufunc) -> Mask:
    return np.asarray(compare(view["t"] if isinstance(instant, float) else view["time"], instant))
