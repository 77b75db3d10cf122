"""The server's end of a connection: a WebSocket, or one HTTP request of another method than GET."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from websockets.asyncio.server import ServerConnection

from rtnb.service.server.http_exchange import HttpExchange, HttpRequest
from rtnb.service.server.routes import Page, SessionRoute

_HANDSHAKE = b"GET "


class RequestSocket(ServerConnection):
    """A connection that the WebSocket library reads, or an `HttpExchange` where its first bytes are no GET.

    ``answer(request)`` returns the answer to such a request. A WebSocket handshake leaves its `route` here.
    """

    def __init__(self, *arguments: Any, answer: Callable[[HttpRequest], Page], **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.route: SessionRoute | None = None
        self._answer = answer
        self._first: bytes | None = b""  # what came before it was clear what it is; None from then on
        self._exchange: HttpExchange | None = None

    def data_received(self, data: bytes) -> None:
        """Pass on what was received."""
        if self._first is not None:
            data = self._first + data
            if len(data) < len(_HANDSHAKE) and _HANDSHAKE.startswith(data):
                self._first = data
                return
            self._first = None
            if not data.startswith(_HANDSHAKE):
                self._exchange = HttpExchange(self._answer)
        if self._exchange is None:
            super().data_received(data)
            return
        if said := self._exchange.receive(data):
            self.transport.write(said)
        if self._exchange.over:
            self.transport.close()
