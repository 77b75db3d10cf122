"""Which tools a session has, which calls are ours to answer, and what the model is told."""

from __future__ import annotations

from typing import Any

import pytest

from rtnb.client.toolbox import Toolbox, given_up, with_definitions, with_tools
from rtnb.client.tools import FunctionTool
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


def toolbox(*tools: FunctionTool) -> tuple[Toolbox, list[str]]:
    problems: list[str] = []
    made = Toolbox(problems.append)
    made.add(*tools)
    return made, problems


async def test_calls_are_answered_in_order_and_once() -> None:
    """The output of each, errors included, which are a problem for people, too; a second look finds nothing to do."""
    box, problems = toolbox(ADD, FAIL)
    response = wanting(("c1", "add", '{"a": 1, "b": 2}'), ("c2", "fail", "{}"), ("c3", "add", "{"))
    told = [command["item"] for command in await box.answer(box.unanswered(response))]
    assert [item["call_id"] for item in told] == ["c1", "c2", "c3"]
    assert told[0]["output"] == "3"
    assert told[1]["output"] == '{"error": "ValueError: no such thing"}'
    assert "error" in told[2]["output"]
    assert len(problems) == 2
    assert problems[0] == "tool fail: ValueError: no such thing (the model was told)"
    assert box.unanswered(response) == []


@pytest.mark.parametrize("status", ["in_progress", "cancelled", "incomplete", "failed"])
def test_only_a_completed_response_is_answered(status: str) -> None:
    """The arguments of another one may be cut off."""
    box, _ = toolbox(ADD)
    assert box.unanswered(wanting(("c1", "add", "{}"), status=status)) == []


def test_what_is_not_ours_is_left_alone() -> None:
    """And known as such."""
    box, _ = toolbox(ADD)
    response = wanting(("c1", "add", "{}"), ("c2", "theirs", "{}"))
    assert [item.call_id for item in box.unanswered(response)] == ["c1"]
    assert box.leaves_some(response)
    assert not box.leaves_some(wanting(("c1", "add", "{}")))


def test_what_the_service_is_offered() -> None:
    """What it has, and the untold; a tool that is added again takes the place of the one before."""
    box, _ = toolbox(ADD)
    assert box.offer([FOREIGN]) == [FOREIGN, ADD]
    box.took([ADD], [FOREIGN, ADD.definition])
    assert box.untold == []
    echoed = {**ADD.definition, "strict": None}
    assert box.offer([FOREIGN, echoed]) == [FOREIGN, ADD.definition]
    other = FunctionTool(fail, name="add")
    box.add(other)
    assert box.offer([FOREIGN, echoed]) == [FOREIGN, other]
    assert box.offer(None) == [other]


def test_a_setting_without_a_tool_takes_it_away() -> None:
    """And so does one of somebody else's by the same name; one that only repeats it does not."""
    response = wanting(("c1", "add", "{}"))
    for setting, left in (([], 0), ([{**FOREIGN, "name": "add"}], 0), ([{**ADD.definition, "strict": None}], 1)):
        box, _ = toolbox(ADD)
        box.took([ADD], [ADD.definition])
        box.took([], setting)
        assert len(box.unanswered(response)) == left


def test_tools_that_the_service_refused_are_forgotten() -> None:
    """But not the one of the same name that came later."""
    box, _ = toolbox(ADD)
    newer = FunctionTool(add)
    box.add(newer)
    box.drop([ADD])
    assert box.untold == [newer]
    box.drop([newer])
    assert box.untold == []
    assert box.unanswered(wanting(("c1", "add", "{}"))) == []


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


def test_calls_that_nobody_waits_for_any_more() -> None:
    """The model is told."""
    response: Any = wanting(("c1", "add", "{}"))
    (command,) = given_up(list(response.items.values()))
    assert command["item"]["call_id"] == "c1"
    assert "interrupted" in command["item"]["output"]
