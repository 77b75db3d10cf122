"""The parts of a conversation: items, their content parts, and the state of a response."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rtnb.audio.formats import FORMATS, AudioFormat
from rtnb.formatting import one_line
from rtnb.protocol.config import format_name, look
from rtnb.protocol.dialects import ga_settings

IN_PROGRESS = "in_progress"
DELETED = "deleted"
NAN = float("nan")


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a transcript, by one speaker.

    Attributes
    ----------
    speaker : str
        The service's label; empty where it gave none.
    start, end : float
        Seconds within the item's audio; NaN where the service gave none.
    text : str
    """

    speaker: str
    start: float
    end: float
    text: str


@dataclass(slots=True)
class ContentPart:
    """One content part of an item: its text so far, and references to its audio.

    Attributes
    ----------
    text_pieces, transcript_pieces : list of str
        The deltas in order, replaced by the text of the ``done`` event. They are joined only when read: a string that
        grows by each delta would be copied by each delta.
    chunks : list of bytes
        Decoded audio deltas in order of arrival, in the encoding `format`.
    spellings : dict of str to str
        By kind of delta, the type as on the wire of the first one.
    finished : set of str
        The kinds of deltas whose ``done`` event has come.
    heard_ms : int or None
        Where the audio was truncated; None for a part that was not. Text and chunks stay complete.
    segments : list of Segment
        The pieces of an input's transcript, as a transcriber that tells speakers apart finds them.
    logprobs : list of dict
        The tokens of an input's transcript with their log probabilities, as the service sends them.
    failure : str
        Why the speech has no transcript, in words; empty unless its transcription failed.
    """

    type: str = ""
    text_pieces: list[str] = field(default_factory=list)
    transcript_pieces: list[str] = field(default_factory=list)
    chunks: list[bytes] = field(default_factory=list)
    format: AudioFormat = FORMATS["pcm16"]
    spellings: dict[str, str] = field(default_factory=dict)
    finished: set[str] = field(default_factory=set)
    heard_ms: int | None = None
    segments: list[Segment] = field(default_factory=list)
    logprobs: list[dict[str, Any]] = field(default_factory=list)
    failure: str = ""

    @property
    def heard_transcript(self) -> str:
        """Return what was heard of the transcript: all of it, or the words before the truncation.

        The services do not say which words those are, so they are estimated by the share of the audio.
        """
        total_ms = self.format.duration(self.audio_bytes) * 1000
        if self.heard_ms == 0:
            return ""
        if self.heard_ms is None or self.heard_ms >= total_ms:
            return self.transcript
        words = re.findall(r"\s*\S+", self.transcript)
        return "".join(words[: int(len(words) * self.heard_ms / total_ms)])

    @property
    def text(self) -> str:
        """Return the text so far."""
        return "".join(self.text_pieces)

    @text.setter
    def text(self, text: str) -> None:
        self.text_pieces = [text]

    @property
    def transcript(self) -> str:
        """Return the transcript so far; what the speakers said, where nothing else has told of it."""
        return "".join(self.transcript_pieces) or " ".join(each.text.strip() for each in self.segments)

    @transcript.setter
    def transcript(self, transcript: str) -> None:
        self.transcript_pieces = [transcript]

    @property
    def audio_bytes(self) -> int:
        """Return how many bytes of audio have arrived."""
        return sum(map(len, self.chunks))


@dataclass(slots=True)
class Item:
    """A conversation item: a message, a function call, or its output.

    `status` is the service's, or ``"deleted"`` for an item that is no longer part of the conversation. An empty string is
    a field that the service has not given.
    """

    id: str
    type: str = "message"
    role: str = ""
    status: str = ""
    name: str = ""
    call_id: str = ""
    arguments: str = ""
    output: str = ""
    response_id: str = ""
    content: dict[int, ContentPart] = field(default_factory=dict)

    def part(self, index: int) -> ContentPart:
        """Return the content part at `index`, made when it is first mentioned."""
        if index not in self.content:
            self.content[index] = ContentPart()
        return self.content[index]

    @property
    def answered_as(self) -> str:
        """Return the call id that the output of a function call names: the item's id for a call that has none."""
        return self.call_id or self.id

    @property
    def awaits_transcript(self) -> bool:
        """Return whether it is speech of the user whose transcript is not complete."""
        parts = list(self.content.values())
        return self.role == "user" and any(
            part.type == "input_audio" and not part.failure and not part.finished for part in parts
        )

    @property
    def text(self) -> str:
        """Return the item's texts and transcripts, joined."""
        return " ".join(filter(None, (part.transcript or part.text for part in list(self.content.values()))))

    @property
    def heard(self) -> str:
        """Return the text that was heard: less than `text` where the item was truncated."""
        parts = list(self.content.values())
        return " ".join(filter(None, (part.heard_transcript if part.transcript else part.text for part in parts)))

    def __repr__(self) -> str:
        what = f"{self.name}({self.arguments})" if self.name else self.text or self.output
        return f"<Item {one_line(f'{self.role or self.type} {self.status}', 40)} {one_line(what, 60)!r}>"


