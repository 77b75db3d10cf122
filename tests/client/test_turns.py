"""Turns: one response after the other, each followed to its end, in virtual time."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from scripted import Here, Ladder, Script, Wire, error, open_requests, open_session
from virtual_time import until, virtual_time

from rtnb.audio import AudioClip
from rtnb.client.function_tool import FunctionTool
from rtnb.client.requests import Requests
from rtnb.client.settings import SessionSettings
from rtnb.client.tools import Tools
from rtnb.client.turns import Turns
from rtnb.errors import (
    AudioError,
    ConfigurationError,
    ResponseTimeout,
    RtnbError,
    ServerError,
    SessionBusy,
    SessionClosed,
)

dialects = pytest.mark.parametrize("dialect", ["ga", "preview"])


@dialects
@virtual_time
async def test_a_turn(dialect: str) -> None:
    """A message, a request, a finished response; in the dialect's own words."""
    session, service = await open_session(dialect)
    r = await session.ask("Please assist the user.")
    assert (r.status, r.transcript, r.audio.duration, r.done) == ("completed", "Of course!", 0.25, True)
    assert service.types() == ["conversation.item.create", "response.create"]
    assert service.heard[0]["item"]["content"] == [{"type": "input_text", "text": "Please assist the user."}]
    assert all(event["event_id"].startswith("event_") for event in service.heard)
    assert session.responses[0].id == r.id
    assert session.usage["total_tokens"] == 82
    assert session.problems == []


@virtual_time
async def test_options_hold_for_one_response_only() -> None:
    """And travel in the dialect's shape; a wrong one is refused before anything is sent."""
    session, service = await open_session("preview")
    await session.ask("x", voice="ash", output_modalities=["text"], metadata={"a": "b"})
    assert service.heard[-1]["response"] == {"voice": "ash", "modalities": ["text"], "metadata": {"a": "b"}}
    for wrong in ({"turn_detection": None}, {"reasoning": {}}):
        with pytest.raises(ConfigurationError):
            await session.ask("x", **wrong)
    assert len(service.heard) == 2


@dialects
@virtual_time
async def test_a_second_ask_waits_its_turn(dialect: str) -> None:
    """Nothing of it is sent before the first has ended."""
    session, service = await open_session(dialect, holds=True)
    first = await session.ask("one", wait=False)
    second = asyncio.create_task(session.ask("two"))
    await until(lambda: first.id)
    assert service.types().count("response.create") == 1
    await service.release()
    await until(lambda: service.types().count("response.create") == 2)
    await service.release()
    assert (await second).status == (await first).status == "completed"
    assert (await second).id != first.id


@dialects
@virtual_time
async def test_a_second_ask_may_cancel_the_first(dialect: str) -> None:
    """The first returns, cancelled."""
    session, service = await open_session(dialect, holds=True)
    first = await session.ask("one", wait=False)
    await until(lambda: first.id)
    second = await session.ask("two", when_busy="cancel", wait=False)
    assert (await first).status == "cancelled"
    await until(lambda: second.id)
    await service.release()
    assert (await second).status == "completed"
    assert session.problems == []


@virtual_time
async def test_cancelling_a_first_that_has_not_begun() -> None:
    """Its request is out, its response is not there yet: it is given up, and says so."""
    session, service = await open_session(answers={"response.create": Script.ignore})
    first = await session.ask("one", wait=False)
    await until(lambda: "response.create" in service.types())
    service.answers.clear()
    assert (await session.ask("two", when_busy="cancel")).status == "completed"
    with pytest.raises(RtnbError, match="later call"):
        await first
    assert first.status == "failed"
    assert "later call" in repr(first)
    assert session.problems == []


