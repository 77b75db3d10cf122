"""What waits for an event, and whom an error is for."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rtnb.client.waiters import Waiter, Waiters
from rtnb.errors import ServerError, SessionClosed
from rtnb.protocol.events import Event


def event(type: str, **fields: Any) -> Event:
    return Event.parse(json.dumps({"type": type, **fields}).encode())


async def test_a_watch_takes_the_first_event_that_it_accepts() -> None:
    """And sees none after it."""
    waiters = Waiters()
    waiter = waiters.add(Waiter(lambda each: each.type == "b"))
    first = event("b", n=1)
    for each in (event("a"), first, event("b", n=2)):
        waiters.offer(each)
    assert await waiter.future is first


async def test_every_watch_sees_every_event() -> None:
    """None takes it from another."""
    waiters = Waiters()
    waiting = [waiters.add(Waiter(lambda each: True)) for _ in range(3)]
    waiters.offer(event("a"))
    assert all(waiter.future.done() for waiter in waiting)


async def test_an_error_reaches_exactly_the_call_that_it_names() -> None:
    """The others go on waiting."""
    waiters = Waiters()
    mine = waiters.add(Waiter(lambda each: False, ["event_1", "event_2"]))
    other = waiters.add(Waiter(lambda each: False, ["event_3"]))
    assert waiters.offer(event("error", error={"code": "c", "message": "m", "event_id": "event_2"}))
    with pytest.raises(ServerError) as caught:
        await mine.future
    assert caught.value.event_id == "event_2"
    assert not other.future.done()


@pytest.mark.parametrize("named", [None, "event_9", 7, [], {}, ["event_1"]])
async def test_an_error_that_names_nobody_is_nobodys(named: Any) -> None:
    """Whatever stands where the id ought to be."""
    waiters = Waiters()
    waiter = waiters.add(Waiter(lambda each: False, ["event_1"]))
    assert not waiters.offer(event("error", error={"event_id": named}))
    assert not waiter.future.done()


async def test_the_end_fails_all_who_wait_and_all_who_come() -> None:
    """With the same truth."""
    waiters = Waiters()
    before = waiters.add(Waiter(lambda each: True))
    waiters.fail(SessionClosed("over", code=1006))
    for waiter in (before, waiters.add(Waiter(lambda each: True))):
        with pytest.raises(SessionClosed, match="over"):
            await waiter.future


async def test_a_discarded_watch_sees_nothing() -> None:
    """Twice does no harm."""
    waiters = Waiters()
    waiter = waiters.add(Waiter(lambda each: True))
    waiters.discard(waiter)
    waiters.discard(waiter)
    waiters.offer(event("a"))
    assert not waiter.future.done()