@dataclass(slots=True)
class ResponseState:
    """What the events have said of one response so far.

    Attributes
    ----------
    conversation_id : str or None
        None for an out-of-band response, empty while unknown.
    request_id : str
        The client event that asked for it; empty where the service began it by itself.
    requested_t, created_t, first_text_t, first_audio_t, done_t : float
        Seconds since the session opened, NaN while unknown.
    announced : bool
        Whether its ``response.created`` has come.
    final : bool
        Whether its ``response.done`` has come, or the end of the connection: nothing that comes later changes its status.
    outputs : dict of int to str
        The key in `items` of each output index.
    """

    id: str = ""
    status: str = ""
    reason: str = ""
    error: dict[str, Any] | None = None
    usage: dict[str, Any] | None = None
    metadata: dict[str, Any] | None = None
    conversation_id: str | None = ""
    format: AudioFormat = FORMATS["pcm16"]
    items: dict[str, Item] = field(default_factory=dict)
    request_id: str = ""
    requested_t: float = NAN
    created_t: float = NAN
    first_text_t: float = NAN
    first_audio_t: float = NAN
    done_t: float = NAN
    announced: bool = False
    final: bool = False
    outputs: dict[int, str] = field(default_factory=dict)

    @property
    def active(self) -> bool:
        """Return whether it is in progress."""
        return self.status == IN_PROGRESS

    @property
    def awaits_reason(self) -> bool:
        """Return whether it has failed at its creation, and nothing has said why."""
        return self.status == "failed" and not self.final and self.error is None and not self.reason

    def key(self, item_id: str, index: int | None = None, call_id: str = "") -> str:
        """Return the key in `items` of the item that an event speaks of; a new one for an item that is new.

        Without its id an item is the one at the output's index, or the one with the call's id, or the newest.
        """
        items, outputs = self.items, self.outputs
        found = item_id if item_id else outputs.get(index) if index is not None else None
        if found is None and call_id:
            found = next((key for key, each in items.items() if each.call_id == call_id), None)
        elif found is None:
            placed = set() if index is None else set(outputs.values())
            found = next((key for key in reversed(items) if key not in placed), None)
        if found is None:
            found = f"(item {len(items) + 1})" if items else ""
        if index is not None:
            outputs.setdefault(index, found)
        return found


def fill(item: Item, data: Mapping[str, Any]) -> None:
    """Copy the fields of an item event into an item; fields that are missing or empty leave the item as it is."""
    for name in ("type", "role", "status", "name", "call_id", "arguments", "output"):
        if isinstance(value := data.get(name), str) and value:
            setattr(item, name, value)
    content = data.get("content")
    for index, value in enumerate(content if isinstance(content, list) else ()):
        if not isinstance(value, Mapping):
            continue
        part = item.part(index)
        part.type = str(value.get("type") or part.type)
        part.text = str(value.get("text") or part.text)
        part.transcript = str(value.get("transcript") or part.transcript)


def fill_response(response: ResponseState, data: Mapping[str, Any]) -> None:
    """Copy the fields of a response event into a response; fields that are missing or empty leave it as it is."""
    settings = ga_settings(data)
    if (own := look(settings, ("audio", "output", "format"))) is not None:
        response.format = FORMATS[format_name(own, response.format.name)]
    response.status = str(data.get("status") or response.status)
    details = data.get("status_details")
    if isinstance(details, dict):
        response.reason = str(details.get("reason") or response.reason)
        error = details.get("error")
        response.error = error if isinstance(error, dict) else response.error
    for name in ("usage", "metadata"):
        if isinstance(data.get(name), dict):
            setattr(response, name, data[name])
    if "conversation_id" in data:
        response.conversation_id = data["conversation_id"]
