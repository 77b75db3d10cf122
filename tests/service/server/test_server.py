"""The service on a real socket: handshake, several sessions, and clients that behave badly."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import ssl

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

import rtnb
from rtnb.errors import ConfigurationError
from rtnb.service.server.server import serve

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


async def get(server, path, *headers, method="GET", host=None):
    """Send a plain HTTP request; return the status and the body."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host or f'127.0.0.1:{server.port}'}", *headers, "", ""]
    writer.write("\r\n".join(lines).encode())
    answer = (await reader.read()).decode()
    writer.close()
    head, _, body = answer.partition("\r\n\r\n")
    return int(head.split()[1]), body


async def test_plain_http():
    """GET / and GET /health answer without a WebSocket; health counts the sessions."""
    async with service(faults="delay_ms=1") as server, connect(f"{server.url}/v1/realtime") as socket:
        await receive(socket)
        assert (await get(server, "/"))[0] == 200
        status, body = await get(server, "/health")
        health = json.loads(body)
        assert (status, health["status"], health["version"]) == (200, "ok", rtnb.__version__)
        assert (health["sessions"], health["faults"]) == (1, ["delay_ms=1"])


@pytest.mark.parametrize(("chat", "gap"), [({}, False), ({"chat": "http://127.0.0.1:9", "chat_model": "m"}, True)])
async def test_health_says_what_is_not_imitated(chat, gap):
    """Each setting that changes nothing here, with what happens instead; an engine that gives it closes the gap."""
    async with service(voice_engine="tones", **chat) as server:
        told = json.loads((await get(server, "/health"))[1])["not_imitated"]
        assert told == server.not_imitated
        assert told["tracing"].startswith("no trace is written")
        assert ("reasoning" in told) is gap


async def test_health_names_the_engines():
    """The engines are those that were asked for; a chat endpoint that is not there fails the response with a reason."""
    async with service(voice_engine="tones", chat="http://127.0.0.1:9", chat_model="m") as server:
        engines = json.loads((await get(server, "/health"))[1])["engines"]
        assert engines["voice"] == "tones"
        assert "127.0.0.1:9" in engines["writer"]
        async with connect(f"{server.url}/v1/realtime") as socket:
            await begin(socket)
            done = (await until(socket, "response.done"))[-1]["response"]
            assert done["status"] == "failed"
            assert "127.0.0.1:9" in done["status_details"]["error"]["message"]


UPGRADE = (
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==",
)


@pytest.mark.parametrize("path", ["/v1/realtime", "/", "/health", "/msi/token"])
@pytest.mark.parametrize(
    ("host", "header"),
    [(None, "Origin: https://evil.example"), (None, "Origin: null"), ("evil.example:80", "X-Identity-Header: x")],
)
async def test_no_page_of_another_site_gets_in(path, host, header):
    """A foreign page, or a name that was made to point here, gets 403 and a reason, on every path and for a WebSocket."""
    async with service() as server:
        status, body = await get(server, path, *UPGRADE, header, host=host)
        assert status == 403
        assert "localhost" in body
        assert server.sessions == 0


async def test_a_page_of_this_computer_gets_in():
    """A page on localhost, on whatever port, may talk to the service."""
    async with service() as server, connect(f"{server.url}/v1/realtime", origin="http://localhost:8888") as socket:
        assert (await receive(socket))["type"] == "session.created"


@pytest.mark.parametrize("request_line", ["POST /v1/chat/completions", "HEAD /", "GET /"])
async def test_whatever_is_asked_the_service_goes_on(request_line):
    """Other methods and requests without a host are refused, and the next session works."""
    async with service() as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(f"{request_line} HTTP/1.1\r\nContent-Length: 2\r\n\r\n{{}}".encode())
        answer = await reader.read()
        writer.close()
        assert not answer.startswith((b"HTTP/1.1 101", b"HTTP/1.1 200"))
        async with connect(f"{server.url}/v1/realtime") as socket:
            assert (await receive(socket))["type"] == "session.created"


async def test_tls_beside_plain():
    """With tls=True both URLs hold sessions, and the certificate is gone when the service is."""
    async with service(tls=True) as server:
        context = ssl.create_default_context(cafile=str(server.place.certificate))
        for url in (server.url, server.place.tls_url):
            async with connect(f"{url}/v1/realtime", ssl=context if url.startswith("wss") else None) as socket:
                assert (await receive(socket))["type"] == "session.created"
                assert server.sessions == 1
        assert server.place.certificate.exists()
    assert not server.place.certificate.parent.exists()


async def test_a_taken_port_is_said():
    """A second service on the port says what to do, and leaves nothing listening."""
    async with service() as server:
        with pytest.raises(ConfigurationError, match=f"Port {server.port} is in use"):
            await serve(port=server.port)


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
        await send(socket, "input_audio_buffer.clear")
        assert (await receive(socket))["type"] == "input_audio_buffer.cleared"
        await send(socket, "input_audio_buffer.append", audio="A" * (20 * 2**20 + 4))
        assert (await receive(socket))["error"]["code"] == "string_above_max_length"


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
    """A service that stops says so in the closing frame."""
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
    monkeypatch.setattr("rtnb.service.server.session_socket._SEND_TIMEOUT", 0.2)
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


async def test_a_session_expires_with_an_error_and_1001():
    """At its age limit a session gets session_expired and the close code 1001."""
    async with service(expire_in=0.05) as server, connect(f"{server.url}/v1/realtime") as socket:
        assert (await until(socket, "error"))[-1]["error"]["code"] == "session_expired"
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()
        assert closed.value.rcvd.code == 1001
        assert "0.05 seconds" in closed.value.rcvd.reason


@pytest.mark.parametrize("host", ["192.0.2.5", ""])
async def test_an_impossible_host(host):
    """A host that is not this computer's is refused with what to write."""
    with pytest.raises(ConfigurationError, match=r"127\.0\.0\.1"):
        await serve(host)


async def test_localhost_and_ipv6():
    """Localhost works, and the repr says where the service is."""
    async with service(host="localhost") as server, connect(f"{server.url}/v1/realtime"):
        assert repr(server) == f"<rtnb.service.Server ws://localhost:{server.port} 1 sessions>"


async def test_open_to_the_network_on_request():
    """With a host that is not loopback it works: by address, and not by another's name."""
    async with service(host="0.0.0.0") as server:
        assert server.url == f"ws://127.0.0.1:{server.port}"
        assert (await get(server, "/health", host=f"192.168.1.5:{server.port}"))[0] == 200
        assert (await get(server, "/health", host="evil.example"))[0] == 403


async def test_a_hundred_sessions_leave_nothing_behind():
    """After a hundred paced sessions in the middle of their answers there are no connections and no tasks more than before."""
    before = asyncio.all_tasks()
    async with service(speed=1.0) as server:

        async def one(number):
            async with connect(f"{server.url}/v1/realtime", max_queue=None) as socket:
                await begin(socket, f"Count from {number} to {number + 30}")
                await until(socket, "response.output_audio.delta")

        await asyncio.gather(*map(one, range(100)))
        async with asyncio.timeout(20):
            while server.sessions or len(asyncio.all_tasks()) > len(before):
                await asyncio.sleep(0)
    assert asyncio.all_tasks() == before
