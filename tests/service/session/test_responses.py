"""Responses that are cancelled, run side by side, wait for engines, or fail; expectations from protocol.md 3f and 3h."""

from __future__ import annotations

import numpy as np
import pytest
from fake_engines import Failure

from rtnb.service.engines.tasks import Say, SpokenWord, Stop, Text, Write

CREATED = {"ga": ["conversation.item.added", "conversation.item.done"], "preview": ["conversation.item.created"]}
TEXT = {"output_modalities": ["text"]}


@pytest.mark.parametrize("modality", ["audio", "text"])
def test_cancel_ends_an_active_response(client, modality):
    """response.cancel gives the closers, an incomplete item, and response.done cancelled by the client."""
    client.message("Hello")
    client.send("response.create", response={"output_modalities": [modality]})
    seen = client.until({"audio": "response.output_audio.delta", "text": "response.output_text.delta"}[modality])
    events = client.send("response.cancel")
    word = {"audio": "response.output_audio_transcript", "text": "response.output_text"}[modality]
    said = "".join(event["delta"] for event in seen if client.kind(event) == f"{word}.delta")
    assert client.kinds(events) == [
        *(["response.output_audio.done"] if modality == "audio" else []),
        f"{word}.done",
        "response.content_part.done",
        "response.output_item.done",
        *CREATED[client.dialect.name][1:],
        "response.done",
    ]
    done = events[-1]["response"]
    assert done["status"] == "cancelled"
    assert done["status_details"] == {"type": "cancelled", "reason": "client_cancelled"}
    assert done["output"][0]["status"] == "incomplete"
    part = done["output"][0]["content"][0]
    assert (part.get("transcript") or part.get("text")) == said
    assert not client.connection.responses
    assert client.ask("Still there?")[-1]["response"]["status"] == "completed"


def test_cancel_before_anything_was_said_leaves_no_item(client):
    """A response cancelled at once has no output, and its item never joined."""
    client.message("Hello")
    client.send("response.create")
    events = client.send("response.cancel")
    assert client.types(events) == ["response.done"]
    assert events[0]["response"]["output"] == []


def test_cancel_by_id(client):
    """A cancel may name its response; a wrong name cancels nothing."""
    client.message("Hello")
    created = client.send("response.create")[0]["response"]
    assert client.error(client.send("response.cancel", response_id="resp_x"))["code"] == "response_cancel_not_active"
    done = client.send("response.cancel", response_id=created["id"])[-1]["response"]
    assert (done["id"], done["status"]) == (created["id"], "cancelled")


def test_cancel_with_nothing_active_is_an_error(client):
    """Cancelling nothing is answered in the service's words."""
    error = client.error(client.send("response.cancel", event_id="mine"))
    assert error["code"] == "response_cancel_not_active"
    assert error["message"] == "Cancellation failed: no active response found"
    assert error["event_id"] == "mine"


def test_a_second_response_while_one_is_active_is_refused(client):
    """Two responses for the conversation at once are refused, and the first goes on."""
    client.message("Hello")
    response_id = client.send("response.create")[0]["response"]["id"]
    error = client.error(client.send("response.create"))
    assert error["code"] == "conversation_already_has_active_response"
    assert response_id in error["message"]
    assert client.finish()[-1]["response"]["status"] == "completed"


def test_out_of_band_response_leaves_the_conversation_alone(client):
    """Conversation "none" runs beside the default response, with no conversation.item events and no conversation_id."""
    client.message("Hello")
    first = client.send("response.create")[0]["response"]["id"]
    aside = client.send("response.create", response={"conversation": "none", "metadata": {"aside": "yes"}, **TEXT})
    assert aside[0]["response"]["conversation_id"] is None
    aside_id = aside[0]["response"]["id"]
    events = client.finish()
    done = {event["response"]["id"]: event["response"] for event in events if event["type"] == "response.done"}
    assert {response["status"] for response in done.values()} == {"completed"}
    assert done[aside_id]["metadata"] == {"aside": "yes"}
    aside_item = done[aside_id]["output"][0]["id"]
    joined = [event["item"]["id"] for event in events if client.kind(event) == "conversation.item.added"]
    assert joined == [done[first]["output"][0]["id"]]
    assert client.error(client.send("conversation.item.retrieve", item_id=aside_item))["param"] == "item_id"


