"""`EventLog`: the rows of a timeline as a list to scroll, filter and follow in the browser."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import traitlets

from rtnb.notebook.log_rows import LogFilter, LogRows, details
from rtnb.notebook.widget import HasTimeline, ViewWidget, closings, static, timeline_of
from rtnb.timeline.store import DIRECTIONS
from rtnb.timeline.timeline import Timeline

PAGE = 100
"""Rows that are sent to the browser at a time."""
_TAIL = 60  # the last rows, which go with every update, so that a log follows its end even while a cell is busy


class EventLog(ViewWidget):
    """The events of a session as a list that a browser scrolls, filters and follows.

    A row is sent to the browser when it is to be seen, so a log of any length opens at once. Filter and selection are kept
    in the kernel, and all browser views of one log agree.

    Parameters
    ----------
    source : Session, AsyncSession, Recording or Timeline
        A session's log goes on growing.
    text, direction, deltas, follow
        What to show at first; see `filter`.

    Raises
    ------
    TypeError
        If `source` has no timeline.
    ValueError
        If `direction` is no direction.
    """

    _esm = static("shared.js", "event_log.js")
    _css = static("event_log.css")
    _state = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        source: HasTimeline | Timeline,
        *,
        text: str = "",
        direction: str = "",
        deltas: bool = True,
        follow: str = "",
    ) -> None:
        self.timeline = timeline_of(source, "EventLog")
        self._wanted = LogFilter(text, _direction(direction), deltas, follow)
        self._paused = False
        self._selected: int | None = None
        self._jumps = self._shown_jumps = 0
        self._version = 0
        self._rows = LogRows(self.timeline, self._wanted)
        self._rows.advance()
        self._drawn: tuple[Any, ...] = ()
        self._closings = closings(self.timeline)
        super().__init__(_state=self._next_state())

    @property
    def selected(self) -> int | None:
        """Return the seq of the row that was selected last, here or in a browser; None before that."""
        return self._selected

    @property
    def shown(self) -> Timeline:
        """Return the rows that the filter lets through, as a selection of the timeline."""
        rows = LogRows(self.timeline, self._wanted)
        rows.advance()
        return self.timeline[rows.places]

    def filter(
        self,
        text: str | None = None,
        *,
        direction: str | None = None,
        deltas: bool | None = None,
        follow: str | None = None,
    ) -> None:
        """Choose what is shown; what is left out stays as it is.

        Parameters
        ----------
        text : str
            Words that must all match: one with a ``*`` is a glob for the type (``response.*``), any other is text in type or
            content; ``"two words"`` stay together, and ``-word`` must be absent.
        direction : str
            ``"sent"``, ``"received"``, ``"local"`` or, for all, ``""``.
        deltas : bool
            Whether deltas are shown.
        follow : str
            An id of a response, item, call or event: only what belongs to it; ``""`` goes back to all.

        Raises
        ------
        ValueError
            If `direction` is no direction.
        """
        given = {"text": text, "direction": direction, "deltas": deltas, "follow": follow}
        chosen = {name: value for name, value in given.items() if value is not None}
        _direction(direction or "")
        self._wanted = replace(self._wanted, **chosen)  # type: ignore[arg-type]

    def select(self, seq: int) -> None:
        """Go to the row with `seq` and show all of it.

        Raises
        ------
        IndexError
            If there is no such row.
        """
        self._rows.event(seq)
        self._selected = seq
        self._jumps += 1

    def pause(self, on: bool = True) -> None:
        """Stop showing new rows, or go on; none is lost."""
        self._paused = on

    def refresh(self) -> None:
        """Send what has changed, as one message."""
        if self._rows.filter != self._wanted:
            self._rows = LogRows(self.timeline, self._wanted)
            self._rows.advance()
            self._version += 1
        elif not self._paused:
            self._rows.advance()
        if self._present() != self._drawn:
            self._state = self._next_state()
            if (closed := closings(self.timeline)) != self._closings:
                self._closings = closed
                self.settle()
        if self._jumps != self._shown_jumps and self._selected is not None:
            self._shown_jumps = self._jumps
            self._send_row(self._selected)

    def _present(self) -> tuple[Any, ...]:
        # Of a paused log only whether rows wait is worth a message, not how many more at each tick.
        waiting = len(self.timeline) > self._rows.looked_at if self._paused else self._rows.looked_at
        return self._version, waiting, self._paused, self._jumps, self._selected

    def _next_state(self) -> dict[str, Any]:
        self._drawn = self._present()
        rows = self._rows
        first = max(len(rows) - _TAIL, 0)
        return {
            "version": self._version,
            "rows": len(rows),
            "total": rows.looked_at,
            "waiting": len(self.timeline) > rows.looked_at,
            "paused": self._paused,
            "filter": asdict(rows.filter),
            "first": first,
            "tail": rows.cells(first, _TAIL),
            "selected": self._selected,
            "place": -1 if self._selected is None or not self._jumps else rows.place_of(self._selected),
            "jumps": self._jumps,
        }

    def received(self, content: Any, buffers: list[memoryview]) -> None:
        """Answer the browser: a page of rows, one whole row, another filter."""
        match content:
            case {"ask": "page", "page": int(page), "version": int(version)} if version == self._version and page >= 0:
                rows = self._rows.cells(page * PAGE, PAGE)
                self.send({"page": page, "version": version, "rows": rows})
            case {"ask": "row", "seq": int(seq)}:
                self._selected = seq
                self._send_row(seq)
            case {"ask": "pause", "on": bool(on)}:
                self.pause(on)
            case {"ask": "filter", **given}:
                chosen = {name: _sendable(given[name]) for name in ("text", "direction", "follow") if name in given}
                self.filter(**chosen, deltas=bool(given.get("deltas", self._wanted.deltas)))

    def _send_row(self, seq: int) -> None:
        try:
            event = self._rows.event(seq)
        except IndexError:  # a browser may ask for anything
            return
        self.send({"row": details(event)})

    def snapshot(self) -> dict[str, str]:
        """Return the display of the filtered timeline: its first and last rows."""
        return self.shown._repr_mimebundle_()

    def __repr__(self) -> str:
        return f"<EventLog of {len(self.timeline):,} rows>"


def _direction(name: str) -> str:
    if name and name not in DIRECTIONS:
        raise ValueError(f"direction={name!r} is not one of {', '.join(map(repr, DIRECTIONS))}, or '' for all.")
    return name


def _sendable(text: object) -> str:
    """Return text from the browser that can be sent back to it: lone surrogates cannot."""
    return str(text)[:1000].encode("utf-8", "replace").decode()
