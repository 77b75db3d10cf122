"""One request for a response over a connection, without a session: exactly its answer is followed, and cancelled."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from scripted import Here, Ladder, Script, Wire, error, open_requests
from virtual_time import pass_time, until, virtual_time

from rtnb.client.exchange import ACTIVE_ALREADY, Exchanges
from rtnb.client.live_response import LiveResponse
from rtnb.client.waiters import MOMENT
from rtnb.errors import ServerError
from rtnb.protocol import commands
from rtnb.protocol.events import write_json

dialects = pytest.mark.parametrize("dialect", ["ga", "preview"])


async def exchange(dialect: str = "ga", **quirks: Any) -> tuple[Exchanges, LiveResponse, Script]:
    requests, dial = await open_requests(dialect, **quirks)
    connection = requests.connection
    return Exchanges(connection), LiveResponse(connection, Here()), dial.services[0]  # type: ignore[arg-type]


@dialects
@virtual_time
async def test_the_answer_to_a_request_is_followed_to_its_end(dialect: str) -> None:
    """The prelude goes first, each event with an id of its own."""
    exchanges, response, service = await exchange(dialect)
    await exchanges.run(response, [commands.text_message("x")], commands.response_create())
    assert (response.status, response.transcript) == ("completed", "Of course!")
    assert service.types() == ["conversation.item.create", "response.create"]
    assert len({event["event_id"] for event in service.heard}) == 2
    assert exchanges.in_progress is None


@virtual_time
async def test_a_request_that_comes_too_early_goes_again() -> None:
    """Without its prelude, once the response that was in the way has ended."""

    async def early(service: Script, heard: Wire) -> None:
        del service.answers["response.create"]
        await service.say(error(ACTIVE_ALREADY, "In progress.", heard["event_id"]))

    exchanges, response, service = await exchange(answers={"response.create": early})
    await exchanges.run(response, [commands.text_message("x")], commands.response_create())
    assert response.status == "completed"
    assert service.types() == ["conversation.item.create", "response.create", "response.create"]


@virtual_time
async def test_another_refusal_is_raised() -> None:
    """It is the request's own."""

    async def refuse(service: Script, heard: Wire) -> None:
        await service.say(error("invalid_value", "No.", heard["event_id"]))

    exchanges, response, _ = await exchange(answers={"response.create": refuse})
    with pytest.raises(ServerError, match="No"):
        await exchanges.run(response, [], commands.response_create())


@virtual_time
async def test_an_interrupted_exchange_cancels_its_response() -> None:
    """And waits for the end of it, so that the next request is not too early."""
    exchanges, response, service = await exchange(holds=True)
    task = asyncio.create_task(exchanges.run(response, [], commands.response_create()))
    await until(lambda: exchanges.in_progress)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (response.status, exchanges.in_progress) == ("cancelled", None)
    assert service.heard[-1]["response_id"] == response.id


@virtual_time
async def test_a_response_that_cannot_be_cancelled_is_not_waited_for_twice() -> None:
    """After five seconds it is in the way no more."""
    exchanges, response, _ = await exchange(holds=True, answers={"response.cancel": Script.ignore})
    task = asyncio.create_task(exchanges.run(response, [], commands.response_create()))
    await until(lambda: exchanges.in_progress)
    task.cancel()
    await pass_time(4.0)
    assert not task.done()
    await asyncio.wait([task])
    assert asyncio.get_running_loop().time() == pytest.approx(5.0)
    assert response.status == "in_progress"
    assert exchanges.in_progress is None


@virtual_time
async def test_every_response_that_ends_is_reported() -> None:
    """Those that no request asked for, too."""
    exchanges, _, service = await exchange()
    ended: list[str] = []
    exchanges.attend(lambda state: ended.append(state.id))
    await service.say(*Ladder("ga", response="resp_a").speech_turn(["x"], [bytes(2)]))
    await service.say(*Ladder("ga", response="resp_b").speech_turn(["y"], [bytes(2)]))
    await until(lambda: len(ended) == 2)
    assert ended == ["resp_a", "resp_b"]


