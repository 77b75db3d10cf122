"""Following the events of a connection, without a session: streams, waits, listeners, and what a reconnect means to them."""

from __future__ import annotations

import asyncio

import pytest
from scripted import Here, open_requests
from virtual_time import until, virtual_time

from rtnb.client.requests import Requests
from rtnb.client.subscriptions import Subscriptions
from rtnb.errors import ResponseTimeout, SessionClosed


async def open_subscriptions() -> tuple[Subscriptions, Requests, list[bool]]:
    """Return subscriptions whose connection is said to come back as often as the list has it."""
    requests, dial = await open_requests()
    comes_back: list[bool] = []

    async def settled() -> bool:
        return comes_back.pop(0) if comes_back else False

    subscriptions = Subscriptions(requests, settled, Here())  # type: ignore[arg-type]
    subscriptions.dial = dial  # type: ignore[attr-defined]  # its tasks live as long
    return subscriptions, requests, comes_back


@virtual_time
async def test_a_stream_begins_where_the_last_one_was_dropped() -> None:
    """Nothing between two loops is missed or seen twice; `since` begins elsewhere."""
    subscriptions, requests, _ = await open_subscriptions()
    await requests.clear()
    await requests.clear()
    seen = []
    for _ in range(2):
        async for event in subscriptions.stream("input_audio_buffer.cleared", None):
            seen.append(event.seq)
            break
    assert seen == sorted(set(seen))
    assert [(await anext(subscriptions.stream("*", 0))).seq for _ in range(2)] == [0, 0]
    assert (await anext(subscriptions.stream("*", requests.connection.timeline[0]))).seq > 0


@virtual_time
async def test_a_wait_is_bounded_and_marks_what_it_saw() -> None:
    """The next wait begins behind it."""
    subscriptions, requests, _ = await open_subscriptions()
    await requests.clear()
    assert (await subscriptions.wait_for("input_audio_buffer.cleared", 5.0)).kind == "input_audio_buffer.cleared"
    with pytest.raises(ResponseTimeout, match=r"No input_audio_buffer\.cleared within 5\.00 s"):
        await subscriptions.wait_for("input_audio_buffer.cleared", 5.0)
    with pytest.raises(ResponseTimeout, match="event that the predicate accepts"):
        await subscriptions.wait_for(lambda event: False, 5.0)


@virtual_time
async def test_at_the_end_a_stream_stops_and_a_wait_raises() -> None:
    """A broken connection raises in the stream, too, after its last event."""
    for close, raises in ((1000, False), (1011, True)):
        subscriptions, requests, _ = await open_subscriptions()
        await requests.connection.close(close, "over")
        seen = []
        try:
            async for event in subscriptions.stream("*", 0):
                seen.append(event.type)
        except SessionClosed:
            assert raises
        else:
            assert not raises
        assert seen == ["session.created", "close"]
        with pytest.raises(SessionClosed):
            await subscriptions.wait_for("x", 5.0)


@virtual_time
async def test_a_stream_looks_again_after_a_reconnect() -> None:
    """For as long as the session comes back."""
    subscriptions, requests, comes_back = await open_subscriptions()
    await requests.connection.close(1000)
    comes_back += [True, True]
    assert [event async for event in subscriptions.stream("x", 0)] == []
    assert comes_back == []


@virtual_time
async def test_a_listener_for_open_is_called_at_once_while_the_session_is_open() -> None:
    """After the close there is nothing to call it for."""
    subscriptions, requests, _ = await open_subscriptions()
    heard: list[str] = []
    subscriptions.add("open", lambda event: heard.append("open"))
    subscriptions.add("*", lambda event: heard.append("once"), once=True)
    await requests.clear()
    await requests.connection.close(1000)
    subscriptions.add("open", lambda event: heard.append("late"))
    requests.connection.listeners.join(10)
    assert "open" in heard
    assert heard.count("once") == 1
    assert "late" not in heard


async def test_streams_of_one_connection_are_independent() -> None:
    """Each sees every event."""
    subscriptions, requests, _ = await open_subscriptions()
    streams = [subscriptions.stream("input_audio_buffer.cleared", 0) for _ in range(3)]
    waiting = [asyncio.ensure_future(anext(stream)) for stream in streams]
    await requests.clear()
    await until(lambda: all(each.done() for each in waiting))
    assert len({each.result().seq for each in waiting}) == 1
