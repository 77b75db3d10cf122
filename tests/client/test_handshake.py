"""From an endpoint to a session: one attempt, one clear outcome, nothing left open."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest
from memory_transport import MemoryTransport
from scripted import Here, error
from virtual_time import until, virtual_time

from rtnb.client.credentials import ApiKey, Credential, EntraToken, NoCredential, credential_for
from rtnb.client.endpoint import Endpoint, resolve
from rtnb.client.handshake import Handshake
from rtnb.client.options import ConnectOptions
from rtnb.client.transport import Refused, Unreachable
from rtnb.client.waiters import Waiter
from rtnb.errors import AuthError, ConnectError, ServerError
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
async def test_an_error_instead_of_a_session_is_reported() -> None:
    """The service said why, and then nothing."""
    with pytest.raises(ConnectError, match="It said instead: no_such_model: No such model"):
        await connect(Dial(b'{"type":"error","error":{"code":"no_such_model","message":"No such model."}}'))


@virtual_time
async def test_the_retirement_of_the_preview_dialect() -> None:
    """Point 12: upgrade, error, close 4000; one error that says what to do."""
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


REFUSED_MODEL = error("invalid_value", "Invalid value: 'gpt-transcibe'.")
REFUSED_MODEL["error"]["param"] = "session.audio.input.transcription.model"


def created(**session: Any) -> bytes:
    return json.dumps({"type": "session.created", "session": {"id": "sess_1", **session}}).encode()


@virtual_time
async def test_a_session_of_the_other_dialects_shape_says_so() -> None:
    """A problem with what to write; a session of the right shape, or of none, has none."""
    connection = await connect(Dial(created(modalities=["text", "audio"], voice="ash")))
    (problem,) = connection.problems
    for words in ("session.created has another shape", "speaks the preview dialect", "connect with dialect='preview'"):
        assert words in problem
    for session in ({"type": "realtime", "output_modalities": ["audio"]}, {"model": "m"}):
        assert (await connect(Dial(created(**session)))).problems == []


@virtual_time
async def test_a_refusal_that_the_shape_caused_has_the_same_hint() -> None:
    """In the call's own exception, and where no call waits for it among the problems; another refusal has none."""
    dial = Dial(created())
    connection = await connect(dial)
    refusal = error("unknown_parameter", "Unknown parameter: 'session.output_modalities'.", event_id="event_1")
    refusal["error"]["param"] = "session.output_modalities"
    other = error("rate_limit", "Slow down.", event_id="event_2")
    for event, hinted in ((refusal, True), (other, False)):
        await dial.theirs.send(json.dumps(event).encode())
        waiter = Waiter(lambda event: False, [event["error"]["event_id"]])
        with pytest.raises(ServerError) as caught, connection.waiting(waiter) as future:
            await future
        assert ("connect with dialect='preview'" in str(caught.value)) is hinted
        assert str(caught.value).count("connect with") == hinted
    refusal["error"]["event_id"] = None
    await dial.theirs.send(json.dumps(refusal).encode())
    await until(lambda: connection.problems)
    assert "connect with dialect='preview'" in connection.problems[0]


@virtual_time
async def test_a_transcription_model_that_the_service_lacks() -> None:
    """Its refusal has near names, as that of the session's own model."""
    endpoint, _ = resolve(ConnectOptions("openai", api_key=KEY), {})
    dial = Dial(created(), json.dumps(REFUSED_MODEL).encode())
    handshake = Handshake(endpoint, NoCredential(), open_transport=dial, today=lambda: date(2026, 11, 22))
    connection = await handshake.connect(Here())  # type: ignore[arg-type]
    await until(lambda: connection.problems)
    assert "Did you mean gpt-transcribe" in connection.problems[0]


@virtual_time
async def test_a_connection_that_closes_before_a_session_quotes_the_last_frame() -> None:
    """What is no event says why, too; an error event is told once, in words."""
    frame = b'{"error":{"code":"Unauthorized","message":"This operation requires ephemeral authentication."}}'
    with pytest.raises(ConnectError, match="requires ephemeral authentication") as caught:
        await connect(Dial(frame, (1000, "")))
    assert "a normal end" not in str(caught.value)
    told = json.dumps(error("invalid_api_key", "Incorrect API key provided.")).encode()
    with pytest.raises(ConnectError, match=r"3000.*Incorrect API key") as caught:
        await connect(Dial(told, (3000, "Incorrect API key provided.")))
    assert str(caught.value).count("Incorrect API key provided") == 1
    assert "last frame" not in str(caught.value)


@virtual_time
async def test_silence_after_a_word_that_is_no_session_quotes_it() -> None:
    """The URL may be that of another protocol."""
    with pytest.raises(ConnectError, match=r'its last frame was \{"type":"hello"\}'):
        await connect(Dial(b'{"type":"hello"}'))


@virtual_time
async def test_every_failure_tells_what_was_dialled() -> None:
    """A refusal, an early close, silence, a network that is down: URL, model, kind of credential; never the key."""
    endpoint, key = resolve(
        ConnectOptions("openai", model="gpt-realtme", api_key=KEY, query={"team": "planted-team-0123"}), {}
    )
    for dial in (
        Dial(raises=Refused(404, b"", retry_after=7.0)),
        Dial(raises=Refused(302, b"", "https://elsewhere/")),
        Dial(raises=Unreachable(ssl.SSLCertVerificationError("certificate verify failed"))),
        Dial((4004, "model_not_found")),
        Dial(),
    ):
        handshake = Handshake(
            endpoint,
            credential_for(endpoint, key, None),
            5.0,
            open_transport=dial,
            today=lambda: date(2026, 11, 22),
        )
        with pytest.raises(ConnectError) as caught:
            await handshake.connect(Here())  # type: ignore[arg-type]
        said = str(caught.value)
        assert (
            "Dialled wss://api.openai.com/v1/realtime?model=gpt-realtme&team=***, model 'gpt-realtme', API key" in said
        )
        assert "planted" not in said
        assert ("Did you mean gpt-realtime" in said) is ("404" in said or "4004" in said)
        assert ("SSL_CERT_FILE" in said) is ("certificate" in said)


@virtual_time
async def test_a_running_call_is_not_waited_for_long() -> None:
    """Its first word may have been said long ago; another word counts as one, and an error does not."""
    endpoint = Endpoint("url", "ws://127.0.0.1:1/v1/realtime?call_id=rtc_1", GA, "", call_id="rtc_1")

    async def join(*frames: Any) -> Any:
        handshake = Handshake(endpoint, NoCredential(), 30.0, open_transport=Dial(*frames))
        began = asyncio.get_running_loop().time()
        return await handshake.connect(Here()), asyncio.get_running_loop().time() - began  # type: ignore[arg-type]

    connection, took = await join()
    assert (connection.closed, took) == (None, 2.0)
    assert (await join(b'{"type":"response.created","response":{}}'))[1] == 0
    assert (await join(created()))[1] == 0
    with pytest.raises(ConnectError, match="call_id_not_found"):
        await join(json.dumps(error("call_id_not_found", "There is no such call.")).encode())
