"""The conversation as the service keeps it: each item with its audio and transcript, their order, and client commands on them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from rtnb.audio.formats import PCM16, AudioFormat
from rtnb.audio.samples import Samples
from rtnb.protocol.config import copy_tree
from rtnb.protocol.events import encode_base64
from rtnb.protocol.names import Kind
from rtnb.service.engines.tasks import Message, SpokenWord
from rtnb.service.session import error_events
from rtnb.service.session.checks import required
from rtnb.service.session.client_events import Events
from rtnb.service.session.usage import (
    AUDIO_TOKENS_PER_SECOND,
    USER_AUDIO_TOKENS_PER_SECOND,
    InputTokens,
    image_tokens,
    text_tokens,
)

_KEPT_AUDIO = 640_000  # bytes; more would make a frame of 1 MiB in base64, so it is never shown
_FIRST = "root"  # the previous_item_id of an item that goes before all others


@dataclass(slots=True)
class StoredItem:
    """One item of the conversation."""

    shown: dict[str, Any]  # what clients see, in GA's form, without audio
    format: AudioFormat = PCM16  # of its audio
    truncated: bool = False  # by a client: then nothing is added any more
    unshown_transcript: str = ""  # of audio whose transcript no client is shown
    transcribing: bool = False  # whether its transcript is still to come
    problem: str = ""  # why there is no transcript
    _audio: bytearray = field(default_factory=bytearray)
    _audio_bytes: int = 0  # also counts those that were trimmed
    _words: list[tuple[str, float]] = field(default_factory=list)  # with the second at which each counts as heard
    _spoken: int = 0

    @property
    def id(self) -> str:
        """Return the item's id."""
        return str(self.shown["id"])

    @property
    def role(self) -> str:
        """Return the role of a message, else the item's type."""
        return str(self.shown.get("role") or self.shown["type"])

    @property
    def parts(self) -> list[dict[str, Any]]:
        """Return the content parts of a message; else none."""
        found: list[dict[str, Any]] = self.shown.get("content", [])
        return found

    @property
    def text(self) -> str:
        """Return the item's words: texts and transcripts, shown or not."""
        words = [part.get("text") or part.get("transcript") for part in self.parts]
        return " ".join(filter(None, (*words, self.unshown_transcript)))

    @property
    def has_audio(self) -> bool:
        """Return whether it has, or had, audio."""
        return bool(self._audio_bytes) or self.truncated

    @property
    def images(self) -> int:
        """Return how many images it holds."""
        return sum(part["type"] == "input_image" for part in self.parts)

    @property
    def seconds(self) -> float:
        """Return how long its audio is."""
        return self.format.duration(self._audio_bytes)

    def message(self) -> Message:
        """Return it as the engines are given it."""
        if self.shown["type"] == "function_call":
            return Message(self.role, "", self.shown["name"], self.shown["arguments"], self.shown["call_id"])
        if self.shown["type"] == "function_call_output":
            return Message(self.role, self.shown["output"], call_id=self.shown["call_id"])
        return Message(self.role, self.text)

    def add_audio(self, audio: bytes) -> None:
        """Add audio, unless a client truncated the item."""
        if not self.truncated:
            self._audio += audio
            self._audio_bytes += len(audio)

    def samples(self) -> Samples:
        """Return its audio (int16), as far as it was not trimmed."""
        return self.format.decode(self._audio)

    def trim(self) -> None:
        """Keep the length of the audio, and no more of it than can ever be shown."""
        del self._audio[_KEPT_AUDIO:]

    def add_word(self, word: SpokenWord) -> None:
        """Keep a spoken word with the time at which more than half of it was played: then it counts as heard."""
        self._words.append((word.text, (self._spoken + len(word.samples) / 2) / PCM16.rate))
        self._spoken += len(word.samples)

    def finish(self, final: Mapping[str, Any]) -> None:
        """Take over the finished item; a truncated one keeps its truncated content."""
        kept = {"content": self.shown["content"]} if self.truncated else {}
        self.shown = {**copy_tree(final), **kept}
        self.trim()

    def truncate(self, audio_end_ms: int) -> None:
        """Keep the first milliseconds: their audio, and the words in them, which no transcript shows from now on."""
        keep = audio_end_ms * self.format.rate // 1000 * self.format.bytes_per_sample
        del self._audio[keep:]
        self._audio_bytes = min(self._audio_bytes, keep)
        self.truncated = True
        heard = (text for text, heard_at in self._words if heard_at <= audio_end_ms / 1000)
        self.unshown_transcript = "".join(heard).strip()
        self.shown["content"] = [{"type": "output_audio", "transcript": None}]

    def tokens(self) -> InputTokens:
        """Return what the item counts as input: its audio where it has any, else its words; and its images."""
        images = sum(image_tokens(part.get("detail", "auto")) for part in self.parts if part["type"] == "input_image")
        texts = [part["text"] for part in self.parts if "text" in part]
        if self.has_audio:
            rate = USER_AUDIO_TOKENS_PER_SECOND if self.role == "user" else AUDIO_TOKENS_PER_SECOND
            return InputTokens(sum(map(text_tokens, texts)), round(self.seconds * rate), images)
        fields = (self.shown.get(key, "") for key in ("name", "arguments", "output"))
        return InputTokens(sum(text_tokens(each) for each in (self.text, *fields)), 0, images)

    def with_audio(self) -> dict[str, Any]:
        """Return the item with its audio in base64; without it where it is too long for one frame."""
        shown: dict[str, Any] = copy_tree(self.shown)
        if 0 < self._audio_bytes == len(self._audio):
            for part in shown.get("content", ()):
                if part["type"] in ("input_audio", "output_audio"):
                    part["audio"] = encode_base64(bytes(self._audio))
                    break
        return shown


