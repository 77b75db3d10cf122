"""What an HTTP endpoint answers, read while it comes: bytes, server-sent events, JSON and the errors in it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Iterator
from typing import TYPE_CHECKING, Any

from rtnb.service.engines.endpoint_url import EndpointTimeouts

if TYPE_CHECKING:
    import httpx

__all__ = ["BrokenOff", "EventLines", "InvalidAnswer", "Reply", "Silence", "error_text", "json_object"]

_LARGEST_LINE = 4_000_000  # bytes


class InvalidAnswer(ValueError):
    """What an endpoint sent is no answer; the message says why, and may hold the endpoint's own words."""


class BrokenOff(Exception):
    """An answer ended in the middle."""


class Silence(Exception):
    """An endpoint was silent for too long."""


class Reply:
    """An answer with status 200, whose body is still coming.

    Attributes
    ----------
    content_type : str
        In lower case, with its parameters.
    """

    def __init__(self, response: httpx.Response, timeouts: EndpointTimeouts) -> None:
        self.content_type: str = response.headers.get("content-type", "").lower()
        self._body = response.aiter_bytes()
        self._timeouts = timeouts

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """Yield the body as it comes."""
        patience = self._timeouts.first
        while True:
            try:
                async with asyncio.timeout(patience):
                    piece = await anext(self._body, b"")
            except TimeoutError:
                raise Silence(f"nothing more within {patience:g} seconds") from None
            if not piece:
                return
            yield piece
            patience = self._timeouts.idle

    async def whole(self, most: int) -> bytes:
        """Return the whole body, cut after `most` bytes."""
        read = bytearray()
        async for piece in self.pieces():
            read += piece
            if len(read) > most:
                break
        return bytes(read[:most])

    async def events(self) -> AsyncGenerator[str, None]:
        """Yield the data of each server-sent event as it comes."""
        lines = EventLines()
        async for piece in self.pieces():
            for data in lines.add(piece):
                yield data
        for data in lines.rest():
            yield data


class EventLines:
    """Takes bytes of a stream of server-sent events and gives back the data of each event.

    httpx's own line reader also cuts at U+2028 and its like, which JSON may hold.
    """

    def __init__(self) -> None:
        self._held = bytearray()
        self._data: list[bytes] = []

    def add(self, piece: bytes) -> Iterator[str]:
        """Take bytes as they come; yield the data of the events that are complete with them.

        Raises
        ------
        InvalidAnswer
            A line is longer than 4 MB.
        """
        start = max(0, len(self._held) - 1)
        self._held += piece
        while (end := self._held.find(b"\n", start)) >= 0:
            line = bytes(self._held[:end]).rstrip(b"\r")
            del self._held[: end + 1]
            start = 0
            yield from self._line(line)
        if len(self._held) > _LARGEST_LINE:
            raise InvalidAnswer("a line without end")

    def rest(self) -> Iterator[str]:
        """Yield what an ended stream left without its closing line."""
        yield from self._line(bytes(self._held).rstrip(b"\r"))
        yield from self._line(b"")

    def _line(self, line: bytes) -> Iterator[str]:
        if line.startswith(b"data:"):
            self._data.append(line[5:].removeprefix(b" "))
        elif not line and self._data:
            yield b"\n".join(self._data).decode("utf-8", "replace")
            self._data.clear()


def json_object(data: str | bytes) -> dict[str, Any]:
    """Return a JSON object that an endpoint sent.

    Raises
    ------
    InvalidAnswer
        It is none, or it reports an error.
    """
    shown = repr(data[:80]).removeprefix("b")
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        raise InvalidAnswer(f"not JSON: {shown}") from None
    if not isinstance(value, dict):
        raise InvalidAnswer(f"not a JSON object: {shown}")
    if value.get("error"):
        raise InvalidAnswer(error_text(value))
    return value


def error_text(body: Any) -> str:
    """Return what an error's JSON says, whichever of the usual forms it has."""
    error = body.get("error", body) if isinstance(body, dict) else body
    if isinstance(error, dict):
        error = error.get("message") or error.get("detail") or json.dumps(error, default=str)
    return str(error)
