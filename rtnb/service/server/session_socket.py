"""One session on its socket: received frames go to the session, its events are sent in order, and engines do its jobs."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from typing import Any

from websockets.asyncio.server import ServerConnection as WebSocket
from websockets.exceptions import ConnectionClosed

from rtnb.protocol.events import write_json
from rtnb.service.engines.base import Engines
from rtnb.service.server.engine_jobs import EngineJobs
from rtnb.service.server.pace import Pace
from rtnb.service.session.client_events import Events
from rtnb.service.session.connection import ServiceConnection

_SEND_TIMEOUT = 20.0  # seconds that a client may go without reading
_MOST_UNSENT = 1_000  # events; a client that sends and never reads is not read either


class SessionSocket:
    """Reads and writes one socket at the same time. Everything that is sent goes through one queue, which keeps the order.

    `speed` is the seconds of speech sent a second, of each response; 0 or infinity: as fast as it is made.
    """

    def __init__(self, socket: WebSocket, connection: ServiceConnection, engines: Engines, *, speed: float) -> None:
        self._socket = socket
        self._connection = connection
        self._jobs = EngineJobs(connection, engines, self._put)
        self._speed = speed
        self._paces: dict[str, Pace] = {}
        self._unsent: deque[dict[str, Any]] = deque()
        self._changed = asyncio.Event()
        self._flushed = asyncio.Event()

    async def run(self) -> None:
        """Serve the session until the socket closes or the session expires."""
        self._put(self._connection.open())
        try:
            async with asyncio.timeout(self._connection.lifetime):
                await self._serve()
        except TimeoutError:
            for event in self._connection.expire():
                await self._send(event)
                await self._socket.close(1001, event["error"]["message"])

    async def _serve(self) -> None:
        try:
            async with asyncio.TaskGroup() as tasks:
                self._jobs.open(tasks)
                writing = tasks.create_task(self._write())
                try:
                    await self._read()
                finally:
                    self._jobs.close()
                    writing.cancel()
        except* ConnectionClosed:
            pass  # the client is gone, with or without a closing frame

    async def _read(self) -> None:
        async for frame in self._socket:
            if isinstance(frame, str):
                self._put(self._connection.receive(frame))
            else:
                self._put(self._connection.receive_binary())
            while len(self._unsent) > _MOST_UNSENT:
                self._flushed.clear()
                await self._flushed.wait()

    async def _write(self) -> None:
        while True:
            await self._flush()
            self._changed.clear()
            if not self._advance():
                await self._wait_for_change()
            elif self._unsent:
                await self._flush()
                await asyncio.sleep(0)  # between two words the reader and the other sessions have their turn

    def _advance(self) -> bool:
        """Take a step of every response that has one and whose pace allows it; return whether there was any."""
        now = asyncio.get_running_loop().time()
        self._paces = {each: self._paces.get(each) or Pace(self._speed) for each in self._connection.responses}
        stepped = False
        for each, pace in self._paces.items():
            if pace.delay(now) <= 0 and (step := self._connection.advance(each)):
                pace.spend(now, step.seconds)
                self._put(step.events)
                stepped = True
        return stepped

    async def _wait_for_change(self) -> None:
        """Wait until something happens, or a response may go on."""
        if self._unsent:
            return
        now = asyncio.get_running_loop().time()
        delays = [delay for pace in self._paces.values() if (delay := pace.delay(now)) > 0]
        if (due := self._connection.due()) is not None:
            delays.append(max(0.0, due - time.time()))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(min(delays, default=None)):
                await self._changed.wait()

    async def _flush(self) -> None:
        while self._unsent:
            await self._send(self._unsent.popleft())
        self._flushed.set()

    async def _send(self, event: dict[str, Any]) -> None:
        try:
            async with asyncio.timeout(_SEND_TIMEOUT):
                await self._socket.send(write_json(event), text=True)
        except TimeoutError:
            self._socket.transport.abort()
            await self._socket.wait_closed()

    def _put(self, events: Events) -> None:
        """Queue events, and carry out the orders that the session has given by now."""
        self._unsent.extend(events)
        self._jobs.carry_out(self._connection.orders())
        self._changed.set()
