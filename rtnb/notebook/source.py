"""What a view of events may be given: whatever has a timeline."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from rtnb.protocol.names import Local
from rtnb.timeline.timeline import Timeline


class HasTimeline(Protocol):
    """A session, live or recorded."""

    @property
    def timeline(self) -> Timeline:
        """Return its events."""


def timeline_of(source: HasTimeline | Timeline) -> Timeline:
    """Return the timeline in `source`.

    Raises
    ------
    TypeError
        If there is none.
    """
    found = source if isinstance(source, Timeline) else getattr(source, "timeline", None)
    if not isinstance(found, Timeline):
        raise TypeError(
            f"A view of events needs a session, a timeline or a recording, not {type(source).__name__}: "
            "give it session, session.timeline or rtnb.open(path)."
        )
    return found


def closings(timeline: Timeline) -> int:
    """Return how often the session of a timeline was closed: then it is time to put down what a view last showed."""
    return int(np.count_nonzero(timeline["kind"] == str(Local.CLOSE)))
