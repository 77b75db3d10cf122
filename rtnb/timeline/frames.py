"""How a frame is kept: as it is, or, when it is mostly base64 audio, as ``(head, pcm, tail)``.

The second form is taken only where encoding the decoded bytes gives back the very frame; then an hour of speech costs its
PCM bytes and little more, the same bytes object serves the conversation, and no row is ever decoded twice.
"""

from __future__ import annotations

from typing import Any

import orjson
from pybase64 import b64decode, b64encode

from rtnb.protocol.events import Event, Frame, Packed
from rtnb.protocol.names import AUDIO_FIELD, Local, kind_of

WORTH_PACKING = 300
"""Frames below this many bytes are kept as they are: there is nothing to save."""

# Stands for the audio while the rest of the frame is parsed. Where it occurs in the rest, the frame is not packed.
_PLACEHOLDER = b"~audio~"
_PLACEHOLDER_TEXT = _PLACEHOLDER.decode()


def read_frame(raw: bytes, *, seq: int, t: float, direction: str) -> tuple[Event, Frame]:
    """Return the event in a frame that has just crossed the wire, and the form in which to keep the frame."""
    if len(raw) >= WORTH_PACKING:
        split = _split_audio(raw)
        if split is not None:
            data, frame = split
            return Event(frame, data, type=data["type"], seq=seq, t=t, direction=direction), frame
    return Event.parse(raw, seq=seq, t=t, direction=direction), raw


def unreadable(raw: bytes, error: Exception, *, seq: int, t: float, direction: str) -> Event:
    """Return the event for a frame that broke its own interpretation."""
    problem = f"this frame could not be read: {type(error).__name__}: {error}"
    return Event(raw, {}, type=Local.NOT_JSON.value, problem=problem, seq=seq, t=t, direction=direction)


def event_of(frame: Frame, *, seq: int, t: float, direction: str) -> Event:
    """Return the event in a kept frame; audio that is kept decoded is not decoded again."""
    if isinstance(frame, bytes):
        return Event.parse(frame, seq=seq, t=t, direction=direction)
    data = orjson.loads(frame[0] + _PLACEHOLDER + frame[2])
    return Event(frame, data, type=data["type"], seq=seq, t=t, direction=direction)


def _split_audio(raw: bytes) -> tuple[dict[str, Any], Packed] | None:
    """Return the fields of an audio event and its three parts, or None where the frame is anything else.

    The audio is most of such a frame, so the string around a place two thirds in is it, whatever the order of the fields.
    Without a backslash outside it, no other spelling of the placeholder exists; hence the field that reads as the
    placeholder is where the audio stood.
    """
    inside = len(raw) * 2 // 3
    start, end = raw.rfind(b'"', 0, inside) + 1, raw.find(b'"', inside)
    if 2 * (end - start) < len(raw):
        return None
    head, tail = raw[:start], raw[end:]
    if b"\\" in head or b"\\" in tail or _PLACEHOLDER in head or _PLACEHOLDER in tail:
        return None
    try:
        pcm = b64decode(memoryview(raw)[start:end], validate=True)
        data = orjson.loads(head + _PLACEHOLDER + tail)
    except ValueError:
        return None
    if not isinstance(data, dict) or not isinstance(data.get("type"), str):
        return None
    field = AUDIO_FIELD.get(kind_of(data["type"]))
    if field is None or data.get(field) != _PLACEHOLDER_TEXT or not _encodes_to(raw, start, end, pcm):
        return None
    return data, (head, pcm, tail)


def _encodes_to(raw: bytes, start: int, end: int, pcm: bytes) -> bool:
    """Return whether encoding `pcm` gives back ``raw[start:end]``, which strict decoding has turned into it.

    Four characters of the alphabet stand for three bytes in one way only; just a last group of fewer has bits to spare.
    """
    groups, spare = divmod(len(pcm), 3)
    if not spare:
        return end - start == 4 * groups
    return end - start == 4 * groups + 4 and raw[end - 4 : end] == b64encode(pcm[-spare:])
