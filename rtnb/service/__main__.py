"""``python -m rtnb.service``: the service as a child process. Prints its URL as one JSON line; ends when stdin closes."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import sys
import threading

from rtnb.errors import ConfigurationError
from rtnb.service.server.foreground import stop_on_signals, warn
from rtnb.service.server.options import REFUSED, ServiceOptions, add_arguments
from rtnb.service.server.server import serve_with


def main() -> int:
    """Serve until stdin closes, or a signal to stop comes; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m rtnb.service", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--tls", action="store_true")
    add_arguments(parser)
    given = parser.parse_args()
    try:
        asyncio.run(_serve(given.host, given.port, given.tls, ServiceOptions.of(given)))
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        return REFUSED
    return 0


async def _serve(host: str, port: int, tls: bool, options: ServiceOptions) -> None:
    stop = stop_on_signals()
    server = await serve_with(options, host, port, tls=tls)
    warn(host)
    certificate = server.place.certificate
    told = {
        "url": server.url,
        "tls_url": server.place.tls_url,
        "certificate": certificate and str(certificate),
        "engines": server.engines,
    }
    print(json.dumps(told), flush=True)
    threading.Thread(target=_watch_stdin, args=(asyncio.get_running_loop(), stop), daemon=True).start()
    server.warm()
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
    sys.exit(main())
