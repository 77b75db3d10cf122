"""The events that the bench is fed with, and the process that sends them over a real socket.

As a script it serves one mode: ``python stream.py flood 40000``, ``paced 250`` (50 audio deltas a second) or ``brisk 1200``
(200 deltas a second, text and audio in turn). It prints its URL, and sends to each client, once that has said anything.
"""

from __future__ import annotations

import contextlib
import json
import random
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pybase64
from figure import environment
from websockets.sync.server import ServerConnection, serve

Wire = dict[str, object]
_BLOCK = 500
LAST = "response.done"
_WORDS = ("the", "tide", "comes", "in", "twice", "a", "day", "because", "the", "moon", "pulls", "at", "the", "water")


def session_created() -> Wire:
    return {"type": "session.created", "event_id": "event_0", "session": {"type": "realtime", "id": "sess_bench"}}


def response_created(response: str = "resp_bench") -> Wire:
    return {
        "type": "response.created",
        "event_id": f"event_{response}_begin",
        "response": {
            "id": response,
            "object": "realtime.response",
            "status": "in_progress",
            "output": [],
            "conversation_id": "conv_bench",
        },
    }


def response_done(response: str = "resp_bench") -> Wire:
    return {
        "type": LAST,
        "event_id": f"event_{response}_end",
        "response": {"id": response, "object": "realtime.response", "status": "completed", "output": []},
    }


def item_added(response: str = "resp_bench") -> list[Wire]:
    """Return what announces the item that the deltas fill: of the response, and of the conversation."""
    item = {
        "id": f"item_of_{response}",
        "object": "realtime.item",
        "type": "message",
        "role": "assistant",
        "content": [],
    }
    of = {"response_id": response, "output_index": 0, "item": item}
    return [
        {"type": "response.output_item.added", "event_id": f"event_{response}_output", **of},
        {"type": "conversation.item.added", "event_id": f"event_{response}_item", "item": item},
    ]


def delta(number: int, kind: str, content: str, response: str = "resp_bench", index: int = 0) -> Wire:
    return {
        "type": f"response.{kind}.delta",
        "event_id": f"event_{number:024d}",
        "response_id": response,
        "item_id": f"item_of_{response}",
        "output_index": 0,
        "content_index": index,
        "delta": content,
    }


def audio_delta(number: int, pcm: bytes, response: str = "resp_bench") -> Wire:
    return delta(number, "output_audio", pybase64.b64encode_as_string(pcm), response)


def text_delta(number: int, response: str = "resp_bench") -> Wire:
    return delta(number, "output_text", f" {_WORDS[number % len(_WORDS)]}", response, index=1)


def mixed(count: int, audio_bytes: int) -> Iterator[Wire]:
    """Yield `count` deltas, text and audio in turn."""
    noise = random.Random(5)
    for number in range(count):
        yield audio_delta(number, noise.randbytes(audio_bytes)) if number % 2 else text_delta(number)


def encoded(event: Wire) -> bytes:
    return json.dumps(event, separators=(",", ":")).encode()


def framed(payload: bytes) -> bytes:
    """Return a text message as a server writes it on the socket, so that sending costs next to nothing."""
    length = len(payload)
    if length < 126:
        return struct.pack("!BB", 0x81, length) + payload
    if length < 1 << 16:
        return struct.pack("!BBH", 0x81, 126, length) + payload
    return struct.pack("!BBQ", 0x81, 127, length) + payload


def flood(socket: ServerConnection, count: int, blocks: list[bytes]) -> None:
    """Send deltas as fast as the client takes them: one block, made before, again and again."""
    socket.socket.sendall(framed(encoded(response_created())))
    for _ in range(count // _BLOCK):
        socket.socket.sendall(blocks[0])
    socket.socket.sendall(framed(encoded(response_done())))


def paced(socket: ServerConnection, count: int, *, brisk: bool = False) -> None:
    """Send `count` deltas at an even pace; each says when it was sent, by the clock that all processes share."""
    socket.send(encoded(response_created()).decode())
    if brisk:
        for event in item_added():
            socket.send(encoded(event).decode())
    pcm = random.Random(5).randbytes(960)
    due = time.monotonic()
    for number in range(count):
        due += 0.005 if brisk else 0.02
        time.sleep(max(due - time.monotonic(), 0))
        event = text_delta(number) if brisk and number % 2 else audio_delta(number, pcm)
        head = encoded(event)[:-1] + b',"sent_at":'
        socket.socket.sendall(framed(head + b"%.6f}" % time.monotonic()))
    socket.send(encoded(response_done()).decode())


def hold(socket: ServerConnection, mode: str, count: int, blocks: list[bytes]) -> None:
    """Serve one client: greet it, wait for its word, send, and let it close."""
    socket.send(encoded(session_created()).decode())
    socket.recv()
    with contextlib.suppress(OSError):
        if mode == "flood":
            flood(socket, count, blocks)
        else:
            paced(socket, count, brisk=mode == "brisk")
    for _ in socket:
        pass


def main(mode: str, count: int) -> None:
    """Serve until stdin ends."""
    blocks = [b"".join(framed(encoded(event)) for event in mixed(_BLOCK, 12_000))] if mode == "flood" else []
    if count % _BLOCK and mode == "flood":
        raise ValueError(f"count={count} must be a multiple of {_BLOCK}")
    server = serve(partial(hold, mode=mode, count=count, blocks=blocks), "127.0.0.1", 0, compression=None)
    with server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(f"ws://127.0.0.1:{server.socket.getsockname()[1]}", flush=True)
        sys.stdin.read()


@contextlib.contextmanager
def stream(mode: str, count: int) -> Iterator[str]:
    """Run the sender in a process of its own; give its URL."""
    command = [sys.executable, str(Path(__file__).resolve()), mode, str(count)]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment())
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        yield child.stdout.readline().strip()
    finally:
        child.stdin.close()
        child.terminate()
        child.wait()
        child.stdout.close()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
