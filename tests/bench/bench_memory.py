"""What an hour of assistant speech keeps in memory, against its PCM bytes: log and conversation together.

As a script it takes in the hour: ``python bench_memory.py tracemalloc`` (or ``resident``) prints the bytes kept.
"""

from __future__ import annotations

import gc
import json
import random
import sys
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

from figure import Figure, fresh
from stream import Wire, audio_delta, delta, encoded, response_created, response_done

DELTA_BYTES = 12_000  # 250 ms of 24 kHz PCM16
DELTAS_A_RESPONSE = 120  # 30 s
RESPONSES = 120
HOUR_BYTES = DELTA_BYTES * DELTAS_A_RESPONSE * RESPONSES
STATM = Path("/proc/self/statm")


def measure() -> list[Figure]:
    """Take the greater of what Python says it keeps, and what the system says the process has grown by."""
    kept = fresh("bench_memory.py", "tracemalloc")["kept"]
    resident = fresh("bench_memory.py", "resident")["kept"] if STATM.exists() else float("nan")
    grown = f"{resident / HOUR_BYTES:.3f}× by resident size" if resident == resident else "resident size not measured"
    note = f"{kept / HOUR_BYTES:.3f}× by tracemalloc, {grown}; {HOUR_BYTES / 1e6:.0f} MB of PCM"
    worst = max(kept, resident) if resident == resident else kept
    return [Figure("memory kept for an hour of speech : PCM", worst / HOUR_BYTES, 1.25, "×", note=note)]


def hour() -> Iterator[Wire]:
    """Yield an hour of speech: at each quarter of a second its audio, and ahead of it a word of its transcript."""
    noise = random.Random(5)
    for number in range(RESPONSES):
        name = f"resp_{number:020d}"
        yield response_created(name)
        for step in range(DELTAS_A_RESPONSE):
            count = number * DELTAS_A_RESPONSE + step
            yield delta(count, "output_audio_transcript", noise.choice((" the", " tide", " turns", " again,")), name)
            yield audio_delta(count, noise.randbytes(DELTA_BYTES), name)
        yield response_done(name)


def take_in(how: str) -> int:
    """Return how many bytes an hour of speech adds."""
    from rtnb.conversation.conversation import Conversation
    from rtnb.timeline import Timeline

    timeline, conversation = Timeline(), Conversation()
    if how == "tracemalloc":
        tracemalloc.start()
    before = in_use(how)
    for number, event in enumerate(hour()):
        conversation.apply(timeline.store.append(encoded(event), direction="received", t=number / 8))
    kept = in_use(how) - before
    parts = [
        part
        for state in conversation.responses.values()
        for item in state.items.values()
        for part in item.content.values()
    ]
    if sum(part.audio_bytes for part in parts) != HOUR_BYTES:
        raise RuntimeError("audio was lost")
    return kept


def in_use(how: str) -> int:
    gc.collect()
    if how == "tracemalloc":
        return tracemalloc.get_traced_memory()[0]
    import resource

    return int(STATM.read_text().split()[1]) * resource.getpagesize()


if __name__ == "__main__":
    print(json.dumps({"kept": take_in(sys.argv[1])}))