@virtual_time
async def test_a_second_ask_may_refuse_to_wait() -> None:
    """SessionBusy, also in the very moment in which the first was asked; and not once that has ended."""
    session, service = await open_session(holds=True)
    first = await session.ask("one", wait=False)
    with pytest.raises(SessionBusy, match="when_busy="):
        await session.ask("two", when_busy="raise")
    await until(lambda: first.id)
    with pytest.raises(SessionBusy):
        await session.ask("two", when_busy="raise")
    await service.release()
    await first
    third = await session.ask("three", when_busy="raise", wait=False)
    await until(lambda: third.id)
    with pytest.raises(ConfigurationError, match="'wait', 'cancel' or 'raise'"):
        await session.ask("x", when_busy="never")  # type: ignore[arg-type]


@virtual_time
async def test_many_asks_at_once_are_answered_in_order() -> None:
    """Each by its own response."""
    session, _ = await open_session()
    answers = await asyncio.gather(*(session.ask(f"{n}", metadata={"n": str(n)}) for n in range(20)))
    assert [r.metadata["n"] for r in answers] == [str(n) for n in range(20)]
    assert len({r.id for r in answers}) == 20


@dialects
@virtual_time
async def test_an_error_reaches_exactly_the_call_that_it_names(dialect: str) -> None:
    """The others go on; nothing becomes a problem of the session's."""

    async def refuse(service: Script, heard: Wire) -> None:
        if heard.get("response", {}).get("metadata"):
            await service.say(error("invalid_value", "Not that.", heard["event_id"]))
        else:
            await service.usual(heard)

    session, _ = await open_session(dialect, answers={"response.create": refuse})
    good, bad, later = [await session.ask("x", wait=False, **each) for each in ({}, {"metadata": {"bad": "yes"}}, {})]
    with pytest.raises(ServerError, match="invalid_value: Not that") as caught:
        await bad
    assert caught.value.code == "invalid_value"
    assert bad.error is caught.value
    assert (await good).status == (await later).status == "completed"
    assert session.problems == []


@virtual_time
async def test_a_refused_message_is_the_asks_error_too() -> None:
    """The message belongs to the call as much as the request."""

    async def refuse(service: Script, heard: Wire) -> None:
        await service.say(error("invalid_value", "No such role.", heard["event_id"]))

    session, _ = await open_session(answers={"conversation.item.create": refuse, "response.create": Script.ignore})
    with pytest.raises(ServerError, match="No such role"):
        await session.ask("x")


@virtual_time
async def test_an_error_that_no_call_raises_becomes_a_problem() -> None:
    """A row, a word in the repr, and no exception out of nowhere."""
    session, service = await open_session(holds=True)
    r = await session.ask("x", wait=False)
    await service.say(error("server_error", "Something else broke."))
    await until(lambda: session.problems and service.active)
    await service.release()
    assert (await r).status == "completed"
    assert "Something else broke." in session.problems[0]
    assert "Something else broke." in repr(session)
    assert "Something else broke." in session._repr_mimebundle_()["text/html"]
    assert session.timeline.select(kind="error").shape[0] == 1


@dialects
@virtual_time
async def test_a_response_that_never_ends_times_out(dialect: str) -> None:
    """ResponseTimeout; the response is cancelled, the session lives, and the next ask works."""
    session, service = await open_session(dialect, holds=True)
    r = await session.ask("x", wait=False, timeout=5.0)
    with pytest.raises(ResponseTimeout) as caught:
        await r
    assert (caught.value.waited_for, caught.value.timeout) == ("response.done", 5.0)
    assert isinstance(caught.value, TimeoutError)
    await until(lambda: r.status == "cancelled")
    assert service.types()[-1] == "response.cancel"
    assert service.heard[-1]["response_id"] == r.id
    service.holds = False
    assert (await session.ask("y")).status == "completed"
    assert session.state == "open"


@dialects
@virtual_time
async def test_a_response_that_never_begins_times_out(dialect: str) -> None:
    """The next ask gets the next response, not nothing because of a request that nobody answered."""
    session, service = await open_session(dialect, answers={"response.create": Script.ignore})
    with pytest.raises(ResponseTimeout, match=r"No response\.created within 5\.00 s"):
        await session.ask("x", timeout=5.0)
    service.answers.clear()
    assert (await session.ask("y", timeout=20.0)).transcript == "Of course!"
    assert session.problems == []


