"""What each kind of session allows; pure."""

from __future__ import annotations

import inspect
import re
from typing import Any

import pytest

import rtnb
from rtnb.client.session_kind import SESSION_KINDS, asked_kind, session_kind, with_transcriber
from rtnb.errors import ConfigurationError
from rtnb.protocol.catalog import DEFAULT_TRANSCRIPTION_MODEL


@pytest.mark.parametrize("kind", SESSION_KINDS.values(), ids=str)
def test_every_refused_verb_is_one_of_the_sessions(kind: rtnb.SessionKind) -> None:
    """A sentence about a method that is not there would help nobody."""
    for verb in kind.refused:
        name, arguments = re.fullmatch(r"(\w+)\((.*)\)", verb).groups()  # type: ignore[union-attr]
        method = getattr(rtnb.Session, name)
        if "=" in arguments:
            assert arguments.partition("=")[0] in inspect.signature(method).parameters
        assert not kind.allows(verb)
        with pytest.raises(
            ConfigurationError, match=re.escape(f"session.{verb} has no meaning in a {kind.type} session")
        ):
            kind.check(verb)
    assert kind.allows("append_audio()")
    kind.check("append_audio()")


@pytest.mark.parametrize("told", [None, "", "realtime", "hologram", ["odd"], 7])
def test_an_unknown_type_is_a_realtime_session(told: Any) -> None:
    """Nothing is refused because a service uses a word that nobody knows."""
    assert session_kind(told).refused == {}


def test_an_address_asks_for_a_kind() -> None:
    """By its URL, else by the intent that the user named (the local service has no URL yet)."""
    assert asked_kind("", "").type == "realtime"
    assert asked_kind("", "transcription").type == "transcription"
    assert asked_kind("wss://h/v1/realtime/translations", "").type == "translation"


@pytest.mark.parametrize(("kind", "given"), [("realtime", "realtime"), ("transcription", "transcription")])
def test_an_update_has_the_sessions_type(kind: str, given: str) -> None:
    """Each time; a type that the user names wins."""
    update = SESSION_KINDS[kind].update({"include": []})
    assert update == {"type": "session.update", "session": {"type": given, "include": []}}
    assert SESSION_KINDS[kind].update({"type": "other"})["session"] == {"type": "other"}
    assert SESSION_KINDS["translation"].update({"audio": {}})["session"] == {"audio": {}}


MODEL = {"model": DEFAULT_TRANSCRIPTION_MODEL}


@pytest.mark.parametrize(
    ("kind", "asked", "granted", "result"),
    [
        ("realtime", {}, {}, {}),
        ("transcription", {}, {}, {"transcription": MODEL}),
        ("transcription", {}, {"audio": {"input": {"transcription": None}}}, {"transcription": MODEL}),
        ("transcription", {}, {"audio": {"input": {"transcription": {"model": "x"}}}}, {}),
        ("transcription", {"transcription": None}, {}, {"transcription": None}),
        ("transcription", {"transcription": {"model": "x"}}, {}, {"transcription": {"model": "x"}}),
        ("transcription", {"transcription": {"language": "de"}}, {}, {"transcription": {**MODEL, "language": "de"}}),
    ],
)
def test_a_transcription_session_gets_a_model_where_it_has_none(
    kind: str, asked: Any, granted: Any, result: Any
) -> None:
    """And no other change."""
    assert with_transcriber(SESSION_KINDS[kind], asked, granted) == result
