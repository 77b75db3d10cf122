"""`SessionSummary`: what a session's repr says, as values, as a line of text and as a few lines of HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rtnb import formatting
from rtnb.client.credentials import Credential
from rtnb.client.endpoint import Endpoint
from rtnb.client.requests import Requests
from rtnb.client.session_kind import SessionKind
from rtnb.formatting import one_line
from rtnb.protocol.catalog import TRANSCRIPTION, TRANSLATION
from rtnb.protocol.config import AUDIO_SETTINGS, look, without_effect


@dataclass(frozen=True, slots=True)
class SessionSummary:
    """What a line or a card about a session says.

    Attributes
    ----------
    has : sequence of str
        What a session of its kind has: model and voice, what transcribes, the language of a translation; the call that it
        watches.
    not_imitated : sequence of str
        The settings that the local service has taken and does not imitate.
    """

    state: str
    where: str
    url: str
    dialect: str
    credential: str
    model: str
    voice: str
    has: Sequence[str]
    not_imitated: Sequence[str]
    session_id: str
    responses: int
    events: int
    seconds: float
    problems: Sequence[str]


def summarize(requests: Requests, endpoint: Endpoint, credential: Credential) -> SessionSummary:
    """Return the summary of a session as it stands."""
    connection = requests.connection
    timeline, conversation = connection.timeline, connection.conversation
    config = conversation.config
    model = one_line(config.get("model") or endpoint.model, 80)
    given = look(config, ("audio", "output", "voice"), "")
    voice = one_line((given.get("id") if isinstance(given, Mapping) else given) or "", 80)
    has = _of_kind(requests.kind, config) or [f"model {model or 'unknown'}", f"voice {voice or 'unknown'}"]
    if endpoint.call_id:
        has = [
            f"watching call {one_line(endpoint.call_id, 80)}",
            *(each for each in has if not each.endswith("unknown")),
        ]
    return SessionSummary(
        state="open" if connection.closed is None else "closed",
        where=endpoint.words + (f" ({endpoint.engines})" if endpoint.engines else ""),
        url=endpoint.shown_url,
        dialect=connection.dialect.title,
        credential=credential.words,
        model=model,
        voice=voice,
        has=has,
        not_imitated=[one_line(path, 80) for path in without_effect(config, endpoint.not_imitated)],
        session_id=one_line(conversation.session_id, 80),
        responses=len(conversation.responses),
        events=len(timeline),
        seconds=timeline[-1].t if len(timeline) else 0.0,
        problems=list(connection.problems),
    )


def _of_kind(kind: SessionKind, config: Mapping[str, Any]) -> list[str]:
    """Return what a session has that has no model that answers; nothing for one that has."""

    def told(*path: str) -> str:
        return one_line(look(config, path) or "", 40)

    model, language = (told(*AUDIO_SETTINGS["transcription"], name) for name in ("model", "language"))
    if kind.type == TRANSLATION:
        into = told("audio", "output", "language") or "a language that the service did not name"
        return [
            f"translation session, into {into}",
            f"source transcribed by {model}" if model else "source not transcribed",
        ]
    if kind.type == TRANSCRIPTION:
        detection = told(*AUDIO_SETTINGS["turn_detection"], "type")
        words = f"transcription session, {model or 'no model named'}" + (f" ({language})" if language else "")
        return [words, f"turns by {detection}" if detection else "turns by commit"]
    return []


def sentence(summary: SessionSummary) -> str:
    """Return one informative line."""
    words = [
        f"Session {summary.state}: {summary.where}",
        summary.dialect,
        summary.credential,
        *summary.has,
        *([f"not imitated here: {_listed(summary.not_imitated)}"] if summary.not_imitated else []),
    ]
    problems = (
        f"; {formatting.plural(len(summary.problems), 'problem')}: {summary.problems[-1]}" if summary.problems else ""
    )
    return f"<{formatting.printable(', '.join(words))}; {_progress(summary)}{formatting.printable(problems)}>"


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def html(summary: SessionSummary) -> str:
    """Return the same in HTML, with the newest problems as banners."""
    rows = [
        ("connected to" if summary.state == "open" else summary.state, f"{summary.where} · {summary.url}"),
        ("dialect", summary.dialect),
        ("credential", summary.credential),
        ("has", ", ".join(summary.has)),
        *([("not imitated here", ", ".join(summary.not_imitated))] if summary.not_imitated else []),
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
