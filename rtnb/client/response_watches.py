"""Watches for responses: one that follows the answer to a request to its end, and one that sees every response end."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rtnb.client.connection import Connection
from rtnb.client.live_response import LiveResponse
from rtnb.client.waiters import Watch
from rtnb.conversation.conversation import Conversation
from rtnb.conversation.items import ResponseState
from rtnb.protocol.events import Event
from rtnb.protocol.names import Kind

_SPOKEN_OVER = "turn_detected"


class ResponseWatch(Watch):
    """Follows one response from the request to its end.

    Parameters
    ----------
    asked : str or None
        The request's event id; None where turn detection makes the response.
    event_ids : sequence of str
        All that was sent for it.
    """

    def __init__(
        self, connection: Connection, response: LiveResponse, asked: str | None, event_ids: Sequence[str]
    ) -> None:
        super().__init__(self._ended, event_ids, Kind.RESPONSE_DONE)
        self._conversation = connection.conversation
        self._before = connection.conversation.newest
        self._response = response
        self._asked = asked
        self._bound = False

    def _ended(self, event: Event) -> bool:
        if not self._bound:
            self._bind()
        state = self._response._state
        if not self._bound or state.active:
            return False
        if self._asked is None and state.status == "cancelled" and state.reason == _SPOKEN_OVER:
            # The speech went on after a pause that ended a turn: the answer to all of it is still to come.
            self._bound, self._before = False, state
            return False
        return True

    def _bind(self) -> None:
        """Take up the response that answers the request, whichever event tells of it first."""
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


class EveryResponse(Watch):
    """Tells of every response that ends, for as long as the connection lives."""

    def __init__(self, conversation: Conversation, tell: Callable[[ResponseState], None]) -> None:
        super().__init__(is_done)
        self._conversation = conversation
        self._tell = tell

    def offer(self, event: Event) -> None:
        """Look at an event; this is never settled by one."""
        state = self._conversation.responses.get(event.response_id) if is_done(event) else None
        if state is not None:
            self._tell(state)


def is_done(event: Event) -> bool:
    """Return whether an event is a response's end."""
    return event.kind == Kind.RESPONSE_DONE
