"""What a conversation comes to as the input of a response. An item is counted once, when nothing in it changes any more."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rtnb.service.engines.tasks import Message
from rtnb.service.session.usage import InputTokens

if TYPE_CHECKING:
    from rtnb.service.session.items import StoredItem


@dataclass(frozen=True, slots=True)
class Context:
    """The items that a response sees.

    Attributes
    ----------
    settled : tuple of Message
        What the items say that come first and do not change any more.
    tail : tuple of StoredItem
        The items after them: from the first that may still change, and at least from the latest turn on.
    tokens : InputTokens
        What all of them count.
    """

    settled: tuple[Message, ...]
    tail: tuple[StoredItem, ...]
    tokens: InputTokens

    @classmethod
    def of(cls, items: Sequence[StoredItem]) -> Context:
        """Return the context of a response whose client lists its items."""
        return cls((), tuple(items), sum((item.tokens() for item in items), InputTokens()))

    @property
    def transcribing(self) -> tuple[StoredItem, ...]:
        """Return the items whose transcripts are still to come."""
        return tuple(item for item in self.tail if item.transcribing)

    @property
    def latest(self) -> StoredItem | None:
        """Return the latest turn: what was said or returned last, whatever the system said after it."""
        return next((item for item in reversed(self.tail) if item.is_turn), None)

    def history(self, besides: StoredItem | None = None) -> tuple[Message, ...]:
        """Return what the items say now, oldest first, `besides` one of the tail."""
        rest = (message for item in self.tail if item is not besides for message in item.messages())
        return (*self.settled, *rest)


@dataclass(frozen=True, slots=True)
class _Sum:
    """What the first so many items come to."""

    tokens: InputTokens
    messages: int
    voices: int  # items with assistant audio


class Tally:
    """The sums over the front of a conversation, one for each item that does not change any more.

    An answer costs no more for what was said long before it: the sum of the tokens, and the messages, are there.
    """

    def __init__(self) -> None:
        self._sums = [_Sum(InputTokens(), 0, 0)]
        self._messages: list[Message] = []
        self._known: tuple[int, int, Context] | None = None  # the latest context, with its first item and their number

    def forget(self, index: int) -> None:
        """Drop the sums from an item on: it, or one before it, has changed or gone."""
        self._known = None
        if index < len(self._sums) - 1:
            del self._sums[index + 1 :]
            del self._messages[self._sums[-1].messages :]

    def has_voice(self, items: Sequence[StoredItem]) -> bool:
        """Return whether assistant audio is among the items."""
        counted = self._count(items)
        return self._sums[counted].voices > 0 or any(item.is_voice for item in items[counted:])

    def context(self, items: Sequence[StoredItem], first: int = 0) -> Context:
        """Return the context of the items from number `first` on."""
        counted = max(first, self._count(items))
        if self._known is not None and self._known[:2] == (first, len(items)):
            return self._known[2]
        tail = next((index for index in range(len(items) - 1, first - 1, -1) if items[index].is_turn), counted)
        tail = min(tail, counted)
        until, begin = self._sum(tail), self._sum(first)
        tokens = sum((item.tokens() for item in items[counted:]), self._sum(counted).tokens - begin.tokens)
        settled = tuple(self._messages[begin.messages : until.messages])
        found = Context(settled, tuple(items[tail:]), tokens)
        if counted == len(items):
            self._known = (first, len(items), found)
        return found

    def first_within(self, items: Sequence[StoredItem], most: int) -> int:
        """Return the number of the first item from which on the items count at most so many tokens."""
        counted = self._count(items)
        for index in range(len(items), counted, -1):
            most -= items[index - 1].tokens().total
            if most < 0:
                return index
        spare = self._sums[counted].tokens.total - most  # tokens to be left out
        return bisect_left(self._sums, spare, hi=counted, key=lambda each: each.tokens.total)

    def _sum(self, index: int) -> _Sum:
        return self._sums[min(index, len(self._sums) - 1)]

    def _count(self, items: Sequence[StoredItem]) -> int:
        """Count the items that are complete by now; return how many are counted, which are the first ones."""
        while (done := len(self._sums) - 1) < len(items) and not items[done].is_changing:
            item, before = items[done], self._sums[-1]
            self._messages += item.messages()
            self._sums.append(_Sum(before.tokens + item.tokens(), len(self._messages), before.voices + item.is_voice))
        return done
