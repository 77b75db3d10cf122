"""`Exchanges`: requests for a response, each followed to the end of exactly the response that answers it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence

from rtnb.client.connection import Connection
from rtnb.client.live_response import ITS_TURN, LiveResponse
from rtnb.client.waiters import MOMENT, Waiter
from rtnb.conversation.conversation import Conversation
from rtnb.conversation.items import ResponseState
from rtnb.conversation.remote_tools import undecided
from rtnb.errors import RtnbError, ServerError
from rtnb.protocol import commands
from rtnb.protocol.commands import Command
from rtnb.protocol.events import Event
from rtnb.protocol.names import DELTA_KINDS, Kind

ACTIVE_ALREADY = "conversation_already_has_active_response"
_SPOKEN_OVER = "turn_detected"
_CANCEL_SECONDS = 5.0
_LOOK_AGAIN = 1.0
_OF_ENDED = (Kind.RESPONSE_DONE, Kind.OUTPUT_ITEM_DONE, Kind.ARGUMENTS_DONE)
_HELD_SECONDS = 1.0


class Exchanges:
    """Asks for responses over one connection, and cancels them.

    Parameters
    ----------
    connection : Connection
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._unended: list[ResponseState] = []

    def attend(self, ended: Callable[[ResponseState], None]) -> None:
        """Call `ended` for every response that ends on the connection that is open now."""
        self._unended.clear()
        self._connection.waiters.add(EndedResponses(self._connection.conversation, ended))

    @property
    def in_progress(self) -> ResponseState | None:
        """Return the response that is in the way of another one.

        Not one that was cancelled and whose end was awaited in vain, nor one that is known by a stray delta only.
        """
        active = self._connection.conversation.active
        if active is None or not active.announced or any(active is each for each in self._unended):
            return None
        return active

    async def idle(self) -> None:
        """Wait until no response of the default conversation is in progress."""
        while self.in_progress is not None:
            await self._connection.waiters.add(Waiter(is_done)).future

    async def run(
        self, response: LiveResponse, prelude: Sequence[Command], create: Command | None, *, beside: bool = False
    ) -> None:
        """Send a request and follow the response that answers it to its end.

        Parameters
        ----------
        response : LiveResponse
            Shows the response that comes.
        prelude : sequence of commands
            Sent first.
        create : command or None
            The request; None where turn detection makes the response.
        beside : bool
            Whether the response belongs to no conversation.
        """
        connection = self._connection
        sent = [{**command, "event_id": commands.new_id("event")} for command in prelude]
        while True:
            asked = {**create, "event_id": commands.new_id("event")} if create else None
            own = [each for each in (*sent, asked) if each]
            waiter = ResponseWaiter(
                connection, response, asked["event_id"] if asked else None, [each["event_id"] for each in own]
            )
            response.waits_for = Kind.RESPONSE_CREATED
            try:
                with connection.waiting(waiter) as ended:
                    for command in own:
                        await connection.send(command)
                    await ended
                connection.answered(response.since)
                return
            except ServerError as error:
                if error.code != ACTIVE_ALREADY or not asked or error.event_id not in (None, asked["event_id"]):
                    raise
                # The service began a response of its own in between; the message stands, only the request goes again.
                sent = []
                response.follow(ResponseState())
                response.waits_for = ITS_TURN
                await self._other_ended()
            except asyncio.CancelledError:
                await self._stop(response.state, beside=beside, asked=asked is not None)
                raise

    async def finish(self, response: LiveResponse) -> None:
        """Follow a response that the service has begun by itself to its end, or to an approval that it waits for."""
        state = response.state
        response.waits_for = Kind.RESPONSE_DONE
        waiter = ResponseWaiter(self._connection, response, None, [], begun=True)
        try:
            if state.active:
                with self._connection.waiting(waiter) as ended:
                    await ended
        except asyncio.CancelledError:
            await self._stop(state, beside=False, asked=False)
            raise

    async def _other_ended(self) -> None:
        """Wait for the end of a response that is in the way; look again in a while where no event announced it."""
        self._unended.clear()
        if self.in_progress is None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_AGAIN):
                    await self._connection.waiters.add(Waiter(is_done)).future
        await self.idle()

    async def _stop(self, state: ResponseState, *, beside: bool, asked: bool) -> None:
        """Cancel a response on the service, and wait for its end before the next turn may begin."""
        over = state.status and not state.active
        # One beside the conversation cannot be named before it was created, and without a name another would be stopped;
        # and where nothing was asked for, nothing is there to be stopped before it has begun.
        unnamed = not state.id and (beside or (not asked and not state.status))
        if self._connection.closed is not None or over or unnamed:
            return
        await self.cancel(state.id)
        if not beside and (left := self.in_progress) is not None:
            self._unended.append(left)

    async def cancel(self, response_id: str) -> None:
        """Send a cancel and wait, for a few seconds, for the response's end or for the service's refusal."""
        event_id, responses = commands.new_id("event"), self._connection.conversation.responses

        def ended(event: Event) -> bool:
            if response_id in responses:
                return not responses[response_id].active
            return is_done(event) and (not response_id or event.response_id in ("", response_id))

        with self._connection.waiting(Waiter(ended, [event_id])) as done, contextlib.suppress(RtnbError, TimeoutError):
            async with asyncio.timeout(_CANCEL_SECONDS):
                await self._connection.send({**commands.response_cancel(response_id or None), "event_id": event_id})
                await done


