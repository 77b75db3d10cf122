"""`SessionPanel`: talk to a session, hear it, and watch its events, in one widget; and `Composer`, its text box."""

from __future__ import annotations

import concurrent.futures
import math
import secrets
import time
from collections.abc import Callable, Coroutine
from typing import Any

import ipywidgets
from traitlets import Bool

from rtnb import formatting
from rtnb.client.live_response import LiveResponse
from rtnb.client.session_view import SessionCore, ViewedSession
from rtnb.errors import RtnbError, ServerError
from rtnb.notebook import refresher
from rtnb.notebook.conversation_view import ConversationView
from rtnb.notebook.event_log import EventLog
from rtnb.notebook.microphone import Microphone
from rtnb.notebook.panel_html import banners_html, figures_html, header_html
from rtnb.notebook.settings_view import DETECTED, SettingsView, turn_mode
from rtnb.notebook.speaker import Speaker
from rtnb.notebook.widget import ViewWidget, core_of, publish, put, static

_KEEP_SECONDS = 2.0
_TURN_SECONDS = 120.0


class SessionPanel:
    """A session to talk to, by text and by voice, with everything about it in view.

    The session does not depend on the panel, several panels of one session agree, and a notebook that is reopened without
    a kernel shows what the panel showed last.

    Parameters
    ----------
    session : Session or AsyncSession

    Attributes
    ----------
    box : ipywidgets.Box
    conversation : ConversationView
    composer : Composer
    settings : SettingsView
    speaker : Speaker
    microphone : Microphone
    log : EventLog

    Raises
    ------
    TypeError
        If `session` is no live session.
    """

    def __init__(self, session: ViewedSession) -> None:
        self._core = core_of(session, "SessionPanel")
        self._failure: BaseException | None = None
        self._asked: LiveResponse | None = None
        self._kept_class = f"rtnb-kept-{secrets.token_hex(6)}"
        self._kept: dict[str, str] = {}
        self._boxes: list[str] = []
        self._kept_at = 0.0
        self.conversation = ConversationView(self._core)
        self.composer = Composer(self._send, self._stop, self._respond)
        self.settings = SettingsView(session)
        self.speaker = Speaker(session)
        self.microphone = Microphone(session)
        self.log = EventLog(self._core)
        self._head, self._banners, self._figures = (ipywidgets.HTML() for _ in range(3))
        self.box = self._arranged()
        self.refresh()
        refresher.shared().add(self)

    def _arranged(self) -> Any:
        hidden = f".{self._kept_class},.jp-OutputArea-child:has(.{self._kept_class}){{display:none}}"
        style = ipywidgets.HTML(f"<style>{hidden}</style>", layout=ipywidgets.Layout(display="none"))
        settings = ipywidgets.Accordion(children=[self.settings.box], titles=("Settings",), selected_index=0)
        parts = {
            "head": self._head,
            "banners": self._banners,
            "talk": ipywidgets.VBox([self.conversation, self.composer]),
            "side": ipywidgets.VBox([self.speaker, self.microphone, self._figures, settings]),
            "log": ipywidgets.Box([self.log]),
        }
        for name, part in parts.items():
            part.add_class(f"rtnb-panel-{name}")
        panel = ipywidgets.Box([*parts.values(), style])
        panel.add_class("rtnb").add_class("rtnb-panel")
        frame = ipywidgets.Box([panel])
        frame.add_class("rtnb-panel-frame")
        return frame

    # What the buttons do: they submit to the session's thread, and return ---------------------------------------------

    def _send(self, text: str) -> None:
        self._begin(_interrupt_and_ask(self._core, text))

    def _respond(self) -> None:
        self._begin(self._core.respond(wait=False, timeout=_TURN_SECONDS))

    def _stop(self) -> None:
        self._core.submit(self._core.interrupt()).add_done_callback(self._failed)

    def _begin(self, turn: Coroutine[Any, Any, LiveResponse]) -> None:
        self._failure = self._asked = None
        self._core.submit(turn).add_done_callback(self._begun)

    def _begun(self, outcome: concurrent.futures.Future[LiveResponse]) -> None:
        self._failed(outcome)
        if not outcome.cancelled() and outcome.exception() is None:
            self._asked = outcome.result()

    def _failed(self, outcome: concurrent.futures.Future[Any]) -> None:
        self._failure = None if outcome.cancelled() else outcome.exception()

    # What is shown ----------------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Show the state of the session; the widgets in the panel refresh themselves."""
        core = self._core
        put(self._head, header_html(core.summary(), self._seconds_left()))
        put(self._banners, banners_html(core.problems, core.closed, self._own_failure()))
        self._banners.layout.display = None if self._banners.value else "none"
        responses = core.responses
        put(self._figures, figures_html(responses[-1] if responses else None, core.usage))
        active = core.conversation.active is not None or (self._asked is not None and not self._asked.done)
        by_hand = turn_mode(core.config) != DETECTED
        self.composer.show(active=active, is_open=core.closed is None, by_hand=by_hand)
        if self._boxes and not active and time.monotonic() - self._kept_at > _KEEP_SECONDS:
            self._keep()

    def _seconds_left(self) -> float:
        """Return the seconds until the session expires, NaN if the service did not say."""
        at = self._core.config.get("expires_at")
        return at - time.time() if isinstance(at, (int, float)) and at > 0 else math.nan

    def _own_failure(self) -> BaseException | None:
        """Return why the panel's own turn failed, unless the conversation shows it already."""
        failure = self._failure or (self._asked.failure if self._asked is not None else None)
        return None if isinstance(failure, ServerError) or not isinstance(failure, (RtnbError, OSError)) else failure

    # Where there are no widgets ---------------------------------------------------------------------------------------

    def snapshot(self) -> dict[str, str]:
        """Return what a page without widgets shows: the session, what went wrong, and the conversation."""
        header = header_html(self._core.summary(), math.nan)
        conversation = self.conversation.snapshot()
        html = formatting.card(header, self._banners.value, conversation["text/html"], self._figures.value)
        return {"text/plain": f"{self!r}\n{conversation['text/plain']}", "text/html": html}

    def _keep(self) -> None:
        """Renew the snapshot beside the panel, which is hidden while the panel is shown.

        In the panel's own output it would make the front end build the panel anew while the user is typing.
        """
        self._kept_at = time.monotonic()
        snapshot = self.snapshot()
        html = self._kept_html(snapshot)
        for display_id, before in self._kept.items():
            if before != html:
                publish({**snapshot, "text/html": html}, display_id, update=True)
                self._kept[display_id] = html

    def _ipython_display_(self) -> None:
        widget = self.box._repr_mimebundle_() or {}
        self._boxes.append(secrets.token_hex(8))
        publish({**widget, "text/plain": "", "text/html": ""}, self._boxes[-1], update=False)
        kept = secrets.token_hex(8)
        snapshot = self.snapshot()
        self._kept[kept] = self._kept_html(snapshot)
        publish({**snapshot, "text/html": self._kept[kept]}, kept, update=False)

    def _kept_html(self, snapshot: dict[str, str]) -> str:
        words = formatting.muted("What the panel showed last; session.panel() in a running notebook makes a live one.")
        return f'<div class="{self._kept_class}">{snapshot["text/html"]}{words}</div>'

    def close(self) -> None:
        """Close the panel and leave what it showed last; the session goes on."""
        refresher.shared().remove(self)
        self._keep()
        for display_id in self._boxes:
            publish({"text/plain": "", "text/html": ""}, display_id, update=True)
        self._boxes, self._kept = [], {}
        for part in (
            self.conversation,
            self.composer,
            self.settings,
            self.speaker,
            self.microphone,
            self.log,
            self.box,
        ):
            part.close()

    def __repr__(self) -> str:
        return f"<SessionPanel of {self._core!r}>"


