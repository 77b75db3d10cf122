from __future__ import annotations

from datetime import UTC, datetime

from rtnb.service.engines.script_writer import ScriptWriter
from rtnb.service.engines.tasks import Call, Message, Text, ToolSpec, Write

WEATHER = ToolSpec(
    "get_weather", "", {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
)


def write(prompt: str, *history: Message, instructions: str = "") -> Write:
    return Write(prompt, history, instructions, "alloy", datetime(2025, 3, 14, tzinfo=UTC), (WEATHER,), "auto", True)


async def pieces(task: Write) -> list[Text | Call]:
    return [piece async for piece in ScriptWriter().run(task)]


async def test_a_prompt_becomes_words() -> None:
    """A prompt that names no function is answered in words, as the instructions want them."""
    assert await pieces(write("What is 12 times 7?")) == [Text("12 times 7 is 84.")]
    assert await pieces(write("What is 12 times 7?", instructions="Answer in German.")) == [Text("12 mal 7 ist 84.")]


async def test_a_prompt_becomes_a_call_and_its_output_words() -> None:
    """The function that a prompt names is called; what it gives is told, and not asked for again."""
    assert await pieces(write("Weather in Paris?")) == [Call("get_weather", '{"city": "Paris"}')]
    history = (
        Message("user", "Weather in Paris?"),
        Message("function_call", "", "get_weather", '{"city": "Paris"}', "c1"),
        Message("function_call_output", '{"temperature": 21.0, "sky": "clear"}', call_id="c1"),
    )
    told = await pieces(write("", *history))
    assert told == [Text("This is what get weather says: temperature is 21 and sky is clear.")]
