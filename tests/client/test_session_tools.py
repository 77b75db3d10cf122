"""Function tools on a session: registered, told, called, answered. On a real clock, for functions have threads of their own."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from scripted import Ladder, Script, Wire, error, open_session
from virtual_time import until, virtual_time

from rtnb.client.tools import MOST_ROUNDS
from rtnb.errors import ConfigurationError, ResponseTimeout, ServerError, SessionClosed

dialects = pytest.mark.parametrize("dialect", ["ga", "preview"])
FOREIGN = {"type": "function", "name": "theirs", "description": "Not ours.", "parameters": {"type": "object"}}
Call = tuple[str, str]


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


def calling(*rounds: list[Call]) -> dict[str, Any]:
    """Answer one request after the other with these calls, and then with speech."""
    left = list(rounds)
    counted = iter(range(1, 1000))

    async def respond(service: Script, heard: Wire) -> None:
        if not left:
            return await service.usual(heard)
        number = next(counted)
        calls = [
            (f"item_f{number}{index}", f"call_{number}{index}", name, [arguments[:2], arguments[2:]])
            for index, (name, arguments) in enumerate(left.pop(0))
        ]
        await service.say(*Ladder(service.dialect, response=f"resp_f{number}").calls_turn(calls))

    return {"response.create": respond}


def outputs(service: Script) -> list[Wire]:
    """Return the function outputs that the service heard."""
    items = [event["item"] for event in service.heard if event["type"] == "conversation.item.create"]
    return [item for item in items if item["type"] == "function_call_output"]


async def tick(condition: Callable[[], Any]) -> None:
    """Let the loop turn, and other threads run, until something is so."""
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.to_thread(threading.Event().wait, 0.0001)


# Telling the service --------------------------------------------------------------------------------------------------


@dialects
async def test_three_ways_to_give_a_session_tools(dialect: str) -> None:
    """When it opens, as a setting, and as a decorator; each is told as a definition, and adds to what is there."""
    session, service = await open_session(dialect, config={"tools": [add, FOREIGN]})
    assert [tool["name"] for tool in service.session["tools"]] == ["add", "theirs"]
    assert service.session["tools"][0]["parameters"]["properties"]["a"] == {"type": "integer"}

    @session.tool
    def plain(x: int) -> int:
        """Do it plainly."""
        return x

    @session.tool(name="renamed", description="Said otherwise.")
    async def named() -> None: ...

    assert plain(3) == 3
    await until(lambda: len(service.session["tools"]) == 4)
    assert [(tool["name"], tool["description"]) for tool in service.session["tools"][2:]] == [
        ("plain", "Do it plainly."),
        ("renamed", "Said otherwise."),
    ]
    assert await session.configure(tools=[plain])
    assert [tool["name"] for tool in session.config["tools"]] == ["plain"]
    assert session.problems == []


@dialects
async def test_a_tool_reaches_the_service_before_the_next_turn(dialect: str) -> None:
    """Also while other settings are on their way, and the turn waits for the service's word."""
    session, service = await open_session(dialect, answers=calling([("add", '{"a": 1, "b": 2}')]))
    changing = asyncio.create_task(session.configure(instructions="x"))
    session.tool(add)
    r = await session.ask("1 + 2?")
    await changing
    told = [event["type"] for event in service.heard if not event["type"].startswith("conversation")]
    assert told[:3] == ["session.update", "session.update", "response.create"]
    assert r.function_calls[0].output == "3"


async def test_a_definition_takes_the_place_of_a_function() -> None:
    """The user answers from then on."""
    session, service = await open_session(config={"tools": [add]}, answers=calling([("add", '{"a": 1, "b": 2}')]))
    await session.configure(tools=[{**FOREIGN, "name": "add"}])
    r = await session.ask("x")
    assert (r.function_calls[0].name, r.function_calls[0].output) == ("add", "")
    assert outputs(service) == []


async def refuse_tools(service: Script, heard: Wire) -> None:
    if "tools" in heard["session"]:
        await service.say(error("invalid_value", "No tools here.", heard["event_id"]))
    else:
        await service.usual(heard)


