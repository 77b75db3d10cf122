"""A typed function becomes a tool: its schema, its checks, and what the model is told."""

from __future__ import annotations

import asyncio
import functools
import json
import threading
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

import numpy as np
import pytest

from rtnb.client.function_tool import FunctionTool
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


async def test_a_raising_function_is_reported_and_not_thrown() -> None:
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


@pytest.mark.parametrize("raised", [SystemExit(3), KeyboardInterrupt(), StopIteration(), asyncio.CancelledError()])
async def test_nothing_that_a_function_raises_gets_out(raised: BaseException) -> None:
    """Not even what would end a thread, a loop or the task that waits."""

    def leave() -> None:
        raise raised

    async def leave_async() -> None:
        raise raised

    for function in (leave, leave_async):
        outcome = await FunctionTool(function).call("{}")
        assert outcome.error
        assert json.loads(outcome.output)["error"] == outcome.error


async def test_an_error_that_cannot_be_read() -> None:
    """Is told by its type."""

    class MuteError(Exception):
        def __str__(self) -> str:
            raise ValueError

    def mute() -> None:
        raise MuteError

    assert "MuteError" in (await FunctionTool(mute).call("{}")).error


async def test_many_slow_functions_run_at_the_same_time() -> None:
    """Each on a thread of its own: those that hang keep nobody waiting, and a cancelled wait leaves nothing behind."""
    met = threading.Barrier(40)

    def meet(n: int) -> int:
        met.wait(20)
        return n

    tool = FunctionTool(meet)
    outcomes = await asyncio.gather(*(tool.call(json.dumps({"n": n})) for n in range(40)))
    assert [outcome.output for outcome in outcomes] == [str(n) for n in range(40)]
    gate, begun = threading.Event(), threading.Event()

    def hang() -> None:
        begun.set()
        gate.wait(20)

    waiting = asyncio.create_task(FunctionTool(hang).call("{}"))
    await asyncio.to_thread(begun.wait, 20)
    waiting.cancel()
    gate.set()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert not [each for each in threading.enumerate() if each.name.startswith("rtnb-tool") and not each.daemon]


async def test_parameters_may_have_any_name() -> None:
    """Also those that a pydantic model has for itself, or forbids."""

    def odd(copy: str, model_config: int, schema: str = "s", _hidden: int = 1) -> list[object]:
        return [copy, model_config, schema, _hidden]

    tool = FunctionTool(odd)
    assert list(tool.parameters["properties"]) == ["copy", "model_config", "schema", "_hidden"]
    assert tool.parameters["required"] == ["copy", "model_config"]
    assert json.loads((await tool.call('{"copy": "c", "model_config": 2, "_hidden": 3}')).output) == ["c", 2, "s", 3]
    assert "argument_0" in (await tool.call('{"argument_0": "c", "model_config": 2}')).error


async def test_results_that_json_has_no_word_for() -> None:
    """An array goes back as numbers, anything else as people see it; broken text does not break the frame."""

    def array() -> object:
        return {"mean": np.float32(0.5), "all": np.arange(3), "of": range, "nan": float("nan")}

    def broken() -> str:
        return "\ud800!"

    output = (await FunctionTool(array).call("{}")).output
    assert json.loads(output) == {"mean": 0.5, "all": [0, 1, 2], "of": "<class 'range'>", "nan": None}
    (await FunctionTool(broken).call("{}")).output.encode()


async def test_methods_partials_and_callable_objects() -> None:
    """Whatever can be called and described; one without a name needs one."""

    class Counter:
        def __init__(self) -> None:
            self.n = 0

        def count(self, by: int) -> int:
            """Count on."""
            self.n += by
            return self.n

        def __call__(self, by: int) -> int:
            return self.count(by)

    counter = Counter()
    tool = FunctionTool(counter.count)
    assert (tool.name, tool.description, list(tool.parameters["properties"])) == ("count", "Count on.", ["by"])
    assert (await tool.call('{"by": 2}')).output == "2"
    assert (await FunctionTool(counter, name="count").call('{"by": 2}')).output == "4"
    assert (await FunctionTool(functools.partial(counter.count, by=3), name="three").call("{}")).output == "7"


def test_functions_that_have_no_signature_are_refused() -> None:
    """Or one with a type that is not there."""

    def absent(x: Nowhere) -> None: ...  # type: ignore[name-defined]  # noqa: F821

    for function in (absent, dict.fromkeys, type):
        with pytest.raises(ConfigurationError):
            FunctionTool(function)
