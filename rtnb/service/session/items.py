"""The conversation as the service holds it: items in their order, and what is done to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rtnb.protocol.config import copy_tree
from rtnb.protocol.names import Kind
from rtnb.service.session import refusals
from rtnb.service.session.held_item import HeldItem

FIRST = "root"


class ItemList:
    """The items of a conversation, in order. Its commands return the events that answer them."""

    def __init__(self) -> None:
        self._items: dict[str, HeldItem] = {}
        self._order: list[str] = []

    def __iter__(self) -> Iterator[HeldItem]:
        return iter([self._items[item_id] for item_id in self._order])

    def __len__(self) -> int:
        return len(self._order)

    def __contains__(self, item_id: object) -> bool:
        return isinstance(item_id, str) and item_id in self._items

    @property
    def heard_audio(self) -> bool:
        """Return whether the conversation holds assistant audio."""
        return any(held.sounds and held.role == "assistant" for held in self)

    @property
    def last(self) -> str | None:
        """Return the id of the last item."""
        return self._order[-1] if self._order else None

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

    def join(self, held: HeldItem, after: Any = None) -> list[dict[str, Any]]:
        """Add a finished item, at the end or after another; return the events that tell so.

        Raises
        ------
        Refusal
            There is one of that id, or none to put it after.
        """
        if held.id in self:
            raise refusals.Refusal("invalid_value", f"An item with id '{held.id}' exists already.", "item.id")
        if after is not None and after != FIRST and after not in self:
            raise refusals.unknown_item("create", after, "previous_item_id")
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
        if not held.sounds or held.role != "assistant":
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