@virtual_time
async def test_a_refusal_that_names_no_event_is_the_error_of_the_only_call() -> None:
    """Some servers leave the id out: within two seconds, once; the session is not out of step afterwards."""

    async def refuse(service: Script, heard: Wire) -> None:
        await service.say({"type": "error", "error": {"message": "Quota."}})

    session, service = await open_session(answers={"response.create": refuse})
    began = asyncio.get_running_loop().time()
    with pytest.raises(ServerError, match="Quota"):
        await session.ask("x", timeout=60.0)
    assert asyncio.get_running_loop().time() - began < 2.0
    assert session.problems == []
    service.answers.clear()
    assert (await session.ask("at once")).status == "completed"
    service.answers["response.create"] = Script.ignore
    with pytest.raises(ResponseTimeout) as caught:
        await session.ask("x", timeout=5.0)
    assert "Quota" not in str(caught.value)
    service.answers.clear()
    assert (await session.ask("y")).status == "completed"
    service.transport.drop()
    await until(lambda: session.closed)
    assert "Quota" not in str(session.closed)


@virtual_time
async def test_a_service_that_ignores_a_cancel_does_not_block_the_session() -> None:
    """Point 11: its answer to cancel is an unknown event, and the old response never ends."""

    async def shrug(service: Script, heard: Wire) -> None:
        service.active = None
        await service.say({"type": "response.cancelled", "response_id": heard.get("response_id")})

    session, service = await open_session(holds=True, answers={"response.cancel": shrug})
    with pytest.raises(ResponseTimeout):
        await session.ask("x", timeout=5.0)
    service.holds = False
    r = await session.ask("y", timeout=30.0)
    assert (r.status, r.transcript) == ("completed", "Of course!")


@virtual_time
async def test_waiting_for_a_turn_can_time_out() -> None:
    """Its own words, and nothing was sent that would have to be cancelled."""
    session, service = await open_session(holds=True)
    first = await session.ask("one", wait=False)
    with pytest.raises(ResponseTimeout, match=r"Its turn did not come.*when_busy='cancel'"):
        await session.ask("two", timeout=3.0)
    assert "response.cancel" not in service.types()
    await service.release()
    assert (await first).status == "completed"


@dialects
@virtual_time
async def test_an_interrupted_ask_cancels_its_response(dialect: str) -> None:
    """The session lives, the service is told, and the next ask works."""
    session, service = await open_session(dialect, holds=True)
    task = asyncio.create_task(session.ask("x"))
    await until(lambda: session.responses and session.responses[0].transcript)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(lambda: session.responses[0].status == "cancelled")
    assert "response.cancel" in service.types()
    service.holds = False
    assert (await session.ask("y")).status == "completed"
    assert session.problems == []


@virtual_time
async def test_an_ask_interrupted_before_anything_came() -> None:
    """The refused cancel is nobody's problem, and nothing waits for a word that will not come."""
    session, service = await open_session(answers={"response.create": Script.ignore})
    task = asyncio.create_task(session.ask("x"))
    await until(lambda: "response.create" in service.types())
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    service.answers.clear()
    began = asyncio.get_running_loop().time()
    assert (await session.ask("y")).status == "completed"
    assert asyncio.get_running_loop().time() - began < 1.0
    assert session.problems == []


@dialects
@virtual_time
async def test_a_response_of_the_services_own_in_between(dialect: str) -> None:
    """Refused with conversation_already_has_active_response, the request goes again, the message does not."""

    async def busy_once(service: Script, heard: Wire) -> None:
        service.answers.clear()
        own = Ladder(dialect, response="resp_own", item="item_own").text_turn(["Mine."])
        await service.say(*own[:-1])
        await service.say(error("conversation_already_has_active_response", "…", heard["event_id"]), own[-1])

    session, service = await open_session(dialect, answers={"response.create": busy_once})
    r = await session.ask("x")
    assert (r.status, r.transcript) == ("completed", "Of course!")
    assert service.types() == ["conversation.item.create", "response.create", "response.create"]
    assert [each.transcript for each in session.responses] == ["Mine.", "Of course!"]


