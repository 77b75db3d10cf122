"""`SentImages`: the images of sent messages, for the items that they become; services do not give images back."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rtnb.conversation.items import Item
from rtnb.protocol.events import Event
from rtnb.protocol.images import IMAGE_PART, InputImage, image_of

_WAITING = 100


@dataclass(frozen=True, slots=True)
class _Sent:
    item_id: str
    kinds: tuple[str, ...]
    images: dict[int, InputImage]


class SentImages:
    """The images of messages that were sent and have not become items yet.

    An item is the message with its id; where the service gives an id of its own, the oldest message with the same content
    parts.
    """

    def __init__(self) -> None:
        self._sent: deque[_Sent] = deque(maxlen=_WAITING)

    def take(self, event: Event) -> None:
        """Note the images of a sent ``conversation.item.create``."""
        item = event.part("item")
        kinds, images = _parts(item)
        if images:
            named = item.get("id")
            self._sent.append(_Sent(named if isinstance(named, str) else "", kinds, images))

    def give(self, item: Item, data: Mapping[str, Any]) -> None:
        """Put the images of its message into an item that an event describes by `data`."""
        lacking = [index for index, part in item.content.items() if part.type == IMAGE_PART and part.image is None]
        if not lacking or not self._sent:
            return
        kinds, _ = _parts(data)
        named = [sent for sent in self._sent if sent.item_id == item.id]
        alike = [sent for sent in self._sent if sent.kinds == kinds]
        for sent in (named or alike)[:1]:
            self._sent.remove(sent)
            for index in lacking:
                item.content[index].image = sent.images.get(index)


def _parts(item: Mapping[str, Any]) -> tuple[tuple[str, ...], dict[int, InputImage]]:
    """Return the types of a message's content parts, and its images by their place."""
    content = item.get("content")
    parts = [part for part in (content if isinstance(content, list) else ()) if isinstance(part, Mapping)]
    images = {index: image for index, part in enumerate(parts) if (image := image_of(part)) is not None}
    return tuple(str(part.get("type")) for part in parts), images
