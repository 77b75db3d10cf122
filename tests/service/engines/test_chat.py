from __future__ import annotations

import asyncio
import json
import ssl
from contextlib import aclosing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from stand_in_endpoints import Endpoint, Start

from rtnb.errors import ConfigurationError
from rtnb.service.engines.base import EngineFailure
from rtnb.service.engines.chat import ChatWriter
from rtnb.service.engines.tasks import Call, Message, Text, ToolSpec, Write
from rtnb.service.server.tls import self_signed

KEY_VARIABLE = "RTNB_CHAT_API_KEY"
KEY = "sk-secret-0123456789"
STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"


def write(prompt: str = "Hello", tools: tuple[ToolSpec, ...] = (), history: tuple[Message, ...] = ()) -> Write:
    return Write(prompt, history, "Be kind.", "alloy", datetime(2025, 3, 14, tzinfo=UTC), tools, "auto", True)


def event(**delta: Any) -> bytes:
    return b"data: " + json.dumps({"choices": [{"index": 0, "delta": delta}]}).encode() + b"\n\n"


def words(*said: str) -> bytes:
    return b"".join(event(content=text) for text in said)


END = b'data: {"choices": [{"delta": {}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n'


async def answer(
    made: Endpoint, task: Write | None = None, path: str = "", key: str = "", **silence: float
) -> list[Any]:
    writer = ChatWriter(f"http://127.0.0.1:{made.port}{path}", "tiny", **silence, environ={KEY_VARIABLE: key})
    return [piece async for piece in writer.run(task or write())]


async def failure(made: Endpoint, **options: Any) -> EngineFailure:
    with pytest.raises(EngineFailure) as caught:
        await answer(made, **options)
    assert KEY not in f"{caught.value!r} {caught.value}"
    return caught.value


def joined(pieces: list[Any]) -> str:
    return "".join(piece.text for piece in pieces if isinstance(piece, Text))


@pytest.mark.parametrize("path", ["", "/", "/v1", "/v1/", "/v1/chat/completions"])
async def test_every_form_of_the_url_reaches_the_completions(endpoint: Start, path: str) -> None:
    """Root, version and full path lead to the same place, and the request is whole."""
    made = await endpoint(STREAM + words("Good", " day.") + END)
    assert joined(await answer(made, path=path)) == "Good day."
    assert made.heads[0].startswith("POST /v1/chat/completions HTTP/1.1\r\n")
    assert f"Host: 127.0.0.1:{made.port}\r\n" in made.heads[0]
    assert made.asked[0]["model"] == "tiny"
    assert made.asked[0]["stream"] is True
    assert "Be kind." in made.asked[0]["messages"][0]["content"]
    assert made.asked[0]["messages"][-1] == {"role": "user", "content": "Hello"}


async def test_words_are_given_as_they_come(endpoint: Start) -> None:
    """The first words are there while the endpoint still writes the others."""
    go_on = asyncio.Event()

    async def slowly(writer: asyncio.StreamWriter) -> None:
        writer.write(STREAM + words("One."))
        await go_on.wait()
        writer.write(words(" Two.") + END)

    made = await endpoint(slowly)
    pieces = ChatWriter(f"127.0.0.1:{made.port}", "tiny", environ={}).run(write())
    assert await anext(pieces) == Text("One.")
    go_on.set()
    assert [piece async for piece in pieces] == [Text(" Two.")]


