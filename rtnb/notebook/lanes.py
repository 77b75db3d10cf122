"""What a picture of a timeline shows, and where: pure, so that it can be tested on numbers; `plots` draws it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from rtnb.audio.clip import AudioClip
from rtnb.audio.formats import FORMATS, PCM16
from rtnb.conversation.conversation import Conversation
from rtnb.formatting import one_line
from rtnb.notebook.placement import (
    Envelope,
    Label,
    Piece,
    Room,
    Runs,
    Times,
    Wave,
    arrival_widths,
    bins_for,
    labels,
    merged,
    placed,
)
from rtnb.protocol.events import LOCAL, RECEIVED, SENT
from rtnb.protocol.names import DELTA_KINDS, FAILURE_KINDS, Kind, Local
from rtnb.timeline.sound import playback_starts

if TYPE_CHECKING:
    from rtnb.timeline.categorical import Categorical, Mask
    from rtnb.timeline.timeline import Timeline

DIRECTIONS = (SENT, RECEIVED, LOCAL)

ERROR_KINDS = FAILURE_KINDS
_TEXT_KINDS = (Kind.TEXT_DELTA, Kind.TRANSCRIPT_DELTA)
_RESPONSE_KINDS = (Kind.RESPONSE_CREATED, Kind.RESPONSE_DONE, Local.CLOSE)
_WORDS_ROWS = 3
_NAMES_ROWS = 2
_NAMES_COLUMNS = 20
_SHORTEST = 0.01


@dataclass(frozen=True, slots=True)
class Span:
    """A response from its creation to its end.

    Attributes
    ----------
    start, end : float
        Seconds; the end of the axis for one that has not ended.
    status : str
        As the service says it: ``"completed"``, ``"in_progress"`` …
    """

    response_id: str
    start: float
    end: float
    status: str


@dataclass(frozen=True, slots=True)
class Lanes:
    """A timeline laid out along seconds.

    Attributes
    ----------
    events : int
        Rows of the timeline.
    start, end : float
        The axis, in seconds since the session opened; `end` is where the last event is, or the last sound is heard.
    step : float
        Seconds that are drawn as one; what is closer together is merged.
    marks : dict of str to Runs
        Events sent, received and local (`rtnb.protocol.events.SENT` …), without errors and without text and audio.
    names : dict of str to tuple of Label
        Their types as on the wire, where there is room.
    errors : dict of str to Runs
        Errors, by direction.
    text : Runs
        Deltas of text and transcript.
    words : tuple of Label
        What they say, where there is room.
    appended : Wave
        The user's audio where it was sent.
    arrived, heard : Wave
        The assistant's audio where it arrived, and where it is heard when it is played as it comes.
    responses : tuple of Span
    statuses : tuple of Label
        Their states, where there is room.
    """

    events: int
    start: float
    end: float
    step: float
    marks: dict[str, Runs]
    names: dict[str, tuple[Label, ...]]
    errors: dict[str, Runs]
    text: Runs
    words: tuple[Label, ...]
    appended: Wave
    arrived: Wave
    heard: Wave
    responses: tuple[Span, ...]
    statuses: tuple[Label, ...]


def lay_out(timeline: Timeline, *, pixels: int = 1000, columns: int = 140) -> Lanes:
    """Lay `timeline` out along seconds.

    Parameters
    ----------
    pixels : int
        Steps that the axis is wide: nothing finer is kept, so the result stays small however long the timeline is.
    columns : int
        Characters that fit side by side on the axis.
    """
    timeline = _in_order(timeline[:])
    times: Times = timeline["t"]
    appended, spoken = _Speech.of(Kind.INPUT_APPEND, timeline), _Speech.of(Kind.AUDIO_DELTA, timeline)
    start = float(times[0]) if len(times) else 0.0
    end = max(start + _SHORTEST, float(times.max(initial=start)), spoken.end) if len(times) else 1.0
    step, column = (end - start) / pixels, (end - start) / columns
    kinds, directions = timeline["kind"], timeline["direction"]
    failed, words = kinds.isin(ERROR_KINDS), kinds.isin(_TEXT_KINDS)
    plain = ~(failed | words | kinds.isin({Kind.AUDIO_DELTA, Kind.INPUT_APPEND}))
    arrived, heard = spoken.waves(timeline, step)
    spans = _spans(timeline, start, end)

    def runs(chosen: Mask) -> Runs:
        return merged(times[chosen], 2 * step)

    return Lanes(
        events=len(times),
        start=start,
        end=end,
        step=step,
        marks={name: runs((directions == name) & plain) for name in DIRECTIONS},
        errors={name: runs((directions == name) & failed) for name in DIRECTIONS},
        names={
            lane: labels(_names(timeline[mask]), Room(end, column, _NAMES_ROWS, _NAMES_COLUMNS), joint=", ")
            for lane, mask in ((SENT, directions == SENT), (RECEIVED, directions != SENT))
        },
        text=runs(words),
        words=labels(_words(timeline[words]), Room(end, column, _WORDS_ROWS)),
        appended=appended.waves(timeline, step)[0],
        arrived=arrived,
        heard=heard,
        responses=spans,
        statuses=labels([Piece(span.start, span.status, span.response_id) for span in spans], Room(end, column, 1, 0)),
    )


def _in_order(timeline: Timeline) -> Timeline:
    """Return a selection in the order of time, which it need not be in."""
    times = timeline["t"]
    return timeline if np.all(np.diff(times) >= 0) else timeline[np.argsort(times, kind="stable")]


def _spans(timeline: Timeline, start: float, end: float) -> tuple[Span, ...]:
    story = Conversation()
    for event in timeline[timeline["kind"].isin(_RESPONSE_KINDS)]:
        story.apply(event)
    spans = []
    for identifier, response in story.responses.items():
        begun = start if math.isnan(response.created_t) else response.created_t
        ended = end if math.isnan(response.done_t) else response.done_t
        spans.append(Span(identifier, begun, max(ended, begun), response.status))
    return tuple(sorted(spans, key=lambda span: span.start))


def _names(timeline: Timeline) -> Iterator[Piece]:
    """Yield the names of events; deltas are to be seen as such, so they are not named."""
    named = timeline[~timeline["kind"].isin(DELTA_KINDS)]
    failed = named["kind"].isin(ERROR_KINDS)
    for t, wire, text, error in zip(named["t"].tolist(), named["type"], named["text"], failed.tolist(), strict=True):
        if error:
            yield Piece(t, one_line(text or wire, 160), Kind.ERROR, loud=True)
        else:
            yield Piece(t, one_line(wire, 60))


def _words(timeline: Timeline) -> Iterator[Piece]:
    for t, text, response in zip(timeline["t"].tolist(), timeline["text"], timeline["response_id"], strict=True):
        yield Piece(t, text, response)


@dataclass(frozen=True, slots=True)
class _Speech:
    """One side's audio in the order in which it is heard: one response after the other.

    Attributes
    ----------
    seq : ndarray of int64, shape (n,)
        The rows that carry it.
    responses : list of str, length n
        What they belong to.
    arrived, heard, duration : ndarray of float64, shape (n,)
        Seconds.
    """

    seq: npt.NDArray[np.int64]
    responses: list[str]
    arrived: Times
    heard: Times
    duration: Times

    @classmethod
    def of(cls, kind: Kind, timeline: Timeline) -> _Speech:
        rows = timeline[timeline["kind"] == str(kind)]
        responses: Categorical = rows["response_id"]
        turn = {response: place for place, response in enumerate(responses.unique())}
        rows = rows[np.argsort([turn[response] for response in responses], kind="stable")]
        arrived, duration = rows["t"], np.nan_to_num(rows["audio_ms"]) / 1000
        return cls(rows["seq"], list(rows["response_id"]), arrived, playback_starts(arrived, duration), duration)

    @property
    def end(self) -> float:
        """Return when the last of it has been heard; minus infinity where there is none."""
        return float((self.heard + self.duration).max(initial=-math.inf))

    def waves(self, timeline: Timeline, step: float) -> tuple[Wave, Wave]:
        """Return it where it arrived and where it is heard."""
        envelopes = list(self._envelopes(timeline, step))
        order = np.argsort(self.arrived, kind="stable")
        widths = np.empty_like(self.duration)
        widths[order] = arrival_widths(self.arrived[order], self.duration[order])
        return placed(self.arrived, widths, envelopes, step), placed(self.heard, self.duration, envelopes, step)

    def _envelopes(self, timeline: Timeline, step: float) -> Iterator[Envelope]:
        """Yield the least and greatest samples of each piece; a sample split between two pieces is put together."""
        spare: dict[str, bytes] = {}
        for seq, response, duration in zip(self.seq.tolist(), self.responses, self.duration.tolist(), strict=True):
            encoding = FORMATS.get(timeline.audio_format(seq), PCM16)
            data = spare.pop(response, b"") + timeline.audio_chunk(seq)
            spare[response] = data[len(data) - len(data) % encoding.bytes_per_sample :]
            clip = AudioClip.from_bytes(data, encoding)
            yield (
                clip.envelope(bins_for(duration, step))
                if len(clip)
                else (np.zeros(1, np.float32), np.zeros(1, np.float32))
            )
