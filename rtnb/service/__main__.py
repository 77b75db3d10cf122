"""``python -m rtnb.service``: the service as a child process. Prints its URL as one JSON line; ends when stdin closes."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import threading

from rtnb.service.server import serve, stop_on_signals


def main() -> None:
    """Serve until stdin closes, or SIGINT or SIGTERM comes."""
    parser = argparse.ArgumentParser(prog="python -m rtnb.service", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--speed", type=float, default=8.0)
    given = parser.parse_args()
    asyncio.run(_serve(given.host, given.port, given.seed, given.speed))


async def _serve(host: str, port: int, seed: int, speed: float) -> None:
    stop = stop_on_signals()
    server = await serve(host, port, seed=seed, speed=speed)
    print(json.dumps({"url": server.url}), flush=True)
    threading.Thread(target=_watch_stdin, args=(asyncio.get_running_loop(), stop), daemon=True).start()
    await stop.wait()
    await server.close()


def _watch_stdin(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    """Wait for the end of stdin. Unbuffered: a lock held by this thread would upset the interpreter's exit."""
    with contextlib.suppress(OSError):
        while os.read(0, 4096):
            pass
    with contextlib.suppress(RuntimeError):  # where the loop ended first
        loop.call_soon_threadsafe(stop.set)


if __name__ == "__main__":
    main()
