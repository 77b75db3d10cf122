"""What an HTTP endpoint answers, read while it comes: bytes, server-sent events, JSON and the errors in it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

__all__ = ["BrokenOff", "InvalidAnswer", "error_text", "event_data", "json_object", "read"]

_LONGEST_LINE = 4_000_000  # bytes


class InvalidAnswer(ValueError):
    """What an endpoint sent is no answer; the message says why, and may hold the endpoint's own words."""


class BrokenOff(Exception):
    """An answer ended in the middle."""


async def read(pieces: AsyncIterator[bytes], least: int) -> bytes:
    """Return what comes, until there are so many bytes or it ends."""
    found = bytearray()
    async for piece in pieces:
        found += piece
        if len(found) >= least:
            break
    return bytes(found)


async def event_data(pieces: AsyncIterator[bytes]) -> AsyncIterator[str]:
    """Yield the data of each server-sent event as it comes, one line each.

    httpx's own line reader also cuts at U+2028 and its like, which JSON may hold.

    Raises
    ------
    InvalidAnswer
        A line is longer than 4 MB.
    """
    held = bytearray()
    async for piece in pieces:
        held += piece
        if b"\n" in piece:
            *lines, held = held.split(b"\n")
            for line in lines:
                if line.startswith(b"data:"):
                    yield line[5:].removeprefix(b" ").removesuffix(b"\r").decode("utf-8", "replace")
        if len(held) > _LONGEST_LINE:
            raise InvalidAnswer("a line without end")
    if held.startswith(b"data:"):
        yield held[5:].strip().decode("utf-8", "replace")


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
