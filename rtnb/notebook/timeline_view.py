"""`TimelineView`: a session as lanes over seconds in a browser, to look into, to point at and to listen to."""

from __future__ import annotations

import math
import time
from typing import Any

import traitlets

from rtnb import formatting
from rtnb.audio.clip import StereoClip
from rtnb.formatting import one_line
from rtnb.notebook.assets import source
from rtnb.notebook.event_log import EventLog
from rtnb.notebook.live_view import STATIC, LiveView
from rtnb.notebook.scene import Axis, Stage
from rtnb.notebook.source import HasTimeline, closings, timeline_of
from rtnb.timeline.sound import mix
from rtnb.timeline.timeline import Timeline

_PIXELS = 900  # until a browser says how many it has
_MOST_PIXELS = 8000
_CLOSEST = 0.002  # seconds that an axis shows at least
_SEGMENT = 30.0  # seconds of sound that are sent at a time, at most
_IDLE = 9  # times as long as drawing took, before it is drawn again: a tenth of a core at most


class TimelineView(LiveView):
    """The lanes of a session: what the user said, what was detected, answered, written, spoken, called, and what failed.

    What is drawn is cut to the browser's pixels here, so that a long session costs it no more than a short one.

    Parameters
    ----------
    source : Session, AsyncSession, Recording or Timeline
        A session's lanes go on growing.
    log : EventLog, optional
        Where to go when something is clicked, and whose selected row is marked.

    Raises
    ------
    TypeError
        If `source` has no timeline.
    """

    _esm = source("making.js", "talk_player.js", "timeline_view.js")
    _css = STATIC / "timeline_view.css"
    _scene = traitlets.Dict().tag(sync=True)

    def __init__(self, source: HasTimeline | Timeline, *, log: EventLog | None = None) -> None:
        self.timeline = timeline_of(source)
        self._log = log
        self._stage = Stage(self.timeline)
        self._stage.advance()
        self._range: tuple[float, float] | None = None
        self._follows = True
        self._pixels = _PIXELS
        self._selected: int | None = None
        self._mixed: tuple[int, StereoClip] | None = None
        self._drawn: tuple[Any, ...] = ()
        self._not_before = 0.0
        self._closings = closings(self.timeline)
        super().__init__(_scene=self._next_scene())

    @property
    def selected(self) -> int | None:
        """Return the seq of the row that was pointed at last, here or in the linked log; None before that."""
        return self._log.selected if self._log is not None else self._selected

    @property
    def range(self) -> tuple[float, float]:
        """Return the seconds that are shown."""
        start, end = self._stage.whole
        if self._range is None:
            margin = 0.01 * (end - start)
            return start - margin, end + margin
        if self._follows and end > self._range[1]:
            return self._range[0] + end - self._range[1], end
        return self._range

    def zoom(self, start: float | None = None, end: float | None = None) -> None:
        """Show the seconds from `start` to `end`; without them, all there are.

        Raises
        ------
        ValueError
            If `end` is not after `start`.
        """
        if start is None and end is None:
            self._range, self._follows = None, True
            return
        first, last = self._stage.whole
        start, end = first if start is None else float(start), last if end is None else float(end)
        if not (math.isfinite(start) and math.isfinite(end) and end > start):
            raise ValueError(f"There is nothing between {start} and {end} s: give an end after the start.")
        if end - start < _CLOSEST:
            middle = (start + end) / 2
            start, end = middle - _CLOSEST / 2, middle + _CLOSEST / 2
        self._range, self._follows = (start, end), False

    def select(self, seq: int) -> None:
        """Mark a row, and go to it in the linked log.

        Raises
        ------
        IndexError
            If there is no such row.
        """
        if self._log is not None:
            self._log.select(seq)
        self.timeline.raw(seq)
        self._selected = seq

    def refresh(self) -> None:
        """Send what has changed, as one message."""
        began = time.monotonic()
        if began < self._not_before:
            return
        self._stage.advance()
        if self._present() != self._drawn:
            self._scene = self._next_scene()
            if (closed := closings(self.timeline)) != self._closings:
                self._closings = closed
                self.settle()
            now = time.monotonic()
            self._not_before = now + _IDLE * (now - began)

    def _present(self) -> tuple[Any, ...]:
        return self._stage.looked_at, self.range, self._pixels, self.selected

    def _next_scene(self) -> dict[str, Any]:
        self._drawn = self._present()
        start, end = self.range
        pixels, margin = self._pixels, 0.0
        if self._range is not None:  # there is more to either side, which is at hand when the axis is moved
            pixels, margin = 2 * pixels, (end - start) / 2
        scene = self._stage.scene(Axis(start - margin, end + margin, pixels))
        marked = self.selected
        return {
            **scene,
            "view": [start, end],
            "whole": list(self._stage.whole),
            "all": self._range is None,
            "events": self._stage.looked_at,
            "selected": marked,
            "selected_t": None if marked is None else self._time_of(marked),
        }

    def _time_of(self, seq: int) -> float | None:
        found = self.timeline["t"][self.timeline["seq"] == seq]
        return float(found[0]) if len(found) and math.isfinite(found[0]) else None

    def received(self, content: Any, buffers: list[memoryview]) -> None:
        """Answer the browser: another part of the axis, a row that is pointed at, sound."""
        match content:
            case {
                "ask": "range",
                "start": int() | float() as start,
                "end": int() | float() as end,
                "pixels": int(pixels),
            }:
                self._pixels = min(max(pixels, 100), _MOST_PIXELS)
                self.zoom(start, end)
                self._follows = bool(content.get("follow"))
            case {"ask": "all", "pixels": int(pixels)}:
                self._pixels = min(max(pixels, 100), _MOST_PIXELS)
                self.zoom()
            case {"ask": "select", "seq": int(seq)} if 0 <= seq < len(self.timeline):
                self.select(seq)
            case {"ask": "pick", "lane": str(lane), "t": int() | float() as t}:
                found = self._stage.row_at(lane, t)
                if found is not None:
                    self.select(found)
            case {"ask": "sound", "start": int() | float() as start, "play": int(play)} if math.isfinite(start):
                self._send_sound(float(start), play)

    def _send_sound(self, start: float, play: int) -> None:
        """Send a stretch of the talk as a WAV file: the user on the left, the answers on the right."""
        if self._mixed is None or self._mixed[0] != self._stage.looked_at:
            self._mixed = self._stage.looked_at, mix(self.timeline[: self._stage.looked_at])
        clip = self._mixed[1]
        start = max(start, 0.0)
        segment = clip.between(start, min(start + _SEGMENT, clip.duration)) if start < clip.duration else None
        sound = {"start": start, "end": min(start + _SEGMENT, clip.duration), "duration": clip.duration, "play": play}
        self.send({"sound": sound}, buffers=[segment.to_wav()] if segment is not None else [])

    def snapshot(self) -> dict[str, str]:
        """Return the lanes as a picture in HTML, and in one line of text."""
        import base64

        from rtnb.notebook.plots import plot_timeline, to_png

        axes = plot_timeline(self.timeline[:])
        figure = axes.figure
        encoded = base64.b64encode(to_png(figure, dpi=100)).decode("ascii")  # type: ignore[arg-type]
        title = formatting.escape(one_line(self.timeline.title, 100)) or "timeline"
        html = f'<img alt="{title}" style="max-width:100%" src="data:image/png;base64,{encoded}">'
        return {"text/plain": repr(self), "text/html": html}

    def __repr__(self) -> str:
        start, end = self._stage.whole
        return f"<TimelineView of {len(self.timeline):,} rows, {formatting.seconds(end - start)}>"
