"""One session's conversation with its socket: what it reads goes to the core, what the core says goes out, in order.

What the core orders is carried out by the engines, side by side with both.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from typing import Any

from websockets.asyncio.server import ServerConnection as WebSocket
from websockets.exceptions import ConnectionClosed

from rtnb.protocol.events import write_json
from rtnb.service.engines import Engines
from rtnb.service.server.engine_jobs import Workshop
from rtnb.service.server.pace import Pace
from rtnb.service.session.connection import ServiceConnection

_SEND_TIMEOUT = 20.0  # seconds that a client may go without reading
_MOST_UNSENT = 1_000  # events; a client that sends and never reads is not read either


class Talk:
    """Reads and writes one socket at the same time; everything sent goes through one queue, so that order is kept.

    Parameters
    ----------
    socket : WebSocket
    connection : ServiceConnection
    engines : Engines
        Who speaks, writes and transcribes; shared by the sessions of a server.
    speed : float
        Seconds of speech sent a second, of each response; 0 or infinity: as fast as it is made.
    """

    def __init__(self, socket: WebSocket, connection: ServiceConnection, engines: Engines, *, speed: float) -> None:
        self._socket = socket
        self._connection = connection
        self._workshop = Workshop(connection, engines, self._put)
        self._speed = speed
        self._paces: dict[str, Pace] = {}
        self._unsent: deque[dict[str, Any]] = deque()
        self._news = asyncio.Event()
        self._room = asyncio.Event()

    async def run(self) -> None:
        """Talk until the socket closes or the session is too old."""
        self._put(self._connection.open())
        try:
            async with asyncio.timeout(self._connection.lifetime):
                await self._talk()
        except TimeoutError:
            await self._expire()

    async def _talk(self) -> None:
        try:
            async with asyncio.TaskGroup() as tasks:
                self._workshop.open(tasks)
                writing = tasks.create_task(self._write())
                try:
                    await self._read()
                finally:
                    self._workshop.close()
                    writing.cancel()
        except* ConnectionClosed:
            pass  # however the client left, it is gone

    async def _read(self) -> None:
        async for frame in self._socket:
            if isinstance(frame, str):
                self._put(self._connection.receive(frame))
            else:
                self._put(self._connection.receive_binary())
            while len(self._unsent) > _MOST_UNSENT:
                self._room.clear()
                await self._room.wait()

    async def _write(self) -> None:
        while True:
            await self._flush()
            self._news.clear()
            if not self._advance():
                await self._wait_for_news()
            elif self._unsent:
                await self._flush()
                await asyncio.sleep(0)  # between two words the reader and the other sessions have their turn

    def _advance(self) -> bool:
        """Take a step of every response that has one and whose pace allows it; return whether there was any."""
        now = asyncio.get_running_loop().time()
        responses = self._connection.responses
        self._paces = {each: self._paces.get(each) or Pace(self._speed) for each in responses}
        stepped = False
        for each, pace in self._paces.items():
            if pace.delay(now) <= 0 and (step := self._connection.advance(each)):
                pace.spend(now, step.seconds)
                self._put(step.events)
                stepped = True
        return stepped

    async def _wait_for_news(self) -> None:
        """Wait until something comes, or a response may go on."""
        if self._unsent:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._rest()):
                await self._news.wait()

    def _rest(self) -> float | None:
        """Return the seconds until a response may go on by itself; None: it never does."""
        now = asyncio.get_running_loop().time()
        rests = [delay for pace in self._paces.values() if (delay := pace.delay(now)) > 0]
        if (due := self._connection.due()) is not None:
            rests.append(max(0.0, due - time.time()))
        return min(rests, default=None)

    async def _flush(self) -> None:
        while self._unsent:
            await self._send(self._unsent.popleft())
        self._room.set()

    async def _send(self, event: dict[str, Any]) -> None:
        try:
            async with asyncio.timeout(_SEND_TIMEOUT):
                await self._socket.send(write_json(event), text=True)
        except TimeoutError:
            self._socket.transport.abort()
            await self._socket.wait_closed()

    def _put(self, events: list[dict[str, Any]]) -> None:
        """Queue events, and have done what the core wants done by now."""
        self._unsent.extend(events)
        self._workshop.carry_out(self._connection.orders())
        self._news.set()

    async def _expire(self) -> None:
        for event in self._connection.expire():
            await self._send(event)
            await self._socket.close(1001, event["error"]["message"])
