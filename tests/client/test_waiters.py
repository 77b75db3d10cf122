"""What waits for an event, and whom an error is for."""

from __future__ import annotations

import json
from typing import Any

import pytest
from virtual_time import pass_time, virtual_time

from rtnb.client.waiters import MOMENT, Waiter, Waiters
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
    refusal = event("error", error={"code": "c", "message": "m", "event_id": "event_2"})
    waiters.offer(refusal)
    assert waiters.raises(refusal)
    with pytest.raises(ServerError) as caught:
        await mine.future
    assert caught.value.event_id == "event_2"
    assert not other.future.done()


@pytest.mark.parametrize("named", ["event_9", 7, [], {}, ["event_1"]])
async def test_an_error_that_names_no_event_belongs_to_no_call(named: Any) -> None:
    """Whatever stands where the id ought to be."""
    waiters = Waiters()
    waiter = waiters.add(Waiter(lambda each: False, ["event_1"]))
    stray = event("error", error={"event_id": named})
    waiters.offer(stray)
    assert not waiters.raises(stray)
    assert waiters.held is None
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


# Errors that name no event --------------------------------------------------------------------------------------------


class Watched(Waiters):
    """Waiters that note which errors were resolved, and how."""

    def __init__(self) -> None:
        self.notes: list[tuple[str, bool]] = []
        super().__init__(lambda event, raised: self.notes.append((event.part("error").get("message", ""), raised)))

    def call(self, name: str = "event_1") -> Waiter:
        return self.add(Waiter(lambda each: each.type == "ack", [name]))


UNNAMED = [{"message": "No."}, {"message": "No.", "event_id": None}, {"message": "No.", "event_id": ""}]


@pytest.mark.parametrize("error", UNNAMED)
@virtual_time
async def test_an_unnamed_error_is_that_of_the_only_call_after_a_moment(error: Any) -> None:
    """Within two seconds; other waits are left alone."""
    waiters = Watched()
    call, watch = waiters.call(), waiters.add(Waiter(lambda each: False))
    waiters.offer(event("error", error=error))
    assert waiters.held is not None
    assert not call.future.done()
    await pass_time(MOMENT)
    with pytest.raises(ServerError, match="No"):
        await call.future
    assert MOMENT < 2.0
    assert (waiters.held, waiters.notes, watch.future.done()) == (None, [("No.", True)], False)


@pytest.mark.parametrize(
    ("then", "raised"),
    [("error", True), ("rate_limits.updated", True), ("conversation.item.added", True), ("conversation.item.done", True),
     ("response.created", False), ("response.output_text.delta", False), ("ack", False)],
)  # fmt: skip
@virtual_time
async def test_what_comes_after_an_unnamed_error_decides_whose_it_is(then: str, raised: bool) -> None:
    """Nobody's, where the service goes on; what the same call has sent before may still be acknowledged."""
    waiters = Watched()
    call = waiters.call()
    waiters.offer(event("error", error={"message": "first"}))
    waiters.offer(event(then))
    await pass_time(2 * MOMENT)
    assert waiters.notes == [("first", raised)]
    assert (isinstance(call.future.exception(), ServerError) if raised else then == "ack") == call.future.done()


@virtual_time
async def test_an_unnamed_error_belongs_to_no_call_where_several_wait_or_none() -> None:
    """Or where the only wait is one that has sent nothing."""
    waiters = Watched()
    waiters.add(Waiter(lambda each: False))
    waiters.offer(event("error"))
    first, second = waiters.call("event_1"), waiters.call("event_2")
    waiters.offer(event("error"))
    assert waiters.held is None
    await pass_time(2 * MOMENT)
    assert not first.future.done()
    assert not second.future.done()


@pytest.mark.parametrize("end", ["discard", "fail", "release"])
@virtual_time
async def test_an_unnamed_error_belongs_to_no_call_once_its_call_waits_no_more(end: str) -> None:
    """Because it gave up, or the connection ended; it is told once."""
    waiters = Watched()
    call = waiters.call()
    waiters.offer(event("error", error={"message": "No."}))
    if end == "discard":
        waiters.discard(call)
    elif end == "fail":
        waiters.fail(SessionClosed("over"))
    else:
        waiters.release()
    await pass_time(2 * MOMENT)
    assert waiters.notes == [("No.", False)]
    assert not call.future.done() or isinstance(call.future.exception(), SessionClosed)


@virtual_time
async def test_the_waits_of_one_call_are_one_call() -> None:
    """Each fails with the error."""
    waiters = Watched()
    both = [waiters.call(), waiters.call()]
    waiters.offer(event("error", error={"message": "No."}))
    await pass_time(2 * MOMENT)
    assert [str(waiter.future.exception()) for waiter in both] == ["error: No."] * 2


async def test_an_event_is_reported_by_the_call_that_it_settles() -> None:
    """Not by a wait that has sent nothing, and no later event is."""
    waiters = Waiters()
    waiters.add(Waiter(lambda each: True))
    first = event("ack")
    waiters.offer(first)
    assert not waiters.raises(first)
    waiters.add(Waiter(lambda each: each.type == "ack", ["event_1"]))
    waiters.offer(event("other"))
    assert not waiters.raises(event("other"))
    second = event("ack")
    waiters.offer(second)
    assert waiters.raises(second)
    waiters.offer(event("ack"))
    assert not waiters.raises(event("ack"))
