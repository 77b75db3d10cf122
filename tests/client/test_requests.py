"""Requests over a connection, without a session: what each sends, and which event acknowledges it."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest
from scripted import Ladder, Script, Wire, error, open_requests
from virtual_time import until, virtual_time

from rtnb.client.waiters import MOMENT
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
        await service.say(error("odd", "Something else.", "event_of_nobody"))

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


# Acknowledgements that do not come ------------------------------------------------------------------------------------


def now() -> float:
    return asyncio.get_running_loop().time()


@virtual_time
async def test_a_change_of_settings_that_is_never_confirmed_is_taken_to_be_in_effect() -> None:
    """After five seconds, the next time sooner; a row of our own says so, and a confirmation that comes counts."""
    requests, dial = await open_requests(answers={"session.update": Script.ignore})
    connection = requests.connection
    update = commands.session_update({"instructions": "Be brief.", "audio": {"output": {"voice": "ash"}}})
    assert not await requests.update(update)
    assert now() == pytest.approx(5.0)
    assert connection.conversation.config["instructions"] == "Be brief."
    assert connection.conversation.config["audio"]["output"]["voice"] == "ash"
    row = connection.timeline[-1]
    assert (row.kind, row.direction) == ("session.updated", "local")
    assert not await requests.update(update)
    assert now() == pytest.approx(5.0 + MOMENT)
    await dial.services[0].update({})
    await until(lambda: connection.conversation.config["instructions"] == "Be kind.")
    with pytest.raises(ResponseTimeout, match=r"No session\.updated within 30"):
        await requests.update(update)
    assert connection.conversation.config["instructions"] == "Be kind."


@virtual_time
async def test_a_refused_change_of_settings_is_an_error_whether_or_not_the_refusal_names_it() -> None:
    """Soon enough for it not to be taken for silence."""
    for named in (True, False):

        async def refuse(service: Script, heard: Wire, named: bool = named) -> None:
            await service.say(error("invalid_value", "No such voice.", heard["event_id"] if named else None))

        requests, _ = await open_requests(answers={"session.update": refuse})
        with pytest.raises(ServerError, match="No such voice"):
            await requests.update(commands.session_update({"voice": "nobody"}))
        assert requests.connection.problems == []
        assert now() < 2.0


@virtual_time
async def test_an_added_item_of_speech_proves_a_commit() -> None:
    """Some servers send no acknowledgement; another item proves nothing."""

    async def add(service: Script, heard: Wire) -> None:
        for item in (
            {"id": "item_t", "role": "user", "content": [{"type": "input_text", "text": "x"}]},
            {"id": "item_x"},
        ):
            await service.say({"type": "conversation.item.added", "item": item})
        content = [{"type": "input_audio", "transcript": None}]
        item = {"id": "item_spoken", "type": "message", "role": "user", "content": content}
        await service.say({"type": "conversation.item.added", "item": item})

    requests, _ = await open_requests(answers={"input_audio_buffer.commit": add})
    assert await requests.commit() == "item_spoken"


@virtual_time
async def test_a_cancel_with_nothing_in_progress_sends_nothing() -> None:
    """At once; a request that has no response yet may be cancelled, and so may a response that is not known here."""
    requests, dial = await open_requests(answers={"response.create": Script.ignore, "response.cancel": Script.ignore})
    service = dial.services[0]
    await requests.cancel()
    assert service.heard == []
    for sent, name in ((commands.response_create(), None), (None, "resp_unknown")):
        if sent:
            await requests.connection.send(sent)
        task = asyncio.create_task(requests.cancel(name))
        await until(lambda: "response.cancel" in service.types())
        assert not task.done()
        service.heard.clear()
        done = {"id": name or "resp_other", "status": "cancelled"}
        await service.say({"type": "response.done", "response": done})
        await task


@virtual_time
async def test_a_cancel_ends_with_its_response_however_the_end_is_reported() -> None:
    """An end without the response's id is the end of the one in progress; a refusal says that there is none."""

    async def end(service: Script, heard: Wire) -> None:
        await service.say({"type": "response.done", "response": {"status": "cancelled"}})

    async def refuse(service: Script, heard: Wire) -> None:
        await service.say(error("response_cancel_not_active", "No active response.", heard["event_id"]))

    for answer in (end, refuse):
        requests, dial = await open_requests(answers={"response.cancel": answer})
        await dial.services[0].say({"type": "response.created", "response": {"id": "resp_1", "conversation_id": "c"}})
        conversation = requests.connection.conversation
        await until(lambda conversation=conversation: conversation.active)  # type: ignore[misc]
        await requests.cancel()
        assert now() < 2.0

    with pytest.raises(ServerError, match="No active response"):
        await requests.cancel("resp_unknown")

    async def other(service: Script, heard: Wire) -> None:
        await service.say(error("invalid_value", "No.", heard["event_id"]))

    dial.services[0].answers["response.cancel"] = other
    with pytest.raises(ServerError, match="No"):
        await requests.cancel()


@pytest.mark.parametrize("heard_ms", [500, 0])
@virtual_time
async def test_a_cut_that_is_not_confirmed_is_made_here_and_named_once(heard_ms: int) -> None:
    """What was heard is known on this side."""
    silent = dict.fromkeys(("conversation.item.truncate", "conversation.item.delete"), Script.ignore)
    requests, dial = await open_requests(answers=silent)
    connection = requests.connection
    await dial.services[0].say(*Ladder("ga").speech_turn(["one", " two"], [bytes(48_000)]))
    await until(lambda: "item_2" in connection.conversation.items)
    for _ in range(2):
        await requests.cut("item_2", heard_ms)
    item = connection.conversation.items.get("item_2")
    assert (item.heard if item else None) == ("one" if heard_ms else None)
    kinds = {row.kind for row in connection.timeline if row.direction == "local"}
    assert kinds == {"conversation.item.truncated" if heard_ms else "conversation.item.deleted"}
    (problem,) = connection.problems
    assert "did not confirm" in problem


@virtual_time
async def test_an_error_from_before_a_call_is_not_given_as_its_reason() -> None:
    """Nor is one that a call has raised; one that came meanwhile is."""

    async def refuse(service: Script, heard: Wire) -> None:
        await service.say(error("invalid_value", "Settled.", heard["event_id"]))

    requests, dial = await open_requests(timeout=3.0, answers={"input_audio_buffer.commit": refuse})
    service = dial.services[0]
    with pytest.raises(ServerError):
        await requests.commit()
    await service.say(error("odd", "Earlier.", "event_x"))
    await until(lambda: requests.connection.problems)
    service.answers["input_audio_buffer.clear"] = Script.ignore
    with pytest.raises(ResponseTimeout) as caught:
        await requests.clear()
    assert "Settled" not in str(caught.value)
    assert "Earlier" not in str(caught.value)
