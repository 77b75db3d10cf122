"""Tables made from a timeline: plain records, a DataFrame, and `Counts`, the number of rows of each type."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rtnb import formatting
from rtnb.protocol.events import LOCAL, RECEIVED, SENT
from rtnb.timeline.categorical import Categorical
from rtnb.timeline.view import View

if TYPE_CHECKING:
    import pandas


ARROWS = {SENT: "→", RECEIVED: "←", LOCAL: "•"}
COLOURS = {SENT: formatting.SENT_COLOUR, RECEIVED: formatting.RECEIVED_COLOUR, LOCAL: formatting.LOCAL_COLOUR}
_SHOWN = 40
_BAR = 20


def encodable(text: str) -> str:
    """Return `text` with lone surrogates spelled out, which have no encoding in UTF-8."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode("utf-8")


def to_records(view: View) -> list[dict[str, Any]]:
    """Return one dict of plain Python values per row; NaN and NaT become None, times ISO 8601 in UTC."""
    columns = {name: _plain(view[name]) for name in view.columns}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _plain(column: Any) -> list[Any]:
    if isinstance(column, Categorical):
        return _encodable_words(column).tolist()  # type: ignore[no-any-return]
    if column.dtype.kind == "M":
        return [None if np.isnat(each) else f"{each}Z" for each in column]
    if column.dtype.kind == "f":
        return [each if math.isfinite(each) else None for each in column.tolist()]
    return [encodable(each) if isinstance(each, str) else each for each in column.tolist()]


def _encodable_words(column: Categorical) -> Any:
    return column.mapped([encodable(word) for word in column.categories], object)


def to_pandas(view: View) -> pandas.DataFrame:
    """Return a DataFrame with the columns of the view.

    Raises
    ------
    ImportError
        If pandas is not installed.
    """
    try:
        import pandas
    except ImportError as error:
        raise ImportError(
            'to_pandas() needs pandas: pip install "rtnb[data]". to_records() works without it.'
        ) from error
    frame: dict[str, Any] = {}
    for name in view.columns:
        column = view[name]
        if isinstance(column, Categorical):
            frame[name] = pandas.Categorical(_encodable_words(column))
        elif name == "time":
            frame[name] = pandas.Series(column).dt.tz_localize("UTC")
        elif column.dtype == object:
            frame[name] = np.array([encodable(each) for each in column], object)
        else:
            frame[name] = column
    return pandas.DataFrame(frame)


@dataclass(frozen=True, slots=True)
class Count:
    """One line of `Counts`: a type as on the wire, the directions of its rows, their number."""

    type: str
    directions: tuple[str, ...]
    rows: int


class Counts(Mapping[str, int]):
    """The number of rows of each type as on the wire: a mapping, most first, that shows itself as a table."""

    def __init__(self, lines: list[Count]) -> None:
        self._lines = sorted(lines, key=lambda line: -line.rows)
        self._rows = {line.type: line.rows for line in self._lines}
        self.total = sum(self._rows.values())

    def __getitem__(self, type: str) -> int:
        return self._rows[type]

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def _share(self, line: Count) -> float:
        return line.rows / max(self.total, 1)

    def _footer(self) -> str:
        rest = len(self._lines) - _SHOWN
        more = f"… and {formatting.plural(rest, 'more type')} · " if rest > 0 else ""
        return f"{more}{formatting.plural(self.total, 'row')} · {formatting.plural(len(self), 'type')}"

    def __repr__(self) -> str:
        rows = [
            (
                "".join(ARROWS[direction] for direction in line.directions),
                formatting.one_line(line.type, 60),
                f"{line.rows:,}",
                f"{self._share(line):.1%}",
                "█" * round(self._share(line) * _BAR),
            )
            for line in self._lines[:_SHOWN]
        ]
        return formatting.text_table(("", "type", "rows", "share", ""), rows, right=(2, 3)) + "\n" + self._footer()

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        rows = [
            (
                "".join(formatting.coloured(ARROWS[each], COLOURS[each]) for each in line.directions),
                formatting.escape(formatting.one_line(line.type, 60)),
                f"{line.rows:,}",
                f"{self._share(line):.1%}",
                f'<div style="width:{self._share(line) * 12:.2f}em;height:.8em;'
                f'background:{COLOURS[line.directions[0]]}"></div>',
            )
            for line in self._lines[:_SHOWN]
        ]
        table = formatting.html_table(("", "type", "rows", "share", ""), rows, right=(2, 3))
        return {"text/plain": repr(self), "text/html": formatting.card(table, formatting.muted(self._footer()))}
