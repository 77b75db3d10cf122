"""What waits for an event, and whom an error is for."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rtnb.client.waiters import Watch, Watches
from rtnb.errors import ServerError, SessionClosed
from rtnb.protocol.events import Event


def event(type: str, **fields: Any) -> Event:
    return Event.parse(json.dumps({"type": type, **fields}).encode())


async def test_a_watch_takes_the_first_event_that_it_accepts() -> None:
    """And sees none after it."""
    watches = Watches()
    watch = watches.add(Watch(lambda each: each.type == "b"))
    first = event("b", n=1)
    for each in (event("a"), first, event("b", n=2)):
        watches.offer(each)
    assert await watch.future is first


async def test_every_watch_sees_every_event() -> None:
    """None takes it from another."""
    watches = Watches()
    waiting = [watches.add(Watch(lambda each: True)) for _ in range(3)]
    watches.offer(event("a"))
    assert all(watch.settled for watch in waiting)


async def test_an_error_reaches_exactly_the_call_that_it_names() -> None:
    """The others go on waiting."""
    watches = Watches()
    mine = watches.add(Watch(lambda each: False, ["event_1", "event_2"]))
    other = watches.add(Watch(lambda each: False, ["event_3"]))
    assert watches.offer(event("error", error={"code": "c", "message": "m", "event_id": "event_2"}))
    with pytest.raises(ServerError) as caught:
        await mine.future
    assert caught.value.event_id == "event_2"
    assert not other.settled


@pytest.mark.parametrize("named", [None, "event_9", 7, [], {}, ["event_1"]])
async def test_an_error_that_names_nobody_is_nobodys(named: Any) -> None:
    """Whatever stands where the id ought to be."""
    watches = Watches()
    watch = watches.add(Watch(lambda each: False, ["event_1"]))
    assert not watches.offer(event("error", error={"event_id": named}))
    assert not watch.settled


async def test_the_end_fails_all_who_wait_and_all_who_come() -> None:
    """With the same truth."""
    watches = Watches()
    before = watches.add(Watch(lambda each: True))
    watches.fail(SessionClosed("over", code=1006))
    for watch in (before, watches.add(Watch(lambda each: True))):
        with pytest.raises(SessionClosed, match="over"):
            await watch.future


async def test_a_discarded_watch_sees_nothing() -> None:
    """Twice does no harm."""
    watches = Watches()
    watch = watches.add(Watch(lambda each: True))
    watches.discard(watch)
    watches.discard(watch)
    watches.offer(event("a"))
    assert not watch.settled
