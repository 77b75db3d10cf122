"""Faults on a real socket: what a client sees of each."""

from __future__ import annotations

import asyncio
import contextlib
import json

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, ConnectionClosedError, InvalidStatus

from rtnb.service.server.server import serve

PREVIEW_PATH = "/openai/realtime?api-version=2024-10-01-preview&deployment=d"


@contextlib.asynccontextmanager
async def session(faults, path="/v1/realtime?model=m", **options):
    server = await serve(faults=faults, **{"speed": 0, **options})
    try:
        async with connect(server.url + path) as socket:
            yield socket
    finally:
        await server.close()


async def ask(socket, text="Please assist the user."):
    item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}
    await socket.send(json.dumps({"type": "conversation.item.create", "item": item}))
    await socket.send('{"type": "response.create"}')


async def everything(socket):
    """Return the frames until the connection ends, and how it ended."""
    frames = []
    while True:
        try:
            frames.append(await socket.recv())
        except ConnectionClosed as closed:
            return frames, closed


@pytest.mark.parametrize("status", [401, 429, 503])
@pytest.mark.parametrize("path", ["/v1/realtime?model=m", "/openai/v1/realtime?model=m", PREVIEW_PATH])
async def test_a_refused_handshake(status, path):
    """Every session path is refused with the status and a body that says why; pages are still there."""
    with pytest.raises(InvalidStatus) as refused:
        async with session(f"refuse={status}", path):
            pass
    response = refused.value.response
    assert response.status_code == status
    assert json.loads(response.body)["error"]["message"]
    assert response.headers["Content-Type"] == "application/json"


async def test_the_preview_dialect_is_retired():
    """A preview client is upgraded, reads the error, and is closed with 4000; a GA client notices nothing."""
    async with session("retire_preview", PREVIEW_PATH) as socket:
        (frame,), closed = await everything(socket)
        assert json.loads(frame)["error"]["code"] == "beta_api_shape_disabled"
        assert (closed.rcvd.code, closed.rcvd.reason) == (4000, "invalid_request_error.beta_api_shape_disabled")
    async with session("retire_preview") as socket:
        assert json.loads(await socket.recv())["type"] == "session.created"


async def test_a_dropped_connection_has_no_closing_frame():
    """After the N-th event the connection breaks."""
    async with session("drop_after=5") as socket:
        await ask(socket)
        frames, closed = await everything(socket)
        assert len(frames) == 5
        assert isinstance(closed, ConnectionClosedError)
        assert closed.rcvd is None


@pytest.mark.parametrize(("faults", "code"), [("close_after=5", 1011), ("close_after=5,close_code=1000", 1000)])
async def test_a_close_after_n_events(faults, code):
    """After the N-th event comes a closing frame with the code."""
    async with session(faults) as socket:
        await ask(socket)
        frames, closed = await everything(socket)
        assert (len(frames), closed.rcvd.code) == (5, code)


async def test_a_close_in_the_middle_of_a_response():
    """The response has begun and is not done when the closing frame comes."""
    async with session("close_in_response=1001", speed=1.0) as socket:
        await ask(socket)
        frames, closed = await everything(socket)
        types = [json.loads(frame)["type"] for frame in frames]
        assert closed.rcvd.code == 1001
        assert "response.created" in types
        assert "response.done" not in types


async def test_a_stall_keeps_the_connection():
    """After the N-th event nothing comes, while the socket still answers pings and takes events; it closes as asked."""
    async with session("stall_after=2") as socket:
        await ask(socket)
        frames = [await socket.recv(), await socket.recv()]
        await (await socket.ping())
        await ask(socket)
        await (await socket.ping())
        assert len(frames) == 2
        await socket.close()
        with pytest.raises(ConnectionClosed):
            await socket.recv()


@pytest.mark.parametrize(("faults", "extra"), [("malformed_after=3", 3), ("unknown_event_after=3", 3)])
async def test_an_extra_frame_and_then_on(faults, extra):
    """One frame that a client cannot expect, and the turn is whole all the same."""
    async with session(faults) as socket:
        await ask(socket)
        events = []
        while not events or (events[-1] or {}).get("type") != "response.done":
            try:
                events.append(json.loads(await socket.recv()))
            except ValueError:
                events.append(None)
        strange = [each for each in events if each is None or each["type"].startswith("rtnb.")]
        assert events.index(strange[0]) == extra
        assert len(strange) == 1
        assert events[-1]["response"]["status"] == "completed"


async def test_late_events_come_whole_and_in_order():
    """With delay and jitter a turn is the same events in the same order, every one no earlier than the delay."""

    async def turn(faults):
        async with session(faults) as socket:
            loop = asyncio.get_running_loop()
            created = json.loads(await socket.recv())
            asked = loop.time()
            await ask(socket)
            frames = [json.loads(await socket.recv())]
            waited = loop.time() - asked
            while frames[-1]["type"] != "response.done":
                frames.append(json.loads(await socket.recv()))
            return [created["type"], *(frame["type"] for frame in frames)], waited

    late, waited = await turn("delay_ms=120,jitter_ms=60")
    assert late == (await turn("unknown_event_after=999"))[0]
    assert waited >= 0.12


@pytest.mark.parametrize("path", ["/v1/realtime?model=m", PREVIEW_PATH])
async def test_a_rate_limit_fails_the_response_and_no_more(path):
    """Every response is failed with rate_limit_exceeded and nothing spoken; the session goes on and takes the next."""
    async with session("rate_limit", path) as socket:
        for _ in range(2):
            await ask(socket)
            frames = [json.loads(await socket.recv())]
            while frames[-1]["type"] != "response.done":
                frames.append(json.loads(await socket.recv()))
            done = frames[-1]["response"]
            assert (done["status"], done["status_details"]["error"]["code"]) == ("failed", "rate_limit_exceeded")
            assert not [frame for frame in frames if frame["type"].endswith(".delta")]


async def test_a_session_expires_on_request():
    """The error comes with the closing code of an expired session."""
    async with session("expire_in=0") as socket:
        frames, closed = await everything(socket)
        assert json.loads(frames[-1])["error"]["code"] == "session_expired"
        assert closed.rcvd.code == 1001


@pytest.mark.parametrize("faults", ["delay_ms=60000", "delay_ms=60000,drop_after=1", "stall_after=0"])
async def test_waiting_actions_hold_up_neither_close_nor_disconnect(faults, monkeypatch):
    """A service that stops, and a client that goes, do not wait for events that are a minute late; no task is left."""
    monkeypatch.setattr("rtnb.service.server.fault_injection._FLUSH_SECONDS", 0.05)
    before = asyncio.all_tasks()
    server = await serve(faults=faults, speed=0)
    stays, goes = await connect(f"{server.url}/v1/realtime"), await connect(f"{server.url}/v1/realtime")
    await ask(stays)
    goes.transport.abort()
    await server.close()
    _, closed = await everything(stays)
    assert closed.rcvd.code == 1001
    await goes.wait_closed()
    assert asyncio.all_tasks() == before
