"""A timeline as text and as HTML: the rows at both ends of it, runs of deltas folded."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from rtnb import formatting
from rtnb.timeline.grouping import Fold, fold
from rtnb.timeline.store import DIRECTIONS
from rtnb.timeline.tables import ARROWS, COLOURS
from rtnb.timeline.view import View

LATE_MS = 20.0
"""A row whose time may be too late by more than this many milliseconds is marked."""

_ENDS = 12  # folded rows at each end
_LOOK = 2000  # rows read at each end to make that many
_CONTENT = 100
_CONTENT_OF_TEXT = 60
_HEADER = ("", "seq", "t / s", "type", "item", "size", "content")
_RIGHT = (1, 2, 5)


@dataclass(frozen=True, slots=True)
class ShownRows:
    """The folded rows of both ends, and the number of rows between them."""

    first: list[Fold]
    between: int
    last: list[Fold]


def shown(view: View) -> ShownRows:
    """Choose the rows of a snapshot to show; the cost does not grow with its length."""
    if len(view) <= 2 * _LOOK:
        folds = fold(view)
        if len(folds) <= 2 * _ENDS:
            return ShownRows(folds, 0, [])
        first, last = folds[:_ENDS], folds[-_ENDS:]
    else:
        first, last = fold(view[:_LOOK])[:_ENDS], fold(view[-_LOOK:])[-_ENDS:]
    return ShownRows(first, len(view) - sum(each.count for each in first + last), last)


def to_bundle(view: View) -> dict[str, str]:
    """Return a snapshot as text and as HTML, with the same rows."""
    parts = shown(view)
    return {"text/plain": _text(view, parts), "text/html": _html(view, parts)}


def to_text(view: View) -> str:
    """Return a snapshot as aligned text."""
    return _text(view, shown(view))


def _text(view: View, parts: ShownRows) -> str:
    rows = [_cells(each, _CONTENT_OF_TEXT) for each in parts.first]
    if parts.between:
        rows.append(["", "…", "", _gap(parts), "", "", ""])
    rows += [_cells(each, _CONTENT_OF_TEXT) for each in parts.last]
    table = formatting.text_table(_HEADER, rows, right=_RIGHT) + "\n" if rows else ""
    return table + _total(view)


def _html(view: View, parts: ShownRows) -> str:
    rows = [_html_cells(each) for each in parts.first]
    if parts.between:
        rows.append(["", "", "", formatting.muted(_gap(parts)), "", "", ""])
    rows += [_html_cells(each) for each in parts.last]
    table = formatting.html_table(_HEADER, rows, right=_RIGHT) if rows else ""
    return formatting.card(table, formatting.muted(_total(view)))


def _gap(parts: ShownRows) -> str:
    return f"… {formatting.plural(parts.between, 'row')} between …"


def _cells(row: Fold, content: int) -> list[str]:
    """Return a row's cells as text, not yet escaped."""
    late = "≈ " if row.late_ms > LATE_MS else ""
    times = f"{row.count:,} × " if row.count > 1 else ""
    return [
        ARROWS[row.direction],
        f"{row.seqs[0]}–{row.seqs[-1]}" if row.count > 1 else f"{row.seqs[0]}",
        late + ("?" if not math.isfinite(row.t) else f"{row.t:.3f}"),
        times + formatting.one_line(row.type, 60),
        formatting.one_line(formatting.short_id(row.item_id or row.response_id), 24),
        formatting.size(row.bytes),
        _content(row, content),
    ]


def _content(row: Fold, limit: int) -> str:
    words = formatting.one_line(row.text, limit)
    if not math.isnan(row.audio_ms):
        words = f"{formatting.seconds(row.audio_ms / 1000)} of audio {words}".rstrip()
    if row.problems:
        problem = formatting.one_line(row.problems[0], limit)
        words = f"⚠ {problem}" if words in ("", problem) else f"⚠ {problem} · {words}"
    return words


def _html_cells(row: Fold) -> list[str]:
    cells = [formatting.escape(cell) for cell in _cells(row, _CONTENT)]
    cells[0] = formatting.coloured(ARROWS[row.direction], COLOURS[row.direction])
    if row.late_ms > LATE_MS:
        doubt = f"may be up to {row.late_ms:.0f} ms earlier: the reading thread was kept waiting"
        cells[2] = f'<span title="{formatting.escape(doubt)}">{cells[2]}</span>'
    if row.item_id or row.response_id:
        whole = formatting.one_line(row.item_id or row.response_id, 64)
        cells[4] = f'<span title="{formatting.escape(whole)}">{cells[4]}</span>'
    if row.failed or row.problems:
        cells[3], cells[6] = (
            f'<span style="color:{formatting.ERROR_COLOUR}">{cells[place]}</span>' for place in (3, 6)
        )
    return cells


def _total(view: View) -> str:
    if not len(view):
        return f"None of the {view.session_length:,} events." if view.session_length else "No events yet."
    codes = np.bincount(view["direction"].codes, minlength=len(DIRECTIONS))
    shares = [f"{count:,} {name}" for name, count in zip(DIRECTIONS, codes.tolist(), strict=True) if count]
    first, last = float(view["t"][0]), float(view["t"][-1])
    parts = [formatting.plural(len(view), "row"), ", ".join(shares)]
    if math.isfinite(last - first):
        parts.append(f"{formatting.seconds(abs(last - first))}")
    if problems := len(view.problems):
        parts.append(f"{problems:,} with a problem")
    if view.title:
        parts.append(formatting.one_line(view.title, 80))
    return " · ".join(parts)
