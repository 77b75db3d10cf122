"""`LiveRecord`: what a session that is connected tells of itself."""

from __future__ import annotations

from collections.abc import Mapping

from rtnb.client.connection import Connection
from rtnb.client.credentials import Credential
from rtnb.client.endpoint import Endpoint
from rtnb.client.summary import SessionSummary, html, sentence
from rtnb.conversation.record import SessionRecord
from rtnb.errors import SessionClosed
from rtnb.formatting import one_line
from rtnb.protocol.config import look
from rtnb.protocol.dialects import Dialect


class LiveRecord(SessionRecord):
    """The record of a session that may still be open: it grows.

    Attributes
    ----------
    endpoint : Endpoint
        Where it is connected; shows no secret.
    """

    def __init__(self, connection: Connection, endpoint: Endpoint, credential: Credential) -> None:
        super().__init__(connection.timeline, connection.conversation)
        self.endpoint = endpoint
        self._credential = credential
        self._connection = connection

    @property
    def state(self) -> str:
        """Return ``"open"`` or ``"closed"``."""
        return "open" if self._connection.closed is None else "closed"

    @property
    def closed(self) -> SessionClosed | None:
        """Return how the session ended, None while it is open."""
        return self._connection.closed

    @property
    def dialect(self) -> Dialect:
        """Return the dialect that is spoken."""
        return self._connection.dialect

    @property
    def problems(self) -> list[str]:
        """Return what went wrong without having been anybody's call: the newest 20, in words."""
        return list(self._connection.problems)

    def summary(self) -> SessionSummary:
        """Return what there is to say about this session."""
        timeline = self.timeline
        voice = look(self.config, ("audio", "output", "voice"), "")
        return SessionSummary(
            state=self.state,
            where=self.endpoint.words + (f" ({self.endpoint.engines})" if self.endpoint.engines else ""),
            url=self.endpoint.shown_url,
            dialect=self.dialect.title,
            credential=self._credential.words,
            model=one_line(self.config.get("model") or self.endpoint.model, 80),
            voice=one_line((voice.get("id") if isinstance(voice, Mapping) else voice) or "", 80),
            session_id=one_line(self.id, 80),
            responses=len(self.conversation.responses),
            events=len(timeline),
            seconds=timeline[-1].t if len(timeline) else 0.0,
            problems=self.problems,
        )

    def __repr__(self) -> str:
        return sentence(self.summary())

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        summary = self.summary()
        return {"text/plain": sentence(summary), "text/html": html(summary)}
