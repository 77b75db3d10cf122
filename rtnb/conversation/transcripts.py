"""What becomes of input audio: the transcript of an item, as it grows. Pure."""

from __future__ import annotations

import math
from typing import Any

from rtnb.conversation.items import Item, Segment
from rtnb.protocol.events import Event
from rtnb.protocol.failures import failure_words
from rtnb.protocol.names import Kind

KINDS = (
    Kind.INPUT_TRANSCRIPTION_DELTA,
    Kind.INPUT_TRANSCRIPTION_SEGMENT,
    Kind.INPUT_TRANSCRIPTION_COMPLETED,
    Kind.INPUT_TRANSCRIPTION_FAILED,
)


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
    return "came after its transcript was complete" if late else ""


def _logprobs(event: Event) -> list[dict[str, Any]]:
    given = event.data.get("logprobs")
    return [each for each in given if isinstance(each, dict)] if isinstance(given, list) else []


def _number(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else math.nan
