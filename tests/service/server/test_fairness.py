"""Sessions beside each other: a flood of one keeps no other waiting, and what is closed is gone from memory."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import gc
import json
import weakref
from collections import Counter

import pytest
from fake_engines import Hearing, LoudDetector, Saying, Writing
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from rtnb.service.engines.base import Engines
from rtnb.service.engines.tasks import Text, Transcript
from rtnb.service.server import server as server_module
from rtnb.service.server.options import ServiceOptions
from rtnb.service.server.server import Server
from rtnb.service.session.connection import ServiceConnection

FLOOD = 600  # frames
SHARE = 150  # of them that may come before another's answer, which takes some fifty turns of the loop
SILENCE = base64.b64encode(bytes(9_600)).decode()
WORDS = [{"type": "input_text", "text": "flood"}]
ASIDE = {"conversation": "none", "input": [{"type": "message", "role": "user", "content": WORDS}]}
SPOKEN = [{"type": "input_audio", "audio": SILENCE}]


class Ears(Hearing):
    """Takes a while, and counts."""

    def __init__(self):
        self.begun = self.running = self.most = 0

    async def run(self, task, feed=None):
        self.begun += 1
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            async for _ in feed:
                pass
            for _ in range(5):
                await asyncio.sleep(0)
            yield Transcript("heard", True)
        finally:
            self.running -= 1


@contextlib.asynccontextmanager
async def service(writer=None, transcriber=None, **options):
    writer = writer or Writing(lambda task: [Text("Of course.")])
    engines = Engines(Saying(), writer, transcriber)
    server = Server("127.0.0.1", ServiceOptions(**{"speed": 0, **options}), engines=engines, make_detector=LoudDetector)
    await server.start(0, tls=False)
    try:
        yield server
    finally:
        await server.close()


@contextlib.asynccontextmanager
async def session(server):
    async with connect(f"{server.url}/v1/realtime", max_queue=None, ping_interval=None) as socket:
        await socket.recv()
        yield socket


async def ask(socket, text="Hello"):
    content = [{"type": "input_text", "text": text}]
    item = {"type": "message", "role": "user", "content": content}
    await socket.send(json.dumps({"type": "conversation.item.create", "item": item}))
    await socket.send('{"type": "response.create"}')


async def until(socket, type, count=1):
    """Read until so many events of a type have come; return how many events of each type there were."""
    seen = Counter()
    while seen[type] < count:
        event = json.loads(await socket.recv())
        seen[event["type"]] += 1
    return seen


@pytest.fixture
def received(monkeypatch):
    """How many frames each session has taken, in the order in which the sessions were opened."""
    connections = []

    class Counting(ServiceConnection):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            self.taken = 0
            connections.append(self)

        def receive(self, raw):
            self.taken += 1
            return super().receive(raw)

    monkeypatch.setattr(server_module, "ServiceConnection", Counting)
    return lambda: [each.taken for each in connections]


@pytest.mark.parametrize(
    "frame",
    [
        {"type": "response.create", "response": ASIDE},
        {"type": "conversation.item.create", "item": {"type": "message", "role": "user", "content": WORDS}},
        {"type": "conversation.item.create", "item": {"type": "message", "role": "user", "content": SPOKEN}},
        {"type": "input_audio_buffer.append", "audio": SILENCE},
        {"type": "session.update", "session": {"type": "realtime", "instructions": "x" * 1_000}},
        {"type": "nonsense"},
    ],
    ids=lambda frame: frame["type"],
)
async def test_no_flood_keeps_another_session_waiting(received, frame):
    """Of hundreds of frames of one client only some are taken before the answer to another's question is complete."""
    async with service(transcriber=Ears()) as server, session(server) as flooding, session(server) as asking:
        for _ in range(FLOOD):
            await flooding.send(json.dumps(frame))
        before = received()[0]
        await ask(asking)
        await until(asking, "response.done")
        assert received()[0] - before < SHARE


