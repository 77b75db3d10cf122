"""Which functions a prompt calls: those whose name or description its words fit. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from rtnb.service.engines.tasks import Call, NamedTool, ToolSpec
from rtnb.service.script.arguments import NAMES, fill
from rtnb.service.script.prompt import Prompt
from rtnb.service.script.words import content_words, stem, stems

__all__ = ["call_tool", "choose_calls", "offered"]

_ENOUGH = 2.0  # a whole name
_MOST_CALLS = 8
_MOST_TOOLS = 128
_DESCRIBED = 300  # characters of a description: a long one shares a word with anything
_BLANK = frozenset(stems("get fetch the a an of for to do function tool call my and by with api"))
_CLAUSE = re.compile(r"[.?!;]\s+|,?\s+(?:and|then|also)\s+|,\s+")
_GO_ON = re.compile(r"(?i)(?:ok(?:ay)?[, ]+)?(?:and|what about|how about)\b")
# Words that mean the same to a function.
_KIN = {
    stem(word): stem(group.split()[0])
    for group in (
        "weather forecast temperature rain sunny snow", "add plus sum", "multiply times product", "subtract minus", "light lamp",
        "email mail", "book reserve reservation booking", "search find look", "schedule arrange appointment meeting", "time clock hour",
        "roll dice die", "price cost", "turn switch", "song music track", "delete remove", "create make new",
    )
    for word in group.split()
}  # fmt: skip


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
    if not parts and not prompt.outputs and tools:
        if once_more := _once_more(prompt, tools):
            return (once_more,)
        if prompt.task.tool_choice != "auto":
            said = prompt.text or prompt.known("last")
            best = max(tools, key=lambda tool: _score(said, tool)[0])
            return (call_tool(best, fill(best.parameters, said, prompt.task.now)),)
    made = [call for tool, text in parts for call in _calls(prompt, tool, text)]
    return tuple(dict.fromkeys(made))[:_MOST_CALLS]


def _parts(text: str, tools: Sequence[ToolSpec]) -> list[tuple[ToolSpec, str]]:
    """Return the functions that a text names, each with the clauses that speak of it."""
    scores = {tool.name: _score(text, tool) for tool in tools}
    kept: list[ToolSpec] = []
    for tool in sorted(tools, key=lambda tool: (-scores[tool.name][0], -len(scores[tool.name][1]))):
        score, words = scores[tool.name]
        # A function whose every word another one has too is not meant besides it.
        if score >= _ENOUGH and not any(words <= scores[other.name][1] for other in kept):
            kept.append(tool)
    if len(kept) < 2:
        return [(tool, text) for tool in kept]
    clauses: dict[str, list[str]] = {}
    name = ""
    for clause in _CLAUSE.split(text):
        named = set(map(_kin, stems(clause)))
        name = next((tool.name for tool in kept if scores[tool.name][1] & named), name)
        clauses.setdefault(name or kept[0].name, []).append(clause)
    return [(tool, ", ".join(clauses[tool.name])) for name in clauses for tool in kept if tool.name == name]


def _score(text: str, tool: ToolSpec) -> tuple[float, frozenset[str]]:
    """Return how well a text fits a function, and the words that do."""
    words = set(map(_kin, stems(text)))
    name = set(map(_kin, stems(tool.name)))
    telling = name - _BLANK or name
    named = words & telling
    described = (
        set(map(_kin, content_words(tool.description[:_DESCRIBED]))) & set(map(_kin, content_words(text))) - name
    )
    written = re.search(rf"(?<!\w){re.escape(tool.name.lower())}(?!\w)", text.lower()) is not None
    return 2 * len(named) / max(1, len(telling)) + len(described) + 3 * written, frozenset(named | described)


def _kin(word: str) -> str:
    return _KIN.get(word, word)


def _calls(prompt: Prompt, tool: ToolSpec, text: str) -> list[Call]:
    """Return one call, or one for each of several names where the function takes one: «in Paris, London and Oslo»."""
    arguments = fill(tool.parameters, text, prompt.task.now)
    names = NAMES.findall(text)
    single = [key for key, value in arguments.items() if value in names]
    if len(single) == 1 and re.search(rf"{re.escape(', '.join(names[:-1]))},? and {re.escape(names[-1])}", text):
        return [call_tool(tool, {**arguments, single[0]: name}) for name in names]
    return [call_tool(tool, arguments)]


def _once_more(prompt: Prompt, tools: Sequence[ToolSpec]) -> Call | None:
    """Return the last call with what a short «and in London?» changes of it."""
    last = next((said for said in reversed(prompt.history) if said.role == "function_call"), None)
    tool = next((tool for tool in tools if last and tool.name == last.name), None)
    if last is None or tool is None or len(prompt.text.split()) > 8 or not _GO_ON.match(prompt.text):
        return None
    try:
        before = json.loads(last.arguments or "{}")
    except (ValueError, RecursionError):
        return None
    changed = fill({**tool.parameters, "required": []}, prompt.text, prompt.task.now)
    return call_tool(tool, {**before, **changed}) if changed and isinstance(before, dict) else None