@virtual_time
async def test_a_response_in_between_that_nothing_tells_of() -> None:
    """The service says that it is busy, and not with what: ask again now and then, not as fast as it goes."""
    refusals = 0

    async def busy(service: Script, heard: Wire) -> None:
        nonlocal refusals
        refusals += 1
        if refusals == 4:
            service.answers.clear()
        await service.say(error("conversation_already_has_active_response", "…", heard["event_id"]))

    session, _ = await open_session(answers={"response.create": busy})
    began = asyncio.get_running_loop().time()
    assert (await session.ask("x")).status == "completed"
    assert asyncio.get_running_loop().time() - began >= 3.0


@dialects
@virtual_time
async def test_a_service_that_never_says_created(dialect: str) -> None:
    """The deltas and the done are enough for an answer."""

    async def abrupt(service: Script, heard: Wire) -> None:
        number = len(service.heard)
        await service.say(*Ladder(dialect, response=f"resp_{number}", item=f"item_{number}").text_turn(["Hi"])[1:])

    session, _ = await open_session(dialect, answers={"response.create": abrupt})
    assert (await session.ask("x")).transcript == "Hi"
    assert (await session.ask("y")).status == "completed"


@virtual_time
async def test_a_service_without_ids() -> None:
    """Point 11: no event ids, no response id, no status, no usage."""

    async def bare(service: Script, heard: Wire) -> None:
        await service.say({"type": "response.created", "response": {}})
        await service.say(
            {"type": "response.output_text.delta", "delta": "Hi"}, {"type": "response.done", "response": {}}
        )

    session, _ = await open_session(answers={"response.create": bare})
    for _ in range(3):
        r = await session.ask("x", timeout=5.0)
        assert (r.status, r.transcript, r.usage) == ("completed", "Hi", {})
    assert len(session.responses) == 3


@virtual_time
async def test_a_failed_created_is_an_answer() -> None:
    """With the service's reason."""

    async def fail(service: Script, heard: Wire) -> None:
        details = {"type": "failed", "error": {"code": "rate_limit_exceeded", "message": "Slow down."}}
        await service.say(Ladder("ga").created(status="failed", status_details=details))

    session, _ = await open_session(answers={"response.create": fail})
    r = await session.ask("x")
    assert r.status == "failed"
    assert r.error is not None
    assert r.error.code == "rate_limit_exceeded"


@pytest.mark.parametrize("code", [1000, 1001, 1011])
@virtual_time
async def test_a_close_in_the_middle_is_not_a_completion(code: int) -> None:
    """SessionClosed for the one who waits; the response is incomplete, with the reason, and keeps what came."""
    session, service = await open_session(holds=True)
    r = await session.ask("x", wait=False)
    await until(lambda: r.transcript == "Of course")
    await service.transport.close(code, "going away")
    with pytest.raises(SessionClosed) as caught:
        await r
    assert (caught.value.code, caught.value.reason, caught.value.who) == (code, "going away", "service")
    assert r.status == "incomplete"
    assert f"{code} going away" in r.reason
    assert r.transcript == "Of course"
    assert r.audio.duration > 0
    for _ in range(2):
        with pytest.raises(SessionClosed):
            await session.ask("y")


@virtual_time
async def test_a_lost_connection_ends_all_who_wait() -> None:
    """The running turn, and those whose turn had not come."""
    session, service = await open_session(holds=True)
    running, waiting = await session.ask("x", wait=False), await session.ask("y", wait=False)
    await until(lambda: running.id)
    service.transport.drop()
    for r in (running, waiting):
        with pytest.raises(SessionClosed, match="connection was lost"):
            await r
    assert session.state == "closed"


@virtual_time
async def test_a_response_can_be_awaited_by_several_and_more_than_once() -> None:
    """It is the same response for all."""
    session, service = await open_session(holds=True)
    r = await session.ask("x", wait=False)
    assert not r.done
    assert r.status in ("requested", "in_progress")

    async def wait() -> Any:
        return await r

    tasks = [asyncio.create_task(wait()) for _ in range(3)]
    await until(lambda: r.id)
    await service.release()
    assert await asyncio.gather(*tasks) == [r, r, r]
    assert await r is r
    assert r.done


