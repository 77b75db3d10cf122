"""What views are given: what they can show, what they refuse, and in which words."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import fake_comm
import pytest
from one_loop import open_for_views

from rtnb import ui
from rtnb.conversation.recording import Recording
from rtnb.errors import SessionClosed
from rtnb.notebook.speech_capture import SpeechCapture
from rtnb.timeline import Timeline

TALKING = [ui.Microphone, ui.SessionPanel, ui.SettingsView, ui.Speaker, SpeechCapture]
SHOWING = [ui.ConversationView, ui.EventLog, ui.ResponseView, ui.TimelineView]


@pytest.fixture(autouse=True)
def wire(monkeypatch: pytest.MonkeyPatch) -> fake_comm.Wire:
    return fake_comm.connected(monkeypatch)


def refused(view: Callable[..., Any], given: object) -> str:
    """Return the words of the refusal; nothing is left that would fail when it is collected."""
    with pytest.raises(TypeError) as refusal:
        view(given)
    words = str(refusal.value)
    del refusal
    gc.collect()
    return words


@pytest.mark.parametrize("view", [*TALKING, *SHOWING])
def test_every_view_refuses_what_it_cannot_show_in_the_same_sentence(
    view: Callable[..., Any], wire: fake_comm.Wire
) -> None:
    """It names itself, what it needs and what it was given; no widget is made."""
    name = "listen" if view is SpeechCapture else view.__name__  # type: ignore[attr-defined]
    number, nothing = refused(view, 3), refused(view, None)
    assert number.startswith(f"{name} needs a ")
    assert number.endswith(", not an object of type int.")
    assert nothing == number.replace("an object of type int", "None")
    assert wire.count == 0


@pytest.mark.parametrize("view", TALKING)
def test_a_view_that_talks_refuses_a_recording(view: Callable[..., Any], wire: fake_comm.Wire) -> None:
    """A recording, like a timeline, has no service behind it."""
    for given in (Recording(Timeline()), Timeline()):
        words = refused(view, given)
        assert words.endswith(
            f"needs a session that rtnb.connect() opened, not an object of type {type(given).__name__}."
        )
    assert wire.count == 0


def test_a_view_that_shows_takes_a_recording() -> None:
    """The conversation of a bare timeline is not known, its events are."""
    recording = Recording(Timeline())
    for view in (ui.ConversationView, ui.EventLog, ui.TimelineView):
        assert view(recording).snapshot()["text/html"]
    assert "ConversationView needs a session or a recording" in refused(ui.ConversationView, Timeline())


async def test_a_closed_session_can_be_looked_at() -> None:
    """Every view shows what there was, and a view that would talk says that the session is closed."""
    session, _ = await open_for_views()
    asked = await session.ask("Hello?")
    await session.close()
    assert isinstance(session.closed, SessionClosed)
    assert "Hello?" in ui.ConversationView(session).snapshot()["text/plain"]
    assert len(ui.EventLog(session).shown) == len(session.timeline)
    assert "Of course!" in ui.ResponseView(asked).snapshot()["text/html"]
    assert ui.TimelineView(session).snapshot()["text/html"]
    settings = ui.SettingsView(session)
    assert settings.fields["voice"].value == "verse"
    assert "closed" in ui.SessionPanel(session).snapshot()["text/html"]
    speaker = ui.Speaker(session)
    assert not speaker.playing
    microphone = ui.Microphone(session)
    microphone.start()
    assert microphone.state == "refused"
    assert "closed" in microphone.words
