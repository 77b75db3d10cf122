"""`SessionKind`: what each type of session allows, and the sentence for what has no meaning in it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rtnb.errors import ConfigurationError
from rtnb.protocol import commands
from rtnb.protocol.catalog import DEFAULT_TRANSCRIPTION_MODEL, REALTIME, TRANSCRIPTION, TRANSLATION
from rtnb.protocol.commands import Command
from rtnb.protocol.config import AUDIO_SETTINGS, look, nest
from rtnb.protocol.dialects import Dialect
from rtnb.protocol.session_types import dialect_of_session, type_of_url


@dataclass(frozen=True, slots=True)
class SessionKind:
    """A type of session.

    Attributes
    ----------
    type : str
        ``"realtime"``, ``"transcription"`` or ``"translation"``, as in ``session.type``.
    update_type : str
        The type that each change of settings must give; empty where it gives none.
    does : str
        What such a session does, for messages.
    refused : mapping of str to str
        What has no meaning in it, as a user writes it, and what to do instead.
    """

    type: str
    update_type: str
    does: str
    refused: Mapping[str, str] = field(repr=False)

    def allows(self, verb: str) -> bool:
        """Return whether a verb of the session has a meaning."""
        return verb not in self.refused

    def check(self, verb: str) -> None:
        """Refuse a verb that has no meaning.

        Raises
        ------
        ConfigurationError
            With what to do instead; nothing was sent.
        """
        if verb in self.refused:
            raise ConfigurationError(
                f"session.{verb} has no meaning in a {self.type} session, which {self.does}; {self.refused[verb]}."
            )

    def typed(self, tree: Mapping[str, Any]) -> dict[str, Any]:
        """Return settings (GA's nested form) with the type that such a session gives with each change."""
        return {"type": self.update_type, **tree} if self.update_type else dict(tree)

    def update(self, tree: Mapping[str, Any]) -> Command:
        """Return the command that changes settings, given in GA's nested form."""
        return commands.session_update(tree, self.update_type)


_INSTEAD = "rtnb.connect() without intent='transcription' opens a session with a model that answers"
_SPEAK = "session.append_audio(clip) sends speech, and the translation is in session.responses[0] while it is spoken"
_CONTINUOUS = "it translates continuously, without turns"

SESSION_KINDS: dict[str, SessionKind] = {
    REALTIME: SessionKind(REALTIME, REALTIME, "answers", {}),
    TRANSCRIPTION: SessionKind(
        TRANSCRIPTION,
        TRANSCRIPTION,
        "turns speech into text and gives no responses",
        {
            "ask(text)": f"give speech: session.ask(clip) or session.transcribe(clip) returns its transcript; {_INSTEAD}",
            "ask(out_of_band=True)": f"session.transcribe(clip) returns a transcript; {_INSTEAD}",
            "respond()": f"session.commit() ends a turn of speech, whose transcript then comes; {_INSTEAD}",
            "add_message()": f"it takes speech only: session.append_audio(clip); {_INSTEAD}",
            "cancel()": "there is no response to cancel; session.clear() empties the input buffer",
            "truncate()": "there is no answer to cut",
        },
    ),
    TRANSLATION: SessionKind(
        TRANSLATION,
        "",
        "turns speech into speech and text of another language",
        {
            "ask(text)": _SPEAK,
            "ask(clip)": _SPEAK,
            "ask(out_of_band=True)": _SPEAK,
            "respond()": _SPEAK,
            "transcribe()": f"the words of the speech are in session.conversation.items['source'] if transcription is on; {_SPEAK}",
            "add_message()": f"it takes speech only: {_SPEAK}",
            "commit()": _CONTINUOUS,
            "clear()": _CONTINUOUS,
            "cancel()": f"{_CONTINUOUS}; session.close() ends it",
            "truncate()": "what was spoken cannot be cut",
        },
    ),
}
"""The types of session, by the word in ``session.type``."""


def session_kind(session_type: object) -> SessionKind:
    """Return the kind of session of a type; a realtime session for a type that is not known, or not given."""
    return SESSION_KINDS.get(str(session_type), SESSION_KINDS[REALTIME])


def asked_kind(url: str, intent: str) -> SessionKind:
    """Return the kind of session that an address asks for, by its URL or by an intent that the user named."""
    return session_kind(type_of_url(url) or intent)


def check_asked(dialect: Dialect, url: str, intent: str, config: Mapping[str, Any]) -> None:
    """Refuse settings (flat) that a session which an address asks for cannot have.

    Raises
    ------
    ConfigurationError
        With the corrected form.
    """
    kind = asked_kind(url, intent)
    dialect_of_session(dialect, kind.type).check(kind.typed(nest(config)))


def with_transcriber(kind: SessionKind, asked: Mapping[str, Any], granted: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings (flat) to ask for when a session opens: `asked`, and what transcribes where nothing would.

    Parameters
    ----------
    kind : SessionKind
    asked : mapping
        What the user asks for.
    granted : mapping
        What the session has already, in GA's nested form.
    """
    path = AUDIO_SETTINGS["transcription"]
    wanted = look(nest(asked), path, {})
    if kind.type != TRANSCRIPTION or wanted is None or wanted.get("model") or look(granted, (*path, "model")):
        return dict(asked)
    return {**asked, "transcription": {"model": DEFAULT_TRANSCRIPTION_MODEL, **wanted}}


def check_joining(call_id: str | None, asked: Mapping[str, Any]) -> None:
    """Refuse what only a new session can be asked for, where a running call is joined.

    Raises
    ------
    ConfigurationError
        With what to do instead.
    """
    named = [name for name, value in asked.items() if value is not None]
    if call_id and named:
        raise ConfigurationError(
            f"{named[0]}= has no place beside call_id=: a running call has its model and its settings. "
            "session.configure(…), once it is open, changes what can still be changed."
        )