@virtual_time
async def test_a_failure_that_is_never_retrieved_disturbs_nothing() -> None:
    """No warning of asyncio's, no exception out of nowhere; it is on the response."""

    async def refuse(service: Script, heard: Wire) -> None:
        await service.say(error("invalid_value", "No.", heard["event_id"]))

    session, _service = await open_session(answers={"response.create": refuse})
    r = await session.ask("x", wait=False)
    await until(lambda: r.done)
    assert isinstance(r.failure, ServerError)
    assert "No." in r._repr_mimebundle_()["text/html"]
    assert r.status == "failed"


@virtual_time
async def test_a_stray_delta_does_not_block_the_session() -> None:
    """A response that nothing announced is not in anybody's way."""
    session, service = await open_session()
    await service.say(
        {"type": "response.output_text.delta", "delta": "stray"},
        {"type": "response.output_text.delta", "response_id": "r", "delta": "x"},
    )
    await until(lambda: len(session.timeline) == 3)
    assert (await session.ask("x", timeout=5.0, when_busy="raise")).transcript == "Of course!"


# Beside the conversation ----------------------------------------------------------------------------------------------


@dialects
@virtual_time
async def test_an_answer_beside_the_conversation_waits_for_nothing(dialect: str) -> None:
    """It runs while another one does; each keeps its own events, and the conversation is as it was."""
    session, service = await open_session(dialect, holds=True)
    r = await session.ask("x", wait=False)
    await until(lambda: r.transcript == "Of course")
    items = list(session.conversation.items)
    aside = await session.ask("y", out_of_band=True, metadata={"topic": "aside"}, when_busy="raise")
    assert (aside.status, aside.transcript, aside.metadata, aside.audio.duration) == (
        "completed",
        "Aside",
        {"topic": "aside"},
        0.05,
    )
    assert list(session.conversation.items) == items
    assert r.status == "in_progress"
    await service.release()
    assert (await r).transcript == "Of course!"
    assert set(aside.events["response_id"]) == {aside.id}
    assert set(r.events["response_id"]) == {r.id} != {aside.id}
    asked = service.heard[-1]["response"]
    assert asked["conversation"] == "none"
    assert asked["input"] == [
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "y"}]},
    ]
    assert session.problems == []


@virtual_time
async def test_several_beside_the_conversation_at_once() -> None:
    """While one that is part of it is asked for, too; none is in another's way, and input= comes before the question."""
    session, service = await open_session()
    asks = [session.ask(f"{n}", out_of_band=True, metadata={"n": f"{n}"}) for n in range(5)]
    r, *asides = await asyncio.gather(session.ask("x"), *asks)
    assert [aside.metadata["n"] for aside in asides] == ["0", "1", "2", "3", "4"]
    assert r.transcript == "Of course!"
    reference = {"type": "item_reference", "id": "item_1"}
    await session.ask("z", out_of_band=True, input=[reference])
    assert service.heard[-1]["response"]["input"][0] == reference
    assert service.heard[-1]["response"]["input"][1]["content"][0]["text"] == "z"


@virtual_time
async def test_an_answer_beside_the_conversation_is_in_the_way_of_none() -> None:
    """A session is not busy with it."""
    session, service = await open_session(answers={"response.create": Script.ignore})
    aside = await session.ask("x", out_of_band=True, wait=False)
    await until(lambda: service.heard)
    service.answers.clear()
    assert (await session.ask("y", when_busy="raise")).transcript == "Of course!"
    assert not aside.done


