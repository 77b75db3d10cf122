"""Images through a session: sent once, whole, and shown as words everywhere but in the item."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from pictures import image, picture
from scripted import Script, Wire, open_session
from session_kinds import TranscribingScript, open_kind
from virtual_time import virtual_time

from rtnb.audio import AudioClip
from rtnb.errors import ConfigurationError, ImageError

TONE = AudioClip(np.full(4800, 1000, np.int16), 24_000)


def content(service: Script, place: int = 0) -> list[Wire]:
    found: list[Wire] = [event for event in service.heard if event["type"] == "conversation.item.create"][place][
        "item"
    ]["content"]
    return found


async def forgetful(service: Script, heard: Wire) -> None:
    """Answer as services do that do not give images back."""
    item = heard["item"]
    parts = [{key: value for key, value in part.items() if key != "image_url"} for part in item["content"]]
    await service.add({**item, "content": parts})


@virtual_time
async def test_a_question_about_a_plot() -> None:
    """Text and image are one message; the item has the image, the text column its size."""
    session, service = await open_session(answers={"conversation.item.create": forgetful})
    figure = Figure(figsize=(4, 3), dpi=50)
    r = await session.ask("What does this plot show?", image=figure, detail="low")
    assert r.transcript == "Of course!"
    text, part = content(service)
    assert text == {"type": "input_text", "text": "What does this plot show?"}
    assert (part["type"], part["detail"]) == ("input_image", "low")
    (item,) = [item for item in session.conversation.items.values() if item.role == "user"]
    assert item.images[0].url == part["image_url"]
    assert "image/png, 200×150" in repr(item)
    rows = [event for event in session.timeline if event.direction == "sent"]
    assert rows[0]["item"]["content"][1] == part
    assert "user What does this plot show? image/png, 200×150, " in session.timeline["text"][rows[0].seq]
    assert not any("base64" in shown for shown in (repr(session.timeline), repr(item), *session.timeline["text"]))


@virtual_time
async def test_several_images_and_parts_of_a_message() -> None:
    """In their order; add_message takes the same parts and returns the item."""
    session, service = await open_session()
    await session.ask("Compare.", image=[image(), picture("JPEG")])
    assert [part["type"] for part in content(service)] == ["input_text", "input_image", "input_image"]
    item = await session.add_message(["See", image(), TONE, {"type": "input_text", "text": "raw"}], detail="high")
    assert [part["type"] for part in content(service, 1)] == ["input_text", "input_image", "input_audio", "input_text"]
    assert content(service, 1)[1]["detail"] == "high"
    assert (item.images, item.text) == ([image().with_detail("high")], "See raw")
    assert (await session.add_message(image())).images == [image()]
    await session.ask(["What is this?", image()])
    assert [part["type"] for part in content(service, 3)] == ["input_text", "input_image"]


@virtual_time
async def test_images_before_speech() -> None:
    """They are a message of their own, and the speech goes through the input buffer as always."""
    session, service = await open_session()
    await session.ask(TONE, image=image())
    assert [part["type"] for part in content(service)] == ["input_image"]
    kinds = list(dict.fromkeys(service.types()))
    assert kinds == [
        "conversation.item.create",
        "input_audio_buffer.append",
        "input_audio_buffer.commit",
        "response.create",
    ]


@virtual_time
async def test_images_beside_the_conversation() -> None:
    """In the response's own input; nothing of it becomes an item."""
    session, service = await open_session()
    await session.ask("What is this?", image=image(), out_of_band=True)
    (item,) = service.heard[0]["response"]["input"]
    assert [part["type"] for part in item["content"]] == ["input_text", "input_image"]
    assert item["content"][1]["image_url"] == image().url
    assert session.conversation.items == {}


@pytest.mark.parametrize(
    ("dialect", "options", "error"),
    [
        ("preview", {"image": image()}, ImageError),
        ("ga", {"image": 42}, ImageError),
        ("ga", {"image": "/nowhere.png"}, ImageError),
        ("ga", {"detail": "low"}, ConfigurationError),
    ],
)
@virtual_time
async def test_nothing_is_sent_of_a_message_that_is_wrong(
    dialect: str, options: dict[str, Any], error: type[Exception]
) -> None:
    """In text, in speech and in messages; the session lives on."""
    session, service = await open_session(dialect)
    for prompt in ("x", TONE):
        for beside in (False, True):
            with pytest.raises(error):
                await session.ask(prompt, out_of_band=beside, **options)
    assert service.heard == []
    assert (await session.ask("x")).status == "completed"


@virtual_time
async def test_a_session_that_only_transcribes_looks_at_nothing() -> None:
    """Images, and messages of parts, are refused at once; so are approvals."""
    session, service = await open_kind(TranscribingScript)
    for prompt in (TONE, ["x", image()]):
        with pytest.raises(ConfigurationError, match="has no meaning in a transcription session"):
            await session.ask(prompt, image=image())
    with pytest.raises(ConfigurationError, match="has no meaning in a transcription session"):
        await session.approve("mcpr_1")
    assert service.heard == []
