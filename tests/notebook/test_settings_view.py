"""The settings of a session in fields: what is in effect is shown, what is asked for is told once, refusals are words."""

from __future__ import annotations

import asyncio
from typing import Any

import fake_comm
import pytest
from scripted import Script, error, open_session

from rtnb.client.async_session import AsyncSession
from rtnb.notebook.settings_view import DETECTED, MANUAL, PUSH, SettingsView, turn_detection, turn_mode


@pytest.fixture(autouse=True)
def wire(monkeypatch: pytest.MonkeyPatch) -> fake_comm.Wire:
    return fake_comm.connected(monkeypatch)


async def opened(dialect: str = "ga", **quirks: Any) -> tuple[AsyncSession, Script, SettingsView]:
    session, service = await open_session(dialect, **quirks)
    return session, service, SettingsView(session)


async def applied(view: SettingsView) -> None:
    view.apply()
    assert view._applying is not None
    await asyncio.wait([asyncio.wrap_future(view._applying)])
    view.refresh()


@pytest.mark.parametrize("dialect", ["ga", "preview"])
async def test_changes_are_asked_for_and_shown(dialect: str) -> None:
    """Only what was changed is sent, in the session's dialect; then it is in effect, here and in the session."""
    session, service, view = await opened(dialect)
    assert (view.fields["voice"].value, view.fields["instructions"].value) == ("verse", "Be kind.")
    view.fields["instructions"].value = "Answer in one word."
    assert view.changes() == {"instructions": "Answer in one word."}
    await applied(view)
    assert service.types().count("session.update") == 1
    assert session.config["instructions"] == "Answer in one word."
    assert "In effect" in view._status.value
    assert view.changes() == {}


async def test_nothing_changed_asks_nothing() -> None:
    """The button without a change says that there is nothing to do."""
    _, service, view = await opened()
    view.apply()
    view.refresh()
    assert "session.update" not in service.types()
    assert "in effect already" in view._status.value


@pytest.mark.parametrize("dialect", ["ga", "preview"])
async def test_turn_modes(dialect: str) -> None:
    """Detection, detection without an answer, and none at all: each is what the session then has."""
    session, _, view = await opened(dialect)
    assert view.fields["turn_detection"].value == PUSH
    for mode in (MANUAL, DETECTED, PUSH):
        view.fields["turn_detection"].value = mode
        await applied(view)
        assert turn_mode(session.config) == mode
        assert view.fields["turn_detection"].value == mode


def test_a_turn_mode_keeps_the_kind_of_detection() -> None:
    """Semantic detection stays semantic."""
    config = {"audio": {"input": {"turn_detection": {"type": "semantic_vad"}}}}
    assert turn_mode(config) == DETECTED
    assert turn_detection(MANUAL, config) == {"type": "semantic_vad", "create_response": False}


async def test_what_others_change_is_shown_but_not_over_an_edit() -> None:
    """Two views of one session agree; a field that is being edited keeps what was typed."""
    session, _, first = await opened()
    second = SettingsView(session)
    second.fields["voice"].value = "ash"
    first.fields["instructions"].value = "Be brief."
    await applied(first)
    second.refresh()
    assert second.fields["instructions"].value == "Be brief."
    assert second.fields["voice"].value == "ash"


async def test_a_refusal_is_a_banner() -> None:
    """The service's words, and the button can be pressed again."""

    async def refuse(script: Script, heard: dict[str, Any]) -> None:
        await script.say(error("cannot_update_voice", "Cannot <update>.", heard["event_id"]))

    _, _, view = await opened(answers={"session.update": refuse})
    view.fields["voice"].value = "ash"
    await applied(view)
    assert "Cannot &lt;update&gt;." in view._status.value
    assert not view._apply.disabled


async def test_what_is_not_granted_is_said() -> None:
    """A service that keeps its own voice: the field goes back, and both are named."""

    async def ignore(script: Script, heard: dict[str, Any]) -> None:
        await script.update({})

    _, _, view = await opened(answers={"session.update": ignore})
    view.fields["voice"].value = "ash"
    await applied(view)
    assert "Not granted" in view._status.value
    assert "ash" in view._status.value
    assert view.fields["voice"].value == "verse"


async def test_tools_are_listed_escaped() -> None:
    """By name and description, whatever they are called."""
    session, _, view = await opened()
    session.config["tools"] = [{"type": "function", "name": "<b>", "description": "Adds."}]
    view.refresh()
    assert "&lt;b&gt;" in view._tools.value
    assert "Adds." in view._tools.value
