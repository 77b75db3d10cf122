from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from rtnb.service.engines.tasks import Call, Message, NamedTool, ToolSpec, Write
from rtnb.service.script.prompt import read_prompt
from rtnb.service.script.tool_calls import choose_calls

from .schema_strategies import json_values, junk_schemas

NOW = datetime(2025, 3, 14, 9, 5, tzinfo=UTC)
ROOMS = {"type": "object", "properties": {"room": {"type": "string", "enum": ["kitchen", "living room"]}}, "required": ["room"]}  # fmt: skip


def tool(name: str, description: str, required: bool = True, /, **properties: Any) -> ToolSpec:
    schema = {"type": "object", "properties": properties, "required": list(properties) if required else []}
    return ToolSpec(name, description, schema)


TEXT, INTEGER = {"type": "string"}, {"type": "integer"}
WEATHER = ToolSpec(
    "get_weather",
    "Get the current weather for a city",
    {
        "type": "object",
        "properties": {"city": TEXT, "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]}},
        "required": ["city"],
    },
)
CLOCK = tool("get_time", "Tell the local time in a place", location=TEXT)
LIGHT_ON, LIGHT_OFF = (ToolSpec(f"turn_{way}_light", f"Turn {way} a light", ROOMS) for way in ("on", "off"))
TABLE = tool(
    "book_table", "Reserve a table in a restaurant", guests=INTEGER, date={"type": "string", "format": "date"}, time=TEXT, name=TEXT
)  # fmt: skip
MAIL = tool("send_email", "Send an email", to={"type": "string", "format": "email"}, subject=TEXT, body=TEXT)
SHOPPING = tool("add_to_shopping_list", "Put items on the list", items={"type": "array", "items": TEXT})
DICE = tool("roll_dice", "Roll a die", sides={"type": "integer", "default": 6})
FLIGHTS = tool("find_flights", "Find flights", origin=TEXT, destination=TEXT, date=TEXT)
SEARCH = tool("web_search", "Search the web", query=TEXT)
LAMP = tool("set_lamp", "Switch a lamp", on={"type": "boolean"}, room=TEXT)
TRIP = tool("plan_trip", "Plan a trip", False, details={"type": "object", "properties": {"city": TEXT, "days": INTEGER}, "required": ["city", "days"]})  # fmt: skip
NOTHING_NEEDED = ToolSpec("get_volume", "Read the volume", {})
VOLUME = tool("set_volume", "Set the volume", level=INTEGER)
TOOLS = (
    WEATHER,
    CLOCK,
    LIGHT_ON,
    LIGHT_OFF,
    TABLE,
    MAIL,
    SHOPPING,
    DICE,
    FLIGHTS,
    SEARCH,
    NOTHING_NEEDED,
    VOLUME,
    TRIP,
)

ASKED = (
    Message("user", "What is the weather in Paris?"),
    Message("function_call", "", "get_weather", '{"city": "Paris", "unit": "celsius"}', "c1"),
)
ANSWERED = (*ASKED, Message("function_call_output", '{"temperature": 21}', call_id="c1"))


def write(
    prompt: str,
    tools: tuple[ToolSpec, ...] = TOOLS,
    choice: str | NamedTool = "auto",
    history: tuple[Message, ...] = (),
) -> Write:
    return Write(prompt, history, "", "alloy", NOW, tools, choice, True)


def decide(task: Write) -> tuple[Call, ...]:
    return choose_calls(read_prompt(task))


def calls(task: Write) -> list[tuple[str, dict[str, Any]]]:
    return [(call.name, json.loads(call.arguments_json)) for call in decide(task)]


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("What is the weather in Paris?", [("get_weather", {"city": "Paris"})]),
        ("what's the weather in san francisco, in fahrenheit please", [("get_weather", {"city": "san francisco", "unit": "fahrenheit"})]),
        ("Please call get_weather for Oslo", [("get_weather", {"city": "Oslo"})]),
        ("Will the weather be good in New York tomorrow?", [("get_weather", {"city": "New York"})]),
        ("Turn on the light in the kitchen", [("turn_on_light", {"room": "kitchen"})]),
        ("turn off the living room light", [("turn_off_light", {"room": "living room"})]),
        ("Book a table for four tomorrow at 7 pm under the name Grace",
         [("book_table", {"guests": 4, "date": "2025-03-15", "time": "7 pm", "name": "Grace"})]),
        ('Send an email to bob@example.com with "Lunch" as the subject, saying "See you at noon"',
         [("send_email", {"to": "bob@example.com", "subject": "Lunch", "body": "See you at noon"})]),
        ("Put milk, eggs and bread on my shopping list", [("add_to_shopping_list", {"items": ["milk", "eggs", "bread"]})]),
        ("roll the dice", [("roll_dice", {"sides": 6})]),
        ("roll a dice with twenty sides", [("roll_dice", {"sides": 20})]),
        ("Find flights from Berlin to Madrid on 3 May", [("find_flights", {"origin": "Berlin", "destination": "Madrid", "date": "3 May"})]),
        ("search the web for cheap red shoes", [("web_search", {"query": "search the web for cheap red shoes"})]),
        ('search the web for "cheap red shoes"', [("web_search", {"query": "cheap red shoes"})]),
        ("set the volume to seven", [("set_volume", {"level": 7})]),
        ("what is the volume?", [("get_volume", {})]),
        ("Plan a trip to Rome for 3 days", [("plan_trip", {"details": {"city": "Rome", "days": 3}})]),
    ],
)  # fmt: skip
def test_a_text_that_names_a_function_calls_it(prompt: str, expected: list[Any]) -> None:
    """The words of a function's name or description call it, and its arguments are found in the text."""
    assert calls(write(prompt)) == expected


