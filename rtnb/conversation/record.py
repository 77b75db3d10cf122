"""`SessionRecord`: the read-only part that a live session and a recording share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from rtnb.conversation.conversation import Conversation
from rtnb.conversation.response import Response, usage_total
from rtnb.timeline.sound import mix

if TYPE_CHECKING:
    from rtnb.audio import StereoClip
    from rtnb.timeline import Timeline


class SessionRecord:
    """The events of a session, and the conversation in them.

    Attributes
    ----------
    timeline : Timeline
        Everything that crossed the wire, as a table; that of a live session grows.
    """

    def __init__(self, timeline: Timeline, conversation: Conversation | None = None) -> None:
        self.timeline = timeline
        self._conversation = conversation

    @property
    def conversation(self) -> Conversation:
        """Return items, responses and settings; of a recording they are read from the timeline at the first call."""
        if self._conversation is None:
            conversation = Conversation()
            for event in self.timeline:
                conversation.apply(event)
            self._conversation = conversation
        return self._conversation

    @property
    def responses(self) -> list[Response]:
        """Return every response, in the order in which they were created."""
        return [Response(state, self.timeline) for state in list(self.conversation.responses.values())]

    @property
    def usage(self) -> dict[str, Any]:
        """Return the sum of the usage of all responses, cancelled ones included."""
        return usage_total(self.conversation.responses)

    @property
    def config(self) -> dict[str, Any]:
        """Return the settings in effect, in GA's nested form, as the service last confirmed them."""
        return self.conversation.config

    @property
    def id(self) -> str:
        """Return the service's id of the session; empty where it gave none."""
        return self.conversation.session_id

    def mix(self, rate: int = 24_000) -> StereoClip:
        """Return the conversation as a stereo clip on one clock: the user on the left, the assistant on the right.

        The clip begins with the session. A response is placed where it is heard when it is played as it arrives; a truncated
        one ends where it was truncated.

        Parameters
        ----------
        rate : int
            Samples per second of the result (Hz).
        """
        return mix(self.timeline, rate)

    def save(self, path: str | Path) -> Path:
        """Save the timeline as it is now to a ``.rtnb.jsonl`` file, which `rtnb.open` reads; return its path."""
        return self.timeline.save(path)
