"""`AsyncSession`: a realtime session as coroutines. `Session` is its blocking face, for cells that do not await.

It owns its parts and offers their verbs: requests, reconnect, settings, tools, turns, subscriptions. What a verb does in
detail is in the part.
"""

from __future__ import annotations

import concurrent.futures
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar, overload

from rtnb import display
from rtnb.audio import AudioClip
from rtnb.client.connection import Connection, Record
from rtnb.client.function_tool import FunctionTool
from rtnb.client.handshake import Handshake
from rtnb.client.listeners import Listener
from rtnb.client.live_response import LiveResponse
from rtnb.client.loop import LoopThread, on_io
from rtnb.client.message_content import Content
from rtnb.client.playback import Heard, Playback
from rtnb.client.reconnect import Reconnect
from rtnb.client.remote_calls import Asked
from rtnb.client.requests import Requests
from rtnb.client.session_kind import SessionKind, asked_kind, check_asked, with_transcriber
from rtnb.client.settings import Configured, SessionSettings
from rtnb.client.subscriptions import EventStream, Subscriptions
from rtnb.client.summary import SessionSummary, html, sentence, summarize
from rtnb.client.tools import Tools, with_tools
from rtnb.client.transcription import Transcription
from rtnb.client.turns import Prompt, Turns, WhenBusy
from rtnb.client.waiters import Predicate
from rtnb.conversation.items import Item
from rtnb.conversation.record import SessionRecord
from rtnb.errors import SessionClosed
from rtnb.protocol.dialects import Dialect
from rtnb.protocol.events import Event

if TYPE_CHECKING:
    from rtnb.notebook.microphone import Microphone
    from rtnb.notebook.speech_capture import SpeechCapture

F = TypeVar("F", bound=Callable[..., Any])
L = TypeVar("L", bound=LiveResponse)
T = TypeVar("T")