async def test_a_service_that_refuses_the_tools() -> None:
    """A call raises; a decorator, which cannot, leaves a problem; the session goes on and does not try again."""
    session, service = await open_session(answers={"session.update": refuse_tools})
    with pytest.raises(ServerError, match="No tools here"):
        await session.configure(tools=[add])
    with pytest.raises(ServerError, match="No tools here"):
        await session.add_tool(add)
    session.tool(add)
    assert (await session.ask("x")).status == "completed"
    assert (await session.ask("y")).status == "completed"
    assert [problem for problem in session.problems if "No tools here" in problem] == session.problems
    assert len(session.problems) == 1
    assert service.types().count("session.update") == 3


async def test_refused_tools_at_the_opening() -> None:
    """No session comes about."""
    with pytest.raises(ServerError, match="No tools here"):
        await open_session(answers={"session.update": refuse_tools}, config={"tools": [add]})


async def test_what_cannot_be_a_tool_is_refused_before_anything_is_sent() -> None:
    """By each of the three ways."""

    def untyped(x): ...  # type: ignore[no-untyped-def]

    session, service = await open_session()
    for give in (lambda: open_session(config={"tools": [untyped]}), lambda: session.configure(tools=[untyped])):
        with pytest.raises(ConfigurationError, match="type hint"):
            await give()
    with pytest.raises(ConfigurationError, match="type hint"):
        session.tool(untyped)
    assert service.heard == []


async def test_a_tool_given_to_a_closed_session_is_sent_when_it_is_open_again() -> None:
    """Nobody has refused it."""
    session, service = await open_session()
    service.transport.drop()
    await until(lambda: session.closed)
    session.tool(add)
    with pytest.raises(SessionClosed):
        await session.configure(tools=[add, FOREIGN])
    with pytest.raises(SessionClosed):
        await session.add_tool(add, name="again")
    session.tool(add)
    await session.resume()
    assert (await session.ask("x")).status == "completed"
    assert [tool["name"] for tool in session.config["tools"]] == ["add"]
    assert "tools" not in repr(session.problems)


# Calling and answering ------------------------------------------------------------------------------------------------


@dialects
async def test_the_ask_returns_the_spoken_answer_with_the_calls_of_all_rounds(dialect: str) -> None:
    """Parallel calls are answered once: all outputs after response.done, then one response.create; off the loop, async too."""
    threads: list[threading.Thread] = []

    async def slow(text: str) -> dict[str, str]:
        """Take some time."""
        await asyncio.sleep(0)
        threads.append(threading.current_thread())
        return {"said": text}

    answers = calling([("add", '{"a": 1, "b": 2}'), ("slow", '{"text": "é"}')], [("add", '{"a": 3, "b": 4}')])
    session, service = await open_session(dialect, answers=answers, config={"tools": [add, slow]})
    heard_before_done: list[int] = []
    session.on("response.done", lambda event: heard_before_done.append(len(outputs(service))))
    r = await session.ask("x")
    assert (r.status, r.transcript, r.done) == ("completed", "Of course!", True)
    assert [(call.name, call.arguments, call.output) for call in r.function_calls] == [
        ("add", {"a": 1, "b": 2}, "3"),
        ("slow", {"text": "é"}, '{"said":"é"}'),
        ("add", {"a": 3, "b": 4}, "7"),
    ]
    types = [event["type"] for event in service.heard if event["type"] != "session.update"]
    create, ask = "conversation.item.create", "response.create"
    assert types == [create, ask, create, create, ask, create, ask]
    assert set(r.events["response_id"]) == {"resp_f1", "resp_f2", r.id}
    assert "calls add, slow, add" in repr(r)
    assert threads[0] is not threading.current_thread()
    assert len(session.responses) == 3
    assert session.problems == []
    rows = session.timeline
    for sent in rows.select(direction="sent", text="function_call_output*"):
        done = rows.select(kind="response.done", until=sent.t)
        assert len(done) >= 1


