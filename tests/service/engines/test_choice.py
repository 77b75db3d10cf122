from __future__ import annotations

import importlib.util

import pytest

from rtnb.errors import ConfigurationError
from rtnb.service import engines
from rtnb.service.engines.tones import ToneVoice

WRITER = ToneVoice()  # any engine: none of these tests writes


def without(monkeypatch: pytest.MonkeyPatch, *missing: str) -> None:
    """Let modules look as if they were not installed."""
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name in missing else find(name, *rest))


async def test_the_best_that_is_installed() -> None:
    """Where everything is installed, eSpeak NG speaks and pocketsphinx listens, and neither is started yet."""
    pytest.importorskip("espeakng_loader")
    pytest.importorskip("pocketsphinx")
    made = engines.make(WRITER)
    assert (made.voice.name, made.transcriber and made.transcriber.name) == ("espeak-ng", "pocketsphinx")
    assert made.writer is WRITER
    await made.close()


async def test_without_extras(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra the tone voice speaks, and nobody listens."""
    without(monkeypatch, "espeakng_loader", "pocketsphinx")
    made = engines.make(WRITER)
    assert made.voice.name == "tones"
    assert made.transcriber is None
    await made.warm()
    await made.close()


def test_chosen_by_name() -> None:
    """An engine that is asked for is taken, though a better one is here."""
    made = engines.make(WRITER, voice="tones", transcriber="none")
    assert (made.voice.name, made.transcriber) == ("tones", None)


def test_unknown_names() -> None:
    """A name that means nothing is refused with those that do."""
    with pytest.raises(ConfigurationError, match="choose espeak, tones"):
        engines.make(WRITER, voice="siri")


def test_asked_for_and_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is asked for by name and is not here is refused with the command that brings it."""
    without(monkeypatch, "pocketsphinx")
    with pytest.raises(ConfigurationError, match=r"rtnb\[voice\]"):
        engines.make(WRITER, transcriber="pocketsphinx")
