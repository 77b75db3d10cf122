"""A response, to read, hear and look at."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from scripted import Ladder, Wire, error, session

from rtnb.conversation.conversation import Conversation
from rtnb.conversation.items import ResponseState
from rtnb.conversation.response import Response, usage_total
from rtnb.timeline import Timeline


def response_of(*events: Wire, asked: bool = True) -> Response:
    timeline, told = Timeline(), Conversation()
    sent = [{"type": "response.create", "event_id": "event_1"}] if asked else []
    for number, event in enumerate([*sent, *events]):
        direction = "sent" if event["type"] == "response.create" else "received"
        told.apply(timeline.store.append(json.dumps(event).encode(), direction=direction, t=number / 10))
    return Response(next(iter(told.responses.values()), ResponseState()), timeline)


dialects = pytest.mark.parametrize("dialect", ["ga", "preview"])
PCM = (np.arange(2400) % 100 * 100).astype("<i2").tobytes()


@dialects
def test_a_spoken_response(dialect: str) -> None:
    """Transcript, samples, usage, items, events and latency are there."""
    r = response_of(*Ladder(dialect).speech_turn(["Of", " course"], [PCM[:1001], PCM[1001:]]))
    assert (r.status, r.transcript, r.text, r.id, r.done, r.error, r.reason) == (
        "completed",
        "Of course",
        "",
        "resp_1",
        True,
        None,
        "",
    )
    assert r.audio.rate == 24000
    assert r.audio.samples.tobytes() == PCM
    assert r.audio_seconds == pytest.approx(0.1)
    assert r.usage["output_tokens"] == 77
    assert [item.role for item in r.items] == ["assistant"]
    assert set(r.events["response_id"]) == {"resp_1"}
    assert r.latency.since == "request"
    assert r.latency.created == pytest.approx(0.1)
    assert 0 < r.latency.first_text < r.latency.first_audio < r.latency.done


@dialects
def test_a_written_response(dialect: str) -> None:
    """Text is text, the transcript falls back on it, and what was not measured is NaN."""
    r = response_of(*Ladder(dialect).text_turn(["Of", " course"]), asked=False)
    assert (r.text, r.transcript) == ("Of course", "Of course")
    assert len(r.audio) == 0
    assert r.latency.since == "created"
    assert math.isnan(r.latency.first_audio)
    assert "not measured" in repr(r.latency)


@dialects
def test_function_calls_are_parsed(dialect: str) -> None:
    """Arguments are JSON, or the text itself where they are not."""
    (call,) = response_of(*Ladder(dialect).function_turn("weather", ['{"city": "Oslo"}'])).function_calls
    assert (call.name, call.call_id, call.arguments) == ("weather", "call_1", {"city": "Oslo"})
    (call,) = response_of(*Ladder(dialect).function_turn("weather", ["{broken"])).function_calls
    assert call.arguments == "{broken"
    (call,) = response_of(*Ladder(dialect).function_turn("weather", ["[" * 100_000])).function_calls
    assert isinstance(call.arguments, str)


def test_metadata_comes_back() -> None:
    """As the request gave it."""
    assert response_of(*Ladder("ga", metadata={"topic": "x"}).text_turn(["a"])).metadata == {"topic": "x"}


def test_a_failed_response_says_why() -> None:
    """As an exception that is not raised."""
    details = {"type": "failed", "error": {"type": "server_error", "code": "rate_limit", "message": "Too much."}}
    done = {"type": "response.done", "response": {"id": "resp_1", "status": "failed", "status_details": details}}
    r = response_of(Ladder("ga").created(), done)
    assert r.error is not None
    assert (r.error.code, r.status) == ("rate_limit", "failed")
    assert "Too much." in r._repr_mimebundle_()["text/html"]
    assert repr(r) == "<Response failed (rate_limit: Too much.)>"
    silent = response_of(
        Ladder("ga").created(), {"type": "response.done", "response": {"id": "resp_1", "status": "failed"}}
    )
    assert "did not say why" in str(silent.error)


def test_before_anything_came() -> None:
    """There is nothing to show, and nothing raises."""
    r = response_of(error("x", "y"))
    assert (r.id, r.status, r.transcript, r.done, r.usage, r.function_calls) == ("", "requested", "", False, {}, [])
    assert len(r.events) == 0
    assert math.isnan(r.latency.done)
    assert "requested" in repr(r)


def test_both_forms_show_the_same() -> None:
    """Text for a terminal, HTML for a notebook: transcript, figures, a player, a waveform, no script."""
    r = response_of(*Ladder("ga").speech_turn(["Of", " course"], [PCM]))
    shown = r._repr_mimebundle_()
    for text in shown.values():
        assert "Of course" in text
        assert "100 ms of audio" in text
    assert "<audio" in shown["text/html"]
    assert "<svg" in shown["text/html"]
    assert "82 tokens (5 in, 77 out)" in shown["text/html"]
    assert "<script" not in shown["text/html"]


EVIL = '<img src=x onerror="alert(1)"><script>alert(1)</script>\u202e\x1b[31m'


@pytest.mark.large
def test_whatever_a_service_says_is_escaped_and_bounded() -> None:
    """Markup, control characters and megabytes in every field; the repr stays short and harmless."""
    long = EVIL + "x" * 2_000_000
    ladder = Ladder("ga", response=long, item=long)
    call = ladder.function_turn(long, [json.dumps({"a": long})])
    details = {"type": long, "reason": long, "error": {"code": long, "message": long}}
    call[-1]["response"] |= {"status": long, "status_details": details, "usage": {"total_tokens": long}}
    for r in (response_of(*call), response_of(*ladder.text_turn([long]))):
        html, text = r._repr_mimebundle_()["text/html"], repr(r)
        assert len(html) < 40_000
        assert len(text) < 1_000
        for bad in ("<script", "<img"):
            assert bad not in html
        for shown in (html, text, *map(repr, r.items)):
            assert "\u202e" not in shown
            assert "\x1b" not in shown
            assert len(shown) < 40_000


def test_usage_is_added_up() -> None:
    """Details too; what is no number is left out, whatever shape it has."""
    states = {
        "a": ResponseState(usage={"total": 1, "details": {"text": 1}, "odd": 1, "flag": True}),
        "b": ResponseState(usage={"total": 2, "details": {"text": 2, "audio": 3}, "odd": {"x": 1}}),
        "c": ResponseState(usage={"total": "7", "details": 5, "odd": None}),
        "d": ResponseState(),
    }
    assert usage_total(states) == {"total": 3, "details": {"text": 3, "audio": 3}, "odd": 1}


def test_audio_of_a_strange_format_is_still_audio() -> None:
    """A format that nobody knows is read as PCM16, the protocol's own."""
    strange = session("ga")
    strange["audio"]["output"]["format"] = {"type": ["audio/opus"]}
    r = response_of({"type": "session.created", "session": strange}, *Ladder("ga").speech_turn(["a"], [PCM]))
    assert r.audio.duration == pytest.approx(0.1)


def test_its_state_is_the_conversations_own() -> None:
    """What follows a response compares states, so the response hands out the one that the events update."""
    state = ResponseState(id="resp_1")
    response = Response(state, Timeline())
    assert response.state is state
    state.status = "completed"
    assert response.status == "completed"
