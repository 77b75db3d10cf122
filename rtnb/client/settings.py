"""`SessionSettings`: changes the settings of one session, its list of function tools among them, and confirms what is in effect."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from rtnb import formatting
from rtnb.client.function_tool import FunctionTool
from rtnb.client.requests import Requests
from rtnb.client.tools import Tools, with_definitions
from rtnb.errors import RtnbError, SessionClosed
from rtnb.protocol.config import AUDIO_SETTINGS, copy_tree, look, merge, nest, not_granted
from rtnb.protocol.mcp_tools import without_secrets
from rtnb.protocol.names import Kind


class SessionSettings:
    """Sends changes of settings one after the other; errors are those of `AsyncSession.configure` and `AsyncSession.tool`.

    Parameters
    ----------
    requests : Requests
    tools : Tools
    ready : callable
        ``await ready(timeout)`` waits until the session is open.
    """

    def __init__(self, requests: Requests, tools: Tools, ready: Callable[[float], Awaitable[float]]) -> None:
        self._requests = requests
        self._connection = requests.connection
        self._tools = tools
        self._ready = ready
        self._update_lock = asyncio.Lock()
        self._tools_lock = asyncio.Lock()

    async def configure(self, config: Mapping[str, Any]) -> Configured:
        """Change settings, in GA's words, and return what is in effect once the service has confirmed it."""
        dialect, conversation = self._connection.dialect, self._connection.conversation
        functions, config = with_definitions(config)
        tree, kind = nest(config), self._requests.kind
        dialect.check(kind.typed(tree))
        await self._ready(self._requests.timeout)
        self._tools.add(*functions)
        try:
            async with self._update_lock:
                await self._requests.acknowledged(kind.update(tree), Kind.SESSION_UPDATED)
        except BaseException:
            self._tools.drop(functions)
            raise
        if "tools" in config:
            self._tools.accepted(functions, config["tools"])
        # Compared as it went out: the preview dialect says both modalities where it means speech.
        asked = without_secrets(merge(copy_tree(tree), dialect.nested(dialect.flattened(tree))))
        return Configured(conversation.config, not_granted(asked, conversation.config))

    async def apply(self, config: Mapping[str, Any]) -> None:
        """Change settings, if there are any, and note among the problems what was not granted."""
        if config and not (configured := await self.configure(config)):
            self._connection.note_problem(f"not granted by the service: {configured.words}")

    async def add_tool(self, tool: FunctionTool) -> None:
        """Add a tool and wait until the service has accepted it; one that it refuses is dropped."""
        self._tools.add(tool)
        try:
            await self._send_tools()
        except RtnbError:
            self._tools.drop([tool])
            raise

    def start_sending_tools(self) -> None:
        """Send the service the pending tools in a task: turn detection may begin a response at any time."""
        self._sending = asyncio.ensure_future(self.send_tools())

    async def send_tools(self) -> None:
        """Send the service the pending tools, if there are any; a refusal is noted among the problems."""
        try:
            await self._send_tools()
        except SessionClosed:
            pass  # they are sent when it is open again
        except RtnbError as error:
            self._connection.note_problem(f"the service did not take the tools: {error}")

    async def _send_tools(self) -> None:
        async with self._tools_lock:
            if pending := self._tools.pending:
                try:
                    await self.configure(
                        {"tools": self._tools.setting(self._connection.conversation.config.get("tools"))}
                    )
                except SessionClosed:
                    self._tools.add(*pending)  # the service has not refused them
                    raise


class Configured:
    """What `configure` brought about.

    Attributes
    ----------
    config : dict
        The whole effective configuration, in GA's nested form.
    not_granted : dict of str to (asked, granted)
        What was asked for and is not in effect; granted is None where the service did not say.
    """

    def __init__(self, config: dict[str, Any], not_granted: dict[str, tuple[Any, Any]]) -> None:
        self.config = config
        self.not_granted = not_granted

    def __bool__(self) -> bool:
        return not self.not_granted

    def __repr__(self) -> str:
        if not self.not_granted:
            return "<Configured: everything asked for was granted>"
        return f"<Configured, except {self.words}>"

    @property
    def words(self) -> str:
        """What was not granted, for people."""
        return "; ".join(
            f"{path}: asked {_short(asked)}, got {_short(got)}" for path, (asked, got) in self.not_granted.items()
        )

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        rows = [
            [formatting.escape(name), formatting.escape(_short(look(self.config, path)))]
            for name, path in {"model": ("model",), "instructions": ("instructions",), **AUDIO_SETTINGS}.items()
            if look(self.config, path, self) is not self
        ]
        refused = formatting.banner(f"Not granted: {self.words}") if self.not_granted else ""
        return {"text/plain": repr(self), "text/html": formatting.card(refused, formatting.html_table(("", ""), rows))}


def _short(value: Any) -> str:
    return formatting.one_line(json.dumps(value, ensure_ascii=False, default=str), 120)
