"""What is told once of a session's settings: what the local service wants told, and that a server detects turns after all."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from memory_transport import MemoryTransport
from scripted import Script, open_session, session
from virtual_time import until, virtual_time

from rtnb import AudioClip
from rtnb.client.connection import Connection
from rtnb.client.credentials import NoCredential
from rtnb.client.remarks import Remarks
from rtnb.protocol.dialects import GA


def connected(remarks: Remarks | None = None) -> tuple[Connection, MemoryTransport]:
    ours, theirs = MemoryTransport.pair()
    return Connection(ours, GA, NoCredential(), remarks=remarks), theirs


async def say(peer: MemoryTransport, connection: Connection, *frames: bytes) -> None:
    """Let the connection read some frames."""
    rows = len(connection.timeline) + len(frames)
    for frame in frames:
        await peer.send(frame)
    await until(lambda: len(connection.timeline) >= rows)


def told(type: str, **audio_input: Any) -> bytes:
    return json.dumps({"type": type, "session": {"id": "sess_1", "audio": {"input": audio_input}}}).encode()


PCM16 = {"format": {"type": "audio/pcm", "rate": 24_000}}
TELEPHONE = {"format": {"type": "audio/pcmu"}}


@virtual_time
async def test_what_the_service_wants_told_is_told_once() -> None:
    """A remark of any session with its first event, one about a rate when the input first has it, each once."""
    connection, peer = connected(remarks=Remarks([("no such word", None), ("8 kHz is unsure", 8000)]))
    await say(peer, connection, told("session.created", **PCM16))
    assert connection.problems == ["no such word"]
    for settings in (TELEPHONE, PCM16, TELEPHONE):
        await say(peer, connection, told("session.updated", **settings))
    assert connection.problems == ["no such word", "8 kHz is unsure"]
    await connection.close()


@virtual_time
async def test_an_unknown_format_is_no_rate() -> None:
    """A format that rtnb does not know is no reason for a remark, nor for a problem."""
    connection, peer = connected(remarks=Remarks([("8 kHz is unsure", 8000)]))
    await say(peer, connection, told("session.created", format={"type": "audio/opus"}))
    assert connection.problems == []
    await connection.close()


@virtual_time
async def test_a_server_that_detects_turns_anyway_is_believed() -> None:
    """Its settings say null: the first speech_started puts them right and is told, later ones only put them right."""
    connection, peer = connected()
    off = told("session.created", **PCM16, turn_detection=None)
    started = b'{"type":"input_audio_buffer.speech_started","audio_start_ms":0,"item_id":"item_1"}'
    await say(peer, connection, off, started)
    detection = connection.conversation.config["audio"]["input"]["turn_detection"]
    assert detection == {"type": "server_vad"}
    (problem,) = connection.problems
    assert "detects turns although its settings have turn detection off (row 1)" in problem
    await say(peer, connection, off.replace(b"created", b"updated"), started)
    assert connection.conversation.config["audio"]["input"]["turn_detection"] == {"type": "server_vad"}
    assert connection.problems == [problem]
    await connection.close()


@virtual_time
async def test_settings_that_have_turn_detection_are_left_alone() -> None:
    """Speech that was expected changes nothing."""
    connection, peer = connected()
    semantic = {"type": "semantic_vad", "eagerness": "low"}
    started = b'{"type":"input_audio_buffer.speech_started","audio_start_ms":0,"item_id":"item_1"}'
    await say(peer, connection, told("session.created", **PCM16, turn_detection=semantic), started)
    assert connection.conversation.config["audio"]["input"]["turn_detection"] == semantic
    assert connection.problems == []
    await connection.close()


@virtual_time
async def test_the_next_clip_waits_for_the_end_of_its_turn() -> None:
    """Once it is known that the server detects turns, a clip is ended by silence, and nothing is committed."""
    assert session("ga")["audio"]["input"]["turn_detection"] is None
    opened, service = await open_session()
    started = {"type": "input_audio_buffer.speech_started", "audio_start_ms": 0, "item_id": "item_1"}
    await service.say(started)
    await until(lambda: opened.problems)

    async def answer(script: Script, heard: dict[str, Any]) -> None:
        if script.active is None:
            await script.respond({"event_id": "event_x"})

    service.answers["input_audio_buffer.append"] = answer
    response = await opened.ask(AudioClip.from_array(np.sin(np.arange(12_000) / 10), 24_000), wait=False)
    assert "silence" in response.input_ended
    assert "input_audio_buffer.commit" not in service.types()
    await opened.close()
