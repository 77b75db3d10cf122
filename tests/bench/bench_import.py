"""What `import rtnb` adds to the start of Python."""

from __future__ import annotations

import subprocess
import sys
import time

from figure import Figure, environment, median

ROUNDS = 9
PROGRAMS = {"bare": "pass", "rtnb": "import rtnb", "connect": "from rtnb import connect"}


def measure() -> list[Figure]:
    """Start fresh interpreters in turn, and compare the medians."""
    taken: dict[str, list[float]] = {name: [] for name in PROGRAMS}
    for number in range(ROUNDS + 1):
        for name, program in PROGRAMS.items():
            seconds = started(program)
            if number:  # the first one writes bytecode
                taken[name].append(seconds)
    bare, plain, whole = (median(taken[name]) for name in PROGRAMS)
    note = f"bare Python {bare * 1000:.0f} ms; with all that connect() needs + {(whole - bare) * 1000:.0f} ms"
    return [Figure("import rtnb, over bare Python", plain - bare, 0.25, "s", note=f"{note}; median of {ROUNDS}")]


def started(program: str) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", program], env=environment(), check=True)
    return time.perf_counter() - began
