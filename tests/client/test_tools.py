"""Which tools a session has, which calls are ours to answer, and what the model is told."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from rtnb.client.function_tool import FunctionTool
from rtnb.client.tools import Tools, interrupted_outputs, with_definitions, with_tools
from rtnb.conversation.items import Item, ResponseState
from rtnb.errors import ConfigurationError


def add(a: int, b: int) -> int:
    """Add."""
    return a + b


def fail() -> None:
    """Fail."""
    raise ValueError("no such thing")


ADD, FAIL = FunctionTool(add), FunctionTool(fail)
FOREIGN = {"type": "function", "name": "theirs", "parameters": {"type": "object"}}


def wanting(*calls: tuple[str, str, str], status: str = "completed") -> ResponseState:
    """Return a response with calls: call id, name, arguments."""
    items = {
        each[0]: Item(each[0], "function_call", call_id=each[0], name=each[1], arguments=each[2]) for each in calls
    }
    return ResponseState("resp_1", status, items=items)


def having(*tools: FunctionTool) -> tuple[Tools, list[str]]:
    problems: list[str] = []
    made = Tools(problems.append)
    made.add(*tools)
    return made, problems


async def test_calls_are_answered_in_order_and_once() -> None:
    """The output of each, errors included, which are a problem for people, too; a second look finds nothing to do."""
    tools, problems = having(ADD, FAIL)
    response = wanting(("c1", "add", '{"a": 1, "b": 2}'), ("c2", "fail", "{}"), ("c3", "add", "{"))
    told = [command["item"] for command in await tools.answer(tools.unanswered(response))]
    assert [item["call_id"] for item in told] == ["c1", "c2", "c3"]
    assert told[0]["output"] == "3"
    assert told[1]["output"] == '{"error": "ValueError: no such thing"}'
    assert "error" in told[2]["output"]
    assert len(problems) == 2
    assert problems[0] == "tool fail: ValueError: no such thing (the model was told)"
    assert tools.unanswered(response) == []


def with_calls(*calls: Item) -> ResponseState:
    return ResponseState("resp_1", "completed", items={call.id: call for call in calls})


def call(item: str, call_id: str, arguments: str = '{"a": 1, "b": 2}', **fields: Any) -> Item:
    return Item(item, "function_call", call_id=call_id, name="add", arguments=arguments, **fields)


async def test_an_id_that_comes_again_in_a_later_response_is_another_call() -> None:
    """Some models number the calls of every turn from zero."""
    tools, _ = having(ADD)
    for item in ("f1", "f2"):
        response = with_calls(call(item, "call_0"))
        (command,) = await tools.answer(tools.unanswered(response))
        assert command["item"]["call_id"] == "call_0"
        assert tools.unanswered(response) == []


@pytest.mark.parametrize("second", ['{"a": 1, "b": 2}', '{"b":2,"a":1}'])
async def test_a_call_that_is_delivered_twice_is_one(second: str) -> None:
    """At once, or the second time when the first was answered; however the arguments are written."""
    tools, _ = having(ADD)
    first, again = call("f1", "c"), call("f2", "c", second)
    assert tools.unanswered(with_calls(first, again)) == [first]
    await tools.answer([first])
    assert tools.unanswered(with_calls(first, again)) == []


async def test_calls_that_share_an_id_and_differ_are_two() -> None:
    """So are those that have none, which are answered under the names of their items."""
    tools, _ = having(ADD)
    assert len(tools.unanswered(with_calls(call("f1", "c"), call("f2", "c", '{"a": 5, "b": 5}')))) == 2
    told = await tools.answer(tools.unanswered(with_calls(call("f1", ""), call("f2", ""))))
    assert [command["item"]["call_id"] for command in told] == ["f1", "f2"]


@pytest.mark.parametrize(
    ("arguments", "status", "whole"),
    [("", "in_progress", False), ('{"a": 1', "in_progress", False), ('{"a": 1, "b": 2}', "in_progress", True),
     ('{"a": 1', "completed", True), ("", "", True)],
)  # fmt: skip
def test_a_call_waits_for_its_arguments(arguments: str, status: str, whole: bool) -> None:
    """Until they are a whole value, or the service says that the call is done."""
    tools, _ = having(ADD)
    response = with_calls(call("f1", "c", arguments, status=status))
    assert (len(tools.unanswered(response)), len(tools.unfinished(response))) == ((1, 0) if whole else (0, 1))


async def test_which_calls_are_still_to_end_is_reported() -> None:
    """At first all of them, and fewer as each ends."""
    gate = asyncio.Event()

    async def wait() -> str:
        """Wait."""
        await gate.wait()
        return "waited"

    tools, _ = having(ADD, FunctionTool(wait))
    slow = Item("f2", "function_call", call_id="c2", name="wait", arguments="{}")
    told: list[list[str]] = []

    def waiting(left: Sequence[Item]) -> None:
        told.append([each.name for each in left])
        if len(left) == 1:
            slow_loop.append(None)

    slow_loop: list[None] = []
    running = asyncio.create_task(tools.answer([call("f1", "c1"), slow], waiting))
    async with asyncio.timeout(20):
        while not slow_loop:
            await asyncio.to_thread(lambda: None)
    assert told == [["add", "wait"], ["wait"]]
    running.cancel()


@pytest.mark.parametrize("status", ["in_progress", "cancelled", "incomplete", "failed"])
def test_only_a_completed_response_is_answered(status: str) -> None:
    """The arguments of another one may be cut off."""
    tools, _ = having(ADD)
    assert tools.unanswered(wanting(("c1", "add", "{}"), status=status)) == []


def test_what_is_not_ours_is_left_alone() -> None:
    """And known as such."""
    tools, _ = having(ADD)
    response = wanting(("c1", "add", "{}"), ("c2", "theirs", "{}"))
    assert [item.call_id for item in tools.unanswered(response)] == ["c1"]
    assert tools.leaves_some(response)
    assert not tools.leaves_some(wanting(("c1", "add", "{}")))


def test_what_the_service_is_offered() -> None:
    """What it has, and the untold; a tool that is added again takes the place of the one before."""
    tools, _ = having(ADD)
    assert tools.setting([FOREIGN]) == [FOREIGN, ADD]
    tools.accepted([ADD], [FOREIGN, ADD.definition])
    assert tools.pending == []
    echoed = {**ADD.definition, "strict": None}
    assert tools.setting([FOREIGN, echoed]) == [FOREIGN, ADD.definition]
    other = FunctionTool(fail, name="add")
    tools.add(other)
    assert tools.setting([FOREIGN, echoed]) == [FOREIGN, other]
    assert tools.setting(None) == [other]


def test_a_setting_without_a_tool_takes_it_away() -> None:
    """And so does one of somebody else's by the same name; one that only repeats it does not."""
    response = wanting(("c1", "add", "{}"))
    for setting, left in (([], 0), ([{**FOREIGN, "name": "add"}], 0), ([{**ADD.definition, "strict": None}], 1)):
        tools, _ = having(ADD)
        tools.accepted([ADD], [ADD.definition])
        tools.accepted([], setting)
        assert len(tools.unanswered(response)) == left


