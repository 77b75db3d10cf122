from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from virtual_time import virtual_time

from rtnb.errors import ConfigurationError
from rtnb.service.engines.base import EngineFailure
from rtnb.service.engines.script_writer import ScriptWriter
from rtnb.service.engines.tasks import Call, Message, Text, ToolSpec, Write

WEATHER = ToolSpec(
    "get_weather", "", {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
)


def write(prompt: str, *history: Message, instructions: str = "") -> Write:
    return Write(prompt, history, instructions, "alloy", datetime(2025, 3, 14, tzinfo=UTC), (WEATHER,), "auto", True)


async def pieces(task: Write, writer: ScriptWriter | None = None) -> list[Text | Call]:
    return [piece async for piece in (writer or ScriptWriter()).run(task)]


async def test_a_prompt_becomes_words() -> None:
    """A prompt that names no function is answered in words, as the instructions want them."""
    assert await pieces(write("What is 12 times 7?")) == [Text("12 times 7 is 84.")]
    told = await pieces(write("Hello", instructions="Answer in German."))
    assert told == [Text("Hallo! Wobei darf ich heute helfen?")]


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


@pytest.fixture
def lesson(tmp_path: Path) -> Path:
    path = tmp_path / "lesson.toml"
    path.write_text("[[rule]]\nmatch = 'wait'\nwait = 90\nsay = 'Done.'\nfail = 'Broken.'\n", "utf-8")
    return path


@virtual_time
async def test_an_answer_waits_speaks_and_fails(lesson: Path) -> None:
    """The pause of a rule goes by before its sentence, and its failure ends the answer with a code and a message."""
    answer = ScriptWriter(lesson).run(write("Wait!"))
    assert await anext(answer) == Text("Done.")
    assert asyncio.get_running_loop().time() == 90
    with pytest.raises(EngineFailure) as failed:
        await anext(answer)
    assert (failed.value.code, failed.value.message) == ("server_error", "Broken.")


async def test_a_changed_file_is_read_again(lesson: Path) -> None:
    """What an author writes while sessions run counts from the next answer on; a mistake is that answer's failure."""

    def change(text: str) -> None:
        before = os.stat(lesson).st_mtime_ns
        lesson.write_text(text, "utf-8")
        os.utime(lesson, ns=(before, before + 10**9))  # whatever the resolution of the file system's clock

    writer = ScriptWriter(lesson)
    change("[[rule]]\nsay = 'Second.'")
    assert await pieces(write("Wait!"), writer) == [Text("Second.")]
    change("[[rule]]\nsays = 'Third.'")
    for _ in range(2):
        with pytest.raises(EngineFailure, match='line 2: "says" is unknown in a rule: did you mean "say"'):
            await pieces(write("Wait!"), writer)
    change("[[rule]]\nsay = 'Fourth.'")
    assert await pieces(write("Wait!"), writer) == [Text("Fourth.")]
    lesson.unlink()
    with pytest.raises(EngineFailure, match="cannot be read"):
        await pieces(write("Wait!"), writer)


def test_a_file_with_a_mistake_is_refused_at_once(lesson: Path) -> None:
    """A writer is not made from a script that cannot be read."""
    lesson.write_text("[[rule]]\n", "utf-8")
    with pytest.raises(ConfigurationError, match=r"lesson\.toml, line 1"):
        ScriptWriter(lesson)


def test_its_name_says_which_script(tmp_path: Path) -> None:
    """The service's announcement and /health name the file, without its folder."""
    (tmp_path / "lesson.toml").write_text("")
    assert ScriptWriter(tmp_path / "lesson.toml").name == "script lesson.toml"
    assert ScriptWriter().name == "script"
