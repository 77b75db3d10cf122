"""Events per second through three clients of one sender: rtnb's whole path, the official client, bare websockets.

As a script it is one client: ``python bench_ingest.py rtnb URL`` prints the seconds that it took.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
import time

import orjson
from figure import Figure, fresh, median
from stream import LAST, stream

EVENTS = 40_000
ROUNDS = 3
GO = {"type": "input_audio_buffer.clear"}


def measure() -> list[Figure]:
    """Let the three run in turn, each in a process of its own, and compare the medians."""
    seconds: dict[str, list[float]] = {name: [] for name in CLIENTS}
    with stream("flood", EVENTS) as url:
        for _ in range(ROUNDS):
            for name, taken in seconds.items():
                taken.append(fresh("bench_ingest.py", name, url)["seconds"])
    rate = {name: EVENTS / median(taken) for name, taken in seconds.items()}
    note = f"{rate['rtnb']:,.0f} events/s against {{:,.0f}}; half text, half 12,000-byte audio; {ROUNDS} rounds"
    return [
        Figure(
            "ingest : official client", rate["rtnb"] / rate["official"], 4, "×", True, note.format(rate["official"])
        ),
        Figure(
            "ingest : bare websockets + orjson", rate["rtnb"] / rate["bare"], 0.6, "×", True, note.format(rate["bare"])
        ),
    ]


def rtnb_client(url: str) -> float:
    """Connect, and count events in a listener."""
    import rtnb

    session = rtnb.connect(url)
    finished = threading.Event()
    seen = 0

    def count(event: rtnb.Event) -> None:
        nonlocal seen
        seen += 1
        if event.type == LAST:
            finished.set()

    session.on("*", count)
    began = time.perf_counter()
    session.send(GO)
    finished.wait()
    taken = time.perf_counter() - began
    check(seen, len(session.timeline) - 2)
    session.close()
    return taken


async def official_client(url: str) -> float:
    """Iterate over the official client's connection."""
    from openai import AsyncOpenAI

    client = AsyncOpenAI(api_key="none", websocket_base_url=url)
    async with client.realtime.connect(model="bench") as connection:
        await connection.recv()
        began = time.perf_counter()
        await connection.send(GO)  # type: ignore[arg-type]
        seen = 0
        async for event in connection:
            seen += 1
            if event.type == LAST:
                break
        taken = time.perf_counter() - began
    check(seen)
    return taken


async def bare_client(url: str) -> float:
    """Receive frames as bytes and parse them: the least that any client must do."""
    from websockets.asyncio.client import connect

    async with connect(url) as socket:
        await socket.recv()
        began = time.perf_counter()
        await socket.send(json.dumps(GO))
        seen = 0
        while True:
            event = orjson.loads(await socket.recv(decode=False))
            seen += 1
            if event["type"] == LAST:
                break
        taken = time.perf_counter() - began
    check(seen)
    return taken


def check(*counts: int) -> None:
    """Refuse a figure for less than all events: the deltas, and the beginning and the end of their response."""
    for count in counts:
        if count != EVENTS + 2:
            raise RuntimeError(f"{count} events arrived, not {EVENTS + 2}")


CLIENTS = {
    "bare": lambda url: asyncio.run(bare_client(url)),
    "official": lambda url: asyncio.run(official_client(url)),
    "rtnb": rtnb_client,
}

if __name__ == "__main__":
    print(json.dumps({"seconds": CLIENTS[sys.argv[1]](sys.argv[2])}))
