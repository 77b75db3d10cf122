"""`Handshake`: one attempt to connect, from the credential to ``session.created``, with one clear outcome."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from rtnb.client.attempt import Attempt, refused_model
from rtnb.client.connection import Connection, Record
from rtnb.client.connection_errors import close_meaning, refused_handshake, unreachable, without_repeats
from rtnb.client.credentials import Credential
from rtnb.client.endpoint import Endpoint
from rtnb.client.loop import LoopThread
from rtnb.client.remarks import Remarks
from rtnb.client.transport import Refused, Transport, Unreachable, WebSocketTransport, proxy_in_use
from rtnb.client.waiters import Waiter, accepts
from rtnb.errors import ConnectError, SessionClosed
from rtnb.formatting import one_line, seconds
from rtnb.protocol.events import RECEIVED, Event
from rtnb.protocol.names import Kind
from rtnb.protocol.session_types import dialect_of_session, type_of_url

CALL_SECONDS = 2.0
"""How long the first word of a running call is awaited: it may have been said when the call began."""

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
    today : callable
        Returns the day on which models live, or do not any more.
    remarks : sequence of (str, int or None)
        The local service's remarks, as `Remarks` takes them.
    """

    endpoint: Endpoint
    credential: Credential
    timeout: float = 30.0
    reconnect: bool = False
    open_transport: OpenTransport = open_websocket
    today: Callable[[], date] = date.today
    remarks: Sequence[tuple[str, int | None]] = ()

    async def connect(self, io: LoopThread, record: Record | None = None) -> Connection:
        """Connect, and wait for ``session.created``; of a running call for any word, and not for long.

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
                explain=lambda error: refused_model(self.endpoint.provider, error, self.today()),
                remarks=Remarks(self.remarks),
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
                f"proxy is slow; give timeout= more seconds. {self._attempt().facts}"
            ) from None
        except Unreachable as failure:
            attempt = self._attempt()
            raise unreachable(failure.cause, self.timeout, certificates=attempt.trust, facts=attempt.facts) from None
        except Refused as refused:
            raise self._refusal(refused) from None

    def _refusal(self, refused: Refused) -> ConnectError:
        attempt, body = self._attempt(), self.credential.scrub(refused.body)
        return refused_handshake(
            refused.status,
            body,
            self._scrubbed(refused.location),
            retry_after=refused.retry_after,
            hint=attempt.model_hint(body.decode("utf-8", "replace"), self.today(), refused.status),
            facts=attempt.facts,
        )

    def _attempt(self) -> Attempt:
        proxy = proxy_in_use(self.endpoint.url, os.environ)
        return Attempt.of(self.endpoint, self.credential.words, proxy, os.environ)

    def _scrubbed(self, text: str) -> str:
        return self.credential.scrub(text.encode("utf-8", "backslashreplace")).decode()

    async def _created(self, connection: Connection, deadline: float) -> None:
        where = self.endpoint.words
        start = len(connection.timeline)
        running = bool(self.endpoint.call_id)
        if running:
            deadline = min(deadline, asyncio.get_running_loop().time() + CALL_SECONDS)
        try:
            with connection.waiting(Waiter(_is_no_error if running else accepts(Kind.SESSION_CREATED))) as first:
                async with asyncio.timeout_at(deadline):
                    event = await first
            if event.kind == Kind.SESSION_CREATED:
                connection.greeted(event)
            stated = connection.conversation.config.get("type") or type_of_url(self.endpoint.url)
            connection.dialect = dialect_of_session(self.endpoint.dialect, stated)
            return
        except TimeoutError:
            if running and not connection.last_error:
                return
            said = without_repeats(connection.last_error, _last_frame(connection, start))
            attempt = self._attempt()
            hint = attempt.model_hint(said, self.today())
            failure = ConnectError(
                f"{where} took the connection, but sent no {Kind.SESSION_CREATED} within {seconds(self.timeout)}."
                f"{f' It said instead: {said}.' if said else ''} Check that the URL is that of a realtime service, or give "
                f"timeout= more seconds.{' ' if hint else ''}{hint} {attempt.facts}"
            )
        except SessionClosed as closed:
            failure = self._ended(connection, closed, start)
        except BaseException:
            await connection.close(1000)
            raise
        await connection.close(1000)
        raise failure

    def _ended(self, connection: Connection, closed: SessionClosed, start: int) -> ConnectError:
        """Return the error for a connection that ended before a session came about."""
        attempt = self._attempt()
        words = without_repeats(one_line(closed.reason, 200), connection.last_error, _last_frame(connection, start))
        said = f"{closed.code}{': ' if words else ''}{words}"
        meant = "" if closed.code == 1000 else close_meaning(closed.code, said)
        advice = meant or "check the URL, the model's name and the credential"
        hint = attempt.model_hint(words, self.today())
        return ConnectError(
            f"{self.endpoint.words} closed the connection before a session came about ({said}): {advice}."
            f"{' ' if hint else ''}{hint} {attempt.facts}"
        )


def _is_no_error(event: Event) -> bool:
    return event.kind != Kind.ERROR


def _last_frame(connection: Connection, start: int) -> str:
    """Return the last frame that came, in quotes, unless it is an error, whose words are the connection's last error."""
    event: Event | None = None
    for row in range(len(connection.timeline) - 1, start - 1, -1):
        if connection.timeline[row].direction == RECEIVED:
            event = connection.timeline[row]
            break
    if event is None or event.kind == Kind.ERROR:
        return ""
    return f"its last frame was {one_line(event.raw.decode('utf-8', 'replace'), 300)}"
