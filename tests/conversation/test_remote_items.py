"""Remote (MCP) tools in the mirror: every field, every state, whichever event comes first."""

from __future__ import annotations

import json

import pytest
from remote_tools import LISTED, asking, asks, call, done, listing, ran, wanting
from scripted import Ladder, Wire

from rtnb.conversation.conversation import Conversation
from rtnb.conversation.items import Item, ResponseState
from rtnb.conversation.remote_tools import (
    asks_words,
    ends_in_call,
    remote_failure,
    undecided,
    unfinished,
)
from rtnb.conversation.response import Response
from rtnb.protocol.events import Event
from rtnb.timeline import Timeline

BOOM = {"type": "tool_execution_error", "message": "boom"}


def mirror(*events: Wire) -> Conversation:
    conversation = Conversation()
    for seq, event in enumerate(events):
        conversation.apply(Event.parse(json.dumps(event).encode(), seq=seq, t=seq / 10))
    return conversation


def test_a_list_of_tools() -> None:
    """Server and tools are on the item, and each of its states."""
    events = listing()
    assert [mirror(*events[: n + 1]).items["mcpl_1"].status for n in range(4)] == [
        "",
        "in_progress",
        "completed",
        "completed",
    ]
    item = mirror(*events).items["mcpl_1"]
    assert (item.server_label, item.tools, item.error) == ("calculator", LISTED, None)
    assert repr(item) == "<Item mcp_list_tools completed \"'calculator': add, fail\">"


def test_a_list_that_failed() -> None:
    """With its reason, be it an object or a text, or without one."""
    item = mirror(*listing(failed=True, error=BOOM)).items["mcpl_1"]
    assert (item.status, item.error) == ("failed", BOOM)
    assert (
        remote_failure(item) == "the tools of MCP server 'calculator' could not be listed: tool_execution_error: boom"
    )
    assert mirror(*listing(failed=True, error="no route")).items["mcpl_1"].error == {"message": "no route"}
    silent = mirror(*listing(failed=True)).items["mcpl_1"]
    assert "no reason was given" in repr(silent)
    assert "no reason was given" in remote_failure(silent)


def test_a_call_and_its_result() -> None:
    """Arguments as they grow, the states, the output; the call belongs to the response that wanted it."""
    ladder = Ladder("ga")
    conversation = mirror(*wanting(ladder))
    item = conversation.items["item_call"]
    assert (item.type, item.name, item.server_label, item.arguments) == ("mcp_call", "add", "calculator", '{"a": 1}')
    assert unfinished([item]) == [item]
    conversation = mirror(
        *wanting(ladder), done(ladder, call(arguments='{"a": 1}')), *ran(approval_request_id="mcpr_1")
    )
    item = conversation.items["item_call"]
    assert (item.status, item.output, item.approval_request_id) == ("completed", "3", "mcpr_1")
    assert list(conversation.responses["resp_1"].items.values()) == [item]
    assert repr(item) == "<Item mcp_call completed \"add(a=1) on 'calculator' → 3\">"
    assert ends_in_call(conversation.responses["resp_1"])


@pytest.mark.parametrize(
    "events", [ran(None, BOOM), ran(None, BOOM)[-1:], [ran(None, "boom")[1]]], ids=["all", "item", "event"]
)
def test_a_call_that_failed(events: list[Wire]) -> None:
    """Told by its event, by its item, or by both."""
    item = mirror(*wanting(Ladder("ga")), *events).items["item_call"]
    assert item.status == "failed"
    assert unfinished([item]) == []
    assert remote_failure(item).startswith("MCP tool add(a=1) on 'calculator' failed: ")
    assert "✗" in repr(item)


def test_an_empty_result_is_a_result() -> None:
    """A tool may return nothing; the call has ended all the same."""
    assert mirror(*wanting(Ladder("ga")), ran("")[-1]).items["item_call"].status == "completed"
    assert unfinished([mirror(*wanting(Ladder("ga")), ran(None)[-1]).items["item_call"]])


def test_states_that_come_before_their_item() -> None:
    """They are kept until the item comes, and make no item of their own."""
    states = [
        {"type": "mcp_list_tools.in_progress", "item_id": "mcpl_1"},
        {"type": "mcp_list_tools.failed", "item_id": "mcpl_1"},
    ]
    conversation = mirror(*states)
    assert conversation.items == {}
    assert conversation.oddities == []
    item = mirror(*states, listing()[0]).items["mcpl_1"]
    assert (item.status, item.server_label) == ("failed", "calculator")
    assert mirror({"type": "response.mcp_call.failed"}).items == {}


