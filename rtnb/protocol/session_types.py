"""The types of session: how an address asks for one, and the dialect that a translation session speaks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

from rtnb.protocol.catalog import TRANSCRIPTION, TRANSLATION
from rtnb.protocol.dialect_tables import TRANSLATION_SESSION
from rtnb.protocol.dialects import GA, Dialect
from rtnb.protocol.names import PREVIEW_TRANSCRIPTION_NAME, TRANSLATION_NAME

_TRANSCRIPTION_OBJECT = "realtime.transcription_session"
_TRANSLATIONS_PATH = "/realtime/translations"

TRANSLATION_DIALECT = replace(
    GA,
    wire_names=TRANSLATION_NAME,
    session_type=TRANSLATION,
    typed_session=False,
    session_settings=TRANSLATION_SESSION,
)
"""GA with the names that translation sessions have for audio and transcripts, and with their few settings."""


def type_of_url(url: str) -> str:
    """Return the type of session that a URL asks for; empty where it leaves that to the service."""
    parts = urlsplit(url)
    if parts.path.rstrip("/").endswith(_TRANSLATIONS_PATH):
        return TRANSLATION
    return TRANSCRIPTION if TRANSCRIPTION in parse_qs(parts.query).get("intent", []) else ""


def type_of_session(event_type: str, session: Mapping[str, Any]) -> str:
    """Return the type of session that an event with a session object names; empty where it names none."""
    if isinstance(named := session.get("type"), str):
        return named
    transcribes = event_type in PREVIEW_TRANSCRIPTION_NAME.values() or session.get("object") == _TRANSCRIPTION_OBJECT
    return TRANSCRIPTION if transcribes else ""


def dialect_of_session(dialect: Dialect, session_type: object) -> Dialect:
    """Return the dialect of a session of this type at an endpoint that speaks `dialect`."""
    return TRANSLATION_DIALECT if session_type == TRANSLATION else dialect
