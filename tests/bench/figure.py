"""What the bench prints: a figure, the aim beside it, and whether it was reached."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table.

    Attributes
    ----------
    what : str
    measured : float
        In `unit`.
    aim : float
        A least value if `at_least`, else a greatest one.
    note : str
        What stands behind the figure, on this machine.
    """

    what: str
    measured: float
    aim: float
    unit: str
    at_least: bool = False
    note: str = ""

    @property
    def reached(self) -> bool:
        """Return whether the aim is reached; a figure that is missing reaches nothing."""
        return self.measured >= self.aim if self.at_least else self.measured <= self.aim

    def cells(self) -> tuple[str, str, str, str, str]:
        """Return the line's cells."""
        aim = "" if self.aim != self.aim else f"{'≥' if self.at_least else '≤'} {self._say(self.aim)}"
        return self.what, self._say(self.measured), aim, "reached" if self.reached else "MISSED", self.note

    def _say(self, value: float) -> str:
        if value != value:
            return "not measured"
        return f"{value:.3g}{'' if self.unit == '×' else ' '}{self.unit}"


def table(figures: Sequence[Figure]) -> str:
    """Return the figures as lines of equal columns."""
    lines = [("figure", "measured", "aim", "", "behind it"), *(figure.cells() for figure in figures)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the value that `percent` of `values` do not exceed; NaN for none."""
    if not values:
        return float("nan")
    return sorted(values)[min(int(len(values) * percent / 100), len(values) - 1)]


def median(values: Sequence[float]) -> float:
    """Return the median; NaN for no values."""
    return statistics.median(values) if values else float("nan")


def fresh(script: str, *arguments: object) -> dict[str, float]:
    """Run a script of this folder in a fresh interpreter, and return the JSON object that it prints last."""
    command = [sys.executable, str(Path(__file__).with_name(script)), *map(str, arguments)]
    done = subprocess.run(command, env=environment(), stdout=subprocess.PIPE, check=True, timeout=170)
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


def environment() -> dict[str, str]:
    """Return an environment in which this very rtnb is imported, and no proxy stands in the way of loopback."""
    kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    return {**kept, "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))}
