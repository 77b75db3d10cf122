"""The session as coroutines, against a scripted service, in virtual time."""

from __future__ import annotations

import asyncio
import json
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scripted import Ladder, Script, Wire, error, open_session
from virtual_time import until, virtual_time

import rtnb
from rtnb.audio import AudioClip
from rtnb.errors import ConfigurationError, ResponseTimeout, ServerError, SessionClosed
from rtnb.protocol.events import Event

dialects = pytest.mark.parametrize("dialect", ["ga", "preview"])


# Settings -----------------------------------------------------------------------------------------------------------


@dialects
@virtual_time
async def test_settings_are_applied_when_it_opens(dialect: str) -> None:
    """In GA's words for both dialects, in the dialect's own on the wire."""
    session, service = await open_session(dialect, config={"voice": "ash", "instructions": "Hi"})
    told = service.heard[0]
    assert told["type"] == "session.update"
    if dialect == "ga":
        assert told["session"] == {"type": "realtime", "audio": {"output": {"voice": "ash"}}, "instructions": "Hi"}
    else:
        assert told["session"] == {"voice": "ash", "instructions": "Hi"}
    assert session.config["audio"]["output"]["voice"] == "ash"
    assert "voice ash" in repr(session)


@dialects
@virtual_time
async def test_configure_tells_what_was_not_granted(dialect: str) -> None:
    """Asked, got; what was granted is not spoken of."""

    async def stubborn(service: Script, heard: Wire) -> None:
        voice = {"voice": "verse"} if dialect == "preview" else {"audio": {"output": {"voice": "verse"}}}
        await service.update(heard["session"] | voice)

    session, _ = await open_session(dialect, answers={"session.update": stubborn})
    configured = await session.configure(voice="ash", instructions="Hi")
    assert configured.not_granted == {"audio.output.voice": ("ash", "verse")}
    assert not configured
    assert configured.config["instructions"] == "Hi"
    assert 'asked "ash", got "verse"' in repr(configured)
    assert "Not granted" in configured._repr_mimebundle_()["text/html"]
    granted = await session.configure(instructions="Ho")
    assert granted
    assert "everything" in repr(granted)


@virtual_time
async def test_both_modalities_are_speech_in_the_preview_dialect() -> None:
    """Asked for in its own manner, granted in GA's: that is no refusal."""
    session, service = await open_session("preview")
    assert await session.configure(output_modalities=["text", "audio"])
    assert service.heard[-1]["session"]["modalities"] == ["text", "audio"]


@virtual_time
async def test_what_was_not_granted_at_the_opening_is_a_problem() -> None:
    """connect() returns a session, so its repr must say it."""

    async def stubborn(service: Script, heard: Wire) -> None:
        await service.update({})

    session, _ = await open_session(answers={"session.update": stubborn}, config={"voice": "ash"})
    assert "not granted" in repr(session)
    assert "not granted" in session._repr_mimebundle_()["text/html"]


@virtual_time
async def test_refused_settings_raise_at_the_opening() -> None:
    """And leave nothing open."""
    scripts: list[Script] = []

    def script(transport: Any) -> Script:
        async def refuse(service: Script, heard: Wire) -> None:
            await service.say(error("unknown_parameter", "Unknown parameter: 'session.x'.", heard["event_id"]))

        scripts.append(Script(transport, answers={"session.update": refuse}))
        return scripts[0]

    with pytest.raises(ServerError, match="unknown_parameter"):
        await open_session(script=script, config={"voice": "ash"})
    await until(lambda: scripts[0].closed)


@virtual_time
async def test_words_that_the_dialect_lacks_are_refused_before_anything_is_sent() -> None:
    """With the corrected form."""
    session, service = await open_session()
    for wrong in (
        {"temperature": 1},
        {"modalities": ["text"]},
        {"voise": "x"},
        {"output_modalities": ["text", "audio"]},
    ):
        with pytest.raises(ConfigurationError):
            await session.configure(**wrong)
    assert service.heard == []


