"""One request for a response over a connection, without a session: exactly its answer is followed, and cancelled."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from scripted import Here, Ladder, Script, Wire, error, open_requests
from virtual_time import pass_time, until, virtual_time

from rtnb.client.exchange import ACTIVE_ALREADY, Exchanges
from rtnb.client.live_response import LiveResponse
from rtnb.errors import ServerError
from rtnb.protocol import commands

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
