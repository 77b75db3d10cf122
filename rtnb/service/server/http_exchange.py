"""One HTTP request that is no GET, and its answer. Bytes in, bytes out; no I/O.

The WebSocket library reads handshakes, which are GET requests without a body, and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus

import h11

from rtnb.service.server.routes import Page, error_page

LARGEST_BODY = 256 * 1024
_MOST_READ = 64 * 2**20  # bytes; a longer body is not even thrown away


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request, with its whole body.

    Attributes
    ----------
    method, target : str
        The target with its query.
    headers : mapping
        By name, in lower case.
    body : bytes
    """

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


class HttpExchange:
    """Reads one request, and answers it with what `answer` returns.

    Attributes
    ----------
    over : bool
        Whether the answer was returned, so that the connection is to be closed.
    """

    def __init__(self, answer: Callable[[HttpRequest], Page]) -> None:
        self.over = False
        self._answer = answer
        self._http = h11.Connection(h11.SERVER)
        self._request: h11.Request | None = None
        self._body = bytearray()
        self._read = 0

    def receive(self, data: bytes) -> bytes:
        """Take what was received; return what to send."""
        try:
            self._http.receive_data(data)
            return self._go_on()
        except h11.RemoteProtocolError as error:
            status = HTTPStatus(error.error_status_hint)
            return self._send(error_page(status, "invalid_request", f"This is no HTTP request: {error}."))

    def _go_on(self) -> bytes:
        said = b""
        while not self.over:
            event = self._http.next_event()
            match event:
                case h11.Request():
                    self._request = event
                case h11.Data():
                    self._keep(bytes(event.data))
                case h11.EndOfMessage():
                    return said + self._send(self._page())
                case _:
                    break
            if self._http.they_are_waiting_for_100_continue:
                said += self._http.send(h11.InformationalResponse(status_code=100, headers=[])) or b""
        return said

    def _keep(self, data: bytes) -> None:
        """Keep the body; what is too large is read to its end, since a client that still writes reads no answer."""
        self._read += len(data)
        if self._read <= LARGEST_BODY:
            self._body += data
        elif self._read > _MOST_READ:
            self.over = True

    def _page(self) -> Page:
        assert self._request is not None
        if self._read > LARGEST_BODY:
            message = f"The body has {self._read:,} bytes; the local service takes {LARGEST_BODY:,} at most."
            return error_page(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "request_too_large", message)
        headers: dict[str, str] = {}
        for name, value in self._request.headers:
            key, text = name.decode("latin-1").lower(), value.decode("latin-1")
            headers[key] = f"{headers[key]}, {text}" if key in headers else text
        method, target = self._request.method.decode(), self._request.target.decode("latin-1")
        return self._answer(HttpRequest(method, target, headers, bytes(self._body)))

    def _send(self, page: Page) -> bytes:
        self.over = True
        body = page.body.encode()
        response = h11.Response(
            status_code=page.status, headers=list(page.all_headers(body).items()), reason=page.status.phrase
        )
        without_body = self._request is not None and self._request.method == b"HEAD"
        return (self._http.send(response) or b"") + (b"" if without_body else body)
