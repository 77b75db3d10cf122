"""`Session`: the blocking face of a realtime session. Each method waits, can be interrupted, and is one line."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self, overload

from rtnb.audio.clip import StereoClip
from rtnb.client.async_session import AsyncSession, F, L
from rtnb.client.endpoint import Endpoint
from rtnb.client.listeners import Listener
from rtnb.client.live_response import LiveResponse
from rtnb.client.loop import LoopThread
from rtnb.client.message_content import Content
from rtnb.client.playback import Heard, Playback
from rtnb.client.remote_calls import Asked
from rtnb.client.session_kind import SessionKind
from rtnb.client.settings import Configured
from rtnb.client.subscriptions import EventStream
from rtnb.client.transcription import Transcription
from rtnb.client.turns import Prompt, WhenBusy
from rtnb.client.waiters import Predicate
from rtnb.conversation.conversation import Conversation
from rtnb.conversation.items import Item
from rtnb.conversation.response import Response
from rtnb.errors import SessionClosed
from rtnb.protocol.dialects import Dialect
from rtnb.protocol.events import Event
from rtnb.timeline import Timeline

if TYPE_CHECKING:
    from rtnb.notebook.microphone import Microphone
    from rtnb.notebook.panel import SessionPanel
    from rtnb.notebook.speech_capture import SpeechCapture


class Progress(Protocol):
    """Shows how a response grows while a cell waits for it; called on the cell's own thread."""

    def update(self, response: Response) -> None:
        """Show the response as it stands."""

    def finish(self) -> None:
        """Leave nothing behind."""


