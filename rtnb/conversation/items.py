"""What a conversation is made of: items, their content parts, and what is known of a response."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rtnb.audio.formats import FORMATS, AudioFormat
from rtnb.formatting import one_line

IN_PROGRESS = "in_progress"
DELETED = "deleted"
NAN = float("nan")


@dataclass(slots=True)
class ContentPart:
    """One content part of an item: its text so far, and references to its audio.

    Attributes
    ----------
    text_pieces, transcript_pieces : list of str
        What the deltas say, in order; the ``done`` event's word replaces it. Joined only when it is read: a string that
        grows by each delta would be copied by each delta.
    chunks : list of bytes
        Decoded audio deltas in the order of arrival; `format` says how to read them.
    heard_ms : int or None
        Where a truncation cut the audio; None for a part that was not truncated. Text and chunks stay as they came.
    """

    type: str = ""
    text_pieces: list[str] = field(default_factory=list)
    transcript_pieces: list[str] = field(default_factory=list)
    chunks: list[bytes] = field(default_factory=list)
    format: AudioFormat = FORMATS["pcm16"]
    spellings: dict[str, str] = field(default_factory=dict)
    finished: set[str] = field(default_factory=set)
    heard_ms: int | None = None

    @property
    def heard_transcript(self) -> str:
        """What was heard of the transcript: all of it, or as many of its words as the part of the audio before the cut.

        The services do not tell which words a truncation left, so this is an estimate by the share of the audio.
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
        """What is written, so far."""
        return "".join(self.text_pieces)

    @text.setter
    def text(self, text: str) -> None:
        self.text_pieces = [text]

    @property
    def transcript(self) -> str:
        """What is spoken, in words, so far."""
        return "".join(self.transcript_pieces)

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

    `status` is the service's word, or ``"deleted"`` for an item that is no longer part of the conversation.
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
        """Return the content part at `index`, made when it is first spoken of."""
        if index not in self.content:
            self.content[index] = ContentPart()
        return self.content[index]

    @property
    def text(self) -> str:
        """Return what the item says in words: its texts and transcripts, joined."""
        return " ".join(filter(None, (part.transcript or part.text for part in list(self.content.values()))))

    @property
    def heard(self) -> str:
        """Return what was heard of it in words: less than `text` where the item was truncated."""
        parts = list(self.content.values())
        return " ".join(filter(None, (part.heard_transcript if part.transcript else part.text for part in parts)))

    def __repr__(self) -> str:
        what = f"{self.name}({self.arguments})" if self.name else self.text or self.output
        return f"<Item {one_line(f'{self.role or self.type} {self.status}', 40)} {one_line(what, 60)!r}>"


@dataclass(slots=True)
class ResponseState:
    """All that is known of one response.

    `request_id` is the client event that asked for it; `announced` says that it was created in so many words. Times are
    seconds of the session's clock, NaN while unknown.
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

    @property
    def active(self) -> bool:
        """Return whether the service is still at work on it."""
        return self.status == IN_PROGRESS


def fill(item: Item, data: Mapping[str, Any]) -> None:
    """Take over what an item event says of an item; what it leaves out stays, texts that deltas told stay too."""
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
