"""Turns: asking for a response, and following exactly that response to its end.

A turn is a task of the session, so it ends properly even when whoever asked for it was interrupted: an abandoned turn
cancels its response and waits for the service's last word on it before the next turn begins.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine, Sequence
from typing import Any, Literal

from rtnb import formatting
from rtnb.client.connection import Connection
from rtnb.client.live_response import ITS_TURN, LiveResponse
from rtnb.client.loop import LoopThread
from rtnb.client.response_watches import EveryResponse, ResponseWatch, is_done
from rtnb.client.toolbox import MOST_ROUNDS, Toolbox, given_up
from rtnb.client.waiters import Watch
from rtnb.conversation.items import Item, ResponseState
from rtnb.errors import ConfigurationError, ResponseTimeout, RtnbError, ServerError, SessionBusy, SessionClosed
from rtnb.protocol import commands
from rtnb.protocol.commands import Command
from rtnb.protocol.events import Event
from rtnb.protocol.names import Kind

WhenBusy = Literal["wait", "cancel", "raise"]
ACTIVE_ALREADY = "conversation_already_has_active_response"
_GRACE = 5.0
_UNASKED_SECONDS = 60.0
_LOOK_AGAIN = 1.0


class Turns:
    """The turns of one session, one after the other.

    Parameters
    ----------
    connection : Connection
    io : LoopThread
    toolbox : Toolbox
        Whose functions are called when a response wants it.
    """

    def __init__(self, connection: Connection, io: LoopThread, toolbox: Toolbox) -> None:
        self._connection = connection
        self._io = io
        self._toolbox = toolbox
        self._lock = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._in_line: set[asyncio.Task[None]] = set()
        self._current: LiveResponse | None = None
        self._calling: asyncio.Task[list[Command]] | None = None
        self._unended: list[ResponseState] = []
        self.attend()

    def attend(self) -> None:
        """Look after the responses that nobody asked for: turn detection makes some, and they may want functions called."""
        self._unended.clear()
        self._connection.watch(EveryResponse(self._connection.conversation, self._attend_calls))

    def _attend_calls(self, state: ResponseState) -> None:
        asked_for = self._current is not None and self._current._state is state
        if not asked_for and state.conversation_id is not None and self._toolbox.unanswered(state):
            response = LiveResponse(self._connection, self._io)
            response.follow(state)
            self._start(response, self._answer_calls(response), _UNASKED_SECONDS)
            assert response.task is not None
            response.task.add_done_callback(lambda _: self._note_failure(response))

    def _note_failure(self, response: LiveResponse) -> None:
        """Tell of a turn that nobody waits for; that the session is over is told by itself."""
        if response.failure is not None and not isinstance(response.failure, SessionClosed):
            self._connection.note_problem(f"answering the model's calls failed: {response.failure}")

    def stop_calls(self) -> None:
        """Wait no longer for functions that the model wants called; the turn ends with what there is."""
        if self._calling is not None:
            self._calling.cancel()

    @property
    def busy(self) -> bool:
        """Return whether a turn is running or a response is in progress; those beside the conversation do not count."""
        return any(not task.done() for task in self._in_line) or self._in_progress is not None

    @property
    def _in_progress(self) -> ResponseState | None:
        """Return the response that is in the way of another one.

        Not one whose end was awaited in vain after it was cancelled, nor one that only a stray delta tells of.
        """
        active = self._connection.conversation.active
        if active is None or not active.announced or any(active is each for each in self._unended):
            return None
        return active

    def begin(
        self,
        prelude: Sequence[Command],
        create: Command | None,
        *,
        timeout: float,
        when_busy: WhenBusy = "wait",
        out_of_band: bool = False,
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
        out_of_band : bool
            It belongs to no conversation, so it waits for nothing.

        Raises
        ------
        SessionBusy
            With ``when_busy="raise"``, if something is in progress.
        """
        if when_busy not in ("wait", "cancel", "raise"):
            raise ConfigurationError(f"when_busy={when_busy!r} is not known; write 'wait', 'cancel' or 'raise'.")
        if when_busy == "raise" and self.busy and not out_of_band:
            raise SessionBusy(
                "A response is in progress; wait for it, or call with when_busy='wait' (its turn comes) or 'cancel'."
            )
        response = LiveResponse(self._connection, self._io)
        if out_of_band:
            self._start(response, self._exchange(response, prelude, create, beside=True), timeout, beside=True)
        else:
            self._start(response, self._run(response, prelude, create), timeout, make_way=when_busy == "cancel")
        return response

    def _start(
        self,
        response: LiveResponse,
        work: Coroutine[Any, Any, None],
        timeout: float,
        *,
        beside: bool = False,
        make_way: bool = False,
    ) -> None:
        """Make a turn of `work`: a task with an end, at the latest after `timeout` seconds."""
        guarded = self._guard(response, work, beside=beside, make_way=make_way)
        task = asyncio.create_task(guarded, name="rtnb-turn")
        response.task = task
        self._tasks.add(task)
        if not beside:
            self._in_line.add(task)
        timer = asyncio.get_running_loop().call_later(timeout, self._expire, response, timeout)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(self._in_line.discard)
        task.add_done_callback(lambda _: timer.cancel())
        task.add_done_callback(lambda _: work.close())

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
        self, response: LiveResponse, work: Coroutine[Any, Any, None], *, beside: bool, make_way: bool
    ) -> None:
        """Run a turn; whatever ends it is kept on the response, for whoever asks."""
        try:
            if make_way:
                await self._make_way()
            if beside:
                await work
                response.settle()
                return
            async with self._lock:
                self._current = response
                try:
                    await work
                finally:
                    self._current = None
            response.settle()
        except asyncio.CancelledError:
            response.settle(RtnbError("The session ended before the response did."))
        except RtnbError as error:
            response.settle(error)
        except Exception as error:
            response.settle(RtnbError(f"The turn failed: {type(error).__name__}: {error}"))

    async def _run(self, response: LiveResponse, prelude: Sequence[Command], create: Command | None) -> None:
        await self._idle()
        await self._exchange(response, prelude, create)
        await self._answer_calls(response)

    async def _answer_calls(self, response: LiveResponse) -> None:
        """Call the functions that a response wants called, and follow the response to their outputs."""
        for _ in range(MOST_ROUNDS):
            state = response._state
            if not (calls := self._toolbox.unanswered(state)):
                return
            outputs = await self._outputs(response, calls)
            if outputs is None or self._toolbox.leaves_some(state):
                # Interrupted, or the user has calls to answer, too, before the model may go on.
                await self._tell(given_up(calls) if outputs is None else outputs)
                return
            response.waits_for = ITS_TURN
            await self._idle()
            response.next_round()
            await self._exchange(response, outputs, commands.response_create())
        if left := self._toolbox.unanswered(response._state):
            names = ", ".join(call.name for call in left)
            self._connection.note_problem(
                f"{names} not called: after {MOST_ROUNDS} rounds the model gets no more answers"
            )

    async def _outputs(self, response: LiveResponse, calls: Sequence[Item]) -> list[Command] | None:
        """Return what the functions gave, as commands; None if they were stopped. Raises when the session ends meanwhile."""
        response.waits_for = f"function {', '.join(call.name for call in calls)}"
        ended = self._connection.watch(Watch(lambda event: False))
        calling = self._calling = asyncio.ensure_future(self._toolbox.answer(calls))
        try:
            waited: tuple[asyncio.Future[Any], ...] = (calling, ended.future)
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            if calling.done():
                return None if calling.cancelled() else calling.result()
            raise ended.future.exception() or SessionClosed("The session is closed.")
        except asyncio.CancelledError:
            await self._tell(given_up(calls))
            raise
        finally:
            calling.cancel()
            self._calling = None
            self._connection.watches.discard(ended)

    async def _tell(self, outputs: Sequence[Command]) -> None:
        """Tell outputs without asking for a response."""
        with contextlib.suppress(SessionClosed):
            for command in outputs:
                await self._connection.send(command)

    async def _exchange(
        self, response: LiveResponse, prelude: Sequence[Command], create: Command | None, *, beside: bool = False
    ) -> None:
        """Send a request and follow the response that answers it to its end."""
        connection = self._connection
        sent = [{**command, "event_id": commands.new_id("event")} for command in prelude]
        while True:
            asked = {**create, "event_id": commands.new_id("event")} if create else None
            own = [each for each in (*sent, asked) if each]
            watch = ResponseWatch(
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
                response.follow(ResponseState())
                response.waits_for = ITS_TURN
                await self._other_ended()
            except asyncio.CancelledError:
                await self._stop(response, beside=beside)
                raise
            finally:
                connection.watches.discard(watch)

    async def _idle(self) -> None:
        """Wait until no response of the default conversation is in progress."""
        while self._in_progress is not None:
            await self._connection.watch(Watch(is_done)).future

    async def _other_ended(self) -> None:
        """Wait for the end of a response that is in the way; look again in a while where nothing told of it."""
        self._unended.clear()
        if self._in_progress is None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_AGAIN):
                    await self._connection.watch(Watch(is_done)).future
        await self._idle()

    async def _make_way(self) -> None:
        """Cancel what is in progress, for a call that does not wait."""
        if (active := self._in_progress) is not None:
            await self._cancel(active.id)
        elif self._current is not None:
            self._give_up(self._current, RtnbError("A later call cancelled this response before it began."))

    async def _stop(self, response: LiveResponse, *, beside: bool) -> None:
        """Cancel a response on the service, and hear its last word before the next turn may begin."""
        state = response._state
        over = state.status and not state.active
        # One beside the conversation cannot be named before it was created, and without a name another would be stopped.
        if self._connection.closed is not None or over or (beside and not state.id):
            return
        await self._cancel(state.id)
        if not beside and (left := self._in_progress) is not None:
            self._unended.append(left)

    async def _cancel(self, response_id: str) -> None:
        """Send a cancel and wait, not for ever, for the response's end or for the service's refusal."""
        event_id = commands.new_id("event")

        def ended(event: Event) -> bool:
            return is_done(event) and (not response_id or event.response_id in ("", response_id))

        watch = self._connection.watch(Watch(ended, [event_id]))
        try:
            with contextlib.suppress(RtnbError, TimeoutError):
                async with asyncio.timeout(_GRACE):
                    await self._connection.send({**commands.response_cancel(response_id or None), "event_id": event_id})
                    await watch.future
        finally:
            self._connection.watches.discard(watch)

    def _timed_out(self, response: LiveResponse, timeout: float) -> ResponseTimeout:
        said = f" The service last said: {self._connection.last_error}." if self._connection.last_error else ""
        waited = response.waits_for
        if waited == ITS_TURN:
            return ResponseTimeout(
                f"Its turn did not come within {formatting.seconds(timeout)}: another response is in progress.{said} "
                "session.cancel() stops that one, and so does when_busy='cancel'; or give timeout= more seconds.",
                waited_for=waited,
                timeout=timeout,
            )
        if response._state.status and not response._state.active:
            return ResponseTimeout(
                f"The {waited} gave no result within {formatting.seconds(timeout)}; the model was told, the session lives "
                "on, and so does the function. Give timeout= more seconds, or make the function quicker.",
                waited_for=waited,
                timeout=timeout,
            )
        return ResponseTimeout(
            f"No {waited} within {formatting.seconds(timeout)}; the response was cancelled and the session lives on.{said} "
            "Give timeout= more seconds, or look at session.timeline.tail().",
            waited_for=str(waited),
            timeout=timeout,
        )
