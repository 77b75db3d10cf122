"""The figures that rtnb promises, measured: ``python tests/bench`` for all of them, ``python tests/bench ingest import`` for some.

Figures are ratios within one run wherever that is possible, so that they hold on any machine. The exit status is 0 when
every aim is reached. Nothing here is a test: a busy machine misses an aim without a fault in the code.
"""

from __future__ import annotations

import argparse
import importlib
import math
import sys
import time
import traceback

from figure import ROOT, Figure, table

NAMES = ("ingest", "append", "memory", "arrival", "waveform", "import", "first_audio", "sessions", "turns", "views")


def main() -> int:
    """Measure what was asked for, and print one table."""
    parser = argparse.ArgumentParser(prog="python tests/bench", description="Measure the figures that rtnb promises.")
    parser.add_argument("names", nargs="*", metavar="figure", help=f"one or more of: {', '.join(NAMES)}; default all")
    names = parser.parse_args().names or list(NAMES)
    if unknown := set(names).difference(NAMES):
        parser.error(f"there is no figure {', '.join(sorted(unknown))}; choose from {', '.join(NAMES)}")
    sys.path.insert(0, str(ROOT))
    figures: list[Figure] = []
    for name in names:
        began = time.perf_counter()
        figures += measured(name)
        print(f"{name}: {time.perf_counter() - began:.0f} s", file=sys.stderr)
    print(table(figures))
    return 0 if all(figure.reached for figure in figures) else 1


def measured(name: str) -> list[Figure]:
    """Return the figures of one name; what goes wrong with them is told, and does not take the others along."""
    try:
        found: list[Figure] = importlib.import_module(f"bench_{name}").measure()
        return found
    except Exception as error:
        traceback.print_exc()
        return [Figure(name, math.nan, math.nan, "", note=f"{type(error).__name__}: {error}".splitlines()[0])]


if __name__ == "__main__":
    sys.exit(main())
