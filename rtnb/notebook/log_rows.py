"""`LogRows`: the rows of a timeline that an event log shows, and their cells and details as plain values."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rtnb.formatting import one_line, seconds, short_id
from rtnb.notebook.growing_arrays import GrowingArray
from rtnb.protocol.events import Event, shown_fields
from rtnb.protocol.names import DELTA_KINDS
from rtnb.timeline import selection
from rtnb.timeline.grouping import Following
from rtnb.timeline.rendering import LATE_MS

if TYPE_CHECKING:
    from rtnb.timeline.categorical import Mask
    from rtnb.timeline.timeline import Timeline
    from rtnb.timeline.view import View

_WORD = re.compile(r'(?P<not>-?)(?:"(?P<phrase>[^"]*)"?|(?P<word>\S+))')
_CONTENT, _TYPE = 240, 80
_WHOLE = 400_000  # characters of one row that a browser is given


@dataclass(frozen=True, slots=True)
class LogFilter:
    """Which rows a log shows.

    Attributes
    ----------
    text : str
        Words that must all match. One with a ``*`` is a glob for the type, in either dialect's spelling; any other is
        searched in type and content, ignoring case. ``"two words"`` stay together, and ``-word`` must be absent.
    direction : str
        ``"sent"``, ``"received"``, ``"local"``, or empty for all.
    deltas : bool
        Whether deltas are shown.
    follow : str
        The id of a response, an item, a call or an event: only what belongs to it; empty for all.
    """

    text: str = ""
    direction: str = ""
    deltas: bool = True
    follow: str = ""


class LogRows:
    """The rows of a growing timeline that a filter lets through, kept as their places.

    Parameters
    ----------
    timeline : Timeline
    chosen : LogFilter
    """

    def __init__(self, timeline: Timeline, chosen: LogFilter | None = None) -> None:
        self.timeline = timeline
        self.filter = chosen or LogFilter()
        self.looked_at = 0
        self._places = GrowingArray(np.int64)
        self._following = Following(self.filter.follow) if self.filter.follow else None

    def __len__(self) -> int:
        return len(self._places)

    @property
    def places(self) -> NDArray[np.int64]:
        """Return where in the timeline the rows are, int64, shape (rows,)."""
        return self._places.values

    def advance(self) -> bool:
        """Filter the rows that have come since the last call; return whether there were any."""
        until = len(self.timeline)
        if until == self.looked_at:
            return False
        part = self.timeline[self.looked_at : until]
        self._places.extend(np.flatnonzero(self._mask(part)) + self.looked_at)
        self.looked_at = until
        return True

    def cells(self, first: int, count: int) -> list[list[Any]]:
        """Return rows `first` to ``first + count`` as lists of plain values.

        Each is ``[seq, direction, t, late, type, bytes, audio, content, wrong]``: the direction's first letter, seconds or
        None, whether the time is in doubt, words on one line, and whether the row is a failure or has a problem.
        """
        first = max(first, 0)
        part = self.timeline[self.places[first : first + count]]
        problems = part.problems
        columns = (part[name] for name in ("seq", "direction", "t", "type", "bytes", "audio_ms", "text"))
        rows = zip(*columns, part.late_ms, part.failed, strict=True)
        return [
            [
                int(seq),
                direction[0],
                float(t) if math.isfinite(t) else None,
                bool(late > LATE_MS),
                one_line(wire, _TYPE),
                int(size),
                "" if math.isnan(audio_ms) else seconds(audio_ms / 1000),
                _content(text, problems.get(int(seq), "")),
                bool(error) or int(seq) in problems,
            ]
            for seq, direction, t, wire, size, audio_ms, text, late, error in rows
        ]

    def place_of(self, seq: int) -> int:
        """Return the place of the row with `seq` among the shown rows, -1 if the filter hides it."""
        found = np.flatnonzero(self.timeline["seq"][self.places] == seq)
        return int(found[0]) if len(found) else -1

    def event(self, seq: int) -> Event:
        """Return the event with `seq`, shown or not.

        Raises
        ------
        IndexError
            If the timeline has none.
        """
        found = np.flatnonzero(self.timeline["seq"] == seq)
        if not len(found):
            raise IndexError(f"There is no row with seq {seq}: the timeline has {len(self.timeline):,} rows.")
        return self.timeline[int(found[0])]

    def _mask(self, part: View) -> Mask:
        mask = np.ones(len(part), bool)
        if self._following is not None:
            mask &= self._following.mask(part)
        if self.filter.direction:
            mask &= part["direction"] == self.filter.direction
        if not self.filter.deltas:
            mask &= ~part["kind"].isin(DELTA_KINDS)
        for found in _WORD.finditer(self.filter.text):
            word = found["phrase"] if found["phrase"] is not None else found["word"]
            if word not in ("", "-"):  # an unfinished word filters nothing
                fits = _fits(part, word)
                mask &= ~fits if found["not"] else fits
        return mask


def _fits(part: View, word: str) -> Mask:
    """Return which rows match a word of the filter."""
    if "*" in word:
        return np.asarray(
            part["type"].where(selection.type_matcher(word)) | part["kind"].where(selection.kind_matcher(word))
        )
    accepts = selection.text_matcher(word)
    named = part["type"].where(accepts) | part["kind"].where(accepts)
    return np.asarray(named | np.fromiter(map(accepts, part["text"]), bool, len(part)))


def _content(text: str, problem: str) -> str:
    words = one_line(text, _CONTENT)
    warning = one_line(problem, _CONTENT)
    if not warning:
        return words
    return f"⚠ {warning}" if words in ("", warning) else f"⚠ {warning} · {words}"


def details(event: Event) -> dict[str, Any]:
    """Return one whole row for the browser: ``json`` if it is valid JSON of acceptable length, else ``words``.

    Audio and images are replaced by words. ``follow`` lists the ids in the row that a log can be narrowed to.
    """
    found: dict[str, Any] = {
        "seq": event.seq,
        "direction": event.direction,
        "t": event.t if math.isfinite(event.t) else None,
        "type": one_line(event.type, _TYPE),
        "problem": one_line(event.problem, _CONTENT),
        "bytes": len(event.raw),
        "follow": _follow(event),
    }
    shown: dict[str, Any] = {}
    try:
        shown = shown_fields(event)
        text = json.dumps(shown, default=str)
    except (RecursionError, ValueError):
        text = ""
    if shown and text and len(text) <= _WHOLE:
        return {**found, "json": text}
    raw = event.raw[:_WHOLE].decode("utf-8", "backslashreplace")
    return {**found, "words": raw + (f"\n… cut: {len(event.raw):,} bytes in all" if len(event.raw) > _WHOLE else "")}


def _follow(event: Event) -> list[list[str]]:
    """Return ``[noun, id, shortened id]`` for each id in the row."""
    call = event.text("call_id") or _text(event.part("item").get("call_id"))
    about = _text(event.part("error").get("event_id"))
    named = {
        "response": event.response_id,
        "item": event.item_id,
        "call": call,
        "event": about or event.event_id,
    }
    return [[noun, each, one_line(short_id(each), 24)] for noun, each in named.items() if each and _sendable(each)]


def _sendable(identifier: str) -> bool:
    """Return whether an id can be sent to a browser and back: one with a lone surrogate cannot."""
    return not any("\ud800" <= each <= "\udfff" for each in identifier)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
