"""One connection: recorded first, then interpreted, then told; and whatever ends it, everybody is told."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from memory_transport import MemoryTransport
from virtual_time import pass_time, until, virtual_time

from rtnb.client.connection import Connection
from rtnb.client.credentials import ApiKey, NoCredential
from rtnb.client.transport import Closed
from rtnb.client.waiters import Waiter
from rtnb.conversation.record import SessionRecord
from rtnb.errors import SessionClosed
from rtnb.protocol.dialects import GA, PREVIEW
from rtnb.protocol.events import Event
from rtnb.protocol.names import Kind

KEY = "sk-planted-0123456789abcdef"


def connected(**options: Any) -> tuple[Connection, MemoryTransport]:
    ours, theirs = MemoryTransport.pair()
    return Connection(
        options.pop("transport", ours), options.pop("dialect", GA), options.pop("credential", NoCredential()), **options
    ), theirs


async def say(peer: MemoryTransport, connection: Connection, *frames: bytes) -> None:
    """Let the connection read some frames."""
    rows = len(connection.timeline) + len(frames)
    for frame in frames:
        await peer.send(frame)
    await until(lambda: len(connection.timeline) >= rows)


@virtual_time
async def test_every_frame_is_a_row_byte_for_byte() -> None:
    """With its direction, and the time by the clock that was given."""
    now = [100.0]
    connection, peer = connected(clock=lambda: now[0], late_ms=lambda t: 7.0)
    now[0] = 101.5
    await say(peer, connection, b'{ "type" : "x" }', b"not JSON", b"\xff")
    await connection.send({"type": "response.create"})
    assert [event.raw for event in connection.timeline][:3] == [b'{ "type" : "x" }', b"not JSON", b"\xff"]
    assert list(connection.timeline["t"]) == [1.5] * 4
    assert list(connection.timeline["direction"]) == ["received"] * 3 + ["sent"]
    assert list(connection.timeline.late_ms) == [7.0] * 4
    assert await peer.receive() == connection.timeline[3].raw


@virtual_time
async def test_commands_are_encoded_in_the_dialect() -> None:
    """What is recorded is what was sent."""
    connection, peer = connected(dialect=PREVIEW)
    event_id = await connection.send(
        {"type": "session.update", "session": {"type": "realtime", "audio": {"output": {"voice": "ash"}}}}
    )
    assert json.loads(await peer.receive()) == {
        "type": "session.update",
        "session": {"voice": "ash"},
        "event_id": event_id,
    }


HORRIBLE = [
    b"", b"null", b"[]", b"7", b'"x"', b"{", b"\xff\xfe", b'{"type":[]}', b'{"type":"error"}', b'{"type":"error","error":[]}',
    b'{"type":"error","error":{"event_id":[]}}', b'{"type":"error","error":{"event_id":{"a":1}}}', b'{"type":"error","error":"x"}',
    b'{"type":"response.done"}', b'{"type":"response.done","response":[]}', b'{"type":"response.created","response":{"id":[]}}',
    b'{"type":"session.updated","session":{"audio":{"output":{"format":{"type":[]}}}}}',
    b'{"type":"session.updated","session":{"output_audio_format":[]}}',
    b'{"type":"session.created","session":[]}', b'{"type":"response.output_audio.delta","delta":7}',
    b'{"type":"response.output_audio.delta","delta":"&&&"}', b'{"type":"x","y":NaN}', b'{"type":"x","y":1e999}',
    b'{"type":"x","y":' + b"9" * 5000 + b"}", b'{"type":"session.updated","session":' + b'{"audio":' * 600 + b"1" + b"}" * 601,
    b'{"type":"x","y":' + b"[" * 100_000 + b"]" * 100_000 + b"}", b'{"type":"\\ud800"}',
    b'{"type":"error","error":{"message":"\\ud800"}}',
    b'{"type":"response.done","response":{"id":"r","usage":{"a":{"b":1}},"output":[7,[],{"id":"i","content":[7,{"text":[]}]}]}}',
]  # fmt: skip


@pytest.mark.filterwarnings("error")
@virtual_time
async def test_the_reader_survives_whatever_it_reads() -> None:
    """With calls waiting; every frame is a row; what follows is read and told."""
    connection, peer = connected()
    heard: list[Event] = []
    connection.listeners.add("*", heard.append)
    waiting = connection.waiters.add(Waiter(lambda event: event.type == "good", ["event_1"]))
    await say(peer, connection, *HORRIBLE, b'{"type":"good"}')
    assert (await waiting.future).seq == len(HORRIBLE)
    assert [event.raw for event in connection.timeline] == [*HORRIBLE, b'{"type":"good"}']
    assert connection.closed is None
    assert 0 < len(connection.problems) <= 20
    repr(connection.timeline)
    connection.timeline._repr_mimebundle_()
    connection.timeline.to_records()
    await connection.close()
    connection.listeners.join(10)
    assert len(heard) == len(HORRIBLE) + 2


@virtual_time
async def test_a_fault_of_our_own_does_not_stop_the_reader() -> None:
    """It becomes a problem, and the next frame is read."""
    connection, peer = connected()

    def faulty(event: Event) -> bool:
        raise ZeroDivisionError

    connection.waiters.add(Waiter(faulty))
    await say(peer, connection, b'{"type":"x"}', b'{"type":"y"}')
    assert connection.closed is None
    assert "could not be interpreted" in connection.problems[0]


@virtual_time
async def test_a_transport_that_fails_ends_the_session_for_all() -> None:
    """The reader's death is nobody's endless wait, and the transport is closed."""

    class Broken(MemoryTransport):
        async def receive(self) -> bytes:
            raise ZeroDivisionError("inside the library")

    _, far = MemoryTransport.pair()
    ours = Broken(far._incoming, far._outgoing)
    connection, _ = connected(transport=ours)
    waiting = connection.waiters.add(Waiter(lambda event: True))
    with pytest.raises(SessionClosed, match="inside the library"):
        await waiting.future
    assert ours._closed is not None
    assert connection.timeline[-1].type == "close"


@virtual_time
async def test_an_error_that_explains_a_failed_send_is_read_first() -> None:
    """Point 2: the frame that says why lies unread when the send fails."""

    class Refusing(MemoryTransport):
        async def send(self, frame: bytes) -> None:
            raise Closed(1006, "", "network")

    ours, peer = MemoryTransport.pair()
    refusing = Refusing(ours._incoming, ours._outgoing)
    connection, _ = connected(transport=refusing)
    await peer.send(b'{"type":"error","error":{"code":"session_expired","message":"Your session hit the maximum."}}')
    await peer.close(1001, "expired")
    with pytest.raises(SessionClosed, match=r"session_expired: Your session hit the maximum\.") as caught:
        await connection.send({"type": "response.create"})
    assert (caught.value.code, caught.value.who) == (1001, "service")
    with pytest.raises(SessionClosed, match="session_expired"):
        await connection.send({"type": "response.create"})


@virtual_time
async def test_a_peer_that_never_reads_is_given_up() -> None:
    """Point 4: after the time that was allowed, with what happened."""

    class Stuck(MemoryTransport):
        async def send(self, frame: bytes) -> None:
            await asyncio.Event().wait()

    ours, _ = MemoryTransport.pair()
    connection, _ = connected(transport=Stuck(ours._incoming, ours._outgoing), send_timeout=5.0)
    with pytest.raises(SessionClosed, match=r"read nothing for 5\.00 s"):
        await connection.send({"type": "response.create"})
    assert connection.closed is not None
    assert connection.problems


@virtual_time
async def test_closing_returns_whatever_the_transport_does() -> None:
    """A reader that does not end is ended."""

    class Deaf(MemoryTransport):
        async def close(self, code: int = 1000, reason: str = "") -> None:
            pass

    ours, _ = MemoryTransport.pair()
    connection, _ = connected(transport=Deaf(ours._incoming, ours._outgoing))
    await connection.close(1001, "bye")
    assert connection.closed is not None
    assert (connection.closed.code, connection.closed.reason, connection.closed.who) == (1001, "bye", "client")
    assert connection.problems == []


@pytest.mark.parametrize(
    ("code", "who", "reported"),
    [
        (1000, "service", False),
        (1001, "service", True),
        (1009, "client", True),
        (1011, "client", True),
        (1006, "network", True),
        (1000, "client", False),
    ],
)
@virtual_time
async def test_an_abnormal_end_is_a_problem_that_is_shown(code: int, who: str, reported: bool) -> None:
    """Also one that this side had to make."""
    ours, theirs = MemoryTransport.pair()
    connection, _ = connected(transport=ours)
    theirs._outgoing.put_nowait(Closed(code, "why", who))
    await until(lambda: connection.closed)
    assert bool(connection.problems) is reported


@virtual_time
async def test_a_recorder_that_fails_stops_recording_and_nothing_else() -> None:
    """A full disk is a problem; the session goes on."""
    rows: list[str] = []

    def record(timeline: Any) -> Any:
        def write(event: Event, late_ms: float) -> None:
            if len(rows) == 2:
                raise OSError("No space left on device")
            rows.append(event.type)

        return write

    connection, peer = connected(record=record)
    await say(peer, connection, *(b'{"type":"x"}' for _ in range(5)))
    assert len(connection.timeline) == 5
    assert rows == ["x", "x"]
    assert len(connection.problems) == 1
    assert "No space left on device" in connection.problems[0]
    assert "session.save" in connection.problems[0]


@virtual_time
async def test_an_echoed_key_never_enters() -> None:
    """Not by a frame, an error, a close reason, or what we send ourselves."""
    connection, peer = connected(credential=ApiKey(KEY, "api-key"))
    heard: list[Event] = []

    def clumsy(event: Event) -> None:
        heard.append(event)
        raise ValueError(f"cannot use {KEY}")

    connection.listeners.add("*", clumsy, once=True)
    await say(peer, connection, b'{"type":"error","error":{"message":"wrong key %b"}}' % KEY.encode())
    await until(lambda: connection.timeline.select(kind="listener.error").shape[0])
    await connection.send_frame(b'{"type":"x","key":"%b"}' % KEY.encode())
    assert KEY.encode() in await peer.receive()
    await peer.close(4000, KEY)
    await until(lambda: connection.closed)
    texts = [event.raw.decode() for event in connection.timeline] + connection.problems
    texts += [
        str(connection.closed),
        connection.last_error,
        repr(heard),
        str(connection.closed.reason if connection.closed else ""),
    ]
    assert not any(KEY in text for text in texts)


@virtual_time
async def test_problems_are_the_newest_twenty() -> None:
    """A stream of them does not fill memory."""
    connection, peer = connected()
    await say(peer, connection, *(b'{"type":"error","error":{"message":"%d"}}' % n for n in range(100)))
    assert len(connection.problems) == 20
    assert "99" in connection.problems[-1]


@virtual_time
async def test_another_transport_goes_on_in_the_same_timeline() -> None:
    """With a seam; what ended is forgotten, and who watches the new connection is told of its end."""
    now = [100.0]
    connection, peer = connected(clock=lambda: now[0])
    heard: list[Event] = []
    connection.listeners.add("*", heard.append)
    await say(peer, connection, b'{"type":"error","error":{"message":"expired"}}')
    peer.drop()
    await until(lambda: connection.closed)
    now[0] = 107.0
    ours, peer = MemoryTransport.pair()
    connection.reopen(ours)
    assert (connection.closed, connection.last_error) == (None, "")
    waiting = connection.waiters.add(Waiter(lambda event: event.type == "y"))
    await say(peer, connection, b'{"type":"y"}')
    assert (await waiting.future).t == 7.0
    await connection.send({"type": "response.create"})
    assert [event.type for event in connection.timeline] == ["error", "close", "resume", "y", "response.create"]
    assert (connection.opened.t, connection.timeline[2].direction) == (7.0, "local")
    ended = connection.waiters.add(Waiter(lambda event: False))
    await peer.close(1001)
    with pytest.raises(SessionClosed):
        await ended.future
    connection.listeners.join(10)
    assert [event.type for event in heard] == ["error", "close", "resume", "open", "y", "close"]


@virtual_time
async def test_a_close_that_takes_its_time_leaves_the_next_connection_alone() -> None:
    """It ends the one that it was called for."""

    class Slow(MemoryTransport):
        async def close(self, code: int = 1000, reason: str = "") -> None:
            await super().close(code, reason)
            await pass_time(2.0)

    ours, _ = MemoryTransport.pair()
    connection, _ = connected(transport=Slow(ours._incoming, ours._outgoing))
    closing = asyncio.create_task(connection.close(1011, "stuck"))
    await until(lambda: connection.closed)
    anew, peer = MemoryTransport.pair()
    connection.reopen(anew)
    await closing
    await say(peer, connection, b'{"type":"x"}')
    assert connection.closed is None


# Failures -------------------------------------------------------------------------------------------------------------


def frame(type: str, **fields: Any) -> bytes:
    return json.dumps({"type": type, **fields}).encode()


QUOTA = {"type": "failed", "error": {"code": "quota", "message": "No credit."}}


@virtual_time
async def test_a_failure_that_no_call_waits_for_is_a_problem() -> None:
    """A response that fails or is cut off, a transcription, a remote tool: with the row and the service's reason."""
    connection, peer = connected()
    await say(
        peer,
        connection,
        frame("response.created", response={"id": "r1", "status": "in_progress"}),
        frame("response.done", response={"id": "r1", "status": "failed", "status_details": QUOTA}),
        frame(
            "response.done",
            response={"id": "r2", "status": "incomplete", "status_details": {"reason": "content_filter"}},
        ),
        frame("response.done", response={"id": "r3", "status": "cancelled"}),
        frame("conversation.item.input_audio_transcription.failed", item_id="u", error={"message": "Too noisy."}),
    )
    assert connection.problems == [
        "error from the service (row 1): the response failed: quota: No credit.",
        "error from the service (row 2): the response is incomplete: content_filter",
        "error from the service (row 4): the transcription of speech failed: Too noisy.",
    ]
    assert connection.last_error == ""


