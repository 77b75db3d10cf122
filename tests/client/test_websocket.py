from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import struct
from collections.abc import AsyncIterator, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.asyncio.server import ServerConnection, serve

from rtnb.client.transport import Closed, WebSocketTransport
from rtnb.client.websocket import begins_text, whole_texts

TEXT, BINARY, CONTINUATION, PING = 1, 2, 0, 9
MESSAGES = [b"a", b"", b"x" * 125, b"y" * 126, "ü".encode() * 30_000, b"z" * 65_535, b"w" * 65_536, b"v" * 300_000]


def frame(payload: bytes, opcode: int = TEXT, *, fin: bool = True) -> bytes:
    """Return a frame as a server writes it."""
    head, size = opcode | (0x80 if fin else 0), len(payload)
    if size < 126:
        return struct.pack("!BB", head, size) + payload
    if size < 1 << 16:
        return struct.pack("!BBH", head, 126, size) + payload
    return struct.pack("!BBQ", head, 127, size) + payload


@contextlib.asynccontextmanager
async def told(
    chunks: list[bytes], end: Callable[[ServerConnection], object] = lambda socket: None
) -> AsyncIterator[str]:
    """Serve clients that are sent `chunks`, each in a write of its own, then whatever `end` does."""

    async def speak(socket: ServerConnection) -> None:
        for chunk in chunks:
            socket.transport.write(chunk)
            await asyncio.sleep(0)
        end(socket)
        await socket.wait_closed()

    async with serve(speak, "127.0.0.1", 0, compression=None) as server:
        yield f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"


async def heard(url: str, count: int) -> list[bytes]:
    transport = await WebSocketTransport.open(url, {}, timeout=10)
    try:
        return [await transport.receive() for _ in range(count)]
    finally:
        await transport.close()


def cut(data: bytes, seed: int) -> list[bytes]:
    """Return `data` in pieces of any length."""
    pick = random.Random(seed)
    places = sorted({0, len(data), *(pick.randrange(len(data)) for _ in range(40))})
    return [data[start:end] for start, end in itertools.pairwise(places)]


@pytest.mark.parametrize("seed", range(6))
async def test_frames_of_every_kind_keep_their_order(seed: int) -> None:
    """Short, long, fragmented and binary messages with pings between them arrive whole and in order, however cut."""
    pick = random.Random(seed)
    wire, wanted = b"", []
    for _ in range(60):
        message = pick.choice(MESSAGES)
        half = len(message) // 2
        wire += pick.choice(
            [
                frame(message),
                frame(message),
                frame(message, BINARY),
                frame(message)
                if not half
                else frame(message[:half], fin=False) + frame(b"?", PING) + frame(message[half:], CONTINUATION),
                frame(b"!", PING) + frame(message),
            ]
        )
        wanted.append(message)
    async with told(cut(wire, seed)) as url:
        assert await heard(url, len(wanted)) == wanted


async def test_what_came_before_the_end_is_heard_before_the_end() -> None:
    """Messages that arrive together with the closing frame are returned first; then the reason."""
    closing = frame(struct.pack("!H", 4000) + b"enough", 8)
    async with told([frame(b"one") + frame(b"two") + closing]) as url:
        transport = await WebSocketTransport.open(url, {}, timeout=10)
        assert [await transport.receive(), await transport.receive()] == [b"one", b"two"]
        with pytest.raises(Closed) as end:
            await transport.receive()
        assert (end.value.code, end.value.reason, end.value.who) == (4000, "enough", "service")
        await transport.close()


async def test_a_frame_that_breaks_off_ends_the_connection() -> None:
    """Half a frame is no message: the connection ends as broken, after the whole frames before it."""
    half = frame(b"x" * 1000)[:500]
    async with told([frame(b"whole") + half], end=lambda socket: socket.transport.abort()) as url:
        transport = await WebSocketTransport.open(url, {}, timeout=10)
        assert await transport.receive() == b"whole"
        with pytest.raises(Closed) as end:
            await transport.receive()
        assert (end.value.code, end.value.who) == (1006, "network")
        await transport.close()


@pytest.mark.parametrize("bad", [b"\xc1\x01x", b"\x81\x81aaaax", b"\x83\x00"], ids=["reserved bit", "masked", "opcode"])
async def test_a_frame_against_the_rules_is_refused(bad: bytes) -> None:
    """The rules of the protocol hold between frames that were cut out the short way, too."""
    async with told([frame(b"one"), frame(b"two") + bad]) as url:
        transport = await WebSocketTransport.open(url, {}, timeout=10)
        assert [await transport.receive(), await transport.receive()] == [b"one", b"two"]
        with pytest.raises(Closed) as end:
            await transport.receive()
        assert end.value.code == 1002
        await transport.close()


@given(st.lists(st.binary(max_size=300)), st.integers(0, 400))
def test_whole_texts_take_what_is_whole(messages: list[bytes], missing: int) -> None:
    """Every whole frame is taken, and nothing of one that is not; what is left can be continued."""
    data = b"".join(map(frame, messages))
    cut_off = data[: max(len(data) - missing, 0)]
    taken, place = whole_texts(cut_off)
    assert taken == messages[: len(taken)]
    assert b"".join(map(frame, taken)) == cut_off[:place]
    assert begins_text(cut_off[place:])
    assert whole_texts(data)[0] == messages
    assert len(taken) == len(messages) or len(cut_off[place:]) < len(frame(messages[len(taken)]))
