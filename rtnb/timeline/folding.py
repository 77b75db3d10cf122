"""Runs of deltas as one row each: what a person reads, and from which every frame can still be reached."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rtnb.protocol.names import DELTA_KINDS
from rtnb.timeline.view import View


@dataclass(frozen=True, slots=True)
class Fold:
    """One row of a folded timeline: a single event, or a run of deltas of one kind and item.

    Attributes
    ----------
    seqs : tuple of int
        The rows that it stands for, in order; ``timeline.raw(seq)`` is each one's frame.
    direction, type, kind, response_id, item_id : str
        What they have in common.
    t, until : float
        When the first and the last of them came, in seconds.
    bytes : int
        Size of their frames together.
    audio_ms : float
        Milliseconds of audio that they carry together, NaN if none.
    text : str
        What they say, joined.
    late_ms : float
        The worst doubt about their times.
    problems : tuple of str
        What is wrong with any of them.
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

    @property
    def count(self) -> int:
        """Return how many rows it stands for."""
        return len(self.seqs)


def fold(view: View) -> list[Fold]:
    """Fold a table.

    Consecutive deltas are a run, whatever their kinds: transcript and audio of one answer come interleaved, and so do the
    answer and the microphone. In a run, the rows of one direction, type, response and item are one fold, in order of first
    appearance. Any other event is a fold of its own and ends the run.
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
    """The columns of a table, each taken out once."""

    def __init__(self, view: View) -> None:
        self._of = {name: view[name] for name in view.columns if name not in ("time", "event_id")}
        self._late = view.late_ms
        self._problems = view.problems

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
        )


def _total(audio_ms: NDArray[np.float64]) -> float:
    known = audio_ms[~np.isnan(audio_ms)]
    return float(known.sum()) if known.size else math.nan
