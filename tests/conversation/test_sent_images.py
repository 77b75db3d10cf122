"""The images of a conversation: sent by us, seldom given back."""

from __future__ import annotations

import json

import pytest
from pictures import image, picture
from scripted import Wire

from rtnb.conversation.conversation import Conversation
from rtnb.conversation.recording import open_recording
from rtnb.protocol.events import SENT, Event
from rtnb.protocol.images import InputImage
from rtnb.timeline import Timeline

RED, TALL = image(), InputImage.from_bytes(picture(size=(10, 99)))
TEXT = {"type": "input_text", "text": "Look:"}


def created(*parts: Wire, **fields: str) -> Wire:
    return {
        "type": "conversation.item.create",
        "item": {"type": "message", "role": "user", "content": list(parts)} | fields,
    }


def added(item_id: str, *parts: Wire) -> Wire:
    item = {"id": item_id, "type": "message", "role": "user", "status": "completed", "content": list(parts)}
    return {"type": "conversation.item.added", "previous_item_id": None, "item": item}


def mirror(*events: Wire) -> Conversation:
    conversation = Conversation()
    for event in events:
        direction = SENT if event["type"] == "conversation.item.create" else "received"
        conversation.apply(Event.parse(json.dumps(event).encode(), direction=direction))
    return conversation


GIVEN_BACK = [
    {"type": "input_image"},
    {"type": "input_image", "image_url": None},
    {"type": "input_image", "image_url": "elsewhere"},
]


@pytest.mark.parametrize("part", GIVEN_BACK)
def test_an_item_has_the_image_that_was_sent(part: Wire) -> None:
    """By the id that we gave it, or by its content parts where the service gives ids of its own."""
    for sent, item_id in ((created(TEXT, RED.part(), id="item_x"), "item_x"), (created(TEXT, RED.part()), "item_9")):
        item = mirror(sent, added(item_id, TEXT, part)).items[item_id]
        assert item.images == [RED]
        assert item.content[1].image == RED
        assert item.text == "Look:"
        assert item.words == f"Look: [{RED.words}]"
        assert "base64" not in repr(item)


def test_an_image_that_is_given_back_counts() -> None:
    """Also without anything sent, as in a message of another client."""
    assert mirror(added("i", TALL.part())).items["i"].images == [TALL]


def test_messages_get_their_own_images() -> None:
    """In the order in which they were sent; one without an image gets none."""
    conversation = mirror(
        created(RED.part(), TEXT), created(TEXT), created(RED.part()), created(TALL.part()),
        added("a", {"type": "input_image"}, TEXT), added("b", TEXT), added("c", {"type": "input_image"}),
        added("d", {"type": "input_image"}), added("e", {"type": "input_image"}),
    )  # fmt: skip
    assert [conversation.items[name].images for name in "abcde"] == [[RED], [], [RED], [TALL], []]


def test_a_named_message_is_found_behind_others() -> None:
    """The id decides, not the order."""
    conversation = mirror(
        created(RED.part(), id="a"), created(TALL.part(), id="b"), added("b", {"type": "input_image"})
    )
    assert conversation.items["b"].images == [TALL]


@pytest.mark.parametrize(
    "odd", [{"item": 5}, {"item": {"content": 5}}, {"item": {"content": [5, {"image_url": 5}]}}, {}]
)
def test_what_is_sent_may_have_any_shape(odd: Wire) -> None:
    """The mirror never raises."""
    assert mirror({"type": "conversation.item.create"} | odd).items == {}


def test_an_item_shows_its_images_small() -> None:
    """In HTML, from the data, with words beside it; in a recording, too."""
    timeline = Timeline()
    for event in (created(TEXT, RED.part(), id="i"), added("i", TEXT, {"type": "input_image"})):
        sent = event["type"] == "conversation.item.create"
        timeline.store.append(json.dumps(event).encode(), direction="sent" if sent else "received", t=0.0)
    html = mirror(*[dict(event) for event in timeline]).items["i"]._repr_mimebundle_()["text/html"]
    assert f'src="{RED.url}"' in html
    assert "max-width:320px" in html
    assert "Look:" in html
    assert RED.words in html
    assert all("base64" not in text for text in timeline["text"])
    assert "base64" not in repr(timeline)
    assert json.loads(timeline[0].raw)["item"]["content"][1]["image_url"] == RED.url


def test_a_recording_has_the_images(tmp_path: object) -> None:
    """They are in its frames."""
    timeline = Timeline()
    for event in (created(RED.part(), id="i"), added("i", {"type": "input_image"})):
        sent = event["type"] == "conversation.item.create"
        timeline.store.append(json.dumps(event).encode(), direction="sent" if sent else "received", t=0.0)
    recording = open_recording(timeline.save(f"{tmp_path}/x.rtnb.jsonl"))
    assert recording.conversation.items["i"].images == [RED]
