"""What is forgotten when a conversation is longer than its model can take, and what is told when nothing may be."""

from __future__ import annotations

import pytest

from rtnb.protocol.dialects import GA, PREVIEW
from rtnb.service.engines.tasks import Write
from rtnb.service.session.items import ItemList
from rtnb.service.session.truncation import Truncation

from .test_context import call, message, output


@pytest.mark.parametrize(
    ("setting", "room", "rule"),
    [
        ("auto", 100, Truncation(100, 100)),
        (None, 100, Truncation(100, 100)),
        ("auto", -5, Truncation(0, 0)),
        ("disabled", 100, Truncation(100, None)),
        ({"type": "retention_ratio", "retention_ratio": 0.8}, 100, Truncation(100, 80)),
        ({"type": "retention_ratio", "retention_ratio": 0.5, "token_limits": None}, 100, Truncation(100, 50)),
        (
            {"type": "retention_ratio", "retention_ratio": 0.8, "token_limits": {"post_instructions": 50}},
            100,
            Truncation(50, 40),
        ),
        (
            {"type": "retention_ratio", "retention_ratio": 0.8, "token_limits": {"post_instructions": 500}},
            100,
            Truncation(100, 80),
        ),
    ],
)
def test_the_rule_of_a_setting(setting, room, rule):
    """The limit is the model's or a lower one of the client's own; a retention ratio keeps less than the limit."""
    assert Truncation.of(setting, room) == rule


def test_no_limit_is_beyond_what_the_model_takes(make_client):
    """As the official types say: not higher than its context without the room for an answer."""
    client = make_client(GA, model="gpt-realtime")
    error = client.error(client.configure(truncation=ratio(0.8, 27_905)))
    assert (error["code"], error["param"]) == (
        "integer_above_max_value",
        "session.truncation.token_limits.post_instructions",
    )
    assert client.types(client.configure(truncation=ratio(0.8, 27_904))) == ["session.updated"]


def ratio(keep, limit):
    return {"type": "retention_ratio", "retention_ratio": keep, "token_limits": {"post_instructions": limit}}


def seen(client):
    """Return what the writer was told the last time: the words of the history and the prompt."""
    task = [order.task for order in client.bench.orders if isinstance(getattr(order, "task", None), Write)][-1]
    return [each.text for each in task.history] + [task.prompt]


def ask(client, text):
    return client.ask(text, output_modalities=["text"])[-1]["response"]


def test_the_writer_forgets_what_a_retention_ratio_has_no_room_for(make_client):
    """Beyond the limit the oldest is dropped until the share is left, and it stays dropped; usage counts what is seen."""
    client = make_client(GA, reply=lambda text, **_: "Yes.")
    client.configure(truncation=ratio(0.5, 12))
    for text in ("one two", "three four", "five six", "seven"):  # with each answer, of two tokens, they count 4
        response = ask(client, text)
        if text == "five six":
            assert seen(client) == ["one two", "Yes.", "three four", "Yes.", "five six"]  # 10 of 12
            assert response["usage"]["input_tokens"] == 10
    assert seen(client) == ["five six", "Yes.", "seven"]  # 13 were too many: 6 may stay
    assert response["usage"]["input_tokens"] == 5
    ask(client, "eight")
    assert seen(client) == ["five six", "Yes.", "seven", "Yes.", "eight"]  # 8 of 12: nothing more is forgotten


def test_forgotten_items_stay_in_the_conversation(make_client):
    """They can be retrieved, and what is deleted or put before them brings none of them back."""
    client = make_client(GA, reply=lambda text, **_: "Yes.")
    client.configure(truncation=ratio(0.5, 6))
    client.message("one two", item={"id": "first"})
    client.message("three four", item={"id": "second"})
    ask(client, "five six seven")
    assert seen(client) == ["five six seven"]
    shown = client.send("conversation.item.retrieve", item_id="first")[0]["item"]
    assert shown["content"][0]["text"] == "one two"
    client.send("conversation.item.delete", item_id="first")
    client.message("zero", previous_item_id="root")
    ask(client, "eight")
    assert "three four" not in seen(client)


