"""Items of the conversation: create, delete, retrieve, truncate."""

from __future__ import annotations

import base64
import json

import pytest

from rtnb.protocol.dialects import GA


def test_create_completes_an_item(client):
    """An item gets an id, its object name and status completed; the client's own id is kept."""
    item = client.message("Hello")[0]["item"]
    assert (item["object"], item["status"], len(item["id"])) == ("realtime.item", "completed", 26)
    assert client.message("Hello", item={"id": "mine"})[0]["item"]["id"] == "mine"
    assert client.error(client.message("Hello", item={"id": "mine"}))["param"] == "item.id"


def test_create_inserts(client):
    """previous_item_id places an item; "root" places it first."""
    client.message("One", item={"id": "one"})
    client.message("Two", item={"id": "two"})
    assert client.message("Between", previous_item_id="one")[0]["previous_item_id"] == "one"
    assert client.message("Zero", previous_item_id="root")[0]["previous_item_id"] is None
    assert client.message("Last")[0]["previous_item_id"] == "two"
    assert client.error(client.message("Nowhere", previous_item_id="nobody"))["param"] == "previous_item_id"


def test_delete_mends_the_chain(client):
    """After a delete the chain skips the item; an unknown id is an error."""
    client.message("One", item={"id": "one"})
    client.message("Two", item={"id": "two"})
    assert client.send("conversation.item.delete", item_id="two")[0]["item_id"] == "two"
    assert client.message("Three")[0]["previous_item_id"] == "one"
    error = client.error(client.send("conversation.item.delete", item_id="two"))
    assert error["code"] == "item_delete_invalid_item_id"


def test_delete_of_an_item_still_being_spoken(client):
    """The response goes on without its item in the conversation."""
    client.message("Hello")
    client.send("response.create")
    item_id = client.until("response.output_audio.delta")[0]["item"]["id"]
    client.send("conversation.item.delete", item_id=item_id)
    events = client.finish()
    assert "conversation.item.done" not in client.types(events)
    assert events[-1]["response"]["status"] == "completed"


def test_assistant_messages_are_taken(client):
    """A client may write the assistant's part; both dialects name the content in their own way."""
    item = client.message("I said so.", role="assistant")[0]["item"]
    name = client.dialect.item_parts.get("output_text", "output_text")
    assert item["content"] == [{"type": name, "text": "I said so."}]


def test_a_wrong_content_type_is_named(client):
    """The error names the part and what it should be."""
    error = client.error(client.message("x", item={"content": [{"type": "words", "text": "x"}]}))
    assert (error["code"], error["param"]) == ("invalid_value", "item.content[0].type")
    assert "'input_text'" in error["message"]


