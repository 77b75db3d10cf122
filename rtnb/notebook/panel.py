"""`SessionPanel`: talk to a session, hear it, and watch what happens, in one place."""

from __future__ import annotations

import concurrent.futures
import math
import secrets
import time
from collections.abc import Callable
from typing import Any

import ipywidgets

from rtnb import formatting
from rtnb.client.async_session import AsyncSession
from rtnb.client.live_response import LiveResponse
from rtnb.errors import RtnbError, ServerError
from rtnb.notebook.composer import Composer
from rtnb.notebook.conversation_view import ConversationView
from rtnb.notebook.panel_words import banners_html, figures_html, header_html
from rtnb.notebook.refresher import pump
from rtnb.notebook.session import Session
from rtnb.notebook.settings_view import SettingsView
from rtnb.notebook.submitting import core_of, submit
from rtnb.notebook.turn_modes import DETECTED, turn_mode

_KEEP_SECONDS = 2.0
_TURN_SECONDS = 120.0


class SessionPanel:
    """A session to talk to, by text and by voice, with everything about it in view.

    A view, and no more: the session goes on without it, several panels of one session agree, and a notebook that is
    reopened without a kernel shows what the panel showed last.

    Parameters
    ----------
    session : Session or AsyncSession

    Attributes
    ----------
    box : ipywidgets.Box
    conversation : ConversationView
    composer : Composer
    settings : SettingsView
    speaker, microphone, log : widget
        `Speaker`, `Microphone` and `EventLog`, or a word on why there is none.
    """

    def __init__(self, session: Session | AsyncSession) -> None:
        self._core = core_of(session)
        self._failure: BaseException | None = None
        self._asked: LiveResponse | None = None
        self._kept_class = f"rtnb-kept-{secrets.token_hex(6)}"
        self._kept: dict[str, str] = {}
        self._boxes: list[str] = []
        self._kept_at = 0.0
        self.conversation = ConversationView(self._core)
        self.composer = Composer(self._send, self._stop, self._respond)
        self.settings = SettingsView(self._core)
        self.speaker = _part("speaker", self._core)
        self.microphone = _part("microphone", self._core)
        self.log = _part("event log", self._core)
        self._head, self._banners, self._figures = (ipywidgets.HTML() for _ in range(3))
        self.box = self._arranged()
        self.refresh()
        pump().add(self)

    def _arranged(self) -> Any:
        hidden = f".{self._kept_class},.jp-OutputArea-child:has(.{self._kept_class}){{display:none}}"
        style = ipywidgets.HTML(f"<style>{hidden}</style>", layout=ipywidgets.Layout(display="none"))
        talk = ipywidgets.VBox([self.conversation, self.composer])
        side = ipywidgets.VBox([self.speaker, self.microphone, self._figures, self._in_accordion("Settings")])
        log = ipywidgets.Box([self.log])
        for name, part in (
            ("head", self._head),
            ("banners", self._banners),
            ("talk", talk),
            ("side", side),
            ("log", log),
        ):
            part.add_class(f"rtnb-panel-{name}")
        panel = ipywidgets.Box([self._head, self._banners, talk, side, log, style])
        panel.add_class("rtnb").add_class("rtnb-panel")
        frame = ipywidgets.Box([panel])
        frame.add_class("rtnb-panel-frame")
        return frame

    def _in_accordion(self, title: str) -> Any:
        return ipywidgets.Accordion(children=[self.settings.box], titles=(title,), selected_index=0)

    # What the buttons do: they ask the session's thread, and return ---------------------------------------------------

    def _send(self, text: str) -> None:
        self._begin(lambda core: _interrupt_and_ask(core, text))

    def _respond(self) -> None:
        self._begin(lambda core: core.respond(wait=False, timeout=_TURN_SECONDS))

    def _stop(self) -> None:
        submit(self._core, lambda core: core.interrupt()).add_done_callback(self._failed)

    def _begin(self, turn: Callable[[AsyncSession], Any]) -> None:
        self._failure = self._asked = None
        submit(self._core, turn).add_done_callback(self._begun)

    def _begun(self, outcome: concurrent.futures.Future[LiveResponse]) -> None:
        self._failed(outcome)
        if not outcome.cancelled() and outcome.exception() is None:
            self._asked = outcome.result()

    def _failed(self, outcome: concurrent.futures.Future[Any]) -> None:
        self._failure = None if outcome.cancelled() else outcome.exception()

    # What is shown ----------------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Show the state of the session; the views in the panel look after themselves."""
        core = self._core
        _put(self._head, header_html(core.summary(), self._left()))
        _put(self._banners, banners_html(core.problems, core.closed, self._untold_failure()))
        self._banners.layout.display = None if self._banners.value else "none"
        responses = core.responses
        _put(self._figures, figures_html(responses[-1] if responses else None, core.usage))
        active = core.conversation.active is not None or (self._asked is not None and not self._asked.done)
        by_hand = turn_mode(core.config) != DETECTED
        self.composer.show(active=active, is_open=core.closed is None, by_hand=by_hand)
        if self._boxes and not active and time.monotonic() - self._kept_at > _KEEP_SECONDS:
            self._keep()

    def _left(self) -> float:
        """Return the seconds until the session expires, NaN where the service did not tell."""
        at = self._core.config.get("expires_at")
        return at - time.time() if isinstance(at, (int, float)) and at > 0 else math.nan

    def _untold_failure(self) -> BaseException | None:
        """Return why the panel's own turn failed, unless the conversation tells it."""
        failure = self._failure or (self._asked.failure if self._asked is not None else None)
        return None if isinstance(failure, ServerError) or not isinstance(failure, (RtnbError, OSError)) else failure

    # Where there are no widgets ---------------------------------------------------------------------------------------

    def snapshot(self) -> dict[str, str]:
        """Return what a page without widgets shows: the session, what went wrong, and the conversation."""
        facts = self._core.summary()
        spoken = self.conversation.snapshot()
        parts = [header_html(facts, math.nan), self._banners.value, spoken["text/html"], self._figures.value]
        return {"text/plain": f"{self!r}\n{spoken['text/plain']}", "text/html": formatting.card(*parts)}

    def _keep(self) -> None:
        """Put the present state beside the panel, hidden as long as the panel is on show.

        To put it into the panel's own output would make the front end build the panel anew, in mid-word of whoever writes.
        """
        self._kept_at = time.monotonic()
        snapshot = self.snapshot()
        html = self._kept_html(snapshot)
        for display_id, before in self._kept.items():
            if before != html:
                _publish({**snapshot, "text/html": html}, display_id, update=True)
                self._kept[display_id] = html

    def _ipython_display_(self) -> None:
        view = self.box._repr_mimebundle_() or {}
        self._boxes.append(secrets.token_hex(8))
        _publish({**view, "text/plain": "", "text/html": ""}, self._boxes[-1], update=False)
        kept = secrets.token_hex(8)
        snapshot = self.snapshot()
        self._kept[kept] = self._kept_html(snapshot)
        _publish({**snapshot, "text/html": self._kept[kept]}, kept, update=False)

    def _kept_html(self, snapshot: dict[str, str]) -> str:
        words = formatting.muted("What the panel showed last; session.panel() in a running notebook makes a live one.")
        return f'<div class="{self._kept_class}">{snapshot["text/html"]}{words}</div>'

    def close(self) -> None:
        """Take the panel away and leave what it showed last; the session goes on."""
        pump().remove(self)
        pump().remove(self.settings)
        self._keep()
        for display_id in self._boxes:
            _publish({"text/plain": "", "text/html": ""}, display_id, update=True)
        self._boxes, self._kept = [], {}
        for part in (self.conversation, self.composer, self.speaker, self.microphone, self.log, self.box):
            part.close()

    def __repr__(self) -> str:
        return f"<SessionPanel of {self._core!r}>"


async def _interrupt_and_ask(core: AsyncSession, text: str) -> LiveResponse:
    """Ask as one who cuts in: an answer that is on its way, or still sounds, stops where it was heard."""
    if core.conversation.active is not None or (core.playback is not None and core.playback.at):
        await core.interrupt()
    return await core.ask(text, wait=False, timeout=_TURN_SECONDS, when_busy="cancel")


def _part(name: str, core: AsyncSession) -> Any:
    """Return a part that the panel can do without, or a word on why it is missing."""
    try:
        if name == "speaker":
            from rtnb.notebook.speaker import Speaker

            return Speaker(core)
        if name == "microphone":
            from rtnb.notebook.microphone import Microphone

            return Microphone(core)
        from rtnb.notebook.event_log import EventLog

        return EventLog(core)
    except ImportError as missing:
        return ipywidgets.HTML(formatting.muted(f"There is no {name} here: {missing}"))


def _put(widget: Any, value: str) -> None:
    if widget.value != value:
        widget.value = value


def _publish(bundle: dict[str, Any], display_id: str, *, update: bool) -> None:
    from IPython.display import publish_display_data

    publish_display_data(bundle, transient={"display_id": display_id}, update=update)
