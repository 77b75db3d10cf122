"""A typed function becomes a tool: its schema, its checks, and what the model is told."""

from __future__ import annotations

import asyncio
import json
import threading
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

import pytest

from rtnb.client.tools import FunctionTool
from rtnb.errors import ConfigurationError


class Unit(StrEnum):
    CELSIUS = "celsius"
    FAHRENHEIT = "fahrenheit"


@dataclass
class Place:
    city: str
    country: str = "France"


def weather(
    place: Place, days: int = 1, unit: Unit = Unit.CELSIUS, detail: Literal["low", "high"] | None = None
) -> dict[str, object]:
    """Tell the weather of a place.

    Parameters
    ----------
    place : Place
        Where.
    days : int
        How many days ahead.
    """
    return {"city": place.city, "days": days, "unit": unit, "detail": detail}


async def test_schema_comes_from_hints_and_docstring() -> None:
    """Types, defaults, enums, nested classes, descriptions and what is required are all in the schema."""
    tool = FunctionTool(weather)
    schema = tool.definition["parameters"]
    assert tool.definition["type"] == "function"
    assert (tool.name, tool.description) == ("weather", "Tell the weather of a place.")
    assert schema["required"] == ["place"]
    assert schema["properties"]["days"]["type"] == "integer"
    assert schema["properties"]["days"]["default"] == 1
    assert schema["properties"]["days"]["description"] == "How many days ahead."
    assert schema["$defs"]["Unit"]["enum"] == ["celsius", "fahrenheit"]
    assert schema["$defs"]["Place"]["required"] == ["city"]
    json.dumps(schema)


async def test_arguments_arrive_as_the_types_that_were_declared() -> None:
    """The function gets a dataclass and an enum, not the dicts and strings of the wire; its result goes back as JSON."""
    outcome = await FunctionTool(weather).call('{"place": {"city": "Lyon"}, "unit": "fahrenheit", "detail": "high"}')
    assert outcome.error == ""
    assert json.loads(outcome.output) == {"city": "Lyon", "days": 1, "unit": "fahrenheit", "detail": "high"}


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ("{}", "place"),
        ('{"place": {"city": "Lyon"}, "days": "many"}', "days"),
        ('{"place": {"city": "Lyon"}, "colour": "red"}', "colour"),
        ("not json", "JSON"),
    ],
)
async def test_arguments_that_do_not_fit_go_back_to_the_model(arguments: str, named: str) -> None:
    """The function is not called; the model is told which argument is wrong."""
    outcome = await FunctionTool(weather).call(arguments)
    assert named in outcome.error
    assert json.loads(outcome.output)["error"] == outcome.error


async def test_a_raising_function_is_told_and_not_thrown() -> None:
    """An exception becomes the tool's output."""

    def divide(a: float, b: float) -> float:
        """Divide."""
        return a / b

    outcome = await FunctionTool(divide).call('{"a": 1, "b": 0}')
    assert outcome.error == "ZeroDivisionError: float division by zero"
    assert json.loads((await FunctionTool(divide).call('{"a": 1, "b": 4}')).output) == 0.25


async def test_functions_run_off_the_loop_async_ones_too() -> None:
    """A slow function cannot stop the loop that carries the connection."""
    here = threading.current_thread()
    seen: list[bool] = []

    def plain() -> str:
        seen.append(threading.current_thread() is here)
        return "plain text goes back as it is"

    async def awaited() -> None:
        await asyncio.sleep(0)
        seen.append(threading.current_thread() is here)

    assert (await FunctionTool(plain).call("{}")).output == "plain text goes back as it is"
    assert (await FunctionTool(awaited).call("")).output == "null"
    assert seen == [False, False]


def test_functions_that_cannot_be_described_are_refused() -> None:
    """A parameter without a name or a type, or a type without a schema, is refused with what to write."""

    def untyped(city): ...  # type: ignore[no-untyped-def]

    def starred(*cities: str) -> None: ...

    def strange(thing: threading.Lock) -> None: ...

    for function, words in ((untyped, "city: str"), (starred, "named parameters"), (strange, "cannot be a tool")):
        with pytest.raises(ConfigurationError, match=words):
            FunctionTool(function)
    with pytest.raises(ConfigurationError, match="name"):
        FunctionTool(lambda: None)
    with pytest.raises(ConfigurationError, match="function"):
        FunctionTool(3)  # type: ignore[arg-type]
    assert FunctionTool(lambda: None, name="noop").definition["name"] == "noop"
