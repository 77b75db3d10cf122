"""The local service on a socket: a WebSocket server on loopback. What it says is decided in `rtnb.service.connection`."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import signal
from collections import deque
from collections.abc import Sequence
from typing import Any

from websockets.asyncio.server import Server as WebSocketServer
from websockets.asyncio.server import ServerConnection as WebSocket
from websockets.asyncio.server import serve as serve_websockets
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from rtnb.errors import ConfigurationError
from rtnb.protocol.events import write_json
from rtnb.service.connection import SESSION_SECONDS, ServiceConnection
from rtnb.service.pace import Pace
from rtnb.service.routes import Page, SessionRoute, route, usage

_LARGEST_FRAME = 32 * 2**20  # 15 MiB of audio are 20 MiB in base64
_SEND_TIMEOUT = 20.0  # seconds that a client may go without reading
_CLOSE_TIMEOUT = 2.0
_MOST_UNSENT = 1_000  # events; a client that sends and never reads is not read either
_LOG = logging.getLogger(__name__)
_SUBPROTOCOL = Subprotocol("realtime")


class Server:
    """The running service.

    Attributes
    ----------
    host : str
    port : int
    url : str
        ``ws://HOST:PORT``, without a path.
    """

    def __init__(self, host: str, *, seed: int, speed: float) -> None:
        self.host = host
        self.port = 0
        self._seed = seed
        self._speed = speed
        self._count = 0
        self._server: WebSocketServer | None = None

    @property
    def url(self) -> str:
        """Return where it listens."""
        return f"ws://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"

    @property
    def sessions(self) -> int:
        """Return how many sessions are open."""
        return len(self._server.connections) if self._server else 0

    def __repr__(self) -> str:
        return f"<rtnb.service.Server {self.url} {self.sessions} sessions>"

    async def start(self, port: int) -> None:
        """Listen."""
        # The library's log would hold request headers, keys among them.
        silent = logging.getLogger("rtnb.service.websockets")
        silent.setLevel(logging.CRITICAL)
        self._server = await serve_websockets(
            self._hold,
            self.host,
            port,
            process_request=self._answer_http,
            select_subprotocol=_select_subprotocol,
            max_size=_LARGEST_FRAME,
            compression=None,
            ping_interval=None,  # a computing notebook cell must not cost the session
            close_timeout=_CLOSE_TIMEOUT,
            logger=silent,
        )
        self.port = next(iter(self._server.sockets)).getsockname()[1]

    async def close(self) -> None:
        """End every session with 1001 and stop listening."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    def _route(self, request: Request) -> SessionRoute | Page:
        headers = {name: ", ".join(request.headers.get_all(name)) for name in request.headers}
        return route(request.path, headers, base=self.url, sessions=self.sessions)

    def _answer_http(self, _socket: WebSocket, request: Request) -> Response | None:
        found = self._route(request)
        if isinstance(found, SessionRoute):
            return None
        body = found.body.encode()
        headers = Headers({"Content-Type": found.content_type, "Content-Length": str(len(body)), "Connection": "close"})
        return Response(found.status, found.status.phrase, headers, body)

    async def _hold(self, socket: WebSocket) -> None:
        """Hold one session until either side ends it."""
        assert socket.request is not None
        found = self._route(socket.request)
        assert isinstance(found, SessionRoute)
        connection = ServiceConnection(found.dialect, model=found.model, seed=self._seed + self._count)
        self._count += 1
        try:
            await _Talk(socket, connection, Pace(self._speed)).run()
        except ConnectionClosed:
            pass
        except Exception:
            _LOG.exception("A session of the local service broke; the connection is closed with 1011.")
            raise


