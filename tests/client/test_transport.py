"""Bad servers on real sockets: nothing hangs, nothing is lost, and the error says what happened and what to do.

The numbers are those of the list of what a client must survive.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import socket
import traceback
from pathlib import Path
from typing import Any

import pytest
from hostile import CREATED, Wire, answering, frame, open_session, raw_server, scripted, server, upgrade
from memory_transport import MemoryTransport
from scripted import Ladder, error

import rtnb
from rtnb.client.connection import Connection
from rtnb.client.credentials import ApiKey, EntraToken, NoCredential
from rtnb.client.transport import MAX_FRAME, Closed, WebSocketTransport
from rtnb.errors import AuthError, ConnectError, ResponseTimeout, ServerError, SessionClosed
from rtnb.notebook.report import report_html
from rtnb.protocol.dialects import GA
from rtnb.service.server.tls import identity

KEY = "sk-planted-0123456789abcdef"
TOKEN = "planted-token-eyJ0eXAiOiJKV1Qi"


async def send_for_ever(peer: Any, frame: bytes) -> None:
    while True:
        await (peer.send_frame(frame) if isinstance(peer, Connection) else peer.send(frame))


async def seen(condition: Any) -> None:
    """Wait for what another end of a socket brings about."""
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0)


# 1 ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_1_a_redirect_is_refused_and_the_key_is_not_sent_again(status: int) -> None:
    """The other place never hears of us."""
    async with answering(200) as (elsewhere, visitors):
        for location in (elsewhere, elsewhere.replace("127.0.0.1", "localhost")):
            async with answering(status, headers={"Location": location}) as (url, requests):
                with pytest.raises(ConnectError, match=r"redirect.*would send the credential there"):
                    await open_session(url, credential=ApiKey(KEY, "api-key"))
                assert len(requests) == 1
        assert visitors == []


# 2 ------------------------------------------------------------------------------------------------------------------


async def test_2_an_error_before_the_close_is_reported_by_the_failed_send() -> None:
    """Error, close, and only then our send: the error that explains it is in the exception."""

    async def expire(wire: Wire) -> None:
        await wire.say(CREATED)
        await wire.hear("response.create")
        await wire.say(error("session_expired", "Your session hit the maximum duration of 60 minutes."))
        await wire.socket.close(1001, "expired")

    async with server(expire) as url:
        session = await open_session(url)
        r = await session.ask("x", wait=False)
        with pytest.raises(SessionClosed, match="session_expired: Your session hit the maximum") as caught:
            await r
        assert caught.value.code == 1001
        with pytest.raises(SessionClosed, match="session_expired"):
            await session.send({"type": "response.create"})
        assert session.timeline.select(kind="error").shape[0] == 1


async def test_2_a_send_into_a_connection_that_was_reset() -> None:
    """The frame that explains lies unread when the send fails; it is read all the same."""

    async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: bytes) -> None:
        explained = json.dumps(error("beta_feature_not_enabled", "Ask for access.")).encode()
        writer.write(
            upgrade(head) + frame(json.dumps(CREATED).encode()) + frame(explained) + frame((4003).to_bytes(2, "big"), 8)
        )
        await writer.drain()
        await reader.read(1)

    async with raw_server(reset) as url:
        with pytest.raises((SessionClosed, ConnectError), match="beta_feature_not_enabled: Ask for access"):
            await send_for_ever(await open_session(url), b'{"type":"response.create"}')


# 3 ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [1000, 1001])
async def test_3_a_clean_close_in_the_middle_is_incomplete(code: int) -> None:
    """Not completed; what had come is there."""

    async def leave(wire: Wire) -> None:
        await wire.say(CREATED)
        await wire.hear("response.create")
        await wire.say(*Ladder("ga").speech_turn(["Of", " course"], [bytes(4800)])[:7])
        await wire.socket.close(code, "bye")

    async with server(leave) as url:
        session = await open_session(url)
        r = await session.ask("x", wait=False)
        with pytest.raises(SessionClosed) as caught:
            await r
        assert (caught.value.code, caught.value.reason, caught.value.who) == (code, "bye", "service")
        assert (r.status, r.transcript, r.audio.duration) == ("incomplete", "Of course", 0.1)
        assert f"{code} bye" in r.reason


async def test_3_a_connection_that_breaks_in_the_middle() -> None:
    """Without a closing frame: 1006, the network's."""

    async def vanish(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: bytes) -> None:
        writer.write(upgrade(head) + frame(json.dumps(CREATED).encode()))
        await reader.read(1)
        writer.write(frame(json.dumps(Ladder("ga").created()).encode()))
        await writer.drain()

    async with raw_server(vanish) as url:
        session = await open_session(url)
        r = await session.ask("x", wait=False)
        with pytest.raises(SessionClosed) as caught:
            await r
        assert (caught.value.code, caught.value.who) == (1006, "network")
        assert r.status == "incomplete" or r.failure
        assert session.problems