class ItemList:
    """The items of a conversation in order. Its methods return the events to send."""

    def __init__(self) -> None:
        self._items: dict[str, StoredItem] = {}
        self._order: list[str] = []

    def __iter__(self) -> Iterator[StoredItem]:
        return iter([self._items[item_id] for item_id in self._order])

    def __contains__(self, item_id: object) -> bool:
        return isinstance(item_id, str) and item_id in self._items

    @property
    def has_assistant_audio(self) -> bool:
        """Return whether the conversation holds assistant audio, which fixes the voice."""
        return any(item.has_audio and item.role == "assistant" for item in self)

    @property
    def call_ids(self) -> set[str]:
        """Return the call ids of the function calls in the conversation."""
        return {item.shown["call_id"] for item in self if item.shown["type"] == "function_call"}

    @property
    def last(self) -> str | None:
        """Return the id of the last item."""
        return self._order[-1] if self._order else None

    def find(self, item_id: Any, verb: str, param: str = "item_id") -> StoredItem:
        """Return the item of an id, or raise `InvalidRequest`; `verb` and `param` are for the message."""
        if item_id not in self:
            raise error_events.unknown_item(verb, item_id, param)
        return self._items[item_id]

    def insert(self, item: StoredItem, after: str | None = None) -> dict[str, Any]:
        """Put an item at the end, after another, or first (``"root"``); return its event."""
        index = len(self._order) if after is None else 0 if after == _FIRST else self._order.index(after) + 1
        self._order.insert(index, item.id)
        self._items[item.id] = item
        return self._event(Kind.ITEM_ADDED, item)

    def done(self, item: StoredItem) -> Events:
        """Return the event of a finished item; none if the client deleted it meanwhile."""
        return [self._event(Kind.ITEM_DONE, item)] if item.id in self else []

    def add(self, item: StoredItem, after: Any = None) -> Events:
        """Add a finished item, at the end or after another; `InvalidRequest` if its id is in use, or there is no other."""
        if item.id in self:
            raise error_events.item_exists(item.id)
        if after is not None and after != _FIRST:
            self.find(after, "create", "previous_item_id")
        return [self.insert(item, after), *self.done(item)]

    def delete(self, event: Mapping[str, Any]) -> Events:
        """Delete an item."""
        item = self._named(event, "delete")
        del self._items[item.id]
        self._order.remove(item.id)
        return [{"type": Kind.ITEM_DELETED.value, "item_id": item.id}]

    def retrieve(self, event: Mapping[str, Any]) -> Events:
        """Show an item with its audio."""
        return [{"type": Kind.ITEM_RETRIEVED.value, "item": self._named(event, "retrieve").with_audio()}]

    def truncate(self, event: Mapping[str, Any]) -> Events:
        """Truncate the audio of an assistant's item, finished or not, to what was heard of it."""
        item = self._named(event, "truncate")
        end, index = event.get("audio_end_ms"), event.get("content_index", 0)
        if end is None:
            raise error_events.missing_parameter(param="audio_end_ms")
        if index:  # there is one content part
            raise error_events.above_maximum("integer", 0, index, "content_index")
        if not item.has_audio or item.role != "assistant":
            raise error_events.not_audio()
        if end > (length := round(item.seconds * 1000)):
            raise error_events.already_shorter(length, end)
        item.truncate(end)
        place = {"item_id": item.id, "content_index": 0, "audio_end_ms": end}
        return [{"type": Kind.ITEM_TRUNCATED.value, **place}]

    def _named(self, event: Mapping[str, Any], verb: str) -> StoredItem:
        return self.find(required(event, "item_id", ""), verb)

    def _event(self, kind: Kind, item: StoredItem) -> dict[str, Any]:
        index = self._order.index(item.id)
        previous = self._order[index - 1] if index else None
        return {"type": kind.value, "previous_item_id": previous, "item": copy_tree(item.shown)}
