"""The layout of a session's picture: what is where on its time axis. `timeline.plot()` and TimelineView draw from it.

It is numbers and strings only. It grows with the timeline, at a cost of the rows that are new, and gives what is in sight
of an axis, at a cost of its pixels.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from rtnb.formatting import ERROR_COLOUR, LOCAL_COLOUR, RECEIVED_COLOUR, one_line
from rtnb.notebook.growing_arrays import GrowingArray
from rtnb.notebook.labels import Label, LabelSpace, TimedText, labels
from rtnb.notebook.waveform import AudioLane, Axis, Wave
from rtnb.protocol.events import LOCAL, RECEIVED, SENT
from rtnb.protocol.failures import failure_words
from rtnb.protocol.names import DELTA_KINDS, Kind, Local
from rtnb.timeline.playback import Places, Times

if TYPE_CHECKING:
    from rtnb.protocol.events import Event
    from rtnb.timeline.categorical import Categorical, Mask
    from rtnb.timeline.timeline import Timeline
    from rtnb.timeline.view import View

TICK_LANES = (SENT, RECEIVED, LOCAL, "text")
_TEXT_KINDS = (Kind.TEXT_DELTA, Kind.TRANSCRIPT_DELTA)
_AUDIO_KINDS = (Kind.AUDIO_DELTA, Kind.INPUT_APPEND)
_SPAN_KINDS = (
    Kind.SPEECH_STARTED,
    Kind.SPEECH_STOPPED,
    Kind.RESPONSE_CREATED,
    Kind.RESPONSE_DONE,
    Kind.OUTPUT_ITEM_ADDED,
    Kind.OUTPUT_ITEM_DONE,
    Kind.ITEM_CREATE,
    Local.CLOSE,
)
_SHORTEST = 0.05  # seconds that an axis shows at least
_LATE_START = 5.0  # seconds; a whole session is shown from its opening, unless its first row is later than this
_MOST_TEXTS = 10_000  # deltas in sight; where there are more, their text cannot be read
_NAME_ROWS, _NAME_COLUMNS = 2, 20
_LABEL, _MESSAGE = 60, 160  # characters of a span's label

STATUS_COLOURS = {
    "completed": RECEIVED_COLOUR,
    "cancelled": LOCAL_COLOUR,
    "incomplete": LOCAL_COLOUR,
    "failed": ERROR_COLOUR,
}
"""The colour of a response, by its status."""


@dataclass(slots=True)
class Span:
    """Something that lasts: detected speech, a response, a function call; or an error, which lasts no time.

    Attributes
    ----------
    start, end : float
        Seconds; `end` is NaN for what has not ended.
    seq : int
        The row with which it began.
    label : str
        In a few words, on one line.
    status : str
        As the service says it, or ``"speech"``, ``"called"``, ``"answered"``, ``"error"``.
    """

    start: float
    end: float
    seq: int
    label: str
    status: str


@dataclass(frozen=True, slots=True)
class Ticks:
    """Events of a lane, those of one pixel as one tick. All have length n, by ascending time.

    Attributes
    ----------
    t : ndarray of float64
        When the first event of each came, in seconds.
    count : ndarray of int64
        Events in each.
    types : list of str
        The type of the first event of each, as on the wire.
    failed : ndarray of bool
        Whether one of them is a failure.
    """

    t: Times
    count: npt.NDArray[np.int64]
    types: list[str]
    failed: npt.NDArray[np.bool_]


def runs(times: Times, gap: float) -> tuple[Times, Times]:
    """Return the first and the last of each run of ascending `times` that are not more than `gap` seconds apart."""
    if not len(times):
        return times, times
    breaks = np.flatnonzero(np.diff(times) > gap)
    return times[np.concatenate(([0], breaks + 1))], times[np.concatenate((breaks, [len(times) - 1]))]


class Layout:
    """A timeline laid out along seconds.

    Parameters
    ----------
    timeline : Timeline
        It may grow: `advance` takes in what has come.

    Attributes
    ----------
    rows : int
        Rows taken in so far.
    whole : tuple of float
        Where the axis of the whole begins and ends, in seconds: from the opening of the session, or the first row of a
        selection, to the last event or the end of the last sound.
    input, output : AudioLane
        The audio of both directions.
    speech, responses, tools, errors : list of Span
        By the time of their beginning.
    """

    def __init__(self, timeline: Timeline) -> None:
        self.timeline = timeline
        self.rows = 0
        self.input, self.output = AudioLane(timeline, Kind.INPUT_APPEND), AudioLane(timeline, Kind.AUDIO_DELTA)
        self.speech: list[Span] = []
        self.responses: list[Span] = []
        self.tools: list[Span] = []
        self.errors: list[Span] = []
        self._response: dict[str, Span] = {}
        self._call: dict[str, Span] = {}  # the newest by call id, which a later turn may use again
        self._calls: set[tuple[str, str]] = set()
        self._texts = GrowingArray(np.int64)  # the places of the rows with deltas of text
        self._spoken: Times | None = None
        self.whole = (0.0, 1.0)
        self._first, self._last, self._ascending = math.nan, math.nan, True

    @classmethod
    def of(cls, timeline: Timeline) -> Layout:
        """Return the layout of a timeline as it stands, or of a selection, which may be in any order."""
        rows = timeline[:]
        if not np.all(np.diff(rows["t"]) >= 0):
            rows = rows[np.argsort(rows["t"], kind="stable")]
        layout = cls(rows)
        layout.advance()
        return layout

    def advance(self) -> bool:
        """Take in the rows that have come since the last time; return whether there were any."""
        until = len(self.timeline)
        if until == self.rows:
            return False
        part = self.timeline[self.rows : until]
        self._advance_range(part["t"])
        self.input.extend(part)
        self.output.extend(part)
        kinds = part["kind"]
        self._texts.extend(np.flatnonzero(kinds.isin(_TEXT_KINDS)) + self.rows)
        noted = part[kinds.isin(_SPAN_KINDS) | part.failed]
        for event in noted:
            if math.isfinite(event.t):
                self._take(event)
        self.rows, self._spoken = until, None
        self.whole = self._whole(of_session=int(self.timeline[:1]["seq"][0]) == 0)
        return True

    def _advance_range(self, times: Times) -> None:
        self._ascending &= bool(np.all(np.diff(times, prepend=np.fmax(self._last, times[0])) >= 0))
        known = times[np.isfinite(times)]
        if len(known):
            self._first = float(np.fmin(self._first, known.min()))
            self._last = float(np.fmax(self._last, known.max()))

    def _whole(self, *, of_session: bool) -> tuple[float, float]:
        if math.isnan(self._first):
            return 0.0, 1.0
        start = 0.0 if of_session and 0 <= self._first < _LATE_START else self._first
        return start, max(start + _SHORTEST, self._last, self.input.times.end, self.output.times.end)

    def _take(self, event: Event) -> None:
        match event.kind:
            case Kind.SPEECH_STARTED:
                self._end(self.speech[-1:], event.t)
                self.speech.append(Span(event.t, math.nan, event.seq, "speech", "speech"))
            case Kind.SPEECH_STOPPED:
                self._end(self.speech[-1:], event.t)
            case Kind.RESPONSE_CREATED:
                self._begin_response(event, event.t)
            case Kind.RESPONSE_DONE:
                span = self._response.get(event.response_id) or self._begin_response(event, self._first)
                status = event.part("response").get("status")
                span.end = event.t
                span.label = span.status = one_line(status, _LABEL) if isinstance(status, str) else ""
            case Kind.OUTPUT_ITEM_ADDED | Kind.OUTPUT_ITEM_DONE | Kind.ITEM_CREATE:
                self._take_call(event)
            case Local.CLOSE:
                for span in self._end(self.responses, event.t):
                    span.label = span.status = "incomplete"
                self._end([*self.speech, *self.tools], event.t)
        if words := failure_words(event):
            self.errors.append(Span(event.t, event.t, event.seq, one_line(words, _MESSAGE), "error"))

    def _begin_response(self, event: Event, t: float) -> Span:
        span = Span(t, math.nan, event.seq, "in progress", "in_progress")
        self._response[event.response_id] = span
        self.responses.append(span)
        return span

    def _take_call(self, event: Event) -> None:
        item = event.part("item")
        call = item.get("call_id")
        if not isinstance(call, str):
            return
        if item.get("type") == "function_call":
            own = (event.response_id, event.item_id or call)
            if own not in self._calls:
                self._calls.add(own)
                self._call[call] = Span(event.t, math.nan, event.seq, one_line(item.get("name", ""), _LABEL), "called")
                self.tools.append(self._call[call])
        elif call in self._call:
            self._call[call].end, self._call[call].status = event.t, "answered"

    @staticmethod
    def _end(spans: list[Span], t: float) -> list[Span]:
        """End those spans that have not ended; return them."""
        ended = [span for span in spans if math.isnan(span.end)]
        for span in ended:
            span.end = t
        return ended

    # What is in sight of an axis.

    def waves(self, axis: Axis) -> dict[str, Wave]:
        """Return the waveforms of the user's audio, and of the assistant's where it arrived, is heard, and was cut off."""
        return {
            "user": self.input.heard(axis),
            "arrived": self.output.arrived(axis),
            "heard": self.output.heard(axis),
            "unheard": self.output.unheard(axis),
        }

    @property
    def peak(self) -> float:
        """Return the greatest magnitude of all audio, in 0..1."""
        return max(self.input.peak, self.output.peak)

    def ticks(self, axis: Axis) -> dict[str, Ticks]:
        """Return the events of each of `TICK_LANES`; deltas of audio are not among them."""
        part = self._in_sight(axis)
        return {lane: _ticks(part[_in_lane(part, lane)], axis) for lane in TICK_LANES}

    def names(self, axis: Axis) -> dict[str, tuple[Label, ...]]:
        """Return the types of the events that were sent and that were received, and the words of errors; not of deltas."""
        part = self._in_sight(axis)
        part = part[~part["kind"].isin(DELTA_KINDS)]
        space = LabelSpace(axis.end, axis.column, _NAME_ROWS, _NAME_COLUMNS, axis.start)
        sent = part["direction"] == SENT
        return {lane: labels(_names(part[mask]), space, joint=", ") for lane, mask in ((SENT, sent), (RECEIVED, ~sent))}

    def statuses(self, axis: Axis) -> tuple[Label, ...]:
        """Return the statuses of responses."""
        texts = [TimedText(span.start, span.label, str(place)) for place, span in enumerate(self.responses)]
        return labels(sorted(texts, key=lambda text: text.t), LabelSpace(axis.end, axis.column, 1, 0))

    def text(self, axis: Axis, rows: int) -> tuple[Label, ...]:
        """Return what the deltas of text and transcript say, where they arrived, in at most `rows` lines."""
        return self._said(self.timeline["t"][self._texts.values], axis, rows)

    def words(self, axis: Axis, rows: int) -> tuple[Label, ...]:
        """Return the same where it is heard: with the audio that came next of its item. What is not heard is left out."""
        if self._spoken is None:
            self._spoken = self._spoken_at()
        return self._said(self._spoken, axis, rows)

    def _said(self, times: Times, axis: Axis, rows: int) -> tuple[Label, ...]:
        seen = np.flatnonzero((times >= axis.start) & (times <= axis.end))
        if len(seen) > _MOST_TEXTS:
            return ()
        seen = seen[np.argsort(times[seen], kind="stable")]
        part = self.timeline[self._texts.values[seen]]
        texts = map(TimedText, times[seen].tolist(), part["text"], part["response_id"])
        return labels(texts, LabelSpace(axis.end, axis.column, rows))

    def _spoken_at(self) -> Times:
        """Return when each delta of text is heard, NaN where no audio of its item came after it, or that is not heard."""
        audio, part = self.output.times, self.timeline[self._texts.values]
        starts = np.append(np.where(audio.heard > 0, audio.start, np.nan), np.nan)  # the last where no audio follows
        keys = _keys(audio.item, audio.seq)
        order = np.append(np.argsort(keys, kind="stable"), len(keys))
        items = part["item_id"].codes
        following = order[np.searchsorted(keys, _keys(items, part["seq"]), sorter=order[:-1])]
        same = np.append(audio.item, -1)[following] == items
        return np.asarray(np.where(same, starts[following], np.nan))

    def _in_sight(self, axis: Axis) -> View:
        times: Times = self.timeline["t"][: self.rows]
        if self._ascending:
            return self.timeline[slice(*np.searchsorted(times, (axis.start, np.nextafter(axis.end, math.inf))))]
        return self.timeline[np.flatnonzero((times >= axis.start) & (times <= axis.end))]

    def row_at(self, lane: str, t: float) -> int | None:
        """Return the seq of the row of a lane that is nearest to a time; None where the lane is empty."""
        if lane in ("user", "heard"):
            times = (self.input if lane == "user" else self.output).times
            begun = np.flatnonzero(times.start <= t)
            return int(times.seq[begun[-1] if len(begun) else 0]) if len(times.seq) else None
        part = self.timeline[: self.rows]
        found = part[_in_lane(part, lane)]
        distances = np.abs(found["t"] - t)
        return int(found["seq"][np.nanargmin(distances)]) if np.isfinite(distances).any() else None


def _keys(items: npt.NDArray[np.int32], seqs: Places) -> Places:
    """Return a number for each row that sorts rows by item, and those of one item by their seq."""
    return (items.astype(np.int64) << 40) + seqs


def _in_lane(part: View, lane: str) -> Mask:
    """Return which rows are events of a lane."""
    kinds: Categorical = part["kind"]
    match lane:
        case "arrived":
            return kinds == str(Kind.AUDIO_DELTA)
        case "text":
            return kinds.isin(_TEXT_KINDS)
        case "errors":
            return part.failed
    return np.asarray((part["direction"] == lane) & ~kinds.isin((*_TEXT_KINDS, *_AUDIO_KINDS)))


def _ticks(part: View, axis: Axis) -> Ticks:
    order = np.argsort(part["t"], kind="stable")
    part = part[order]
    pixel = np.floor((part["t"] - axis.start) / axis.step)
    first = np.flatnonzero(np.diff(pixel, prepend=-1))
    failed = part.failed
    counts = np.diff(first, append=len(pixel))
    return Ticks(
        part["t"][first],
        counts,
        list(part["type"][first]),
        np.logical_or.reduceat(failed, first) if len(first) else failed,
    )


def _names(part: View) -> Iterator[TimedText]:
    failed = part.failed.tolist()
    for t, wire, text, error in zip(part["t"].tolist(), part["type"], part["text"], failed, strict=True):
        if error:
            yield TimedText(t, one_line(text or wire, _MESSAGE), Kind.ERROR, loud=True)
        else:
            yield TimedText(t, one_line(wire, _LABEL))
