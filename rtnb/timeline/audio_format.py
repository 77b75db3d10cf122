"""Which encoding the audio of a session travels in, learned from the events that set it, in both dialects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rtnb.audio.formats import FORMATS, PCM16
from rtnb.protocol.config import format_name, look
from rtnb.protocol.dialects import ga_settings
from rtnb.protocol.events import Event
from rtnb.protocol.names import Kind

BYTES_PER_MS = {name: each.rate * each.bytes_per_sample / 1000 for name, each in FORMATS.items()}


class FormatInEffect:
    """The input and output encodings that hold for the next event of a session.

    A sent `session.update` changes what is appended after it; what the service speaks changes when the service says so.
    """

    SETTING = frozenset({Kind.SESSION_UPDATE, Kind.SESSION_CREATED, Kind.SESSION_UPDATED, Kind.RESPONSE_CREATED})
    """Kinds that must be shown to `watch`."""

    def __init__(self) -> None:
        self._input = PCM16.name
        self._output = PCM16.name
        self._of_response: dict[str, str] = {}

    def watch(self, event: Event) -> None:
        """Take note of an event that sets an encoding."""
        if event.kind == Kind.RESPONSE_CREATED:
            stated = _stated(event.part("response"), "output")
            if stated is not None:
                self._of_response[event.response_id] = format_name(stated, self._output)
            return
        session = event.part("session")
        self._input = format_name(_stated(session, "input"), self._input)
        if event.kind != Kind.SESSION_UPDATE:
            self._output = format_name(_stated(session, "output"), self._output)

    def of(self, event: Event) -> str:
        """Return the name of the encoding that an audio event carries."""
        if event.kind == Kind.INPUT_APPEND:
            return self._input
        return self._of_response.get(event.response_id, self._output)


def _stated(config: Mapping[str, Any], side: str) -> Any:
    return look(ga_settings(config), ("audio", side, "format"))
