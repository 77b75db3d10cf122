"""Going on after the connection was lost: by hand and by itself, in virtual time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from scripted import Dial, Here, Ladder, Script, Wire, error, handshake_with, open_session
from virtual_time import pass_time, until, virtual_time

import rtnb
from rtnb.client.reconnect import ATTEMPTS, STEADY_SECONDS, Reconnect
from rtnb.client.requests import Requests
from rtnb.client.transport import Closed
from rtnb.errors import AuthError, ConfigurationError, ConnectError, ResponseTimeout, SessionClosed
from rtnb.protocol.events import Event
from rtnb.timeline.file_format import Journal

dialects = pytest.mark.parametrize("dialect", ["ga", "preview"])


async def lose(session: Any, how: str = "drop") -> None:
    """End the connection that is there now, in one of the ways in which connections end."""
    transport = session.services[-1].transport
    if how == "drop":
        transport.drop()
    elif how == "expire":
        await session.services[-1].say(error("session_expired", "Your session hit the maximum duration of 60 minutes."))
        await transport.close(1001, "Your session hit the maximum duration of 60 minutes.")
    elif how == "keepalive":
        transport._outgoing.put_nowait(Closed(1011, "keepalive ping timeout", "client"))
    elif how == "done":
        await transport.close(1000)
    else:
        await session.close()
    await until(lambda: session.closed)


def refusing(*errors: BaseException, then: Callable[[Any], Script] = Script) -> Callable[[Any], Script]:
    """Refuse one connection after the other, and then serve."""
    left = list(errors)

    def serve(transport: Any) -> Script:
        if left:
            raise left.pop(0)
        return then(transport)

    return serve


def now() -> float:
    return asyncio.get_running_loop().time()


# By hand --------------------------------------------------------------------------------------------------------------


class Counting:
    """A credential that is another one each time."""

    words = "counted"

    def __init__(self) -> None:
        self.count = 0

    async def headers(self) -> dict[str, str]:
        self.count += 1
        return {"api-key": f"number-{self.count}"}

    def scrub(self, data: bytes) -> bytes:
        return data


@dialects
@pytest.mark.parametrize("how", ["drop", "expire", "close", "done", "keepalive"])
@virtual_time
async def test_a_session_goes_on_where_it_stopped(dialect: str, how: str) -> None:
    """A new connection with a fresh credential, settings and items told in order, one timeline with a seam."""
    config = {"voice": "ash", "instructions": "Hi", "input_format": "g711_ulaw"}
    session, old = await open_session(dialect, config=config, credential=Counting())
    await session.ask("one")
    await session.ask("two")
    ids = list(session.conversation.items)
    await lose(session, how)
    assert await session.resume() is session
    new = session.services[1]
    assert [headers["api-key"] for headers in session.dialled] == ["number-1", "number-2"]
    update, *items = new.heard
    assert update["type"] == "session.update"
    assert {**old.session, **new.session} == new.session
    assert new.session["instructions"] == "Hi"
    assert [event["item"]["id"] for event in items] == ids
    part = "output_text" if dialect == "ga" else "text"
    assert [event["item"]["content"] for event in items[:2]] == [
        [{"type": "input_text", "text": "one"}],
        [{"type": part, "text": "Of course!"}],
    ]
    assert list(session.conversation.items) == ids
    assert session.conversation.items[ids[1]].text == "Of course!"
    types = list(session.timeline["type"])
    assert types[types.index("close") : types.index("close") + 3] == ["close", "resume", "session.created"]
    assert (session.state, session.closed) == ("open", None)
    assert session.config["audio"]["output"]["voice"] == "ash"
    assert (await session.ask("three")).transcript == "Of course!"
    assert len(session.responses) == 3
    assert session.usage["total_tokens"] == 3 * 82
    assert not [problem for problem in session.problems if "restored" in problem]


@virtual_time
async def test_what_was_heard_and_called_is_restored() -> None:
    """Speech by its transcript, a truncated answer by what was heard, function calls with their outputs."""
    session, service = await open_session()
    call = [("item_f", "call_f", "theirs", ["{}"])]
    spoken = {
        "id": "item_u",
        "type": "message",
        "role": "user",
        "content": [{"type": "input_audio", "transcript": None}],
    }
    await service.say(
        {"type": "conversation.item.added", "item": spoken},
        {
            "type": "conversation.item.input_audio_transcription.completed",
            "item_id": "item_u",
            "content_index": 0,
            "transcript": "What was it?",
        },
        *Ladder("ga", item="item_a").speech_turn(["one", " two"], [bytes(48_000)]),
        {"type": "conversation.item.truncated", "item_id": "item_a", "content_index": 0, "audio_end_ms": 500},
        *Ladder("ga", response="resp_2").calls_turn(call),
        {
            "type": "conversation.item.added",
            "item": {"id": "item_o", "type": "function_call_output", "call_id": "call_f", "output": "42"},
        },
        {"type": "conversation.item.added", "item": {**spoken, "id": "item_v"}},
    )
    await until(lambda: "item_v" in session.conversation.items)
    for _ in range(2):  # twice, because what was restored must be restored as well
        await lose(session)
        await session.resume()
        told = [event["item"] for event in session.services[-1].heard[1:]]
        assert [item["id"] for item in told] == ["item_u", "item_a", "item_f", "item_o"]
        assert [item["content"][0]["text"] for item in told[:2]] == ["What was it?", "one"]
        assert (told[2]["name"], told[2]["call_id"], told[3]["output"]) == ("theirs", "call_f", "42")
    item = session.conversation.items["item_a"]
    assert (item.text, item.heard) == ("one two", "one")
    assert session.responses[1].function_calls[0].output == "42"
    assert any("item_v has no words" in problem for problem in session.problems)


@virtual_time
async def test_what_the_new_service_refuses_is_a_problem() -> None:
    """The rest is told, and the session is open."""

    async def refuse(service: Script, heard: Wire) -> None:
        if heard["item"]["role"] == "assistant":
            await service.say(error("invalid_value", "Not an assistant.", heard["event_id"]))
        else:
            await service.usual(heard)

    session, _ = await open_session(
        again=lambda transport: Script(transport, answers={"conversation.item.create": refuse})
    )
    await session.ask("one")
    await session.ask("two")
    await lose(session)
    await session.resume()
    assert session.services[1].types().count("conversation.item.create") == 4
    refused = [problem for problem in session.problems if "Not an assistant" in problem]
    assert len(refused) == 2
    assert refused[0].startswith("not restored")
    assert (await session.ask("x")).status == "completed"


@virtual_time
async def test_listeners_consumers_and_waits_go_on() -> None:
    """Listeners as they are; loops and waits begun afterwards find what comes."""
    session, _ = await open_session()
    heard: list[Event] = []
    session.on("*", heard.append)
    opened: list[float] = []
    session.on("open", lambda event: opened.append(event.t))
    await session.ask("x")
    await lose(session)
    with pytest.raises(SessionClosed):
        [event async for event in session.events()]
    await session.resume()
    waiting = asyncio.create_task(session.wait_for("response.done"))
    await session.ask("y")
    assert (await waiting).response_id == session.responses[1].id
    stream = session.events("session.created", since=0)
    assert [(await anext(stream)).seq, (await anext(stream)).seq] == [
        0,
        session.timeline.select(type="resume")[0].seq + 1,
    ]
    await session.close()
    session._connection.listeners.join(10)
    rows = [event.seq for event in heard if event.type != "open"]
    assert rows == [event.seq for event in session.timeline if event.direction != "sent"][1:]
    assert [event.type for event in heard].count("close") == 2
    assert len(opened) == 2
    assert opened[1] > opened[0]


@virtual_time
async def test_the_file_goes_on(tmp_path: Path) -> None:
    """One recording, which reads like the live session."""
    path = tmp_path / "s.rtnb.jsonl"

    def record(timeline: Any) -> Any:
        journal = Journal(path, started=timeline.started)

        def write(event: Event, late_ms: float) -> None:
            journal.write(event, late_ms=late_ms)
            if event.type == "close":
                journal.close()

        return write

    session, _ = await open_session(record=record)
    await session.ask("x")
    await lose(session)
    await session.resume()
    await session.ask("y")
    await session.close()
    again = rtnb.open(path)
    assert [event.raw for event in again.timeline] == [event.raw for event in session.timeline]
    assert [r.transcript for r in again.responses] == ["Of course!"] * 2
    assert list(again.conversation.items) == list(session.conversation.items)


@virtual_time
async def test_an_open_session_is_not_resumed() -> None:
    """There is nothing to do."""
    session, _ = await open_session()
    with pytest.raises(ConfigurationError, match="nothing to resume"):
        await session.resume()
    assert len(session.dialled) == 1


@virtual_time
async def test_two_who_resume_at_once_resume_once() -> None:
    """Both have an open session."""
    session, _ = await open_session()
    await lose(session)
    await asyncio.gather(session.resume(), session.resume())
    assert len(session.dialled) == 2


async def silent(service: Script, heard: Wire) -> None:
    pass


class Mute(Script):
    """A service that takes the connection and says nothing."""

    async def run(self) -> None:
        await asyncio.Event().wait()


class Leaving(Script):
    """A service that leaves right after its first word."""

    async def run(self) -> None:
        await self.say({"type": "session.created", "session": self.session})
        await self.transport.close(1013, "overloaded")


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        (refusing(ConnectError("nobody there")), ConnectError),
        (refusing(AuthError("no")), AuthError),
        (lambda transport: Mute(transport), ConnectError),
        (lambda transport: Leaving(transport), SessionClosed),
        (lambda transport: Script(transport, answers={"session.update": silent}), ResponseTimeout),
        (lambda transport: Script(transport, answers={"conversation.item.create": silent}), ResponseTimeout),
    ],
    ids=["unreachable", "unauthorized", "mute", "leaving", "no settings", "no items"],
)
@virtual_time
async def test_a_failing_attempt_leaves_the_session_closed_and_resumable(first: Any, expected: type[Exception]) -> None:
    """Nothing is lost by it: the next attempt tells all of the conversation."""
    attempts = iter([first])
    session, _ = await open_session(
        again=lambda transport: next(attempts, Script)(transport), config={"instructions": "Be kind."}
    )
    await session.ask("one")
    items = list(session.conversation.items)
    await lose(session)
    with pytest.raises(expected):
        await session.resume()
    assert session.state == "closed"
    with pytest.raises(SessionClosed):
        await session.ask("x")
    await session.resume()
    told = [event["item"]["id"] for event in session.services[-1].heard if event["type"] == "conversation.item.create"]
    assert told == items
    assert (await session.ask("two")).status == "completed"


@virtual_time
async def test_an_interrupted_resume_leaves_the_session_closed() -> None:
    """At once, not when the attempt has failed by itself; and not open with half a conversation."""
    session, _ = await open_session(
        again=lambda transport: Script(transport, answers={"conversation.item.create": silent})
    )
    await session.ask("one")
    await lose(session)
    task = asyncio.create_task(session.resume())
    await until(lambda: len(session.services) == 2 and "conversation.item.create" in session.services[1].types())
    began = now()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (session.state, now() - began) == ("closed", 0.0)
    await pass_time(100)
    assert (session.state, len(session.dialled)) == ("closed", 2)


@virtual_time
async def test_a_request_that_was_never_answered_does_not_disturb_the_new_connection() -> None:
    """The next ask gets the next response."""
    session, service = await open_session(answers={"response.create": silent}, again=Script)
    r = await session.ask("x", wait=False)
    await until(lambda: "response.create" in service.types())
    await lose(session)
    with pytest.raises(SessionClosed):
        await r
    await session.resume()
    assert (await session.ask("y", timeout=5.0)).status == "completed"


# Alone, without a session -----------------------------------------------------------------------------------------------


async def alone(*, reconnect: bool = False, again: Any = None) -> tuple[Reconnect, Requests, Dial, list[float]]:
    """Return a reconnect task's owner over a connection, and the times at which it reported a restored connection."""
    dial = Dial(again=again)
    handshake = handshake_with(dial, reconnect=reconnect)
    connection = await handshake.connect(Here())  # type: ignore[arg-type]
    requests = Requests(connection, handshake.timeout)
    restored: list[float] = []
    return Reconnect(requests, handshake, lambda: restored.append(now())), requests, dial, restored