@virtual_time
async def test_a_failure_that_several_events_tell_of_is_one_problem_with_the_last_words() -> None:
    """The event that names a failed call of a remote tool does not say why; its item does."""
    connection, peer = connected()
    error = {"type": "tool_execution_error", "message": "No dice."}
    item = {"id": "m1", "type": "mcp_call", "name": "roll", "error": error}
    await say(
        peer,
        connection,
        frame("response.created", response={"id": "r1", "status": "failed"}),
        frame("response.mcp_call.failed", item_id="m1"),
        frame("response.output_item.done", response_id="r1", item=item),
        frame("conversation.item.done", item=item),
        frame("response.done", response={"id": "r1", "status": "failed", "status_details": QUOTA}),
    )
    assert connection.problems == [
        "MCP tool roll() failed: tool_execution_error: No dice.",
        "error from the service (row 4): the response failed: quota: No credit.",
    ]


@virtual_time
async def test_an_error_without_a_type_is_the_services_last_error() -> None:
    """As some gateways send it, before they close."""
    connection, peer = connected()
    await say(peer, connection, b'{"error":{"code":"Unauthorized","message":"No such key."}}')
    assert connection.last_error == "Unauthorized: No such key."
    await peer.close(1000)
    await until(lambda: connection.closed)
    assert "No such key" in str(connection.closed)


