"""What a microphone has taken: a table of its pieces, with the time at which each was spoken and at which it arrived."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rtnb import formatting

_SHOWN = 8
_TOLERANCE = 0.02  # seconds; less is the clock's own unrest
COLUMNS = ("run", "seq", "captured", "arrived", "seconds", "level")


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of sound from the microphone.

    Attributes
    ----------
    run, seq : int
        The how-many-eth start of the microphone, and the how-many-eth piece of it.
    clock : float
        When its first sample was taken, by the browser's clock, in seconds; NaN where no browser took it.
    arrived : float
        When it came here, in seconds of the session's clock.
    seconds : float
        How long it is.
    level : float
        Root mean square, as a fraction of full scale.
    """

    run: int
    seq: int
    clock: float
    arrived: float
    seconds: float
    level: float


class BrowserClock:
    """What the browser's clock shows when the session's shows 0, found by asking it; the fastest answer counts."""

    def __init__(self) -> None:
        self.answers = 0
        self.offset = math.nan
        self.doubt = math.inf
        self._asked: dict[int, float] = {}

    def ask(self, now: float) -> int:
        """Note that the browser is asked at `now` (seconds of the session's clock); return the question's number."""
        number = len(self._asked) + 1
        self._asked[number] = now
        return number

    def answer(self, number: int, shown: float, now: float) -> None:
        """Take the browser's answer: its clock showed `shown` seconds."""
        asked = self._asked.get(number)
        if asked is None:
            return
        self.answers += 1
        if now - asked < 2 * self.doubt:
            self.doubt = (now - asked) / 2
            self.offset = shown - (asked + now) / 2


class CapturedChunks:
    """The pieces of one microphone as a table.

    The columns: run, seq, captured and arrived (seconds of the session's clock, as the timeline's ``t``), seconds, level.
    `captured` is NaN where the clocks could not be compared.
    """

    columns = COLUMNS

    def __init__(self, clock: BrowserClock | None = None) -> None:
        self.clock = clock or BrowserClock()
        self._chunks: list[Chunk] = []
        self.gaps = 0

    def add(self, chunk: Chunk) -> None:
        """Add a piece, and see whether something is missing before it."""
        before = self._chunks[-1] if self._chunks else None
        if before is not None and before.run == chunk.run:
            late = chunk.clock - (before.clock + before.seconds)
            self.gaps += chunk.seq != before.seq + 1 or late > _TOLERANCE
        elif chunk.seq:
            self.gaps += 1
        self._chunks.append(chunk)

    def __len__(self) -> int:
        return len(self._chunks)

    def __getitem__(self, column: str) -> npt.NDArray[Any]:
        """Return a column.

        Raises
        ------
        KeyError
            If there is no such column.
        """
        if column not in COLUMNS:
            raise KeyError(f"There is no column {column!r}: the columns are {', '.join(COLUMNS)}.")
        chunks = list(self._chunks)
        if column == "captured":
            return np.array([each.clock for each in chunks], float) - self.clock.offset
        kind = int if column in ("run", "seq") else float
        return np.array([getattr(each, column) for each in chunks], kind)

    @property
    def words(self) -> str:
        """Return how many pieces there are, how long they took to arrive, and how many gaps there are, in words."""
        if not self._chunks:
            return "nothing heard yet"
        delays = (self["arrived"] - self["captured"] - self["seconds"]) * 1000
        known = delays[~np.isnan(delays)]
        said = [formatting.plural(len(self), "piece"), formatting.plural(self.gaps, "gap")]
        if len(known):
            said.append(
                f"arrived {np.median(known):.0f} ms after it was spoken (median; clocks ±{self.clock.doubt * 1000:.0f} ms)"
            )
        return ", ".join(said)

    def _rows(self) -> list[list[str]]:
        start = max(len(self) - _SHOWN, 0)
        columns = [self[name][start:] for name in COLUMNS]
        return [
            [f"{value:.3f}" if isinstance(value, float) else str(value) for value in (each.item() for each in row)]
            for row in zip(*columns, strict=True)
        ]

    def __repr__(self) -> str:
        return f"<CapturedChunks {self.words}>"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        table = formatting.html_table(COLUMNS, self._rows(), right=range(len(COLUMNS)))
        return {
            "text/plain": repr(self),
            "text/html": formatting.card(formatting.muted(formatting.escape(self.words)), table),
        }
