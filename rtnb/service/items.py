"""The conversation as the service holds it: items in their order, and what is done to them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rtnb.audio.formats import PCM16, AudioFormat
from rtnb.protocol.config import copy_tree
from rtnb.protocol.events import encode_base64
from rtnb.protocol.names import Kind
from rtnb.service import refusals
from rtnb.service.usage import AUDIO_TOKENS_PER_SECOND, text_tokens

FIRST = "root"
_RETRIEVED_AUDIO = 640_000  # bytes; more would make a frame of 1 MiB in base64


@dataclass(slots=True)
class HeldItem:
    """An item and the sound that belongs to it.

    Attributes
    ----------
    item : dict
        GA's form, without audio.
    audio : bytearray
        What was said, encoded as `format`.
    truncated : bool
        Whether a client cut it: then nothing is added any more.
    """

    item: dict[str, Any]
    audio: bytearray = field(default_factory=bytearray)
    format: AudioFormat = PCM16
    truncated: bool = False

    @property
    def id(self) -> str:
        """Return the item's id."""
        return str(self.item["id"])

    @property
    def role(self) -> str:
        """Return the role of a message, else nothing."""
        return str(self.item.get("role", ""))

    @property
    def text(self) -> str:
        """Return the item's words: texts and transcripts."""
        parts = self.item.get("content", ())
        return " ".join(filter(None, (part.get("text") or part.get("transcript") for part in parts)))

    @property
    def audio_ms(self) -> int:
        """Return how long its sound is, in whole milliseconds."""
        return round(self.format.duration(len(self.audio)) * 1000)

    def say(self, audio: bytes) -> None:
        """Add sound, unless the client cut the item."""
        if not self.truncated:
            self.audio += audio

    def settle(self, final: Mapping[str, Any]) -> None:
        """Take over the finished item; a truncated one keeps what the cut left of it."""
        content = self.item["content"] if self.truncated else copy_tree(final["content"])
        self.item = {**final, "content": content}

    def cut(self, audio_end_ms: int) -> None:
        """Keep the first milliseconds of the sound, and drop the transcript, which says more than was heard."""
        keep = audio_end_ms * self.format.rate // 1000 * self.format.bytes_per_sample
        del self.audio[keep:]
        self.truncated = True
        self.item["content"] = [{"type": "output_audio", "transcript": None}]

    def tokens(self) -> tuple[int, int]:
        """Return (text tokens, audio tokens) that the item counts as input."""
        if self.audio or self.truncated:
            return 0, round(self.audio_ms * AUDIO_TOKENS_PER_SECOND / 1000)
        words = (self.text, self.item.get("name", ""), self.item.get("arguments", ""), self.item.get("output", ""))
        return sum(text_tokens(each) for each in words), 0

    def with_audio(self) -> dict[str, Any]:
        """Return the item with its sound in base64, left out where it is too long for one frame."""
        shown: dict[str, Any] = copy_tree(self.item)
        if self.audio and len(self.audio) <= _RETRIEVED_AUDIO:
            shown["content"][0]["audio"] = encode_base64(bytes(self.audio))
        return shown


class ItemList:
    """The items of a conversation, in order. Its commands return the events that answer them."""

    def __init__(self) -> None:
        self._items: dict[str, HeldItem] = {}
        self._order: list[str] = []

    def __iter__(self) -> Any:
        return iter([self._items[item_id] for item_id in self._order])

    def __len__(self) -> int:
        return len(self._order)

    def __contains__(self, item_id: object) -> bool:
        return isinstance(item_id, str) and item_id in self._items

    @property
    def heard_audio(self) -> bool:
        """Return whether the conversation holds assistant audio."""
        return any(held.audio for held in self)

    def get(self, item_id: Any) -> HeldItem | None:
        """Return an item, or None where there is none of that id."""
        return self._items.get(item_id) if isinstance(item_id, str) else None

    def previous(self, item_id: str) -> str | None:
        """Return the id of the item before."""
        index = self._order.index(item_id)
        return self._order[index - 1] if index else None

    def added(self, held: HeldItem, after: str | None = None) -> dict[str, Any]:
        """Put an item at the end, after another, or first (``"root"``); return the event that tells so."""
        index = len(self._order) if after is None else 0 if after == FIRST else self._order.index(after) + 1
        self._order.insert(index, held.id)
        self._items[held.id] = held
        return self._told(Kind.ITEM_ADDED, held)

    def done(self, held: HeldItem) -> list[dict[str, Any]]:
        """Return the event of a finished item; none where the client deleted it meanwhile."""
        return [self._told(Kind.ITEM_DONE, held)] if held.id in self else []

    def _told(self, kind: Kind, held: HeldItem) -> dict[str, Any]:
        return {"type": kind.value, "previous_item_id": self.previous(held.id), "item": copy_tree(held.item)}

    def create(self, event: Mapping[str, Any], read: Callable[[Any, str], dict[str, Any]]) -> list[dict[str, Any]]:
        """Add a client's item; `read` checks it and completes it."""
        item = read(event.get("item"), "item")
        after = event.get("previous_item_id")
        if item["id"] in self:
            raise refusals.Refusal("invalid_value", f"An item with id '{item['id']}' exists already.", "item.id")
        if after is not None and after != FIRST and after not in self:
            raise refusals.unknown_item("create", after, "previous_item_id")
        held = HeldItem(item)
        return [self.added(held, after), *self.done(held)]

    def calls(self) -> set[str]:
        """Return the call ids of the function calls that it holds."""
        return {held.item["call_id"] for held in self if held.item["type"] == "function_call"}

    def delete(self, event: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Take an item out."""
        held = self._named(event, "delete")
        del self._items[held.id]
        self._order.remove(held.id)
        return [{"type": Kind.ITEM_DELETED.value, "item_id": held.id}]

    def retrieve(self, event: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Show an item with its sound."""
        held = self._named(event, "retrieve")
        return [{"type": Kind.ITEM_RETRIEVED.value, "item": held.with_audio()}]

    def truncate(self, event: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Cut an assistant item's sound at what was heard of it; it may still be speaking."""
        held = self._named(event, "truncate")
        end, index = event.get("audio_end_ms"), event.get("content_index", 0)
        if isinstance(end, bool) or not isinstance(end, int) or end < 0:
            raise refusals.invalid_type(end, "a whole number of milliseconds, 0 or more", "audio_end_ms")
        if index != 0 or isinstance(index, bool):
            raise refusals.invalid_type(index, "0, the only content part", "content_index")
        if not held.audio:
            raise refusals.not_audio()
        if end > held.audio_ms:
            raise refusals.already_shorter(held.audio_ms, end)
        held.cut(end)
        event = {"item_id": held.id, "content_index": 0, "audio_end_ms": end}
        return [{"type": Kind.ITEM_TRUNCATED.value, **event}]

    def _named(self, event: Mapping[str, Any], verb: str) -> HeldItem:
        if event.get("item_id") is None:
            raise refusals.missing_parameter("item_id")
        held = self.get(event["item_id"])
        if held is None:
            raise refusals.unknown_item(verb, event["item_id"])
        return held
