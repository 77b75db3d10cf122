"""Labels on a time axis: texts placed where they belong, gathered, wrapped and cut so that none runs into the next."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

# Columns below which a label says nothing, and up to which it stays on one line.
_FEWEST_COLUMNS, _SHORT = 10, 12
_MOST_MOVED = 60  # columns by which a loud label moves to the left, at most


@dataclass(frozen=True, slots=True)
class TimedText:
    """A text that belongs to a time.

    Attributes
    ----------
    t : float
        Seconds.
    text : str
    group : str
        Texts of one group may share a label.
    loud : bool
        Whether its label may not be cut short by a later one that is not loud, nor left out for want of room.
    """

    t: float
    text: str
    group: str = ""
    loud: bool = False


@dataclass(frozen=True, slots=True)
class Label:
    """A text placed on a time axis, in lines that fit there."""

    t: float
    lines: tuple[str, ...]
    group: str = ""
    loud: bool = False


@dataclass(frozen=True, slots=True)
class LabelSpace:
    """The space that a lane has for labels.

    Attributes
    ----------
    end : float
        Where the axis ends, in seconds.
    column : float
        Seconds that a character takes.
    rows : int
        Lines that a label may have.
    most : int or None
        Columns after which a label gives way to the next, and its text is cut; None where all texts matter, so that
        later ones are added to it as long as they would run into it.
    start : float
        Where the axis begins, in seconds.
    """

    end: float
    column: float
    rows: int
    most: int | None = None
    start: float = 0.0


def labels(texts: Iterable[TimedText], space: LabelSpace, *, joint: str = "") -> tuple[Label, ...]:
    """Return texts as labels.

    Parameters
    ----------
    texts : iterable of TimedText
        By ascending time.
    space : LabelSpace
    joint : str
        What stands between two texts in one label.
    """
    drafts: list[_Draft] = []
    for text in texts:
        current = drafts[-1] if drafts else None
        if current is not None and not current.leaves_room_for(text):
            if text.group == current.first.group:
                current.add(joint + text.text)
                continue
            if current.first.loud and not text.loud:
                continue
        draft = _Draft(text, space)
        while text.loud and drafts and not drafts[-1].first.loud and drafts[-1].t >= draft.t:
            drafts.pop()
        drafts.append(draft)
    limits = [*(later.t for later in drafts[1:]), space.end]
    fitted = [draft.fitted(limit) for draft, limit in zip(drafts, limits, strict=False)]
    return tuple(label for label in fitted if label.lines)


class _Draft:
    """A label to which texts are still added. A loud one without room before the end of the axis moves to the left."""

    def __init__(self, first: TimedText, space: LabelSpace) -> None:
        self.first = first
        self._space = space
        self._texts = [first.text]
        self._length = len(first.text)
        self.t = first.t
        if first.loud:
            moved = space.end - space.column * min(self._length + 2, _MOST_MOVED)
            self.t = min(self.t, max(moved, space.start))

    def add(self, text: str) -> None:
        # More than the whole axis can hold is not shown anyway.
        if self._length * self._space.column < 2 * self._space.rows * (self._space.end - self.t):
            self._texts.append(text)
            self._length += len(text)

    def _columns(self) -> float:
        """Return how wide the label is to be: lines break at words, so they are not quite full."""
        length = self._length
        return (length if length <= _SHORT else max(_SHORT, 1.25 * length / self._space.rows)) + 2

    def leaves_room_for(self, text: TimedText) -> bool:
        """Return whether `text` comes after this label's columns, so that it begins a label; the last needs room itself."""
        space, columns = self._space, self._columns()
        if text.t < self.t + space.column * (columns if space.most is None else min(columns, space.most + 2)):
            return False
        return (
            space.most is not None
            or text.group != self.first.group
            or text.t + _FEWEST_COLUMNS * space.column <= space.end
        )

    def fitted(self, limit: float) -> Label:
        """Return the label, to end at `limit` seconds; without lines where nothing fits."""
        first, space = self.first, self._space
        split = space.most is None or first.loud
        columns = int((limit - self.t) / space.column + 1e-9)
        return Label(self.t, wrap("".join(self._texts), columns, space.rows, split=split), first.group, first.loud)


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
        yield word


def _head(word: str, columns: int) -> str:
    """Return as much of `word` as fits into `columns`."""
    taken = 0
    for index, character in enumerate(word):
        taken += columns_of(character)
        if taken > columns:
            return word[:index]
    return word
