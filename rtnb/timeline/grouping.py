"""Rows that belong together: a run of deltas folded into one row, and the rows of one response, item, call or event."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import orjson
from numpy.typing import NDArray

from rtnb.protocol.names import DELTA_KINDS
from rtnb.timeline.categorical import Categorical, Mask
from rtnb.timeline.view import View


@dataclass(frozen=True, slots=True)
class Fold:
    """One row of a folded timeline: a single event, or a run of deltas of one kind and item.

    Attributes
    ----------
    seqs : tuple of int
        The rows that it stands for, in order; ``timeline.raw(seq)`` is the frame of one.
    direction, type, kind, response_id, item_id : str
        The same in all of them.
    t, until : float
        Times of the first and the last of them, in seconds since the session opened.
    bytes : int
        Sum of their frames' sizes.
    audio_ms : float
        Sum of the milliseconds of audio that they carry, NaN if none.
    text : str
        Their texts, joined.
    late_ms : float
        The largest of theirs.
    problems : tuple of str
        Those of their rows, in order.
    failed : bool
        Whether one of them is a failure.
    """

    seqs: tuple[int, ...]
    direction: str
    type: str
    kind: str
    response_id: str
    item_id: str
    t: float
    until: float
    bytes: int
    audio_ms: float
    text: str
    late_ms: float
    problems: tuple[str, ...]
    failed: bool

    @property
    def count(self) -> int:
        """Return the number of rows that it stands for."""
        return len(self.seqs)


def fold(view: View) -> list[Fold]:
    """Fold a table.

    Consecutive deltas are a run, whatever their kinds: the transcript and the audio of one response come interleaved, and so
    do the response and the microphone. In a run, the rows of one direction, type, response and item are one fold, in order of
    first appearance. Any other event is a fold of its own and ends the run.
    """
    view = view[:]
    columns = _Columns(view)
    return [columns.fold(places) for places in _groups(view)]


def _groups(view: View) -> list[list[int]]:
    is_delta = view["kind"].where(DELTA_KINDS.__contains__).tolist()
    keys = zip(*(view[name].codes.tolist() for name in ("direction", "type", "response_id", "item_id")), strict=True)
    groups: list[list[int]] = []
    run: dict[tuple[int, ...], list[int]] = {}
    for place, (delta, key) in enumerate(zip(is_delta, keys, strict=True)):
        if not delta:
            run = {}
            groups.append([place])
        elif key in run:
            run[key].append(place)
        else:
            run[key] = [place]
            groups.append(run[key])
    return groups


class _Columns:
    """The columns of a table, each read once."""

    def __init__(self, view: View) -> None:
        self._of = {name: view[name] for name in view.columns if name not in ("time", "event_id")}
        self._late = view.late_ms
        self._problems = view.problems
        self._failed = view.failed

    def fold(self, places: list[int]) -> Fold:
        first, rows = places[0], np.array(places)
        seqs = tuple(self._of["seq"][rows].tolist())
        return Fold(
            seqs=seqs,
            **{name: self._of[name][first] for name in ("direction", "type", "kind", "response_id", "item_id")},
            t=float(self._of["t"][first]),
            until=float(self._of["t"][places[-1]]),
            bytes=int(self._of["bytes"][rows].sum()),
            audio_ms=_total(self._of["audio_ms"][rows]),
            text="".join(self._of["text"][rows].tolist()),
            late_ms=float(self._late[rows].max()),
            problems=tuple(self._problems[seq] for seq in seqs if seq in self._problems),
            failed=bool(self._failed[rows].any()),
        )


def _total(audio_ms: NDArray[np.float64]) -> float:
    known = audio_ms[~np.isnan(audio_ms)]
    return float(known.sum()) if known.size else math.nan


class Following:
    """Finds the rows that belong to an id, as they come.

    These are the rows of the response or item with that id, of the items of that response, and every row whose frame
    contains the id: a function call's output names the call, an error the event that caused it.

    Parameters
    ----------
    identifier : str
        A whole id.
    """

    def __init__(self, identifier: str) -> None:
        self.identifier = identifier
        self._items = {identifier}
        # With its quotation marks, so that item_1 is not found in item_12.
        self._quoted = orjson.dumps(identifier.encode("utf-8", "replace").decode())

    def mask(self, part: View) -> Mask:
        """Return the mask of the rows of `part` that belong to the id. Give the parts of a timeline in order, each once."""
        responses: Categorical = part["response_id"]
        items: Categorical = part["item_id"]
        of_response = responses == self.identifier
        self._items.update(word for word in items[of_response].unique() if word)
        frames = map(part.store.frame_without_audio, part["seq"].tolist())
        named = np.fromiter((self._quoted in frame for frame in frames), bool, len(part))
        return np.asarray(of_response | items.isin(self._items) | named)
