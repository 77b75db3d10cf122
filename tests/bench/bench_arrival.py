"""How far a row's time lies behind the moment at which the service sent it, while the cell sleeps and while it computes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from figure import Figure, median, percentile
from stream import LAST, stream

FRAMES = 250  # 5 s at 50 a second
DOUBT_MS = 20.0  # from here on a table shows that a row's time is in doubt
GO = {"type": "input_audio_buffer.clear"}


def measure() -> list[Figure]:
    """Let one session receive while this thread sleeps, and another while it computes."""
    figures = []
    with stream("paced", FRAMES) as url:
        for words, aim, wait in (("asleep", 20, sleep), ("in a busy loop", 100, compute)):
            errors, late = errors_ms(url, wait)
            doubted = sum(error > DOUBT_MS for error in errors)
            marked = sum(error > DOUBT_MS and own > DOUBT_MS for error, own in zip(errors, late, strict=True))
            note = (
                f"p50 {median(errors):.2f} ms, worst {max(errors):.1f} ms, {len(errors)} rows; of the {doubted} that are "
                f"more than {DOUBT_MS:g} ms off, {marked} say so; {sum(each > DOUBT_MS for each in late)} marked in all"
            )
            figures.append(
                Figure(f"arrival-time error, p99, cell {words}", percentile(errors, 99), aim, "ms", note=note)
            )
    return figures


def errors_ms(url: str, wait: Callable[[threading.Event], None]) -> tuple[list[float], list[float]]:
    """Return how late each row's time is, and how late it says that it may be, both in milliseconds."""
    import rtnb

    with rtnb.connect(url) as session:
        finished = threading.Event()
        session.on(LAST, lambda event: finished.set())
        session.send(GO)
        wait(finished)
        timeline = session.timeline
        origin = timeline.origin
        if origin is None:
            raise RuntimeError("the timeline does not know when the session opened")
        rows = [(event, late) for event, late in zip(timeline, timeline.late_ms, strict=True) if "sent_at" in event]
    if len(rows) != FRAMES:
        raise RuntimeError(f"{len(rows)} frames arrived, not {FRAMES}")
    return [(origin + event.t - event["sent_at"]) * 1000 for event, _ in rows], [float(late) for _, late in rows]


def sleep(finished: threading.Event) -> None:
    """Do nothing, as a cell does that waits."""
    while not finished.is_set():
        time.sleep(0.1)


def compute(finished: threading.Event) -> None:
    """Keep the interpreter busy, as a cell does that computes in Python."""
    total = 0
    while not finished.is_set():
        for number in range(100_000):
            total += number * number % 7