# 4 ------------------------------------------------------------------------------------------------------------------


async def test_4_a_peer_that_never_reads_is_given_up() -> None:
    """Sending stops at the time that was allowed, and closing does not wait for it either."""

    async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: bytes) -> None:
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(upgrade(head) + frame(json.dumps(CREATED).encode()))
        await asyncio.Event().wait()

    async with raw_server(deaf) as url:
        transport = await WebSocketTransport.open(url, {}, timeout=5.0)
        connection = Connection(transport, GA, NoCredential(), send_timeout=0.2)
        chunk = b'{"type":"input_audio_buffer.append","audio":"' + b"A" * 1_000_000 + b'"}'
        with pytest.raises(SessionClosed, match="read nothing for 200 ms"):
            await send_for_ever(connection, chunk)
        assert connection.closed is not None
        await connection.close()


# 5 ------------------------------------------------------------------------------------------------------------------


async def test_5_silence_instead_of_a_session() -> None:
    """No session.created: an error that says so."""

    async def silent(wire: Wire) -> None:
        await wire.hear("never")

    async with server(silent) as url:
        with pytest.raises(ConnectError, match=r"no session\.created within 200 ms"):
            await open_session(url, timeout=0.2)


async def test_5_silence_instead_of_a_response() -> None:
    """No response.done: a timeout, a cancel, and a session that lives."""
    async with scripted(holds=True) as (url, scripts):
        session = await open_session(url)
        with pytest.raises(ResponseTimeout):
            await session.ask("x", timeout=0.2)
        scripts[0].holds = False
        assert (await session.ask("y")).status == "completed"
        assert "response.cancel" in scripts[0].types()
        await session.close()


async def test_5_a_keepalive_without_an_answer_is_a_lost_connection() -> None:
    """Not one that was closed here: the peer is gone, whatever this end does about it."""

    async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: bytes) -> None:
        writer.write(upgrade(head) + frame(json.dumps(CREATED).encode()))
        await asyncio.Event().wait()

    async with raw_server(deaf) as url:
        connection = Connection(await WebSocketTransport.open(url, {}, timeout=5.0, keepalive=0.05), GA, NoCredential())
        await seen(lambda: connection.closed)
        assert connection.closed is not None
        assert (connection.closed.code, connection.closed.who) == (1006, "network")
        assert "The connection was lost (1006: a keepalive was not answered)." in str(connection.closed)
        await connection.close()


# 6 ------------------------------------------------------------------------------------------------------------------

