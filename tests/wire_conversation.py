"""A conversation that takes events as they are on the wire."""

from __future__ import annotations

import json

from scripted import Wire

from rtnb.conversation.conversation import Conversation
from rtnb.conversation.items import ResponseState
from rtnb.protocol.events import RECEIVED, Event


class WireConversation(Conversation):
    """A conversation that takes wire events, one a second."""

    def take(self, *events: Wire, direction: str = RECEIVED) -> WireConversation:
        for event in events:
            self.clock = getattr(self, "clock", -1.0) + 1.0
            raw = json.dumps(event).encode()
            self.apply(Event.parse(raw, seq=int(self.clock), t=self.clock, direction=direction))
        return self

    @property
    def only(self) -> ResponseState:
        (state,) = self.responses.values()
        return state

    def said(self) -> str:
        return " ".join(item.text for item in self.only.items.values())

    def sound(self) -> bytes:
        return b"".join(
            chunk for item in self.only.items.values() for part in item.content.values() for chunk in part.chunks
        )
