"""What a delta costs in the log and the conversation at the end of a long session, against its beginning."""

from __future__ import annotations

import time

from figure import Figure, median
from stream import encoded, response_created, text_delta

DELTAS = 100_000
BLOCK = 1_000
ROUNDS = 3


def measure() -> list[Figure]:
    """Compare the median cost of the last thousand deltas with that of the first, all of one response."""
    frames = [encoded(text_delta(number)) for number in range(DELTAS)]
    costs(frames[: 5 * BLOCK])
    rounds = [costs(frames) for _ in range(ROUNDS)]
    first = median([median(each[:BLOCK]) for each in rounds])
    last = median([median(each[-BLOCK:]) for each in rounds])
    note = f"{first * 1e6:.1f} µs → {last * 1e6:.1f} µs a text delta, log and conversation; medians of {ROUNDS} rounds"
    return [Figure("append at the 100,000th delta : the first", last / first, 1.2, "×", note=note)]


def costs(frames: list[bytes]) -> list[float]:
    """Return the seconds that each frame took."""
    from rtnb.conversation.conversation import Conversation
    from rtnb.timeline import Timeline

    timeline, conversation = Timeline(), Conversation()
    conversation.apply(timeline.store.append(encoded(response_created()), direction="received", t=0.0))
    taken = []
    for frame in frames:
        began = time.perf_counter()
        conversation.apply(timeline.store.append(frame, direction="received", t=0.0))
        taken.append(time.perf_counter() - began)
    (response,) = conversation.responses.values()
    (item,) = response.items.values()
    if len(timeline) != len(frames) + 1 or len(item.text) < len(frames):
        raise RuntimeError("deltas were lost")
    return taken
