"""`Remarks`: what is to be told of a session's settings, each thing once. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rtnb.audio.formats import FORMATS
from rtnb.conversation.conversation import Conversation
from rtnb.protocol.config import AUDIO_SETTINGS, format_name, look
from rtnb.protocol.events import Event
from rtnb.protocol.names import Kind


class Remarks:
    """Finds what is to be told with the events that tell of the settings.

    Parameters
    ----------
    from_service : iterable of (str, int or None)
        What the local service wants told: words, and the rate of the input (Hz) of which they are true; None: of any.
    """

    def __init__(self, from_service: Iterable[tuple[str, int | None]] = ()) -> None:
        self._waiting = list(from_service)
        self._told_detection = False

    def take(self, event: Event, conversation: Conversation) -> Iterator[str]:
        """Take an event that the conversation has, yield what is to be told of it."""
        if event.kind in (Kind.SESSION_CREATED, Kind.SESSION_UPDATED) and self._waiting:
            name = format_name(look(conversation.config, AUDIO_SETTINGS["input_format"]))
            rate = FORMATS[name].rate if name in FORMATS else None
            due = [each for each in self._waiting if each[1] in (None, rate)]
            self._waiting = [each for each in self._waiting if each not in due]
            yield from (words for words, _ in due)
        if conversation.detected_anyway == event.seq and not self._told_detection:
            self._told_detection = True
            yield (
                f"the service detects turns although its settings have turn detection off (row {event.seq}): "
                "taken as on from here, so that a clip is ended by silence and not committed"
            )
