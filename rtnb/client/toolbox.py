"""`Toolbox`: the function tools of one session, which calls wait for an answer, and the commands that give it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from rtnb.client.tools import FunctionTool, Outcome
from rtnb.items import Item, ResponseState
from rtnb.protocol import commands
from rtnb.protocol.commands import Command

MOST_ROUNDS = 8
"""Rounds of calls in one turn, after which the model is not answered any more: it may be going in circles."""


class Toolbox:
    """The functions that a session calls for the model.

    Parameters
    ----------
    report : callable
        Told in words of a call that went wrong.
    """

    def __init__(self, report: Callable[[str], None]) -> None:
        self._report = report
        self._tools: dict[str, FunctionTool] = {}
        self._answered: set[str] = set()
        self.told = True

    def add(self, tool: FunctionTool) -> None:
        """Add a tool, or replace the one of the same name; the service has yet to be told."""
        self._tools[tool.name] = tool
        self.told = False

    def adopt(self, tools: Iterable[FunctionTool]) -> None:
        """Take over tools of which the service is being told."""
        self._tools.update({tool.name: tool for tool in tools})

    def definitions(self, others: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Return the session's ``tools`` list: those of `others` that are not ours, and ours."""
        foreign = [dict(each) for each in others if str(each.get("name")) not in self._tools]
        return [*foreign, *(tool.definition for tool in self._tools.values())]

    def unanswered(self, response: ResponseState) -> list[Item]:
        """Return the calls of a completed response that are ours to answer."""
        if response.status != "completed":
            return []
        return [
            item
            for item in response.items.values()
            if item.type == "function_call" and item.name in self._tools and item.call_id not in self._answered
        ]

    async def answer(self, calls: Sequence[Item]) -> list[Command]:
        """Call the functions, all at the same time, and return the commands that tell their outputs."""
        self._answered.update(call.call_id for call in calls)
        outcomes = await asyncio.gather(*(self._tools[call.name].call(call.arguments) for call in calls))
        for call, outcome in zip(calls, outcomes, strict=True):
            self._tell(call, outcome)
        return [
            commands.function_output(call.call_id, outcome.output)
            for call, outcome in zip(calls, outcomes, strict=True)
        ]

    def _tell(self, call: Item, outcome: Outcome) -> None:
        if outcome.error:
            self._report(f"tool {call.name}: {outcome.error} (the model was told)")


def with_definitions(config: Mapping[str, Any]) -> tuple[list[FunctionTool], dict[str, Any]]:
    """Return the functions in a configuration's ``tools=``, and the configuration with their definitions in their place."""
    given = config.get("tools")
    if not isinstance(given, (list, tuple)):
        return [], dict(config)
    ours = {index: FunctionTool(each) for index, each in enumerate(given) if callable(each)}
    tools = [ours[index].definition if index in ours else each for index, each in enumerate(given)]
    return list(ours.values()), {**config, "tools": tools}