def test_arguments_before_their_item() -> None:
    """They make the call, in the response that they name."""
    delta = {
        "type": "response.mcp_call_arguments.delta",
        "response_id": "resp_1",
        "item_id": "item_call",
        "delta": "{}",
    }
    conversation = mirror(Ladder("ga").created(), delta)
    (item,) = conversation.responses["resp_1"].items.values()
    assert (item.type, item.arguments) == ("mcp_call", "{}")


def test_an_approval_request_belongs_to_the_response_that_asks() -> None:
    """While it is in progress and after its end, although the request's events do not name it."""
    ladder = Ladder("ga")
    for events in ([*asking(), done(ladder)], [done(ladder), *asking()]):
        conversation = mirror(*wanting(ladder), *events)
        items = list(conversation.responses["resp_1"].items.values())
        assert [item.id for item in items] == ["item_call", "mcpr_1"]
        assert undecided(items) == items[1:]
        assert asks_words(items) == [
            "the model asks for approval to call add(a=1) on 'calculator': session.approve(r.items[-1])"
        ]
    assert mirror(*asking()).items["mcpr_1"].response_id == ""


def test_an_answer_is_on_the_request() -> None:
    """Approved or denied, with the reason; nothing is asked for any more."""
    decided = {"id": "item_9", "type": "mcp_approval_response", "approval_request_id": "mcpr_1"}
    for approve, words in ((True, "approved"), (False, "denied (not today)")):
        item = decided | {"approve": approve} | ({} if approve else {"reason": "not today"})
        conversation = mirror(*wanting(Ladder("ga")), *asking(), {"type": "conversation.item.added", "item": item})
        request = conversation.items["mcpr_1"]
        assert request.approve is approve
        assert request.words == f"add(a=1) on 'calculator': {words}"
        assert undecided(conversation.responses["resp_1"].items.values()) == []
        assert conversation.items["item_9"].approval_request_id == "mcpr_1"


def test_several_requests_name_their_places() -> None:
    """Each by its index, the last one as the last."""
    items = [Item("a", "mcp_approval_request", name="x"), Item("m"), Item("b", "mcp_approval_request", name="y")]
    assert [words.rpartition("session.")[2] for words in asks_words(items)] == [
        "approve(r.items[0])",
        "approve(r.items[-1])",
    ]


def test_a_response_ends_in_a_call_only_where_nothing_was_said_after_it() -> None:
    """And where it was completed."""
    said, called = Item("m", "message"), Item("c", "mcp_call")
    request = Item("r", "mcp_approval_request")
    for items, ends in (
        ([called], True),
        ([said, called], True),
        ([called, request], True),
        ([called, said], False),
        ([], False),
    ):
        state = ResponseState(status="completed", items={item.id: item for item in items})
        assert ends_in_call(state) is ends
        state.status = "cancelled"
        assert not ends_in_call(state)


def test_a_failure_has_words_before_and_after_its_reason_comes() -> None:
    """The reason comes with the item that is done."""
    conversation, said = Conversation(), []
    for event in [*wanting(Ladder("ga")), *ran(None, BOOM)]:
        parsed = Event.parse(json.dumps(event).encode())
        conversation.apply(parsed)
        said.append(remote_failure(conversation.item(parsed.item_id)).rpartition(": ")[2])
    assert list(dict.fromkeys(said)) == ["", "no reason was given", "boom"]


def test_a_response_shows_its_remote_calls_and_what_it_waits_for() -> None:
    """In its repr and in its HTML, escaped, the failed ones in red."""
    ladder = Ladder("ga")
    evil = "<img src=x onerror=alert(1)>"
    conversation = mirror(*wanting(ladder), *ran(None, {"message": evil}), *asking(), done(ladder))
    response = Response(conversation.responses["resp_1"], Timeline())
    html = response._repr_mimebundle_()["text/html"]
    for shown in (repr(response), html):
        assert "add(a=1) on " in shown
        assert "session.approve(r.items[-1])" in shown
    assert "<img" not in html
    assert "color:#d64545" in html
    assert response.items[-1]._repr_mimebundle_()["text/html"].count("add(a=1)") == 1


@pytest.mark.parametrize(
    "odd", [{"tools": 5}, {"error": [1]}, {"approve": "yes"}, {"arguments": {}}, {"server_label": None}]
)
def test_fields_of_odd_shapes_are_left_out(odd: Wire) -> None:
    """The item stays readable."""
    item = mirror({"type": "conversation.item.added", "item": asks(**odd)}).items["mcpr_1"]
    assert "add" in repr(item)
    assert item._repr_mimebundle_()["text/html"]
