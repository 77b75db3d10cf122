"""The transcript of the user's speech, in whatever order and completeness a service tells it."""

from __future__ import annotations

import math
from typing import Any

import pytest
from scripted import Wire
from wire_conversation import WireConversation

from rtnb.conversation.items import Segment

ITEM = {
    "type": "conversation.item.added",
    "previous_item_id": None,
    "item": {"id": "u", "type": "message", "role": "user", "content": [{"type": "input_audio", "transcript": None}]},
}


def told_of(*events: Wire) -> Any:
    return WireConversation().take(*events).items["u"]


def transcription(step: str, **fields: Any) -> Wire:
    return {"type": f"conversation.item.input_audio_transcription.{step}", "item_id": "u", "content_index": 0, **fields}


@pytest.mark.parametrize("place", range(4))
def test_deltas_grow_and_the_whole_replaces_them(place: int) -> None:
    """Wherever among them the item itself comes."""
    events = [
        transcription("delta", delta="Hel"),
        transcription("delta", delta="lo wrold"),
        transcription("completed", transcript="Hello world"),
    ]
    events.insert(place, ITEM)
    grown = ["", "Hel", "Hello wrold", "Hello world"]
    told = WireConversation()
    for count, event in enumerate(events):
        told.take(event)
        if told.items:
            assert told.items["u"].text == grown[count + (place > count)]
    assert told.items["u"].text == "Hello world"
    assert told.oddities == []


def test_a_delta_after_the_whole_is_odd_and_doubles_nothing() -> None:
    """Nor does a second whole."""
    told = WireConversation().take(
        ITEM, transcription("completed", transcript="Hello"), transcription("delta", delta="Hello")
    )
    told.take(transcription("completed", transcript="Hello"))
    assert told.items["u"].text == "Hello"
    assert len(told.oddities) == 2


def test_speakers_are_kept() -> None:
    """With their words and times; where no transcript tells the words, theirs are the transcript."""
    item = told_of(
        ITEM,
        transcription("segment", id="seg_1", speaker="A", text="Hello.", start=0.1, end=0.9),
        transcription("segment", id="seg_2", speaker="B", text=" Good day.", start=1, end=None),
        transcription("segment", speaker=3, text=[], start=True),
    )
    first, second, odd = item.content[0].segments
    assert first == Segment("A", 0.1, 0.9, "Hello.")
    assert (second.speaker, second.text, second.start) == ("B", " Good day.", 1.0)
    assert math.isnan(second.end)
    assert (odd.speaker, odd.text) == ("", "")
    assert math.isnan(odd.start)
    assert item.text.strip() == "Hello. Good day."
    whole = transcription("completed", transcript="Hello. Good day!")
    item = told_of(transcription("segment", speaker="A", text="Hello."), whole)
    assert (item.text, len(item.content[0].segments)) == ("Hello. Good day!", 1)


def test_the_probabilities_of_the_tokens_are_kept() -> None:
    """Those of the deltas, until the whole brings its own; what is no list of objects is none."""
    tokens = [{"token": each, "logprob": -0.1, "bytes": [1]} for each in ("Hel", "lo")]
    told = WireConversation().take(
        ITEM, *(transcription("delta", delta=each["token"], logprobs=[each]) for each in tokens)
    )
    part = told.items["u"].content[0]
    assert part.logprobs == tokens
    told.take(transcription("completed", transcript="Hello", logprobs=[3]))
    assert part.logprobs == tokens
    told.take(transcription("completed", transcript="Hello", logprobs=tokens[:1]))
    assert part.logprobs == tokens[:1]


def test_a_failed_transcription_says_why() -> None:
    """The item stays, with what was understood before; a transcript that comes after all clears it."""
    error = {"type": "server_error", "code": "too_noisy", "message": "Nothing understood."}
    told = WireConversation().take(ITEM, transcription("delta", delta="Hel"), transcription("failed", error=error))
    part = told.items["u"].content[0]
    assert part.failure == "the transcription of speech failed: too_noisy: Nothing understood."
    assert part.transcript == "Hel"
    told.take(transcription("completed", transcript="Hello"))
    assert (part.failure, part.transcript) == ("", "Hello")


def test_a_transcript_without_an_item_id_is_that_of_the_speech_that_awaits_one() -> None:
    """The newest; where none awaits one, it is kept in an item of its own."""
    bare = {key: value for key, value in transcription("completed", transcript="Hello").items() if key != "item_id"}
    answer = {"type": "conversation.item.added", "item": {"id": "a", "role": "assistant"}, "previous_item_id": "u"}
    told = WireConversation().take(ITEM, answer, bare)
    assert (told.items["u"].text, list(told.items)) == ("Hello", ["u", "a"])
    told.take({**bare, "transcript": "And more"})
    assert [item.text for item in told.items.values()] == ["Hello", "", "And more"]


def test_keys_that_a_caller_presses_are_kept() -> None:
    """In order."""
    pressed = [{"type": "input_audio_buffer.dtmf_event_received", "event": key, "received_at": 1} for key in "42#"]
    assert WireConversation().take(*pressed).keys_pressed == "42#"
