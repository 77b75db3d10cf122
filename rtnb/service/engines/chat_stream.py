"""What a chat endpoint says: server-sent events as the text and the calls of an answer.

Pure: bytes in, pieces out; nothing waits.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rtnb.service.engines.tasks import Call

__all__ = ["ChatAnswer", "ChatError", "EventLines"]

_LONGEST_LINE = 4_000_000  # bytes


class ChatError(ValueError):
    """What came is no answer; the message tells why, and may hold the endpoint's own words."""


class EventLines:
    """Takes bytes of a stream of server-sent events and gives back the data of each event."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._data: list[bytes] = []

    def add(self, piece: bytes) -> Iterator[str]:
        """Take bytes as they come; yield the data of the events that are complete with them.

        Raises
        ------
        ChatError
            A line is longer than 4 MB.
        """
        start = max(0, len(self._held) - 1)
        self._held += piece
        while (end := self._held.find(b"\n", start)) >= 0:
            line = bytes(self._held[:end]).rstrip(b"\r")
            del self._held[: end + 1]
            start = 0
            yield from self._line(line)
        if len(self._held) > _LONGEST_LINE:
            raise ChatError("a line without end")

    def rest(self) -> Iterator[str]:
        """Yield what an ended stream left without its closing line."""
        yield from self._line(bytes(self._held).rstrip(b"\r"))
        yield from self._line(b"")

    def _line(self, line: bytes) -> Iterator[str]:
        if line.startswith(b"data:"):
            self._data.append(line[5:].removeprefix(b" "))
        elif not line and self._data:
            yield b"\n".join(self._data).decode("utf-8", "replace")
            self._data.clear()


@dataclass(slots=True)
class _Asked:
    """A call whose arguments are still coming."""

    call_id: str
    name: str
    arguments: str


class ChatAnswer:
    """Puts an answer together from the endpoint's chunks.

    Attributes
    ----------
    finished : bool
        Whether the endpoint said that the answer is complete.
    """

    def __init__(self) -> None:
        self.finished = False
        self._asked: dict[int, _Asked] = {}
        self._thoughts = _Thoughts()

    def take(self, data: str) -> str:
        """Take the data of one event; return the text that it adds.

        Raises
        ------
        ChatError
            It is no JSON object, or it tells of an error.
        """
        if data.strip() == "[DONE]":
            self.finished = True
            return ""
        try:
            chunk = json.loads(data)
        except (ValueError, RecursionError):
            raise ChatError(f"not JSON: {data[:80]!r}") from None
        if not isinstance(chunk, dict):
            raise ChatError(f"not a JSON object: {data[:80]!r}")
        if chunk.get("error"):
            raise ChatError(error_text(chunk))
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
        place = index if isinstance(index, int) else max(self._asked, default=0)
        held = self._asked.get(place)
        # Some endpoints number every call 0, or none: then a new name under a new id begins a new call.
        if held is not None and name and call_id and call_id != held.call_id:
            place, held = max(self._asked) + 1, None
        if held is None:
            self._asked[place] = _Asked(call_id, name, arguments)
        else:
            held.name = held.name or name
            held.arguments += arguments

    def rest(self) -> str:
        """Return text that was held back until it was clear what it is."""
        return self._thoughts.rest()

    def calls(self) -> list[Call]:
        """Return the calls, in their order; no arguments are an empty object."""
        asked = (self._asked[place] for place in sorted(self._asked))
        return [Call(call.name, call.arguments.strip() or "{}") for call in asked if call.name]


class _Thoughts:
    """Leaves out the thoughts that some models write in front of their answer, between ``<think>`` and ``</think>``."""

    _OPEN, _CLOSE = "<think>", "</think>"

    def __init__(self) -> None:
        self._held = ""
        self._state = "start"

    def without(self, text: str) -> str:
        if self._state == "answer":
            return text
        self._held += text
        if self._state == "start":
            begun = self._held.lstrip()
            if self._OPEN.startswith(begun[: len(self._OPEN)]) and len(begun) < len(self._OPEN):
                return ""
            self._state = "thinking" if begun.startswith(self._OPEN) else "answer"
        if self._state == "thinking":
            _, closed, self._held = (
                self._held.rpartition(self._CLOSE) if self._CLOSE in self._held else ("", "", self._held)
            )
            if not closed:
                self._held = self._held[-len(self._CLOSE) :]
                return ""
            self._state = "answer"
        return self.rest().lstrip()

    def rest(self) -> str:
        left, self._held = ("" if self._state == "thinking" else self._held), ""
        return left


def error_text(body: Any) -> str:
    """Return what an error's JSON says, whichever of the usual forms it has."""
    error = body.get("error", body) if isinstance(body, dict) else body
    if isinstance(error, dict):
        error = error.get("message") or error.get("detail") or json.dumps(error, default=str)
    return str(error)