@virtual_time
async def test_an_error_that_a_call_raised_is_not_the_reason_of_a_later_loss() -> None:
    """Nor is one that the service has answered requests after; the last one that nobody raised is."""
    connection, peer = connected()
    with connection.waiting(Waiter(lambda event: False, ["event_1"])):
        await say(peer, connection, frame("error", error={"message": "Settled.", "event_id": "event_1"}))
    assert (connection.last_error, connection.problems) == ("", [])
    await say(peer, connection, frame("error", error={"message": "Odd.", "event_id": "event_x"}))
    assert "Odd" in connection.error_words(0)
    assert connection.error_words(2) == ""
    connection.answered(1)
    assert "Odd" in connection.last_error
    connection.answered(2)
    assert connection.last_error == ""
    await say(peer, connection, frame("error", error={"message": "Last.", "event_id": "event_y"}))
    peer.drop()
    await until(lambda: connection.closed)
    assert "Last" in str(connection.closed)
    assert "Settled" not in str(connection.closed)
    assert "Odd" not in str(connection.closed)


@virtual_time
async def test_an_unnamed_error_that_the_only_call_raised_is_forgotten_too() -> None:
    """And one that turns out to be nobody's is a problem, before what ended the session."""
    connection, peer = connected()
    waiter = connection.waiters.add(Waiter(lambda event: False, ["event_1"]))
    await say(peer, connection, frame("error", error={"message": "Unnamed."}))
    assert ("Unnamed" in connection.last_error, connection.problems) == (True, [])
    await pass_time(2.0)
    assert str(waiter.future.exception()).endswith("Unnamed.")
    assert (connection.last_error, connection.problems) == ("", [])
    connection.waiters.add(Waiter(lambda event: False, ["event_2"]))
    await say(peer, connection, frame("error", error={"message": "Another."}))
    peer.drop()
    await until(lambda: connection.closed)
    assert "Another" in connection.problems[0]
    assert connection.problems[1] == str(connection.closed)
    assert "Another" in str(connection.closed)


@virtual_time
async def test_what_is_assumed_is_a_row_of_our_own() -> None:
    """Read by everything that reads the timeline, also from a file; no listener takes it for the service's."""
    connection, peer = connected()
    heard: list[Event] = []
    connection.listeners.add("*", heard.append)
    connection.assume(Kind.SESSION_UPDATED, session={"audio": {"output": {"format": {"type": "audio/pcmu"}}}})
    await say(peer, connection, frame("response.output_audio.delta", response_id="r", item_id="i", delta="AAAA"))
    assert connection.timeline.audio_format(1) == "g711_ulaw"
    again = SessionRecord(connection.timeline).conversation
    assert again.config == connection.conversation.config
    await peer.close(1000)
    await until(lambda: connection.closed)
    connection.listeners.join(10)
    assert [event.type for event in heard] == ["response.output_audio.delta", "close"]