@virtual_time
async def test_a_call_that_comes_after_the_end_of_its_response_is_reported() -> None:
    """With or without the response's id; what comes before the end is not."""
    for named in ({"response_id": "resp_a"}, {}):
        exchanges, _, service = await exchange()
        ended: list[str] = []
        exchanges.attend(lambda state, ended=ended: ended.append(state.status))  # type: ignore[misc]
        item = {"id": "item_f", "type": "function_call", "name": "f", "call_id": "c", "arguments": "{}"}
        late = {"type": "response.output_item.done", "item": item, **named}
        await service.say(Ladder("ga", response="resp_a").created(), late)
        await service.say({"type": "response.done", "response": {"id": "resp_a"}}, late)
        await until(lambda ended=ended: len(ended) == 2)  # type: ignore[misc]
        assert ended == ["completed", "completed"]


QUOTA = {"type": "failed", "error": {"code": "quota", "message": "No credit."}}


@pytest.mark.parametrize("after", [None, 0.5, 60.0])
@virtual_time
async def test_a_failure_at_the_creation_without_a_reason_has_a_moment_to_give_it(after: float | None) -> None:
    """The last word is response.done; one that never comes is not waited for, and one that comes late is taken."""

    async def fail(service: Script, heard: Wire) -> None:
        await service.say(Ladder("ga").created(status="failed"))
        done = {"type": "response.done", "response": {"id": "resp_1", "status": "failed", "status_details": QUOTA}}
        if after is not None:
            asyncio.get_running_loop().call_later(
                after, lambda: service.transport._outgoing.put_nowait(write_json(done))
            )

    exchanges, response, _ = await exchange(answers={"response.create": fail})
    await exchanges.run(response, [], commands.response_create())
    assert asyncio.get_running_loop().time() == pytest.approx(min(after or MOMENT, MOMENT))
    assert response.status == "failed"
    assert (response.state.error is not None) == (after == 0.5)
    if after:
        await pass_time(after)
        assert response.error is not None
        assert response.error.code == "quota"


@virtual_time
async def test_a_failure_at_the_creation_with_its_reason_is_an_answer_at_once() -> None:
    """And the end that tells it again is no problem of the session's."""

    async def fail(service: Script, heard: Wire) -> None:
        failed = {"status": "failed", "status_details": QUOTA}
        await service.say(Ladder("ga").created(**failed))
        await service.say({"type": "response.done", "response": {"id": "resp_1", **failed}})

    exchanges, response, _ = await exchange(answers={"response.create": fail})
    await exchanges.run(response, [], commands.response_create())
    assert asyncio.get_running_loop().time() == 0.0
    connection = exchanges._connection
    await until(lambda: "response.done" in connection.timeline["type"])
    assert connection.problems == []


@virtual_time
async def test_the_reason_of_a_failure_may_come_as_an_error() -> None:
    """At once, and it is no problem of the session's beside."""

    async def fail(service: Script, heard: Wire) -> None:
        await service.say(Ladder("ga").created(status="failed"), {"type": "error", "error": QUOTA["error"]})

    exchanges, response, _ = await exchange(answers={"response.create": fail})
    await exchanges.run(response, [], commands.response_create())
    assert asyncio.get_running_loop().time() == 0.0
    assert response.error is not None
    assert response.error.code == "quota"
    assert exchanges._connection.problems == []


@virtual_time
async def test_a_request_that_comes_too_early_goes_again_though_the_refusal_names_nothing() -> None:
    """Once it is clear that it is its own."""

    async def early(service: Script, heard: Wire) -> None:
        del service.answers["response.create"]
        await service.say(error(ACTIVE_ALREADY, "In progress."))

    exchanges, response, service = await exchange(answers={"response.create": early})
    await exchanges.run(response, [commands.text_message("x")], commands.response_create())
    assert (response.status, service.types().count("response.create")) == ("completed", 2)


@virtual_time
async def test_nothing_is_cancelled_where_nothing_was_asked_for() -> None:
    """A turn of speech that is given up before turn detection has made a response."""
    exchanges, response, service = await exchange()
    task = asyncio.create_task(exchanges.run(response, [commands.append_audio(bytes(4800))], None))
    await until(lambda: service.heard)
    task.cancel()
    await asyncio.wait([task])
    assert service.types() == ["input_audio_buffer.append"]
    assert asyncio.get_running_loop().time() == 0.0
