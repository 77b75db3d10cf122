"""`SessionSummary`: what a session's repr says, as values, as a line of text and as a few lines of HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rtnb import formatting
from rtnb.client.connection import Connection
from rtnb.client.credentials import Credential
from rtnb.client.endpoint import Endpoint
from rtnb.formatting import one_line
from rtnb.protocol.config import look


@dataclass(frozen=True, slots=True)
class SessionSummary:
    """What a line or a card about a session says."""

    state: str
    where: str
    url: str
    dialect: str
    credential: str
    model: str
    voice: str
    session_id: str
    responses: int
    events: int
    seconds: float
    problems: Sequence[str]


def summarize(connection: Connection, endpoint: Endpoint, credential: Credential) -> SessionSummary:
    """Return the summary of a session as it stands."""
    timeline, conversation = connection.timeline, connection.conversation
    config = conversation.config
    voice = look(config, ("audio", "output", "voice"), "")
    return SessionSummary(
        state="open" if connection.closed is None else "closed",
        where=endpoint.words + (f" ({endpoint.engines})" if endpoint.engines else ""),
        url=endpoint.shown_url,
        dialect=connection.dialect.title,
        credential=credential.words,
        model=one_line(config.get("model") or endpoint.model, 80),
        voice=one_line((voice.get("id") if isinstance(voice, Mapping) else voice) or "", 80),
        session_id=one_line(conversation.session_id, 80),
        responses=len(conversation.responses),
        events=len(timeline),
        seconds=timeline[-1].t if len(timeline) else 0.0,
        problems=list(connection.problems),
    )


def sentence(summary: SessionSummary) -> str:
    """Return one informative line."""
    words = [
        f"Session {summary.state}: {summary.where}",
        summary.dialect,
        summary.credential,
        f"model {summary.model or 'unknown'}",
        f"voice {summary.voice or 'unknown'}",
    ]
    problems = (
        f"; {formatting.plural(len(summary.problems), 'problem')}: {summary.problems[-1]}" if summary.problems else ""
    )
    return f"<{formatting.printable(', '.join(words))}; {_progress(summary)}{formatting.printable(problems)}>"


def html(summary: SessionSummary) -> str:
    """Return the same in HTML, with the newest problems as banners."""
    rows = [
        ("connected to" if summary.state == "open" else summary.state, f"{summary.where} · {summary.url}"),
        ("dialect", summary.dialect),
        ("credential", summary.credential),
        ("model, voice", f"{summary.model or 'unknown'}, {summary.voice or 'unknown'}"),
        ("session", summary.session_id or "the service gave no id"),
        ("so far", _progress(summary)),
    ]
    cells = [[formatting.muted(name), formatting.escape(value)] for name, value in rows]
    title = f"<b>Realtime session, {formatting.escape(summary.state)}</b>"
    banners = [formatting.banner(problem) for problem in summary.problems[-3:]]
    return formatting.card(title, *banners, formatting.html_table(("", ""), cells))


def _progress(summary: SessionSummary) -> str:
    return ", ".join(
        (
            formatting.plural(summary.responses, "response"),
            formatting.plural(summary.events, "event"),
            formatting.seconds(summary.seconds),
        )
    )