@virtual_time
async def test_concurrent_changes_are_confirmed_one_by_one() -> None:
    """Each call sees its own confirmation."""
    session, _ = await open_session()
    told = await asyncio.gather(*(session.configure(instructions=f"{n}") for n in range(10)))
    assert all(told)
    assert session.config["instructions"] == "9"


@virtual_time
async def test_a_call_without_an_acknowledgement_times_out() -> None:
    """With what was awaited; the session lives."""
    session, service = await open_session(timeout=7.0)
    assert await session.configure(instructions="confirmed")
    service.answers["session.update"] = Script.ignore
    with pytest.raises(ResponseTimeout, match=r"No session\.updated within 7\.00 s") as caught:
        await session.configure(instructions="x")
    assert caught.value.waited_for == "session.updated"
    assert session.config["instructions"] == "confirmed"
    assert (await session.ask("x")).status == "completed"


@virtual_time
async def test_a_service_that_never_confirms_a_change_is_worked_with() -> None:
    """Open-source servers send no session.updated: the session opens in a few seconds, and says what it does not know."""
    began = asyncio.get_running_loop().time()
    session, service = await open_session(
        answers={"session.update": Script.ignore}, config={"instructions": "Be brief.", "turn_detection": None}
    )
    assert asyncio.get_running_loop().time() - began == pytest.approx(5.0)
    assert session.config["instructions"] == "Be brief."
    (problem,) = session.problems
    assert problem.startswith("not confirmed by the service: the service sent no session.updated")
    assert session.timeline.select(kind="session.updated", direction="local").shape[0] == 1
    configured = await session.configure(voice="ash")
    assert asyncio.get_running_loop().time() - began == pytest.approx(6.5)
    assert not configured
    assert "not confirmed" in repr(configured)
    assert "Not confirmed" in configured._repr_mimebundle_()["text/html"]
    assert configured.not_granted == {}
    await service.update({})
    await until(lambda: session.config["audio"]["output"]["voice"] == "verse")


# The smaller calls --------------------------------------------------------------------------------------------------


@dialects
@virtual_time
async def test_messages_and_buffers(dialect: str) -> None:
    """Each call returns what it brought about."""
    session, service = await open_session(dialect)
    item = await session.add_message("Be brief.", "system")
    assert (item.role, item.text) == ("system", "Be brief.")
    assert session.conversation.items[item.id] is item
    assert await session.append_audio(AudioClip.silence(0.25)) == pytest.approx(0.25)
    await until(lambda: len(service.heard) == 4)
    assert [len(event["audio"]) for event in service.heard[1:]] == [6400, 6400, 3200]
    assert await session.commit() == "item_spoken"
    await session.clear()
    await session.truncate("item_spoken", 120)
    assert service.heard[-1]["audio_end_ms"] == 120
    assert session.problems == []


@virtual_time
async def test_a_service_that_gives_its_own_ids_or_none() -> None:
    """add_message returns an item all the same."""

    async def anonymous(service: Script, heard: Wire) -> None:
        await service.say({"type": "conversation.item.added", "item": {"role": "user", "content": []}})

    session, _ = await open_session(answers={"conversation.item.create": anonymous})
    assert (await session.add_message("x")).role == "user"


@dialects
@virtual_time
async def test_cancel_waits_for_the_services_word(dialect: str) -> None:
    """The response is cancelled when it returns; without one there is nothing to do, and nothing is sent."""
    session, service = await open_session(dialect, holds=True)
    r = await session.ask("x", wait=False)
    await until(lambda: r.id)
    await session.cancel()
    assert r.status == "cancelled"
    sent = len(service.heard)
    await session.cancel()
    await session.cancel(r.id)
    assert len(service.heard) == sent
    assert session.problems == []


@virtual_time
async def test_speech_without_turn_detection_is_committed() -> None:
    """Append, commit, create; a path, samples and a clip alike."""
    session, service = await open_session("preview")
    clip = AudioClip.silence(0.15, 8000)
    for prompt in (clip, (clip.samples, 8000), clip.to_wav()):
        service.heard.clear()
        assert (await session.ask(prompt)).status == "completed"
        assert service.types() == ["input_audio_buffer.append"] * 2 + ["input_audio_buffer.commit", "response.create"]