@dialects
async def test_errors_of_a_function_go_to_the_model_and_to_people(dialect: str) -> None:
    """As the call's output, and as a problem; the model answers all the same."""

    def fail() -> None:
        """Fail."""
        raise ValueError("no such place")

    answers = calling([("fail", "{}"), ("add", '{"a": "x"}')])
    session, service = await open_session(dialect, answers=answers, config={"tools": [fail, add]})
    r = await session.ask("x")
    assert (r.status, r.transcript) == ("completed", "Of course!")
    assert json.loads(outputs(service)[0]["output"]) == {"error": "ValueError: no such place"}
    assert r.function_calls[0].output == outputs(service)[0]["output"]
    assert "do not fit" in r.function_calls[1].output
    assert any("no such place" in problem for problem in session.problems)
    assert "tool" in repr(session)


@dialects
async def test_calls_of_a_response_without_a_request_are_answered_too(dialect: str) -> None:
    """As turn detection makes them; its own failure is a problem, for nobody waits for it."""
    session, service = await open_session(dialect, config={"tools": [add]})
    call = [("item_f", "call_f", "add", ['{"a": 1, "b": 2}'])]
    await service.say(*Ladder(dialect, response="resp_own").calls_turn(call))
    await tick(lambda: len(session.responses) == 2 and not session._turns.busy)
    assert outputs(service)[0]["output"] == "3"
    assert session.responses[1].transcript == "Of course!"
    assert session.problems == []

    async def refuse(service: Script, heard: Wire) -> None:
        await service.say(error("invalid_tool_call_id", "No such call.", heard["event_id"]))

    service.answers["conversation.item.create"] = refuse
    await service.say(*Ladder(dialect, response="resp_2").calls_turn([("item_g", "call_g", "add", ['{"a":1,"b":2}'])]))
    await tick(lambda: session.problems)
    assert "No such call" in session.problems[0]


async def test_calls_beside_the_conversation_are_not_answered() -> None:
    """There is nothing to put an output into."""
    session, service = await open_session(config={"tools": [add]})
    turn = Ladder("ga", response="resp_b", conversation_id=None).calls_turn([("i", "c", "add", ['{"a":1,"b":2}'])])
    await service.say(*(event for event in turn if not event["type"].startswith("conversation.")))
    assert (await session.ask("x")).status == "completed"
    assert outputs(service) == []


async def test_calls_of_raw_definitions_are_left_to_the_user() -> None:
    """Nothing is sent for them, and the model is not asked to go on before the user has answered."""
    answers = calling([("theirs", "{}")], [("theirs", "{}"), ("add", '{"a": 1, "b": 2}')])
    session, service = await open_session(answers=answers, config={"tools": [add, FOREIGN]})
    r = await session.ask("x")
    assert (r.status, r.function_calls[0].name, r.function_calls[0].output) == ("completed", "theirs", "")
    assert service.types()[-1] == "response.create"
    r = await session.ask("y")
    assert [call.name for call in r.function_calls] == ["theirs", "add"]
    await until(lambda: r.function_calls[1].output == "3")
    assert service.types().count("response.create") == 2
    await session.send({"type": "conversation.item.create", "item": {"type": "function_call_output", "call_id": "call_20", "output": "z"}})  # fmt: skip
    assert (await session.respond()).transcript == "Of course!"
    assert session.problems == []


async def test_a_model_that_goes_in_circles_is_stopped() -> None:
    """After eight rounds, and it is said."""
    answers = calling(*([("add", '{"a": 1, "b": 2}')] for _ in range(20)))
    session, service = await open_session(answers=answers, config={"tools": [add]})
    r = await session.ask("x")
    assert len(outputs(service)) == MOST_ROUNDS == 8
    assert len(r.function_calls) == 9
    assert (r.function_calls[-1].output, r.done) == ("", True)
    assert "add not called" in session.problems[0]


async def test_tools_for_one_response() -> None:
    """Are called and answered, and are no setting of the session's."""
    session, service = await open_session(answers=calling([("add", '{"a": 1, "b": 2}')]))
    r = await session.ask("x", tools=[add])
    assert r.function_calls[0].output == "3"
    told = [event["response"]["tools"] for event in service.heard if "tools" in event.get("response", {})]
    assert [tool["name"] for tool in told[0]] == ["add"]
    assert "session.update" not in service.types()