async def drop(requests: Requests, dial: Dial) -> None:
    dial.services[-1].transport.drop()
    await until(lambda: requests.connection.closed)


@virtual_time
async def test_a_connection_is_restored_before_it_is_reported() -> None:
    """Settings, then items, then the report."""
    reconnect, requests, dial, restored = await alone()
    item = await requests.add_message("x", "user")
    await drop(requests, dial)
    await reconnect.resume()
    assert dial.services[1].types() == ["session.update", "conversation.item.create"]
    assert dial.services[1].heard[1]["item"]["id"] == item.id
    assert (restored, requests.connection.closed) == ([0.0], None)


@virtual_time
async def test_readiness_returns_what_is_left_of_the_time() -> None:
    """All of it while the session is open; less by the time that a reconnect took; an error where that was too long."""
    reconnect, requests, dial, restored = await alone(reconnect=True, again=refusing(ConnectError("down")))
    assert await reconnect.ready(10.0) == 10.0
    await drop(requests, dial)
    with pytest.raises(ResponseTimeout, match=r"No connection within 1\.00 s"):
        await reconnect.ready(1.0)
    assert restored == []
    assert await reconnect.ready(10.0) == pytest.approx(10.0 - 0.5)
    assert restored == [pytest.approx(1.5)]


@virtual_time
async def test_a_stopped_reconnect_starts_no_more() -> None:
    """The task is cancelled; a wait for it ends with the close."""
    reconnect, requests, dial, _ = await alone(reconnect=True)
    await drop(requests, dial)
    waiting = asyncio.create_task(reconnect.ready(30.0))
    await pass_time(0.1)
    await reconnect.stop()
    with pytest.raises(SessionClosed):
        await waiting
    await pass_time(100)
    assert len(dial.headers) == 1
    assert not await reconnect.settled()


