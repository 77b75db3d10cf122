"""`Composer`: where one writes to the model, and stops it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from traitlets import Bool

from rtnb.notebook.assets import source
from rtnb.notebook.live_view import LiveView


class Composer(LiveView):
    """A text box with the buttons Send, Stop and, where turns are taken by hand, Answer.

    Parameters
    ----------
    send : callable
        Called with the text, on the views' thread; must return at once. So must the others.
    stop, respond : callable

    Attributes
    ----------
    active : bool
        Whether an answer is on its way, so that there is something to stop.
    is_open : bool
        Whether the session is.
    by_hand : bool
        Whether to show the button that asks for an answer.
    """

    _esm = source("parts.js", "composer.js")
    _css = source("parts.css", "composer.css", "panel.css")
    active = Bool(False).tag(sync=True)
    is_open = Bool(True).tag(sync=True)
    by_hand = Bool(False).tag(sync=True)

    def __init__(
        self, send: Callable[[str], object], stop: Callable[[], object], respond: Callable[[], object]
    ) -> None:
        self._do: dict[str, Callable[[str], object]] = {
            "send": send,
            "stop": lambda _: stop(),
            "respond": lambda _: respond(),
        }
        super().__init__()

    def received(self, content: Any, buffers: list[memoryview]) -> None:
        """Do what was clicked, and tell the page that it arrived."""
        if not isinstance(content, dict):
            return
        for name, do in self._do.items():
            if isinstance(content.get(name), str):
                do(content[name])
        self.send({"taken": content.get("number"), "by": content.get("by")})

    def show(self, *, active: bool, is_open: bool, by_hand: bool) -> None:
        """Show whether there is something to stop, and somebody to write to."""
        with self.hold_sync():
            self.active, self.is_open, self.by_hand = active, is_open, by_hand

    def __repr__(self) -> str:
        return f"<Composer, {'open' if self.is_open else 'closed'}>"
