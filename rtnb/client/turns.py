"""Turns: asking for a response, and following exactly that response to its end.

A turn is a task of the session, so it ends properly even when whoever asked for it was interrupted: an abandoned turn
cancels its response and waits for the service's last word on it before the next turn begins.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Generator, Sequence
from typing import Any, Literal

from rtnb import formatting
from rtnb.client.connection import Connection
from rtnb.client.loop import LoopThread
from rtnb.client.watches import Watch
from rtnb.errors import ConfigurationError, ResponseTimeout, RtnbError, ServerError, SessionBusy
from rtnb.items import ResponseState
from rtnb.protocol import commands
from rtnb.protocol.commands import Command
from rtnb.protocol.events import Event
from rtnb.protocol.names import Kind
from rtnb.response import Response

WhenBusy = Literal["wait", "cancel", "raise"]
ACTIVE_ALREADY = "conversation_already_has_active_response"
_GRACE = 5.0


class LiveResponse(Response):
    """A response on its way. It grows by itself; ``await`` it, or call `wait`, to have it finished."""

    def __init__(self, connection: Connection, io: LoopThread) -> None:
        super().__init__(ResponseState(), connection.timeline)
        self._io = io
        self.task: asyncio.Task[None] | None = None
        self.failure: BaseException | None = None
        self.waits_for = "its turn"
        self._settled = asyncio.Event()

    def follow(self, state: ResponseState) -> None:
        """Show what `state` tells from now on."""
        self._state = state

    @property
    def done(self) -> bool:
        """Return whether nothing more will come."""
        return super().done or self.failure is not None

    @property
    def error(self) -> ServerError | None:
        """Return why the response failed, or why it never began; None while there is no failure."""
        return self.failure if isinstance(self.failure, ServerError) else super().error

    def settle(self, failure: BaseException | None = None) -> None:
        """Let those who wait go on: the response is finished, or `failure` says why it never will be."""
        self.failure = self.failure or failure
        self._settled.set()

    def wait(self) -> LiveResponse:
        """Block until the response is finished, and return it.

        Raises
        ------
        ServerError, ResponseTimeout, SessionClosed
            As `Session.ask` does.
        """
        return self._io.call(self._finished())

    def __await__(self) -> Generator[Any, None, LiveResponse]:
        return self._io.acall(self._finished()).__await__()

    async def _finished(self) -> LiveResponse:
        await self._settled.wait()
        if self.failure is not None:
            raise self.failure
        return self


class _ResponseWatch(Watch):
    """Follows one response from the request to its end."""

    def __init__(
        self, connection: Connection, response: LiveResponse, asked: str | None, event_ids: Sequence[str]
    ) -> None:
        super().__init__(self._ended, event_ids, Kind.RESPONSE_DONE)
        self._conversation = connection.conversation
        self._response = response
        self._asked = asked
        self._bound = False

    def _ended(self, event: Event) -> bool:
        if event.kind == Kind.RESPONSE_CREATED and not self._bound:
            state = self._conversation.responses.get(event.response_id)
            state = state or next(reversed(self._conversation.responses.values()), None)
            if state is not None and (self._asked is None or state.request_id == self._asked):
                self._bound = True
                self._response.waits_for = Kind.RESPONSE_DONE
                self._response.follow(state)
        return self._bound and not self._response._state.active


class Turns:
    """The turns of one session, one after the other.

    Parameters
    ----------
    connection : Connection
    io : LoopThread
    """

    def __init__(self, connection: Connection, io: LoopThread) -> None:
        self._connection = connection
        self._io = io
        self._lock = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def busy(self) -> bool:
        """Return whether a turn is running or a response is in progress."""
        return self._lock.locked() or self._connection.conversation.active is not None

    def begin(
        self,
        prelude: Sequence[Command],
        create: Command | None,
        *,
        timeout: float,
        when_busy: WhenBusy = "wait",
    ) -> LiveResponse:
        """Start a turn and return its response, which is live.

        Parameters
        ----------
        prelude : sequence of commands
            Sent first: the user's message, or audio.
        create : command or None
            The request; None where the service's turn detection makes the response.
        timeout : float
            Seconds for all of it, waiting for its turn included.

        Raises
        ------
        SessionBusy
            With ``when_busy="raise"``, if something is in progress.
        """
        if when_busy not in ("wait", "cancel", "raise"):
            raise ConfigurationError(f"when_busy={when_busy!r} is not known; write 'wait', 'cancel' or 'raise'.")
        if when_busy == "raise" and self.busy:
            raise SessionBusy(
                "A response is in progress; wait for it, or call with when_busy='wait' (its turn comes) or 'cancel'."
            )
        response = LiveResponse(self._connection, self._io)
        task = asyncio.create_task(self._guard(response, prelude, create, when_busy), name="rtnb-turn")
        response.task = task
        self._tasks.add(task)
        timer = asyncio.get_running_loop().call_later(timeout, self._expire, response, timeout)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(lambda _: timer.cancel())
        return response

    async def finish(self, response: LiveResponse) -> LiveResponse:
        """Wait for a turn that was begun; if the wait is cancelled, abandon the response."""
        try:
            return await response._finished()
        except asyncio.CancelledError:
            self.abandon(response)
            raise

    def abandon(self, response: LiveResponse) -> None:
        """Cancel a response that nobody waits for any more; the session lives on."""
        self._give_up(response, RtnbError("The wait for this response was interrupted; the response was cancelled."))

    def _expire(self, response: LiveResponse, timeout: float) -> None:
        self._give_up(response, self._timed_out(response, timeout))

    def _give_up(self, response: LiveResponse, failure: RtnbError) -> None:
        if response.task is not None and not response.task.done():
            response.settle(failure)
            response.task.cancel()

    async def _guard(
        self, response: LiveResponse, prelude: Sequence[Command], create: Command | None, when_busy: WhenBusy
    ) -> None:
        """Run a turn; whatever ends it is kept on the response, for whoever asks."""
        try:
            if when_busy == "cancel":
                await self._cancel_active()
            async with self._lock:
                await self._run(response, prelude, create)
            response.settle()
        except asyncio.CancelledError:
            response.settle(RtnbError("The session ended before the response did."))
        except RtnbError as error:
            response.settle(error)
        except Exception as error:
            response.settle(RtnbError(f"The turn failed: {type(error).__name__}: {error}"))

    async def _run(self, response: LiveResponse, prelude: Sequence[Command], create: Command | None) -> None:
        await self._idle()
        connection = self._connection
        sent = [{**command, "event_id": commands.new_id("event")} for command in prelude]
        while True:
            asked = {**create, "event_id": commands.new_id("event")} if create else None
            own = [each for each in (*sent, asked) if each]
            watch = _ResponseWatch(
                connection, response, asked["event_id"] if asked else None, [each["event_id"] for each in own]
            )
            connection.watch(watch)
            response.waits_for = Kind.RESPONSE_CREATED
            try:
                for command in own:
                    await connection.send(command)
                await watch.future
                return
            except ServerError as error:
                if error.code != ACTIVE_ALREADY or not asked or error.event_id != asked["event_id"]:
                    raise
                # The service began a response of its own in between; the message stands, only the request goes again.
                sent = []
                await self._idle()
            except asyncio.CancelledError:
                await self._stop(response)
                raise
            finally:
                connection.watches.discard(watch)

    async def _idle(self) -> None:
        """Wait until no response of the default conversation is in progress."""
        while self._connection.conversation.active is not None:
            await self._connection.watch(Watch(lambda event: event.kind == Kind.RESPONSE_DONE)).future

    async def _cancel_active(self) -> None:
        active = self._connection.conversation.active
        if active is not None:
            await self._connection.send(commands.response_cancel(active.id or None))

    async def _stop(self, response: LiveResponse) -> None:
        """Cancel a response on the service, and hear its last word before the next turn may begin."""
        state = response._state
        if self._connection.closed is not None or (state.id and not state.active):
            return
        ended = self._connection.watch(Watch(lambda event: event.kind == Kind.RESPONSE_DONE))
        with contextlib.suppress(RtnbError, TimeoutError):
            async with asyncio.timeout(_GRACE):
                await self._connection.send(commands.response_cancel(state.id or None))
                await ended.future
        self._connection.watches.discard(ended)

    def _timed_out(self, response: LiveResponse, timeout: float) -> ResponseTimeout:
        said = f" The service last said: {self._connection.last_error}." if self._connection.last_error else ""
        waited = response.waits_for
        return ResponseTimeout(
            f"No {waited} within {formatting.seconds(timeout)}; the response was cancelled and the session lives on.{said} "
            "Give timeout= more seconds, or look at session.timeline.tail().",
            waited_for=str(waited),
            timeout=timeout,
        )
