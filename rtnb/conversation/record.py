"""`SessionRecord`: what a session leaves behind, and what a live one has so far; all of it read-only."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from rtnb.conversation.conversation import Conversation
from rtnb.conversation.response import Response, usage_total

if TYPE_CHECKING:
    from rtnb.audio.clip import StereoClip
    from rtnb.timeline import Timeline


class SessionRecord:
    """The events of a session, and what they mean.

    Attributes
    ----------
    timeline : Timeline
        Everything that crossed the wire, as a table; a live session's grows.
    """

    def __init__(self, timeline: Timeline, conversation: Conversation | None = None) -> None:
        self.timeline = timeline
        self._conversation = conversation

    @property
    def conversation(self) -> Conversation:
        """Return items, responses and settings as the events tell them; read from the timeline when first asked for."""
        if self._conversation is None:
            told = Conversation()
            for event in self.timeline:
                told.apply(event)
            self._conversation = told
        return self._conversation

    @property
    def responses(self) -> list[Response]:
        """Return every response, in the order in which they were created."""
        return [Response(state, self.timeline) for state in list(self.conversation.responses.values())]

    @property
    def usage(self) -> dict[str, Any]:
        """Return the tokens that all responses used, cancelled ones included."""
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
        """Return the talk as a stereo clip on one clock: the user on the left, the assistant on the right.

        The clip begins with the session. Answers stand where they are heard by a listener who hears them as they arrive;
        a truncated one ends where it was cut.
        """
        from rtnb.timeline.sound import mix

        return mix(self.timeline, rate)

    def save(self, path: str | Path) -> Path:
        """Save the log as it stands to a ``.rtnb.jsonl`` file, which `rtnb.open` reads."""
        return self.timeline.save(path)
