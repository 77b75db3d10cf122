"""What a model that thinks says first, and what is its answer; written from protocol.md 5a."""

from __future__ import annotations

import pytest

from rtnb.protocol.dialects import GA, PREVIEW
from rtnb.service.engines.tasks import Call, Preamble, Text, Write

THINKER = "gpt-realtime-2.1"
ADD = {"type": "function", "name": "add", "parameters": {"type": "object"}}


def thinks(task):
    if task.effort:
        yield Preamble("Let me think.")
    yield Call("add", "{}") if task.tools else Text("It is four.")


def effort(client):
    """Return how long the writer was to think, the last time."""
    return [order.task for order in client.bench.orders if isinstance(getattr(order, "task", None), Write)][-1].effort


def phases(events):
    """Return the phase of each item that a response begins."""
    return [event["item"].get("phase") for event in events if event["type"] == "response.output_item.added"]


@pytest.fixture
def thinker(make_client):
    client = make_client(GA, model=THINKER, write=thinks)
    client.configure(reasoning={"effort": "low"})
    return client


@pytest.mark.parametrize("modality", ["audio", "text"])
def test_a_preamble_is_a_message_of_its_own_before_the_answer(thinker, modality):
    """Each message has its phase from its first event on, and the first is complete before the second begins."""
    events = thinker.ask("What is two plus two?", output_modalities=[modality])
    assert phases(events) == ["commentary", "final_answer"]
    first, second = events[-1]["response"]["output"]
    assert [(item["phase"], item["status"]) for item in (first, second)] == [
        ("commentary", "completed"),
        ("final_answer", "completed"),
    ]
    said = {part.get("text") or part.get("transcript") for item in (first, second) for part in item["content"]}
    assert said == {"Let me think.", "It is four."}
    kinds = [event["type"] for event in events if event["type"].startswith("response.output_item")]
    assert kinds == ["response.output_item.added", "response.output_item.done"] * 2
    assert [event["output_index"] for event in events if event["type"] == "response.output_item.done"] == [0, 1]


def test_the_conversation_has_both_messages(thinker):
    """The items of the conversation carry their phase too, and follow one another."""
    events = thinker.ask("What is two plus two?")
    added = [event for event in events if event["type"] == "conversation.item.added"]
    assert [event["item"]["phase"] for event in added] == ["commentary", "final_answer"]
    assert added[1]["previous_item_id"] == added[0]["item"]["id"]
    shown = thinker.send("conversation.item.retrieve", item_id=added[0]["item"]["id"])[0]["item"]
    assert shown["phase"] == "commentary"


def test_a_call_may_follow_the_preamble(thinker):
    """The preamble is over before the call begins, and a call has no phase."""
    output = thinker.ask("What is two plus two?", tools=[ADD])[-1]["response"]["output"]
    assert [(item["type"], item.get("phase")) for item in output] == [
        ("message", "commentary"),
        ("function_call", None),
    ]


def test_the_preamble_is_what_an_interruption_cuts(thinker):
    """Cancelled in the preamble, a response has no answer, and the preamble is incomplete."""
    thinker.message("What is two plus two?")
    thinker.send("response.create")
    thinker.until("response.output_audio.delta")
    (item,) = thinker.send("response.cancel")[-1]["response"]["output"]
    assert (item["phase"], item["status"]) == ("commentary", "incomplete")


def test_the_budget_ends_a_response_in_its_preamble(thinker):
    """The tokens of the preamble count."""
    response = thinker.ask("What is two plus two?", max_output_tokens=2, output_modalities=["text"])[-1]["response"]
    assert response["status_details"]["reason"] == "max_output_tokens"
    assert [item["phase"] for item in response["output"]] == ["commentary"]


def test_a_response_may_think_on_its_own(make_client):
    """Its own reasoning= counts, and null is the session's."""
    client = make_client(GA, model=THINKER, write=thinks)
    assert phases(client.ask("Hello")) == ["final_answer"]
    assert phases(client.ask("Hello", reasoning={"effort": "xhigh"})) == ["commentary", "final_answer"]
    assert effort(client) == "xhigh"
    assert phases(client.ask("Hello", reasoning=None)) == ["final_answer"]


@pytest.mark.parametrize("model", ["gpt-realtime", "gpt-realtime-1.5", "gpt-realtime-2025-08-28"])
def test_older_models_neither_think_nor_have_phases(make_client, model):
    """reasoning= is taken quietly."""
    client = make_client(GA, model=model, write=thinks)
    client.configure(reasoning={"effort": "low"})
    events = client.ask("Hello")
    assert phases(events) == [None]
    assert effort(client) == ""


def test_the_preview_dialect_has_no_phases(make_client):
    """Strict clients of its time know no such field."""
    client = make_client(PREVIEW, model=THINKER, write=thinks, judged=False)  # no type has the model
    events = client.ask("Hello")
    assert phases(events) == [None]
    assert not any("phase" in item for item in events[-1]["response"]["output"])


def test_a_client_may_say_the_phase_of_what_it_restores(make_client):
    """An assistant's message keeps it; a user's has none to keep, and a wrong one is refused."""
    client = make_client(GA)
    shown = client.message("Let me think.", "assistant", item={"phase": "commentary"})[0]["item"]
    assert shown["phase"] == "commentary"
    assert "phase" not in client.message("Hello", item={"phase": "commentary"})[0]["item"]
    error = client.error(client.message("Hm.", "assistant", item={"phase": "middle"}))
    assert (error["code"], error["param"]) == ("invalid_value", "item.phase")