def _select_subprotocol(_socket: WebSocket, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    """Browser clients offer their key as a subprotocol, too: only the plain name is ever echoed."""
    return _SUBPROTOCOL if _SUBPROTOCOL in offered else None


class _Talk:
    """Reads and writes one socket at the same time; everything sent goes through one queue, so that order is kept."""

    def __init__(self, socket: WebSocket, connection: ServiceConnection, pace: Pace) -> None:
        self._socket = socket
        self._connection = connection
        self._pace = pace
        self._unsent: deque[dict[str, Any]] = deque()
        self._news = asyncio.Event()
        self._room = asyncio.Event()

    async def run(self) -> None:
        """Talk until the socket closes or the session is too old."""
        self._put(self._connection.open())
        try:
            async with asyncio.timeout(SESSION_SECONDS):
                await self._talk()
        except TimeoutError:
            await self._expire()

    async def _talk(self) -> None:
        try:
            async with asyncio.TaskGroup() as tasks:
                writing = tasks.create_task(self._write())
                await self._read()
                writing.cancel()
        except* ConnectionClosed:
            pass  # however the client left, it is gone

    async def _read(self) -> None:
        async for frame in self._socket:
            if isinstance(frame, str):
                self._put(self._connection.receive(frame))
            else:
                self._put(self._connection.receive_binary())
            while len(self._unsent) > _MOST_UNSENT:
                self._room.clear()
                await self._room.wait()

    async def _write(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._flush()
            delay = self._pace.delay(loop.time()) if self._connection.busy else None
            if delay is None or delay > 0:
                await self._wait_for_news(delay)
            elif step := self._connection.advance():
                self._unsent.extend(step.events)
                self._pace.spend(loop.time(), step.seconds)
                await self._flush()
                await asyncio.sleep(0)  # between two words the reader and the other sessions have their turn

    async def _wait_for_news(self, delay: float | None) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(delay):
                await self._news.wait()
        self._news.clear()

    async def _flush(self) -> None:
        while self._unsent:
            await self._send(self._unsent.popleft())
        self._room.set()

    async def _send(self, event: dict[str, Any]) -> None:
        try:
            async with asyncio.timeout(_SEND_TIMEOUT):
                await self._socket.send(write_json(event), text=True)
        except TimeoutError:
            self._socket.transport.abort()
            await self._socket.wait_closed()

    def _put(self, events: list[dict[str, Any]]) -> None:
        self._unsent.extend(events)
        self._news.set()

    async def _expire(self) -> None:
        for event in self._connection.expire():
            await self._send(event)
            await self._socket.close(1001, event["error"]["message"])


def loopback(host: str) -> str:
    """Return `host` when it is this computer alone.

    Raises
    ------
    ConfigurationError
        It can be reached from elsewhere.
    """
    if host != "localhost":
        try:
            local = ipaddress.ip_address(host).is_loopback
        except ValueError:
            local = False
        if not local:
            raise ConfigurationError(
                f"host={host!r} is open to the network, and the service takes any key: use '127.0.0.1' or 'localhost'."
            )
    return host


async def serve(host: str = "127.0.0.1", port: int = 0, *, seed: int = 0, speed: float = 8.0) -> Server:
    """Start the service on the running loop.

    Parameters
    ----------
    host : str
        A loopback address.
    port : int
        0 takes a free one.
    seed : int
        Makes ids and voices repeatable; the n-th session has ``seed + n``.
    speed : float
        Seconds of speech sent a second; 0 or infinity: as fast as it can be made.

    Raises
    ------
    ConfigurationError
        The host is not loopback, or the speed not a pace.
    OSError
        The port is taken.
    """
    Pace(speed)
    server = Server(loopback(host), seed=seed, speed=speed)
    await server.start(port)
    return server


def stop_on_signals() -> asyncio.Event:
    """Return an event that SIGINT and SIGTERM set. To be called before anybody is told that the service is there."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, stop.set)
        except (NotImplementedError, RuntimeError):  # Windows, or not the main thread
            with contextlib.suppress(ValueError):
                signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
    return stop


def run(host: str = "127.0.0.1", port: int = 0, *, seed: int = 0, speed: float = 8.0) -> None:
    """Serve until Ctrl-C, and tell where: for the command line. Arguments and errors as in :func:`serve`."""

    async def main() -> None:
        stop = stop_on_signals()
        server = await serve(host, port, seed=seed, speed=speed)
        print(
            f"The local realtime service listens at {server.url}\n\n{usage(server.url)}\nCtrl-C stops it.", flush=True
        )
        await stop.wait()
        await server.close()

    asyncio.run(main())
