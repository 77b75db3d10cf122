"""POST and the other methods: keys are granted, everything else gets a sentence; over a socket, by the rules of access."""

from __future__ import annotations

import asyncio
import json
import ssl
from urllib.request import Request, urlopen

import pytest
from openai import AsyncOpenAI
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from rtnb.service.server import posts
from rtnb.service.server.client_secrets import ClientSecrets
from rtnb.service.server.http_exchange import HttpRequest
from rtnb.service.server.routes import Place
from rtnb.service.server.server import serve

PLACE = Place("ws://127.0.0.1:1")
BRIEF = {"type": "realtime", "instructions": "Be brief.", "audio": {"output": {"voice": "verse"}}}


def ask(target, method="POST", body=b"{}"):
    return posts.answer(HttpRequest(method, target, {}, body), ClientSecrets(lambda: 1000.0), PLACE)


@pytest.mark.parametrize("target", ["/v1/realtime/client_secrets", "//openai/v1/realtime/client_secrets/?x=1"])
def test_both_paths_grant(target):
    """OpenAI's and Azure's, as clients write them."""
    found = ask(target)
    assert found.status == 200
    assert json.loads(found.body)["expires_at"] == 1600


@pytest.mark.parametrize(
    ("method", "target", "status", "words"),
    [
        ("POST", "/v1/realtime/sessions", 404, "preview protocol: POST http://127.0.0.1:1/v1/realtime/client_secrets"),
        ("POST", "/openai/realtimeapi/sessions?api-version=x", 404, "client_secrets"),
        ("POST", "/v1/realtime/transcription_sessions", 404, 'type "transcription"'),
        ("POST", "/v1/realtime/calls", 404, "no WebRTC"),
        ("POST", "/openai/v1/realtime/calls/rtc_1/accept", 404, "no WebRTC"),
        ("POST", "/v1/realtime/translations/client_secrets", 404, "does not translate"),
        ("POST", "/v1/chat/completions", 404, "Nothing is at /v1/chat/completions"),
        ("POST", "/v1/realtime?model=m", 405, "takes a GET"),
        ("POST", "/health", 405, "takes a GET"),
        ("HEAD", "/", 405, "takes a GET"),
        ("DELETE", "/v1/realtime/client_secrets", 405, "takes a POST"),
    ],
)
def test_everything_else_gets_a_sentence(method, target, status, words):
    """404 or 405 in the cloud's form, one line that says what to do, and for 405 the method that would do."""
    found = ask(target, method)
    error = json.loads(found.body)["error"]
    assert found.status == status
    assert words in error["message"]
    assert "\n" not in error["message"]
    assert len(error["message"]) < 300
    assert ("Allow" in dict(found.headers)) == (status == 405)


def test_a_fault_has_the_clouds_form():
    """400 with message, type, param and code."""
    found = ask("/v1/realtime/client_secrets", body=b'{"session": {"type": "realtime", "voice": "x"}}')
    assert found.status == 400
    assert json.loads(found.body)["error"] == {
        "message": "Unknown parameter: 'session.voice'.",
        "type": "invalid_request_error",
        "param": "session.voice",
        "code": "unknown_parameter",
    }


@pytest.fixture
async def server():
    server = await serve(speed=0, tls=True)
    yield server
    await server.close()


async def post(server, path, body, *headers, host=None, port=None, context=None, method="POST"):
    """Send a POST; return the status and the body."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port or server.port, ssl=context)
    head = [f"{method} {path} HTTP/1.1", f"Host: {host or f'127.0.0.1:{server.port}'}", f"Content-Length: {len(body)}"]
    writer.write("\r\n".join([*head, *headers, "", ""]).encode() + body)
    answer = (await reader.read()).decode()
    writer.close()
    head, _, body = answer.partition("\r\n\r\n")
    return int(head.split()[1]), body


async def opened(url, key, **options):
    """Open a session with a key; return its first event's session."""
    options = options or {"additional_headers": {"Authorization": f"Bearer {key}"}}
    async with connect(url, **options) as socket:
        return json.loads(await socket.recv())["session"]