class AsyncSession(SessionRecord):
    """A realtime session. Made by `rtnb.connect_async`; its coroutines may be awaited on any event loop.

    Attributes
    ----------
    endpoint : Endpoint
        Where it is connected; shows no secret.
    playback : Playback or None
        What the speaker that is connected has played; None without one.
    local_speech : callable or None
        ``await local_speech(text)`` returns the text as an `AudioClip`, spoken by the local service.
    """

    def __init__(self, connection: Connection, handshake: Handshake, io: LoopThread) -> None:
        super().__init__(connection.timeline, connection.conversation)
        self.endpoint = handshake.endpoint
        self.playback: Playback | None = None
        self.local_speech: Callable[[str], Awaitable[AudioClip]] | None = None
        self._io = io
        self._connection = connection
        self._credential = handshake.credential
        self._requests = Requests(connection, handshake.timeout, asked_kind(self.endpoint.url, self.endpoint.intent))
        self._tools = Tools(connection.note_problem)
        self._reconnect = Reconnect(self._requests, handshake, self._reconnected, self._tools.own)
        self._settings = SessionSettings(self._requests, self._tools, self._reconnect.ready, self.endpoint.not_imitated)
        self._turns = Turns(self._requests, self._settings, self._tools, self._reconnect.ready, io)
        self._subscriptions = Subscriptions(self._requests, self._reconnect.settled, io)
        io.close_at_exit(connection)

    def _reconnected(self) -> None:
        self._settings.start_sending_tools()  # not awaited: it waits for the reconnect task
        self._turns.attend()

    @classmethod
    async def open(
        cls, handshake: Handshake, io: LoopThread, config: Mapping[str, Any], record: Record | None = None
    ) -> Self:
        """Connect, wait for ``session.created`` and apply `config` (flat GA words); on the I/O loop. Raises as `connect`."""
        config = with_tools(config)
        place = handshake.endpoint
        check_asked(place.dialect, place.url, place.intent, config)
        connection = await handshake.connect(io, record)
        session = cls(connection, handshake, io)
        try:
            granted = connection.conversation.config
            await session._settings.apply(config if place.call_id else with_transcriber(session.kind, config, granted))
        except BaseException:
            await session.close()
            raise
        return session

    # What there is ----------------------------------------------------------------------------------------------------

    @property
    def state(self) -> str:
        """Return ``"open"`` or ``"closed"``."""
        return "open" if self.closed is None else "closed"

    @property
    def closed(self) -> SessionClosed | None:
        """Return how the session ended, None while it is open."""
        return self._connection.closed

    @property
    def dialect(self) -> Dialect:
        """Return the dialect that is spoken."""
        return self._connection.dialect

    @property
    def kind(self) -> SessionKind:
        """Return which kind of session this is: realtime, transcription or translation."""
        return self._requests.kind

    @property
    def problems(self) -> list[str]:
        """Return what went wrong outside of any call: the newest 20, in words."""
        return list(self._connection.problems)

    def summary(self) -> SessionSummary:
        """Return what a line or a card about the session says."""
        return summarize(self._requests, self.endpoint, self._credential)

    def __repr__(self) -> str:
        return sentence(self.summary())

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        summary = self.summary()
        return {"text/plain": sentence(summary), "text/html": html(summary)}

    # Talking ----------------------------------------------------------------------------------------------------------

    @on_io
    async def ask(
        self,
        prompt: Prompt,
        *,
        image: object = None,
        detail: str | None = None,
        wait: bool = True,
        timeout: float = 60.0,
        when_busy: WhenBusy = "wait",
        out_of_band: bool = False,
        **options: Any,
    ) -> LiveResponse:
        """Add a user message and ask for a response.

        Parameters
        ----------
        prompt : str, AudioClip, Path, (samples, rate), bytes of a WAV file, or a list for `add_message`
            Text, or speech.
        image : matplotlib figure or Axes, PIL image, path, PNG or JPEG bytes, data URL, or a list, optional
            What the model is to look at; with ``detail="low"`` or ``"high"``, how closely.
        wait : bool
            False returns at once with a response that is live.
        timeout : float
            Seconds for all of it, waiting for a reconnect included. After that the response is cancelled.
        when_busy : {"wait", "cancel", "raise"}
            What to do while another response is in progress.
        out_of_band : bool
            Ask beside the conversation, which neither question nor answer becomes part of; nothing is waited for. The model
            sees the question only, and what ``input=`` (a list of items) puts before it.
        **options
            Settings of this response only, in GA's words: ``instructions=``, ``output_modalities=``, ``voice=`` …

        Raises
        ------
        ServerError, ResponseTimeout, SessionBusy, SessionClosed, AudioError, ImageError
        """
        how: dict[str, Any] = {"timeout": timeout, "when_busy": when_busy, "out_of_band": out_of_band}
        response = await self._turns.ask(prompt, options, image=image, detail=detail, **how)
        return await self.finish(response) if wait else response

    @on_io
    async def respond(
        self, *, wait: bool = True, timeout: float = 60.0, when_busy: WhenBusy = "wait", **options: Any
    ) -> LiveResponse:
        """Ask for a response to the conversation as it stands. Parameters and errors as for `ask`."""
        response = await self._turns.respond(options, timeout=timeout, when_busy=when_busy)
        return await self.finish(response) if wait else response

    @on_io
    async def transcribe(self, clip: object, *, wait: bool = True, timeout: float = 60.0) -> Transcription:
        """Return the transcript of speech, for which no response is asked: ``transcribe(clip).transcript``.

        For transcription sessions, and others whose ``transcription=`` is on (else ConfigurationError); no turns are
        detected until the speech is committed. Where the service cannot transcribe it, a ServerError has its words.
        """
        transcription = await self._turns.transcribe(clip, timeout=timeout)
        return await self.finish(transcription) if wait else transcription

    @on_io
    async def finish(self, response: L) -> L:
        """Wait for a live response; cancelling this wait cancels the response."""
        await self._turns.finish(response)
        self._subscriptions.consumed(len(self.timeline))
        return response

    @on_io
    async def cancel(self, response_id: str | None = None) -> None:
        """Stop the response in progress, or the one named, and wait for its end."""
        await self._requests.cancel(response_id)

    @on_io
    async def interrupt(self, *, cancel: bool = True) -> Heard | None:
        """Stop the answer, as speech of the user does: cancel it, and cut it at what was heard.

        A connected speaker falls silent and reports what was heard; without one it is computed from the arrival of the
        audio, as if played at once. An item of which nothing was heard is deleted, and functions are not waited for any
        more. Returns how far it was heard; None where nothing was being spoken. With ``cancel=False`` the service cancels.
        """
        return await self._turns.interrupt(self.playback, cancel=cancel)

    @on_io
    async def send(self, event: Mapping[str, Any] | bytes | str) -> str:
        """Send anything, as it is, and return its event id: an object gets one if it has none, bytes and text have none."""
        return await self._requests.send(event)

    @on_io
    async def add_message(self, text: Content, role: str = "user", *, detail: str | None = None) -> Item:
        """Add a message without asking for a response: a text, image, clip or raw part, or a list of them; return its item."""
        await self._reconnect.ready(self._requests.timeout)
        return await self._requests.add_message(text, role, detail=detail)

    @on_io
    async def approve(
        self, asked: Asked, *, reason: str = "", wait: bool = True, timeout: float = 60.0
    ) -> LiveResponse:
        """Approve remote (MCP) calls, by a request item, its id, or all of a response; return what goes on, as `ask` does."""
        response = await self._turns.decide(asked, approve=True, reason=reason, timeout=timeout)
        return await self.finish(response) if wait else response

    @on_io
    async def deny(self, asked: Asked, *, reason: str = "", wait: bool = True, timeout: float = 60.0) -> LiveResponse:
        """Deny remote (MCP) calls, as `approve` takes them, and return what the model says to that."""
        response = await self._turns.decide(asked, approve=False, reason=reason, timeout=timeout)
        return await self.finish(response) if wait else response

    @on_io
    async def append_audio(self, clip: object) -> float:
        """Append speech to the input buffer, resampled and in chunks of 100 ms; return its length in seconds."""
        return await self._requests.append_audio(clip)

    @on_io
    async def commit(self) -> str:
        """Turn the input buffer into a user item; return the item's id."""
        return await self._requests.commit()

    @on_io
    async def clear(self) -> None:
        """Empty the input buffer."""
        await self._requests.clear()

    @on_io
    async def truncate(self, item_id: str, audio_end_ms: int, content_index: int = 0) -> None:
        """Cut an assistant item at what was heard of it, in milliseconds of its audio."""
        await self._requests.truncate(item_id, audio_end_ms, content_index)

    # Settings and tools -----------------------------------------------------------------------------------------------

    @on_io
    async def configure(self, **config: Any) -> Configured:
        """Change settings, in GA's words, and return what is in effect once the service has confirmed it.

        Raises
        ------
        ConfigurationError, ServerError
            A word that is not known, or that the dialect cannot carry; the service refused.
        """
        return await self._settings.configure(config)

    @overload
    def tool(self, function: F) -> F: ...
    @overload
    def tool(self, *, name: str | None = None, description: str | None = None) -> Callable[[F], F]: ...
    def tool(self, function: F | None = None, *, name: str | None = None, description: str | None = None) -> Any:
        """Let the model call a typed Python function: ``@session.tool``, or ``@session.tool(name="…")``.

        The function is called off the loop, async ones too, when a response that wants it is done; its result, or its
        error, goes back to the model, which then answers. A function without type hints, or with a type that has no JSON
        schema, is a ConfigurationError.
        """

        def add(decorated: F) -> F:
            self._tools.add(FunctionTool(decorated, name=name, description=description))
            self.call_soon(self._settings.start_sending_tools)
            return decorated

        return add if function is None else add(function)

    @on_io
    async def add_tool(self, function: F, name: str | None = None, description: str | None = None) -> F:
        """Add a tool as `tool` does, and wait until the service has accepted it; one that it refuses is dropped (ServerError)."""
        await self._settings.add_tool(FunctionTool(function, name=name, description=description))
        return function

    # Events -----------------------------------------------------------------------------------------------------------

    def on(self, type: str, listener: Listener) -> Listener:
        """Call `listener(event)` for each received event that matches, on the listeners' thread.

        `type` is a name in either dialect, ``"*"``, or a glob like ``"response.*"``; ``"open"`` and ``"close"`` too. What
        opened the session, ``"open"`` and ``"session.created"``, comes at once to a listener that is added later.
        """
        return self._subscriptions.add(type, listener)

    def once(self, type: str, listener: Listener) -> Listener:
        """Call `listener` for the first event that matches, and remove it."""
        return self._subscriptions.add(type, listener, once=True)

    def off(self, type: str, listener: Listener | None = None) -> None:
        """Remove `listener` for `type`; without a listener, all of them."""
        self._subscriptions.remove(type, listener)

    def events(self, type: str = "*", *, since: int | Event | None = None) -> EventStream:
        """Iterate over received events; any number of consumers each see every one.

        A loop begins where the last finished one, or the last finished `ask`, left off: nothing that arrives between two
        loops is missed. It ends with the session; when the session broke, it raises SessionClosed after the last event.
        With ``reconnect=True`` it goes on over the new connection. `since` is a row to begin at instead, 0 the beginning.
        """
        return self._subscriptions.stream(type, since)

    @on_io
    async def wait_for(self, type: str | Predicate, timeout: float = 30.0) -> Event:
        """Return the next event that matches a type, a glob or a predicate, beginning where `events` would."""
        return await self._subscriptions.wait_for(type, timeout)

    def microphone(self, clip: object = None) -> Microphone:
        """Return a microphone for the notebook; with `clip`, one that hears the clip instead."""
        return display.backend().microphone(self, clip)

    def listen(self, seconds: float = 5.0, clip: object = None) -> SpeechCapture:
        """Listen to the user for so many seconds: ``clip = await session.listen(5)``, in a script ``session.listen(5).wait()``.

        What is heard goes to the service, too, as from a microphone that is then stopped. Without a browser, or where it
        refuses the microphone, the local voice speaks, and `SpeechCapture.words` says so. A `clip`, in any form that `ask`
        takes (else AudioError), is heard instead of a microphone; cut to `seconds`, or followed by silence.
        """
        return display.backend().listen(self, seconds, clip)

    @property
    def core(self) -> Self:
        """Return the session that does the work: this one. `core` and the next four are for views."""
        return self

    def submit(self, coroutine: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
        """Begin a coroutine on the I/O loop and return at once, from any thread; the outcome comes in the future."""
        return self._io.submit(coroutine)

    def call_soon(self, function: Callable[..., object], *args: Any) -> None:
        """Call a function on the I/O loop soon, from any thread."""
        self._io.loop.call_soon_threadsafe(function, *args)

    def now(self) -> float:
        """Return the seconds since the session opened, by the clock of the timeline's ``t``."""
        return self._connection.now()

    def note_problem(self, words: str) -> None:
        """Add to `problems`; on the I/O loop."""
        self._connection.note_problem(words)

    @on_io
    async def resume(self) -> Self:
        """Connect anew after the session was lost, closed or has expired, and go on where it stopped.

        Settings and conversation items are restored: speech as its transcript, a truncated answer as what was heard of it.
        The timeline goes on; a row of type ``"resume"`` marks the seam. What could not be restored is among `problems`.
        Where a reconnect task runs already, this waits for it. A session that is open is a ConfigurationError; any other
        error (ConnectError, AuthError, SessionClosed, ResponseTimeout) leaves it closed, to be resumed later.
        """
        await self._reconnect.resume()
        return self

    @on_io
    async def close(self) -> None:
        """Close the session; a translation is first spoken to its end. Everything that was received stays readable."""
        await self._reconnect.stop()
        await self._requests.end()
        await self._connection.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()
