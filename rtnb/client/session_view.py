"""What a view needs of the session that it shows: the protocols that the widgets are typed against."""

from __future__ import annotations

import concurrent.futures
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, Protocol, TypeVar, runtime_checkable

from rtnb.audio import AudioClip
from rtnb.client.endpoint import Endpoint
from rtnb.client.listeners import Listener
from rtnb.client.live_response import LiveResponse
from rtnb.client.playback import Heard, Playback
from rtnb.client.session_kind import SessionKind
from rtnb.client.settings import Configured
from rtnb.client.summary import SessionSummary
from rtnb.client.turns import WhenBusy
from rtnb.conversation.conversation import Conversation
from rtnb.conversation.response import Response
from rtnb.errors import SessionClosed
from rtnb.protocol.dialects import Dialect
from rtnb.timeline import Timeline

T = TypeVar("T")


@runtime_checkable
class ViewedSession(Protocol):
    """A session that a view can be made for: `Session` and `AsyncSession`. A recording is none."""

    @property
    def core(self) -> SessionCore:
        """Return the session that does the work: an `AsyncSession` itself, the one behind a `Session`."""


class SessionCore(ViewedSession, Protocol):
    """What a view reads of a session, and what it asks of it.

    The coroutines run on the I/O loop: a view begins one with ``core.submit(core.ask(…))``, from any thread, and does not
    wait for it.

    Attributes
    ----------
    playback : Playback or None
        What the speaker that is connected has played; a speaker puts its own here.
    local_speech : callable or None
        ``await local_speech(text)`` returns the text as an `AudioClip`, spoken by the local service; a microphone that has
        no browser uses it.
    """

    timeline: Timeline
    endpoint: Endpoint
    playback: Playback | None
    local_speech: Callable[[str], Awaitable[AudioClip]] | None

    # To read ----------------------------------------------------------------------------------------------------------

    @property
    def conversation(self) -> Conversation:
        """Return items, responses and settings, as the events have them."""

    @property
    def responses(self) -> list[Response]:
        """Return every response, in the order in which they were created."""

    @property
    def usage(self) -> dict[str, Any]:
        """Return the tokens that all responses used."""

    @property
    def config(self) -> dict[str, Any]:
        """Return the settings in effect, in GA's nested form."""

    @property
    def dialect(self) -> Dialect:
        """Return the dialect that is spoken; it encodes what is sent as it is."""

    @property
    def kind(self) -> SessionKind:
        """Return which kind of session this is, and what has a meaning in it."""

    @property
    def closed(self) -> SessionClosed | None:
        """Return how the session ended, None while it is open."""

    @property
    def problems(self) -> list[str]:
        """Return what went wrong outside of any call: the newest 20, in words."""

    def summary(self) -> SessionSummary:
        """Return what a line or a card about the session says."""

    def now(self) -> float:
        """Return the seconds since the session opened, by the clock of the timeline's ``t``."""

    # To do, from any thread -------------------------------------------------------------------------------------------

    def submit(self, coroutine: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
        """Begin a coroutine on the I/O loop and return at once; the outcome comes in the future."""

    def call_soon(self, function: Callable[..., object], *args: Any) -> None:
        """Call a function on the I/O loop soon."""

    def note_problem(self, words: str) -> None:
        """Add to `problems`; on the I/O loop."""

    def on(self, type: str, listener: Listener) -> Listener:
        """Call `listener(event)` for each received event that matches, on the listeners' thread."""

    def off(self, type: str, listener: Listener | None = None) -> None:
        """Remove a listener; without one, all listeners for `type`."""

    # Coroutines, for `submit` -----------------------------------------------------------------------------------------

    async def ask(
        self, prompt: str, *, wait: bool = True, timeout: float = 60.0, when_busy: WhenBusy = "wait"
    ) -> LiveResponse:
        """Add a user message and ask for a response."""

    async def respond(self, *, wait: bool = True, timeout: float = 60.0) -> LiveResponse:
        """Ask for a response to the conversation as it stands."""

    async def send(self, event: Mapping[str, Any]) -> str:
        """Send an event as it is; return its event id."""

    async def configure(self, **config: Any) -> Configured:
        """Change settings, and return what is in effect."""

    async def commit(self) -> str:
        """Turn the input buffer into a user item; return the item's id."""

    async def clear(self) -> None:
        """Empty the input buffer."""

    async def cancel(self) -> None:
        """Stop the response in progress."""

    async def interrupt(self, *, cancel: bool = True) -> Heard | None:
        """Stop the answer and cut it at what was heard of it."""