async def test_the_official_client_gets_a_key_and_opens_a_session(server):
    """The key opens sessions with exactly what was granted, without a model in the URL."""
    async with AsyncOpenAI(api_key="any", base_url=server.url.replace("ws", "http") + "/v1") as client:
        after = {"anchor": "created_at", "seconds": 60}
        secret = await client.realtime.client_secrets.create(expires_after=after, session={**BRIEF, "model": "mine"})
    ephemeral = AsyncOpenAI(api_key=secret.value, websocket_base_url=f"{server.url}/v1")
    async with ephemeral, ephemeral.realtime.connect(model="mine") as connection:
        event = await connection.recv()
        assert event.type == "session.created"
        assert event.session.instructions == "Be brief."
        assert event.session.audio.output.voice == "verse"
    session = await opened(f"{server.url}/openai/v1/realtime", secret.value)
    assert (session["model"], session["instructions"]) == ("mine", "Be brief.")
    offered = ["realtime", f"openai-insecure-api-key.{secret.value}"]
    assert (await opened(f"{server.url}/v1/realtime", "", subprotocols=offered))["instructions"] == "Be brief."


async def test_what_was_granted_is_heeded_and_kept(server):
    """Instructions of the key shape the answer, and a session.update of something else leaves them."""
    session = {"type": "realtime", "instructions": 'Always answer with "Aye".', "output_modalities": ["text"]}
    _, body = await post(server, "/v1/realtime/client_secrets", json.dumps({"session": session}).encode())
    headers = {"Authorization": f"Bearer {json.loads(body)['value']}"}
    async with connect(f"{server.url}/v1/realtime", additional_headers=headers) as socket:
        await socket.recv()
        await socket.send('{"type": "session.update", "session": {"type": "realtime", "max_output_tokens": 100}}')
        updated = json.loads(await socket.recv())["session"]
        assert updated["instructions"] == 'Always answer with "Aye".'
        assert updated["output_modalities"] == ["text"]


async def test_a_key_for_transcription_opens_such_a_session(server):
    """The type of the session is the key's, whatever the URL says."""
    session = {"type": "transcription", "audio": {"input": {"transcription": {"model": "whisper-1"}}}}
    _, body = await post(server, "/v1/realtime/client_secrets", json.dumps({"session": session}).encode())
    found = await opened(f"{server.url}/v1/realtime?model=m", json.loads(body)["value"])
    assert found["type"] == "transcription"
    assert found["audio"]["input"]["transcription"]["model"] == "whisper-1"


async def test_a_key_ends_and_a_session_goes_on(server, monkeypatch):
    """After its time a key is refused with 401 and what to do; the session that it opened goes on."""
    now = [1_000.0]
    monkeypatch.setattr(server, "_secrets", ClientSecrets(lambda: now[0]))
    _, body = await post(server, "/v1/realtime/client_secrets", b'{"expires_after": {"seconds": 10}}')
    headers = {"Authorization": f"Bearer {json.loads(body)['value']}"}
    async with connect(f"{server.url}/v1/realtime", additional_headers=headers) as socket:
        now[0] += 10
        with pytest.raises(InvalidStatus) as refused:
            await connect(f"{server.url}/v1/realtime", additional_headers=headers)
        assert refused.value.response.status_code == 401
        error = json.loads(refused.value.response.body)["error"]
        assert "expired" in error["message"]
        assert "client_secrets" in error["message"]
        assert json.loads(body)["value"] not in error["message"]
        await socket.recv()
        await socket.send('{"type": "nonsense"}')
        assert json.loads(await socket.recv())["type"] == "error"


