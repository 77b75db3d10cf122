"""`AsyncSession`: a realtime session as coroutines. The core; `Session` is its facade for cells that do not await."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any, Self, TypeVar, cast

from rtnb.audio import AudioClip
from rtnb.client.audio_input import append_commands, trailing_silence, turn_detected
from rtnb.client.connection import Connection, Record
from rtnb.client.credentials import Credential
from rtnb.client.endpoint import Endpoint
from rtnb.client.establish import OpenTransport, establish, open_websocket
from rtnb.client.listeners import Listener
from rtnb.client.live_record import LiveRecord
from rtnb.client.loop import LoopThread
from rtnb.client.stream import EventStream
from rtnb.client.summary import Configured
from rtnb.client.turns import LiveResponse, Turns, WhenBusy
from rtnb.client.watches import Predicate, Watch
from rtnb.errors import ConfigurationError, ResponseTimeout, SessionClosed
from rtnb.formatting import seconds
from rtnb.items import Item
from rtnb.protocol import commands
from rtnb.protocol.commands import Command
from rtnb.protocol.config import copy_tree, merge, nest, not_granted
from rtnb.protocol.events import Event
from rtnb.protocol.names import Kind

F = TypeVar("F", bound=Callable[..., Coroutine[Any, Any, Any]])
Prompt = str | AudioClip | Path | tuple[Any, int] | bytes


def _on_io(method: F) -> F:
    """Let a coroutine method be awaited on any loop while it runs on the session's own."""

    @functools.wraps(method)
    async def bridged(self: AsyncSession, *args: Any, **kwargs: Any) -> Any:
        return await self._io.acall(method(self, *args, **kwargs))

    return cast(F, bridged)