@pytest.mark.parametrize("dialect", [GA, PREVIEW], ids=str)
def test_a_model_forgets_by_itself_what_it_has_no_room_for(make_client, dialect):
    """By default no more than it must: an older model of GA takes 27,904 tokens beside its answer."""
    client = make_client(dialect, model="gpt-realtime", reply=lambda text, **_: "Yes.")
    for _ in range(3):
        client.message("word " * 10_000)
    response = client.ask("Hello", output_modalities=["text"])[-1]["response"]
    assert [text.count("word") for text in seen(client)] == [10_000, 10_000, 0]
    assert response["usage"]["input_tokens"] == 20_001


def test_what_the_instructions_and_tools_take_is_no_room_for_the_conversation(make_client):
    """They are never forgotten."""
    client = make_client(GA, model="gpt-realtime", reply=lambda text, **_: "Yes.")
    client.configure(instructions="word " * 20_000)
    client.message("word " * 10_000)
    response = ask(client, "Hello")
    assert seen(client) == ["Hello"]
    assert response["usage"]["input_tokens"] == 20_001


def test_a_conversation_that_may_not_be_truncated_fails(make_client):
    """With truncation disabled the response fails and says why; a shorter conversation is answered again."""
    client = make_client(GA, model="gpt-realtime")
    client.configure(truncation="disabled")
    client.message("word " * 28_000, item={"id": "long"})
    response = ask(client, "Hello")
    assert response["status"] == "failed"
    assert response["status_details"]["error"] == {
        "type": "invalid_request_error",
        "code": "context_length_exceeded",
        "message": "Your input exceeds the context window of this model. Please adjust your input and try again.",
    }
    assert response["usage"]["total_tokens"] == 0
    client.send("conversation.item.delete", item_id="long")
    assert ask(client, "Hello")["status"] == "completed"


def test_what_a_response_lists_itself_is_cut_too(make_client):
    """An out-of-band response sees the last of its own items, and forgets nothing of the conversation."""
    client = make_client(GA, reply=lambda text, **_: "Yes.")
    client.configure(truncation=ratio(0.5, 4))
    client.message("one two", item={"id": "kept"})
    listed = [
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}
        for text in ("three four", "five", "six seven")
    ]
    client.send("response.create", response={"conversation": "none", "input": listed, "output_modalities": ["text"]})
    client.finish()
    assert seen(client) == ["six seven"]
    client.send("response.create", response={"output_modalities": ["text"]})
    client.finish()
    assert seen(client) == ["one two"]


def conversation(*items):
    found = ItemList()
    for item in items:
        found.insert(item)
    return found


@pytest.mark.parametrize(
    ("items", "keep", "left"),
    [
        ([message("a"), message("b")], 0, ["b"]),
        ([message("a"), message("b"), message("c", role="system")], 0, ["b", "c"]),
        ([message("a"), call("b"), output("c"), message("d")], 2, ["d"]),
        ([message("a"), call("b"), output("c"), message("d")], 5, ["b", "c", "d"]),
        ([message("a"), call("b"), call("c"), output("d"), output("e"), message("f")], 5, ["f"]),
        ([message("z"), message("a"), call("b"), output("c")], 0, ["a", "b", "c"]),
        ([message("z"), message("a"), call("b"), call("c"), output("d"), output("e")], 0, ["a", "b", "c", "d", "e"]),
        ([message("a")], 0, ["a"]),
    ],
)
def test_what_is_never_forgotten(items, keep, left):
    """The latest message is kept, with all that came after it, and an output only with its call."""
    found = conversation(*items)
    found.forget(keep)
    kept = found.context()
    assert [item.id for item in items][-len(left) :] == left
    assert kept.history() == tuple(said for item in items[-len(left) :] for said in item.messages())