async def test_chunked_transfer_is_undone_wherever_it_is_cut(endpoint: Start) -> None:
    """Chunks that cut events, lines and letters in two give the same words."""

    async def in_chunks(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        data = (
            b"data: "
            + json.dumps({"choices": [{"delta": {"content": "Grüß Gött! 你好"}}]}, ensure_ascii=False).encode()
        )
        data += b"\r\n\r\n: a comment\r\n\r\nevent: x\r\n" + END.replace(b"\n", b"\r\n")
        for start in range(0, len(data), 3):
            part = data[start : start + 3]
            writer.write(f"{len(part):x};x=y\r\n".encode() + part + b"\r\n")
            await writer.drain()
        writer.write(b"0\r\n\r\n")

    assert joined(await answer(await endpoint(in_chunks))) == "Grüß Gött! 你好"


async def test_an_answer_in_one_piece_is_taken_too(endpoint: Start) -> None:
    """An endpoint that does not stream gives its whole message."""
    call = {"id": "a", "function": {"name": "f", "arguments": "{}"}}
    body = json.dumps(
        {"choices": [{"message": {"content": "All at once.", "tool_calls": [call]}, "finish_reason": "stop"}]}
    ).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    assert await answer(await endpoint(head + body)) == [Text("All at once."), Call("f", "{}")]


async def test_calls_are_put_together_from_their_fragments(endpoint: Start) -> None:
    """Arguments that come in pieces, of two calls in turn, become two whole calls after the words."""

    def part(index: int, arguments: str, **first: Any) -> bytes:
        name = {"name": first.pop("name")} if first else {}
        return event(tool_calls=[{"index": index, **first, "function": {**name, "arguments": arguments}}])

    said = (
        words("Let me look.") + part(0, "", id="c1", name="get_weather") + part(0, '{"ci') + part(1, '{"zone"', id="c2", name="get_time")
        + part(0, 'ty": "Oslo"}') + part(1, ': "UTC"}') + END
    )  # fmt: skip
    tool = ToolSpec("get_weather", "Weather", {"type": "object"})
    made = await endpoint(STREAM + said)
    assert await answer(made, write(tools=(tool,))) == [
        Text("Let me look."),
        Call("get_weather", '{"city": "Oslo"}'),
        Call("get_time", '{"zone": "UTC"}'),
    ]
    assert made.asked[0]["tools"][0]["function"]["name"] == "get_weather"
    assert made.asked[0]["tool_choice"] == "auto"


async def test_the_key_travels_in_its_header_alone(endpoint: Start) -> None:
    """The key is sent as a bearer token, and neither the name nor the repr holds it."""
    made = await endpoint(STREAM + words("Yes.") + END)
    await answer(made, key=KEY)
    assert f"Authorization: Bearer {KEY}\r\n" in made.heads[0]
    writer = ChatWriter("http://localhost:1", "tiny", environ={KEY_VARIABLE: KEY})
    assert KEY not in f"{writer!r} {writer.name}"
    await answer(made)
    assert "Authorization" not in made.heads[1]


@pytest.mark.parametrize(
    ("status", "body", "code", "help"),
    [
        (404, '{"error": {"message": "model \\"tiny\\" not found, try pulling it first"}}', "chat_model_not_found", "ollama pull tiny"),
        (404, "404 page not found", "chat_not_found", "correct --chat"),
        (500, '{"error": "out of memory"}', "chat_endpoint_failed", "out of memory"),
        (503, "", "chat_endpoint_failed", "answered 503"),
        (401, f'{{"error": {{"message": "Incorrect key {KEY}"}}}}', "chat_unauthorized", KEY_VARIABLE),
        (400, '{"error": {"message": "tiny does not support tools"}}', "chat_tools_unsupported", "call functions"),
        (422, '{"detail": [{"msg": "bad"}]}', "chat_refused", "bad"),
        (429, "[" * 100_000, "chat_rate_limited", "Wait"),
    ],
)  # fmt: skip
async def test_a_refusal_is_reported_with_what_helps(
    endpoint: Start, status: int, body: str, code: str, help: str
) -> None:
    """Each refusal has a code of its own, the endpoint's words, and the next step; never the key."""
    made = await endpoint(f"HTTP/1.1 {status} No\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
    failed = await failure(made, key=KEY)
    assert failed.code == code
    assert help in failed.message
    assert len(failed.message) < 800


async def test_redirects_are_refused(endpoint: Start) -> None:
    """The conversation and the key are not passed on to another address."""
    elsewhere = await endpoint(STREAM + words("Caught.") + END)
    moved = f"HTTP/1.1 307 Moved\r\nLocation: http://127.0.0.1:{elsewhere.port}/\r\nContent-Length: 0\r\n\r\n"
    assert (await failure(await endpoint(moved.encode()), key=KEY)).code == "chat_redirect_refused"
    assert elsewhere.heads == []


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (STREAM + words("Half a sen"), "chat_connection_lost"),
        (STREAM, "chat_connection_lost"),
        (b"", "chat_connection_lost"),
        (b"HTTP/1.1 200 OK\r\n", "chat_connection_lost"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "chat_connection_lost"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "chat_connection_lost"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n", "chat_connection_lost"),
        (b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 5 + b"z" * 200_000, "chat_connection_lost"),
        (STREAM + words("Half.") + b"data: {oops\n\n", "chat_invalid_answer"),
        (STREAM + b"data: [1, 2]\n\n" + END, "chat_invalid_answer"),
        (STREAM + b'data: {"error": {"message": "the model crashed"}}\n\n', "chat_invalid_answer"),
        (STREAM + b"data: " + b"[" * 50_000 + b"\n\n", "chat_invalid_answer"),
    ],
)
async def test_a_broken_answer_is_a_failure(endpoint: Start, said: bytes, code: str) -> None:
    """An answer that breaks off, or that is none, never passes for a whole one."""
    assert (await failure(await endpoint(said))).code == code


async def test_odd_events_change_nothing(endpoint: Start) -> None:
    """Events without choices, with nulls, or of unknown shape are passed over."""
    odd = b"".join(
        b"data: " + json.dumps(chunk).encode() + b"\n\n"
        for chunk in ({}, {"choices": []}, {"choices": [None]}, {"choices": [{"delta": None}]}, {"choices": "x"},
                      {"choices": [{"delta": {"content": None, "tool_calls": [None, {"function": 5}]}}]}, {"usage": {}})
    )  # fmt: skip
    assert await answer(await endpoint(STREAM + odd + words("Fine.") + odd + END)) == [Text("Fine.")]


@pytest.mark.parametrize("begun", [False, True])
async def test_silence_has_an_end(endpoint: Start, begun: bool) -> None:
    """An endpoint that never begins, or stops in the middle, is given up, and the connection is closed."""
    made = await endpoint(STREAM + words("Well,") if begun else b"", stays_open=True)
    assert (await failure(made, silence=0.05)).code == "chat_timeout"
    async with asyncio.timeout(10):
        await made.gone.wait()


async def test_closing_ends_the_request_at_once(endpoint: Start) -> None:
    """Whoever stops listening ends the connection: the endpoint sees it go."""
    made = await endpoint(STREAM + words("One.", " Two."), stays_open=True)
    pieces = ChatWriter(f"http://127.0.0.1:{made.port}", "tiny", environ={}).run(write())
    async with aclosing(pieces):
        assert await anext(pieces) == Text("One.")
    async with asyncio.timeout(10):
        await made.gone.wait()


async def test_closing_the_engine_ends_all_requests(endpoint: Start) -> None:
    """A closed engine leaves no request running."""
    made = await endpoint(STREAM + words("One."), stays_open=True)
    writer = ChatWriter(f"http://127.0.0.1:{made.port}", "tiny", environ={})
    pieces = writer.run(write())
    await anext(pieces)
    await writer.close()
    with pytest.raises(EngineFailure) as caught:
        await anext(pieces)
    assert caught.value.code == "chat_connection_lost"


@pytest.mark.parametrize("trusted", [True, False])
async def test_https_is_spoken_to_whom_the_certificate_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trusted: bool
) -> None:
    """By https the certificate is checked: a trusted one is spoken to, and another is told with what helps."""
    certificate, key = self_signed(["127.0.0.1"], datetime.now(UTC))
    (tmp_path / "both.pem").write_bytes(key + certificate)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "both.pem")
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "both.pem"))

    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(STREAM + words("Safe.") + END)
        await reader.read()
        writer.close()

    server = await asyncio.start_server(say, "127.0.0.1", 0, ssl=context)
    async with server:
        pieces = ChatWriter(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}", "tiny", environ={}).run(write())
        if trusted:
            assert await anext(pieces) == Text("Safe.")
            await pieces.aclose()
        else:
            with pytest.raises(EngineFailure, match="SSL_CERT_FILE"):
                await anext(pieces)


