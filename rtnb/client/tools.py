"""`Tools`: the function tools of one session, the calls that are to be answered, and the commands that answer them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from rtnb.client.function_tool import FunctionTool, Outcome, failure
from rtnb.conversation.items import IN_PROGRESS, Item, ResponseState
from rtnb.protocol import commands
from rtnb.protocol.commands import Command
from rtnb.protocol.events import read_json
from rtnb.protocol.mcp_tools import remote_tools

MOST_ROUNDS = 8
"""Rounds of calls in one turn, after which the model gets no more outputs: it may be going in circles."""


class Tools:
    """The functions that a session calls for the model.

    A tool is pending until the service has accepted it. The service knows the tools by the session's ``tools`` setting, so
    a setting that leaves a tool out takes it away.

    Parameters
    ----------
    report : callable
        Called with a sentence about a call that went wrong.
    """

    def __init__(self, report: Callable[[str], None]) -> None:
        self._report = report
        self._accepted: dict[str, FunctionTool] = {}
        self._pending: dict[str, FunctionTool] = {}
        self._answered: dict[int, Item] = {}  # by identity: an id may come again in a later turn, and be left out
        self._remote: dict[str, Mapping[str, Any]] = {}

    @property
    def pending(self) -> list[FunctionTool]:
        """Return the tools that the service has not accepted yet."""
        return list(self._pending.values())

    def add(self, *tools: FunctionTool) -> None:
        """Add pending tools, in place of those with the same names."""
        self._pending.update({tool.name: tool for tool in tools})

    def add_to_request(self, tools: Iterable[FunctionTool]) -> None:
        """Add tools that the definitions of one request bring to the service."""
        self._accepted.update({tool.name: tool for tool in tools})

    def drop(self, tools: Iterable[FunctionTool]) -> None:
        """Drop pending tools."""
        for tool in tools:
            if self._pending.get(tool.name) is tool:
                del self._pending[tool.name]

    def accepted(self, tools: Iterable[FunctionTool], setting: object) -> None:
        """Note that the service accepted `tools`, and that `setting` is its whole list of tools."""
        listed = setting if isinstance(setting, (list, tuple)) else ()
        stays = {name: tool for name, tool in self._accepted.items() if any(_describes(each, tool) for each in listed)}
        ours = list(tools)
        self._remote = {str(each.get("server_label")): each for each in remote_tools(listed)}
        self._accepted = {**stays, **{tool.name: tool for tool in ours}}
        self.drop(ours)

    def setting(self, present: object) -> list[Any]:
        """Return the session's ``tools`` list: the `present` one as the service has it, and the pending tools."""
        listed = present if isinstance(present, (list, tuple)) else ()
        stays = [each for each in listed if not (isinstance(each, Mapping) and each.get("name") in self._pending)]
        return [*self.own(stays), *self.pending]

    def own(self, present: Iterable[Any]) -> list[Any]:
        """Return definitions as they were sent: a service leaves the secrets of remote tools out, or adds fields."""
        return [self._own(each) for each in present]

    def _own(self, definition: Any) -> Any:
        if remote_tools([definition]):
            return self._remote.get(str(definition.get("server_label")), definition)
        tool = self._accepted.get(str(definition.get("name"))) if isinstance(definition, Mapping) else None
        return definition if tool is None else tool.definition

    def _find(self, name: str) -> FunctionTool | None:
        return self._pending.get(name) or self._accepted.get(name)

    def unanswered(self, response: ResponseState) -> list[Item]:
        """Return the calls of a completed response that are ours to answer, one that was delivered twice once."""
        if response.status != "completed":
            return []
        calls = _calls(response)
        known = [call for call in calls if id(call) in self._answered]
        found: list[Item] = []
        for call in calls:
            ours = id(call) not in self._answered and self._find(call.name) is not None and _is_whole(call)
            if ours and not any(_same(call, each) for each in (*known, *found)):
                found.append(call)
        return found

    def unfinished(self, response: ResponseState) -> list[Item]:
        """Return the calls of a completed response whose arguments have not come."""
        if response.status != "completed":
            return []
        return [call for call in _calls(response) if self._find(call.name) is not None and not _is_whole(call)]

    def leaves_some(self, response: ResponseState) -> bool:
        """Return whether a response has calls that only the user can answer."""
        return any(self._find(item.name) is None for item in _calls(response))

    async def answer(
        self, calls: Sequence[Item], waiting: Callable[[Sequence[Item]], None] = lambda left: None
    ) -> list[Command]:
        """Call the functions, all at the same time, and return the commands that send their outputs.

        Parameters
        ----------
        calls : sequence of Item
            As `unanswered` returns them.
        waiting : callable
            ``waiting(calls)`` is called with those that are still to end, at first and whenever one has ended.
        """
        self._answered.update((id(call), call) for call in calls)
        left = list(calls)
        waiting(left)

        async def outcome(call: Item) -> Outcome:
            tool = self._find(call.name)
            try:
                return await tool.call(call.arguments) if tool else failure(f"there is no function {call.name}")
            finally:
                left[:] = [each for each in left if each is not call]
                waiting(left)

        outcomes = await asyncio.gather(*map(outcome, calls))
        for call, each in zip(calls, outcomes, strict=True):
            if each.error:
                self._report(f"tool {call.name}: {each.error} (the model was told)")
        return [
            commands.function_output(call.answered_as, each.output) for call, each in zip(calls, outcomes, strict=True)
        ]


