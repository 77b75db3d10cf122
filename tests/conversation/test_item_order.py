"""Items in their order: by what the service says of their places, or else by arrival."""

from __future__ import annotations

from typing import Any

import pytest
from scripted import Ladder, Wire
from wire_conversation import WireConversation

from rtnb.conversation.item_order import ItemOrder
from rtnb.conversation.items import Item
from rtnb.protocol.events import SENT


def added(name: str, after: Any = None, **fields: Any) -> Wire:
    return {"type": "conversation.item.added", "previous_item_id": after, "item": {"id": name, **fields}}


def committed(name: str, after: Any = None) -> Wire:
    return {"type": "input_audio_buffer.committed", "item_id": name, "previous_item_id": after}


def heard(name: str, transcript: str) -> Wire:
    completed = "conversation.item.input_audio_transcription.completed"
    return {"type": completed, "item_id": name, "content_index": 0, "transcript": transcript}


def test_null_on_every_item_keeps_the_order_of_arrival() -> None:
    """Open-source servers name no predecessor at all: two turns of question and answer stay in order."""
    told = WireConversation().take(added("q1", role="user"))
    told.take(*Ladder("ga", response="r1", item="a1", after=None).text_turn(["One."]), added("q2", role="user"))
    told.take(*Ladder("ga", response="r2", item="a2", after=None).text_turn(["Two."]))
    assert list(told.items) == ["q1", "a1", "q2", "a2"]


def test_only_root_is_the_first_place() -> None:
    """Also for an item that a commit has put elsewhere before."""
    told = WireConversation().take(added("a"), committed("b", "a"), added("c", "root"), added("b", "root"))
    assert list(told.items) == ["b", "c", "a"]


@pytest.mark.parametrize(
    ("after", "order"),
    [("a", ["a", "u", "b", "c"]), ("b", ["a", "b", "u", "c"]), ("c", ["a", "b", "c", "u"]), (None, ["a", "b", "u", "c"]),
     ("gone", ["a", "b", "u", "c"]), ("u", ["a", "b", "u", "c"]), (7, ["a", "b", "u", "c"])],
)  # fmt: skip
def test_an_item_that_was_mentioned_takes_its_place_when_it_is_added(after: Any, order: list[str]) -> None:
    """Where its addition says nothing of use, it stays where it was first mentioned; its words are its own."""
    told = WireConversation().take(added("a"), added("b", "a"), heard("u", "Hello"), added("c"))
    assert list(told.items) == ["a", "b", "u", "c"]
    told.take(added("u", after, role="user", content=[{"type": "input_audio", "transcript": None}]))
    assert list(told.items) == order
    assert told.items["u"].text == "Hello"
    told.take(added("u", "c"))
    assert list(told.items) == order, "an addition that is repeated moves nothing"


def test_a_commit_is_enough_for_the_users_item() -> None:
    """Some servers never add it; it is the user's speech, in the place that the commit names."""
    told = WireConversation().take(added("a"), added("b", "a"), committed("u", "a"), heard("u", "Hello"))
    assert list(told.items) == ["a", "u", "b"]
    item = told.items["u"]
    assert (item.role, item.text, item.content[0].type) == ("user", "Hello", "input_audio")


def test_an_item_that_was_deleted_does_not_come_back_by_its_transcript() -> None:
    """But by an addition."""
    told = WireConversation().take(added("u", role="user"), {"type": "conversation.item.deleted", "item_id": "u"})
    told.take(heard("u", "Hello"), committed("u"))
    assert told.items == {}
    assert any("was deleted" in each for each in told.oddities)
    told.take(added("u", role="user"))
    assert list(told.items) == ["u"]


def test_a_reader_keeps_the_order_that_it_has() -> None:
    """An insertion makes a new dict: another thread may be going through the old one."""
    items = ItemOrder(lambda identifier: None)
    items.add(Item("a"), None)
    items.add(Item("b"), "a")
    before = items.by_id
    items.add(Item("c"), "a")
    assert (list(before), list(items.by_id)) == (["a", "b"], ["a", "c", "b"])


def call(item: str, call_id: str, response: str, arguments: str = "{}") -> list[Wire]:
    return Ladder("ga", response=response, after=None).calls_turn([(item, call_id, "f", [arguments])])


def output(name: str, call_id: str, said: str) -> list[Wire]:
    event = added(name, type="function_call_output", call_id=call_id, output=said)
    return [event, {**event, "type": "conversation.item.done"}]


def test_an_output_belongs_to_the_newest_call_with_its_id() -> None:
    """Some models number the calls of every turn from zero."""
    told = WireConversation().take(*call("f1", "call_0", "r1"), *output("o1", "call_0", "rain"))
    told.take(*call("f2", "call_0", "r2"), *output("o2", "call_0", "sun"))
    assert [told.items[name].output for name in ("f1", "f2")] == ["rain", "sun"]
    told.take(*output("o1", "call_0", "rain"))
    assert told.items["f2"].output == "sun", "an output that is told again, as after a reconnect, is known"


def test_outputs_of_calls_with_one_id_in_one_response() -> None:
    """They go to them in order; one call that was delivered twice has one output."""
    events = Ladder("ga", after=None).calls_turn(
        [("f1", "call_0", "f", ['{"x":1}']), ("f2", "call_0", "f", ['{"x":2}']), ("f3", "call_0", "f", ['{"x":1}'])]
    )
    told = WireConversation().take(*events, *output("o1", "call_0", "one"), *output("o2", "call_0", "two"))
    assert [told.items[name].output for name in ("f1", "f2", "f3")] == ["one", "two", "one"]


def test_an_output_of_a_call_without_an_id_names_its_item() -> None:
    """As the client sends it."""
    told = WireConversation().take(*call("f1", "", "r1"), *output("o1", "f1", "rain"))
    assert told.items["f1"].output == "rain"


def cut(at: int, event_id: str = "event_cut", content_index: int = 0) -> Wire:
    where = {"item_id": "item_2", "content_index": content_index, "audio_end_ms": at}
    return {"type": "conversation.item.truncate", "event_id": event_id, **where}


def test_a_truncation_counts_when_it_is_sent_and_until_it_is_refused() -> None:
    """What was heard is known on this side; many servers do not acknowledge it."""
    turn = Ladder("ga").speech_turn(["one", " two", " three", " four"], [bytes(48_000)])
    told = WireConversation().take(*turn).take(cut(500), direction=SENT)
    assert told.items["item_2"].heard == "one two"
    told.take(cut(250, "event_later"), direction=SENT)
    told.take({"type": "error", "error": {"event_id": "event_later"}})
    assert told.items["item_2"].heard == "one two"
    told.take({"type": "error", "error": {"event_id": "event_cut"}})
    assert told.items["item_2"].heard == "one two three four"
