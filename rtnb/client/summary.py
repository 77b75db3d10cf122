"""What a session says of itself, in a line of text or a few lines of HTML. Pure: facts in, strings out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rtnb import formatting
from rtnb.protocol.config import AUDIO_SETTINGS, look


@dataclass(frozen=True, slots=True)
class Facts:
    """What there is to say about a session."""

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


def sentence(facts: Facts) -> str:
    """Return one informative line."""
    words = [
        f"Session {facts.state}: {facts.where}",
        facts.dialect,
        facts.credential,
        f"model {facts.model or 'unknown'}",
        f"voice {facts.voice or 'unknown'}",
    ]
    problems = f"; {formatting.plural(len(facts.problems), 'problem')}: {facts.problems[-1]}" if facts.problems else ""
    return f"<{formatting.printable(', '.join(words))}; {_progress(facts)}{formatting.printable(problems)}>"


def html(facts: Facts) -> str:
    """Return the same in HTML, with the newest problems as banners."""
    rows = [
        ("connected to" if facts.state == "open" else facts.state, f"{facts.where} · {facts.url}"),
        ("dialect", facts.dialect),
        ("credential", facts.credential),
        ("model, voice", f"{facts.model or 'unknown'}, {facts.voice or 'unknown'}"),
        ("session", facts.session_id or "the service gave no id"),
        ("so far", _progress(facts)),
    ]
    cells = [[formatting.muted(name), formatting.escape(value)] for name, value in rows]
    title = f"<b>Realtime session, {formatting.escape(facts.state)}</b>"
    banners = [formatting.banner(problem) for problem in facts.problems[-3:]]
    return formatting.card(title, *banners, formatting.html_table(("", ""), cells))


def _progress(facts: Facts) -> str:
    return ", ".join(
        (
            formatting.plural(facts.responses, "response"),
            formatting.plural(facts.events, "event"),
            formatting.seconds(facts.seconds),
        )
    )


class Configured:
    """What `configure` brought about.

    Attributes
    ----------
    config : dict
        The whole effective configuration, in GA's nested form.
    not_granted : dict of str to (asked, granted)
        What was asked for and is not in effect; granted is None where the service did not say.
    """

    def __init__(self, config: dict[str, Any], not_granted: dict[str, tuple[Any, Any]]) -> None:
        self.config = config
        self.not_granted = not_granted

    def __bool__(self) -> bool:
        return not self.not_granted

    def __repr__(self) -> str:
        if not self.not_granted:
            return "<Configured: everything asked for was granted>"
        return f"<Configured, except {self.words}>"

    @property
    def words(self) -> str:
        """What was not granted, for people."""
        return "; ".join(
            f"{path}: asked {_short(asked)}, got {_short(got)}" for path, (asked, got) in self.not_granted.items()
        )

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        rows = [
            [formatting.escape(name), formatting.escape(_short(look(self.config, path)))]
            for name, path in {"model": ("model",), "instructions": ("instructions",), **AUDIO_SETTINGS}.items()
            if look(self.config, path, self) is not self
        ]
        refused = formatting.banner(f"Not granted: {self.words}") if self.not_granted else ""
        return {"text/plain": repr(self), "text/html": formatting.card(refused, formatting.html_table(("", ""), rows))}


def _short(value: Any) -> str:
    return formatting.one_line(json.dumps(value, ensure_ascii=False, default=str), 120)
