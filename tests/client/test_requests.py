"""Requests over a connection, without a session: what each sends, and which event acknowledges it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scripted import Script, Wire, error, open_requests
from virtual_time import until, virtual_time

from rtnb.errors import ResponseTimeout, ServerError, SessionClosed
from rtnb.protocol import commands
from rtnb.protocol.names import Kind

dialects = pytest.mark.parametrize("dialect", ["ga", "preview"])


@dialects
@virtual_time
async def test_each_request_returns_what_its_acknowledgement_says(dialect: str) -> None:
    """In either dialect, by the event that names the very item."""
    requests, dial = await open_requests(dialect)
    item = await requests.add_message("Hello", "user")
    assert (item.role, item.text) == ("user", "Hello")
    assert await requests.append_audio((np.zeros(4800, np.int16), 24_000)) == pytest.approx(0.2)
    assert await requests.commit() == "item_spoken"
    await requests.clear()
    await requests.truncate(item.id, 10)
    await requests.delete(item.id)
    assert dial.services[0].types() == [
        "conversation.item.create",
        *["input_audio_buffer.append"] * 2,
        "input_audio_buffer.commit",
        "input_audio_buffer.clear",
        "conversation.item.truncate",
        "conversation.item.delete",
    ]


@virtual_time
async def test_a_refusal_raises_in_the_request_that_it_names() -> None:
    """And in no other."""

    async def refuse(service: Script, heard: Wire) -> None:
        await service.say(error("invalid_value", "No.", "event_other"), error("empty", "Empty.", heard["event_id"]))

    requests, _ = await open_requests(answers={"input_audio_buffer.commit": refuse})
    with pytest.raises(ServerError, match="Empty"):
        await requests.commit()


@virtual_time
async def test_a_missing_acknowledgement_times_out_and_says_what_was_awaited() -> None:
    """With the last error that the service sent; the connection stays open."""

    async def mumble(service: Script, heard: Wire) -> None:
        await service.say(error("odd", "Something else."))

    requests, _ = await open_requests(timeout=3.0, answers={"input_audio_buffer.clear": mumble})
    with pytest.raises(
        ResponseTimeout, match=r"No input_audio_buffer\.cleared within 3\.00 s.*odd: Something"
    ) as caught:
        await requests.clear()
    assert (caught.value.waited_for, caught.value.timeout) == ("input_audio_buffer.cleared", 3.0)
    assert await requests.commit()


@virtual_time
async def test_what_comes_before_a_request_is_sent_before_it() -> None:
    """In order, and only the request itself has to be acknowledged."""
    requests, dial = await open_requests()
    said = [commands.append_audio(bytes(2)), commands.append_audio(bytes(4))]
    await requests.acknowledged(commands.commit(), Kind.INPUT_COMMITTED, before=said)
    assert dial.services[0].types() == ["input_audio_buffer.append"] * 2 + ["input_audio_buffer.commit"]


@virtual_time
async def test_a_request_on_a_closed_connection_raises_how_it_ended() -> None:
    """At once, and during the wait."""
    requests, dial = await open_requests(answers={"input_audio_buffer.commit": drop})
    for _ in range(2):
        with pytest.raises(SessionClosed, match="without a closing frame"):
            await requests.commit()
    assert dial.services[0].types() == ["input_audio_buffer.commit"]


async def drop(service: Script, heard: Wire) -> None:
    service.transport.drop()


@pytest.mark.parametrize(("given", "wire"), [({"type": "x"}, "x"), (b'{"type":"y"}', "y"), ('{"type":"z"}', "z")])
@virtual_time
async def test_anything_can_be_sent_as_it_is(given: Any, wire: str) -> None:
    """An object gets an event id, bytes and text go unchanged."""
    requests, dial = await open_requests()
    event_id = await requests.send(given)
    await until(lambda: dial.services[0].heard)
    heard = dial.services[0].heard[0]
    assert heard["type"] == wire
    assert heard.get("event_id", "") == event_id
    assert bool(event_id) == isinstance(given, dict)
