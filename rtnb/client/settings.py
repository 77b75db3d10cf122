"""`SessionSettings`: changes the settings of one session, its list of function tools among them, and confirms what is in effect."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any

from rtnb import formatting
from rtnb.client.function_tool import FunctionTool
from rtnb.client.requests import Requests
from rtnb.client.tools import Tools, with_definitions
from rtnb.errors import RtnbError, SessionClosed
from rtnb.protocol.config import AUDIO_SETTINGS, copy_tree, look, merge, nest, not_granted, without_effect
from rtnb.protocol.mcp_tools import without_secrets


class SessionSettings:
    """Sends changes of settings one after the other; errors are those of `AsyncSession.configure` and `AsyncSession.tool`.

    Parameters
    ----------
    requests : Requests
    tools : Tools
    ready : callable
        ``await ready(timeout)`` waits until the session is open.
    not_imitated : mapping
        What the local service says changes nothing there.
    """

    def __init__(
        self,
        requests: Requests,
        tools: Tools,
        ready: Callable[[float], Awaitable[float]],
        not_imitated: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._requests = requests
        self._connection = requests.connection
        self._tools = tools
        self._ready = ready
        self._not_imitated = not_imitated
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
                confirmed = await self._requests.update(kind.update(tree))
        except BaseException:
            self._tools.drop(functions)
            raise
        if "tools" in config:
            self._tools.accepted(functions, config["tools"])
        # Compared as it went out: the preview dialect says both modalities where it means speech.
        asked = without_secrets(merge(copy_tree(tree), dialect.nested(dialect.flattened(tree))))
        refused = not_granted(asked, conversation.config)
        not_imitated = {
            path: each for path, each in without_effect(asked, self._not_imitated).items() if path not in refused
        }
        return Configured(conversation.config, refused, not_imitated, confirmed=confirmed)

    async def apply(self, config: Mapping[str, Any]) -> None:
        """Change settings, if there are any, and note among the problems what was not granted."""
        if config and not (configured := await self.configure(config)):
            title = "not granted by the service" if configured.confirmed else "not confirmed by the service"
            self._connection.note_problem(f"{title}: {configured.words}")

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
    not_imitated : dict of str to str
        What was asked for and is in effect by name alone, since the local service does not imitate it: what happens instead.
    confirmed : bool
        Whether the service said what is in effect. Some servers never do; the settings are then taken to be as asked for.
    """

    def __init__(
        self,
        config: dict[str, Any],
        not_granted: dict[str, tuple[Any, Any]],
        not_imitated: Mapping[str, str] = MappingProxyType({}),
        *,
        confirmed: bool = True,
    ) -> None:
        self.config = config
        self.not_granted = not_granted
        self.not_imitated = dict(not_imitated)
        self.confirmed = confirmed

    def __bool__(self) -> bool:
        return self.confirmed and not self.not_granted

    def __repr__(self) -> str:
        said = f", not confirmed: {self.words}" if not self.confirmed else f", except {self.words}"
        return f"<Configured{': everything asked for was granted' if self else said}{self._not_imitated('; ')}>"

    def _not_imitated(self, begin: str = "") -> str:
        listed = "; ".join(f"{path} ({instead})" for path, instead in self.not_imitated.items())
        return f"{begin}not imitated here: {listed}" if listed else ""

    @property
    def words(self) -> str:
        """What was not granted, for people."""
        if not self.confirmed:
            return "the service sent no session.updated, and no refusal; what was asked for is taken to be in effect"
        return "; ".join(
            f"{path}: asked {_short(asked)}, got {_short(got)}" for path, (asked, got) in self.not_granted.items()
        )

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        rows = [
            [formatting.escape(name), formatting.escape(_short(look(self.config, path)))]
            for name, path in {"model": ("model",), "instructions": ("instructions",), **AUDIO_SETTINGS}.items()
            if look(self.config, path, self) is not self
        ]
        title = "Not granted" if self.confirmed else "Not confirmed"
        refused = formatting.banner(f"{title}: {self.words}") if not self else ""
        not_imitated = formatting.muted(self._not_imitated())
        table = formatting.html_table(("", ""), rows)
        return {"text/plain": repr(self), "text/html": formatting.card(refused, not_imitated, table)}


def _short(value: Any) -> str:
    return formatting.one_line(json.dumps(value, ensure_ascii=False, default=str), 120)
