"""What is said to a chat endpoint: a Write as the body of a request, in the form that OpenAI-compatible servers take.

Pure.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from rtnb.errors import ConfigurationError
from rtnb.service.engines.tasks import Message, NamedTool, Write

__all__ = ["ChatEndpoint", "chat_endpoint", "request_body"]

_SPOKEN = "Your words are read aloud: answer in plain spoken sentences, without markup, lists, emoji or code."
_NOTHING = "(No words came. Please go on.)"
_NO_OUTPUT = "(The function has given no result.)"
_FORMS = "Give it as http://127.0.0.1:11434, or with the path: …/v1 or …/v1/chat/completions."


@dataclass(frozen=True, slots=True)
class ChatEndpoint:
    """Where a chat endpoint is.

    Attributes
    ----------
    secure : bool
        Whether it is spoken to by TLS.
    host : str
    port : int
    path : str
        Of the completions, with its query.
    """

    secure: bool
    host: str
    port: int
    path: str

    @property
    def url(self) -> str:
        """The endpoint without its query, as shown to people."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = self.port == (443 if self.secure else 80)
        return f"http{'s' * self.secure}://{host}{'' if usual else f':{self.port}'}{self.path.partition('?')[0]}"

    @property
    def authority(self) -> str:
        """Host and port, for the Host header."""
        return urlsplit(self.url).netloc

    @property
    def nearby(self) -> bool:
        """Whether it is this computer or one of the local network."""
        try:
            return ipaddress.ip_address(self.host).is_private
        except ValueError:
            return "." not in self.host or self.host.endswith((".local", ".localhost", ".internal"))


def chat_endpoint(url: str) -> ChatEndpoint:
    """Read the URL of a chat endpoint: its root, its ``/v1``, or its completions.

    Raises
    ------
    ConfigurationError
        It is no http or https URL, or it holds a password, which does not belong there.
    """
    url = url.strip()
    if "://" not in url:
        url = f"http://{url}"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ConfigurationError(f"The chat URL cannot be read ({error}). {_FORMS}") from None
    if parts.username is not None or parts.password is not None:
        raise ConfigurationError(
            "The chat URL holds a user name or a password: put the key into RTNB_CHAT_API_KEY instead."
        )
    if parts.scheme not in ("http", "https") or not host or any(not " " < char < "\x7f" for char in url):
        raise ConfigurationError(f"The chat URL must be an http:// or https:// URL of plain characters. {_FORMS}")
    path = parts.path.rstrip("/")
    if not path.endswith("/chat/completions"):
        path = f"{path or '/v1'}/chat/completions"
    secure = parts.scheme == "https"
    return ChatEndpoint(secure, host, port or (443 if secure else 80), f"{path}?{parts.query}" if parts.query else path)


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
