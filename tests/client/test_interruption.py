"""Interrupting: what was not heard is cut off, to the millisecond, by a clock that the tests turn."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from scripted import Ladder, Script, Wire, error, open_session
from virtual_time import until, virtual_time

from rtnb.client.playback import Playback
from rtnb.errors import ServerError

dialects = pytest.mark.parametrize("dialect", ["ga", "preview"])
SECOND = bytes(48_000)


async def with_clock(dialect: str = "ga", **options: Any) -> tuple[Any, Script, Callable[[float], None]]:
    """Open a session, and return what sets its clock, in seconds since it opened."""
    session, service = await open_session(dialect, **options)
    connection = session._connection
    now = [0.0]
    connection._clock = lambda: connection.origin + now[0]

    def at(seconds: float) -> None:
        now[0] = seconds

    return session, service, at


async def speaking(service: Script, session: Any, *chunks: bytes, words: tuple[str, ...] = ("one", " two")) -> None:
    """Let the service begin an answer."""
    service.active = Ladder(service.dialect)
    turn = service.active.speech_turn(list(words), list(chunks))
    rows = len(session.timeline) + 4 + len(words) + len(chunks)
    await service.say(*turn[: 4 + len(words) + len(chunks)])
    await until(lambda: len(session.timeline) == rows)


@dialects
@virtual_time
async def test_a_running_answer_is_cancelled_and_cut_where_it_was_heard(dialect: str) -> None:
    """By the clock, from its first audio on; sent and heard transcript are both kept."""
    session, service, at = await with_clock(dialect)
    at(10.0)
    await speaking(service, session, SECOND, SECOND, words=("one", " two", " three", " four"))
    at(11.25)
    service.answers["response.cancel"] = cancelled
    heard = await session.interrupt()
    assert (heard.item_id, heard.content_index, heard.heard_ms, heard.received_ms) == ("item_2", 0, 1250, 2000)
    assert "1250 of 2000 ms" in repr(heard)
    assert service.types() == ["response.cancel", "conversation.item.truncate"]
    assert service.heard[0]["response_id"] == "resp_1"
    assert {key: service.heard[1][key] for key in ("item_id", "content_index", "audio_end_ms")} == {
        "item_id": "item_2",
        "content_index": 0,
        "audio_end_ms": 1250,
    }
    item = session.conversation.items["item_2"]
    assert (item.text, item.heard) == ("one two three four", "one two")
    assert session.responses[0].status == "cancelled"
    assert session.responses[0].transcript == "one two three four"
    assert await session.interrupt() is None
    assert len(service.heard) == 2
    assert session.problems == []


async def cancelled(service: Script, heard: Wire) -> None:
    assert service.active
    turn, service.active = service.active, None
    await service.say(*turn.closing("audio", "one two three four", "cancelled", "client_cancelled"))


@dialects
@virtual_time
async def test_a_finished_answer_that_is_still_playing_is_only_cut(dialect: str) -> None:
    """And never beyond what was received: once it is over there is nothing to interrupt."""
    session, service, at = await with_clock(dialect)
    r = await session.ask("x")  # 250 ms
    at(0.1)
    heard = await session.interrupt()
    assert (heard.heard_ms, heard.received_ms) == (100, 250)
    assert "response.cancel" not in service.types()
    await session.ask("y")
    at(0.4)
    assert await session.interrupt() is None
    assert r.status == "completed"


@virtual_time
async def test_what_arrives_too_slowly_is_not_heard_sooner() -> None:
    """A player has to wait for it."""
    session, service, at = await with_clock()
    await speaking(service, session, bytes(4800), words=())  # 100 ms
    at(5.0)
    await service.say(service.active.audio(SECOND))  # type: ignore[union-attr]
    await until(lambda: session.responses[0].audio_seconds > 1)
    at(5.3)
    heard = await session.interrupt()
    assert (heard.heard_ms, heard.received_ms) == (400, 1100)


@dialects
@virtual_time
async def test_an_answer_of_which_nothing_was_heard_is_deleted(dialect: str) -> None:
    """The conversation goes on as if it had not been said; that it is gone is on the item."""
    session, service, _ = await with_clock(dialect)
    await speaking(service, session, SECOND)
    heard = await session.interrupt()
    assert (heard.heard_ms, heard.received_ms) == (0, 1000)
    assert service.types() == ["response.cancel", "conversation.item.delete"]
    assert "item_2" not in session.conversation.items
    assert session.responses[0].items[0].status == "deleted"
    assert await session.interrupt() is None


@virtual_time
async def test_nothing_to_interrupt() -> None:
    """Before anything was said, after text, and for an answer that has not begun to sound, which is cancelled."""
    session, service, _ = await with_clock()
    assert await session.interrupt() is None
    assert service.heard == []
    await service.say(*Ladder("ga").text_turn(["Hi"]))
    await until(lambda: session.responses and session.responses[0].done)
    assert await session.interrupt() is None
    assert service.heard == []
    service.active = Ladder("ga", response="resp_2", item="item_3")
    await service.say(service.active.created())
    await until(lambda: len(session.responses) == 2)
    assert await session.interrupt() is None
    assert service.types() == ["response.cancel"]


@virtual_time
async def test_answers_beside_the_conversation_are_not_interrupted() -> None:
    """But the one that is part of it, although it is older."""
    session, _, at = await with_clock()
    await session.ask("x")
    await session.ask("y", out_of_band=True)
    at(0.1)
    assert (await session.interrupt()).item_id == session.responses[0].items[0].id


@virtual_time
async def test_each_item_of_an_answer_is_cut_by_itself() -> None:
    """The first was heard, the second in part, the third not at all; content index and all."""
    session, service, at = await with_clock()
    ladder = Ladder("ga")
    events = [ladder.created()]
    for index, item in enumerate(("item_a", "item_b", "item_c")):
        of = {"response_id": "resp_1", "item_id": item, "output_index": index, "content_index": 1 if index == 1 else 0}
        told = {"id": item, "type": "message", "role": "assistant", "status": "in_progress", "content": []}
        events += [
            ladder.event("response.output_item.added", response_id="resp_1", output_index=index, item=told),
            ladder.event("conversation.item.added", item=told),
            ladder.audio(SECOND) | of,
        ]
    service.active = ladder
    await service.say(*events)
    await until(lambda: len(session.timeline) == 11)
    at(1.5)
    heard = await session.interrupt()
    assert (heard.item_id, heard.content_index, heard.heard_ms) == ("item_b", 1, 500)
    assert [(event["type"], event.get("item_id"), event.get("content_index")) for event in service.heard] == [
        ("response.cancel", None, None),
        ("conversation.item.truncate", "item_b", 1),
        ("conversation.item.delete", "item_c", None),
    ]


@virtual_time
async def test_an_answer_that_ends_in_the_moment_of_the_interruption() -> None:
    """The cancel is refused; the cut is made all the same."""

    async def too_late(service: Script, heard: Wire) -> None:
        turn, service.active = service.active, None
        assert turn
        await service.say(*turn.closing("audio", "one two"))
        await service.say(error("response_cancel_not_active", "Nothing to cancel.", heard["event_id"]))

    session, service, at = await with_clock(answers={"response.cancel": too_late})
    await speaking(service, session, SECOND)
    at(0.5)
    assert (await session.interrupt()).heard_ms == 500
    assert session.responses[0].status == "completed"


@virtual_time
async def test_a_refused_cut_is_the_callers_error() -> None:
    """As with any other call."""

    async def refuse(service: Script, heard: Wire) -> None:
        await service.say(error("invalid_value", "Audio content of 90ms is already shorter", heard["event_id"]))

    session, _, at = await with_clock(answers={"conversation.item.truncate": refuse})
    await session.ask("x")
    at(0.1)
    with pytest.raises(ServerError, match="already shorter"):
        await session.interrupt()


@virtual_time
async def test_an_ask_that_is_interrupted_returns_what_was_said() -> None:
    """It is cancelled, not failed; the next ask works."""
    session, service, at = await with_clock(holds=True)
    r = await session.ask("x", wait=False)
    await until(lambda: r.audio_seconds)
    at(0.05)
    await session.interrupt()
    assert (await r).status == "cancelled"
    service.holds = False
    assert (await session.ask("y")).status == "completed"


@virtual_time
async def test_the_players_word_counts() -> None:
    """Where there is a player that knows; it falls silent first."""
    session, _, at = await with_clock()
    r = await session.ask("x")
    stopped: list[bool] = []
    session.playback = Playback(lambda: stopped.append(True))
    session.playback.give(r.items[0].id, 6000, 24_000)
    session.playback.report({r.items[0].id: 1800})
    at(100.0)
    heard = await session.interrupt()
    assert (heard.heard_ms, heard.received_ms, stopped) == (75, 250, [True])


@virtual_time
async def test_a_part_can_be_truncated_by_hand() -> None:
    """The first of an item, or another."""
    session, service, _ = await with_clock()
    await session.truncate("item_x", 120)
    await session.truncate("item_x", 130, content_index=2)
    assert [(event["content_index"], event["audio_end_ms"]) for event in service.heard] == [(0, 120), (2, 130)]


@pytest.mark.parametrize("at_seconds", [0.5, 0.0])
@virtual_time
async def test_an_interruption_returns_what_was_heard_though_no_cut_is_confirmed(at_seconds: float) -> None:
    """The response was cancelled, which proves it; open-source servers acknowledge no truncation. The next ask works."""
    silent = dict.fromkeys(("conversation.item.truncate", "conversation.item.delete"), Script.ignore)
    session, service, at = await with_clock(answers={**silent, "response.cancel": cancelled})
    await speaking(service, session, SECOND, words=("one", " two", " three", " four"))
    at(at_seconds)
    began = asyncio.get_running_loop().time()
    heard = await session.interrupt()
    assert (heard.heard_ms, heard.received_ms) == (at_seconds * 1000, 1000)
    assert asyncio.get_running_loop().time() - began < 2.0
    item = session.conversation.items.get("item_2")
    assert (item.heard if item else None) == ("one two" if at_seconds else None)
    assert await session.interrupt() is None
    assert len(session.problems) == 1
    assert (await session.ask("y")).status == "completed"
