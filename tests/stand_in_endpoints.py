"""An HTTP endpoint that plays a script of bytes, right or wrong, and keeps what it was asked."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

Script = Callable[[asyncio.StreamWriter], Awaitable[None]]
Start = Callable[..., Awaitable["Endpoint"]]


@dataclass
class Endpoint:
    """Answers the n-th request with the n-th script, the last one again and again."""

    scripts: list[Script]
    stays_open: bool = False
    heads: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def asked(self) -> list[dict[str, Any]]:
        """The bodies as JSON."""
        return [json.loads(body) for body in self.bodies]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = int(head.lower().partition("content-length: ")[2].partition("\r\n")[0])
            self.heads.append(head)
            self.bodies.append(await reader.readexactly(length))
            await self.scripts[min(len(self.heads), len(self.scripts)) - 1](writer)
            if not self.stays_open:
                writer.write_eof()
            await reader.read()  # until the client has gone
        except OSError:
            pass
        finally:
            self.gone.set()
            writer.transport.abort()


def plays(script: Script | bytes) -> Script:
    async def said(writer: asyncio.StreamWriter) -> None:
        writer.write(script)  # type: ignore[arg-type]

    return said if isinstance(script, bytes) else script


def reply(body: bytes | str, content_type: str = "application/json", status: int = 200) -> bytes:
    """A whole answer."""
    body = body.encode() if isinstance(body, str) else body
    head = f"HTTP/1.1 {status} X\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


@asynccontextmanager
async def endpoints() -> AsyncIterator[Start]:
    """Give what starts endpoints, which end with the context."""
    servers = []

    async def start(*scripts: Script | bytes, stays_open: bool = False) -> Endpoint:
        made = Endpoint([plays(script) for script in scripts], stays_open)
        server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
        made.port = server.sockets[0].getsockname()[1]
        servers.append(server)
        return made

    try:
        yield start
    finally:
        for server in servers:
            server.close()
            await server.wait_closed()
