"""`ItemOrder`: the items of a conversation in their order, whichever event names one first. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping

from rtnb.conversation.items import DELETED, ContentPart, Item, fill
from rtnb.protocol.events import SENT, Event

_ROOT = "root"
_MOST_CUTS = 100  # a refusal comes soon


class ItemOrder:
    """The items of one conversation.

    An item may be spoken of before it is added: by a commit, or by its transcript. It then stands where it was first
    mentioned, until its addition says where it belongs. ``previous_item_id`` says so, if it names an item that is here, or
    ``"root"`` for the first place. Null says nothing: it is right for the very first item, and open-source servers send it
    with every item.

    Parameters
    ----------
    elsewhere : callable
        ``elsewhere(id)`` returns the item that only a response has named so far; None if there is none.

    Attributes
    ----------
    by_id : dict of str to Item
        In conversation order. A new dict takes its place where the order changes, so that a reader may keep the old one.
    early : dict of str to Item
        Items of remote tools that events have named, whose place is not known yet.
    """

    def __init__(self, elsewhere: Callable[[str], Item | None]) -> None:
        self.by_id: dict[str, Item] = {}
        self.early: dict[str, Item] = {}
        self._elsewhere = elsewhere
        self._cuts: dict[str, tuple[ContentPart, int | None]] = {}
        self._mentioned: set[str] = set()
        self._deleted: set[str] = set()

    def find(self, identifier: str) -> Item | None:
        """Return an item: of the conversation, of a response, or early."""
        return self.by_id.get(identifier) or self._elsewhere(identifier) or self.early.get(identifier)

    def seen(self, event: Event) -> Item | None:
        """Return the item that an event describes, with what it says; None where the event names none."""
        data = event.part("item")
        identifier = data.get("id")
        if not isinstance(identifier, str):
            return None
        item = self.find(identifier) or Item(identifier)
        self.early.pop(identifier, None)
        fill(item, data)
        return item

    def add(self, item: Item, after: object) -> bool:
        """Put an item in its place, by the ``previous_item_id`` of the event that adds it; return whether it is new."""
        new = item.id not in self.by_id
        if new or item.id in self._mentioned:
            self._mentioned.discard(item.id)
            self._deleted.discard(item.id)
            self._put(item, after)
        return new

    def _put(self, item: Item, after: object) -> None:
        here = item.id in self.by_id
        known = isinstance(after, str) and after in self.by_id and after != item.id
        if known and (here or after != next(reversed(self.by_id))):
            order = [each for each in self.by_id.values() if each is not item]
            order.insert(next(place for place, each in enumerate(order, 1) if each.id == after), item)
            self.by_id = {each.id: each for each in order}
        elif after == _ROOT:
            self.by_id = {item.id: item, **{key: each for key, each in self.by_id.items() if key != item.id}}
        else:
            self.by_id[item.id] = item

    def mention(self, identifier: str, after: object = None) -> Item | None:
        """Return the user's spoken item with an id, made if no event has named it yet; None for one that was deleted."""
        item = self.find(identifier) if identifier else self.by_id.get("")
        if item is None and identifier not in self._deleted:
            item = Item(identifier, role="user")
            item.part(0).type = "input_audio"
            self._put(item, after)
            self._mentioned.add(identifier)
        return item

    @property
    def untranscribed(self) -> Item | None:
        """Return the newest spoken item of the user whose transcript is not complete; None if there is none."""
        return next((item for item in reversed(self.by_id.values()) if item.awaits_transcript), None)

    def delete(self, event: Event) -> None:
        """Take the item out of the conversation that an event says is deleted."""
        item = self.by_id.pop(event.item_id, None) or self._elsewhere(event.item_id)
        self._deleted.add(event.item_id)
        if item is not None:
            item.status = DELETED

    def truncate(self, event: Event) -> None:
        """Cut an item where the service says that it was truncated, or where the client asks for it.

        How much was heard is known to the client; a service may refuse to forget the rest, or say nothing.
        """
        item, end = self.find(event.item_id), event.data.get("audio_end_ms")
        if item is not None and isinstance(end, int) and not isinstance(end, bool):
            part = item.part(event.content_index)
            if event.direction == SENT:
                self._cuts[event.event_id] = part, part.heard_ms
                if len(self._cuts) > _MOST_CUTS:
                    del self._cuts[next(iter(self._cuts))]
            part.heard_ms = end

    def refused(self, event_id: object) -> None:
        """Take back the truncation that an error names."""
        if isinstance(event_id, str) and (cut := self._cuts.pop(event_id, None)) is not None:
            part, before = cut
            part.heard_ms = before


def answer_call(output: Item, responses: Iterable[Mapping[str, Item]], others: Mapping[str, Item]) -> None:
    """Give an output to the call that it answers: of those with its call id the first of the newest that has none yet.

    Parameters
    ----------
    output : Item
    responses : iterable of mappings of str to Item
        The items of each response, the newest first.
    others : mapping of str to Item
        Items that perhaps no response has.
    """
    for items in itertools.chain(responses, (others,)):
        calls = [item for item in items.values() if item.type == "function_call" and item.answered_as == output.call_id]
        if calls:
            answered = next((call for call in calls if not call.output), calls[-1])
            for call in calls:
                if (call.name, call.arguments) == (answered.name, answered.arguments):
                    call.output = output.output
            return