@virtual_time
async def test_speech_with_turn_detection_ends_in_silence() -> None:
    """The service makes the response; the clip alone would never end its turn, and options would not reach it."""

    def script(transport: Any) -> Script:
        async def detect(service: Script, heard: Wire) -> None:
            if service.types().count("input_audio_buffer.append") == 10:
                await service.say(*Ladder("ga").speech_turn(["Hi"], [bytes(100)]))

        made = Script(transport, answers={"input_audio_buffer.append": detect})
        made.session["audio"]["input"]["turn_detection"] = {"type": "server_vad", "silence_duration_ms": 500}
        return made

    session, service = await open_session(script=script)
    assert (await session.ask(AudioClip.silence(0.2))).transcript == "Hi"
    assert set(service.types()) == {"input_audio_buffer.append"}
    with pytest.raises(ConfigurationError, match=r"session\.configure"):
        await session.ask(AudioClip.silence(0.2), voice="ash")


@virtual_time
async def test_anything_can_be_sent_as_it_is() -> None:
    """An object gets an event id if it has none; text and bytes go unchanged; all of it is in the timeline."""
    session, service = await open_session()
    assert await session.send({"type": "x", "event_id": "mine"}) == "mine"
    given = await session.send({"type": "x", "event_id": None})
    assert service.heard == [] or given.startswith("event_")
    await session.send('{"type": "as text"}')
    await session.send(b'{ "type" : "as bytes" }')
    await until(lambda: len(service.heard) == 4)
    assert [event.get("event_id") for event in service.heard] == ["mine", given, None, None]
    assert session.timeline.select(direction="sent")[-1].raw == b'{ "type" : "as bytes" }'


@virtual_time
async def test_an_error_for_a_raw_event_is_a_problem_not_an_exception() -> None:
    """Nobody waits for it."""

    async def refuse(service: Script, heard: Wire) -> None:
        await service.say(error("invalid_value", "Invalid value: 'x'.", heard["event_id"]))

    session, _ = await open_session(answers={"x": refuse})
    await session.send({"type": "x"})
    await until(lambda: session.problems)
    assert "Invalid value: 'x'." in session.problems[0]


# Watching -----------------------------------------------------------------------------------------------------------


@virtual_time
async def test_several_consumers_each_see_every_event() -> None:
    """None takes an event from another."""
    session, _ = await open_session()
    begun: list[int] = []

    async def consume() -> list[int]:
        seen = []
        begun.append(1)
        async for event in session.events():
            seen.append(event.seq)
            if event.kind == "response.done":
                break
        return seen

    tasks = [asyncio.create_task(consume()) for _ in range(3)]
    await until(lambda: len(begun) == 3)
    r = await session.ask("x")
    first, *others = await asyncio.gather(*tasks)
    assert others == [first, first]
    assert first[0] == 0
    assert first == [event.seq for event in session.timeline.select(direction="received")[: len(first)]]
    assert r.done


@dialects
@virtual_time
async def test_wait_for_does_not_miss_what_came_between(dialect: str) -> None:
    """From where the last one left off: in either dialect's words, as a glob, or by a predicate."""
    session, _ = await open_session(dialect)
    assert (await session.wait_for("session.created")).seq == 0
    r = await session.ask("x", wait=False)
    await until(lambda: r.done)
    await r
    first = await session.wait_for("response.audio.delta")
    second = await session.wait_for("response.output_audio.delta")
    assert first.seq < second.seq
    assert (await session.wait_for("response.*.done")).seq > second.seq
    assert (await session.wait_for(lambda event: event.kind == "response.done")).type == "response.done"
    with pytest.raises(ResponseTimeout, match=r"No response\.done within"):
        await session.wait_for("response.done", timeout=3.0)


@virtual_time
async def test_a_second_loop_goes_on_where_the_first_left_off() -> None:
    """And behind a finished ask."""
    session, _ = await open_session()
    async for event in session.events():
        assert event.type == "session.created"
        break
    await session.ask("x")
    add = asyncio.create_task(session.add_message("y"))
    async for event in session.events():
        assert event.kind == "conversation.item.added"
        break
    await add
    assert [event.seq async for event in _first(session.events(since=0), 1)] == [0]
    after = session.timeline.select(kind="response.created")[0]
    assert (await _list(session.events("response.*", since=after), 1))[0].kind == "response.output_item.added"


