"""One HTTP/1.1 request whose answer is read while it comes; plain or by TLS, with nothing but the standard library."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

__all__ = ["HttpError", "HttpResponse", "HttpTimeout", "open_request", "tls_context"]

_MOST_HEADERS = 200
_LARGEST_CHUNK = 16_000_000  # bytes
_READ = 65_536  # bytes at a time
_CONTINUE = 100

T = TypeVar("T")


class HttpError(Exception):
    """The peer does not speak HTTP as it should, or hung up in the middle of its answer."""


class HttpTimeout(HttpError):
    """The peer was silent for too long."""


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """A response whose body is still coming.

    Attributes
    ----------
    status : int
    headers : mapping
        By lower-case name; of a name that comes twice, the last.
    body : async generator of bytes
        The body's pieces, decoded from their transfer.
    """

    status: int
    headers: Mapping[str, str]
    body: AsyncGenerator[bytes, None]


async def open_request(
    connect: Callable[[], Coroutine[Any, Any, tuple[asyncio.StreamReader, asyncio.StreamWriter]]],
    request: bytes,
    *,
    connect_timeout: float,
    first_timeout: float,
    idle_timeout: float,
) -> tuple[HttpResponse, asyncio.StreamWriter]:
    """Send a request and read the head of its answer.

    Parameters
    ----------
    connect : callable
        Opens the connection.
    request : bytes
        Head and body. It must ask to close the connection afterwards.
    connect_timeout, first_timeout, idle_timeout : float
        Seconds for the connection, for the head of the answer, and between any two pieces of its body.

    Returns
    -------
    (HttpResponse, asyncio.StreamWriter)
        Abort the writer's transport to end everything at once.

    Raises
    ------
    OSError, ssl.SSLError
        No connection comes about.
    HttpError
        The answer is none, or is too late (`HttpTimeout`).
    """
    reader, writer = await _within(connect_timeout, connect(), "no connection")
    try:
        writer.write(request)
        await _within(first_timeout, writer.drain(), "the request is not read")
        status, headers = await _within(first_timeout, _head(reader), "no answer")
    except BaseException:
        writer.transport.abort()
        raise
    return HttpResponse(status, headers, _body(reader, headers, first_timeout, idle_timeout)), writer


async def _within(seconds: float, work: Coroutine[Any, Any, T], what: str) -> T:
    try:
        async with asyncio.timeout(seconds):
            return await work
    except TimeoutError:
        raise HttpTimeout(f"{what} within {seconds:g} seconds") from None


async def _head(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    while True:
        line = await _line(reader)
        version, _, rest = line.partition(" ")
        code = rest[:3]
        if not version.startswith("HTTP/1.") or not (code.isascii() and code.isdigit()):
            raise HttpError(f"no HTTP answer: {line[:60]!r}")
        headers: dict[str, str] = {}
        while header := await _line(reader):
            name, _, value = header.partition(":")
            headers[name.strip().lower()] = value.strip()
            if len(headers) > _MOST_HEADERS:
                raise HttpError("too many headers")
        if int(code) // 100 * 100 != _CONTINUE:
            return int(code), headers


async def _line(reader: asyncio.StreamReader) -> str:
    try:
        line = await reader.readuntil(b"\n")
    except asyncio.IncompleteReadError:
        raise HttpError("the connection ended in the middle of the answer") from None
    except asyncio.LimitOverrunError:
        raise HttpError("a header line without end") from None
    return line.decode("latin-1").rstrip("\r\n")


async def _body(
    reader: asyncio.StreamReader, headers: Mapping[str, str], first_timeout: float, idle_timeout: float
) -> AsyncGenerator[bytes, None]:
    """Yield the body as it comes; the first piece may take as long as the head did."""
    if "chunked" in headers.get("transfer-encoding", "").lower():
        pieces = _chunks(reader)
    elif headers.get("content-length", "").isdecimal():
        pieces = _counted(reader, int(headers["content-length"]))
    else:
        pieces = _until_closed(reader)
    patience = first_timeout
    while True:
        piece = await _within(patience, _next(pieces), "nothing more")
        if not piece:
            return
        yield piece
        patience = idle_timeout


async def _next(pieces: AsyncGenerator[bytes, None]) -> bytes:
    return await anext(pieces, b"")


async def _chunks(reader: asyncio.StreamReader) -> AsyncGenerator[bytes, None]:
    while True:
        size_line = (await _line(reader)).partition(";")[0].strip()
        try:
            size = int(size_line, 16)
        except ValueError:
            raise HttpError(f"no chunk: {size_line[:40]!r}") from None
        if not 0 <= size <= _LARGEST_CHUNK:
            raise HttpError(f"a chunk of {size} bytes")
        if not size:
            return
        async for piece in _counted(reader, size):
            yield piece
        await _line(reader)


async def _counted(reader: asyncio.StreamReader, size: int) -> AsyncGenerator[bytes, None]:
    while size:
        piece = await reader.read(min(size, _READ))
        if not piece:
            raise HttpError("the connection ended in the middle of the answer")
        size -= len(piece)
        yield piece


async def _until_closed(reader: asyncio.StreamReader) -> AsyncGenerator[bytes, None]:
    while piece := await reader.read(_READ):
        yield piece


def tls_context() -> ssl.SSLContext:
    """Return the context for https: certificates are checked against those that this computer trusts."""
    return ssl.create_default_context()