def test_tools_that_the_service_refused_are_forgotten() -> None:
    """But not the one of the same name that came later."""
    tools, _ = having(ADD)
    newer = FunctionTool(add)
    tools.add(newer)
    tools.drop([ADD])
    assert tools.pending == [newer]
    tools.drop([newer])
    assert tools.pending == []
    assert tools.unanswered(wanting(("c1", "add", "{}"))) == []


def test_functions_and_definitions_in_a_configuration() -> None:
    """Functions become definitions; the rest stays; one function alone is a list of one."""
    tools, config = with_definitions({"voice": "ash", "tools": [add, FOREIGN, FAIL]})
    assert [tool.name for tool in tools] == ["add", "fail"]
    assert config == {"voice": "ash", "tools": [ADD.definition, FOREIGN, FAIL.definition]}
    assert with_definitions({"tools": add})[1] == {"tools": [ADD.definition]}
    assert with_definitions(with_tools({"tools": [add]}))[1] == {"tools": [ADD.definition]}
    for untouched in ({}, {"tools": None}, {"tools": []}):
        assert with_definitions(untouched) == ([], untouched)
    with pytest.raises(ConfigurationError, match="type hint"):
        with_tools({"tools": [untyped]})


def untyped(x): ...  # type: ignore[no-untyped-def]


def test_calls_whose_wait_was_given_up() -> None:
    """The model is told."""
    response: Any = wanting(("c1", "add", "{}"))
    (command,) = interrupted_outputs(list(response.items.values()))
    assert command["item"]["call_id"] == "c1"
    assert "interrupted" in command["item"]["output"]
