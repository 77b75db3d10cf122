"""The transcription of the user's speech, as it grows on an item: deltas, speakers, the whole, or why there is none. Pure."""

from __future__ import annotations

from rtnb.conversation.item_list import ItemList
from rtnb.conversation.items import Segment
from rtnb.protocol.events import Event
from rtnb.protocol.failures import failure_words
from rtnb.protocol.names import Kind

KINDS = (
    Kind.INPUT_TRANSCRIPTION_DELTA,
    Kind.INPUT_TRANSCRIPTION_SEGMENT,
    Kind.INPUT_TRANSCRIPTION_COMPLETED,
    Kind.INPUT_TRANSCRIPTION_FAILED,
)


def take_transcription(event: Event, items: ItemList) -> str:
    """Update the item that one of `KINDS` speaks of; return what is odd about the event, empty if nothing is.

    The transcript may come before its item, and without an item's id, which is then the newest that awaits one.
    """
    item = items.mention(event.item_id) if event.item_id else items.untranscribed or items.mention("")
    if item is None:
        return "speaks of an item that was deleted"
    part = item.part(event.content_index)
    late = Kind.INPUT_TRANSCRIPTION_DELTA in part.finished
    match event.kind:
        case Kind.INPUT_TRANSCRIPTION_DELTA if not late:
            part.transcript_pieces.append(event.text("delta"))
        case Kind.INPUT_TRANSCRIPTION_SEGMENT:
            part.segments.append(Segment.read(event.data))
            return ""
        case Kind.INPUT_TRANSCRIPTION_COMPLETED:
            part.transcript = event.text("transcript") or part.transcript
            part.failure = ""
            part.finished.add(Kind.INPUT_TRANSCRIPTION_DELTA)
        case Kind.INPUT_TRANSCRIPTION_FAILED:
            part.failure = failure_words(event)
            part.finished.add(Kind.INPUT_TRANSCRIPTION_DELTA)
    return "came after its transcript was complete" if late else ""
