"""`Transport`: what carries a connection's frames, and the WebSocket that does. Nothing here looks into a frame."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, InvalidURI, WebSocketException
from websockets.proxy import get_proxy
from websockets.uri import parse_uri

from rtnb.client.addresses import hide_secrets
from rtnb.client.connection_errors import retry_seconds
from rtnb.client.websocket import WebSocket
from rtnb.protocol.urls import is_loopback

MAX_FRAME = 32 * 2**20
_CLOSE_SECONDS = 2.0
KEEPALIVE = 20.0
_UNANSWERED = (1011, "keepalive ping timeout")  # what the library closes with


@dataclass(eq=False)
class Refused(Exception):
    """The handshake was answered with an HTTP status instead of an upgrade.

    Attributes
    ----------
    status : int
    body : bytes
        What the service said, unchanged: it may echo a credential.
    location : str
        Where a redirect points to.
    retry_after : float or None
        Seconds that the service wants to be left alone.
    """

    status: int
    body: bytes = b""
    location: str = ""
    retry_after: float | None = None


@dataclass(eq=False)
class Unreachable(Exception):
    """Nothing answered the handshake, or nothing that speaks WebSocket; `cause` is what the library raised."""

    cause: Exception


@dataclass(eq=False)
class Closed(Exception):
    """The transport is at its end.

    Attributes
    ----------
    code : int
        WebSocket close code; 1006 where none was received.
    reason : str
    who : str
        ``"service"``, ``"client"`` or ``"network"``.
    """

    code: int
    reason: str
    who: str


class Transport(Protocol):
    """Carries the frames of a connection."""

    async def receive(self) -> bytes:
        """Return the next frame.

        Raises
        ------
        Closed
            When there will be no more.
        """

    async def send(self, frame: bytes) -> None:
        """Send a frame as text.

        Raises
        ------
        Closed
            When the connection is at its end.
        """

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close, politely at first, and in any case within a few seconds."""


class _NoRedirect(connect):
    """`websockets.connect` would follow a redirect to another host and send the key there; this never does."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


class WebSocketTransport:
    """A WebSocket as a `Transport`. Frames are taken as bytes, undecoded, so that nothing can spoil them."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket

    @classmethod
    async def open(
        cls, url: str, headers: Mapping[str, str], *, timeout: float, keepalive: float = KEEPALIVE
    ) -> WebSocketTransport:
        """Open a WebSocket at `url`; a ping goes out each `keepalive` seconds, and has as many to be answered.

        Raises
        ------
        Refused
            If the service answered with an HTTP status; a redirect, too, is not followed.
        Unreachable
            If nothing answered, or nothing that speaks WebSocket.
        """
        options: dict[str, Any] = {
            "create_connection": WebSocket,
            "additional_headers": dict(headers),
            "open_timeout": timeout,
            "close_timeout": _CLOSE_SECONDS,
            "max_size": MAX_FRAME,
            "ping_interval": keepalive,
            "ping_timeout": keepalive,
            # Base64 of speech hardly shrinks, and inflating it costs more than all the rest of an event's way.
            "compression": None,
            "proxy": True if _may_have_proxy(url) else None,
        }
        try:
            socket = await _NoRedirect(url, **options)
            assert isinstance(socket, WebSocket)
            return cls(socket)
        except InvalidStatus as error:
            response = error.response
            headers = {name.lower(): value for name, value in response.headers.raw_items()}
            wait = retry_seconds(headers, time.time())
            raise Refused(
                response.status_code, bytes(response.body or b""), headers.get("location", ""), wait
            ) from None
        except (WebSocketException, OSError, TimeoutError, EOFError, ValueError, ImportError) as error:
            raise Unreachable(error) from None

    async def receive(self) -> bytes:
        """Return the next frame, byte for byte."""
        try:
            return await self._socket.next_message()
        except ConnectionClosed as error:
            raise _closed(error) from None

    async def send(self, frame: bytes) -> None:
        """Send a frame as text."""
        try:
            await self._socket.send(frame, text=True)
        except ConnectionClosed as error:
            raise _closed(error) from None

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close within about two seconds; a peer that never reads has its connection aborted."""
        try:
            async with asyncio.timeout(_CLOSE_SECONDS + 0.5):
                await self._socket.close(code, reason)
        except (TimeoutError, OSError):
            pass
        finally:
            with contextlib.suppress(Exception):
                self._socket.transport.abort()


def proxy_in_use(url: str, environ: Mapping[str, str]) -> tuple[str, str] | None:
    """Return the proxy through which `url` is dialled, without its password, and the variable that names it.

    The variable is empty where the system's settings name the proxy.
    """
    try:
        proxy = get_proxy(parse_uri(url)) if _may_have_proxy(url) else None
    except InvalidURI:
        return None
    if proxy is None:
        return None
    named = (name for name, value in environ.items() if name.lower().endswith("_proxy") and value == proxy)
    return hide_secrets(proxy), next(named, "")


def _may_have_proxy(url: str) -> bool:
    return not is_loopback(urlsplit(url).hostname or "")


def _closed(error: ConnectionClosed) -> Closed:
    by_service = error.rcvd is not None and (error.rcvd_then_sent or error.sent is None)
    if by_service and error.rcvd is not None:
        return Closed(error.rcvd.code, error.rcvd.reason, "service")
    if error.sent is not None and (error.sent.code, error.sent.reason) == _UNANSWERED:
        return Closed(1006, "a keepalive was not answered", "network")
    if error.sent is not None:
        # Ours to close; with another code than 1000 or 1001 because of something that the peer sent, or failed to send.
        return Closed(error.sent.code, error.sent.reason, "client")
    cause = error.__cause__
    return Closed(1006, str(cause) if cause else "the connection broke without a closing frame", "network")
