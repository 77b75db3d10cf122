"""The calls of responses, from services that number, repeat, delay or do not name them: each is run once, or named."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

from scripted import Ladder, Script, Wire, open_session

ADD_ONE = ('{"a": 1, "b": 2}', "3")
ADD_TWO = ('{"a": 3, "b": 4}', "7")


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


def answers(*turns: list[Wire]) -> dict[str, Any]:
    """Answer one request after the other with these events, and then as usual."""
    left = list(turns)

    async def respond(service: Script, heard: Wire) -> None:
        await (service.say(*left.pop(0)) if left else service.usual(heard))

    return {"response.create": respond}


def calls(response: str, *wanted: tuple[str, str, str]) -> list[Wire]:
    """A response with calls: item, call id, arguments."""
    return Ladder("ga", response=response, after=None).calls_turn(
        [(item, call_id, "add", [arguments]) for item, call_id, arguments in wanted]
    )


def outputs(service: Script) -> list[Wire]:
    """Return the function outputs that the service heard."""
    items = [event["item"] for event in service.heard if event["type"] == "conversation.item.create"]
    return [item for item in items if item["type"] == "function_call_output"]


async def tick(condition: Callable[[], Any]) -> None:
    """Let the loop turn, and other threads run, until something is so."""
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.to_thread(threading.Event().wait, 0.0001)


def said(service: Script) -> list[str]:
    return [item["output"] for item in outputs(service)]


async def test_a_call_id_that_comes_again_in_a_later_turn_is_run_again() -> None:
    """With its own arguments, and each turn shows its own output."""
    given = answers(calls("r1", ("f1", "call_0", ADD_ONE[0])), Ladder("ga", response="r2", item="a2").text_turn(["Three."]),
                    calls("r3", ("f3", "call_0", ADD_TWO[0])))  # fmt: skip
    session, service = await open_session(answers=given, config={"tools": [add]})
    first, second = await session.ask("x"), await session.ask("y")
    assert said(service) == ["3", "7"]
    assert [r.function_calls[0].output for r in (first, second)] == ["3", "7"]
    assert session.problems == []


async def test_a_call_that_is_delivered_twice_is_run_once() -> None:
    """One output goes back, and the model goes on."""
    twice = calls("r1", ("f1", "c", ADD_ONE[0]), ("f2", "c", ADD_ONE[0]))
    session, service = await open_session(answers=answers(twice), config={"tools": [add]})
    assert (await session.ask("x")).transcript == "Of course!"
    assert said(service) == ["3"]


async def test_calls_without_ids_are_run() -> None:
    """In every turn."""
    given = answers(calls("r1", ("f1", "", ADD_ONE[0])), Ladder("ga", response="r2", item="a2").text_turn(["Three."]),
                    calls("r3", ("f3", "", ADD_TWO[0])))  # fmt: skip
    session, service = await open_session(answers=given, config={"tools": [add]})
    await session.ask("x")
    await session.ask("y")
    assert [(item["call_id"], item["output"]) for item in outputs(service)] == [("f1", "3"), ("f3", "7")]


async def test_a_call_that_comes_after_the_end_of_its_response_is_run() -> None:
    """By a turn of its own, where the ask has returned."""
    turn = calls("r1", ("f1", "c", ADD_ONE[0]))
    created, ended = turn[0], {"type": "response.done", "response": {"id": "r1", "status": "completed", "output": []}}
    session, service = await open_session(answers=answers([created, ended]), config={"tools": [add]})
    r = await session.ask("x")
    assert r.function_calls == []
    await service.say(*turn[1:-1])
    await tick(lambda: len(session.responses) == 2 and not session._turns.busy)
    assert said(service) == ["3"]
    assert session.responses[1].transcript == "Of course!"


async def test_a_call_that_comes_while_another_of_its_response_runs_is_run_before_the_model_goes_on() -> None:
    """Both outputs are there when it is asked to."""
    began, gate = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    async def slow() -> str:
        """Wait."""
        loop.call_soon_threadsafe(began.set)
        while not gate.is_set():  # the function has a loop of its own
            await asyncio.sleep(0)
        return "slow"

    first = Ladder("ga", response="r1", after=None).calls_turn([("f1", "c1", "slow", ["{}"])])
    late = calls("r1", ("f2", "c2", ADD_ONE[0]))[1:-1]
    session, service = await open_session(answers=answers(first), config={"tools": [add, slow]})
    r = await session.ask("x", wait=False)
    await tick(began.is_set)
    await service.say(*late)
    await tick(lambda: "f2" in session.conversation.items)
    gate.set()
    assert (await r).transcript == "Of course!"
    assert said(service) == ["slow", "3"]
    assert service.types().count("response.create") == 2


async def test_a_call_whose_arguments_are_missing_is_named_and_run_when_they_come() -> None:
    """It is not run with arguments that are cut off."""
    turn = calls("r1", ("f1", "c", ADD_ONE[0]))
    ended = {"type": "response.done", "response": {"id": "r1", "status": "completed"}}
    session, service = await open_session(answers=answers([*turn[:3], ended]), config={"tools": [add]})
    await session.ask("x")
    assert said(service) == []
    assert session.problems == ["add not called yet: its arguments had not come when the response was done"]
    await service.say(*turn[3:-1])
    await tick(lambda: len(session.responses) == 2 and not session._turns.busy)
    assert said(service) == ["3"]


async def test_what_is_awaited_is_the_call_that_has_not_ended() -> None:
    """Not those that have; a timeout says it so."""
    gate = threading.Event()

    def slow(seconds: int) -> str:
        """Wait."""
        gate.wait()
        return "slow"

    turn = Ladder("ga", response="r1", after=None).calls_turn(
        [("f1", "c1", "add", [ADD_ONE[0]]), ("f2", "c2", "slow", ['{"seconds": 9}'])]
    )
    session, service = await open_session(answers=answers(turn), config={"tools": [add, slow]})
    r = await session.ask("x", wait=False)
    await tick(lambda: r.waits_for == "function slow")
    assert r.awaited == 'slow({"seconds": 9}) as c2'
    gate.set()
    await r
    assert said(service) == ["3", "slow"]
