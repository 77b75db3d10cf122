"""`Handshake`: one attempt to connect, from the credential to ``session.created``, with one clear outcome."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from rtnb.client.connection import Connection, Record
from rtnb.client.connection_errors import close_meaning, refused_handshake
from rtnb.client.credentials import Credential
from rtnb.client.endpoint import Endpoint
from rtnb.client.loop import LoopThread
from rtnb.client.transport import Refused, Transport, WebSocketTransport
from rtnb.client.waiters import Waiter, accepts
from rtnb.errors import ConnectError, SessionClosed
from rtnb.formatting import one_line, seconds
from rtnb.protocol.events import Event
from rtnb.protocol.names import Kind
from rtnb.protocol.session_types import dialect_of_session

_GRACE_SECONDS = 1.0
"""How long a running call that is watched may say nothing: nobody promises a ``session.created`` there."""

OpenTransport = Callable[[str, Mapping[str, str], float], Awaitable[Transport]]


async def open_websocket(url: str, headers: Mapping[str, str], timeout: float) -> Transport:
    """Open a WebSocket."""
    return await WebSocketTransport.open(url, headers, timeout=timeout)


@dataclass(frozen=True, slots=True)
class Handshake:
    """How a session connects: the first time, and again after its connection was lost.

    Attributes
    ----------
    endpoint : Endpoint
    credential : Credential
        Asked anew for each attempt.
    timeout : float
        Seconds for each attempt.
    reconnect : bool
        Whether a connection that is lost or expires is replaced without being asked.
    open_transport : callable
        ``await open_transport(url, headers, timeout)`` opens the transport.
    """

    endpoint: Endpoint
    credential: Credential
    timeout: float = 30.0
    reconnect: bool = False
    open_transport: OpenTransport = open_websocket

    async def connect(self, io: LoopThread, record: Record | None = None) -> Connection:
        """Connect, and wait for ``session.created``; for a call that is watched, a moment for whatever it says.

        Raises
        ------
        ConnectError, AuthError
            Whatever went wrong, with what to do about it; nothing is left open.
        """
        deadline = self._deadline()
        transport = await self._open()
        try:
            connection = Connection(
                transport,
                self.endpoint.dialect,
                self.credential,
                title=self.endpoint.words,
                late_ms=io.late_ms,
                record=record,
            )
        except BaseException:
            await transport.close()
            raise
        await self._created(connection, deadline)
        return connection

    async def connect_again(self, connection: Connection) -> None:
        """Give a connection that is closed a new transport, and wait for ``session.created`` on it.

        Raises
        ------
        ConnectError, AuthError
        """
        deadline = self._deadline()
        connection.reopen(await self._open())
        await self._created(connection, deadline)

    def _deadline(self) -> float:
        return asyncio.get_running_loop().time() + self.timeout

    async def _open(self) -> Transport:
        """Open a transport, with a credential that is fetched for it."""
        credential = self.credential
        try:
            async with asyncio.timeout(self.timeout):
                headers = {**self.endpoint.headers, **await credential.headers()}
                return await self.open_transport(self.endpoint.url, headers, self.timeout)
        except TimeoutError:
            raise ConnectError(
                f"No connection to {self.endpoint.words} within {seconds(self.timeout)}: a credential, the network or a "
                "proxy is slow; give timeout= more seconds."
            ) from None
        except Refused as refused:
            location = credential.scrub(refused.location.encode("utf-8", "backslashreplace")).decode()
            raise refused_handshake(refused.status, credential.scrub(refused.body), location) from None

    async def _created(self, connection: Connection, deadline: float) -> None:
        where = self.endpoint.words
        watching = bool(self.endpoint.call_id)
        if watching:
            deadline = min(deadline, asyncio.get_running_loop().time() + _GRACE_SECONDS)
        try:
            with connection.waiting(Waiter(_any_good_news if watching else accepts(Kind.SESSION_CREATED))) as created:
                async with asyncio.timeout_at(deadline):
                    await created
                connection.dialect = dialect_of_session(self.endpoint.dialect, _session_type(connection))
                return
        except TimeoutError:
            if watching:
                return  # nothing is being said on the call
            said = f" It said instead: {connection.last_error}." if connection.last_error else ""
            failure = ConnectError(
                f"{where} took the connection, but sent no {Kind.SESSION_CREATED} within {seconds(self.timeout)}.{said} "
                "Check that the URL is that of a realtime service, or give timeout= more seconds."
            )
        except SessionClosed as closed:
            said = "; ".join(filter(None, (str(closed.code), one_line(closed.reason, 200), connection.last_error)))
            advice = close_meaning(closed.code, said) or "check the URL, the model's name and the credential"
            failure = ConnectError(f"{where} closed the connection before a session came about ({said}): {advice}.")
        except BaseException:
            await connection.close(1000)
            raise
        await connection.close(1000)
        raise failure


def _any_good_news(event: Event) -> bool:
    return event.kind != Kind.ERROR


def _session_type(connection: Connection) -> str:
    return str(connection.conversation.config.get("type") or connection.dialect.session_type)
