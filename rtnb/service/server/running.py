"""A running service: in the foreground of a terminal (``rtnb serve``), or as a child process that ends with its stdin."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator

from rtnb.service.server.access import AccessRules
from rtnb.service.server.options import ServiceOptions
from rtnb.service.server.routes import usage
from rtnb.service.server.server import Server


def run(options: ServiceOptions, host: str = "127.0.0.1", port: int = 0, *, tls: bool = False) -> None:
    """Serve until Ctrl-C, and print where. Arguments and errors as in `rtnb.service.server.server.serve`."""

    async def main() -> None:
        async with _serving(options, host, port, tls) as (server, stop):
            print(_greeting(server), flush=True)
            server.warm()
            await stop.wait()
            print("\nStopping: open sessions are closed with code 1001.", flush=True)

    asyncio.run(main())


def run_as_child(options: ServiceOptions, host: str, port: int, *, tls: bool) -> None:
    """Serve until stdin closes or a signal comes. Prints one JSON line: the URLs, the certificate, and what sessions are to know."""

    async def main() -> None:
        async with _serving(options, host, port, tls) as (server, stop):
            place = server.place
            certificate = str(place.certificate) if place.certificate else None
            urls = {"url": place.url, "tls_url": place.tls_url, "certificate": certificate}
            about = {"engines": server.engines, "not_imitated": server.not_imitated, "remarks": server.remarks}
            print(json.dumps({**urls, **about}), flush=True)
            threading.Thread(target=_watch_stdin, args=(asyncio.get_running_loop(), stop), daemon=True).start()
            server.warm()
            await stop.wait()

    asyncio.run(main())


@contextlib.asynccontextmanager
async def _serving(
    options: ServiceOptions, host: str, port: int, tls: bool
) -> AsyncIterator[tuple[Server, asyncio.Event]]:
    """Have a service, and the event that the signals to stop set; warn on stderr where it is open to the network."""
    stop = _stop_on_signals()
    server = Server(host, options)
    starting, stopping = asyncio.create_task(server.start(port, tls=tls)), asyncio.create_task(stop.wait())
    await asyncio.wait([starting, stopping], return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if not starting.done():  # a user's function may load its model for minutes
        starting.cancel()
        await asyncio.wait([starting])
        raise KeyboardInterrupt
    await starting
    if warning := AccessRules(host).warning():
        bar = "!" * 82
        print(f"{bar}\n{warning}\n{bar}", file=sys.stderr, flush=True)
    yield server, stop
    await server.close()


def _greeting(server: Server) -> str:
    parts = [f"The local realtime service listens at {server.url}"]
    if server.others:
        parts[0] += f"\nFrom other computers, by its address or its name: {' or '.join(server.others)}"
    parts[0] += "\n" + ", ".join(f"{part}: {engine or 'none'}" for part, engine in server.engines.items())
    parts += [f"Note: {words}." for words, rate in server.remarks if rate is None]
    parts += ["", usage(server.place)]
    if faults := server.options.faults.described():
        parts.append(
            "\n".join(["What goes wrong on purpose, in every session:", *(f"  {each}" for each in faults), ""])
        )
    return "\n".join([*parts, "Ctrl-C stops it."])


def _stop_on_signals() -> asyncio.Event:
    """Return an event that the signals to stop set. To be called before the service announces itself."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK"):
        number = getattr(signal, name, None)  # SIGHUP is Unix's, SIGBREAK is Windows'
        if number is None or (name == "SIGHUP" and signal.getsignal(number) == signal.SIG_IGN):
            continue  # nohup ignores SIGHUP, and it stays ignored
        try:
            loop.add_signal_handler(number, stop.set)
        except (NotImplementedError, RuntimeError):  # Windows, or not the main thread
            with contextlib.suppress(ValueError):
                signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
    return stop


def _watch_stdin(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    """Wait for the end of stdin. Unbuffered: a lock held by this thread would upset the interpreter's exit."""
    with contextlib.suppress(OSError):
        while os.read(0, 4096):
            pass
    with contextlib.suppress(RuntimeError):  # the loop may have ended first
        loop.call_soon_threadsafe(stop.set)
