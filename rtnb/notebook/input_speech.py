"""`InputSpeech`: the part of the sent audio that belongs to each user item; reads each row of a timeline once."""

from __future__ import annotations

import bisect
import math
from collections import deque

from rtnb.audio import AudioClip
from rtnb.audio.formats import FORMATS
from rtnb.protocol.events import Event
from rtnb.protocol.names import Kind
from rtnb.timeline import Timeline

SPEECH_KINDS = (
    Kind.INPUT_COMMIT,
    Kind.INPUT_COMMITTED,
    Kind.INPUT_CLEARED,
    Kind.SPEECH_STARTED,
    Kind.SPEECH_STOPPED,
    Kind.SESSION_CREATED,
)


class InputSpeech:
    """The audio of user items, located by the milliseconds that turn detection reports, or else by the commits."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._rows: list[int] = []
        self._ends_ms: list[float] = []
        self._connection_ms = 0.0
        self._uncommitted_ms = 0.0
        self._commits: deque[float] = deque()
        self._spans: dict[str, tuple[float, float]] = {}

    @property
    def _now_ms(self) -> float:
        return self._ends_ms[-1] if self._ends_ms else 0.0

    def appended(self, row: int, audio_ms: float) -> None:
        """Read a row that appends `audio_ms` milliseconds of audio."""
        if not math.isnan(audio_ms):
            self._rows.append(row)
            self._ends_ms.append(self._now_ms + audio_ms)

    def take(self, event: Event) -> None:
        """Read an event of one of `SPEECH_KINDS`."""
        match event.kind:
            case Kind.INPUT_COMMIT:
                self._commits.append(self._now_ms)
            case Kind.INPUT_COMMITTED:
                end = self._commits.popleft() if self._commits else self._now_ms
                self._spans.setdefault(event.item_id, (self._uncommitted_ms, end))
                self._uncommitted_ms = end
            case Kind.INPUT_CLEARED:
                self._uncommitted_ms = self._now_ms
            case Kind.SPEECH_STARTED:
                self._spans[event.item_id] = (self._reported_ms(event, "audio_start_ms"), math.nan)
            case Kind.SPEECH_STOPPED:
                start = self._spans.get(event.item_id, (self._uncommitted_ms, math.nan))[0]
                self._spans[event.item_id] = (start, self._reported_ms(event, "audio_end_ms"))
            case Kind.SESSION_CREATED:
                self._connection_ms = self._uncommitted_ms = self._now_ms
                self._commits.clear()

    def _reported_ms(self, event: Event, field: str) -> float:
        reported = event.data.get(field)
        return self._connection_ms + reported if isinstance(reported, (int, float)) else self._now_ms

    def known(self, item_id: str) -> bool:
        """Return whether beginning and end of an item's speech are known."""
        return item_id in self._spans and not math.isnan(self._spans[item_id][1])

    def clip(self, item_id: str) -> AudioClip | None:
        """Return the speech of an item as it was sent; None if it is not known."""
        if not self.known(item_id) or not self._rows:
            return None
        start, end = self._spans[item_id]
        first = bisect.bisect_right(self._ends_ms, start)
        last = bisect.bisect_left(self._ends_ms, end) + 1
        rows = self._rows[first:last]
        if not rows:
            return None
        encoding = FORMATS[self._timeline.audio_format(rows[0])]
        joined = AudioClip.from_bytes(b"".join(self._timeline.audio_chunk(row) for row in rows), encoding)
        before = self._ends_ms[first - 1] if first else 0.0
        return joined.between((start - before) / 1000, (end - before) / 1000)
