"""The messages of a chat endpoint: a `Write` as the body of a request, and the chunks of its answer as text and calls. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from rtnb.service.engines.http_reply import json_object
from rtnb.service.engines.tasks import Call, Message, NamedTool, Write

__all__ = ["ChatAnswer", "request_body"]

_SPOKEN = "Your words are read aloud: answer in plain spoken sentences, without markup, lists, emoji or code."
_NOTHING = "(No words came. Please go on.)"
_NO_OUTPUT = "(The function has given no result.)"


def request_body(task: Write, model: str) -> dict[str, Any]:
    """Return the body that asks a chat endpoint to write an answer, streamed."""
    body: dict[str, Any] = {"model": model, "messages": _messages(task), "stream": True}
    if task.tools and task.tool_choice != "none":
        body["tools"] = [
            {
                "type": "function",
                "function": {"name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)},
            }
            for tool in task.tools
        ]
        choice = task.tool_choice
        named = {"type": "function", "function": {"name": choice.name}} if isinstance(choice, NamedTool) else None
        body["tool_choice"] = named or choice
    return body


def _messages(task: Write) -> list[dict[str, Any]]:
    guidance = "\n\n".join(filter(None, (task.instructions.strip(), _SPOKEN if task.speaks else "")))
    messages: list[dict[str, Any]] = [{"role": "system", "content": guidance}] if guidance else []
    messages += _past(task.history)
    if task.prompt.strip():
        messages.append({"role": "user", "content": task.prompt})
    elif not messages or messages[-1]["role"] in ("system", "assistant"):
        messages.append({"role": "user", "content": _NOTHING})
    return messages


def _past(history: Sequence[Message]) -> list[dict[str, Any]]:
    """Return earlier turns as messages; each call stands with its output, as endpoints demand."""
    outputs = {turn.call_id: turn.text for turn in history if turn.role == "function_call_output"}
    called = {turn.call_id for turn in history if turn.role == "function_call"}
    messages: list[dict[str, Any]] = []
    calls: list[Message] = []
    for turn in history:
        if turn.role == "function_call":
            calls.append(turn)
            continue
        if turn.role == "function_call_output" and turn.call_id in called:
            continue
        messages += _called(calls, outputs)
        calls = []
        if turn.role in ("user", "assistant", "system"):
            if turn.text.strip():
                messages.append({"role": turn.role, "content": turn.text})
        else:
            messages.append({"role": "system", "content": f"A function gave: {turn.text}"})
    return messages + _called(calls, outputs)


def _called(calls: Sequence[Message], outputs: dict[str, str]) -> list[dict[str, Any]]:
    if not calls:
        return []
    asked = [
        {"id": turn.call_id, "type": "function", "function": {"name": turn.name, "arguments": turn.arguments or "{}"}}
        for turn in calls
    ]
    given = [
        {"role": "tool", "tool_call_id": turn.call_id, "content": outputs.get(turn.call_id, _NO_OUTPUT)}
        for turn in calls
    ]
    return [{"role": "assistant", "content": None, "tool_calls": asked}, *given]


class ChatAnswer:
    """Puts an answer together from the endpoint's chunks.

    Attributes
    ----------
    finished : bool
        Whether the endpoint said that the answer is complete.
    """

    def __init__(self) -> None:
        self.finished = False
        self._calls: dict[int, tuple[str, str, str]] = {}  # id, name, and the arguments so far
        self._thoughts = _Thoughts()

    def take(self, data: str) -> str:
        """Take the data of one event; return the text that it adds.

        Raises
        ------
        InvalidAnswer
            It is no JSON object, or it reports an error.
        """
        if data.strip() == "[DONE]":
            self.finished = True
            return ""
        chunk = json_object(data)
        choices = chunk.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}
        self.finished = self.finished or bool(choice.get("finish_reason"))
        said = choice.get("delta") or choice.get("message")
        return self._said(said) if isinstance(said, dict) else ""

    def _said(self, said: dict[str, Any]) -> str:
        fragments = said.get("tool_calls")
        for fragment in fragments if isinstance(fragments, list) else ():
            if isinstance(fragment, dict):
                self._add(fragment)
        content = said.get("content")
        return self._thoughts.without(content) if isinstance(content, str) else ""

    def _add(self, fragment: dict[str, Any]) -> None:
        function = fragment.get("function")
        function = function if isinstance(function, dict) else {}
        call_id, name = (str(value) if value else "" for value in (fragment.get("id"), function.get("name")))
        arguments = function.get("arguments") or ""
        arguments = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
        index = fragment.get("index")
        place = index if isinstance(index, int) else max(self._calls, default=0)
        held_id, held_name, begun = self._calls.get(place, (call_id, "", ""))
        # Some endpoints number every call 0, or none: then a new name under a new id begins a new call.
        if name and call_id and call_id != held_id:
            place, held_id, held_name, begun = max(self._calls) + 1, call_id, "", ""
        self._calls[place] = held_id, held_name or name, begun + arguments

    def rest(self) -> str:
        """Return text that was held back until it was clear what it is."""
        return self._thoughts.rest()

    def calls(self) -> list[Call]:
        """Return the calls, in their order; no arguments are an empty object."""
        calls = (self._calls[place] for place in sorted(self._calls))
        return [Call(name, arguments.strip() or "{}") for _, name, arguments in calls if name]


class _Thoughts:
    """Leaves out the thoughts that some models write in front of their answer, between ``<think>`` and ``</think>``."""

    _OPEN, _CLOSE = "<think>", "</think>"

    def __init__(self) -> None:
        self._held = ""  # until it is clear whether it is a thought
        self._answering = False

    def without(self, text: str) -> str:
        if self._answering:
            return text
        self._held += text
        begun = self._held.lstrip()
        if begun.startswith(self._OPEN):
            self._answering = self._CLOSE in begun
            answer = begun.partition(self._CLOSE)[2]
        else:
            answer, self._answering = begun, not self._OPEN.startswith(begun)
        if not self._answering:
            return ""
        self._held = ""
        return answer.lstrip()

    def rest(self) -> str:
        return "" if self._held.lstrip().startswith(self._OPEN) else self._held
