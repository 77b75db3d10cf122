"""What a turn costs the local service in a long conversation, and what a client has to wait while another floods it."""

from __future__ import annotations

import asyncio
import json
import time

from figure import Figure, median

EARLY, LATE, AROUND = 10, 3_000, 20  # turns: an early and a late one, and how many of each are averaged
FLOOD = 3_000  # responses beside the conversation
_QUIET = {"compression": None, "max_size": None, "ping_interval": None, "proxy": None}


def measure() -> list[Figure]:
    """Measure a service in a process of its own that sends as fast as it can."""
    import psutil

    from rtnb.service.server.process import ServiceProcess

    with ServiceProcess.start(speed=0) as service:
        process = psutil.Process(service.pid)
        return [asyncio.run(_long_conversation(service.url, process)), asyncio.run(_flood(service.url))]


async def _long_conversation(url: str, process: object) -> Figure:
    from websockets.asyncio.client import connect

    async with connect(f"{url}/v1/realtime", **_QUIET) as socket:
        text = {"type": "realtime", "output_modalities": ["text"]}
        await socket.send(json.dumps({"type": "session.update", "session": text}))
        cost = []
        for turns in (EARLY, LATE - EARLY - AROUND):
            for _ in range(turns):
                await _turn(socket)
            began = _cpu(process)
            for _ in range(AROUND):
                await _turn(socket)
            cost.append(1000 * (_cpu(process) - began) / AROUND)
    note = f"CPU of a turn: {cost[0]:.1f} ms at turn {EARLY}, {cost[1]:.1f} ms at turn {LATE:,}"
    return Figure(f"CPU of turn {LATE:,} over turn {EARLY}", cost[1] / cost[0], 1.5, "×", note=note)


async def _flood(url: str) -> Figure:
    """Ask alone, and while another client's responses are in progress."""
    from websockets.asyncio.client import connect

    words = [{"type": "input_text", "text": "Count from one to three."}]
    aside = {"conversation": "none", "input": [{"type": "message", "role": "user", "content": words}]}
    async with (
        connect(f"{url}/v1/realtime", **_QUIET) as asking,
        connect(f"{url}/v1/realtime", max_queue=None, **_QUIET) as flooding,
    ):
        alone = median([await _turn(asking) for _ in range(5)])
        for _ in range(FLOOD):
            await flooding.send(json.dumps({"type": "response.create", "response": aside}))
        beside = median([await _turn(asking) for _ in range(5)])
    note = f"an answer takes {1000 * alone:.0f} ms alone, {1000 * beside:.0f} ms beside {FLOOD:,} responses of another"
    return Figure("an answer beside another client's flood", beside / alone, 10, "×", note=note)


async def _turn(socket: object) -> float:
    """Hold a turn; return the seconds that it took."""
    from websockets.asyncio.client import ClientConnection

    assert isinstance(socket, ClientConnection)
    began = time.perf_counter()
    content = [{"type": "input_text", "text": "Hello there, how are you today?"}]
    item = {"type": "message", "role": "user", "content": content}
    await socket.send(json.dumps({"type": "conversation.item.create", "item": item}))
    await socket.send('{"type": "response.create"}')
    while json.loads(await socket.recv())["type"] != "response.done":
        pass
    return time.perf_counter() - began


def _cpu(process: object) -> float:
    """Return the seconds of CPU that the service has used."""
    import psutil

    assert isinstance(process, psutil.Process)
    return sum(process.cpu_times()[:2])
