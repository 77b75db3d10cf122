"""Which functions a prompt calls, decided by words: those of a function's name, description and arguments.

Pure and deterministic. The sentence made of a function's output is in :mod:`rtnb.service.script.tool_outputs`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from rtnb.service.engines.tasks import Call, Message, NamedTool, ToolSpec, Write
from rtnb.service.script.arguments import evidence, fill, place_argument
from rtnb.service.script.clues import Clues, clauses
from rtnb.service.script.prompt import said_by
from rtnb.service.script.tool_outputs import pending
from rtnb.service.script.words import content_words, stem, stems, words_of

__all__ = ["decide"]

_ENOUGH = 2.0  # evidence for a call; a whole name is enough
_MOST_CALLS = 8
_MOST_TOOLS = 128
_LONGEST = 2000  # characters of a prompt that are looked at
_DESCRIBED = 300  # characters of a description: a long one shares a word with anything
_BLANK_NAME_WORDS = frozenset(
    map(stem, words_of("get fetch the a an of for to do function tool call my and by with api"))
)
_GO_ON = re.compile(r"(?i)(?:ok(?:ay)?[, ]+)?(?:and|what about|how about|now|und|et|y|e)\b")

# Words that mean the same to a function.
_KIN = (
    "weather forecast temperature rain rainy sunny snow wetter météo clima", "add plus sum", "multiply times product", "subtract minus",
    "light lamp", "email mail", "book reserve reservation booking", "search find look lookup", "schedule arrange appointment meeting",
    "time clock hour", "roll dice die", "translate translation", "price cost", "turn switch",
    "flip toss", "stock share", "song music track", "delete remove", "create make new", "cancel abort",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Match:
    tool: ToolSpec
    score: float
    claims: frozenset[str]
    """Words of the prompt that speak for it."""


def decide(task: Write) -> tuple[Call, ...]:
    """Decide which functions an answer calls.

    Parameters
    ----------
    task : Write

    Returns
    -------
    tuple of Call
        Empty where words are to answer. With ``"required"`` or a named function there is always a call, except for a
        function whose output is waiting to be told: nothing is called in a circle.
    """
    tools = [tool for tool in task.tools[:_MOST_TOOLS] if tool.name]
    if isinstance(task.tool_choice, NamedTool):
        tools = [tool for tool in tools if tool.name == task.tool_choice.name]
    if not tools or task.tool_choice == "none":
        return ()
    text = task.prompt[:_LONGEST]
    waiting = {turn.name for turn in pending(task.history) if turn.name}
    if pending(task.history):
        tools = [tool for tool in tools if tool.name not in waiting]
        return _calls(_matches(text, tools, task.now), text, task.now)
    matches = _matches(text, tools, task.now)
    if not matches and (again := _once_more(text, tools, task)):
        return (again,)
    if not matches and task.tool_choice != "auto":
        said = text or next(iter(reversed(said_by("user", task.history))), "")
        matches = [max((_match(said, tool, task.now) for tool in tools), key=lambda match: match.score)]
        return _calls(matches, said[:_LONGEST], task.now)
    return _calls(matches, text, task.now)


def _matches(text: str, tools: Sequence[ToolSpec], now: datetime) -> list[_Match]:
    """Return the functions that a text calls, in the order in which it names them."""
    found = [match for tool in tools if (match := _match(text, tool, now)).score >= _ENOUGH]
    best = sorted(found, key=lambda match: -match.score)
    kept: list[_Match] = []
    for match in best:
        # A function whose every word another one has too is not meant besides it.
        if not any(match.claims <= other.claims for other in kept):
            kept.append(match)
    words = [_kin(word) for word in stems(text)]
    return sorted(kept, key=lambda match: min((words.index(word) for word in match.claims if word in words), default=0))


def _match(text: str, tool: ToolSpec, now: datetime) -> _Match:
    words = {_kin(word) for word in stems(text)}
    name = [_kin(word) for word in stems(tool.name)]
    telling = [word for word in name if word not in _BLANK_NAME_WORDS] or name
    if not words:
        return _Match(tool, 0.0, frozenset())
    named = words & set(telling)
    described = (words & {_kin(word) for word in content_words(tool.description[:_DESCRIBED])}) - set(name)
    described &= {_kin(word) for word in content_words(text)}
    written = re.search(rf"(?<!\w){re.escape(tool.name.lower())}(?!\w)", text.lower()) is not None
    score = 2.0 * len(named) / max(1, len(set(telling))) + len(described) + 3.0 * written
    # Arguments alone call nothing: many sentences hold a place or a number.
    score += evidence(tool.parameters, text, now) if named or described else 0.0
    return _Match(tool, score, frozenset(named | described | ({_kin(stem(tool.name.lower()))} if written else set())))


@lru_cache(maxsize=1)
def _relations() -> Mapping[str, str]:
    return {stem(word): stem(group.split()[0]) for group in _KIN for word in group.split()}


def _kin(word: str) -> str:
    return _relations().get(word, word)


def _calls(matches: Sequence[_Match], text: str, now: datetime) -> tuple[Call, ...]:
    calls = [
        _call(match.tool, arguments)
        for match, segment in zip(matches, _segments(matches, text), strict=True)
        for arguments in _each(match.tool, segment, text, now)
    ]
    return tuple(dict.fromkeys(calls))[:_MOST_CALLS]


def _call(tool: ToolSpec, arguments: Mapping[str, Any]) -> Call:
    return Call(tool.name, json.dumps(arguments, ensure_ascii=False, default=str))


def _each(tool: ToolSpec, segment: str, text: str, now: datetime) -> Iterator[dict[str, Any]]:
    """Fill the arguments; once for each place, where several are named and the function takes one."""
    filled = fill(tool.parameters, segment, now, further=text)
    place = place_argument(tool.parameters)
    places = Clues(segment, now).places() if place in filled else []
    if len(places) < 2:
        yield filled
    else:
        yield from ({**filled, place: name} for name in places)


def _segments(matches: Sequence[_Match], text: str) -> list[str]:
    """Give each function the clauses that speak of it, and those up to the next one's."""
    if len(matches) < 2:
        return [text] * len(matches)
    parts: list[list[str]] = [[] for _ in matches]
    at = 0
    for clause in clauses(text):
        words = {_kin(word) for word in stems(clause)}
        spoken_of = [place for place, match in enumerate(matches) if match.claims & words]
        for place in spoken_of or [at]:
            parts[place].append(clause)
        at = spoken_of[-1] if spoken_of else at
    return [" ".join(part) or text for part in parts]


def _once_more(text: str, tools: Sequence[ToolSpec], task: Write) -> Call | None:
    """Repeat the last call with something else: «and in London?»."""
    last = _last_call(task.history)
    tool = next((tool for tool in tools if last is not None and tool.name == last.name), None)
    if (
        last is None
        or tool is None
        or not isinstance(tool.parameters, Mapping)
        or len(text.split()) > 8
        or not _GO_ON.match(text)
    ):
        return None
    try:
        before = json.loads(last.arguments or "{}")
    except (ValueError, RecursionError):
        return None
    changed = fill({**tool.parameters, "required": []}, text, task.now)
    if not isinstance(before, dict) or not changed or all(before.get(name) == value for name, value in changed.items()):
        return None
    return _call(tool, {**before, **changed})


def _last_call(history: Sequence[Message]) -> Message | None:
    return next((turn for turn in reversed(history) if turn.role == "function_call"), None)