async def test_the_services_own_response_in_between_is_not_part_of_the_turn() -> None:
    """When the request for the answer to an output has to go again."""

    async def own(service: Script, heard: Wire) -> None:
        service.answers.clear()
        turn = Ladder("ga", response="resp_own", item="item_own").text_turn(["Mine."])
        await service.say(*turn[:-1], error("conversation_already_has_active_response", "…", heard["event_id"]))
        await service.say(turn[-1])

    async def first(service: Script, heard: Wire) -> None:
        service.answers["response.create"] = own
        await service.say(*Ladder("ga", response="resp_f").calls_turn([("i", "c", "add", ['{"a":1,"b":2}'])]))

    session, _ = await open_session(answers={"response.create": first}, config={"tools": [add]})
    r = await session.ask("x")
    assert r.transcript == "Of course!"
    assert set(r.events["response_id"]) == {"resp_f", r.id}
    assert len(r.function_calls) == 1


# While a function runs --------------------------------------------------------------------------------------------------


class Slow:
    """A function that runs until it is let go."""

    def __init__(self) -> None:
        self.gate, self.begun = threading.Event(), threading.Event()

    def __call__(self) -> str:
        self.begun.set()
        self.gate.wait(20)
        return "late"


async def waiting(**options: Any) -> tuple[Any, Script, Slow]:
    """Open a session whose model calls a slow function at the first request."""
    slow = Slow()
    session, service = await open_session(answers=calling([("slow", "{}")]), **options)
    await session.add_tool(slow, name="slow")
    return session, service, slow


@virtual_time
async def test_a_function_that_takes_too_long() -> None:
    """The ask times out and says why, the model is told, and the next ask works; the late result goes nowhere."""
    session, service, slow = await waiting()
    named = r"function slow gave no result within 5\.00 s \(called: slow\({}\) as call_10\)"
    with pytest.raises(ResponseTimeout, match=named) as caught:
        await session.ask("x", timeout=5.0)
    assert caught.value.waited_for == "function slow"
    await until(lambda: outputs(service))
    slow.gate.set()
    assert (await session.ask("y")).status == "completed"
    assert [json.loads(item["output"]) for item in outputs(service)] == [{"error": "the call was interrupted"}]
    assert "response.cancel" not in service.types()


async def test_an_interrupted_ask_while_a_function_runs() -> None:
    """The model is told; the session lives."""
    session, service, slow = await waiting()
    task = asyncio.create_task(session.ask("x"))
    await tick(slow.begun.is_set)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await session.ask("y")).transcript == "Of course!"
    assert "interrupted" in outputs(service)[0]["output"]
    slow.gate.set()


async def test_interrupt_while_a_function_runs() -> None:
    """The turn ends with the call, and no answer comes."""
    session, service, slow = await waiting()
    r = await session.ask("x", wait=False)
    await tick(slow.begun.is_set)
    assert await session.interrupt() is None
    assert (await r).function_calls[0].name == "slow"
    await until(lambda: r.function_calls[0].output)
    assert service.types().count("response.create") == 1
    slow.gate.set()


@pytest.mark.parametrize("how", ["close", "drop"])
async def test_the_session_ends_while_a_function_runs(how: str) -> None:
    """Whoever waits is told at once, not when the function is done."""
    session, service, slow = await waiting()
    r = await session.ask("x", wait=False)
    await tick(slow.begun.is_set)
    if how == "close":
        await session.close()
    else:
        service.transport.drop()
    with pytest.raises(SessionClosed):
        await r
    slow.gate.set()
    assert r.function_calls[0].output == ""


async def test_an_ask_that_is_interrupted_before_the_answer_to_an_output_began() -> None:
    """That response is cancelled: it must not go on with nobody there to hear it."""

    async def first(service: Script, heard: Wire) -> None:
        service.answers["response.create"] = Script.ignore
        await service.say(*Ladder("ga", response="resp_f").calls_turn([("i", "c", "add", ['{"a":1,"b":2}'])]))

    session, service = await open_session(answers={"response.create": first}, config={"tools": [add]})
    task = asyncio.create_task(session.ask("x"))
    await tick(lambda: service.types().count("response.create") == 2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await tick(lambda: "response.cancel" in service.types())
