"""Watching a running call (``call_id=``), against a scripted service, in virtual time."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from scripted import Ladder, Script, Wire, error
from session_kinds import open_kind
from virtual_time import until, virtual_time

from rtnb.client.endpoint import resolve
from rtnb.client.handshake import CALL_SECONDS
from rtnb.client.options import ConnectOptions
from rtnb.client.session_kind import check_joining
from rtnb.client.transport import Closed
from rtnb.errors import ConfigurationError, ConnectError
from rtnb.protocol.events import Event

URL = "ws://127.0.0.1:1/v1/realtime?call_id=rtc_1"


class Call(Script):
    """A running call: it says `first`, not session.created, and then what is usual; with `ends`, it closes instead."""

    def __init__(self, transport: Any, first: list[Wire] | None = None, ends: bool = False) -> None:
        super().__init__(transport)
        self.first, self.ends = first or [], ends

    async def run(self) -> None:
        try:
            await self.say(*self.first)
            if self.ends:
                return await self.transport.close(4004, "no such call")
            while True:
                heard = json.loads(await self.transport.receive())
                self.heard.append(heard)
                await (self.answers.get(heard["type"]) or Script.usual)(self, heard)
        except Closed as closed:
            self.closed = closed


@virtual_time
async def test_a_call_in_which_nothing_is_said_is_open_after_a_moment() -> None:
    """session.created may never come; nothing is configured."""
    began = asyncio.get_running_loop().time()
    session, call = await open_kind(Call, URL, call_id="rtc_1")
    assert session.state == "open"
    assert asyncio.get_running_loop().time() - began == pytest.approx(CALL_SECONDS)
    assert call.heard == []
    assert "watching call rtc_1" in repr(session)
    assert "unknown" not in repr(session)
    assert "watching call rtc_1" in session._repr_mimebundle_()["text/html"]


@virtual_time
async def test_the_first_event_of_any_kind_opens_it_at_once() -> None:
    """The answer that is being spoken, say; session.created, where it does come, tells of model and voice."""
    began = asyncio.get_running_loop().time()
    turn = Ladder("ga").speech_turn(["Hi"], [bytes(4800)])
    session, call = await open_kind(lambda transport: Call(transport, turn[:4]), URL, call_id="rtc_1")
    assert asyncio.get_running_loop().time() == began
    await call.say(*turn[4:])
    await until(lambda: session.responses and session.responses[0].done)
    assert session.responses[0].transcript == "Hi"
    created = {"type": "session.created", "session": {"id": "sess_9", "type": "realtime", "model": "gpt-realtime"}}
    told, _ = await open_kind(lambda transport: Call(transport, [created]), URL, call_id="rtc_1")
    assert "watching call rtc_1, model gpt-realtime" in repr(told)


@virtual_time
async def test_events_listeners_and_commands_work() -> None:
    """As in any other session."""
    session, call = await open_kind(Call, URL, call_id="rtc_1")
    seen: list[Event] = []
    session.on("response.done", seen.append)
    answer = await session.ask("Tell the caller to wait.")
    assert answer.transcript == "Of course!"
    await until(lambda: seen)
    await session.send({"type": "output_audio_buffer.clear"})
    await until(lambda: call.types()[-1] == "output_audio_buffer.clear")
    await session.close()
    await until(lambda: call.closed is not None)


@virtual_time
async def test_a_call_that_is_not_there_is_a_connect_error() -> None:
    """With what the service said before it closed."""
    said = error("call_id_not_found", "No call with this id.")
    with pytest.raises(ConnectError, match="call_id_not_found"):
        await open_kind(lambda transport: Call(transport, [said], ends=True), URL, call_id="rtc_1")


@virtual_time
async def test_joining_again_configures_nothing_either() -> None:
    """A call that goes on has kept everything."""
    calls: list[Call] = []

    def join(transport: Any) -> Call:
        calls.append(Call(transport))
        return calls[-1]

    session, call = await open_kind(join, URL, call_id="rtc_1")
    await session.ask("Hello")
    call.transport.drop()
    await until(lambda: session.closed is not None)
    await session.resume()
    assert session.state == "open"
    assert [len(each.heard) for each in calls] == [2, 0]


@pytest.mark.parametrize("given", [{"model": "gpt-realtime"}, {"voice": "ash"}, {"tools": []}])
def test_what_only_a_new_session_has_is_refused(given: Wire) -> None:
    """A running call has its model and its settings."""
    with pytest.raises(ConfigurationError, match=rf"{next(iter(given))}= has no place beside call_id="):
        check_joining("rtc_1", given)
    check_joining("", given)
    check_joining("rtc_1", {"model": None})


def test_the_url_names_the_call_and_no_model() -> None:
    """At OpenAI, on Azure, and at a URL that is given; nothing about a deployment is asked."""
    key = {"api_key": "sk-0123456789abcdef"}
    place, _ = resolve(ConnectOptions("openai", call_id="rtc_1", **key), {})
    assert (place.url, place.call_id) == ("wss://api.openai.com/v1/realtime?call_id=rtc_1", "rtc_1")
    place, _ = resolve(ConnectOptions("azure", endpoint="https://n.openai.azure.com", call_id="rtc_1", **key), {})
    assert place.url == "wss://n.openai.azure.com/openai/v1/realtime?call_id=rtc_1"
    place, _ = resolve(ConnectOptions(URL), {})
    assert (place.url, place.call_id) == (URL, "rtc_1")
