"""The panel of a session: its buttons ask and return, and what it shows is the session's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import fake_comm
import pytest
from scripted import Script, open_session

from rtnb.client.async_session import AsyncSession
from rtnb.errors import SessionClosed
from rtnb.notebook import panel as panel_module
from rtnb.notebook.panel import SessionPanel
from rtnb.notebook.panel_html import banners_html, header_html


@pytest.fixture(autouse=True)
def wire(monkeypatch: pytest.MonkeyPatch) -> fake_comm.Wire:
    return fake_comm.connected(monkeypatch)


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    published: list[dict[str, Any]] = []
    monkeypatch.setattr(
        "IPython.display.publish_display_data", lambda data, **options: published.append({"data": data, **options})
    )
    return published


async def opened(**quirks: Any) -> tuple[AsyncSession, Script, SessionPanel]:
    session, service = await open_session(**quirks)
    return session, service, SessionPanel(session)


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0)


async def test_a_text_turn(wire: fake_comm.Wire) -> None:
    """The text goes out and the page is told that it was taken; the answer is in the conversation, with its figures."""
    session, _, panel = await opened()
    wire.say(panel.composer, send="Hello?", number=1, by="page")
    assert {"taken": 1, "by": "page"} in wire.sent
    await until(lambda: session.responses and session.responses[-1].done)
    panel.conversation.refresh()
    panel.refresh()
    assert [turn["text"] for turn in panel.conversation.turns] == ["Hello?", "Of course!"]
    assert "82" in panel._figures.value
    assert panel._banners.value == ""


async def test_stop_stops_the_answer(wire: fake_comm.Wire) -> None:
    """While an answer is on its way there is something to stop, and the button cancels it."""
    session, service, panel = await opened(holds=True)
    wire.say(panel.composer, send="Hello?")
    await until(lambda: session.conversation.active)
    panel.refresh()
    assert panel.composer.active
    wire.say(panel.composer, stop="")
    await until(lambda: session.responses[-1].status == "cancelled")
    await until(lambda: panel._asked is not None and panel._asked.done)
    panel.refresh()
    assert not panel.composer.active
    assert "response.cancel" in service.types()


async def test_writing_during_an_answer_interrupts_it(wire: fake_comm.Wire) -> None:
    """A second message does not wait for the first one's answer."""
    session, service, panel = await opened(holds=True)
    wire.say(panel.composer, send="Tell me a long story.")
    await until(lambda: session.conversation.active)
    wire.say(panel.composer, send="Stop, something else.")
    await until(lambda: len(session.responses) == 2)
    assert session.responses[0].status == "cancelled"
    await until(lambda: service.active)


async def test_two_panels_agree() -> None:
    """Both show the turn that one of them made, and the settings that code changed."""
    session, _, first = await opened()
    second = SessionPanel(session)
    first._send("Hello?")
    await until(lambda: session.responses and session.responses[-1].done)
    await session.configure(instructions="Be brief.")
    for panel in (first, second):
        panel.conversation.refresh()
        panel.settings.refresh()
        panel.refresh()
    assert first.conversation.turns == second.conversation.turns
    assert first._figures.value == second._figures.value
    assert second.settings.fields["instructions"].value == "Be brief."


async def test_a_closed_session_says_what_to_do(wire: fake_comm.Wire) -> None:
    """The panel of a session that is over shows what there was, and takes no more messages."""
    session, _, panel = await opened()
    await session.close()
    panel.refresh()
    assert "closed" in panel._head.value
    assert "rtnb.connect() opens a new session" in panel._banners.value
    assert not panel.composer.is_open


async def test_its_last_state_is_kept_beside_it(shown: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    """The widget's own output is made once; the HTML that a reopened notebook shows is replaced, hidden meanwhile."""
    monkeypatch.setattr(panel_module, "_KEEP_SECONDS", -1.0)
    session, _, panel = await opened()
    panel._ipython_display_()
    widget, kept = shown
    assert "application/vnd.jupyter.widget-view+json" in widget["data"]
    assert widget["data"]["text/html"] == ""
    panel.refresh()
    assert len(shown) == 2  # nothing has changed
    panel._send("Hello <b>?")
    await until(lambda: panel._asked is not None and panel._asked.done)
    panel.refresh()
    newest = shown[-1]
    assert (newest["update"], newest["transient"]) == (True, kept["transient"])
    assert "Hello &lt;b&gt;?" in newest["data"]["text/html"]
    assert f'class="{panel._kept_class}"' in newest["data"]["text/html"]
    panel.close()
    assert shown[-1]["transient"] == widget["transient"]
    assert shown[-1]["data"] == {"text/html": "", "text/plain": ""}
    assert session.state == "open"


async def test_the_time_left_is_counted_down() -> None:
    """Minutes and seconds; near its end it is loud; a service that does not tell has no such figure."""
    session, _, panel = await opened()
    facts = session.summary()
    assert "expires in 29:05" in header_html(facts, 29 * 60 + 5.5)
    assert "expires in 1:00:00" in header_html(facts, 3600)
    assert "font-weight" in header_html(facts, 30).split("expires")[0].rsplit("·", 1)[1]
    assert "has expired" in header_html(facts, -3)
    assert "expire" not in panel._head.value


def test_banners_are_escaped_and_shown_once() -> None:
    """The newest three problems, a failure, and what ended the session; not what the conversation tells already."""
    problems = ["a", "error from the service (row 3): told", "<b>", "<b>", "c"]
    html = banners_html(problems, SessionClosed("over", who="network"), TimeoutError("too late"))
    assert html.count("&lt;b&gt;") == 1
    assert "over" in html
    assert "too late" in html
    assert ">a<" not in html
    assert "told" not in html
    assert banners_html([], None, None) == ""


def test_a_recording_cannot_be_talked_to(one_turn: Callable[..., Any]) -> None:
    """The panel says what it needs."""
    with pytest.raises(TypeError, match=r"rtnb\.connect"):
        SessionPanel(one_turn())