def interrupted_outputs(calls: Sequence[Item]) -> list[Command]:
    """Return the commands that answer calls whose functions are not waited for any more."""
    output = failure("the call was interrupted").output
    return [commands.function_output(call.answered_as, output) for call in calls]


def _describes(definition: Any, tool: FunctionTool) -> bool:
    """Return whether a definition is that of a tool; a service may have added fields to it."""
    named = isinstance(definition, Mapping) and definition.get("name") == tool.name
    return named and bool(definition.get("parameters") == tool.parameters)


def _calls(response: ResponseState) -> list[Item]:
    return [item for item in list(response.items.values()) if item.type == "function_call"]


def _is_whole(call: Item) -> bool:
    """Return whether a call has all its arguments: the service says that it is done, or they are a whole JSON value."""
    return call.status != IN_PROGRESS or _arguments(call) is not None


def _same(one: Item, other: Item) -> bool:
    """Return whether two calls of a response are one that was delivered twice.

    With one id and other arguments they are two: some models give every call of a response the same id.
    """
    if not one.call_id or (one.call_id, one.name) != (other.call_id, other.name):
        return False
    value = _arguments(one)
    return one.arguments == other.arguments or (value is not None and value == _arguments(other))


def _arguments(call: Item) -> Any:
    """Return the arguments of a call; None where they are no JSON."""
    return read_json(call.arguments.encode("utf-8", "surrogatepass"))[0]


def with_tools(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration with each function of its ``tools=`` made a `FunctionTool`; definitions stay as they are.

    Raises
    ------
    ConfigurationError
        A function that cannot be described.
    """
    given = config.get("tools")
    if callable(given) or isinstance(given, FunctionTool):
        given = [given]
    if not isinstance(given, (list, tuple)):
        return dict(config)
    return {**config, "tools": [FunctionTool(each) if callable(each) else each for each in given]}


def with_definitions(config: Mapping[str, Any]) -> tuple[list[FunctionTool], dict[str, Any]]:
    """Return the tools of a configuration's ``tools=``, and the configuration with their definitions in their place."""
    config = with_tools(config)
    given = config.get("tools")
    if not isinstance(given, list):
        return [], config
    tools = [each for each in given if isinstance(each, FunctionTool)]
    shown = [each.definition if isinstance(each, FunctionTool) else each for each in given]
    return tools, {**config, "tools": shown}