class Composer(ViewWidget):
    """A text box with the buttons Send, Stop and, without automatic responses, Answer.

    Parameters
    ----------
    send : callable
        Called with the text, on the refresher's thread; like the others, it must return at once.
    stop, respond : callable

    Attributes
    ----------
    active : bool
        Whether a response is in progress and can be stopped.
    is_open : bool
        Whether the session is open.
    by_hand : bool
        Whether to show the button that asks for a response.
    """

    _esm = static("shared.js", "composer.js")
    _css = static("shared.css", "composer.css", "panel.css")
    active = Bool(False).tag(sync=True)
    is_open = Bool(True).tag(sync=True)
    by_hand = Bool(False).tag(sync=True)

    def __init__(
        self, send: Callable[[str], object], stop: Callable[[], object], respond: Callable[[], object]
    ) -> None:
        self._actions: dict[str, Callable[[str], object]] = {
            "send": send,
            "stop": lambda _: stop(),
            "respond": lambda _: respond(),
        }
        super().__init__()

    def received(self, content: Any, buffers: list[memoryview]) -> None:
        """Do what was clicked, and acknowledge the message to the page."""
        if not isinstance(content, dict):
            return
        for name, action in self._actions.items():
            if isinstance(content.get(name), str):
                action(content[name])
        self.send({"taken": content.get("number"), "by": content.get("by")})

    def show(self, *, active: bool, is_open: bool, by_hand: bool) -> None:
        """Set which buttons work."""
        with self.hold_sync():
            self.active, self.is_open, self.by_hand = active, is_open, by_hand

    def __repr__(self) -> str:
        return f"<Composer, {'open' if self.is_open else 'closed'}>"


async def _interrupt_and_ask(core: SessionCore, text: str) -> LiveResponse:
    """Ask, after interrupting a response that is in progress or still played."""
    if core.conversation.active is not None or (core.playback is not None and core.playback.at):
        await core.interrupt()
    response: LiveResponse = await core.ask(text, wait=False, timeout=_TURN_SECONDS, when_busy="cancel")
    return response
