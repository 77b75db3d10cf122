"""The local service in the foreground of a terminal: it says where it is, and ends on a signal."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys

from rtnb.service.server.access import Guard
from rtnb.service.server.options import ServiceOptions
from rtnb.service.server.routes import usage
from rtnb.service.server.server import Server, serve_with


def run(options: ServiceOptions, host: str = "127.0.0.1", port: int = 0, *, tls: bool = False) -> None:
    """Serve until Ctrl-C, and tell where: for the command line. Arguments and errors as in `rtnb.service.server.serve`."""

    async def main() -> None:
        stop = stop_on_signals()
        server = await serve_with(options, host, port, tls=tls)
        warn(host)
        print(greeting(server), flush=True)
        server.warm()
        await stop.wait()
        print("\nStopping: open sessions are told.", flush=True)
        await server.close()

    asyncio.run(main())


def warn(host: str) -> None:
    """Say on stderr, loudly, that the service is open to the network, where it is."""
    if warning := Guard(host).warning():
        bar = "!" * 82
        print(f"{bar}\n{warning}\n{bar}", file=sys.stderr, flush=True)


def greeting(server: Server) -> str:
    """Return what a person reads first."""
    parts = [f"The local realtime service listens at {server.url}", usage(server.place)]
    if server.others:
        parts[0] += f"\nFrom other computers, by its address or its name: {' or '.join(server.others)}"
    parts[0] += "\n" + ", ".join(f"{part}: {engine or 'none'}" for part, engine in server.engines.items())
    if faults := server.options.faults.told():
        parts.append(
            "\n".join(["What goes wrong on purpose, in every session:", *(f"  {each}" for each in faults), ""])
        )
    return "\n".join([parts[0], "", *parts[1:], "Ctrl-C stops it."])


def stop_on_signals() -> asyncio.Event:
    """Return an event that the signals to stop set. To be called before anybody is told that the service is there."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK"):
        number = getattr(signal, name, None)  # SIGHUP is Unix's, SIGBREAK is Windows'
        if number is None or (
            name == "SIGHUP" and signal.getsignal(number) == signal.SIG_IGN
        ):  # nohup wants it ignored
            continue
        try:
            loop.add_signal_handler(number, stop.set)
        except (NotImplementedError, RuntimeError):  # Windows, or not the main thread
            with contextlib.suppress(ValueError):
                signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
    return stop
