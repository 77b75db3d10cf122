"""Servers that do what real ones have been seen to do, on loopback: one function per misdeed."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from scripted import Here, Script
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request

from rtnb.client.async_session import AsyncSession
from rtnb.client.credentials import NoCredential
from rtnb.client.endpoint import Endpoint
from rtnb.client.handshake import Handshake
from rtnb.client.transport import Closed
from rtnb.protocol.dialects import DIALECTS

Behave = Callable[["Wire"], Awaitable[None]]
CREATED = {"type": "session.created", "event_id": "event_0", "session": {"id": "sess_1", "model": "gpt-realtime"}}


def told(closed: ConnectionClosed) -> Closed:
    """Return how the client ended it."""
    frame = closed.rcvd or closed.sent
    return Closed(frame.code if frame else 1006, frame.reason if frame else "", "client")


class Wire:
    """A server's end of a WebSocket, with the words that `Script` uses."""

    def __init__(self, socket: ServerConnection) -> None:
        self.socket = socket
        self.headers = dict(socket.request.headers.raw_items()) if socket.request else {}

    async def receive(self) -> bytes:
        try:
            return await self.socket.recv(decode=False)
        except ConnectionClosed as closed:
            raise told(closed) from None

    async def send(self, frame: bytes) -> None:
        try:
            await self.socket.send(frame, text=True)
        except ConnectionClosed as closed:
            raise told(closed) from None

    async def say(self, *events: Any) -> None:
        for event in events:
            await self.send(event if isinstance(event, bytes) else json.dumps(event).encode())

    async def hear(self, type: str) -> dict[str, Any]:
        """Read until an event of this type has come."""
        while True:
            event: dict[str, Any] = json.loads(await self.receive())
            if event.get("type") == type:
                return event


@contextlib.asynccontextmanager
async def server(behave: Behave, **options: Any) -> AsyncIterator[str]:
    """Serve WebSockets that behave so; yield the URL."""

    async def run(socket: ServerConnection) -> None:
        with contextlib.suppress(Closed, ConnectionClosed):
            await behave(Wire(socket))

    options = {"max_size": None, "close_timeout": 0.1, **options}
    async with serve(run, "127.0.0.1", 0, **options) as running:
        port = running.sockets[0].getsockname()[1]
        yield f"ws://127.0.0.1:{port}/v1/realtime?model=m"
        running.close(close_connections=True)


@contextlib.asynccontextmanager
async def scripted(
    dialect: str = "ga", script: Callable[..., Script] = Script, **quirks: Any
) -> AsyncIterator[tuple[str, list[Script]]]:
    """Serve the scripted service, or another one, on a socket; yield its URL and the scripts that ran."""
    scripts: list[Script] = []

    async def behave(wire: Wire) -> None:
        scripts.append(script(wire, dialect, **quirks))
        await scripts[-1].run()

    async with server(behave) as url:
        yield url, scripts


@contextlib.asynccontextmanager
async def answering(
    status: int, body: str = "", headers: dict[str, str] | None = None
) -> AsyncIterator[tuple[str, list[Request]]]:
    """Answer every handshake with an HTTP status; yield the URL and the requests that came."""
    requests: list[Request] = []

    def refuse(socket: ServerConnection, request: Request) -> Any:
        requests.append(request)
        response = socket.respond(status, body)
        for name, value in (headers or {}).items():
            response.headers[name] = value
        return response

    async def never(wire: Wire) -> None: ...

    async with server(never, process_request=refuse) as url:
        yield url, requests


Raw = Callable[[asyncio.StreamReader, asyncio.StreamWriter, bytes], Awaitable[None]]


@contextlib.asynccontextmanager
async def raw_server(behave: Raw) -> AsyncIterator[str]:
    """Serve TCP: `behave` gets the streams and the head of the request."""
    tasks: set[asyncio.Task[Any]] = set()

    async def run(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        tasks.add(task)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await behave(reader, writer, await reader.readuntil(b"\r\n\r\n"))
        writer.transport.abort()

    running = await asyncio.start_server(run, "127.0.0.1", 0)
    try:
        yield f"ws://127.0.0.1:{running.sockets[0].getsockname()[1]}/v1/realtime?model=m"
    finally:
        running.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def upgrade(head: bytes, accept: str | None = None) -> bytes:
    """Return the answer that accepts a handshake, with the right key unless another is given."""
    key = next(
        line.split(b":", 1)[1].strip() for line in head.split(b"\r\n") if line.lower().startswith(b"sec-websocket-key")
    )
    right = base64.b64encode(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()).decode()
    lines = [
        "HTTP/1.1 101 Switching Protocols",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Accept: {accept or right}",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def frame(payload: bytes, opcode: int = 1) -> bytes:
    """Return one unmasked frame, as a server sends it."""
    length = len(payload)
    if length < 126:
        head = bytes([0x80 | opcode, length])
    elif length < 65536:
        head = bytes([0x80 | opcode, 126]) + length.to_bytes(2, "big")
    else:
        head = bytes([0x80 | opcode, 127]) + length.to_bytes(8, "big")
    return head + payload


async def open_session(
    url: str,
    *,
    credential: Any = None,
    timeout: float = 5.0,
    dialect: str = "ga",
    record: Any = None,
    **config: Any,
) -> AsyncSession:
    """Open a session over a real socket, on this loop."""
    endpoint = Endpoint("url", url, DIALECTS[dialect], "m")
    handshake = Handshake(endpoint, credential or NoCredential(), timeout)
    return await AsyncSession.open(handshake, Here(), config, record)  # type: ignore[arg-type]