@pytest.mark.parametrize(
    "prompt",
    [
        "Hello",
        "Who are you?",
        "count from one to sixty",
        "I was born in Paris",
        "Tell me a joke",
        "What is my name?",
        "",
        "?!",
    ],
)
def test_other_texts_call_nothing(prompt: str) -> None:
    """A text that speaks of no function is answered in words."""
    assert calls(write(prompt)) == []


def test_several_functions_are_called_in_parallel() -> None:
    """Each function that a text names is called with what its own part of the text says."""
    assert calls(write("What's the weather in Paris and what time is it in Tokyo?")) == [
        ("get_weather", {"city": "Paris"}),
        ("get_time", {"location": "Tokyo"}),
    ]


def test_one_function_is_called_for_each_place() -> None:
    """Several places named for a function that takes one give a call for each."""
    expected = [("get_weather", {"city": city}) for city in ("Paris", "London", "Tokyo")]
    assert calls(write("What's the weather in Paris, London and Tokyo?")) == expected


def test_none_calls_nothing() -> None:
    """With the choice "none", no words call anything."""
    assert calls(write("What is the weather in Paris?", choice="none")) == []


@pytest.mark.parametrize("prompt", ["Hello", "", "What is the weather in Paris?", "\x00", "x" * 5000])
@pytest.mark.parametrize("choice", ["required", NamedTool("book_table")])
def test_a_forced_choice_always_calls(prompt: str, choice: str | NamedTool) -> None:
    """With "required" or a named function there is a call whatever was said, and its arguments fit."""
    made = calls(write(prompt, choice=choice))
    assert made
    for name, arguments in made:
        assert not isinstance(choice, NamedTool) or name == choice.name
        schema = next(spec.parameters for spec in TOOLS if spec.name == name)
        Draft202012Validator(schema).validate(arguments)


@pytest.mark.parametrize("choice", ["auto", "required", NamedTool("get_weather")])
@pytest.mark.parametrize("prompt", ["", "What is the weather in Paris?", "Tell the user about the weather."])
def test_an_output_is_said_before_anything_is_called_again(choice: str | NamedTool, prompt: str) -> None:
    """While a function's output waits to be told, that function is not called in a circle, whatever the choice."""
    assert calls(write(prompt, choice=choice, history=ANSWERED)) == []


def test_a_switch_is_understood() -> None:
    """On and off fill a boolean, wherever they stand."""
    assert calls(write("switch the lamp off in the bedroom", (LAMP,))) == [
        ("set_lamp", {"on": False, "room": "bedroom"})
    ]
    assert calls(write("switch on the lamp", (LAMP,)))[0][1]["on"] is True


SAID = [
    "weather",
    "in",
    "Paris",
    "five",
    "and",
    "7",
    "tomorrow",
    "off",
    "true",
    "a",
    "b",
    "abc",
    "x_y",
    "kitchen",
    '"quoted"',
    ",",
    "2025-01-02",
]
words = st.lists(st.sampled_from(SAID) | st.text(max_size=5), max_size=12).map(" ".join)


turns = st.builds(
    Message,
    st.sampled_from(["user", "assistant", "system", "function_call", "function_call_output"]),
    st.text(max_size=20),
    name=st.sampled_from(["", "a", "get_weather"]),
    arguments=st.text(max_size=10) | json_values.map(json.dumps),
    call_id=st.sampled_from(["", "c1", "c2"]),
)
specs = st.builds(ToolSpec, st.text(max_size=12) | st.just("get_weather"), st.text(max_size=40), junk_schemas)


@given(
    words | st.text(max_size=200),
    st.lists(specs, max_size=4).map(tuple),
    st.sampled_from(["auto", "none", "required", NamedTool("get_weather")]),
    st.lists(turns, max_size=5).map(tuple),
)
def test_any_tools_and_texts_are_survived(
    prompt: str, tools: tuple[ToolSpec, ...], choice: str | NamedTool, history: tuple[Message, ...]
) -> None:
    """No prompt, schema or history throws; there are few calls, each of an offered function with an object."""
    made = decide(write(prompt, tools, choice, history))
    assert len(made) <= 8
    for call in made:
        assert call.name in {spec.name for spec in tools}
        assert isinstance(json.loads(call.arguments_json), dict)
    assert made == decide(write(prompt, tools, choice, history))


@pytest.mark.large
@pytest.mark.parametrize(
    "prompt", ["a, " * 100_000, "9" * 100_000, "weather in " * 50_000, '"' * 100_000, "A-" * 50_000]
)
def test_a_giant_prompt_is_decided_at_once(prompt: str) -> None:
    """Only the beginning of a giant prompt is looked at."""
    assert len(json.dumps(calls(write(prompt, choice="required")))) < 50_000
