"""A response on its way: what it shows of one round, of several, and of a failure."""

from __future__ import annotations

from typing import Any

import pytest
from scripted import Here

from rtnb.client.live_response import LiveResponse
from rtnb.conversation.items import ContentPart, Item, ResponseState
from rtnb.errors import ResponseTimeout, ServerError
from rtnb.timeline import Timeline


class Connected:
    timeline = Timeline()


def live() -> LiveResponse:
    connection: Any = Connected()
    io: Any = Here()
    return LiveResponse(connection, io)


def calling(name: str, id: str = "resp_1") -> ResponseState:
    call = Item("item_1", "function_call", name=name, call_id="c", arguments='{"a": 1}', output="2")
    return ResponseState(id, "completed", items={"item_1": call}, done_t=1.0)


def speaking(words: str, id: str = "resp_2", status: str = "completed") -> ResponseState:
    part = ContentPart("output_audio", transcript_pieces=[words])
    return ResponseState(id, status, items={"item_2": Item("item_2", content={0: part})})


async def test_before_anything_came() -> None:
    """It is requested, and empty."""
    r = live()
    assert (r.status, r.id, r.transcript, r.done, r.function_calls, len(r.events)) == (
        "requested",
        "",
        "",
        False,
        [],
        0,
    )
    assert "requested" in repr(r)


async def test_calls_of_earlier_rounds_stay_in_view() -> None:
    """What it says is the newest; what was called is everything."""
    r = live()
    r.follow(calling("first"))
    r.next_round()
    assert [call.name for call in r.function_calls] == ["first"]
    assert r.id == ""
    r.follow(calling("second", "resp_2"))
    r.next_round()
    r.follow(speaking("It is two.", "resp_3"))
    assert [call.name for call in r.function_calls] == ["first", "second"]
    assert (r.id, r.transcript) == ("resp_3", "It is two.")
    assert not r.done
    r.settle()
    assert r.done
    assert await r is r
    assert "calls first, second" in repr(r)
    assert "first(" in r._repr_mimebundle_()["text/html"]


async def test_what_turns_out_to_be_another_response_leaves_nothing_behind() -> None:
    """Following another one replaces it."""
    r = live()
    r.follow(calling("not ours"))
    r.follow(speaking("Ours."))
    assert (r.function_calls, r.transcript) == ([], "Ours.")


async def test_how_the_speech_ended_is_shown() -> None:
    """In text and HTML, for speech only."""
    r = live()
    r.follow(speaking("Hi"))
    assert "speech" not in repr(r) + r._repr_mimebundle_()["text/html"]
    r.input_ended = "committed"
    for shown in r._repr_mimebundle_().values():
        assert "speech committed" in shown


async def test_a_failure_is_kept_and_raised_each_time() -> None:
    """The first one counts; what had come is there all the same."""
    r = live()
    r.settle(ServerError("invalid_value: no", code="invalid_value"))
    r.settle(ResponseTimeout("late"))
    for _ in range(2):
        with pytest.raises(ServerError, match="no"):
            await r
    assert (r.status, r.reason, r.done) == ("failed", "invalid_value: no", True)
    assert r.error is r.failure
    late = live()
    late.follow(speaking("So far", status="in_progress"))
    late.settle(ResponseTimeout("late"))
    assert (late.status, late.transcript, late.reason) == ("in_progress", "So far", "late")