# By itself ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["drop", "expire", "keepalive"])
@virtual_time
async def test_it_resumes_by_itself(how: str) -> None:
    """After half a second; who asks meanwhile waits, who watches goes on."""
    session, _ = await open_session(reconnect=True)
    await session.ask("one")
    kinds: list[str] = []

    async def consume() -> None:
        async for event in session.events("response.done"):
            kinds.append(event.kind)

    consumer = asyncio.create_task(consume())
    waiting = asyncio.create_task(session.wait_for("resume"))
    began = now()
    await lose(session, how)
    r = await session.ask("two")
    assert (r.status, now() - began) == ("completed", 0.5)
    assert (await waiting).type == "resume"
    assert session.state == "open"
    assert [event["type"] for event in session.services[1].heard][:3] == [
        "session.update",
        "conversation.item.create",
        "conversation.item.create",
    ]
    await until(lambda: len(kinds) == 1)
    assert await session.add_message("x")
    await session.close()
    await consumer


@virtual_time
async def test_it_waits_longer_each_time() -> None:
    """0.5 s, 1 s, 2 s; an ask is bounded by its own timeout meanwhile."""
    down = [ConnectError("down") for _ in range(3)]
    session, _ = await open_session(reconnect=True, again=refusing(*down))
    began = now()
    await lose(session)
    with pytest.raises(ResponseTimeout):
        await session.ask("x", timeout=2.0)
    assert now() - began == pytest.approx(2.0)
    assert (await session.ask("y")).status == "completed"
    assert now() - began == pytest.approx(0.5 + 1 + 2 + 4)
    assert len(session.dialled) == 5


