"""From an endpoint to a session: one attempt, one clear outcome, nothing left open."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from memory_transport import MemoryTransport
from scripted import Here, error
from virtual_time import until, virtual_time

from rtnb.client.credentials import ApiKey, Credential, EntraToken, NoCredential
from rtnb.client.endpoint import Endpoint
from rtnb.client.handshake import Handshake
from rtnb.client.transport import Refused
from rtnb.errors import AuthError, ConnectError
from rtnb.protocol.dialects import GA

KEY = "sk-planted-0123456789abcdef"
ENDPOINT = Endpoint("url", "ws://127.0.0.1:1/v1/realtime", GA, "m", headers={"OpenAI-Beta": "x"})


class Dial:
    """Dials a memory transport; keeps what it was dialled with."""

    def __init__(self, *frames: Any, raises: BaseException | None = None) -> None:
        self.ours, self.theirs = MemoryTransport.pair()
        self.frames = frames
        self.raises = raises
        self.headers: list[Mapping[str, str]] = []

    async def __call__(self, url: str, headers: Mapping[str, str], timeout: float) -> MemoryTransport:
        self.headers.append(headers)
        if self.raises:
            raise self.raises
        for frame in self.frames:
            await (self.theirs.close(*frame) if isinstance(frame, tuple) else self.theirs.send(frame))
        return self.ours


async def connect(dial: Dial, credential: Credential | None = None, record: Any = None) -> Any:
    handshake = Handshake(ENDPOINT, credential or NoCredential(), 5.0, open_transport=dial)
    return await handshake.connect(Here(), record)  # type: ignore[arg-type]


CREATED = b'{"type":"session.created","session":{"id":"sess_1"}}'


@virtual_time
async def test_the_services_first_word_is_awaited() -> None:
    """And the headers are the endpoint's and the credential's."""
    dial = Dial(CREATED)
    connection = await connect(dial, ApiKey(KEY, "api-key"))
    assert connection.conversation.session_id == "sess_1"
    assert dial.headers == [{"OpenAI-Beta": "x", "api-key": KEY}]


@virtual_time
async def test_a_session_without_an_id_is_a_session() -> None:
    """Point 11."""
    connection = await connect(Dial(b'{"type":"session.created"}'))
    assert connection.closed is None


@virtual_time
async def test_silence_times_out_and_leaves_nothing_open() -> None:
    """Point 5: no session.created."""
    dial = Dial()
    with pytest.raises(ConnectError, match=r"sent no session\.created within 5\.00 s"):
        await connect(dial)
    with pytest.raises(Exception, match="1000"):
        await dial.theirs.receive()


@virtual_time
async def test_an_error_instead_of_a_session_is_told() -> None:
    """The service said why, and then nothing."""
    with pytest.raises(ConnectError, match="It said instead: no_such_model: No such model"):
        await connect(Dial(b'{"type":"error","error":{"code":"no_such_model","message":"No such model."}}'))


@virtual_time
async def test_the_retirement_of_the_preview_dialect() -> None:
    """Point 12: upgrade, error, close 4000; one error that says what to do."""
    import json

    retired = json.dumps(error("beta_api_shape_disabled", "The Realtime Beta API is no longer supported.")).encode()
    with pytest.raises(ConnectError) as caught:
        await connect(Dial(retired, (4000, "invalid_request_error.beta_api_shape_disabled")))
    for words in ("4000", "no longer supported", "dialect='ga'"):
        assert words in str(caught.value)
    assert "session.timeline" not in str(caught.value)


@virtual_time
async def test_a_close_instead_of_a_session() -> None:
    """With its code and reason, and what to check."""
    with pytest.raises(ConnectError, match=r"closed the connection before.*4001.*no access.*check"):
        await connect(Dial((4001, "no access")))


@virtual_time
async def test_a_refused_handshake_is_explained_without_the_key() -> None:
    """Wherever the body or the location repeats it, also where it would be cut."""
    for position in (0, 285, 290, 295):
        body = b"x" * position + KEY.encode() + b" is wrong"
        with pytest.raises(AuthError) as caught:
            await connect(Dial(raises=Refused(401, body)), ApiKey(KEY, "api-key"))
        assert not any(KEY[:n] in str(caught.value) + caught.value.body for n in (8, len(KEY)))
    with pytest.raises(ConnectError) as redirected:
        await connect(Dial(raises=Refused(302, b"", "https://evil/" + "x" * 95 + KEY)), ApiKey(KEY, "api-key"))
    assert KEY[:8] not in str(redirected.value)


@virtual_time
async def test_a_slow_credential_times_out() -> None:
    """The time is for all of it."""

    async def never() -> str:
        await asyncio.Event().wait()
        return ""

    dial = Dial(CREATED)
    with pytest.raises(ConnectError, match=r"within 5\.00 s: a credential"):
        await connect(dial, EntraToken(never, "s"))
    assert dial.headers == []


@virtual_time
async def test_a_recording_that_cannot_begin_leaves_nothing_open() -> None:
    """The error is the file's, the connection is closed."""

    def record(timeline: Any) -> Any:
        raise PermissionError("read-only")

    dial = Dial(CREATED)
    with pytest.raises(PermissionError):
        await connect(dial, record=record)
    await until(lambda: dial.ours._closed)


@virtual_time
async def test_an_interrupted_attempt_leaves_nothing_open() -> None:
    """Cancelled while it waits for the first word."""
    dial = Dial()
    task = asyncio.create_task(connect(dial))
    await until(lambda: dial.headers)
    for _ in range(5):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert dial.ours._closed is not None