async def test_thousands_of_responses_beside_the_conversation_are_all_answered():
    """Other sessions are answered after a few of them, the client's own conversation too, and each of them comes."""
    begun = []
    writer = Writing(lambda task: begun.append(task.prompt) or [Text("Of course.")])
    async with service(writer=writer) as server, session(server) as flooding, session(server) as asking:
        for _ in range(FLOOD):
            await flooding.send(json.dumps({"type": "response.create", "response": ASIDE}))
        seen = await until(flooding, "response.done")
        await ask(asking, "other")
        await until(asking, "response.done")
        assert begun.index("other") < SHARE
        await ask(flooding, "own")
        seen += await until(flooding, "response.done", FLOOD + 1 - seen["response.done"])
        assert begun.count("flood") == FLOOD
        assert "own" in begun
        assert seen["response.created"] == FLOOD + 1
        assert not seen["error"]


async def test_one_session_has_few_jobs_at_an_engine():
    """A hundred spoken items are transcribed four at a time, so that another's turn waits for four at most."""
    ears = Ears()
    item = {"type": "message", "role": "user", "content": SPOKEN}
    heard = {"turn_detection": None, "transcription": {"model": "whisper-1"}}
    async with service(transcriber=ears) as server, session(server) as socket:
        update = {"type": "session.update", "session": {"type": "realtime", "audio": {"input": heard}}}
        await socket.send(json.dumps(update))
        for _ in range(100):
            await socket.send(json.dumps({"type": "conversation.item.create", "item": item}))
        await until(socket, "conversation.item.input_audio_transcription.completed", 100)
    assert (ears.begun, ears.most) == (100, 4)


@pytest.fixture
def remembered(monkeypatch):
    """Weak references to the sessions and their conversations; the garbage collector is off."""
    found = []

    def remembering(*arguments, **options):
        connection = ServiceConnection(*arguments, **options)
        found.extend(map(weakref.ref, (connection, connection._items, connection._input, connection._orders)))
        return connection

    monkeypatch.setattr(server_module, "ServiceConnection", remembering)
    gc.collect()
    gc.disable()
    yield lambda: [each() for each in found]
    gc.enable()


async def leave_politely(socket):
    await socket.close()


async def leave_in_a_response(socket):
    await ask(socket, "a long answer")
    await until(socket, "response.output_audio.delta")
    await socket.close(4000)


async def leave_by_abort(socket):
    await ask(socket, "a long answer")
    await until(socket, "response.output_audio.delta")
    socket.transport.abort()
    await socket.wait_closed()


async def leave_while_speaking(socket):
    for level in (0, 8_000):
        sound = base64.b64encode(level.to_bytes(2, "little") * 12_000).decode()
        await socket.send(json.dumps({"type": "input_audio_buffer.append", "audio": sound}))
    await until(socket, "input_audio_buffer.speech_started")
    socket.transport.abort()
    await socket.wait_closed()


async def leave_by_a_flood(socket):
    for _ in range(100):
        await socket.send(json.dumps({"type": "response.create", "response": ASIDE}))
    await until(socket, "response.done")
    await socket.close()


async def leave_when_it_expires(socket):
    with contextlib.suppress(ConnectionClosed):
        while True:
            await ask(socket)
            await until(socket, "response.done")


@pytest.mark.parametrize(
    "leave",
    [
        leave_politely,
        leave_in_a_response,
        leave_by_abort,
        leave_while_speaking,
        leave_by_a_flood,
        leave_when_it_expires,
    ],
)
@pytest.mark.parametrize("faults", [None, "delay_ms=1"])
async def test_a_closed_session_is_gone_at_once(remembered, leave, faults):
    """However it ended, nothing of a session stays in memory, and the garbage collector had nothing to do with it."""
    options = {"expire_in": 0.2} if leave is leave_when_it_expires else {}
    writer = Writing(lambda task: [Text("word " * (200 if "long" in task.prompt else 3))])
    async with service(writer, Ears(), faults=faults, **options) as server:
        async with session(server) as socket:
            assert remembered()[0] is not None
            await leave(socket)
        async with asyncio.timeout(20):
            while server.sessions or any(remembered()):
                await asyncio.sleep(0)
        assert remembered() == [None] * 4
