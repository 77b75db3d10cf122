"""The service on a real socket: handshake, several sessions, and clients that behave badly."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from rtnb.errors import ConfigurationError
from rtnb.service.server import serve

PREVIEW_PATH = "/openai/realtime?api-version=2024-10-01-preview&deployment=d"


@contextlib.asynccontextmanager
async def service(**options):
    server = await serve(**{"speed": 0, **options})
    try:
        yield server
    finally:
        await server.close()


async def receive(socket):
    return json.loads(await socket.recv())


async def send(socket, type, **fields):
    await socket.send(json.dumps({"type": type, **fields}))


async def begin(socket, text="Please assist the user."):
    """Ask without waiting for anything, as the samples do."""
    item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}
    await send(socket, "conversation.item.create", item=item)
    await send(socket, "response.create")


async def flood(socket, type, **fields):
    """Send until the service has had enough."""
    while True:
        await send(socket, type, **fields)


async def until(socket, type):
    events = [await receive(socket)]
    while events[-1]["type"] != type:
        events.append(await receive(socket))
    return events


async def test_a_turn_over_a_socket():
    """session.created comes unasked, then three frames back to back give a whole turn."""
    async with service() as server, connect(f"{server.url}/v1/realtime?model=m") as socket:
        assert (await receive(socket))["type"] == "session.created"
        await send(socket, "session.update", session={"type": "realtime", "model": "m"})
        await begin(socket)
        types = [event["type"] for event in await until(socket, "response.done")]
        assert types[:2] == ["session.updated", "conversation.item.added"]
        assert "response.output_audio.delta" in types


async def test_several_sessions_at_once_in_both_dialects():
    """Twelve sessions talk at the same time, each in its dialect, and none hears another."""

    async def turn(server, number):
        path = f"/v1/realtime?model=m{number}" if number % 2 else f"{PREVIEW_PATH}{number}"
        async with connect(server.url + path) as socket:
            session = (await receive(socket))["session"]
            await begin(socket, f"Repeat after me: number {number}")
            done = (await until(socket, "response.done"))[-1]["response"]
            return session["id"], session["model"], done["output"][0]["content"][0]["transcript"]

    async with service() as server:
        found = await asyncio.gather(*(turn(server, number) for number in range(12)))
    assert len({session_id for session_id, _, _ in found}) == 12
    for number, (_, model, transcript) in enumerate(found):
        assert model == (f"m{number}" if number % 2 else f"d{number}")
        assert str(number) in transcript


async def test_a_cancel_is_read_while_audio_is_sent():
    """At real-time pace a cancel after the first audio ends a long answer at once."""
    async with service(speed=1.0) as server, connect(f"{server.url}/v1/realtime") as socket:
        await begin(socket, "Count from one to sixty")
        await until(socket, "response.output_audio.delta")
        await send(socket, "response.cancel")
        done = (await until(socket, "response.done"))[-1]["response"]
        assert done["status"] == "cancelled"


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        (None, None),
        (["realtime"], "realtime"),
        (["openai-insecure-api-key.sk-planted", "realtime"], "realtime"),
        (["openai-insecure-api-key.sk-planted"], None),
    ],
)
async def test_subprotocols(offered, chosen):
    """The plain name is echoed when offered; a key among the offers never is; none is asked for."""
    async with service() as server, connect(f"{server.url}/v1/realtime", subprotocols=offered) as socket:
        assert socket.subprotocol == chosen
        assert (await receive(socket))["type"] == "session.created"


async def test_any_credential_is_taken_and_none_is_logged(caplog):
    """Keys in headers, query and subprotocols open a session, and appear in no log and no answer."""
    caplog.set_level(logging.DEBUG)
    key = "sk-planted-4711"
    ways = [
        (f"/v1/realtime?api-key={key}", {}, None),
        ("/v1/realtime", {"api-key": key}, None),
        ("/v1/realtime", {"Authorization": f"Bearer {key}"}, None),
        ("/v1/realtime", {}, ["realtime", f"openai-insecure-api-key.{key}"]),
    ]
    quiet = logging.getLogger("test.client")
    quiet.setLevel(logging.CRITICAL)
    async with service() as server:
        for path, headers, offered in ways:
            url = server.url + path
            async with connect(url, additional_headers=headers, subprotocols=offered, logger=quiet) as socket:
                assert key not in await socket.recv()
    assert key not in caplog.text


async def test_other_paths_are_404_with_help():
    """A wrong path is refused at the handshake with the URLs that work."""
    async with service() as server:
        with pytest.raises(InvalidStatus) as refused:
            await connect(f"{server.url}/v1/chat")
        assert refused.value.response.status_code == 404
        assert b"/v1/realtime?model=" in refused.value.response.body


async def test_plain_http():
    """GET / and GET /health answer without a WebSocket."""

    async def get(server, path):
        reader, writer = await asyncio.open_connection(server.host, server.port)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        answer = await reader.read()
        writer.close()
        return answer.decode()

    async with service() as server:
        assert "200 OK" in await get(server, "/")
        health = await get(server, "/health")
        assert json.loads(health.partition("\r\n\r\n")[2])["status"] == "ok"


async def test_bad_frames_do_not_end_the_connection():
    """Binary, broken and unknown frames are each answered with an error; then a turn works."""
    async with service() as server, connect(f"{server.url}/v1/realtime") as socket:
        await receive(socket)
        for frame in (b"\x00\xff", "{", "[]", '{"type": "nonsense"}', "\ufffd" * 100):
            await socket.send(frame)
            assert (await receive(socket))["type"] == "error"
        await begin(socket)
        assert (await until(socket, "response.done"))[-1]["response"]["status"] == "completed"


async def test_twenty_megabytes_are_read():
    """A frame with 15 MiB of audio arrives whole and is answered."""
    async with service() as server, connect(f"{server.url}/v1/realtime") as socket:
        await receive(socket)
        await send(socket, "input_audio_buffer.append", audio="A" * (20 * 2**20))
        assert (await receive(socket))["error"]["code"] == "unsupported_by_local_service"


@pytest.mark.parametrize("way", ["close", "close_4000", "abort", "half_handshake"])
async def test_however_a_client_leaves_nothing_is_left_behind(way, caplog, capfd):
    """A client that goes in the middle of an answer leaves no session, no task and no word in the log."""
    before = asyncio.all_tasks()
    async with service(speed=1.0) as server:
        if way == "half_handshake":
            _, writer = await asyncio.open_connection(server.host, server.port)
            writer.write(b"GET /v1/realtime HTTP/1.1\r\nHost: x\r\nUpgr")
            await writer.drain()
            writer.close()
        else:
            socket = await connect(f"{server.url}/v1/realtime")
            await begin(socket, "Count from one to sixty")
            await until(socket, "response.output_audio.delta")
            if way == "abort":
                socket.transport.abort()
            else:
                await socket.close(1000 if way == "close" else 4000)
            async with asyncio.timeout(10):
                while server.sessions:
                    await asyncio.sleep(0)
    assert asyncio.all_tasks() == before
    assert not caplog.records
    assert capfd.readouterr().err == ""


async def test_stopping_closes_sessions_with_1001():
    """A service that stops tells its clients that it goes away."""
    async with service(speed=1.0) as server:
        socket = await connect(f"{server.url}/v1/realtime")
        await begin(socket, "Count from one to sixty")
        await until(socket, "response.output_audio.delta")
        await server.close()
        with pytest.raises(ConnectionClosed) as closed:
            await until(socket, "response.done")
        assert closed.value.rcvd.code == 1001


async def test_a_client_that_never_reads_is_let_go(monkeypatch):
    """A client that sends and never reads loses its connection after the service's own timeout; others go on."""
    monkeypatch.setattr("rtnb.service.server._SEND_TIMEOUT", 0.2)
    async with service() as server:
        deaf = await connect(f"{server.url}/v1/realtime")
        await begin(deaf, "Count from one to twenty")
        item_id = (await until(deaf, "response.done"))[-1]["response"]["output"][0]["id"]
        deaf.transport.pause_reading()
        with pytest.raises(ConnectionClosed):
            await flood(deaf, "conversation.item.retrieve", item_id=item_id)
        async with connect(f"{server.url}/v1/realtime") as socket:
            await begin(socket)
            assert (await until(socket, "response.done"))[-1]["response"]["status"] == "completed"


async def test_a_session_expires_with_an_error_and_1001(monkeypatch):
    """At its age limit a session gets session_expired and the close code 1001."""
    monkeypatch.setattr("rtnb.service.server.SESSION_SECONDS", 0.05)
    async with service() as server, connect(f"{server.url}/v1/realtime") as socket:
        assert (await until(socket, "error"))[-1]["error"]["code"] == "session_expired"
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
        assert closed.value.rcvd.code == 1001
        assert "60 minutes" in closed.value.rcvd.reason


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.com", ""])
async def test_only_loopback(host):
    """A host that others can reach is refused before anything listens."""
    with pytest.raises(ConfigurationError, match=r"127\.0\.0\.1"):
        await serve(host)


async def test_localhost_and_ipv6():
    """Localhost works, and the repr says where the service is."""
    async with service(host="localhost") as server, connect(f"{server.url}/v1/realtime"):
        assert repr(server) == f"<rtnb.service.Server ws://localhost:{server.port} 1 sessions>"
