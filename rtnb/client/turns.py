"""`Turns`: asking for a response, calling the functions that it wants called, and interrupting it.

A turn is a task of the session, so it ends properly even when the call that began it was interrupted: an abandoned turn
cancels its response and waits for the service's confirmation before the next turn begins.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import math
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from rtnb.audio import AudioClip
from rtnb.client.audio_input import QUIET_SECONDS, UserTurn, unnoticed_speech
from rtnb.client.calls import Calls
from rtnb.client.exchange import Exchanges
from rtnb.client.live_response import ITS_TURN, LiveResponse
from rtnb.client.loop import LoopThread
from rtnb.client.playback import Heard, Playback, spoken_response, unheard
from rtnb.client.remote_calls import Asked, RemoteCalls
from rtnb.client.requests import Requests
from rtnb.client.settings import SessionSettings
from rtnb.client.tools import Tools, with_definitions
from rtnb.client.transcription import Transcription, TranscriptionRequests
from rtnb.conversation.items import Item, ResponseState
from rtnb.errors import ConfigurationError, ResponseTimeout, RtnbError, ServerError, SessionBusy, SessionClosed
from rtnb.protocol import commands
from rtnb.protocol.catalog import TRANSCRIPTION
from rtnb.protocol.commands import Command
from rtnb.protocol.names import Kind

Prompt = str | AudioClip | Path | tuple[Any, int] | bytes | list[Any]
WhenBusy = Literal["wait", "cancel", "raise"]
_UNASKED_SECONDS = 60.0


class Turns:
    """The turns of one session, one after the other.

    Parameters
    ----------
    requests : Requests
    settings : SessionSettings
        Sends the service pending function tools before a turn.
    tools : Tools
        The functions that are called when a response wants it.
    ready : callable
        ``await ready(timeout)`` waits until the session is open, and returns what is left of the timeout.
    io : LoopThread
    """

    def __init__(
        self,
        requests: Requests,
        settings: SessionSettings,
        tools: Tools,
        ready: Callable[[float], Awaitable[float]],
        io: LoopThread,
    ) -> None:
        self._requests = requests
        self._connection = requests.connection
        self._settings = settings
        self._tools = tools
        self._ready = ready
        self._io = io
        self._exchanges = Exchanges(requests.connection)
        self._remote = RemoteCalls(requests)
        self._calls = Calls(requests.connection, tools, self._exchanges, self._remote)
        self._transcriptions = TranscriptionRequests(requests, settings)
        self._lock = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._in_line: set[asyncio.Task[None]] = set()
        self._current: LiveResponse | None = None
        self.attend()

    @property
    def busy(self) -> bool:
        """Return whether a turn is running or a response is in progress; those beside the conversation do not count."""
        return any(not task.done() for task in self._in_line) or self._exchanges.in_progress is not None

    # Asking -----------------------------------------------------------------------------------------------------------

    async def ask(
        self,
        prompt: Prompt,
        options: Mapping[str, Any],
        *,
        image: object = None,
        detail: str | None = None,
        timeout: float,
        when_busy: WhenBusy,
        out_of_band: bool,
    ) -> LiveResponse:
        """Begin the turn of `AsyncSession.ask`; return its response, which is live."""
        kind = self._requests.kind
        if out_of_band:
            kind.check("ask(out_of_band=True)")
        written = isinstance(prompt, (str, list)) or image is not None
        kind.check("ask(text)" if written else "ask(clip)")
        if kind.type == TRANSCRIPTION:
            if options:
                raise ConfigurationError(f"{next(iter(options))}= is for a response, and this session gives none.")
            return await self.transcribe(prompt, timeout=timeout, when_busy=when_busy)
        timeout = await self._ready(timeout)
        if out_of_band:
            asked = await self._requests.message(prompt, image=image, detail=detail, spoken=True)
            options = {**options, "conversation": "none", "input": [*options.get("input", ()), asked["item"]]}
            return await self._begin([], options, timeout, "wait", out_of_band=True)
        turn = await self._requests.user_turn(prompt, image=image, detail=detail)
        if turn.answered and options:
            raise ConfigurationError(
                "Turn detection makes the response to speech, so options for one response do not reach it; "
                "use session.configure(…), or turn_detection=None."
            )
        prelude = turn.commands
        if turn.detected and not turn.answered:
            # The service ends the turn and makes no response: one is asked for once the speech has become an item.
            await self._detected(turn)
            prelude = []
        response = await self._begin(prelude, None if turn.answered else options, timeout, when_busy)
        response.input_ended = turn.ended
        if turn.answered:
            self._watch_silence(response, turn)
        return response

    async def _detected(self, spoken: UserTurn) -> None:
        """Send speech and wait until turn detection has made it an item."""
        since, [*before, last] = len(self._connection.timeline), spoken.commands
        allowed = QUIET_SECONDS if spoken.silent else math.inf
        try:
            await self._requests.acknowledged(last, Kind.INPUT_COMMITTED, before=before, timeout=allowed)
        except ResponseTimeout as error:
            raise self._unnoticed(spoken, since, error.timeout) or error from None

    def _unnoticed(self, spoken: UserTurn, since: int, waited: float) -> ResponseTimeout | None:
        connection = self._connection
        return unnoticed_speech(spoken, connection.timeline[since:], waited, connection.error_words(since))

    def _watch_silence(self, response: LiveResponse, spoken: UserTurn) -> None:
        """Give up soon on silence that turn detection passes over; name a louder clip that it has not noticed."""
        response.missed = functools.partial(self._unnoticed, spoken, response.since)
        loop, task = asyncio.get_running_loop(), response.task
        assert task is not None

        def look() -> None:
            if response.waits_for == Kind.RESPONSE_CREATED and (missed := response.missed(QUIET_SECONDS)):
                response.give_up(missed)
            elif response.waits_for == ITS_TURN and not task.done():
                loop.call_later(QUIET_SECONDS, look)

        if spoken.silent:
            timer = loop.call_later(QUIET_SECONDS, look)
            task.add_done_callback(lambda _: timer.cancel())

    async def respond(self, options: Mapping[str, Any], *, timeout: float, when_busy: WhenBusy) -> LiveResponse:
        """Begin the turn of `AsyncSession.respond`; return its response, which is live."""
        self._requests.kind.check("respond()")
        return await self._begin([], options, await self._ready(timeout), when_busy)

    async def decide(self, asked: Asked, *, approve: bool, reason: str, timeout: float) -> LiveResponse:
        """Answer an approval request, and begin the turn that goes on from there; return its response, which is live."""
        self._requests.kind.check("respond()")
        timeout = await self._ready(timeout)
        requests = self._remote.requests_of(asked)
        response = LiveResponse(self._connection, self._io)
        self._start(response, self._go_on(response, requests, approve, reason), timeout)
        return response

    async def _go_on(self, response: LiveResponse, asked: list[Item], approve: bool, reason: str) -> None:
        if await self._remote.decide(response, asked, approve=approve, reason=reason):
            await self._run(response, [], commands.response_create())
        else:
            await self._exchanges.finish(response)
            await self._calls.answer(response)

    async def transcribe(self, speech: object, *, timeout: float, when_busy: WhenBusy = "wait") -> Transcription:
        """Begin the transcription of `AsyncSession.transcribe`; return it, while it grows."""
        self._transcriptions.check()
        timeout = await self._ready(timeout)
        self._check_busy(when_busy)
        transcription, said = await self._transcriptions.prepare(speech, self._io)
        make_way = when_busy == "cancel"
        self._start(transcription, self._transcriptions.run(transcription, said), timeout, make_way=make_way)
        return transcription

    async def _begin(
        self,
        prelude: list[Command],
        options: Mapping[str, Any] | None,
        timeout: float,
        when_busy: WhenBusy,
        *,
        out_of_band: bool = False,
    ) -> LiveResponse:
        await self._settings.send_tools()
        self._connection.check_open()
        create = None
        if options is not None:
            functions, options = with_definitions(options)
            create = commands.response_create(options)
            self._connection.dialect.check(create.get("response", {}))
            self._tools.add_to_request(functions)
        return self.begin(prelude, create, timeout=timeout, when_busy=when_busy, out_of_band=out_of_band)

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
        self._check_busy(when_busy, out_of_band=out_of_band)
        response = LiveResponse(self._connection, self._io)
        if out_of_band:
            self._start(response, self._exchanges.run(response, prelude, create, beside=True), timeout, beside=True)
        else:
            self._start(response, self._run(response, prelude, create), timeout, make_way=when_busy == "cancel")
        return response

    def _check_busy(self, when_busy: WhenBusy, *, out_of_band: bool = False) -> None:
        if when_busy not in ("wait", "cancel", "raise"):
            raise ConfigurationError(f"when_busy={when_busy!r} is not known; write 'wait', 'cancel' or 'raise'.")
        if when_busy == "raise" and self.busy and not out_of_band:
            raise SessionBusy(
                "A response is in progress; wait for it, or call with when_busy='wait' (its turn comes) or 'cancel'."
            )

    async def finish(self, response: LiveResponse) -> LiveResponse:
        """Wait for a turn that was begun; if the wait is cancelled, cancel the response; the session lives on."""
        try:
            return await response.finished()
        except asyncio.CancelledError:
            response.give_up(RtnbError("The wait for this response was interrupted; the response was cancelled."))
            raise

    # Turns as tasks ---------------------------------------------------------------------------------------------------

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
        timer = asyncio.get_running_loop().call_later(
            timeout, lambda: response.give_up(response.timed_out(timeout, self._connection.error_words(response.since)))
        )
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(self._in_line.discard)
        task.add_done_callback(lambda _: timer.cancel())
        task.add_done_callback(lambda _: work.close())

    async def _guard(
        self, response: LiveResponse, work: Coroutine[Any, Any, None], *, beside: bool, make_way: bool
    ) -> None:
        """Run a turn, and keep on the response whatever ends it."""
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
        await self._exchanges.idle()
        await self._exchanges.run(response, prelude, create)
        await self._calls.answer(response)

    async def _make_way(self) -> None:
        """Cancel what is in progress, for a call that does not wait."""
        if (active := self._exchanges.in_progress) is not None:
            await self._exchanges.cancel(active.id)
        elif self._current is not None:
            self._current.give_up(RtnbError("A later call cancelled this response before it began."))

    # Calling functions ------------------------------------------------------------------------------------------------

    def attend(self) -> None:
        """Answer the calls of responses that no turn asked for, as turn detection makes them, on the present connection."""
        self._exchanges.attend(self._answer_unasked)

    def _answer_unasked(self, state: ResponseState) -> None:
        asked_for = self._current is not None and self._current.state is state
        if self._calls.open(state) and not asked_for and state.conversation_id is not None:
            response = LiveResponse(self._connection, self._io)
            response.follow(state)
            self._start(response, self._calls.answer(response), _UNASKED_SECONDS)
            assert response.task is not None
            response.task.add_done_callback(lambda _: self._note_failure(response))

    def _note_failure(self, response: LiveResponse) -> None:
        """Note why a turn that no call waits for failed; the end of the session is noted by the connection."""
        if response.failure is not None and not isinstance(response.failure, SessionClosed):
            self._connection.note_problem(f"answering the model's calls failed: {response.failure}")

    # Interrupting -----------------------------------------------------------------------------------------------------

    async def interrupt(self, playback: Playback | None, *, cancel: bool) -> Heard | None:
        """Cancel the answer and cut it at what was heard, as `AsyncSession.interrupt` describes it."""
        connection = self._connection
        response = spoken_response(list(connection.conversation.responses.values()), playback)
        self._calls.interrupt()
        now = connection.now()
        if playback is not None:
            await asyncio.to_thread(playback.stop)
        if response is None or not self._requests.kind.allows("truncate()"):
            return None
        if response.active and cancel:
            with contextlib.suppress(ServerError):  # it may have ended by itself in this moment
                await self._requests.cancel(response.id)
        left = unheard(connection.timeline, response, now, playback)
        for each in left:
            await self._requests.cut(each.item_id, each.heard_ms, each.content_index)
        return left[0] if left else None
