"""`Requested`: the responses that were asked for and have not begun, so that each response finds its request. Pure."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from rtnb.protocol.events import Event

_MOST = 1000


class RequestedResponse(NamedTuple):
    """A ``response.create`` that was sent: its event id, when (s), and whether its response belongs to no conversation."""

    event_id: str
    t: float
    out_of_band: bool


class Requested:
    """The requests of one connection that no response has answered yet.

    No event says which request a response answers: they are answered in order, in-band and out-of-band ones apart.
    """

    def __init__(self) -> None:
        self._waiting: deque[RequestedResponse] = deque(maxlen=_MOST)
        self._doubted: deque[RequestedResponse] = deque(maxlen=_MOST)

    def sent(self, event: Event) -> None:
        """Note a ``response.create``."""
        out_of_band = event.part("response").get("conversation") == "none"
        self._waiting.append(RequestedResponse(event.event_id, event.t, out_of_band))

    def doubt(self) -> None:
        """Note that the requests so far may get no response: the next one is then that of the next request.

        So it is after a cancel that names no response, and after an error that names no request.
        """
        self._doubted.extend(self._waiting)
        self._waiting.clear()

    def refused(self, event_id: object) -> None:
        """Forget the request that an error names."""
        for waiting in (self._waiting, self._doubted):
            for request in [each for each in waiting if each.event_id == event_id]:
                waiting.remove(request)

    def clear(self) -> None:
        """Forget all: the connection has ended."""
        self._waiting.clear()
        self._doubted.clear()

    @property
    def in_band(self) -> bool:
        """Return whether a response of the conversation is still to begin."""
        return any(not request.out_of_band for request in self._waiting)

    def cause(self, event: Event) -> RequestedResponse | None:
        """Take and return the request of a new response: the oldest one, in-band or out-of-band as the response says it is."""
        named = event.part("response").get("conversation_id", "")
        for waiting in (self._waiting, self._doubted):
            for request in waiting:
                if named == "" or request.out_of_band == (named is None):
                    waiting.remove(request)
                    return request
        # Some services name no conversation at all. One that names it has begun this response by itself.
        outstanding = self._waiting or self._doubted
        return outstanding.popleft() if named is None and outstanding else None