@pytest.mark.parametrize("named", [False, True])
@virtual_time
async def test_giving_up_an_answer_beside_the_conversation_stops_no_other(named: bool) -> None:
    """Before it has a name, nothing can be cancelled; afterwards, only it."""
    session, service = await open_session(holds=True)
    r = await session.ask("x", wait=False)
    await until(lambda: r.id)

    async def begin(service: Script, heard: Wire) -> None:
        if named:
            await service.say(Ladder("ga", response="resp_b", item="item_b", conversation_id=None).created())

    service.answers.update({"response.create": begin, "response.cancel": Script.ignore})
    with pytest.raises(ResponseTimeout):
        await session.ask("y", out_of_band=True, timeout=2.0)
    await service.release()
    assert (await r).status == "completed"
    cancelled = [event.get("response_id") for event in service.heard if event["type"] == "response.cancel"]
    assert cancelled == (["resp_b"] if named else [])


@dialects
@virtual_time
async def test_a_spoken_question_beside_the_conversation(dialect: str) -> None:
    """The input buffer is not touched."""
    session, service = await open_session(dialect)
    await session.ask(AudioClip.silence(0.2), out_of_band=True)
    assert service.types() == ["response.create"]
    assert len(service.heard[0]["response"]["input"][0]["content"][0]["audio"]) == 12_800


# Speech under turn detection ------------------------------------------------------------------------------------------


def detecting(dialect: str = "ga", *turns: list[Wire], **settings: Any) -> Any:
    """Make a service that says one of `turns` after the other when 9 frames of speech and silence have come."""
    left = list(turns)

    def make(transport: Any) -> Script:
        async def detect(service: Script, heard: Wire) -> None:
            if service.types().count("input_audio_buffer.append") % 9 == 0:
                await service.say(*left.pop(0))

        made = Script(transport, dialect, answers={"input_audio_buffer.append": detect})
        detection = {"type": "server_vad", "silence_duration_ms": 200, **settings}
        if dialect == "preview":
            made.session["turn_detection"] = detection
        else:
            made.session["audio"]["input"]["turn_detection"] = detection
        return made

    return make


@dialects
@virtual_time
async def test_speech_is_answered_by_the_response_that_the_service_makes(dialect: str) -> None:
    """Nothing is asked for; how the turn was ended is told, in the repr, too."""
    turns = [Ladder(dialect, response=f"resp_{n}", item=f"item_{n}").speech_turn([f"{n}"], [bytes(100)]) for n in "12"]
    session, service = await open_session(dialect, script=detecting(dialect, *turns))
    for n in "12":
        r = await session.ask(AudioClip.silence(0.1))
        assert (r.transcript, r.id) == (n, f"resp_{n}")
        assert r.input_ended == "ended by 0.8 s of silence for the turn detection"
        assert r.input_ended in repr(r)
        assert r.input_ended in r._repr_mimebundle_()["text/html"]
    assert set(service.types()) == {"input_audio_buffer.append"}


@virtual_time
async def test_a_pause_in_the_speech() -> None:
    """The answer to what came before it was cut off by what came after it; the answer is the one to all of it."""
    broken = Ladder("ga", response="resp_1", item="item_1")
    first = [*broken.speech_turn(["Wel"], [bytes(100)])[:6], *broken.closing("audio", "", "cancelled", "turn_detected")]
    whole = Ladder("ga", response="resp_2", item="item_2").speech_turn(["Yes."], [bytes(100)])
    session, _ = await open_session(script=detecting("ga", [*first, *whole]))
    r = await session.ask(AudioClip.silence(0.1))
    assert (r.id, r.transcript, r.status) == ("resp_2", "Yes.", "completed")


async def test_an_answer_beside_the_conversation_is_not_taken_for_the_one_to_the_speech() -> None:
    """Nor the other way round, whichever comes first."""
    # On a real clock: one that jumps outruns the thread on which clips are read.
    own = Ladder("ga", response="resp_own", item="item_own").speech_turn(["Own"], [bytes(100)])
    aside = Ladder("ga", response="resp_b", item="item_b").beside_turn(["Aside"], [bytes(100)])
    for said in ([*own, *aside], [*aside, *own]):
        session, service = await open_session(script=detecting("ga", said))
        service.answers["response.create"] = Script.ignore
        beside = await session.ask("x", out_of_band=True, wait=False)
        await until(lambda: "response.create" in service.types())  # noqa: B023
        assert (await session.ask(AudioClip.silence(0.1))).id == "resp_own"
        assert (await beside).id == "resp_b"