async def collect(events: Any, kinds: list[str]) -> None:
    async for event in events:
        kinds.append(event.type)


async def _first(iterator: Any, count: int) -> Any:
    for _ in range(count):
        yield await anext(iterator)


async def _list(iterator: Any, count: int) -> list[Event]:
    return [event async for event in _first(iterator, count)]


@virtual_time
async def test_a_loop_over_events_ends_with_the_session() -> None:
    """Quietly after a normal end, with SessionClosed when it broke, and after the last event in any case."""
    for end in (1000, None):
        session, service = await open_session()
        if end:
            await service.transport.close(end)
            kinds = [event.type async for event in session.events()]
        else:
            service.transport.drop()
            kinds = []
            with pytest.raises(SessionClosed):
                await collect(session.events(), kinds)
        assert kinds == ["session.created", "close"]
        with pytest.raises(SessionClosed):
            await session.wait_for("response.done")


@virtual_time
async def test_a_search_through_a_long_log_lets_the_reader_read() -> None:
    """What arrives meanwhile is found too."""
    session, service = await open_session()
    await service.say(*({"type": "x", "n": n} for n in range(2_000)))
    await until(lambda: len(session.timeline) == 2_001)
    search = asyncio.create_task(session.wait_for("y"))
    await asyncio.sleep(0)
    await service.say({"type": "y"})
    assert (await search).seq == 2_001


@dialects
@virtual_time
async def test_listeners(dialect: str) -> None:
    """Names of both dialects, globs, "open" and "close"; each event has type, kind, fields, frame and time."""
    session, _ = await open_session(dialect)
    heard: dict[str, list[Event]] = {name: [] for name in ("ga", "preview", "glob", "all", "open", "close", "once")}
    session.on("response.output_audio.delta", heard["ga"].append)
    session.on("response.audio.delta", heard["preview"].append)
    session.on("response.*", heard["glob"].append)
    session.on("*", heard["all"].append)
    session.on("open", heard["open"].append)
    session.on("close", heard["close"].append)
    session.once("response.*", heard["once"].append)
    await session.ask("x")
    await session.close()
    session._connection.listeners.join(10)
    assert len(heard["ga"]) == len(heard["preview"]) == 2
    assert len(heard["open"]) == len(heard["close"]) == len(heard["once"]) == 1
    assert heard["close"][0]["code"] == 1000
    assert [event.seq for event in heard["all"]] == [e.seq for e in session.timeline if e.direction != "sent"][1:]
    delta = heard["ga"][0]
    assert delta.kind == "response.output_audio.delta"
    assert delta["delta"] == json.loads(delta.raw)["delta"]
    assert delta.t > 0
    assert all(event.type.startswith("response.") for event in heard["glob"])


@virtual_time
async def test_a_listener_that_raises_is_reported_and_stops_nothing() -> None:
    """In the log, and in the repr; the others hear everything; so does the session."""
    session, _ = await open_session()
    heard: list[Event] = []
    told = threading.Event()

    def clumsy(event: Event) -> None:
        raise ZeroDivisionError("<b>oops</b>")

    def done(event: Event) -> None:
        heard.append(event)
        told.set()

    session.once("response.created", clumsy)
    session.on("response.*", done)
    assert (await session.ask("x")).status == "completed"
    assert told.wait(10)
    await until(lambda: session.problems)
    (row,) = session.timeline.select(kind="listener.error")
    assert row.direction == "local"
    assert row["message"] == "listener clumsy raised ZeroDivisionError: <b>oops</b>"
    assert "clumsy" in repr(session)
    assert "<b>oops" not in session._repr_mimebundle_()["text/html"]


# Keeping, showing and ending ----------------------------------------------------------------------------------------


