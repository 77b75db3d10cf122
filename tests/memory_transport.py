"""A transport without a network: a pair of queues."""

from __future__ import annotations

import asyncio

from rtnb.client.transport import Closed


class MemoryTransport:
    """A `Transport` without a network: one end of a pair of queues.

    Examples
    --------
    >>> ours, theirs = MemoryTransport.pair()
    """

    def __init__(self, incoming: asyncio.Queue[bytes | Closed], outgoing: asyncio.Queue[bytes | Closed]) -> None:
        self._incoming = incoming
        self._outgoing = outgoing
        self._closed: Closed | None = None

    @classmethod
    def pair(cls) -> tuple[MemoryTransport, MemoryTransport]:
        """Return both ends: what one sends, the other receives."""
        there: asyncio.Queue[bytes | Closed] = asyncio.Queue()
        back: asyncio.Queue[bytes | Closed] = asyncio.Queue()
        return cls(back, there), cls(there, back)

    async def receive(self) -> bytes:
        """Return the next frame that the other end sent."""
        if self._closed is not None:
            raise self._closed
        frame = await self._incoming.get()
        if isinstance(frame, Closed):
            self._closed = frame
            raise frame
        return frame

    async def send(self, frame: bytes) -> None:
        """Send a frame to the other end."""
        if self._closed is not None:
            raise self._closed
        self._outgoing.put_nowait(frame)

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close both ends; the other end sees that the service did."""
        if self._closed is None:
            self._closed = Closed(code, reason, "client")
            self._outgoing.put_nowait(Closed(code, reason, "service"))
            self._incoming.put_nowait(self._closed)

    def drop(self) -> None:
        """Break the connection without a closing frame."""
        self._outgoing.put_nowait(Closed(1006, "the connection broke without a closing frame", "network"))
