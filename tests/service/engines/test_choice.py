from __future__ import annotations

import importlib.util

import pytest

from rtnb.errors import ConfigurationError
from rtnb.service.engines.base import Engines
from rtnb.service.engines.choice import make
from rtnb.service.server.options import ServiceOptions


def without(monkeypatch: pytest.MonkeyPatch, *missing: str) -> None:
    """Let modules look as if they were not installed."""
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name in missing else find(name, *rest))


def made(**options: object) -> Engines:
    return make(ServiceOptions(**options))  # type: ignore[arg-type]


async def test_the_best_that_is_installed() -> None:
    """Where everything is installed, eSpeak NG speaks and pocketsphinx listens, and neither is started yet."""
    pytest.importorskip("espeakng_loader")
    pytest.importorskip("pocketsphinx")
    found = made()
    assert found.names == {"voice": "espeak-ng", "writer": "script", "transcriber": "pocketsphinx"}
    await found.close()


async def test_without_extras(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra the built-in voice speaks, and nothing is transcribed."""
    without(monkeypatch, "espeakng_loader", "pocketsphinx")
    found = made()
    assert found.names == {"voice": "tones", "writer": "script", "transcriber": None}
    await found.check()
    await found.warm()
    await found.close()


def test_chosen_by_name() -> None:
    """A voice that is asked for is taken, though a better one is here."""
    assert made(voice_engine="tones").voice.name == "tones"


def test_asked_for_and_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is asked for by name and is not here is refused with the command that brings it."""
    without(monkeypatch, "espeakng_loader")
    with pytest.raises(ConfigurationError, match=r"rtnb\[voice\]"):
        made(voice_engine="espeak")


def test_a_given_writer_wins() -> None:
    """A writer that the server brings is used instead of the one that the options name."""
    voice = made(voice_engine="tones").voice
    assert make(ServiceOptions(chat="localhost:1", chat_model="m"), voice).writer is voice  # type: ignore[arg-type]


async def test_engines_that_people_bring() -> None:
    """Each part may be an endpoint or a function; its name says which, and nothing is started or imported yet."""
    by_url = made(
        chat="http://127.0.0.1:11434", chat_model="llama3.2", speak="http://127.0.0.1:8000/v1", speak_model="kokoro",
        transcribe="https://api.example.com",
    )  # fmt: skip
    assert by_url.names == {
        "voice": "speech kokoro at 127.0.0.1:8000",
        "writer": "chat llama3.2 at 127.0.0.1:11434",
        "transcriber": "transcription whisper-1 at api.example.com",
    }
    by_function = made(speaker="no.such.module:speak", transcriber="my_engines:listen")
    assert by_function.names == {
        "voice": "function no.such.module:speak",
        "writer": "script",
        "transcriber": "function my_engines:listen",
    }
    await by_url.close()
    await by_function.close()
