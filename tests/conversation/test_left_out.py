"""Responses of services that leave things out, or tell them in another order: the last word is ``response.done``."""

from __future__ import annotations

from typing import Any

import pytest
from scripted import Ladder, Wire
from wire_conversation import WireConversation

from rtnb.protocol.events import LOCAL

QUOTA = {"type": "server_error", "code": "quota", "message": "No credit."}
FAILED = {"status": "failed", "status_details": None}
WHY = {"status": "failed", "status_details": {"type": "failed", "error": QUOTA}}


def done(**fields: Any) -> Wire:
    return {"type": "response.done", "response": {"id": "resp_1", **fields}}


def test_a_reason_that_comes_with_the_end_is_taken() -> None:
    """A failure told in ``response.created`` without words, then in ``response.done`` with them."""
    told = WireConversation().take(Ladder("ga").created(**FAILED))
    assert (told.only.status, told.only.error, told.only.final, told.active) == ("failed", None, False, None)
    told.take(done(**WHY, usage={"total_tokens": 3}))
    assert (told.only.status, told.only.error, told.only.usage) == ("failed", QUOTA, {"total_tokens": 3})
    assert (told.only.final, told.only.done_t, told.oddities) == (True, 1.0, [])


def test_the_end_counts_whatever_was_said_at_the_beginning() -> None:
    """A response that was called failed, and is completed after all, has no error left."""
    told = WireConversation().take(Ladder("ga").created(**WHY), done(status="completed"))
    assert (told.only.status, told.only.error, told.only.reason) == ("completed", None, "")
    told = WireConversation().take(Ladder("ga").created(**WHY), done())
    assert (told.only.status, told.only.error) == ("failed", QUOTA)


def test_a_response_that_is_called_completed_when_it_is_created_has_all_to_come() -> None:
    """Its words and its end."""
    turn = Ladder("ga").text_turn(["Hi"])
    told = WireConversation().take(Ladder("ga").created(status="completed"))
    assert told.active is told.only
    told.take(*turn[1:])
    assert (told.said(), told.only.status, told.oddities) == ("Hi", "completed", [])


def test_an_error_that_names_nothing_is_the_reason_of_the_response_that_has_just_failed() -> None:
    """Where its creation told the failure alone; one that names an event is that event's, and a reason stands."""
    told = WireConversation().take(
        Ladder("ga").created(**FAILED), {"type": "error", "error": {**QUOTA, "event_id": "event_x"}}
    )
    assert told.only.error is None
    told.take({"type": "error", "error": QUOTA}, {"type": "error", "error": {"message": "Another."}})
    assert told.only.error == QUOTA
    told = WireConversation().take(Ladder("ga").created(), {"type": "error", "error": QUOTA}, done(**FAILED))
    assert told.only.error is None


def test_a_second_end_adds_the_reason_that_the_first_left_out() -> None:
    """And changes nothing else: a status stands, and so does a reason."""
    told = WireConversation().take(Ladder("ga").created(), done(**FAILED), done(**WHY))
    assert (told.only.error, told.only.done_t) == (QUOTA, 1.0)
    other = {"status": "failed", "status_details": {"error": {"message": "Another."}}}
    told.take(done(**other), done(status="completed"))
    assert (told.only.status, told.only.error) == ("failed", QUOTA)
    assert len(told.oddities) == 3


def test_the_end_of_a_connection_is_final() -> None:
    """No end can come for what was in progress."""
    told = WireConversation().take(Ladder("ga").created()).take({"type": "close", "code": 1006}, direction=LOCAL)
    assert (told.only.status, told.only.final) == ("incomplete", True)


def test_a_failure_at_the_creation_and_its_end_without_names_are_one_response() -> None:
    """And the next one is another."""
    told = WireConversation().take({"type": "response.created", "response": {"status": "failed"}})
    told.take({"type": "response.done", "response": WHY})
    assert (told.only.status, told.only.error) == ("failed", QUOTA)
    told.take({"type": "response.created", "response": {}}, {"type": "response.done", "response": {}})
    assert [each.status for each in told.responses.values()] == ["failed", "completed"]


def call(index: int | None, call_id: str, arguments: str) -> list[Wire]:
    place = {} if index is None else {"output_index": index}
    item = {"type": "function_call", "name": "f", "call_id": call_id}
    of = {"response_id": "resp_1", **place}
    return [
        {"type": "response.output_item.added", **of, "item": {**item, "arguments": ""}},
        {"type": "response.function_call_arguments.done", **of, "call_id": call_id, "arguments": arguments},
        {"type": "response.output_item.done", **of, "item": {**item, "arguments": arguments}},
    ]


@pytest.mark.parametrize("indexed", [True, False])
def test_calls_without_item_ids_are_distinguished(indexed: bool) -> None:
    """By their places among the outputs, or by the ids of the calls."""
    told = WireConversation().take(Ladder("ga").created())
    told.take(*call(0 if indexed else None, "call_a", '{"x":1}'), *call(1 if indexed else None, "call_b", '{"x":2}'))
    told.take(done(status="completed", output=[{"type": "function_call", "call_id": "call_a"}]))
    calls = [(item.call_id, item.name, item.arguments) for item in told.only.items.values()]
    assert calls == [("call_a", "f", '{"x":1}'), ("call_b", "f", '{"x":2}')]


def test_calls_with_neither_ids_nor_names_of_their_items_are_distinguished_by_place() -> None:
    """Two outputs are two calls."""
    told = WireConversation().take(Ladder("ga").created(), *call(0, "", '{"x":1}'), *call(1, "", '{"x":2}'))
    assert [item.arguments for item in told.only.items.values()] == ['{"x":1}', '{"x":2}']


def test_words_without_an_item_id_go_to_the_item_that_was_announced() -> None:
    """Whether or not its announcement said at which place it is."""
    item = {"id": "item_2", "type": "message", "role": "assistant"}
    for place in ({}, {"output_index": 0}):
        told = WireConversation().take(Ladder("ga").created())
        told.take({"type": "response.output_item.added", "response_id": "resp_1", "item": item, **place})
        for word in ("Hel", "lo"):
            told.take({"type": "response.output_text.delta", "response_id": "resp_1", "output_index": 0, "delta": word})
        assert {key: each.text for key, each in told.only.items.items()} == {"item_2": "Hello"}
