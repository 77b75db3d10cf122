"""The scripted writer: calls, or what a call gave, or a reply by rules.

Pure and deterministic.
"""

from __future__ import annotations

from collections.abc import Iterator

from rtnb.service.engines.tasks import Call, Text, Write
from rtnb.service.script.guidance import dressed
from rtnb.service.script.prompt import read_prompt
from rtnb.service.script.replies import reply
from rtnb.service.script.tool_calls import decide
from rtnb.service.script.tool_outputs import tell_outputs

__all__ = ["answer"]


def answer(task: Write) -> Iterator[Text | Call]:
    """Answer a prompt.

    Yields
    ------
    Text or Call
        Either calls of functions, or a reply.
    """
    calls = decide(task)
    if calls:
        yield from calls
        return
    yield Text(
        _told(task)
        or reply(task.prompt, history=task.history, instructions=task.instructions, voice=task.voice, now=task.now)
    )


def _told(task: Write) -> str | None:
    """Tell what functions gave, as the instructions want things told."""
    prompt = read_prompt(
        task.prompt, history=task.history, instructions=task.instructions, voice=task.voice, now=task.now
    )
    told = tell_outputs(task.history, prompt.language)
    return told and dressed(told, prompt.guidance, prompt.language)
