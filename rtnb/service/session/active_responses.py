"""The responses of a session that are in progress: that of the conversation, and those beside it, so many at a time."""

from __future__ import annotations

from collections import OrderedDict

from rtnb.service.session.response_stream import ResponseStream

MOST_BESIDE = 16
"""How many responses outside the conversation advance at a time; later ones have begun, and wait for their turn."""


class ActiveResponses:
    """Responses in progress. A client may begin thousands: they cost their turns no more than so many.

    The conversation's own response never waits for another.
    """

    def __init__(self) -> None:
        self._running: OrderedDict[str, ResponseStream] = OrderedDict()
        self._waiting: OrderedDict[str, ResponseStream] = OrderedDict()
        self.in_conversation: ResponseStream | None = None

    @property
    def running(self) -> list[ResponseStream]:
        """Return those that advance now, the one first whose turn it is."""
        return list(self._running.values())

    def find(self, response_id: str) -> ResponseStream | None:
        """Return the response with an id, if it is in progress."""
        return self._running.get(response_id) or self._waiting.get(response_id)

    def add(self, response: ResponseStream) -> None:
        """Take a response that begins."""
        if response.in_conversation:
            self.in_conversation = response
            self._running[response.id] = response
        else:
            self._waiting[response.id] = response
            self._fill()

    def pass_turn(self, response: ResponseStream) -> None:
        """Put a running response behind the others."""
        self._running.move_to_end(response.id)

    def remove(self, response: ResponseStream) -> None:
        """Let go of a response that is finished; one that waited takes its place."""
        if response is self.in_conversation:
            self.in_conversation = None
        self._running.pop(response.id, None)
        self._waiting.pop(response.id, None)
        self._fill()

    def clear(self) -> None:
        """Let go of all of them."""
        self.in_conversation = None
        self._waiting.clear()
        self._running.clear()

    def _fill(self) -> None:
        while self._waiting and len(self._running) - (self.in_conversation is not None) < MOST_BESIDE:
            response_id, response = self._waiting.popitem(last=False)
            self._running[response_id] = response