@virtual_time
async def test_turn_detection_that_leaves_the_response_to_the_client() -> None:
    """It is asked for when the service has ended the turn, with options, too."""
    committed = [{"type": "input_audio_buffer.committed", "item_id": "item_s", "previous_item_id": None}]
    session, service = await open_session(script=detecting("ga", committed, create_response=False))
    r = await session.ask(AudioClip.silence(0.1), metadata={"a": "b"})
    assert (r.transcript, r.metadata) == ("Of course!", {"a": "b"})
    assert service.types() == ["input_audio_buffer.append"] * 9 + ["response.create"]


@dialects
@virtual_time
async def test_committed_speech_says_so(dialect: str) -> None:
    """In the repr, too; text says nothing of the sort."""
    session, _ = await open_session(dialect, config={"input_format": "g711_alaw"})
    r = await session.ask((AudioClip.silence(0.2).samples, 24_000))
    assert r.input_ended == "committed"
    assert "speech committed" in repr(r)
    assert "speech" not in repr(await session.ask("x"))


@virtual_time
async def test_what_is_no_speech_is_refused_before_anything_is_sent() -> None:
    """In the conversation, and beside it."""
    session, service = await open_session()
    for wrong in (7, b"", Path("no/such/file.wav"), AudioClip.silence(0)):
        for beside in (False, True):
            with pytest.raises(AudioError):
                await session.ask(wrong, out_of_band=beside)  # type: ignore[arg-type]
    assert service.heard == []


# Alone, without a session -----------------------------------------------------------------------------------------------


async def alone(*functions: Any, **quirks: Any) -> tuple[Turns, Requests, Script]:
    """Return turns over a connection, that are ready at once."""

    async def ready(timeout: float) -> float:
        return timeout

    requests, dial = await open_requests(**quirks)
    tools = Tools(requests.connection.note_problem)
    tools.add(*map(FunctionTool, functions))
    turns = Turns(requests, SessionSettings(requests, tools, ready), tools, ready, Here())  # type: ignore[arg-type]
    return turns, requests, dial.services[0]


@virtual_time
async def test_turns_need_a_connection_only() -> None:
    """One after the other; the service has the tools before the first of them."""

    def now() -> str:
        """Tell the time."""
        return "noon"

    turns, _, service = await alone(now)
    begun = [await turns.ask(prompt, {}, timeout=60.0, when_busy="wait", out_of_band=False) for prompt in ("a", "b")]
    assert turns.busy
    assert [(await turns.finish(response)).status for response in begun] == ["completed", "completed"]
    assert not turns.busy
    assert service.types() == ["session.update", *["conversation.item.create", "response.create"] * 2]


@virtual_time
async def test_a_wait_that_is_cancelled_cancels_its_response() -> None:
    """And no other: the connection lives on."""
    turns, requests, service = await alone(holds=True)
    response = await turns.respond({}, timeout=60.0, when_busy="wait")
    waiting = asyncio.create_task(turns.finish(response))
    await until(lambda: response.id)
    waiting.cancel()
    await asyncio.wait([waiting])
    await until(lambda: not turns.busy)
    assert waiting.cancelled()
    assert response.status == "cancelled"
    assert service.types() == ["response.create", "response.cancel"]
    assert requests.connection.closed is None


@virtual_time
async def test_an_interruption_cuts_what_was_not_heard() -> None:
    """With nothing being spoken there is nothing to cut."""
    turns, requests, service = await alone(holds=True)
    assert await turns.interrupt(None, cancel=True) is None
    response = await turns.respond({}, timeout=60.0, when_busy="wait")
    await until(lambda: response.audio_seconds > 0.2)
    heard = await turns.interrupt(None, cancel=True)
    assert heard is not None
    assert heard.received_ms == 250
    assert service.types()[-2:] in (
        ["response.cancel", "conversation.item.truncate"],
        ["response.cancel", "conversation.item.delete"],
    )
    await until(lambda: not turns.busy)
    assert requests.connection.problems == []
