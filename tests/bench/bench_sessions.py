"""The local service under a class: a hundred sessions that speak at once at the pace of speech, and what an idle one costs."""

from __future__ import annotations

import asyncio
import json
import time

from figure import Figure, percentile

SESSIONS = 100
PROMPT = "Count from one to twenty."
_IDLE_SECONDS = 5.0
_QUIET = {"compression": None, "max_size": None, "ping_interval": None, "proxy": None}


def measure() -> list[Figure]:
    """Measure a service in a process of its own, at 1.0 times real time."""
    import psutil

    from rtnb.service.server.process import ServiceProcess

    with ServiceProcess.start(speed=1.0) as service:
        return asyncio.run(_measure(service.url, psutil.Process(service.pid)))


async def _measure(url: str, process: object) -> list[Figure]:
    await _turn(url, asyncio.Event(), ready=True)  # the first turn loads what the others find loaded
    idle = await _idle(url, process)
    together = asyncio.Event()
    turns = [asyncio.create_task(_turn(url, together)) for _ in range(SESSIONS)]
    busy = _cpu(process)
    began = time.perf_counter()
    together.set()
    told = await asyncio.gather(*turns)
    share = 100 * (_cpu(process) - busy) / (time.perf_counter() - began)
    late = [each for lateness, _ in told for each in lateness]
    first = [first for _, first in told]
    note = (
        f"negative: before its speech was due; p50 {percentile(late, 50):.0f} ms, greatest {max(late):.0f} ms of "
        f"{len(late):,} deltas; service at {share:.0f} % of a core"
    )
    return [
        Figure(f"{SESSIONS} paced sessions: delta lateness, p99", percentile(late, 99), 100, "ms", note=note),
        Figure(f"{SESSIONS} sessions ask at once: first audio, p95", percentile(first, 95), 2_000, "ms"),
        *idle,
    ]


async def _turn(url: str, together: asyncio.Event, *, ready: bool = False) -> tuple[list[float], float]:
    """Hold a turn; return how many milliseconds after it was due each delta came, and how many the first one took.

    Speech is due when all the speech before it has been played, the first delta being played as it comes: later is a gap.
    """
    from websockets.asyncio.client import connect

    async with connect(f"{url}/v1/realtime?model=m", **_QUIET) as socket:
        await socket.recv()
        if not ready:
            await together.wait()
        item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": PROMPT}]}
        await socket.send(json.dumps({"type": "conversation.item.create", "item": item}))
        await socket.send('{"type": "response.create"}')
        asked, began, spoken, late = time.perf_counter(), float("nan"), 0.0, []
        async for frame in socket:
            now = time.perf_counter()
            event = json.loads(frame)
            if event["type"] == "response.done":
                break
            if event["type"] == "response.output_audio.delta":
                if spoken:
                    late.append(1000 * (now - began - spoken))
                else:
                    began = now
                spoken += len(event["delta"]) * 3 / 4 / 48_000
    return late, 1000 * (began - asked)


async def _idle(url: str, process: object) -> list[Figure]:
    from websockets.asyncio.client import connect

    before = _memory(process)
    sockets = [await connect(f"{url}/v1/realtime?model=m", **_QUIET) for _ in range(SESSIONS)]
    for socket in sockets:
        await socket.recv()
    memory = (_memory(process) - before) / SESSIONS / 1000
    cpu = _cpu(process)
    await asyncio.sleep(_IDLE_SECONDS)
    share = 100 * (_cpu(process) - cpu) / _IDLE_SECONDS / SESSIONS
    for socket in sockets:
        await socket.close()
    note = f"of {SESSIONS}; the service itself {before / 1e6:.0f} MB"
    return [
        Figure("memory of an idle session", memory, 200, "kB", note=note),
        Figure("CPU of an idle session", share, 0.01, "% of a core", note=f"over {_IDLE_SECONDS:g} s"),
    ]


def _cpu(process: object) -> float:
    """Return the seconds of CPU that the service and its helpers have used."""
    import psutil

    assert isinstance(process, psutil.Process)
    return sum(sum(each.cpu_times()[:2]) for each in [process, *process.children(recursive=True)])


def _memory(process: object) -> float:
    import psutil

    assert isinstance(process, psutil.Process)
    return float(process.memory_info().rss)
