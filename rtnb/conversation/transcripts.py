"""What becomes of input audio: the transcript of an item, and the translation of a session. Pure."""

from __future__ import annotations

import math
from typing import Any

from rtnb.conversation.items import IN_PROGRESS, Item, ResponseState, Segment
from rtnb.protocol.events import Event
from rtnb.protocol.failures import failure_words
from rtnb.protocol.names import TRANSLATION_NAME, Kind

TRANSCRIPT_KINDS = (
    Kind.INPUT_TRANSCRIPTION_DELTA,
    Kind.INPUT_TRANSCRIPTION_SEGMENT,
    Kind.INPUT_TRANSCRIPTION_COMPLETED,
    Kind.INPUT_TRANSCRIPTION_FAILED,
)
_TRANSLATION, _SOURCE = "translation", "source"
_OF_TRANSLATION = frozenset(TRANSLATION_NAME.values())


def take_transcript(item: Item, event: Event) -> str:
    """Update an item by an event of its transcription; return what is odd about the event, empty if nothing is."""
    part = item.part(event.content_index)
    part.type = part.type or "input_audio"
    if event.kind == Kind.INPUT_TRANSCRIPTION_SEGMENT:
        start, end = _number(event.data.get("start")), _number(event.data.get("end"))
        part.segments.append(Segment(event.text("speaker"), start, end, event.text("text")))
        return ""
    late = Kind.INPUT_TRANSCRIPTION_DELTA in part.finished
    if event.kind == Kind.INPUT_TRANSCRIPTION_DELTA:
        if not late:
            part.transcript_pieces.append(event.text("delta"))
            part.logprobs += _logprobs(event)
    else:
        part.finished.add(Kind.INPUT_TRANSCRIPTION_DELTA)
        part.failure = failure_words(event)
    if event.kind == Kind.INPUT_TRANSCRIPTION_COMPLETED:
        part.transcript = event.text("transcript") or part.transcript
        part.logprobs = _logprobs(event) or part.logprobs
    return "came after its own completed event" if late else ""


def _logprobs(event: Event) -> list[dict[str, Any]]:
    given = event.data.get("logprobs")
    return [each for each in given if isinstance(each, dict)] if isinstance(given, list) else []


def _number(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else math.nan


def translates(event: Event) -> bool:
    """Return whether an event is part of a translation, which has no turns."""
    return event.type in _OF_TRANSLATION


def translation(items: dict[str, Item], responses: dict[str, ResponseState], t: float) -> ResponseState:
    """Return the response that the translation of a session makes, with the assistant item that it fills.

    A translation has neither items nor responses on the wire; here it is one response from its first word to the end of
    the connection. `items` and `responses` are the conversation's, and are added to; `t` is the time of the event.
    """
    ours = [key for key in responses if key.partition(" ")[0] == _TRANSLATION]
    if ours and responses[ours[-1]].active:
        return responses[ours[-1]]
    name = f"{_TRANSLATION} {len(ours) + 1}" if ours else _TRANSLATION
    item = Item(name, role="assistant", response_id=name)
    responses[name] = ResponseState(id=name, status=IN_PROGRESS, items={name: item}, created_t=t)
    items[name] = item
    return responses[name]


def source(items: dict[str, Item], translated: ResponseState) -> Item:
    """Return the user item with the words that a translation translates; `items` are the conversation's, added to."""
    name = translated.id.replace(_TRANSLATION, _SOURCE)
    if name not in items:
        after = items.pop(translated.id)
        items[name] = Item(name, role="user")
        items[after.id] = after
    return items[name]
