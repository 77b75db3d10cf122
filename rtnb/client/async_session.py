"""`AsyncSession`: a realtime session as coroutines. The core; `Session` is its facade for cells that do not await."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self, TypeVar, overload

from rtnb.audio import AudioClip
from rtnb.client.audio_input import append_commands, question, spoken_turn
from rtnb.client.connection import Connection, Record
from rtnb.client.credentials import Credential
from rtnb.client.endpoint import Endpoint
from rtnb.client.establish import OpenTransport, establish, open_websocket
from rtnb.client.live_response import LiveResponse
from rtnb.client.loop import LoopThread, on_io
from rtnb.client.playback import Heard, heard
from rtnb.client.resumption import ResumableSession
from rtnb.client.summary import Configured
from rtnb.client.toolbox import Toolbox, with_definitions
from rtnb.client.tools import FunctionTool
from rtnb.client.turns import Turns, WhenBusy
from rtnb.client.watches import Predicate
from rtnb.errors import ConfigurationError, RtnbError, ServerError
from rtnb.items import Item
from rtnb.protocol import commands
from rtnb.protocol.commands import Command
from rtnb.protocol.config import copy_tree, merge, nest, not_granted
from rtnb.protocol.events import Event
from rtnb.protocol.names import Kind

G = TypeVar("G", bound=Callable[..., Any])
Prompt = str | AudioClip | Path | tuple[Any, int] | bytes


class AsyncSession(ResumableSession):
    """A realtime session. Made by `rtnb.connect_async`; its coroutines may be awaited on any event loop."""

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
        self._turns = Turns(connection, io, self._toolbox)
        self._update_lock = asyncio.Lock()
        io.close_at_exit(connection)

    @classmethod
    async def open(
        cls,
        endpoint: Endpoint,
        credential: Credential,
        io: LoopThread,
        *,
        config: Mapping[str, Any],
        timeout: float = 30.0,
        record: Record | None = None,
        reconnect: bool = False,
        open_transport: OpenTransport = open_websocket,
    ) -> Self:
        """Connect, wait for ``session.created`` and apply `config` (flat GA words). Runs on the I/O loop.

        Raises
        ------
        ConfigurationError, ConnectError, AuthError, ServerError
        """
        functions, config = with_definitions(config)
        endpoint.dialect.check(nest(config))
        connection = await establish(
            endpoint, credential, io, timeout=timeout, record=record, open_transport=open_transport
        )
        session = cls(
            connection, endpoint, credential, io, timeout=timeout, reconnect=reconnect, open_transport=open_transport
        )
        session._toolbox.adopt(functions)
        if config:
            try:
                configured = await session.configure(**config)
            except BaseException:
                await connection.close()
                raise
            if not configured:
                connection.note_problem(f"not granted by the service: {configured.words}")
        return session

    # Talking ----------------------------------------------------------------------------------------------------------

    @on_io
    async def ask(
        self,
        prompt: Prompt,
        *,
        wait: bool = True,
        timeout: float = 60.0,
        when_busy: WhenBusy = "wait",
        out_of_band: bool = False,
        **options: Any,
    ) -> LiveResponse:
        """Add a user message and ask for a response.

        Parameters
        ----------
        prompt : str, AudioClip, Path, (samples, rate) or bytes of a WAV file
            Text, or speech.
        wait : bool
            False returns at once with a response that is live.
        timeout : float
            Seconds for all of it. After that the response is cancelled.
        when_busy : {"wait", "cancel", "raise"}
            What to do while another response is in progress.
        out_of_band : bool
            Ask beside the conversation: neither question nor answer becomes part of it, and nothing is waited for.
        **options
            Settings of this response only, in GA's words: ``instructions=``, ``output_modalities=``, ``voice=`` …

        Raises
        ------
        ServerError
            The service refused this very request.
        ResponseTimeout, SessionBusy, SessionClosed, AudioError
        """
        await self._ready()
        if out_of_band:
            content = await asyncio.to_thread(question, prompt, self.config)
            options = {"input": [content], **options, "conversation": "none"}
            return await self._turn([], options, wait, timeout, "wait", out_of_band=True)
        if isinstance(prompt, str):
            return await self._turn([commands.text_message(prompt)], options, wait, timeout, when_busy)
        # Reading and resampling a long clip takes a while, in which the loop must go on.
        spoken = await asyncio.to_thread(spoken_turn, prompt, self.config)
        if spoken.detected and options:
            raise ConfigurationError(
                "Turn detection makes the response to speech, so options for one response do not reach it; "
                "use session.configure(…), or turn_detection=None."
            )
        response = await self._turn(spoken.commands, None if spoken.detected else options, False, timeout, when_busy)
        response.input_ended = spoken.ended
        return await self.finish(response) if wait else response

    @on_io
    async def respond(
        self, *, wait: bool = True, timeout: float = 60.0, when_busy: WhenBusy = "wait", **options: Any
    ) -> LiveResponse:
        """Ask for a response to the conversation as it stands. Parameters and errors as for `ask`."""
        await self._ready()
        return await self._turn([], options, wait, timeout, when_busy)

    async def _turn(
        self,
        prelude: list[Command],
        options: Mapping[str, Any] | None,
        wait: bool,
        timeout: float,
        when_busy: WhenBusy,
        *,
        out_of_band: bool = False,
    ) -> LiveResponse:
        self._check_open()
        await self.sync_tools()
        create = None if options is None else commands.response_create(options)
        if create:
            self.dialect.check(create.get("response", {}))
        response = self._turns.begin(prelude, create, timeout=timeout, when_busy=when_busy, out_of_band=out_of_band)
        return await self.finish(response) if wait else response

    @on_io
    async def finish(self, response: LiveResponse) -> LiveResponse:
        """Wait for a live response; cancelling this wait cancels the response."""
        await self._turns.finish(response)
        self._left_off(len(self.timeline))
        return response

    @on_io
    async def send(self, event: Mapping[str, Any] | bytes | str) -> str:
        """Send anything, as it is; the service's word is what counts. Return its event id.

        An object gets an ``event_id`` if it has none, so that an error can be told apart; bytes and text go unchanged.
        """
        if isinstance(event, Mapping):
            return await self._connection.send_wire(event)
        await self._connection.send_frame(event if isinstance(event, bytes) else event.encode("utf-8", "surrogatepass"))
        return ""

    @on_io
    async def add_message(self, text: str, role: str = "user") -> Item:
        """Add a text message to the conversation without asking for a response; return the item it became."""
        command = commands.text_message(text, role)
        command["item"]["id"] = own = commands.new_id("item")

        def added(event: Event) -> bool:
            item = event.part("item")
            return event.kind == Kind.ITEM_ADDED and (item.get("id") == own or item.get("role") == role)

        event = await self._acknowledged(command, added, Kind.ITEM_ADDED)
        return self.conversation.items.get(event.item_id) or Item(event.item_id, role=role)

    @on_io
    async def append_audio(self, clip: object) -> float:
        """Append speech to the input buffer, resampled and in chunks of 100 ms; return its length in seconds."""
        speech = await asyncio.to_thread(AudioClip.coerce, clip)
        for command in await asyncio.to_thread(append_commands, speech, self.config):
            await self._connection.send(command)
        return speech.duration

    @on_io
    async def commit(self) -> str:
        """Turn the input buffer into a user item; return the item's id."""
        return (await self._acknowledged(commands.commit(), _is(Kind.INPUT_COMMITTED), Kind.INPUT_COMMITTED)).item_id

    @on_io
    async def clear(self) -> None:
        """Throw the input buffer away."""
        await self._acknowledged(commands.clear(), _is(Kind.INPUT_CLEARED), Kind.INPUT_CLEARED)

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
        self._toolbox.adopt(functions)
        async with self._update_lock:
            command = commands.session_update(tree)
            await self._acknowledged(command, _is(Kind.SESSION_UPDATED), Kind.SESSION_UPDATED)
        # Compared as it went out: the preview dialect says both modalities where it means speech.
        said = merge(copy_tree(tree), self.dialect.nested(self.dialect.flattened(tree)))
        return Configured(self.config, not_granted(said, self.config))

    @on_io
    async def cancel(self, response_id: str | None = None) -> None:
        """Stop the response in progress, or the one named, and wait for the service's last word on it."""
        active = self.conversation.active
        wanted = response_id or (active.id if active else None)

        def ended(event: Event) -> bool:
            return event.kind == Kind.RESPONSE_DONE and wanted in (None, event.response_id)

        await self._acknowledged(commands.response_cancel(response_id), ended, Kind.RESPONSE_DONE)

    @on_io
    async def interrupt(self) -> Heard | None:
        """Stop the answer as somebody who begins to speak does: cancel it, and cut it at what was heard.

        What was heard is reckoned from the arrival of the first audio, as a player that began at once would play it; an
        item of which nothing was heard is deleted. Returns how far it was heard; None where nothing was being spoken.
        """
        response = self.conversation.active or self.conversation.newest
        if response is None or response.conversation_id is None:
            return None
        so_far = heard(response, self._connection.now())
        if response.active:
            with contextlib.suppress(ServerError):  # it may have ended by itself in this moment
                await self.cancel(response.id)
        if so_far is None or so_far.whole:
            return None
        if so_far.heard_ms:
            await self.truncate(so_far.item_id, so_far.heard_ms)
        else:
            await self._acknowledged(commands.item_delete(so_far.item_id), _is(Kind.ITEM_DELETED), Kind.ITEM_DELETED)
        return so_far

    @on_io
    async def truncate(self, item_id: str, audio_end_ms: int) -> None:
        """Cut an assistant item at what was heard of it, in milliseconds of its audio."""

        def cut(event: Event) -> bool:
            return event.kind == Kind.ITEM_TRUNCATED and event.item_id == item_id

        await self._acknowledged(commands.item_truncate(item_id, audio_end_ms), cut, Kind.ITEM_TRUNCATED)

    # Function tools ---------------------------------------------------------------------------------------------------

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
        if function is None:
            return lambda decorated: self._add_tool(decorated, name, description)
        return self._add_tool(function, name, description)

    def _add_tool(self, function: G, name: str | None, description: str | None) -> G:
        """Add a tool; the service is told before the next turn, and at once where it listens all the time."""
        self._toolbox.add(FunctionTool(function, name=name, description=description))
        self._io.loop.call_soon_threadsafe(self._tell_tools)
        return function

    def _tell_tools(self) -> None:
        self._telling = asyncio.ensure_future(self._sync_tools_or_note())

    async def _sync_tools_or_note(self) -> None:
        try:
            await self.sync_tools()
        except RtnbError as error:
            self._connection.note_problem(f"the service did not take the tools: {error}")

    @on_io
    async def sync_tools(self) -> None:
        """Tell the service of tools that it does not know yet.

        Raises
        ------
        ServerError
            The service refused them.
        """
        if not self._toolbox.told:
            self._toolbox.told = True
            await self.configure(tools=self._toolbox.definitions(self.config.get("tools") or ()))

    async def _resume(self) -> None:
        await super()._resume()
        self._turns.attend()

    # Keeping and ending -----------------------------------------------------------------------------------------------

    @on_io
    async def close(self) -> None:
        """Close the session. Everything that was received stays readable."""
        await self._connection.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()


def _is(kind: str) -> Predicate:
    return lambda event: event.kind == kind
