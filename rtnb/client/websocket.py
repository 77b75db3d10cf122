"""The library's WebSocket connection, with a shorter way for what comes by the thousand: whole frames of text.

The library cuts every frame out of its buffer by a chain of generators, then assembles messages from frames by a chain of
coroutines. Here a frame that is a whole text message of less than 64 KiB is cut out of the bytes as they arrive. All other
frames, and so the protocol's rules, remain the library's.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.frames import Frame, Opcode
from websockets.protocol import Event, State

_WHOLE_TEXT = 0x81
_LENGTH_FOLLOWS = 126
_CONTROL = (Opcode.CLOSE, Opcode.PING, Opcode.PONG)
_READ = 64 * 1024


class WebSocket(ClientConnection):
    """A connection whose messages are taken with `next_message`."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._messages: deque[bytes] = deque()
        self._parts: list[bytes] = []
        self._rest = b""  # the beginning of a text frame
        self._library_reads = True  # for it holds the beginning of something, or the handshake
        self._lost = False
        self._waiter: asyncio.Future[None] | None = None

    async def next_message(self) -> bytes:
        """Return the next message as bytes. For one caller at a time.

        Raises
        ------
        ConnectionClosed
            When there will be no more.
        """
        while not self._messages and not self._lost:
            self._waiter = self.loop.create_future()
            await self._waiter
        if self._messages:
            return self._messages.popleft()
        return await self.recv(decode=False)  # nothing comes that way, but the reason

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        super().connection_made(transport)
        if hasattr(transport, "max_size"):
            # asyncio asks for 256 KiB a read: so much memory is mapped and unmapped each time, which takes longer than
            # the reading.
            transport.max_size = _READ

    def data_received(self, data: bytes) -> None:
        """Take what has arrived."""
        if not self._library_reads:
            data = self._rest + data
            messages, place = whole_texts(data)
            self._messages += messages
            self._rest = data[place:]
            if begins_text(self._rest):
                self._wake()
                return
            data, self._rest = self._rest, b""
        super().data_received(data)
        self._library_reads = bool(self.protocol.reader.buffer) or self.protocol.state is not State.OPEN
        if self.protocol.state is State.CLOSING and self.close_timeout is not None:
            # The library gives a peer that does not hang up time until the next keepalive.
            self.loop.call_later(self.close_timeout, self.transport.abort)
        self._wake()

    def eof_received(self) -> None:
        """Take note that the peer sends no more."""
        rest, self._rest, self._library_reads = self._rest, b"", True
        if rest:
            super().data_received(rest)
        super().eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        """Take note of the end."""
        super().connection_lost(exc)
        self._lost = True
        self._wake()

    def process_event(self, event: Event) -> None:
        """Take a frame, or the handshake's answer, that the library has read."""
        if not isinstance(event, Frame) or event.opcode in _CONTROL:
            super().process_event(event)
            return
        self._parts.append(bytes(event.data))
        if event.fin:
            self._messages.append(b"".join(self._parts))
            self._parts = []

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


def begins_text(data: bytes) -> bool:
    """Return whether `data`, too short for a whole frame, may become one that `whole_texts` takes; empty data may."""
    return not data or (data[0] == _WHOLE_TEXT and (len(data) == 1 or data[1] <= _LENGTH_FOLLOWS))


def whole_texts(data: bytes) -> tuple[list[bytes], int]:
    """Return the messages of the whole, unmasked, short text frames that `data` begins with, and where they end."""
    messages: list[bytes] = []
    place, size = 0, len(data)
    while size - place >= 2 and data[place] == _WHOLE_TEXT:
        length, start = data[place + 1], place + 2
        if length > _LENGTH_FOLLOWS:
            break
        if length == _LENGTH_FOLLOWS:
            length, start = int.from_bytes(data[start : start + 2], "big"), start + 2
        if start + length > size:
            break
        messages.append(data[start : start + length])
        place = start + length
    return messages, place