def test_function_items(client):
    """A call and its output may be written into the conversation; an output without its call is refused."""
    call = {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{}"}
    output = {"type": "function_call_output", "call_id": "call_1", "output": "42"}
    assert client.error(client.send("conversation.item.create", item=output))["code"] == "invalid_tool_call_id"
    client.send("conversation.item.create", item=call)
    assert client.send("conversation.item.create", item=output)[0]["item"]["output"] == "42"


def test_retrieve_has_the_audio(client):
    """A retrieved assistant item carries its sound; item events never do."""
    events = client.ask("Hello")
    item_id = events[2]["item"]["id"]
    part = client.send("conversation.item.retrieve", item_id=item_id)[0]["item"]["content"][0]
    assert base64.b64decode(part["audio"]) == b"".join(client.audio(events))
    assert part["transcript"] == "Of course! I can."
    assert not any("audio" in event["item"]["content"][0] for event in events if event.get("item", {}).get("content"))


def test_a_retrieved_item_stays_below_one_mebibyte(make_client):
    """An item whose sound is longer than a frame may be comes without it."""
    client = make_client(GA, reply=lambda text, **_: " ".join(["word"] * 100))
    item_id = client.ask("Hello")[2]["item"]["id"]
    event = client.send("conversation.item.retrieve", item_id=item_id)[0]
    assert "audio" not in event["item"]["content"][0]
    assert max(len(json.dumps(event)) for event in client.log) < 2**20


@pytest.mark.parametrize(
    ("milliseconds", "heard"),
    [(0, ""), (100, ""), (125, "Of"), (300, "Of"), (400, "Of course!"), (1000, "Of course! I can.")],
)
def test_truncate_cuts_what_was_not_heard(dialect, make_client, milliseconds, heard):
    """The item keeps the first milliseconds and shows no transcript; the conversation remembers the words heard."""
    told = []

    def reply(text, *, history, **_):
        told.append([turn.text for turn in history])
        return "Of course! I can."

    client = make_client(dialect, reply=reply)
    item_id = client.ask("Hello")[2]["item"]["id"]
    cut = {"item_id": item_id, "content_index": 0, "audio_end_ms": milliseconds}
    event = client.send("conversation.item.truncate", **cut)[0]
    assert {key: event[key] for key in cut} == cut
    part = client.send("conversation.item.retrieve", item_id=item_id)[0]["item"]["content"][0]
    assert len(base64.b64decode(part.get("audio", ""))) == milliseconds * 48
    assert part["transcript"] is None
    usage = client.ask("Go on")[-1]["response"]["usage"]
    assert told[1] == ["Hello", heard][: 2 if heard else 1]
    assert usage["input_token_details"]["audio_tokens"] == round(milliseconds / 50)


def test_truncate_twice(client):
    """An item may be cut again, further; not back."""
    item_id = client.ask("Hello")[2]["item"]["id"]
    for end in (500, 200):
        client.send("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=end)
    again = client.send("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=300)
    assert client.error(again)["message"] == "Audio content of 200ms is already shorter than 300ms"


def test_truncate_while_speaking(client):
    """An item still being spoken may be truncated; the response still shows all that it said."""
    client.message("Hello")
    client.send("response.create")
    item_id = client.until("response.output_audio.delta")[0]["item"]["id"]
    events = client.send("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=50)
    assert client.types(events) == ["conversation.item.truncated"]
    done = client.send("response.cancel")[-1]["response"]
    assert done["output"][0]["content"][0]["transcript"]
    part = client.send("conversation.item.retrieve", item_id=item_id)[0]["item"]["content"][0]
    assert len(base64.b64decode(part["audio"])) == 50 * 48


def test_truncate_of_what_the_user_said_is_refused(client):
    """Only the model's own sound can be cut."""
    client.append(("speech", 0.5), ("silence", 0.6))
    client.finish()
    item_id = next(event["item"]["id"] for event in client.log if client.kind(event) == "conversation.item.added")
    error = client.error(client.send("conversation.item.truncate", item_id=item_id, content_index=0, audio_end_ms=1))
    assert error["message"] == "Only model output audio messages can be truncated"


PIXEL = "data:image/png;base64,iVBORw0KGgo="


def test_an_image_is_counted_and_not_seen(make_client):
    """GA takes images: 765 tokens, 85 in low detail; the reply says that it cannot see, and answers the text."""
    client = make_client(GA, reply=lambda text, **_: f"You said {text}")
    image = {"type": "input_image", "image_url": PIXEL}
    words = {"type": "input_text", "text": "Look!"}
    item = {"type": "message", "role": "user", "content": [words, image, {**image, "detail": "low"}]}
    shown = client.send("conversation.item.create", item=item)[0]["item"]
    assert [part["type"] for part in shown["content"]] == ["input_text", "input_image", "input_image"]
    done = (client.send("response.create") and client.finish())[-1]["response"]
    said = done["output"][0]["content"][0]["transcript"]
    assert said == "I cannot see the images: this local service has no eyes. You said Look!"
    usage = done["usage"]
    assert usage["input_token_details"]["image_tokens"] == 850
    assert usage["input_tokens"] == 850 + usage["input_token_details"]["text_tokens"]


def test_an_image_alone(make_client):
    """With nothing else to answer, nothing else is said."""
    client = make_client(GA)
    item = {"type": "message", "role": "user", "content": [{"type": "input_image", "image_url": PIXEL}]}
    client.send("conversation.item.create", item=item)
    done = (client.send("response.create") and client.finish())[-1]["response"]
    assert done["output"][0]["content"][0]["transcript"].strip() == (
        "I cannot see the image: this local service has no eyes."
    )


@pytest.mark.parametrize("url", ["https://example.com/cat.png", "data:text/html;base64,AAAA", ""])
def test_an_image_is_a_data_url(make_client, url):
    """Images from elsewhere are not fetched."""
    item = {"type": "message", "role": "user", "content": [{"type": "input_image", "image_url": url}]}
    client = make_client(GA)
    assert client.error(client.send("conversation.item.create", item=item))["param"] == "item.content[0].image_url"


def test_large_media_in_items_are_taken(make_client):
    """The size of an event is counted without the sound and the images in it."""
    client = make_client(GA)
    image = {"type": "input_image", "image_url": PIXEL + "A" * 2_000_000}
    item = {"type": "message", "role": "user", "content": [image]}
    client.send("conversation.item.create", item=item)
    assert max(len(json.dumps(event)) for event in client.log) < 2**20


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"audio_end_ms": 5_000}, "invalid_value"),
        ({"audio_end_ms": -1}, "integer_below_min_value"),
        ({"audio_end_ms": True}, "invalid_type"),
        ({"content_index": 1}, "integer_above_max_value"),
        ({"item_id": "nobody"}, "item_truncate_invalid_item_id"),
        ({"item_id": "mine"}, "unsupported_content_type"),
        ({"item_id": None}, "missing_required_parameter"),
    ],
)
def test_truncate_refuses(client, change, code):
    """Past the end, before the start, another part, another item: each is its own error."""
    item_id = client.ask("Hello")[2]["item"]["id"]
    client.message("Hello", item={"id": "mine"})
    cut = {"item_id": item_id, "content_index": 0, "audio_end_ms": 100, **change}
    error = client.error(client.send("conversation.item.truncate", **cut))
    assert error["code"] == code
    if code == "invalid_value":
        assert error["message"] == "Audio content of 1000ms is already shorter than 5000ms"