@pytest.mark.parametrize("how", ["ask", "respond"])
@virtual_time
async def test_time_spent_reconnecting_shortens_the_timeout(how: str) -> None:
    """The timeout is for all of the call: the reconnect takes its share, the response gets what is left."""
    session, _ = await open_session(
        reconnect=True, again=lambda transport: Script(transport, answers={"response.create": silent})
    )
    began = now()
    await lose(session)
    with pytest.raises(ResponseTimeout, match=r"response\.created"):
        await (session.ask("x", timeout=4.0) if how == "ask" else session.respond(timeout=4.0))
    assert session.dialled[1:]
    assert now() - began == pytest.approx(4.0)


@virtual_time
async def test_it_gives_up() -> None:
    """After six attempts, with a problem that says why; an ask then fails at once, and by hand it can be tried again."""
    down = [ConnectError(f"down {n}") for n in range(ATTEMPTS)]
    session, _ = await open_session(reconnect=True, again=refusing(*down))
    began = now()
    await lose(session)
    for _ in range(2):
        with pytest.raises(SessionClosed):
            await session.ask("x")
        assert now() - began == pytest.approx(0.5 * (2**ATTEMPTS - 1))
    assert len(session.dialled) == 1 + ATTEMPTS
    (problem,) = [problem for problem in session.problems if "could not be resumed" in problem]
    assert "6 attempts: down 5; session.resume()" in problem
    await session.resume()
    assert (await session.ask("x")).status == "completed"


