"""`AsyncSession`: a realtime session as coroutines. The core; `Session` is its facade for cells that do not await."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from rtnb import display
from rtnb.audio import AudioClip, to_clip
from rtnb.client.audio_input import append_commands, question, spoken_turn
from rtnb.client.configuring import ConfigurableSession
from rtnb.client.connection import Connection, Record
from rtnb.client.credentials import Credential
from rtnb.client.endpoint import Endpoint
from rtnb.client.handshake import OpenTransport, establish, open_websocket
from rtnb.client.interruption import unheard
from rtnb.client.live_response import LiveResponse
from rtnb.client.loop import LoopThread, on_io
from rtnb.client.playback import Heard, Playback, spoken_response
from rtnb.client.toolbox import with_definitions, with_tools
from rtnb.client.turns import Turns, WhenBusy
from rtnb.client.waiters import accepts
from rtnb.conversation.items import Item
from rtnb.conversation.response import Response
from rtnb.errors import ConfigurationError, ServerError
from rtnb.protocol import commands
from rtnb.protocol.commands import Command
from rtnb.protocol.config import nest
from rtnb.protocol.events import Event
from rtnb.protocol.names import Kind

if TYPE_CHECKING:
    from rtnb.notebook.listening import Listening
    from rtnb.notebook.microphone import Microphone

Prompt = str | AudioClip | Path | tuple[Any, int] | bytes


class AsyncSession(ConfigurableSession):
    """A realtime session. Made by `rtnb.connect_async`; its coroutines may be awaited on any event loop.

    Attributes
    ----------
    display : callable or None
        Shows a response that is on its way; None where there is no notebook to show it in.
    playback : Playback or None
        What the speaker that is connected has played; None without one.
    """

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
        self._turns = Turns(connection, io, self._toolbox)
        self.display: Callable[[Response], object] | None = None
        self.playback: Playback | None = None
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
        config = with_tools(config)
        endpoint.dialect.check(nest(config))
        connection = await establish(
            endpoint, credential, io, timeout=timeout, record=record, open_transport=open_transport
        )
        session = cls(
            connection, endpoint, credential, io, timeout=timeout, reconnect=reconnect, open_transport=open_transport
        )
        if config:
            try:
                configured = await session.configure(**config)
            except BaseException:
                await session.close()
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
            Ask beside the conversation: neither question nor answer becomes part of it, and nothing is waited for. The
            model sees nothing but the question, and what ``input=`` (a list of items) puts before it.
        **options
            Settings of this response only, in GA's words: ``instructions=``, ``output_modalities=``, ``voice=`` …

        Raises
        ------
        ServerError
            The service refused this very request.
        ResponseTimeout, SessionBusy, SessionClosed, AudioError
        """
        timeout = await self._ready(timeout)
        if out_of_band:
            content = await asyncio.to_thread(question, prompt, self.config)
            options = {**options, "conversation": "none", "input": [*options.get("input", ()), content]}
            return await self._turn([], options, wait, timeout, "wait", out_of_band=True)
        if isinstance(prompt, str):
            return await self._turn([commands.text_message(prompt)], options, wait, timeout, when_busy)
        # Reading and resampling a long clip takes a while, in which the loop must go on.
        spoken = await asyncio.to_thread(spoken_turn, prompt, self.config)
        if spoken.answered and options:
            raise ConfigurationError(
                "Turn detection makes the response to speech, so options for one response do not reach it; "
                "use session.configure(…), or turn_detection=None."
            )
        said = spoken.commands
        if spoken.detected and not spoken.answered:
            # The service ends the turn and leaves it at that: the response is asked for when there is something to answer.
            *before, last = said
            await self._acknowledged(last, accepts(Kind.INPUT_COMMITTED), Kind.INPUT_COMMITTED, before=before)
            said = []
        response = await self._turn(said, None if spoken.answered else options, False, timeout, when_busy)
        response.input_ended = spoken.ended
        return await self.finish(response) if wait else response

    @on_io
    async def respond(
        self, *, wait: bool = True, timeout: float = 60.0, when_busy: WhenBusy = "wait", **options: Any
    ) -> LiveResponse:
        """Ask for a response to the conversation as it stands. Parameters and errors as for `ask`."""
        timeout = await self._ready(timeout)
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
        await self._sync_tools_or_note()
        self._check_open()
        create = None
        if options is not None:
            functions, options = with_definitions(options)
            create = commands.response_create(options)
            self.dialect.check(create.get("response", {}))
            self._toolbox.know(functions)
        response = self._turns.begin(prelude, create, timeout=timeout, when_busy=when_busy, out_of_band=out_of_band)
        response.display = self.display
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
        await self._ready(self._timeout)
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
        speech = await asyncio.to_thread(to_clip, clip)
        for command in await asyncio.to_thread(append_commands, speech, self.config):
            await self._connection.send(command)
        return speech.duration

    @on_io
    async def commit(self) -> str:
        """Turn the input buffer into a user item; return the item's id."""
        return (
            await self._acknowledged(commands.commit(), accepts(Kind.INPUT_COMMITTED), Kind.INPUT_COMMITTED)
        ).item_id

    @on_io
    async def clear(self) -> None:
        """Throw the input buffer away."""
        await self._acknowledged(commands.clear(), accepts(Kind.INPUT_CLEARED), Kind.INPUT_CLEARED)

    @on_io
    async def cancel(self, response_id: str | None = None) -> None:
        """Stop the response in progress, or the one named, and wait for the service's last word on it."""
        active = self.conversation.active
        wanted = response_id or (active.id if active else None)

        def ended(event: Event) -> bool:
            return event.kind == Kind.RESPONSE_DONE and wanted in (None, event.response_id)

        await self._acknowledged(commands.response_cancel(response_id), ended, Kind.RESPONSE_DONE)

    @on_io
    async def interrupt(self, *, cancel: bool = True) -> Heard | None:
        """Stop the answer as somebody who begins to speak does: cancel it, and cut it at what was heard.

        A connected speaker falls silent and tells what was heard. Without one it is reckoned from the arrival of the audio,
        as a player that began at once would play it. An item of which nothing was heard is deleted. Returns how far
        it was heard; None where nothing was being spoken. Functions that the model waits for are not waited for any more.

        Parameters
        ----------
        cancel : bool
            False where the service cancels by itself, as turn detection does when speech begins.
        """
        response = spoken_response(list(self.conversation.responses.values()), self.playback)
        self._turns.stop_calls()
        now = self._connection.now()
        if self.playback is not None:
            await asyncio.to_thread(self.playback.stop)
        if response is None:
            return None
        if response.active and cancel:
            with contextlib.suppress(ServerError):  # it may have ended by itself in this moment
                await self.cancel(response.id)
        left = unheard(self.timeline, response, now, self.playback)
        for each in left:
            if each.heard_ms:
                await self.truncate(each.item_id, each.heard_ms, each.content_index)
            else:
                await self._delete(each.item_id)
        return left[0] if left else None

    async def _delete(self, item_id: str) -> None:
        def gone(event: Event) -> bool:
            return event.kind == Kind.ITEM_DELETED and event.item_id == item_id

        await self._acknowledged(commands.item_delete(item_id), gone, Kind.ITEM_DELETED)

    @on_io
    async def truncate(self, item_id: str, audio_end_ms: int, content_index: int = 0) -> None:
        """Cut an assistant item at what was heard of it, in milliseconds of its audio."""

        def cut(event: Event) -> bool:
            return event.kind == Kind.ITEM_TRUNCATED and event.item_id == item_id

        command = commands.item_truncate(item_id, audio_end_ms, content_index)
        await self._acknowledged(command, cut, Kind.ITEM_TRUNCATED)

    async def _resume(self) -> None:
        await super()._resume()
        self._turns.attend()

    # The browser ------------------------------------------------------------------------------------------------------

    def microphone(self, clip: object = None) -> Microphone:
        """Return a microphone for the notebook; with `clip`, one that hears the clip instead."""
        return display.backend().microphone(self, clip)

    def listen(self, seconds: float = 5.0, clip: object = None) -> Listening:
        """Listen to the user for so many seconds: ``clip = await session.listen(5)``, in a script ``session.listen(5).wait()``.

        What is heard goes to the service, too, as from a microphone that is then stopped. Without a browser, or where it
        refuses the microphone, the local voice speaks, and `Listening.words` says so.

        Parameters
        ----------
        seconds : float
        clip : AudioClip, path, (samples, rate) or bytes of a WAV file, optional
            What to hear instead of a microphone; cut to `seconds`, or followed by silence.

        Raises
        ------
        AudioError
            `clip` is no audio that can be read, or there is no time to hear anything.
        """
        return display.backend().listen(self, seconds, clip)

    # Keeping and ending -----------------------------------------------------------------------------------------------

    @on_io
    async def close(self) -> None:
        """Close the session. Everything that was received stays readable."""
        await self._stop_resuming()
        await self._connection.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()