async def _nothing(writer: asyncio.StreamWriter) -> None:
    pass


async def test_an_endpoint_that_is_not_there_is_reported() -> None:
    """A refused connection says where nothing answers and what to start."""
    server = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    failed = await failure(Endpoint([_nothing], port=port))
    assert failed.code == "chat_unreachable"
    assert f"http://127.0.0.1:{port}/v1/chat/completions" in failed.message
    assert "ollama serve" in failed.message


@pytest.mark.parametrize(
    ("url", "model", "key"),
    [
        ("ftp://host/v1", "m", ""),
        ("http://", "m", ""),
        ("http://user:pass@host/v1", "m", ""),
        ("http://host:99999/v1", "m", ""),
        ("http://host/v1\r\nX: y", "m", ""),
        ("http://[::1/v1", "m", ""),
        ("", "m", ""),
        ("http://localhost:11434", " ", ""),
        ("http://localhost:11434", "m", "a\r\nb"),
        ("http://api.example.com/v1", "m", KEY),
    ],
)
def test_settings_that_cannot_work_are_refused(url: str, model: str, key: str) -> None:
    """A URL, model or key that cannot be used is told at once, without a password or a key in the message."""
    with pytest.raises(ConfigurationError) as caught:
        ChatWriter(url, model, environ={KEY_VARIABLE: key})
    assert "pass" not in str(caught.value).replace("password", "")
    assert KEY not in str(caught.value)
