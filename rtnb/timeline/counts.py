"""`Counts`: how many rows of each type, most first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rtnb import formatting
from rtnb.protocol.events import LOCAL, RECEIVED, SENT

ARROWS = {SENT: "→", RECEIVED: "←", LOCAL: "•"}
COLOURS = {SENT: formatting.SENT_COLOUR, RECEIVED: formatting.RECEIVED_COLOUR, LOCAL: formatting.LOCAL_COLOUR}
_SHOWN = 40
_BAR = 20


@dataclass(frozen=True, slots=True)
class Count:
    """One line of the table: a type, the directions it came in, how often."""

    type: str
    directions: tuple[str, ...]
    rows: int


class Counts(Mapping[str, int]):
    """Rows per type as on the wire: a mapping, most first, that shows itself as a table."""

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
