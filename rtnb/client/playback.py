"""How much of an answer was heard, by a listener who hears it from the moment in which its audio began to arrive. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

from rtnb.items import ResponseState


@dataclass(frozen=True, slots=True)
class Heard:
    """How far the speech of a response was heard.

    Attributes
    ----------
    item_id : str
        The item that was being spoken.
    content_index : int
    heard_ms, received_ms : int
        Milliseconds of that part's audio: heard, and received. Heard is never more than received.
    """

    item_id: str
    content_index: int
    heard_ms: int
    received_ms: int

    @property
    def whole(self) -> bool:
        """Return whether everything that was received was heard."""
        return self.heard_ms >= self.received_ms

    def __repr__(self) -> str:
        return f"<Heard {self.heard_ms} of {self.received_ms} ms>"


def heard(response: ResponseState, now: float) -> Heard | None:
    """Return how far a response was heard at `now` (seconds of the session's clock); None for one without audio.

    The audio arrives faster than it is spoken, so most of what was received at an interruption was not heard.
    """
    if math.isnan(response.first_audio_t):
        return None
    left_ms = max(now - response.first_audio_t, 0.0) * 1000
    found: Heard | None = None
    for item in list(response.items.values()):
        for index, part in list(item.content.items()):
            received_ms = int(part.format.duration(part.audio_bytes) * 1000)
            if received_ms:
                found = Heard(item.id, index, min(int(left_ms), received_ms), received_ms)
                if not found.whole:
                    return found
                left_ms -= received_ms
    return found