class ResponseWaiter(Waiter):
    """Follows one response from the request to its end.

    The last word on a response is ``response.done``. A service may say at its creation that it has failed, and why; one
    that does not say why has a moment to say it.

    Parameters
    ----------
    asked : str or None
        The request's event id; None where turn detection makes the response.
    event_ids : sequence of str
        All that was sent for it.
    begun : bool
        Whether `response` shows it already.
    """

    def __init__(
        self,
        connection: Connection,
        response: LiveResponse,
        asked: str | None,
        event_ids: Sequence[str],
        *,
        begun: bool = False,
    ) -> None:
        super().__init__(self._ended, event_ids)
        self._conversation = connection.conversation
        self._before = connection.conversation.newest
        self._response = response
        self._asked = asked
        self._bound = begun
        self._held: asyncio.TimerHandle | None = None
        self._last_word: asyncio.TimerHandle | None = None

    @property
    def awaits_reply(self) -> bool:
        """Return whether the response has not begun."""
        return super().awaits_reply and not self._bound

    def raises(self, event: Event) -> bool:
        """Return whether an event says that the response that is followed has failed, or why."""
        state = self._response.state
        mine = (
            self._bound and event.kind in (Kind.RESPONSE_CREATED, Kind.RESPONSE_DONE) and event.response_id == state.id
        )
        why = self._bound and event.kind == Kind.ERROR and state.error is not None and state.error is event.get("error")
        return super().raises(event) or mine or why

    def _ended(self, event: Event) -> bool:
        if not self._bound:
            self._bind()
        state = self._response.state
        if not self._bound or (state.active and event.kind in DELTA_KINDS):
            return False
        if state.active and self._held is None and undecided(state.items.values()):
            # The service may hold the response until the approval, which only the caller can give.
            self._held = self.future.get_loop().call_later(_HELD_SECONDS, self._give_back, event)
        if state.active:
            return False
        if self._asked is None and state.status == "cancelled" and state.reason == _SPOKEN_OVER:
            # The speech went on after a pause that ended a turn: the answer to all of it is still to come.
            self._bound, self._before = False, state
            return False
        if state.final or not state.awaits_reason:
            return True
        if self._last_word is None:
            self._last_word = self.future.get_loop().call_later(MOMENT, self._give_back, event)
        return False

    def _give_back(self, event: Event) -> None:
        if not self.future.done():
            self.future.set_result(event)

    def _bind(self) -> None:
        """Follow the response that answers the request, whichever of its events comes first."""
        state = self._conversation.newest
        if state is None or state is self._before or not self._answers(state):
            return
        self._bound = True
        self._response.waits_for = Kind.RESPONSE_DONE
        self._response.follow(state)

    def _answers(self, state: ResponseState) -> bool:
        if self._asked is None:
            return state.conversation_id is not None
        return state.request_id == self._asked


class EndedResponses(Waiter):
    """Calls a function for every response that ends, and for calls that come after the end of theirs.

    It is settled by the end of the connection only.
    """

    def __init__(self, conversation: Conversation, ended: Callable[[ResponseState], None]) -> None:
        super().__init__(is_done)
        self._conversation = conversation
        self._ended = ended

    def offer(self, event: Event) -> None:
        """Look at an event."""
        if event.kind in _OF_ENDED:
            named, conversation = event.response_id, self._conversation
            state = conversation.responses.get(named) if named else conversation.newest
            if state is not None and state.final:
                self._ended(state)


def is_done(event: Event) -> bool:
    """Return whether an event is a response's end."""
    return event.kind == Kind.RESPONSE_DONE