@dialects
@virtual_time
async def test_the_repr_says_what_one_wants_to_know(dialect: str) -> None:
    """Where, which dialect, which credential, model, voice, how far; the same in HTML."""
    session, _ = await open_session(dialect)
    await session.ask("x")
    shown = session._repr_mimebundle_()
    words = (
        "127.0.0.1:1",
        f"{'GA' if dialect == 'ga' else 'preview'} dialect",
        "no credential",
        "gpt-realtime",
        "verse",
        "1 response",
    )
    for text in (repr(session), *shown.values()):
        for word in words:
            assert word in text
    assert "sess_script" in shown["text/html"]
    assert "Session open" in repr(session)
    await session.close()
    assert "Session closed" in repr(session)


@virtual_time
async def test_the_end_is_kept() -> None:
    """Everything stays readable; every later call says how it ended; a second close does no harm."""
    session, service = await open_session()
    r = await session.ask("x")
    await session.close()
    await session.close()
    await until(lambda: service.closed)
    assert service.closed is not None
    assert service.closed.code == 1000
    assert session.closed is not None
    assert (session.closed.code, session.closed.who) == (1000, "client")
    assert r.transcript == "Of course!"
    assert session.timeline[-1].type == "close"
    assert session.problems == []
    for call in (
        session.ask("x"),
        session.respond(),
        session.configure(voice="ash"),
        session.commit(),
        session.add_message("x"),
    ):
        with pytest.raises(SessionClosed, match="closed here"):
            await call


@virtual_time
async def test_async_with_closes() -> None:
    """Also when its block raises."""
    session, _service = await open_session()
    with pytest.raises(KeyError):
        async with session:
            raise KeyError
    assert session.state == "closed"


@dialects
@virtual_time
async def test_a_saved_session_reads_like_a_live_one(tmp_path: Path, dialect: str) -> None:
    """Rows, responses and settings."""
    session, _ = await open_session(dialect)
    r = await session.ask("x")
    again = rtnb.open(session.save(tmp_path / "s.rtnb.jsonl"))
    assert [event.raw for event in again.timeline] == [event.raw for event in session.timeline]
    assert again.responses[0].transcript == r.transcript
    assert again.responses[0].audio == r.audio
    assert again.config == session.config


@virtual_time
async def test_a_burst_is_kept_whole() -> None:
    """Twenty thousand events at once, each a row, and the session answers afterwards."""
    session, service = await open_session()
    await service.say(*({"type": "response.output_text.delta", "delta": "x"} for _ in range(20_000)))
    await until(lambda: len(session.timeline) > 20_000)
    await service.say({"type": "response.done", "response": {}})
    r = await session.ask("y")
    assert r.transcript == "Of course!"
    assert session.responses[0].text == "x" * 20_000


@dialects
@pytest.mark.parametrize("format", ["pcm16", "g711_ulaw", "g711_alaw"])
@virtual_time
async def test_both_sides_on_one_clock(dialect: str, format: str) -> None:
    """The user on the left, from when it was sent; the assistant on the right, cut where it was interrupted."""
    session, _ = await open_session(dialect, config={"input_format": format, "output_format": format})
    now = [1.0]
    connection = session._connection
    connection._clock = lambda: connection.origin + now[0]
    tone = AudioClip.from_array(np.sin(np.arange(12_000) / 10) * 0.5, 24_000)
    r = await session.ask(tone)
    assert r.audio.duration == pytest.approx({"pcm16": 0.25}.get(format, 1.5))
    now[0] = 1.1
    await session.interrupt()
    both = session.mix()
    assert both.left.duration == pytest.approx(1.5, abs=0.001)
    assert both.right.duration == pytest.approx(1.1, abs=0.001)
    assert both.left.between(0, 1).peak == 0
    assert both.left.between(1.05, 1.45).rms == pytest.approx(tone.rms, rel=0.05)
    r = await session.ask("x", out_of_band=True)
    assert session.mix().right == both.right


@virtual_time
async def test_a_listener_for_open_is_not_called_for_a_session_that_is_over() -> None:
    """But when it is open again."""
    session, _ = await open_session()
    await session.close()
    opened: list[Event] = []
    session.on("open", opened.append)
    session._connection.listeners.join(10)
    assert opened == []
    await session.resume()
    await session.close()
    session._connection.listeners.join(10)
    assert len(opened) == 1