class AsyncSession(LiveRecord):
    """A realtime session. Made by `rtnb.connect_async`; its coroutines may be awaited on any event loop."""

    def __init__(
        self, connection: Connection, endpoint: Endpoint, credential: Credential, io: LoopThread, *, timeout: float
    ) -> None:
        super().__init__(connection, endpoint, credential)
        self._io = io
        self._timeout = timeout
        self._turns = Turns(connection, io)
        self._update_lock = asyncio.Lock()
        self._consumed = 0
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
        open_transport: OpenTransport = open_websocket,
    ) -> Self:
        """Connect, wait for ``session.created`` and apply `config` (flat GA words). Runs on the I/O loop.

        Raises
        ------
        ConfigurationError, ConnectError, AuthError, ServerError
        """
        endpoint.dialect.check(nest(config))
        connection = await establish(
            endpoint, credential, io, timeout=timeout, record=record, open_transport=open_transport
        )
        session = cls(connection, endpoint, credential, io, timeout=timeout)
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

    @_on_io
    async def ask(
        self,
        prompt: Prompt,
        *,
        wait: bool = True,
        timeout: float = 60.0,
        when_busy: WhenBusy = "wait",
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
        **options
            Settings of this response only, in GA's words: ``instructions=``, ``output_modalities=``, ``voice=`` …

        Raises
        ------
        ServerError
            The service refused this very request.
        ResponseTimeout, SessionBusy, SessionClosed, AudioError
        """
        if isinstance(prompt, str):
            return await self._turn([commands.text_message(prompt)], options, wait, timeout, when_busy)
        # Reading and resampling a long clip takes a while, in which the loop must go on.
        speech = await asyncio.to_thread(AudioClip.coerce, prompt)
        prelude = await asyncio.to_thread(append_commands, speech, self.config)
        if not turn_detected(self.config):
            return await self._turn([*prelude, commands.commit()], options, wait, timeout, when_busy)
        if options:
            raise ConfigurationError(
                "Turn detection makes the response to speech, so options for one response do not reach it; "
                "use session.configure(…), or turn_detection=None."
            )
        prelude += append_commands(trailing_silence(self.config), self.config)
        return await self._turn(prelude, None, wait, timeout, when_busy)

    @_on_io
    async def respond(
        self, *, wait: bool = True, timeout: float = 60.0, when_busy: WhenBusy = "wait", **options: Any
    ) -> LiveResponse:
        """Ask for a response to the conversation as it stands. Parameters and errors as for `ask`."""
        return await self._turn([], options, wait, timeout, when_busy)

    async def _turn(
        self,
        prelude: list[Command],
        options: Mapping[str, Any] | None,
        wait: bool,
        timeout: float,
        when_busy: WhenBusy,
    ) -> LiveResponse:
        self._check_open()
        create = None if options is None else commands.response_create(options)
        if create:
            self.dialect.check(create.get("response", {}))
        response = self._turns.begin(prelude, create, timeout=timeout, when_busy=when_busy)
        return await self.finish(response) if wait else response

    @_on_io
    async def finish(self, response: LiveResponse) -> LiveResponse:
        """Wait for a live response; cancelling this wait cancels the response."""
        await self._turns.finish(response)
        self._left_off(len(self.timeline))
        return response

    @_on_io
    async def send(self, event: Mapping[str, Any] | bytes | str) -> str:
        """Send anything, as it is; the service's word is what counts. Return its event id.

        An object gets an ``event_id`` if it has none, so that an error can be told apart; bytes and text go unchanged.
        """
        if isinstance(event, Mapping):
            return await self._connection.send_wire(event)
        await self._connection.send_frame(event if isinstance(event, bytes) else event.encode("utf-8", "surrogatepass"))
        return ""

    @_on_io
    async def add_message(self, text: str, role: str = "user") -> Item:
        """Add a text message to the conversation without asking for a response; return the item it became."""
        command = commands.text_message(text, role)
        command["item"]["id"] = own = commands.new_id("item")

        def added(event: Event) -> bool:
            item = event.part("item")
            return event.kind == Kind.ITEM_ADDED and (item.get("id") == own or item.get("role") == role)

        event = await self._acknowledged(command, added, Kind.ITEM_ADDED)
        return self.conversation.items.get(event.item_id) or Item(event.item_id, role=role)

    @_on_io
    async def append_audio(self, clip: object) -> float:
        """Append speech to the input buffer, resampled and in chunks of 100 ms; return its length in seconds."""
        speech = await asyncio.to_thread(AudioClip.coerce, clip)
        for command in await asyncio.to_thread(append_commands, speech, self.config):
            await self._connection.send(command)
        return speech.duration

    @_on_io
    async def commit(self) -> str:
        """Turn the input buffer into a user item; return the item's id."""
        return (await self._acknowledged(commands.commit(), _is(Kind.INPUT_COMMITTED), Kind.INPUT_COMMITTED)).item_id

    @_on_io
    async def clear(self) -> None:
        """Throw the input buffer away."""
        await self._acknowledged(commands.clear(), _is(Kind.INPUT_CLEARED), Kind.INPUT_CLEARED)

    @_on_io
    async def configure(self, **config: Any) -> Configured:
        """Change settings, in GA's words, and return what is in effect once the service has confirmed it.

        Raises
        ------
        ConfigurationError
            A word that is not known, or that the dialect cannot carry.
        ServerError
            The service refused.
        """
        tree = nest(config)
        self.dialect.check(tree)
        async with self._update_lock:
            command = commands.session_update(tree)
            await self._acknowledged(command, _is(Kind.SESSION_UPDATED), Kind.SESSION_UPDATED)
        # Compared as it went out: the preview dialect says both modalities where it means speech.
        said = merge(copy_tree(tree), self.dialect.nested(self.dialect.flattened(tree)))
        return Configured(self.config, not_granted(said, self.config))

    @_on_io
    async def cancel(self, response_id: str | None = None) -> None:
        """Stop the response in progress, or the one named, and wait for the service's last word on it."""
        active = self.conversation.active
        wanted = response_id or (active.id if active else None)

        def ended(event: Event) -> bool:
            return event.kind == Kind.RESPONSE_DONE and wanted in (None, event.response_id)

        await self._acknowledged(commands.response_cancel(response_id), ended, Kind.RESPONSE_DONE)

    @_on_io
    async def truncate(self, item_id: str, audio_end_ms: int) -> None:
        """Cut an assistant item at what was heard of it, in milliseconds of its audio."""

        def cut(event: Event) -> bool:
            return event.kind == Kind.ITEM_TRUNCATED and event.item_id == item_id

        await self._acknowledged(commands.item_truncate(item_id, audio_end_ms), cut, Kind.ITEM_TRUNCATED)

    async def _acknowledged(self, command: Command, accept: Predicate, words: str) -> Event:
        """Send a command and return the event that acknowledges it."""
        self._check_open()
        event_id = commands.new_id("event")
        watch = self._connection.watch(Watch(accept, [event_id], words))
        try:
            async with asyncio.timeout(self._timeout):
                await self._connection.send({**command, "event_id": event_id})
                return await watch.future
        except TimeoutError:
            raise self._nothing(words, self._timeout) from None
        finally:
            self._connection.watches.discard(watch)

    def _nothing(self, words: str, timeout: float) -> ResponseTimeout:
        said = f" The service last said: {self._connection.last_error}." if self._connection.last_error else ""
        return ResponseTimeout(
            f"No {words} within {seconds(timeout)}.{said} session.timeline.tail() shows what came instead.",
            waited_for=str(words),
            timeout=timeout,
        )

    def _check_open(self) -> None:
        if self._connection.closed is not None:
            raise self._connection.closed.with_traceback(None)

    # Watching ---------------------------------------------------------------------------------------------------------

    def on(self, type: str, listener: Listener) -> Listener:
        """Call `listener(event)` for each received event that matches, on the listeners' thread.

        Parameters
        ----------
        type : str
            A name in either dialect, ``"*"``, or a glob like ``"response.*"``; ``"open"`` and ``"close"`` too. For a
            session that is open already, a listener for ``"open"`` is called at once.
        """
        self._connection.listeners.add(type, listener, now=self._connection.opened if type == "open" else None)
        return listener

    def once(self, type: str, listener: Listener) -> Listener:
        """Call `listener` for the first event that matches, and forget it."""
        now = self._connection.opened if type == "open" else None
        self._connection.listeners.add(type, listener, once=True, now=now)
        return listener

    def off(self, type: str, listener: Listener | None = None) -> None:
        """Forget `listener` for `type`; without a listener, all of them."""
        self._connection.listeners.remove(type, listener)

    def events(self, type: str = "*", *, since: int | Event | None = None) -> EventStream:
        """Iterate over received events; any number of consumers each see every one.

        A loop begins where the last finished one, or the last finished `ask`, left off: nothing that arrives between two
        loops is missed. It ends with the session; when the session broke, it raises SessionClosed after the last event.

        Parameters
        ----------
        since : int or Event, optional
            Row to begin at instead; 0 is the beginning.
        """
        row = self._consumed if since is None else since if isinstance(since, int) else since.seq + 1
        return EventStream(self._next, type, row, self._left_off)

    @_on_io
    async def _next(self, pattern: str | Predicate, row: int) -> Event | None:
        event = await self._connection.find(pattern, row)
        if event is None and self.closed is not None and self.closed.code not in (1000, 1001):
            raise self.closed.with_traceback(None)
        return event

    def _left_off(self, row: int) -> None:
        self._consumed = max(self._consumed, row)

    @_on_io
    async def wait_for(self, type: str | Predicate, timeout: float = 30.0) -> Event:
        """Return the next event that matches a type, a glob or a predicate, beginning where `events` would.

        Raises
        ------
        ResponseTimeout, SessionClosed
        """
        words = type if isinstance(type, str) else "event that the predicate accepts"
        try:
            async with asyncio.timeout(timeout):
                event = await self._connection.find(type, self._consumed)
        except TimeoutError:
            raise self._nothing(words, timeout) from None
        if event is None:
            raise self.closed or SessionClosed("The session is closed.")
        self._left_off(event.seq + 1)
        return event

    # Keeping and ending -----------------------------------------------------------------------------------------------

    @_on_io
    async def close(self) -> None:
        """Close the session. Everything that was received stays readable."""
        await self._connection.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()


def _is(kind: str) -> Predicate:
    return lambda event: event.kind == kind