class Session:
    """A realtime session, made by `rtnb.connect`.

    Every method may be called in a notebook cell, a script, or any thread but rtnb's own; what it does and raises is
    described at `AsyncSession`'s method of the same name. All I/O is on a thread of its own, so a cell that computes
    disturbs neither the connection nor the arrival times.

    Parameters
    ----------
    session : AsyncSession
    io : LoopThread
    progress : callable, optional
        Makes the `Progress` of one waiting cell.
    """

    def __init__(self, session: AsyncSession, io: LoopThread, progress: Callable[[], Progress] | None = None) -> None:
        self._session = session
        self._io = io
        self._progress = progress

    @property
    def core(self) -> AsyncSession:
        """Return the session that does the work; its coroutines may be awaited on any loop. Views use it."""
        return self._session

    # What there is ----------------------------------------------------------------------------------------------------

    @property
    def endpoint(self) -> Endpoint:
        """Return where the session is connected; shows no secret."""
        return self._session.endpoint

    @property
    def timeline(self) -> Timeline:
        """Return everything that crossed the wire, as a table that grows."""
        return self._session.timeline

    @property
    def conversation(self) -> Conversation:
        """Return items, responses and settings, as the events have them."""
        return self._session.conversation

    @property
    def responses(self) -> list[Response]:
        """Return every response, in the order in which they were created."""
        return self._session.responses

    @property
    def usage(self) -> dict[str, Any]:
        """Return the tokens that all responses used, cancelled ones included."""
        return self._session.usage

    @property
    def config(self) -> dict[str, Any]:
        """Return the settings in effect, in GA's nested form."""
        return self._session.config

    @property
    def state(self) -> str:
        """Return ``"open"`` or ``"closed"``."""
        return self._session.state

    @property
    def closed(self) -> SessionClosed | None:
        """Return how the session ended, None while it is open."""
        return self._session.closed

    @property
    def id(self) -> str:
        """Return the service's id of the session; empty where it gave none."""
        return self._session.id

    @property
    def dialect(self) -> Dialect:
        """Return the dialect that is spoken."""
        return self._session.dialect

    @property
    def kind(self) -> SessionKind:
        """Return which kind of session this is: realtime, transcription or translation."""
        return self._session.kind

    @property
    def problems(self) -> list[str]:
        """Return what went wrong outside of any call: the newest 20, in words."""
        return self._session.problems

    @property
    def playback(self) -> Playback | None:
        """Return what the speaker that is connected has played; None without one."""
        return self._session.playback

    # Talking ----------------------------------------------------------------------------------------------------------

    def ask(
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
        """Add a user message, ask for a response and return it finished; see `AsyncSession.ask`.

        While it waits, the cell shows what has arrived. Interrupting the cell cancels the response; the session lives on.
        """
        how: dict[str, Any] = {"timeout": timeout, "when_busy": when_busy, "out_of_band": out_of_band, **options}
        return self._turn(self._session.ask(prompt, image=image, detail=detail, wait=False, **how), wait)

    def respond(
        self, *, wait: bool = True, timeout: float = 60.0, when_busy: WhenBusy = "wait", **options: Any
    ) -> LiveResponse:
        """Ask for a response to the conversation as it stands; see `ask`."""
        return self._turn(self._session.respond(wait=False, timeout=timeout, when_busy=when_busy, **options), wait)

    def transcribe(self, clip: object, *, wait: bool = True, timeout: float = 60.0) -> Transcription:
        """Return the transcript of speech, for which no response is asked; see `AsyncSession.transcribe`."""
        return self._turn(self._session.transcribe(clip, wait=False, timeout=timeout), wait)

    def _turn(self, beginning: Coroutine[Any, Any, L], wait: bool) -> L:
        """Begin a turn and wait for it in one call, so that an interrupt at any moment stops all of it."""
        if not wait:
            return self._io.call(beginning)
        begun: list[L] = []

        async def whole() -> L:
            begun.append(await beginning)
            return await self._session.finish(begun[0])

        if self._progress is None:
            return self._io.call(whole())
        progress = self._progress()

        def show() -> None:
            for response in begun:
                progress.update(response)

        try:
            return self._io.call(whole(), while_waiting=show)
        finally:
            progress.finish()

    def send(self, event: Mapping[str, Any] | bytes | str) -> str:
        """Send anything, as it is, and return its event id."""
        return self._io.call(self._session.send(event))

    def add_message(self, text: Content, role: str = "user", *, detail: str | None = None) -> Item:
        """Add a message without asking for a response; return the item it became. See `AsyncSession.add_message`."""
        return self._io.call(self._session.add_message(text, role, detail=detail))

    def approve(self, asked: Asked, *, reason: str = "", wait: bool = True, timeout: float = 60.0) -> LiveResponse:
        """Approve the call of a remote (MCP) tool, and return the response that goes on; see `AsyncSession.approve`."""
        return self._turn(self._session.approve(asked, reason=reason, wait=False, timeout=timeout), wait)

    def deny(self, asked: Asked, *, reason: str = "", wait: bool = True, timeout: float = 60.0) -> LiveResponse:
        """Deny the call of a remote (MCP) tool, and return what the model says to that; see `AsyncSession.approve`."""
        return self._turn(self._session.deny(asked, reason=reason, wait=False, timeout=timeout), wait)

    def append_audio(self, clip: object) -> float:
        """Append speech to the input buffer; return its length in seconds."""
        return self._io.call(self._session.append_audio(clip))

    def commit(self) -> str:
        """Turn the input buffer into a user item; return the item's id."""
        return self._io.call(self._session.commit())

    def clear(self) -> None:
        """Empty the input buffer."""
        self._io.call(self._session.clear())

    def configure(self, **config: Any) -> Configured:
        """Change settings and return what is in effect, and what was not granted."""
        return self._io.call(self._session.configure(**config))

    def cancel(self, response_id: str | None = None) -> None:
        """Stop the response in progress, or the one named."""
        self._io.call(self._session.cancel(response_id))

    def interrupt(self, *, cancel: bool = True) -> Heard | None:
        """Stop the answer and cut it at what was heard of it; return how far that was."""
        return self._io.call(self._session.interrupt(cancel=cancel))

    @overload
    def tool(self, function: F) -> F: ...
    @overload
    def tool(self, *, name: str | None = None, description: str | None = None) -> Callable[[F], F]: ...
    def tool(self, function: F | None = None, *, name: str | None = None, description: str | None = None) -> Any:
        """Let the model call a typed Python function: ``@session.tool``; see `AsyncSession.tool`.

        This waits until the service has accepted the tool; a ServerError says that it refused.
        """

        def add(decorated: F) -> F:
            return self._io.call(self._session.add_tool(decorated, name, description))

        return add if function is None else add(function)

    def truncate(self, item_id: str, audio_end_ms: int, content_index: int = 0) -> None:
        """Cut an assistant item at what was heard of it, in milliseconds of its audio."""
        self._io.call(self._session.truncate(item_id, audio_end_ms, content_index))

    def microphone(self, clip: object = None) -> Microphone:
        """Return a microphone for the notebook; with `clip`, one that hears the clip instead."""
        return self._session.microphone(clip)

    def listen(self, seconds: float = 5.0, clip: object = None) -> SpeechCapture:
        """Listen to the user: ``await session.listen(5)``, or ``session.listen(5).wait()``; see `AsyncSession.listen`."""
        return self._session.listen(seconds, clip)

    # Events -----------------------------------------------------------------------------------------------------------

    def on(self, type: str, listener: Listener) -> Listener:
        """Call `listener(event)` for each received event that matches; see `AsyncSession.on`."""
        return self._session.on(type, listener)

    def once(self, type: str, listener: Listener) -> Listener:
        """Call `listener` for the first event that matches, and remove it."""
        return self._session.once(type, listener)

    def off(self, type: str, listener: Listener | None = None) -> None:
        """Remove `listener` for `type`; without a listener, all of them."""
        self._session.off(type, listener)

    def events(self, type: str = "*", *, since: int | Event | None = None) -> Iterator[Event]:
        """Iterate over received events, blocking for each; see `AsyncSession.events`."""
        return self._each(self._session.events(type, since=since))

    def _each(self, iterator: EventStream) -> Iterator[Event]:
        while True:
            try:
                yield self._io.call(_next(iterator))
            except StopAsyncIteration:
                return

    def wait_for(self, type: str | Predicate, timeout: float = 30.0) -> Event:
        """Return the next event that matches a type, a glob or a predicate; see `AsyncSession.wait_for`."""
        return self._io.call(self._session.wait_for(type, timeout))

    def panel(self) -> SessionPanel:
        """Return a widget to talk to the session, hear it, and watch what happens."""
        from rtnb.notebook.panel import SessionPanel

        return SessionPanel(self)

    # Keeping and ending -----------------------------------------------------------------------------------------------

    def mix(self, rate: int = 24_000) -> StereoClip:
        """Return the talk as a stereo clip on one clock: the user on the left, the assistant on the right."""
        return self._session.mix(rate)

    def save(self, path: str | Path) -> Path:
        """Save the log as it stands to a ``.rtnb.jsonl`` file, which `rtnb.open` reads."""
        return self._session.save(path)

    def resume(self) -> Self:
        """Connect anew after the session was lost, closed or has expired, and go on where it stopped."""
        self._io.call(self._session.resume())
        return self

    def close(self) -> None:
        """Close the session. Everything that was received stays readable."""
        self._io.call(self._session.close())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return repr(self._session)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return self._session._repr_mimebundle_(include, exclude)


async def _next(iterator: EventStream) -> Event:
    return await anext(iterator)