async def test_a_key_is_not_for_the_preview(server):
    """A session without a type cannot be opened with one, and the answer says where it can."""
    _, body = await post(server, "/v1/realtime/client_secrets", b"{}")
    headers = {"Authorization": f"Bearer {json.loads(body)['value']}", "OpenAI-Beta": "realtime=v1"}
    with pytest.raises(InvalidStatus) as refused:
        await connect(f"{server.url}/v1/realtime", additional_headers=headers)
    assert refused.value.response.status_code == 400
    assert "GA" in json.loads(refused.value.response.body)["error"]["message"]


@pytest.mark.parametrize(
    ("host", "header"), [(None, "Origin: https://evil.example"), (None, "Origin: null"), ("evil.example:80", "X: y")]
)
async def test_no_page_of_another_site_gets_a_key(server, host, header):
    """The rules of access hold for POST as they do for GET."""
    status, body = await post(server, "/v1/realtime/client_secrets", b"{}", header, host=host)
    assert status == 403
    assert "localhost" in body


async def test_a_large_body_is_refused_and_the_service_goes_on(server):
    """413 comes after ten megabytes were sent; the next session opens."""
    status, body = await post(server, "/v1/realtime/client_secrets", b"x" * 10_000_000)
    assert status == 413
    assert "262,144" in body
    assert (await opened(f"{server.url}/v1/realtime", "any"))["type"] == "realtime"


async def test_over_tls_and_by_the_standard_library(server):
    """The TLS port answers too, and urllib, which sends head and body apart."""
    context = ssl.create_default_context(cafile=str(server.place.certificate))
    port = int(server.place.tls_url.rpartition(":")[2])
    status, _ = await post(server, "/v1/realtime/client_secrets", b"{}", port=port, context=context)
    assert status == 200
    request = Request(server.url.replace("ws", "http", 1) + "/v1/realtime/client_secrets", data=b"{}", method="POST")

    def fetch():
        with urlopen(request) as answer:
            return json.load(answer)

    assert (await asyncio.to_thread(fetch))["value"].startswith("ek_")


async def test_a_request_byte_by_byte(server):
    """A POST and a handshake are told apart by their first bytes, however they come."""
    for sent, status in (
        (b"POST /v1/realtime/client_secrets HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}", b"200"),
        (b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n", b"200"),
        (b"GARBAGE\r\n\r\n", b"400"),
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        for index in range(len(sent)):
            writer.write(sent[index : index + 1])
            await writer.drain()
            await asyncio.sleep(0)
        assert (await reader.read()).split()[1] == status
        writer.close()


@pytest.mark.parametrize("way", ["half", "early"])
async def test_a_client_that_leaves_in_a_request(server, way, caplog):
    """Half a request, or one whose answer nobody reads, leaves no connection, no task and no word in the log."""
    before = asyncio.all_tasks()
    _, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"POST /v1/realtime/client_secrets HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n")
    if way == "early":
        writer.write(b"123456789")
    await writer.drain()
    writer.transport.abort()
    async with asyncio.timeout(10):
        while asyncio.all_tasks() != before:
            await asyncio.sleep(0)
    assert server.sessions == 0
    assert not caplog.records


async def test_the_fault_refuse_is_for_keys_too():
    """Where handshakes are refused on purpose, so is the request for a key."""
    server = await serve(faults="refuse=429")
    status, body = await post(server, "/v1/realtime/client_secrets", b"{}")
    assert (status, json.loads(body)["error"]["code"]) == (429, "rate_limit_exceeded")
    await server.close()


async def test_a_refused_handshake_is_one_sentence(server):
    """A client's exception quotes the body: one line, in the cloud's form, that says where sessions are."""
    with pytest.raises(InvalidStatus) as refused:
        await connect(f"{server.url}/v1/chat")
    error = json.loads(refused.value.response.body)["error"]
    assert error["message"].startswith("Nothing is at /v1/chat: connect to ws://127.0.0.1")
    assert "\n" not in error["message"]
    assert len(error["message"]) < 300
