"""The transcript of an item, and the translation of a session, in the mirror; pure."""

from __future__ import annotations

import json
import math
from typing import Any

from rtnb.conversation.conversation import Conversation
from rtnb.conversation.items import Segment
from rtnb.protocol.events import LOCAL, Event

SAID = "conversation.item.input_audio_transcription"


def event(type: str, t: float = 0.0, direction: str = "received", **fields: Any) -> Event:
    return Event.parse(json.dumps({"type": type, **fields}).encode(), t=t, direction=direction)


def spoken(item: str = "item_1") -> Event:
    content = [{"type": "input_audio", "transcript": None}]
    return event("conversation.item.added", item={"id": item, "type": "message", "role": "user", "content": content})


def test_a_transcript_grows_by_its_deltas() -> None:
    """And is replaced by the completed one; a delta after that is an oddity, and changes nothing."""
    conversation = Conversation()
    for each in (spoken(), event(f"{SAID}.delta", item_id="item_1", delta="Hel")):
        conversation.apply(each)
    item = conversation.items["item_1"]
    assert item.text == "Hel"
    conversation.apply(event(f"{SAID}.delta", item_id="item_1", delta="lo", logprobs=[{"token": "lo", "logprob": -1}]))
    assert item.text == "Hello"
    assert item.content[0].logprobs == [{"token": "lo", "logprob": -1}]
    conversation.apply(event(f"{SAID}.completed", item_id="item_1", transcript="Hello!"))
    assert item.text == "Hello!"
    assert item.content[0].logprobs == [{"token": "lo", "logprob": -1}]
    conversation.apply(event(f"{SAID}.delta", item_id="item_1", delta="?"))
    assert item.text == "Hello!"
    assert "came after its own completed event" in conversation.oddities[-1]


def test_segments_have_speaker_and_times() -> None:
    """What a service leaves out, or sends in another shape, is missing and no more."""
    conversation = Conversation()
    conversation.apply(spoken())
    for fields in ({"speaker": "A", "start": 0, "end": 1.5, "text": "Hi."}, {"text": "Ho.", "start": True, "end": "x"}):
        conversation.apply(event(f"{SAID}.segment", item_id="item_1", **fields))
    first, second = conversation.items["item_1"].content[0].segments
    assert first == Segment("A", 0.0, 1.5, "Hi.")
    assert (second.speaker, second.text) == ("", "Ho.")
    assert math.isnan(second.start)
    assert math.isnan(second.end)
    assert conversation.oddities == []


def test_a_transcript_waits_for_its_item() -> None:
    """It is found by the item's id before, and is the item's own afterwards."""
    conversation = Conversation()
    assert conversation.item("item_1") is None
    conversation.apply(event(f"{SAID}.delta", item_id="item_1", delta="Hel"))
    early = conversation.item("item_1")
    assert early is not None
    assert (early.text, conversation.items) == ("Hel", {"item_1": early})
    conversation.apply(spoken())
    assert conversation.items["item_1"] is early
    assert (early.text, early.role) == ("Hel", "user")


def test_a_sessions_type_is_kept_in_either_dialect() -> None:
    """The preview dialect tells it by the event's name."""
    conversation = Conversation()
    conversation.apply(event("transcription_session.created", session={"input_audio_format": "g711_ulaw"}))
    assert conversation.config["type"] == "transcription"
    assert conversation.config["audio"]["input"]["format"] == {"type": "audio/pcmu"}


def test_a_translation_is_one_response_until_it_ends() -> None:
    """Its times are those of its events; what comes after the connection ended is another one."""
    conversation = Conversation()
    conversation.apply(event("session.output_transcript.delta", 1.0, delta="Gu"))
    conversation.apply(event("session.output_audio.delta", 2.0, delta="AAAA"))
    conversation.apply(event("session.output_transcript.delta", 3.0, delta="ten"))
    (state,) = conversation.responses.values()
    assert (state.status, state.created_t, state.first_text_t, state.first_audio_t) == ("in_progress", 1.0, 1.0, 2.0)
    assert conversation.items["translation"].text == "Guten"
    conversation.apply(event("session.input_transcript.delta", 4.0, delta="Good"))
    assert [item.text for item in conversation.items.values()] == ["Good", "Guten"]
    conversation.apply(event("session.closed", 5.0))
    assert (state.status, state.done_t) == ("completed", 5.0)
    conversation.apply(event("close", 6.0, LOCAL, code=1000, reason=""))
    conversation.apply(event("session.output_transcript.delta", 7.0, delta="Mehr"))
    assert list(conversation.responses) == ["translation", "translation 2"]
    assert conversation.oddities == []
