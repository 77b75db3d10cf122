"""`ConfigurableSession`: settings that can be changed while a session is open, function tools among them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar, overload

from rtnb.client.connection import Connection
from rtnb.client.credentials import Credential
from rtnb.client.endpoint import Endpoint
from rtnb.client.handshake import OpenTransport, open_websocket
from rtnb.client.loop import LoopThread, on_io
from rtnb.client.resumption import ResumableSession
from rtnb.client.summary import Configured
from rtnb.client.toolbox import Toolbox, with_definitions
from rtnb.client.tools import FunctionTool
from rtnb.client.waiters import accepts
from rtnb.errors import RtnbError, SessionClosed
from rtnb.protocol import commands
from rtnb.protocol.config import copy_tree, merge, nest, not_granted
from rtnb.protocol.names import Kind

G = TypeVar("G", bound=Callable[..., Any])


class ConfigurableSession(ResumableSession):
    """A session whose settings can be changed, and to which functions can be given that the model may call."""

    def __init__(
        self,
        connection: Connection,
        endpoint: Endpoint,
        credential: Credential,
        io: LoopThread,
        *,
        timeout: float,
        reconnect: bool = False,
        open_transport: OpenTransport = open_websocket,
    ) -> None:
        super().__init__(
            connection, endpoint, credential, io, timeout=timeout, reconnect=reconnect, open_transport=open_transport
        )
        self._toolbox = Toolbox(connection.note_problem)
        self._update_lock = asyncio.Lock()
        self._tools_lock = asyncio.Lock()

    @on_io
    async def configure(self, **config: Any) -> Configured:
        """Change settings, in GA's words, and return what is in effect once the service has confirmed it.

        Raises
        ------
        ConfigurationError
            A word that is not known, or that the dialect cannot carry.
        ServerError
            The service refused.
        """
        functions, config = with_definitions(config)
        tree = nest(config)
        self.dialect.check(tree)
        await self._ready(self._timeout)
        self._toolbox.add(*functions)
        try:
            async with self._update_lock:
                command = commands.session_update(tree)
                await self._acknowledged(command, accepts(Kind.SESSION_UPDATED), Kind.SESSION_UPDATED)
        except BaseException:
            self._toolbox.drop(functions)
            raise
        if "tools" in config:
            self._toolbox.took(functions, config["tools"])
        # Compared as it went out: the preview dialect says both modalities where it means speech.
        said = merge(copy_tree(tree), self.dialect.nested(self.dialect.flattened(tree)))
        return Configured(self.config, not_granted(said, self.config))

    @overload
    def tool(self, function: G) -> G: ...
    @overload
    def tool(self, *, name: str | None = None, description: str | None = None) -> Callable[[G], G]: ...
    def tool(self, function: G | None = None, *, name: str | None = None, description: str | None = None) -> Any:
        """Let the model call a typed Python function: ``@session.tool``, or ``@session.tool(name="…")``.

        The function is called off the loop, async ones too, when a response that wants it is done; its result, or its
        error, goes back to the model, which then answers.

        Raises
        ------
        ConfigurationError
            The function has no type hints, or a type that has no JSON schema.
        """

        def add(decorated: G) -> G:
            self._toolbox.add(FunctionTool(decorated, name=name, description=description))
            # The service is told before the next turn, and at once where it listens all the time.
            self._io.loop.call_soon_threadsafe(self._tell_tools)
            return decorated

        return add if function is None else add(function)

    def _tell_tools(self) -> None:
        self._telling = asyncio.ensure_future(self._sync_tools_or_note())

    @on_io
    async def add_tool(self, function: G, name: str | None = None, description: str | None = None) -> G:
        """Add a tool as `tool` does, and wait until the service has taken it.

        Raises
        ------
        ConfigurationError
            As `tool` does.
        ServerError
            The service refused it; it is forgotten.
        """
        tool = FunctionTool(function, name=name, description=description)
        self._toolbox.add(tool)
        try:
            await self._sync_tools()
        except RtnbError:
            self._toolbox.drop([tool])
            raise
        return function

    async def _sync_tools_or_note(self) -> None:
        try:
            await self._sync_tools()
        except SessionClosed:
            pass  # they are told when it is open again
        except RtnbError as error:
            self._connection.note_problem(f"the service did not take the tools: {error}")

    async def _sync_tools(self) -> None:
        """Tell the service of tools that it does not know yet; forget them if it does not take them."""
        async with self._tools_lock:
            if self._toolbox.untold:
                untold = self._toolbox.untold
                try:
                    await self.configure(tools=self._toolbox.offer(self.config.get("tools")))
                except SessionClosed:
                    self._toolbox.add(*untold)  # nobody has refused them
                    raise

    async def _resume(self) -> None:
        await super()._resume()
        self._tell_tools()  # not awaited: it waits for this
