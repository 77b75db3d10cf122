"""Which functions a prompt calls: those whose name or description its words fit. Pure."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from rtnb.service.engines.tasks import Call, NamedTool, ToolSpec
from rtnb.service.script.arguments import NAMES, fill
from rtnb.service.script.prompt import Prompt
from rtnb.service.script.words import content_words, stems

__all__ = ["call_tool", "choose_calls", "offered"]

_ENOUGH = 2.0  # a whole name
_MOST_CALLS = 8
_MOST_CLAUSES = 32
_MOST_TOOLS = 128
_DESCRIBED = 300  # characters of a description: a long one shares a word with anything
_BLANK = frozenset(stems("get fetch the a an of for to do function tool call my and by with api"))
_CLAUSE = re.compile(r"[.?!;]\s+|,?\s+(?:and|then|also)\s+|,\s+")


def offered(prompt: Prompt) -> list[ToolSpec]:
    """Return the functions that may be called: none with the choice "none", the named one, or all."""
    choice = prompt.task.tool_choice
    if isinstance(choice, NamedTool):
        return [tool for tool in prompt.task.tools if tool.name == choice.name]
    return [] if choice == "none" else [tool for tool in prompt.task.tools[:_MOST_TOOLS] if tool.name]


def call_tool(tool: ToolSpec, arguments: Mapping[str, Any]) -> Call:
    """Return a call of a function."""
    return Call(tool.name, json.dumps(arguments, ensure_ascii=False, default=str))


def choose_calls(prompt: Prompt) -> tuple[Call, ...]:
    """Return the calls that the prompt asks for, and at least one where a call is required.

    A function whose output waits for an answer is not called again.
    """
    waiting = {prompt.function(output) for output in prompt.outputs}
    tools = [tool for tool in offered(prompt) if tool.name not in waiting]
    parts = _parts(prompt.text, tools)
    if not parts and not prompt.outputs and tools and prompt.task.tool_choice != "auto":
        said = prompt.text or prompt.known("last")
        parts = [(max(tools, key=lambda tool: _score(said, tool)), said)]
    made = [call for tool, text in parts for call in _calls(prompt, tool, text)]
    return tuple(dict.fromkeys(made))[:_MOST_CALLS]


def _parts(text: str, tools: Sequence[ToolSpec]) -> list[tuple[ToolSpec, str]]:
    """Return the functions that a text speaks of, each with the part of the text that does."""
    starts = [0, *(match.end() for match in itertools.islice(_CLAUSE.finditer(text), _MOST_CLAUSES))]
    parts: dict[int, ToolSpec] = {}  # by where they start
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        best = _best(text[start:end], tools)
        if best and best is not next(reversed(parts.values()), None):
            parts[start if parts else 0] = best
    if not parts and (best := _best(text, tools)):
        parts[0] = best
    ends = [*list(parts)[1:], len(text)]
    return [(tool, text[start:end]) for (start, tool), end in zip(parts.items(), ends, strict=False)]


def _best(text: str, tools: Sequence[ToolSpec]) -> ToolSpec | None:
    best = max(tools, key=lambda tool: _score(text, tool), default=None)
    return best if best and _score(text, best) >= _ENOUGH else None


def _score(text: str, tool: ToolSpec) -> float:
    """Return how well a text fits a function: 2 for its whole name, 1 for each other word of its description."""
    words, name = set(stems(text)), set(stems(tool.name))
    telling = name - _BLANK or name
    described = content_words(tool.description[:_DESCRIBED]).keys() & content_words(text).keys() - name
    named = len(words & telling)
    return 2 * named / max(1, len(telling)) + len(described) + 0.1 * named  # of two whole names, the longer one


def _calls(prompt: Prompt, tool: ToolSpec, text: str) -> list[Call]:
    """Return one call, or one for each of several names where the function takes one: «in Paris, London and Oslo»."""
    arguments = fill(tool.parameters, text, prompt.task.now)
    names = NAMES.findall(text)
    single = [key for key, value in arguments.items() if value in names]
    if len(single) == 1 and re.search(rf"{re.escape(', '.join(names[:-1]))},? and {re.escape(names[-1])}", text):
        return [call_tool(tool, {**arguments, single[0]: name}) for name in names]
    return [call_tool(tool, arguments)]
