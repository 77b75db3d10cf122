"""`Remarks`: notes on a session's settings for its problems, each once. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rtnb.audio.formats import FORMATS
from rtnb.conversation.conversation import Conversation
from rtnb.protocol.config import AUDIO_SETTINGS, format_name, look
from rtnb.protocol.events import Event
from rtnb.protocol.names import Kind

REMARKED_KINDS = frozenset({Kind.SESSION_CREATED, Kind.SESSION_UPDATED, Kind.SPEECH_STARTED})
"""The events that may give a remark."""


class Remarks:
    """Gives a remark with the first event that shows it to be true.

    Parameters
    ----------
    from_service : iterable of (str, int or None)
        Remarks of the local service: words, and the sample rate of the input (Hz) for which they hold; None: for any.
    """

    def __init__(self, from_service: Iterable[tuple[str, int | None]] = ()) -> None:
        self._waiting = list(from_service)
        self._detection_noted = False

    def take(self, event: Event, conversation: Conversation) -> Iterator[str]:
        """Take an event that is in the conversation already; yield the remarks that it gives."""
        if event.kind in (Kind.SESSION_CREATED, Kind.SESSION_UPDATED) and self._waiting:
            name = format_name(look(conversation.config, AUDIO_SETTINGS["input_format"]))
            rate = FORMATS[name].rate if name in FORMATS else None
            due = [each for each in self._waiting if each[1] in (None, rate)]
            self._waiting = [each for each in self._waiting if each not in due]
            yield from (words for words, _ in due)
        if conversation.detected_anyway == event.seq and not self._detection_noted:
            self._detection_noted = True
            yield (
                f"the service detects turns although its settings have turn detection off (row {event.seq}): "
                "taken as on from here, so that a clip is ended by silence and not committed"
            )