@pytest.mark.parametrize("how", ["close", "done"])
@virtual_time
async def test_an_end_on_purpose_is_an_end(how: str) -> None:
    """Our own close, and a normal one of the service's."""
    session, _ = await open_session(reconnect=True)
    await lose(session, how)
    await pass_time(100)
    assert (session.state, len(session.dialled)) == ("closed", 1)
    with pytest.raises(SessionClosed):
        await session.ask("x")


@virtual_time
async def test_closing_ends_the_attempts() -> None:
    """Between two of them, and in the middle of one; who waits is told."""
    for makes in (refusing(*(ConnectError("down") for _ in range(9))), Mute):
        session, _ = await open_session(reconnect=True, again=makes)
        await lose(session)
        asking = asyncio.create_task(session.ask("x"))
        await pass_time(0.7)
        await session.close()
        with pytest.raises(SessionClosed):
            await asking
        await pass_time(100)
        assert (session.state, len(session.dialled)) == ("closed", 2)
        assert not [problem for problem in session.problems if "could not be resumed" in problem]


@pytest.mark.parametrize("answers", [{}, {"session.update": None}], ids=["at once", "when restored"])
@virtual_time
async def test_a_service_that_lets_in_and_throws_out_is_not_asked_for_ever(answers: Any) -> None:
    """Attempts count until a connection has lived for a while."""

    class Bouncing(Script):
        async def update(self, change: Wire) -> None:
            await super().update(change)
            self.transport.drop()

    session, _ = await open_session(reconnect=True, again=Bouncing if answers else Leaving)
    await lose(session)
    await pass_time(1000)
    assert len(session.dialled) == 1 + ATTEMPTS
    assert session.state == "closed"
    assert sum("could not be resumed" in problem for problem in session.problems) == 1


@virtual_time
async def test_a_connection_that_lived_for_a_while_starts_the_count_anew() -> None:
    """A loss each hour is no circle."""
    session, _ = await open_session(reconnect=True)
    for _ in range(2 * ATTEMPTS):
        await pass_time(STEADY_SECONDS)
        began = now()
        await lose(session)
        assert (await session.ask("x", timeout=5.0)).status == "completed"
        assert now() - began == pytest.approx(0.5)
    assert not [problem for problem in session.problems if "could not be resumed" in problem]


@virtual_time
async def test_who_does_not_want_it_does_not_get_it() -> None:
    """By default a lost session stays lost until it is resumed."""
    session, _ = await open_session()
    await lose(session)
    await pass_time(100)
    assert len(session.dialled) == 1


@virtual_time
async def test_settings_that_are_changed_meanwhile_are_not_overwritten() -> None:
    """The change waits until what was in effect is restored."""
    session, _ = await open_session(reconnect=True, config={"instructions": "old"})
    await lose(session)
    await session.configure(instructions="new")
    assert session.services[1].session["instructions"] == "new"
    told = [json.dumps(event) for event in session.services[1].heard if event["type"] == "session.update"]
    assert ["old" in each for each in told] == [True, False]
