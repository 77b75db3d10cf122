"""Where marks, words and sound go along a time axis: numbers and strings in, numbers and strings out."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Times = npt.NDArray[np.float64]
Envelope = tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]
# A gap of so many times the length of a piece is not the pace of its arrival, but the end of it.
_PAUSE = 2.0
# Columns below which a label says nothing, and up to which it stays on one line.
_FEWEST_COLUMNS, _SHORT = 10, 12


@dataclass(frozen=True, slots=True)
class Runs:
    """Marks on a time axis, those too close to be told apart merged into one.

    Attributes
    ----------
    start, end : ndarray of float64, shape (n,)
        First and last mark of each run, in seconds; the same for a mark that stands alone.
    count : ndarray of int64, shape (n,)
        Marks in each run.
    """

    start: Times
    end: Times
    count: npt.NDArray[np.int64]


def merged(times: Times, gap: float) -> Runs:
    """Return marks at ascending `times` as runs: two marks not more than `gap` seconds apart are in one."""
    if not len(times):
        return Runs(times, times, np.zeros(0, np.int64))
    breaks = np.flatnonzero(np.diff(times) > gap) + 1
    first = np.concatenate(([0], breaks))
    last = np.concatenate((breaks, [len(times)])) - 1
    return Runs(times[first], times[last], last - first + 1)


def arrival_widths(arrivals: Times, durations: Times) -> Times:
    """Return the seconds of the axis over which to draw each piece of sound where it arrived.

    A piece reaches to the arrival of the next one, so that sound which arrives faster than it plays looks as squeezed as
    it came. None is drawn longer than it lasts, and the last one before a pause is squeezed like the one before it.
    """
    gaps = np.diff(arrivals, append=np.inf)
    rates = np.divide(gaps, durations, out=np.ones_like(gaps), where=durations > 0)
    told = np.maximum.accumulate(np.where(rates < _PAUSE, np.arange(len(rates)), -1))
    return durations * np.where(told >= 0, np.minimum(rates[told], 1), 1)


@dataclass(frozen=True, slots=True)
class Wave:
    """The envelope of sound on a time axis.

    Attributes
    ----------
    t : ndarray of float64, shape (n,)
        Where each step begins, ascending, in seconds; where two are farther apart than `step`, there is no sound between.
    step : float
        Seconds that a step lasts.
    low, high : ndarray of float32, shape (n,)
        In -1..1.
    """

    t: Times
    step: float
    low: npt.NDArray[np.float32]
    high: npt.NDArray[np.float32]

    @property
    def peak(self) -> float:
        """Return the greatest magnitude, 0 where there is no sound."""
        return float(max(-self.low.min(initial=0), self.high.max(initial=0)))

    def outline(self) -> tuple[Times, Times, Times]:
        """Return x, lower and upper y of the filled shape: both edges of each step, and NaN where the sound stops."""
        x, low, high = (np.repeat(np.asarray(values, np.float64), 2) for values in (self.t, self.low, self.high))
        x[1::2] += self.step
        gaps = 2 * (np.flatnonzero(np.diff(self.t) > 1.5 * self.step) + 1)
        return tuple(np.insert(values, gaps, np.nan) for values in (x, low, high))  # type: ignore[return-value]


def bins_for(duration: float, step: float) -> int:
    """Return how many stretches a piece of sound must be measured in to be drawn in steps of `step` seconds."""
    return max(1, int(np.ceil(duration / step)))


def placed(starts: Times, widths: Times, envelopes: Sequence[Envelope], step: float) -> Wave:
    """Return pieces of sound as one wave in steps of `step` seconds, each piece drawn from its start over its width.

    Parameters
    ----------
    starts, widths : ndarray of float64, shape (n,)
        Seconds.
    envelopes : sequence of (low, high), length n
        Each measured in equal stretches of its piece, `bins_for` of them or more.
    """
    if not envelopes:
        nothing = np.zeros(0, np.float32)
        return Wave(np.zeros(0), step, nothing, nothing)
    bins = np.array([len(low) for low, _ in envelopes])
    within = np.arange(bins.sum()) - np.repeat(np.cumsum(bins) - bins, bins)
    middles = np.repeat(starts, bins) + (within + 0.5) / np.repeat(bins, bins) * np.repeat(widths, bins)
    steps = np.floor(middles / step).astype(np.int64)
    order = np.argsort(steps, kind="stable")
    drawn, first = np.unique(steps[order], return_index=True)
    low = np.concatenate([low for low, _ in envelopes])[order]
    high = np.concatenate([high for _, high in envelopes])[order]
    return Wave(drawn * step, step, np.minimum.reduceat(low, first), np.maximum.reduceat(high, first))


@dataclass(frozen=True, slots=True)
class Piece:
    """Words that belong to a time.

    Attributes
    ----------
    group : str
        Pieces of one group may share a label.
    loud : bool
        Whether its label may not be cut short by a later one that is not loud.
    """

    t: float
    text: str
    group: str = ""
    loud: bool = False


@dataclass(frozen=True, slots=True)
class Label:
    """Words placed on a time axis, in lines that fit there."""

    t: float
    lines: tuple[str, ...]
    group: str = ""
    loud: bool = False


@dataclass(frozen=True, slots=True)
class Room:
    """What a lane offers to its labels.

    Attributes
    ----------
    end : float
        Where the axis ends, in seconds.
    column : float
        Seconds that a character takes.
    rows : int
        Lines that a label may have.
    most : int or None
        Columns after which a label gives way to the next, and its words are cut; None where all words matter, so that
        later ones are added to it as long as they would run into it.
    """

    end: float
    column: float
    rows: int
    most: int | None = None

    def fits_after(self, current: _Gathered, piece: Piece) -> bool:
        """Return whether `piece` comes when the label at hand has had its room; the last words must have room themselves."""
        had_its_room = piece.t >= current.first.t + self.column * current.columns(self)
        if self.most is not None:
            return had_its_room
        return had_its_room and (
            piece.group != current.first.group or piece.t + _FEWEST_COLUMNS * self.column <= self.end
        )


def labels(pieces: Iterable[Piece], room: Room, *, joint: str = "") -> tuple[Label, ...]:
    """Return words placed where they belong, gathered and cut so that no label runs into the next.

    Parameters
    ----------
    pieces : iterable of Piece
        By ascending time.
    room : Room
    joint : str
        What stands between two pieces in one label.
    """
    gathered: list[_Gathered] = []
    for piece in pieces:
        current = gathered[-1] if gathered else None
        if current is None or room.fits_after(current, piece):
            gathered.append(_Gathered(piece))
        elif piece.group == current.first.group:
            current.add(joint + piece.text, room)
        elif piece.loud or not current.first.loud:
            gathered.append(_Gathered(piece))
    limits = [*(later.first.t for later in gathered[1:]), room.end]
    fitted = [label.fitted(limits[place], room) for place, label in enumerate(gathered)]
    return tuple(label for label in fitted if label.lines)


class _Gathered:
    """A label in the making."""

    def __init__(self, first: Piece) -> None:
        self.first = first
        self.texts = [first.text]
        self.length = len(first.text)

    def add(self, text: str, room: Room) -> None:
        # Beyond what the whole axis can hold there is nothing to gain.
        if self.length * room.column < 2 * room.rows * (room.end - self.first.t):
            self.texts.append(text)
            self.length += len(text)

    def columns(self, room: Room) -> float:
        """Return how wide the label is to be, roughly: lines break at words, so they are not quite full."""
        wanted = self.length if self.length <= _SHORT else max(_SHORT, 1.25 * self.length / room.rows)
        return (wanted if room.most is None else min(wanted, room.most)) + 2

    def fitted(self, limit: float, room: Room) -> Label:
        first = self.first
        split = room.most is None or first.loud
        lines = wrap("".join(self.texts), int((limit - first.t) / room.column), room.rows, split=split)
        return Label(first.t, lines, first.group, first.loud)


def columns_of(text: str) -> int:
    """Return how many columns `text` takes: characters of East Asian scripts are twice as wide as others."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def wrap(text: str, columns: int, rows: int, *, split: bool = True) -> tuple[str, ...]:
    """Return `text` in at most `rows` lines of at most `columns` columns, broken at spaces, an ellipsis where it is cut.

    A word longer than a line is broken, too, or, without `split`, cut away. Nothing comes back where nothing fits.
    """
    if columns < min(_FEWEST_COLUMNS, columns_of(text[:_FEWEST_COLUMNS])):
        return ()
    lines = [""]
    for word in _words(text, columns, rows, split):
        joined = f"{lines[-1]} {word}" if lines[-1] else word
        if columns_of(joined) <= columns:
            lines[-1] = joined
        elif columns_of(word) > columns or len(lines) == rows:
            lines[-1] = _head(lines[-1], columns - 1).rstrip() + "…" if lines[-1] else ""
            break
        else:
            lines.append(word)
    return tuple(line for line in lines if line)


def _words(text: str, columns: int, rows: int, split: bool) -> Iterator[str]:
    """Yield the words of `text`, as many as could be shown and one more, those too long for a line in parts."""
    for word in text[: (columns + 1) * (rows + 1)].split():
        while split and columns_of(word) > columns:
            head = _head(word, columns)
            yield head
            word = word[len(head) :]
        if word:
            yield word


def _head(word: str, columns: int) -> str:
    """Return as much of `word` as fits into `columns`."""
    taken = 0
    for index, character in enumerate(word):
        taken += columns_of(character)
        if taken > columns:
            return word[:index]
    return word