HORRIBLE = [
    b'{"type":"x","y":NaN}',
    b'{"type":"x","y":1e999}',
    b'{"type":"x","type":"response.done"}',
    b'{"type":"x","y":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    b'{"type":"x","y":' + b"9" * 5000 + b"}",
    b'{"type":"response.output_text.delta","delta":"\\ud800"}',
    b"\xff\xfe",
    b"",
    b"<html>",
    b'{"type":"error","error":{"event_id":[]}}',
]


async def test_6_horrible_json(tmp_path: Path) -> None:
    """Every frame is a row as it came; the log can be shown and saved; the next turn works."""

    async def horrible(wire: Wire) -> None:
        await wire.say(CREATED, *HORRIBLE)
        await wire.hear("response.create")
        await wire.say(*Ladder("ga").text_turn(["Hi"]))
        await wire.hear("never")

    async with server(horrible) as url:
        session = await open_session(url)
        assert (await session.ask("x")).transcript == "Hi"
        assert [event.raw for event in session.timeline[1 : 1 + len(HORRIBLE)]] == HORRIBLE
        session.timeline._repr_mimebundle_()["text/html"].encode()
        json.dumps(session.timeline.to_records()).encode()
        again = rtnb.open(session.save(tmp_path / "s.rtnb.jsonl"))
        assert [event.raw for event in again.timeline] == [event.raw for event in session.timeline]
        await session.close()


# 7 ------------------------------------------------------------------------------------------------------------------


async def test_7_a_frame_of_ten_megabytes() -> None:
    """Is a frame like another."""
    big = b'{"type":"x","y":"' + b"x" * 10_000_000 + b'"}'

    async def generous(wire: Wire) -> None:
        await wire.say(CREATED, big)
        await wire.hear("never")

    async with server(generous) as url:
        session = await open_session(url)
        assert (await session.wait_for("x")).raw == big
        assert session.state == "open"
        await session.close()


async def test_7_a_frame_beyond_the_limit_names_it() -> None:
    """1009, and how much is taken."""

    async def excessive(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: bytes) -> None:
        length = (MAX_FRAME + 1).to_bytes(8, "big")
        writer.write(upgrade(head) + frame(json.dumps(CREATED).encode()) + bytes([0x81, 127]) + length + b"x" * 1000)
        await reader.read()

    async with raw_server(excessive) as url:
        session = await open_session(url)
        with pytest.raises(SessionClosed, match="32 MiB") as caught:
            await session.wait_for("never", timeout=20)
        assert caught.value.code == 1009
        assert session.problems


# 8 ------------------------------------------------------------------------------------------------------------------

EVIL = "<script>alert(1)</script><img src=x onerror=alert(1)>\u202e\x1b[31m=cmd|calc"


async def test_8_markup_in_everything() -> None:
    """Escaped in every view, made visible in every text."""
    ladder = Ladder("ga", response=EVIL, item=EVIL)
    evil_session = {"id": EVIL, "model": EVIL, "instructions": EVIL, "audio": {"output": {"voice": EVIL}}}

    async def evil(wire: Wire) -> None:
        await wire.say({"type": "session.created", "event_id": EVIL, "session": evil_session})
        await wire.hear("response.create")
        await wire.say({"type": EVIL, "event_id": EVIL}, error(EVIL, EVIL), *ladder.speech_turn([EVIL], [bytes(100)]))
        update = await wire.hear("session.update")
        await wire.say(error(EVIL, EVIL, update["event_id"]))
        await wire.hear("end")
        await wire.socket.close(4000, EVIL[:60])

    async with server(evil) as url:
        session = await open_session(url)
        r = await session.ask("x")
        with pytest.raises(ServerError) as refused:
            await session.configure(voice="ash")
        await session.send({"type": "end"})
        with pytest.raises(SessionClosed) as closed:
            await session.wait_for("never", timeout=20)
        shown = [
            session,
            r,
            session.timeline,
            session.timeline.counts(),
            session.conversation,
            *r.items,
            *session.timeline,
        ]
        texts = [repr(each) for each in shown] + [str(refused.value), str(closed.value), *session.problems]
        bundles = [each._repr_mimebundle_() for each in shown if hasattr(each, "_repr_mimebundle_")]
        pages = [bundle["text/html"] for bundle in bundles if "text/html" in bundle]
        pages.append(report_html(timeline=session.timeline, responses=session.responses, title=EVIL))
        assert len(pages) > 10
        for page in pages:
            assert "<script" not in page
            assert "<img" not in page
        for text in [*texts, *pages]:
            assert "\u202e" not in text
            assert "\x1b" not in text


# 9 ------------------------------------------------------------------------------------------------------------------


async def test_9_both_dialects_at_once() -> None:
    """The audio is heard once, an odd byte does not shift it, and what comes too late is noted."""
    pcm = bytes(range(1, 201))

    async def bilingual(wire: Wire) -> None:
        await wire.say(CREATED)
        await wire.hear("response.create")
        ga, preview = Ladder("ga"), Ladder("preview")
        closing = ga.closing("audio", "Hi")
        twins = [each(ladder) for each in (lambda x: x.transcript("Hi"), lambda x: x.audio(pcm[:99]), lambda x: x.audio(pcm[99:]))
                 for ladder in (ga, preview)]  # fmt: skip
        await wire.say(
            *ga.opening("audio"), *twins, *closing, closing[-1], ga.audio(b"late"), preview.transcript("late")
        )
        await wire.hear("never")

    async with server(bilingual) as url:
        session = await open_session(url)
        r = await session.ask("x")
        await seen(lambda: len(session.timeline) >= 21)
        assert r.transcript == "Hi"
        assert r.audio.samples.tobytes()[: len(pcm)] == pcm
        assert r.status == "completed"
        assert session.conversation.active is None
        assert session.conversation.oddities
        await session.close()


# 10 -----------------------------------------------------------------------------------------------------------------


@pytest.mark.timeout(120)
async def test_10_a_burst_of_a_hundred_thousand_events() -> None:
    """All kept, the repr stays small, the session goes on."""
    many = 100_000
    delta = frame(json.dumps(Ladder("ga").text("x")).encode())

    async def burst(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: bytes) -> None:
        writer.write(
            upgrade(head) + frame(json.dumps(CREATED).encode()) + frame(json.dumps(Ladder("ga").created()).encode())
        )
        for _ in range(100):
            writer.write(delta * (many // 100))
            await writer.drain()
        for event in Ladder("ga").closing("text", "x" * many):
            writer.write(frame(json.dumps(event).encode()))
        await reader.read()

    async with raw_server(burst) as url:
        session = await open_session(url, timeout=60)
        await session.wait_for("response.done", timeout=60)
        assert session.timeline.select(kind="response.output_text.delta").shape[0] == many
        assert session.responses[0].text == "x" * many
        assert len(session.timeline._repr_mimebundle_()["text/html"]) < 40_000
        assert len(session.responses[0]._repr_mimebundle_()["text/html"]) < 40_000
        await session.close()


# 11 -----------------------------------------------------------------------------------------------------------------


async def test_11_a_service_that_leaves_things_out() -> None:
    """No event ids, no session id, no metadata, status or usage; text instead of audio; a strange answer to cancel."""

    async def sparse(wire: Wire) -> None:
        await wire.say({"type": "session.created"})
        await wire.hear("response.create")
        await wire.say({"type": "response.created", "response": {}})
        await wire.say({"type": "response.output_audio.delta", "delta": "this is text, not base64"})
        await wire.say({"type": "response.output_audio_transcript.delta", "delta": "Hi"}, {"type": "response.done"})
        await wire.hear("response.create")
        await wire.say({"type": "response.created", "response": {"id": "r2", "status": "failed"}})
        await wire.hear("response.create")
        await wire.hear("response.cancel")
        await wire.say({"type": "response.cancelled"})
        await wire.hear("never")

    async with server(sparse) as url:
        session = await open_session(url)
        r = await session.ask("x")
        assert (r.status, r.transcript, len(r.audio), r.usage, r.metadata, session.id) == (
            "completed",
            "Hi",
            0,
            {},
            {},
            "",
        )
        assert (await session.ask("y")).status == "failed"
        with pytest.raises(ResponseTimeout):
            await session.ask("z", timeout=0.1)
        assert session.state == "open"
        for each in (session, r, session.timeline):
            assert each._repr_mimebundle_()
        await session.close()


# 12 -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "advice"),
    [(401, "check the key"), (403, "Cognitive Services OpenAI User"), (404, "name of the deployment"), (429, "wait a little"),
     (500, "try again later"), (503, "try again later")],
)  # fmt: skip
async def test_12_a_refused_handshake(status: int, advice: str) -> None:
    """The status, the body's own words, and what to do; one error."""
    body = json.dumps({"error": {"code": "DeploymentNotFound", "message": f"Because, {KEY}."}})
    async with answering(status, body) as (url, _):
        with pytest.raises(AuthError if status in (401, 403) else ConnectError) as caught:
            await open_session(url, credential=ApiKey(KEY, "api-key"))
        assert caught.value.status == status
        for words in (f"HTTP {status}", "DeploymentNotFound: Because, [secret] — ", advice):
            assert words in str(caught.value)


async def test_12_a_handshake_that_hangs() -> None:
    """Within the time that was allowed."""

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: bytes) -> None:
        await asyncio.Event().wait()

    async with raw_server(hang) as url:
        with pytest.raises(ConnectError, match=r"within 200 ms.*timeout="):
            await open_session(url, timeout=0.2)


@pytest.mark.parametrize(
    "answer",
    [b"", b"SSH-2.0-OpenSSH_9.6\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", b"HTTP/1.1 101 X\r\n\r\n",
     b"HTTP/1.1 101 X\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n"],
)  # fmt: skip
async def test_12_what_is_no_handshake(answer: bytes) -> None:
    """A ConnectError that says so."""

    async def other(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: bytes) -> None:
        writer.write(answer)
        await writer.drain()

    async with raw_server(other) as url:
        with pytest.raises(ConnectError, match="check"):
            await open_session(url)


async def test_12_a_wrong_accept_key() -> None:
    """Somebody answers for another."""

    async def wrong(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: bytes) -> None:
        writer.write(upgrade(head, base64.b64encode(b"x" * 20).decode()))
        await reader.read()

    async with raw_server(wrong) as url:
        with pytest.raises(ConnectError, match=r"no WebSocket handshake.*check the URL"):
            await open_session(url)


async def test_12_the_retirement_of_the_preview_dialect() -> None:
    """Upgrade, error, close 4000: one error that says what to write instead."""

    async def retired(wire: Wire) -> None:
        await wire.say(error("beta_api_shape_disabled", "The Realtime Beta API is no longer supported."))
        await wire.socket.close(4000, "invalid_request_error.beta_api_shape_disabled")

    async with server(retired) as url:
        with pytest.raises(ConnectError, match=r"4000.*no longer supported.*dialect='ga'"):
            await open_session(url, dialect="preview")


async def test_12_nothing_listens() -> None:
    """Refused by the system."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(ConnectError, match=r"cannot be reached.*check that it runs"):
            await open_session(f"ws://127.0.0.1:{unused.getsockname()[1]}/v1/realtime")


async def test_12_a_refusal_says_for_how_long() -> None:
    """In seconds, in the message and as a number."""
    async with answering(429, "", {"Retry-After": "30"}) as (url, _):
        with pytest.raises(ConnectError, match=r"left alone for 30\.00 s") as caught:
            await open_session(url)
        assert caught.value.retry_after == 30.0


async def test_12_a_page_is_reported_by_its_title() -> None:
    """As a gateway answers that knows nothing of this service."""
    page = "<html><head><title>404 Not Found\n</title></head><body><center>nginx</center></body></html>"
    async with answering(404, page) as (url, _):
        with pytest.raises(ConnectError, match="HTTP 404: 404 Not Found — check") as caught:
            await open_session(url)
        assert f"Dialled {url}" in str(caught.value)


async def test_12_a_certificate_that_is_not_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable that names those that are, and its value."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "own.pem"))

    async def never(wire: Wire) -> None: ...

    with identity(["127.0.0.1"]) as own:
        async with server(never, ssl=own.context) as url:
            with pytest.raises(
                ConnectError, match=r"certificate verify failed.*SSL_CERT_FILE=.*own\.pem names"
            ) as caught:
                await open_session(url.replace("ws:", "wss:"))
    assert "Dialled wss://127.0.0.1" in str(caught.value)


@pytest.mark.parametrize(("variable", "secure"), [("HTTPS_PROXY", True), ("HTTP_PROXY", False), ("wss_proxy", True)])
async def test_12_a_proxy_is_named_with_its_variable(
    variable: str, secure: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without its password; it refuses, and nothing else is asked."""
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    async with answering(407) as (url, _):
        port = url.partition("127.0.0.1:")[2].partition("/")[0]
        monkeypatch.setenv(variable, f"http://user:planted-password@127.0.0.1:{port}")
        with pytest.raises(ConnectError) as caught:
            await open_session(f"{'wss' if secure else 'ws'}://service.example/v1/realtime?model=m")
    said = str(caught.value)
    assert "The proxy does not let the connection through" in said
    assert f"through the proxy http://***@127.0.0.1:{port} (from {variable})" in said
    assert "planted" not in said


# Secrets ------------------------------------------------------------------------------------------------------------


class Planted:
    """A credential that gives out a planted token."""

    def get_token(self, *scopes: str, **_: Any) -> Any:
        return type("Token", (), {"token": TOKEN})()


@pytest.mark.parametrize(
    ("credential", "secret"),
    [(ApiKey(KEY, "api-key"), KEY), (ApiKey(KEY, "Authorization"), KEY), (EntraToken(Planted(), "s"), TOKEN)],
    ids=["key", "bearer", "entra"],
)
async def test_a_secret_that_is_echoed_everywhere_is_nowhere(credential: Any, secret: str, tmp_path: Path) -> None:
    """Not in a repr, a frame, a file, a problem or an exception, whatever the service repeats."""
    headers: dict[str, str] = {}
    rows: list[bytes] = []

    async def echo(wire: Wire) -> None:
        headers.update({name.lower(): value for name, value in wire.headers.items()})
        ladder = Ladder("ga", response=secret, item=secret, metadata={"key": secret})
        echoed = {"id": secret, "model": secret, "instructions": secret, "audio": {"output": {"voice": secret}}}
        await wire.say({"type": "session.created", "event_id": secret, "session": echoed})
        await wire.hear("response.create")
        await wire.say({"type": secret}, error(secret, secret), *ladder.speech_turn([secret], [bytes(100)]))
        update = await wire.hear("session.update")
        await wire.say(error("invalid_value", f"You are {secret}", update["event_id"]))
        await wire.hear("end")
        await wire.socket.close(4000, secret)

    def record(timeline: Any) -> Any:
        return lambda event, late_ms: rows.append(event.raw)

    async with server(echo) as url:
        session = await open_session(url, credential=credential, record=record)
        errors: list[BaseException] = []
        r = await session.ask("x")
        for call in (
            session.configure(voice="ash"),
            session.send({"type": "end", "key": secret}),
            session.wait_for("never", 20.0),
        ):
            try:
                await call
            except Exception as caught:
                errors.append(caught)
    assert any(secret in value for value in headers.values())
    assert len(errors) == 2
    shown = [
        session,
        session.endpoint,
        r,
        r.latency,
        session.timeline,
        session.timeline.counts(),
        session.conversation,
        *r.items,
    ]
    texts = [repr(each) for each in (*shown, credential, *session.timeline)]
    texts += [
        str(each._repr_mimebundle_()) for each in (*shown, *session.timeline) if hasattr(each, "_repr_mimebundle_")
    ]
    texts += ["".join(traceback.format_exception(each)) for each in errors]
    texts += [str(vars(each)) for each in errors]
    texts += [
        *session.problems,
        str(session.config),
        str(session.timeline.to_records()),
        session.id,
        str(session.closed),
    ]
    texts += [session.save(tmp_path / "s.rtnb.jsonl").read_text(), *(row.decode() for row in rows)]
    texts += [event.raw.decode() for event in session.timeline]
    texts += [report_html(timeline=session.timeline, responses=session.responses, title="A session")]
    assert not [text[:200] for text in texts if secret in text]
    assert "[secret]" in session.timeline[0].raw.decode()


async def test_a_secret_in_a_refusal_is_in_no_exception() -> None:
    """Nor in the chain behind it."""
    async with answering(401, f'{{"error":{{"message":"wrong: {KEY}"}}}}', {"X-Echo": KEY}) as (url, _):
        with pytest.raises(AuthError) as caught:
            await open_session(f"{url}&api-key={KEY}", credential=ApiKey(KEY, "api-key"))
        assert KEY not in "".join(traceback.format_exception(caught.value))


# The memory transport -----------------------------------------------------------------------------------------------


async def test_the_memory_transport_carries_frames_both_ways() -> None:
    """And tells each end by whom it was closed."""
    ours, theirs = MemoryTransport.pair()
    await ours.send(b"a")
    await theirs.send(b"b")
    assert (await theirs.receive(), await ours.receive()) == (b"a", b"b")
    await theirs.close(1001, "bye")
    for end, who in ((ours, "service"), (theirs, "client")):
        for _ in range(2):
            with pytest.raises(Closed) as caught:
                await end.receive()
            assert (caught.value.code, caught.value.reason, caught.value.who) == (1001, "bye", who)
        with pytest.raises(Closed):
            await end.send(b"x")


@pytest.mark.parametrize("dialect", ["ga", "preview"])
async def test_a_turn_over_a_real_socket(dialect: str) -> None:
    """The scripted service, on a socket, in either dialect."""
    async with scripted(dialect) as (url, scripts):
        session = await open_session(url, dialect=dialect, voice="ash")
        r = await session.ask("x")
        assert (r.status, r.transcript) == ("completed", "Of course!")
        await session.close()
        await seen(lambda: scripts[0].closed)
        assert scripts[0].closed is not None
        assert scripts[0].closed.code == 1000
