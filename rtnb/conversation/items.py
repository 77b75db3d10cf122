"""The parts of a conversation: items, their content parts, and the state of a response."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rtnb.audio.formats import FORMATS, AudioFormat
from rtnb.conversation.thumbnails import images_html
from rtnb.formatting import card, escape, muted, one_line
from rtnb.protocol.config import format_name, look
from rtnb.protocol.dialects import ga_settings
from rtnb.protocol.images import InputImage, image_of
from rtnb.protocol.item_words import APPROVAL_REQUEST, MCP_CALL, MCP_ITEMS, mcp_words

IN_PROGRESS = "in_progress"
COMPLETED = "completed"
FAILED = "failed"
DELETED = "deleted"
NAN = float("nan")
_SHOWN_CHARACTERS = 4000
_TEXTS = ("type", "role", "status", "name", "call_id", "arguments", "output", "phase")
_REMOTE_TEXTS = ("server_label", "approval_request_id", "reason")
_SAID_BY_REMOTE = ("type", "name", "arguments", "server_label", "output", "error", "tools", "approve", "reason")


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
    image : InputImage or None
        The image of an ``input_image`` part, where the client sent it or the service gave it back.
    first_audio_t : float
        When its first audio came, in seconds since the session opened; NaN before that.
    segments : list of Segment
        The pieces of an input's transcript, as a transcriber that distinguishes speakers finds them.
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
    image: InputImage | None = None
    first_audio_t: float = NAN
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
        """Return the transcript so far; what the speakers said, where no other event has it."""
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
    """A conversation item: a message, a function call or its output, or an item of a remote (MCP) tool.

    An empty string is a field that the service has not given.

    Attributes
    ----------
    status : str
        The service's, or ``"deleted"`` for an item that is no longer part of the conversation.
    phase : str
        ``"commentary"`` for words before the answer, ``"final_answer"``; empty where the model names none (models before
        gpt-realtime-2).
    server_label, approval_request_id, reason : str
        The MCP server, the request that a call or an approval belongs to, and why it was approved or denied.
    tools : list of dict
        Of an ``mcp_list_tools`` item: name, description and input schema of each tool.
    error : dict or None
        What a remote tool failed with: type, code, message.
    approve : bool or None
        How an approval request was answered, None before that; of an approval, what it says.
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
    phase: str = ""
    server_label: str = ""
    approval_request_id: str = ""
    reason: str = ""
    tools: list[dict[str, Any]] = field(default_factory=list)
    error: dict[str, Any] | None = None
    approve: bool | None = None

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

    @property
    def images(self) -> list[InputImage]:
        """Return the images of the item, in order."""
        return [part.image for part in list(self.content.values()) if part.image is not None]

    @property
    def words(self) -> str:
        """Return what the item says: its text and its images by their sizes, or the call and what came of it."""
        if self.type in MCP_ITEMS:
            return self._remote_words()
        if self.name:
            return f"{self.name}({self.arguments})"
        return " ".join(filter(None, [self.text or self.output, *(f"[{each.words}]" for each in self.images)]))

    def _remote_words(self) -> str:
        words = mcp_words({name: getattr(self, name) for name in _SAID_BY_REMOTE})
        if self.type == APPROVAL_REQUEST and self.approve is not None:
            return f"{words}: {'approved' if self.approve else 'denied'}{f' ({self.reason})' if self.reason else ''}"
        return f"{words} ✗ no reason was given" if self.status == FAILED and self.error is None else words

    def _title(self) -> str:
        what = self.type if self.type in MCP_ITEMS else self.role or self.type
        return one_line(" ".join(filter(None, [what, self.phase, self.status])), 60)

    def __repr__(self) -> str:
        return f"<Item {self._title()} {one_line(self.words, 60)!r}>"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        said = self.text if self.images else self.words
        shown = said if len(said) <= _SHOWN_CHARACTERS else said[:_SHOWN_CHARACTERS] + " …"
        words = f'<div style="white-space:pre-wrap">{escape(shown)}</div>' if shown else ""
        return {"text/plain": repr(self), "text/html": card(muted(self._title()), words, images_html(self.images))}


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
    for name in (*_TEXTS, *_REMOTE_TEXTS):
        if isinstance(value := data.get(name), str) and value:
            setattr(item, name, value)
    if item.type in MCP_ITEMS:
        _fill_remote(item, data)
    content = data.get("content")
    for index, value in enumerate(content if isinstance(content, list) else ()):
        if not isinstance(value, Mapping):
            continue
        part = item.part(index)
        part.type = str(value.get("type") or part.type)
        part.text = str(value.get("text") or part.text)
        part.transcript = str(value.get("transcript") or part.transcript)
        part.image = image_of(value) or part.image


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


def _fill_remote(item: Item, data: Mapping[str, Any]) -> None:
    """Copy the fields that items of remote tools have beside their texts; a call with a result, or an error, has ended."""
    if isinstance(tools := data.get("tools"), list):
        item.tools = [dict(tool) for tool in tools if isinstance(tool, Mapping)]
    if isinstance(approve := data.get("approve"), bool):
        item.approve = approve
    if error := data.get("error"):
        item.error = dict(error) if isinstance(error, Mapping) else {"message": str(error)}
    if item.error is not None:
        item.status = FAILED
    elif item.type == MCP_CALL and isinstance(data.get("output"), str) and item.status in ("", IN_PROGRESS):
        item.status = COMPLETED