def test_several_responses_run_side_by_side(client):
    """Out-of-band responses begin, go on and end independently of each other, and each may be cancelled by its id."""
    client.message("Hello")
    ids = [client.send("response.create")[0]["response"]["id"]]
    for _ in range(3):
        ids.append(client.send("response.create", response={"conversation": "none"})[0]["response"]["id"])
    assert client.connection.responses == ids
    cancelled = client.send("response.cancel", response_id=ids[2])[-1]["response"]
    assert (cancelled["id"], cancelled["status"]) == (ids[2], "cancelled")
    events = client.finish()
    first_delta = [next(i for i, e in enumerate(events) if e.get("response_id") == each) for each in (ids[0], ids[3])]
    done = [i for i, e in enumerate(events) if e["type"] == "response.done"]
    assert max(first_delta) < min(done)
    assert sorted(events[i]["response"]["id"] for i in done) == sorted((ids[0], ids[1], ids[3]))


def test_a_response_can_be_advanced_by_its_id(client):
    """Whoever paces responses one by one takes the steps of one of them."""
    client.message("Hello")
    first = client.send("response.create")[0]["response"]["id"]
    second = client.send("response.create", response={"conversation": "none"})[0]["response"]["id"]
    seen = []
    while second in client.connection.responses:
        seen += client.work(client.connection.advance(second).events)
    assert {event.get("response_id", second) for event in seen} == {second}
    assert client.connection.responses == [first]


def test_sentences_are_spoken_as_they_are_written(dialect, make_client):
    """The first sentence is heard while the second is not written yet; the transcript is whole in the end."""
    client = make_client(dialect, write=None)
    client.message("Hello")
    client.send("response.create")
    client.finish()
    (job,) = client.bench.jobs(Write)
    client.work(client.bench.supply(job, Text("This is the fir"), Text("st sentence. And "), Text("this")))
    events = client.finish()
    assert client.audio(events)
    client.work(client.bench.supply(job, Text(" is the second.")))
    client.work(client.bench.end(job))
    done = client.finish()[-1]["response"]
    assert done["output"][0]["content"][0]["transcript"] == "This is the first sentence. And this is the second."
    said = [order.task.text for order in client.bench.orders if isinstance(getattr(order, "task", None), Say)]
    assert said == ["This is the first sentence.", " And this is the second."]


def test_cancel_stops_what_was_ordered(dialect, make_client):
    """After a cancel the engines get an order to stop, and later results change nothing."""
    client = make_client(dialect, speak=None)
    client.message("Hello")
    client.send("response.create")
    client.finish()
    (job,) = client.bench.jobs(Say)
    client.send("response.cancel")
    assert Stop(job) in client.bench.orders
    assert client.connection.supply(job, SpokenWord("Of", np.zeros(10, np.int16))) == []
    assert client.connection.supply_end(job) == []
    assert client.connection.supply_failure(job, "x", "y") == []
    assert not client.connection.responses


@pytest.mark.parametrize("part", ["write", "speak"])
def test_an_engines_failure_fails_the_response_with_its_reason(dialect, make_client, part):
    """response.done failed has the engine's code and message; before anything was said it has no output and no usage."""

    def broken(task):
        raise Failure("chat_unreachable", "Nothing answers at http://127.0.0.1:11434.")

    client = make_client(dialect, **{part: broken})
    done = client.ask("Hello")[-1]["response"]
    assert done["status_details"] == {
        "type": "failed",
        "error": {
            "type": "server_error",
            "code": "chat_unreachable",
            "message": "Nothing answers at http://127.0.0.1:11434.",
        },
    }
    assert (done["status"], done["output"], done["usage"]["total_tokens"]) == ("failed", [], 0)
    assert not client.bench.open


def test_an_answer_of_nothing_is_an_empty_message(dialect, make_client):
    """Clients read output[0].content[0].transcript: it is there, and empty."""
    client = make_client(dialect, write=lambda task: [])
    done = client.ask("Hello")[-1]["response"]
    assert (done["status"], done["output"][0]["content"][0]["transcript"]) == ("completed", "")


def test_a_session_shows_when_it_expires(client, make_client):
    """expires_at is now and the lifetime; the last words name it."""
    assert client.connection.expire()[0]["error"]["message"] == ("Your session hit the maximum duration of 60 minutes.")
    short = make_client(client.dialect, lifetime=5.0)
    assert short.log[0]["session"]["expires_at"] == 1_800_000_005
    assert short.error(short.connection.expire())["message"] == "Your session hit the maximum duration of 5 seconds."
