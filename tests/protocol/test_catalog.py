"""The table of models: what it says on a given day, and that the defaults live."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest

from rtnb.protocol import catalog
from rtnb.protocol.catalog import AZURE, MODELS, OPENAI, REALTIME, TRANSCRIPTION

NOVEMBER = date(2026, 11, 22)


@pytest.mark.parametrize(
    ("name", "openai", "azure"),
    [
        ("gpt-realtime-2.1", None, date(2027, 6, 25)),
        ("gpt-realtime", date(2027, 1, 20), date(2027, 3, 2)),
        ("gpt-realtime-2025-08-28", date(2027, 1, 20), date(2027, 3, 2)),
        ("gpt-realtime-mini", date(2027, 1, 20), date(2027, 6, 15)),
        ("gpt-realtime-1.5", None, date(2027, 8, 24)),
        ("gpt-4o-realtime-preview", date(2026, 5, 7), None),
        ("gpt-transcribe", None, None),
        ("gpt-4o-transcribe", date(2027, 2, 26), date(2026, 10, 15)),
        ("whisper-1", date(2027, 2, 26), date(2026, 12, 15)),
    ],
)
def test_the_announced_ends(name: str, openai: date | None, azure: date | None) -> None:
    """As the pages of `SOURCES` have them, each provider's own; a provider that is not known announces nothing."""
    model = catalog.model_named(name)
    assert model is not None
    assert (model.end(OPENAI), model.end(AZURE), model.end("")) == (openai, azure, None)
    assert catalog.SOURCES[OPENAI].url == "https://developers.openai.com/api/docs/deprecations"
    assert all(source.dated <= catalog.READ for source in catalog.SOURCES.values())


def test_every_name_is_there_once_and_every_successor_too() -> None:
    """A model that ends anywhere is followed by one that does not end there before it; only the newest have none."""
    names = [model.name for model in MODELS]
    assert len(set(names)) == len(names)
    for model in MODELS:
        if model.successor:
            following = catalog.model_named(model.successor)
            assert following is not None
            assert following.use == model.use
            assert following.openai_end is None


def test_the_defaults_live() -> None:
    """At OpenAI without an announced end; the usual transcription model goes with turn detection, the streaming one does not."""
    realtime, usual, streaming = map(
        catalog.model_named,
        (catalog.DEFAULT_MODEL, catalog.DEFAULT_TRANSCRIPTION_MODEL, catalog.STREAMING_TRANSCRIPTION_MODEL),
    )
    assert realtime is not None
    assert usual is not None
    assert streaming is not None
    assert realtime.openai_end is usual.openai_end is streaming.openai_end is None
    assert (realtime.use, usual.use, streaming.use) == (REALTIME, TRANSCRIPTION, TRANSCRIPTION)
    assert (usual.detects_turns, streaming.detects_turns) == (True, False)


def test_how_long_a_response_may_be() -> None:
    """4,096 tokens with the models of 2024 and 2025, 32,000 with those of 2026; a name that is not known counts as new."""
    for name in ("gpt-realtime", "gpt-realtime-1.5", "gpt-4o-realtime-preview"):
        assert catalog.most_output_tokens(name) == 4_096
    for name in ("gpt-realtime-2.1", "gpt-realtime-2", "my-deployment", "gpt-transcribe"):
        assert catalog.most_output_tokens(name) == 32_000


def test_those_that_live_are_those_of_that_day_and_provider() -> None:
    """The preview dialect's are left out: they are for the local service, and for what is recorded."""
    assert "gpt-realtime" in catalog.living(REALTIME, OPENAI, date(2027, 1, 19))
    assert "gpt-realtime" not in catalog.living(REALTIME, OPENAI, date(2027, 1, 20))
    assert "gpt-realtime" in catalog.living(REALTIME, AZURE, date(2027, 1, 20))
    assert "gpt-4o-transcribe" not in catalog.living(TRANSCRIPTION, AZURE, NOVEMBER)
    assert not any("preview" in name for name in catalog.living(REALTIME, "", NOVEMBER))
    assert "gpt-realtime (until 2027-01-20)" in catalog.lifetimes(REALTIME, OPENAI, NOVEMBER)
    assert re.search(r"gpt-realtime-2\.1(,|$)", catalog.lifetimes(REALTIME, OPENAI, NOVEMBER))


@pytest.mark.parametrize(
    ("name", "provider", "today", "said"),
    [
        ("gpt-realtme-2.1", OPENAI, NOVEMBER, "did you mean gpt-realtime-2.1"),
        ("gpt-realtime-3", OPENAI, NOVEMBER, "did you mean gpt-realtime-2"),
        ("gpt-4o-realtime-preview", OPENAI, NOVEMBER, "was shut down on 2026-05-07; write gpt-realtime-2.1"),
        ("gpt-realtime-mini", OPENAI, date(2027, 2, 1), "was shut down on 2027-01-20; write gpt-realtime-2.1-mini"),
        ("gpt-live-1", OPENAI, NOVEMBER, "gpt-live-1 speaks another protocol"),
        ("llama", OPENAI, NOVEMBER, "realtime models that live, as read on 2026-11-22: gpt-realtime-2.1, "),
        ("gpt-realtime-2.1", OPENAI, NOVEMBER, "realtime models that live"),
    ],
)
def test_what_to_say_of_a_model_that_a_service_does_not_know(name: str, provider: str, today: date, said: str) -> None:
    """Its end, near names, and those that live."""
    words = catalog.unknown_model(name, provider, today)
    assert said in words
    assert "gpt-realtime-2.1-mini" in words
    assert "did you mean" not in words or catalog.model_named(name) is None


def test_a_transcription_model_is_looked_for_among_its_own() -> None:
    """Not among those that talk."""
    words = catalog.unknown_model("gpt-transcibe", OPENAI, NOVEMBER, TRANSCRIPTION)
    assert "did you mean gpt-transcribe" in words
    assert "gpt-realtime-2.1" not in words


def test_a_model_says_ninety_days_before_that_it_ends() -> None:
    """With the day, the page that says so, and what takes its place; and afterwards that it has ended."""
    end = date(2027, 1, 20)
    assert catalog.ending_soon(["gpt-realtime"], OPENAI, end - timedelta(91)) == []
    (soon,) = catalog.ending_soon(["gpt-realtime", "gpt-realtime"], OPENAI, end - timedelta(90))
    for words in ("gpt-realtime is shut down on 2027-01-20, in 90 days", "deprecations", "gpt-realtime-2.1 takes"):
        assert words in soon
    (over,) = catalog.ending_soon(["gpt-realtime"], OPENAI, end)
    assert "was to be shut down on 2027-01-20" in over
    assert catalog.ending_soon(["gpt-realtime", "my-own", ""], "", end) == []
    assert catalog.ending_soon(["gpt-realtime-2.1", "my-own", ""], OPENAI, end) == []
