"""`TimelineView`: a session as lanes over seconds in a browser, to zoom into, to point at and to listen to."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np
import traitlets

from rtnb import formatting
from rtnb.audio.clip import StereoClip
from rtnb.formatting import one_line
from rtnb.notebook.event_log import EventLog
from rtnb.notebook.layout import Layout, Span, Ticks
from rtnb.notebook.waveform import Axis, Wave
from rtnb.notebook.widget import HasTimeline, ViewWidget, closings, static, timeline_of
from rtnb.timeline.sound import mix
from rtnb.timeline.timeline import Timeline

_PIXELS = 900  # until a browser says how many it has
_MOST_PIXELS = 8000
_CLOSEST = 0.002  # seconds that an axis shows at least
_SEGMENT = 30.0  # seconds of sound that are sent at a time, at most
_COLUMN = 6.6  # pixels that a character takes
_MOST_SPANS = 400  # of one lane; where there are more, they are too narrow to be distinguished
_NO_SOUND = 127, -128  # the least and the greatest sample of a pixel without sound
_IDLE = 9  # times as long as drawing took, before it is drawn again: a tenth of a core at most


class TimelineView(ViewWidget):
    """The lanes of a session: the user's speech, what was detected, answered, written, spoken, called, and what failed.

    What is in sight is cut to the browser's pixels here, so that a long session costs it no more than a short one.

    Parameters
    ----------
    source : Session, AsyncSession, Recording or Timeline
        The lanes of a session that is open go on growing.
    log : EventLog, optional
        Where to go when something is clicked, and whose selected row is marked.

    Raises
    ------
    TypeError
        If `source` has no timeline.
    """

    _esm = static("shared.js", "mix_player.js", "timeline_view.js")
    _css = static("timeline_view.css")
    _visible = traitlets.Dict().tag(sync=True)

    def __init__(self, source: HasTimeline | Timeline, *, log: EventLog | None = None) -> None:
        self.timeline = timeline_of(source, "TimelineView")
        self._log = log
        self._layout = Layout(self.timeline)
        self._layout.advance()
        self._range: tuple[float, float] | None = None
        self._follows = True
        self._pixels = _PIXELS
        self._selected: int | None = None
        self._mixed: tuple[int, StereoClip] | None = None
        self._drawn: tuple[Any, ...] = ()
        self._not_before = 0.0
        self._closings = closings(self.timeline)
        super().__init__(_visible=self._next())

    @property
    def selected(self) -> int | None:
        """Return the seq of the row that was selected last, here or in the linked log; None before that."""
        return self._log.selected if self._log is not None else self._selected

    @property
    def range(self) -> tuple[float, float]:
        """Return the seconds that are shown."""
        start, end = self._layout.whole
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
        first, last = self._layout.whole
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
        self._layout.advance()
        if self._present() != self._drawn:
            self._visible = self._next()
            if (closed := closings(self.timeline)) != self._closings:
                self._closings = closed
                self.settle()
            now = time.monotonic()
            self._not_before = now + _IDLE * (now - began)

    def _present(self) -> tuple[Any, ...]:
        return self._layout.rows, self.range, self._pixels, self.selected

    def _next(self) -> dict[str, Any]:
        self._drawn = self._present()
        start, end = self.range
        pixels, margin = self._pixels, 0.0
        if self._range is not None:  # there is more to either side, which is at hand when the axis is moved
            pixels, margin = 2 * pixels, (end - start) / 2
        axis = Axis(start - margin, end + margin, pixels, max(1, int(pixels / _COLUMN)))
        marked = self.selected
        return {
            **visible(self._layout, axis),
            "view": [start, end],
            "whole": list(self._layout.whole),
            "all": self._range is None,
            "events": self._layout.rows,
            "selected": marked,
            "selected_t": None if marked is None else self._time_of(marked),
        }

    def _time_of(self, seq: int) -> float | None:
        found = self.timeline["t"][self.timeline["seq"] == seq]
        return float(found[0]) if len(found) and math.isfinite(found[0]) else None

    def received(self, content: Any, buffers: list[memoryview]) -> None:
        """Take the browser's request: another range of the axis, a row to select, a segment of audio."""
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
                found = self._layout.row_at(lane, t)
                if found is not None:
                    self.select(found)
            case {"ask": "sound", "start": int() | float() as start, "play": int(play)} if math.isfinite(start):
                self._send_sound(float(start), play)

    def _send_sound(self, start: float, play: int) -> None:
        """Send a segment of the mix as a WAV file: the user on the left, the answers on the right."""
        if self._mixed is None or self._mixed[0] != self._layout.rows:
            self._mixed = self._layout.rows, mix(self.timeline[: self._layout.rows])
        clip = self._mixed[1]
        start = max(start, 0.0)
        segment = clip.between(start, min(start + _SEGMENT, clip.duration)) if start < clip.duration else None
        sound = {"start": start, "end": min(start + _SEGMENT, clip.duration), "duration": clip.duration, "play": play}
        self.send({"sound": sound}, buffers=[segment.to_wav()] if segment is not None else [])

    def snapshot(self) -> dict[str, str]:
        """Return the plot of the timeline in HTML, and one line of text."""
        import base64

        from rtnb.notebook.plots import plot_timeline, to_png

        axes = plot_timeline(self.timeline[:])
        figure = axes.figure
        encoded = base64.b64encode(to_png(figure, dpi=100)).decode("ascii")  # type: ignore[arg-type]
        title = formatting.escape(one_line(self.timeline.title, 100)) or "timeline"
        html = f'<img alt="{title}" style="max-width:100%" src="data:image/png;base64,{encoded}">'
        return {"text/plain": repr(self), "text/html": html}

    def __repr__(self) -> str:
        start, end = self._layout.whole
        return f"<TimelineView of {len(self.timeline):,} rows, {formatting.seconds(end - start)}>"


