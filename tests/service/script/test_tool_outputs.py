from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtnb.service.engines.tasks import Message
from rtnb.service.script.tool_outputs import pending, tell_outputs

from .schema_strategies import json_values

CALL = Message("function_call", "", "get_weather", "{}", "c1")


def told(output: str, language: str = "en") -> str | None:
    return tell_outputs(
        (Message("user", "Weather?"), CALL, Message("function_call_output", output, call_id="c1")), language
    )


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        ({"temperature": 21.0, "unit": "celsius", "isSunny": True}, "This is what get weather says: temperature is 21, unit is celsius and is sunny is yes."),
        ("It is sunny and warm in Paris", "It is sunny and warm in Paris."),
        (42, "This is what get weather says: 42."),
        (0.1, "This is what get weather says: 0.1."),
        ([1, 2, 3], "This is what get weather says: 1, 2 and 3."),
        ({"results": [{"name": "a", "price": 1.5}, {"name": "b", "price": 2}]}, "This is what get weather says: results: name a, price 1.5; name b, price 2."),
        (list(range(15)), "This is what get weather says: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, and 5 more."),
        ({"error": "no such city"}, "Get weather did not work: no such city."),
        ({"error": {"code": 5, "message": "Too far north!"}}, "Get weather did not work: Too far north!"),
        ({"success": False, "message": "closed"}, "Get weather did not work: closed."),
        ("Error: connection refused", "Get weather did not work: connection refused."),
        ("ok", "Get weather is done."),
        ("", "Get weather is done."),
        (None, "Get weather is done."),
        ({"success": True}, "Get weather is done."),
    ],
)  # fmt: skip
def test_outputs_are_told_as_people_would(output: Any, sentence: str) -> None:
    """Objects, lists, figures, errors and mere success each become a sentence."""
    assert told(output if isinstance(output, str) else json.dumps(output)) == sentence


def test_the_sentence_is_in_the_language_of_the_answer() -> None:
    """The words around the values are of the language that is spoken."""
    assert told('{"temperatur": 21}', "de") == "Das sagt get weather: temperatur: 21."
    assert told("ok", "fr") == "Get weather, c'est fait."


def test_each_output_is_told_once() -> None:
    """All outputs at the end of the conversation are told, and none when something was said after them."""
    other = Message("function_call", "", "get_time", "{}", "c2")
    history = (
        CALL,
        other,
        Message("function_call_output", "sunny", call_id="c1"),
        Message("function_call_output", "noon", call_id="c2"),
    )
    assert tell_outputs(history) == "This is what get weather says: sunny. This is what get time says: noon."
    assert tell_outputs((*history, Message("assistant", "Sunny, and noon."))) is None
    assert pending((CALL,)) == []


@given(json_values.map(json.dumps) | st.text(max_size=3000), st.sampled_from(["en", "de", "fr", "es", "it", "?"]))
def test_any_output_is_told(output: str, language: str) -> None:
    """Whatever a function gives is told in one short sentence, and always the same one."""
    sentence = told(output, language)
    assert sentence
    assert len(sentence) < 700
    assert sentence == told(output, language)


@pytest.mark.parametrize("output", ["[" * 100_000, '{"a":' * 900 + "1" + "}" * 900, json.dumps(["x" * 1000] * 1000)])
def test_giant_outputs_are_told_in_short(output: str) -> None:
    """Deep and long outputs are cut, not followed to their end."""
    assert len(told(output) or "") < 700
