"""Changing settings over a connection, without a session: what is in effect, and which tools the service has."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from scripted import Script, Wire, error, open_requests
from virtual_time import until, virtual_time

from rtnb.client.function_tool import FunctionTool
from rtnb.client.requests import Requests
from rtnb.client.settings import SessionSettings
from rtnb.client.tools import Tools
from rtnb.errors import ConfigurationError, ServerError, SessionClosed

dialects = pytest.mark.parametrize("dialect", ["ga", "preview"])


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


ADD = FunctionTool(add)


async def ready(timeout: float) -> float:
    return timeout


async def settings(
    dialect: str = "ga", told: dict[str, str] | None = None, **quirks: Any
) -> tuple[SessionSettings, Tools, Requests, Script]:
    requests, dial = await open_requests(dialect, **quirks)
    tools = Tools(requests.connection.note_problem)
    made = SessionSettings(requests, tools, ready, told or {})
    made.dial = dial  # type: ignore[attr-defined]  # its tasks live as long
    return made, tools, requests, dial.services[0]


async def refuse(service: Script, heard: Wire) -> None:
    await service.say(error("invalid_value", "No tools here.", heard["event_id"]))


async def stubborn(service: Script, heard: Wire) -> None:
    await service.update({})


@dialects
@virtual_time
async def test_a_change_returns_what_is_in_effect(dialect: str) -> None:
    """In GA's form, whatever the dialect."""
    changes, _, _, service = await settings(dialect)
    configured = await changes.configure({"instructions": "Hi", "voice": "ash"})
    assert configured
    assert configured.config["audio"]["output"]["voice"] == "ash"
    assert service.types() == ["session.update"]


@virtual_time
async def test_what_is_not_granted_is_returned_or_noted() -> None:
    """Returned by configure, noted where the settings are those of the opening; nothing is sent for no settings."""
    changes, _, requests, service = await settings(answers={"session.update": stubborn})
    await changes.apply({})
    assert service.heard == []
    assert not await changes.configure({"voice": "ash"})
    assert requests.connection.problems == []
    await changes.apply({"voice": "ash"})
    (problem,) = requests.connection.problems
    assert problem.startswith("not granted by the service:")


@virtual_time
async def test_changes_are_sent_one_after_the_other() -> None:
    """So that each acknowledgement belongs to its own change."""
    changes, _, _, service = await settings(answers={"session.update": Script.ignore})
    first = asyncio.create_task(changes.configure({"instructions": "one"}))
    second = asyncio.create_task(changes.configure({"instructions": "two"}))
    await until(lambda: service.heard)
    for _ in range(20):
        await asyncio.sleep(0)
    assert len(service.heard) == 1
    await service.update(service.heard[0]["session"])
    assert (await first).config["instructions"] == "one"
    await until(lambda: len(service.heard) == 2)
    await service.update(service.heard[1]["session"])
    assert (await second).config["instructions"] == "two"


@virtual_time
async def test_pending_tools_are_sent_once() -> None:
    """Then they are the service's; what it had before stays."""
    changes, tools, requests, service = await settings()
    tools.add(ADD)
    await changes.send_tools()
    await changes.send_tools()
    assert [tool["name"] for tool in requests.connection.conversation.config["tools"]] == ["add"]
    assert service.types() == ["session.update"]
    assert tools.pending == []


@virtual_time
async def test_refused_tools_are_dropped() -> None:
    """With an error where the call waits, with a problem where it cannot."""
    changes, tools, requests, _ = await settings(answers={"session.update": refuse})
    with pytest.raises(ServerError, match="No tools here"):
        await changes.add_tool(ADD)
    assert tools.pending == []
    tools.add(ADD)
    changes.start_sending_tools()
    await until(lambda: requests.connection.problems)
    assert requests.connection.problems[0].startswith("the service did not take the tools: ")
    assert tools.pending == []


@virtual_time
async def test_tools_stay_pending_while_the_connection_is_closed() -> None:
    """The service has not refused them."""
    changes, tools, requests, service = await settings()
    service.transport.drop()
    await until(lambda: requests.connection.closed)
    tools.add(ADD)
    problems = len(requests.connection.problems)
    await changes.send_tools()
    assert tools.pending == [ADD]
    assert len(requests.connection.problems) == problems
    with pytest.raises(SessionClosed):
        await changes.configure({"instructions": "x"})


@virtual_time
async def test_a_wrong_word_is_refused_before_anything_is_sent() -> None:
    """With the corrected form."""
    changes, _, _, service = await settings()
    with pytest.raises(ConfigurationError, match="voice="):
        await changes.configure({"voise": "ash"})
    assert service.heard == []


@virtual_time
async def test_what_is_granted_and_not_imitated_is_said() -> None:
    """With what happens instead; it is granted all the same, and what was not asked for is not told."""
    changes, _, _, _ = await settings(told={"tracing": "no trace is written", "prompt": "none is stored"})
    configured = await changes.configure({"tracing": "auto", "instructions": "Hi"})
    assert configured
    assert configured.not_imitated == {"tracing": "no trace is written"}
    assert repr(configured) == (
        "<Configured: everything asked for was granted; not imitated here: tracing (no trace is written)>"
    )
    assert "not imitated here: tracing" in configured._repr_mimebundle_()["text/html"]


@virtual_time
async def test_what_is_not_granted_is_not_reported_twice() -> None:
    """A setting that the service refused is not also one that it does not imitate."""
    changes, _, _, _ = await settings(told={"tracing": "no trace is written"}, answers={"session.update": stubborn})
    configured = await changes.configure({"tracing": "auto"})
    assert set(configured.not_granted) == {"tracing"}
    assert configured.not_imitated == {}
