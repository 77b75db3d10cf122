"""From an endpoint to a connection that has said ``session.created``: one attempt, one clear outcome."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from rtnb.client.connection import Connection, Record
from rtnb.client.credentials import Credential
from rtnb.client.endpoint import Endpoint
from rtnb.client.loop import LoopThread
from rtnb.client.refusals import refused_handshake, what_a_close_means
from rtnb.client.transport import Refused, Transport, WebSocketTransport
from rtnb.client.waiters import Watch
from rtnb.errors import ConnectError, SessionClosed
from rtnb.formatting import one_line, seconds
from rtnb.protocol.names import Kind

OpenTransport = Callable[[str, Mapping[str, str], float], Awaitable[Transport]]


async def open_websocket(url: str, headers: Mapping[str, str], timeout: float) -> Transport:
    """Dial a WebSocket."""
    return await WebSocketTransport.open(url, headers, timeout=timeout)


async def establish(
    endpoint: Endpoint,
    credential: Credential,
    io: LoopThread,
    *,
    timeout: float,
    record: Record | None = None,
    open_transport: OpenTransport = open_websocket,
) -> Connection:
    """Connect, and wait for the service's first word.

    Raises
    ------
    ConnectError, AuthError
        Whatever went wrong, with what to do about it; nothing is left open.
    """
    deadline = asyncio.get_running_loop().time() + timeout
    transport = await _dial(endpoint, credential, open_transport, timeout)
    try:
        connection = Connection(
            transport, endpoint.dialect, credential, title=endpoint.words, late_ms=io.late_ms, record=record
        )
    except BaseException:
        await transport.close()
        raise
    await _first_word(connection, deadline, timeout, endpoint)
    return connection


async def establish_again(
    connection: Connection,
    endpoint: Endpoint,
    credential: Credential,
    *,
    timeout: float,
    open_transport: OpenTransport = open_websocket,
) -> None:
    """Give a connection that is closed a new transport, and wait for the service's first word on it.

    Raises
    ------
    ConnectError, AuthError
    """
    deadline = asyncio.get_running_loop().time() + timeout
    connection.reopen(await _dial(endpoint, credential, open_transport, timeout))
    await _first_word(connection, deadline, timeout, endpoint)


async def _dial(endpoint: Endpoint, credential: Credential, open_transport: OpenTransport, timeout: float) -> Transport:
    """Make one attempt, with a credential that is fetched for it."""
    try:
        async with asyncio.timeout(timeout):
            secret_headers = await credential.headers()
            return await open_transport(endpoint.url, {**endpoint.headers, **secret_headers}, timeout)
    except TimeoutError:
        raise ConnectError(
            f"No connection to {endpoint.words} within {seconds(timeout)}: a credential, the network or a proxy is slow; "
            "give timeout= more seconds."
        ) from None
    except Refused as refused:
        location = credential.scrub(refused.location.encode("utf-8", "backslashreplace")).decode()
        raise refused_handshake(refused.status, credential.scrub(refused.body), location) from None


async def _first_word(connection: Connection, deadline: float, timeout: float, endpoint: Endpoint) -> None:
    try:
        await _session_created(connection, deadline, timeout, endpoint)
    except BaseException:
        await connection.close(1000)
        raise


async def _session_created(connection: Connection, deadline: float, timeout: float, endpoint: Endpoint) -> None:
    created = connection.watch(Watch(lambda event: event.kind == Kind.SESSION_CREATED))
    try:
        async with asyncio.timeout_at(deadline):
            await created.future
    except TimeoutError:
        said = f" It said instead: {connection.last_error}." if connection.last_error else ""
        raise ConnectError(
            f"{endpoint.words} took the connection, but sent no {Kind.SESSION_CREATED} within {seconds(timeout)}.{said} "
            "Check that the URL is that of a realtime service, or give timeout= more seconds."
        ) from None
    except SessionClosed as closed:
        said = "; ".join(filter(None, (str(closed.code), one_line(closed.reason, 200), connection.last_error)))
        advice = what_a_close_means(closed.code, said) or "check the URL, the model's name and the credential"
        raise ConnectError(
            f"{endpoint.words} closed the connection before a session came about ({said}): {advice}."
        ) from None
    finally:
        connection.watches.discard(created)
