"""How an address asks for a type of session, and what a translation session speaks."""

from __future__ import annotations

import typing

import openai.types.realtime as ga_types
import pytest

from rtnb.errors import ConfigurationError
from rtnb.protocol.dialects import GA, PREVIEW
from rtnb.protocol.names import Kind, kind_of
from rtnb.protocol.session_types import (
    TRANSLATION_DIALECT,
    dialect_of_session,
    type_of_session,
    type_of_url,
)

HOST = "wss://api.openai.com/v1/realtime"


@pytest.mark.parametrize(
    ("url", "session_type"),
    [
        (f"{HOST}?model=gpt-realtime", ""),
        (f"{HOST}?intent=transcription", "transcription"),
        (f"{HOST}?intent=other", ""),
        (f"{HOST}/translations?model=gpt-realtime-translate", "translation"),
        ("wss://n.openai.azure.com/openai/v1/realtime/translations/?model=x", "translation"),
        (
            "wss://n.openai.azure.com/openai/realtime?api-version=2025-04-01-preview&intent=transcription",
            "transcription",
        ),
        ("", ""),
    ],
)
def test_a_url_asks_for_a_type(url: str, session_type: str) -> None:
    """By its path or its intent."""
    assert type_of_url(url) == session_type


@pytest.mark.parametrize(
    ("name", "session", "session_type"),
    [
        ("session.created", {"type": "transcription"}, "transcription"),
        ("session.created", {"type": "realtime", "object": "realtime.transcription_session"}, "realtime"),
        ("transcription_session.updated", {}, "transcription"),
        ("session.created", {"object": "realtime.transcription_session"}, "transcription"),
        ("session.created", {"type": ["odd"]}, ""),
        ("session.created", {}, ""),
    ],
)
def test_a_service_names_its_type(name: str, session: dict[str, typing.Any], session_type: str) -> None:
    """In the session object, or by the event's own name."""
    assert type_of_session(name, session) == session_type


@pytest.mark.parametrize("union", ["RealtimeTranslationServerEvent", "RealtimeTranslationClientEvent"])
def test_every_official_event_of_a_translation_is_known(union: str) -> None:
    """The official client's types name no other."""
    members = typing.get_args(typing.get_args(getattr(ga_types, union))[0])
    names = {name for each in members for name in typing.get_args(each.model_fields["type"].annotation)}
    assert names
    assert {kind_of(name) for name in names} <= {kind.value for kind in Kind}


def test_a_translation_session_has_names_of_its_own() -> None:
    """For audio and transcripts; everything else is GA's."""
    append = TRANSLATION_DIALECT.encode({"type": "input_audio_buffer.append", "audio": "AAAA"})
    assert append == {"type": "session.input_audio_buffer.append", "audio": "AAAA"}
    delta = TRANSLATION_DIALECT.decode({"type": "session.output_audio.delta", "delta": "AAAA"})
    assert delta == {"type": "response.output_audio.delta", "delta": "AAAA"}
    assert kind_of("session.input_transcript.delta") == Kind.INPUT_TRANSCRIPTION_DELTA
    assert dialect_of_session(GA, "translation") is TRANSLATION_DIALECT
    assert dialect_of_session(PREVIEW, "transcription") is PREVIEW
    with pytest.raises(ConfigurationError, match="turn_detection= has no meaning in a translation session"):
        TRANSLATION_DIALECT.check({"audio": {"input": {"turn_detection": None}}})
