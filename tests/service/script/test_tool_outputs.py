from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtnb.service.engines.tasks import Message, Write
from rtnb.service.script.prompt import read_prompt
from rtnb.service.script.tool_outputs import output_values, outputs_aloud

from .schema_strategies import json_values

CALL = Message("function_call", "", "get_weather", "{}", "c1")


def tell(*history: Message) -> str:
    return outputs_aloud(read_prompt(Write("", history, "", "alloy", datetime(2025, 3, 14), (), "auto", True)))


def told(output: str) -> str:
    return tell(Message("user", "Weather?"), CALL, Message("function_call_output", output, call_id="c1"))


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        ({"temperature": 21.0, "unit": "celsius", "isSunny": True}, "This is what get weather says: temperature is 21, unit is celsius and is sunny is yes."),
        ("It is sunny and warm in Paris", "It is sunny and warm in Paris."),
        (42, "This is what get weather says: 42."),
        (0.1, "This is what get weather says: 0.1."),
        ([1, 2, 3], "This is what get weather says: 1, 2 and 3."),
        ({"results": [{"name": "a", "price": 1.5}, {"name": "b", "price": 2}]}, "This is what get weather says: results: name is a, price is 1.5, name is b, price is 2."),
        (list(range(15)), "This is what get weather says: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 5 more."),
        ({"error": "no such city"}, "Get weather did not work: no such city."),
        ({"error": {"code": 5, "message": "Too far north!"}}, "Get weather did not work: Too far north!"),
        ("Error: connection refused", "Get weather did not work: connection refused."),
        ("ok", "Get weather is done."),
        ("", "Get weather is done."),
        (None, "Get weather is done."),
        ({"success": True}, "Get weather is done."),
    ],
)  # fmt: skip
def test_outputs_are_said_as_people_would(output: Any, sentence: str) -> None:
    """Objects, lists, figures, errors and mere success each become a sentence."""
    assert told(output if isinstance(output, str) else json.dumps(output)) == sentence


def test_the_values_of_an_output_have_names() -> None:
    """What a script's placeholders stand for after a call."""
    assert output_values('{"temperature": 21.0, "sky": ["clear", "blue"], "rain": false}') == {
        "temperature": "21",
        "sky": "clear and blue",
        "rain": "no",
    }
    assert output_values("sunny") == output_values("[1]") == {}


def test_each_output_is_said_once() -> None:
    """All outputs at the end of the conversation are told, and none when something was said after them."""
    other = Message("function_call", "", "get_time", "{}", "c2")
    history = (
        CALL,
        other,
        Message("function_call_output", "sunny", call_id="c1"),
        Message("function_call_output", "noon", call_id="c2"),
    )
    assert tell(*history) == "This is what get weather says: sunny. This is what get time says: noon."
    assert tell(*history, Message("assistant", "Sunny, and noon.")) == ""
    assert tell(CALL) == ""


@given(json_values.map(json.dumps) | st.text(max_size=3000))
def test_any_output_is_said(output: str) -> None:
    """Whatever a function gives is told in one short sentence, and always the same one."""
    sentence = told(output)
    assert sentence
    assert len(sentence) < 700
    assert sentence == told(output)


@pytest.mark.parametrize("output", ["[" * 100_000, '{"a":' * 900 + "1" + "}" * 900, json.dumps(["x" * 1000] * 1000)])
def test_giant_outputs_are_said_in_short(output: str) -> None:
    """Deep and long outputs are cut, not followed to their end."""
    assert len(told(output) or "") < 700
