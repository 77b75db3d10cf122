"""`Stage`: a growing timeline as lanes, and the part of it that a browser draws, never more than its pixels can show."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from rtnb.formatting import one_line
from rtnb.notebook.lanes import ERROR_KINDS
from rtnb.notebook.placement import Label, Piece, Room, Times, labels
from rtnb.notebook.speech_track import SpeechTrack
from rtnb.notebook.story_track import StoryTrack, Stretch
from rtnb.protocol.events import SENT
from rtnb.protocol.names import Kind

if TYPE_CHECKING:
    from rtnb.timeline.categorical import Categorical, Mask
    from rtnb.timeline.timeline import Timeline
    from rtnb.timeline.view import View

_TEXT_KINDS = (Kind.TEXT_DELTA, Kind.TRANSCRIPT_DELTA)
_SOUND_KINDS = (Kind.AUDIO_DELTA, Kind.INPUT_APPEND)
_MOST = 400  # stretches of one lane that are worth drawing; where there are more, they are too narrow to be told apart
_MOST_WORDS = 3000
_COLUMN = 6.6  # pixels that a character takes
_SHORTEST = 0.05


@dataclass(frozen=True, slots=True)
class Axis:
    """The part of the time axis that is drawn: seconds, and how many pixels they take."""

    start: float
    end: float
    pixels: int

    @property
    def step(self) -> float:
        """Return the seconds of a pixel."""
        return (self.end - self.start) / self.pixels


class Stage:
    """The lanes of a timeline that grows.

    Parameters
    ----------
    timeline : Timeline
    """

    def __init__(self, timeline: Timeline) -> None:
        self.timeline = timeline
        self.looked_at = 0
        self._asked = SpeechTrack(timeline, Kind.INPUT_APPEND)
        self._answered = SpeechTrack(timeline, Kind.AUDIO_DELTA)
        self.story = StoryTrack()
        self._first = self._last = math.nan
        self._heard: tuple[Times, Times, Times] = (np.zeros(0), np.zeros(0), np.zeros(0))
        self._said = self._heard

    def advance(self) -> bool:
        """Take in the rows that have come since the last time; return whether there were any."""
        until = len(self.timeline)
        if until == self.looked_at:
            return False
        part = self.timeline[self.looked_at : until]
        self._asked.advance(part)
        self._answered.advance(part)
        self.story.advance(part)
        times = part["t"]
        times = times[np.isfinite(times)]
        if len(times):
            self._first = np.fmin(self._first, times.min())
            self._last = np.fmax(self._last, times.max())
        self._said = self._asked.heard({})
        self._heard = self._answered.heard(self.story.truncated)
        self.looked_at = until
        return True

    @property
    def whole(self) -> tuple[float, float]:
        """Return when the first event came and when the last came or the last sound was heard, in seconds."""
        start = 0.0 if math.isnan(self._first) else min(self._first, 0.0) if self._first < 5 else self._first
        last = 1.0 if math.isnan(self._last) else self._last
        sounds = [float((starts + kept).max(initial=last)) for starts, kept, _ in (self._said, self._heard)]
        return float(start), float(max(start + _SHORTEST, *sounds))

    def scene(self, axis: Axis) -> dict[str, Any]:
        """Return what is to be drawn between two times: plain values, and bytes for what is many.

        ``waves`` are int8, (2, pixels): the least and the greatest sample of each pixel, 127 and -128 where there is no
        sound. ``ticks`` are uint16, (3, n): pixel, count, which of ``types`` comes first there. Times are in seconds.
        """
        begins, kept, length = self._heard
        span = (axis.start, axis.end, axis.pixels)
        nothing = np.zeros_like(kept)
        waves = {
            "user": self._asked.wave(self._said[0], self._said[2], span),
            "arrived": self._answered.wave(*self._answered.arrived(), span),
            "heard": self._answered.wave(begins, length, span, part=(nothing, kept)),
        }
        if self.story.truncated:
            waves["unheard"] = self._answered.wave(begins, length, span, part=(kept, length))
        ticks, types = self._ticks(axis)
        return {
            "start": axis.start,
            "end": axis.end,
            "pixels": axis.pixels,
            "peak": max(self._asked.peak, self._answered.peak),
            "waves": waves,
            "ticks": ticks,
            "types": types,
            "speech": _stretches(self.story.speech, axis),
            "responses": _stretches(self.story.responses, axis),
            "tools": _stretches(self.story.tools, axis),
            "errors": _stretches(self.story.errors, axis),
            "words": self._written(self.story.said.values, axis, rows=2),
            "spoken": self._written(self._spoken(), axis, rows=2),
        }

    def _ticks(self, axis: Axis) -> tuple[dict[str, bytes], list[str]]:
        part = self._between(axis)
        kinds, directions = part["kind"], part["direction"]
        words = kinds.isin(_TEXT_KINDS)
        plain = ~(words | kinds.isin(_SOUND_KINDS))
        types: dict[str, int] = {}
        chosen: dict[str, Mask] = {
            "sent": plain & (directions == SENT),
            "received": plain & (directions != SENT),
            "text": words,
        }
        return {lane: _merged(part[mask], axis, types) for lane, mask in chosen.items()}, list(types)

    def _between(self, axis: Axis) -> View:
        t = self.timeline["t"][: self.looked_at]
        return self.timeline[np.flatnonzero((t >= axis.start) & (t < axis.end))]

    def _written(self, times: Times, axis: Axis, rows: int) -> list[list[Any]]:
        """Return ``[t, lines]`` for the words in sight, if they can be read at this zoom, placed so that none runs into another."""
        seen = np.flatnonzero((times >= axis.start) & (times < axis.end))
        if len(seen) > _MOST_WORDS:
            return []
        seen = seen[np.argsort(times[seen], kind="stable")]
        words = ((float(times[place]), self.story.words[place]) for place in seen.tolist())
        room = Room(axis.end, _COLUMN * axis.step, rows)
        made: tuple[Label, ...] = labels((Piece(t, word.text, word.response) for t, word in words), room)
        return [[label.t, [one_line(line, 200) for line in label.lines]] for label in made]

    def _spoken(self) -> Times:
        """Return when the sound begins that came after each word, NaN where none did."""
        piece = self.story.spoken_by.values
        begins = np.append(self._heard[0], np.nan)  # where -1 points at
        return np.asarray(begins[piece])

    def row_at(self, lane: str, t: float) -> int | None:
        """Return the seq of the row of a lane that is nearest to a time; None where the lane is empty."""
        if lane in ("user", "heard"):
            track, (starts, _, _) = (self._asked, self._said) if lane == "user" else (self._answered, self._heard)
            begun = np.flatnonzero(starts <= t)
            return int(track.seq[begun[-1] if len(begun) else 0]) if len(track) else None
        part = self.timeline[: self.looked_at]
        found = part[self._of_lane(part, lane)]
        times = np.abs(found["t"] - t)
        return int(found["seq"][np.nanargmin(times)]) if np.isfinite(times).any() else None

    @staticmethod
    def _of_lane(part: View, lane: str) -> Mask:
        kinds: Categorical = part["kind"]
        sent: Mask = part["direction"] == SENT
        match lane:
            case "arrived":
                return kinds == str(Kind.AUDIO_DELTA)
            case "text":
                return kinds.isin(_TEXT_KINDS)
            case "errors":
                return kinds.isin(ERROR_KINDS)
        plain = ~kinds.isin((*_TEXT_KINDS, *_SOUND_KINDS))
        return np.asarray(plain & (sent if lane == "sent" else ~sent))


def _merged(part: View, axis: Axis, types: dict[str, int]) -> bytes:
    """Return ticks as uint16, (3, n): those of one pixel are one, named after the first."""
    pixel = np.floor((part["t"] - axis.start) / axis.step).astype(np.int64)
    places, first, count = np.unique(pixel, return_index=True, return_counts=True)
    names = [types.setdefault(one_line(name, 80), len(types)) for name in part["type"][first]]
    columns = (np.minimum(places, axis.pixels - 1), np.minimum(count, 65_535), np.minimum(names, 65_535))
    table: npt.NDArray[np.uint16] = np.array(columns).astype("<u2").reshape(3, -1)
    return table.tobytes()


def _stretches(stretches: list[Stretch], axis: Axis) -> list[list[Any]]:
    """Return ``[start, end, seq, label, state]`` of those in sight; `end` is None for what has not ended."""
    seen = [
        each
        for each in stretches
        if each.start < axis.end and not each.end < axis.start  # an end of NaN is not before
    ]
    thinned = seen[:: max(1, math.ceil(len(seen) / _MOST))]
    return [
        [each.start, None if math.isnan(each.end) else each.end, each.seq, each.label, each.state] for each in thinned
    ]