def visible(layout: Layout, axis: Axis) -> dict[str, Any]:
    """Return what a browser draws of the axis: plain values, and bytes for what is many; times are in seconds.

    ``waves`` are int8, (2, pixels): the least and the greatest sample of each pixel in 1/127 of full scale, 127 and -128
    where there is no sound. ``ticks`` are uint16, (4, n): pixel, count, which of ``types`` is the first event's, and
    whether one of them failed. A span is ``[start, end, seq, label, status]``, its end None while it lasts; a label is
    ``[t, lines]``.
    """
    types: dict[str, int] = {}
    spans = {name: getattr(layout, name) for name in ("speech", "responses", "tools", "errors")}
    labels = {"text": layout.text(axis, rows=2), "words": layout.words(axis, rows=2)}
    return {
        "start": axis.start,
        "end": axis.end,
        "pixels": axis.pixels,
        "peak": math.ceil(127 * layout.peak),
        "waves": {name: _wave_bytes(wave) for name, wave in layout.waves(axis).items()},
        "ticks": {lane: _tick_bytes(ticks, axis, types) for lane, ticks in layout.ticks(axis).items()},
        "types": list(types),
        "spans": {name: _spans_in_sight(found, axis) for name, found in spans.items()},
        "labels": {
            name: [[label.t, [one_line(line, 200) for line in label.lines]] for label in found]
            for name, found in labels.items()
        },
    }


def _wave_bytes(wave: Wave) -> bytes:
    silent = np.isnan(wave.low)
    low = np.where(silent, _NO_SOUND[0], np.floor(127 * wave.low))
    high = np.where(silent, _NO_SOUND[1], np.ceil(127 * wave.high))
    return np.stack((low, high)).astype(np.int8).tobytes()


def _tick_bytes(ticks: Ticks, axis: Axis, types: dict[str, int]) -> bytes:
    pixel = np.clip(np.floor((ticks.t - axis.start) / axis.step), 0, axis.pixels - 1)
    names = [types.setdefault(one_line(name, 80), len(types)) for name in ticks.types]
    table = np.array((pixel, np.minimum(ticks.count, 65_535), np.minimum(names, 65_535), ticks.failed))
    return table.astype("<u2").tobytes()


def _spans_in_sight(spans: list[Span], axis: Axis) -> list[list[Any]]:
    seen = [
        span for span in spans if span.start < axis.end and not span.end < axis.start
    ]  # an end of NaN is not before
    thinned = seen[:: max(1, math.ceil(len(seen) / _MOST_SPANS))]
    return [
        [span.start, None if math.isnan(span.end) else span.end, span.seq, span.label, span.status] for span in thinned
    ]
