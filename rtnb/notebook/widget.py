"""`ViewWidget`: the base of rtnb's widgets, and what a view may be given to show."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import anywidget
import numpy as np

from rtnb.client.session_view import SessionCore, ViewedSession
from rtnb.notebook import refresher
from rtnb.protocol.names import Local
from rtnb.timeline.timeline import Timeline

_STATIC = Path(__file__).parent / "static"


def static(*names: str) -> str:
    """Return files of `static/` joined into one JavaScript module or style sheet.

    A widget's module reaches the browser as text and cannot import its neighbours, so code that widgets share is put
    before each of them.
    """
    return "\n".join((_STATIC / name).read_text("utf-8") for name in names)


class ViewWidget(anywidget.AnyWidget):
    """A widget that the refresher redraws.

    A subclass names its files (``_esm = static("name.js")``, ``_css`` likewise), draws in `refresh`, and returns in
    `snapshot` what is shown where there are no widgets: in a notebook reopened without a kernel, on a page, in a terminal.

    The refresher may call `refresh` as soon as this ``__init__`` has begun: a subclass sets up what `refresh` reads
    before it calls ``super().__init__()``.
    """

    _display_ids: Sequence[str] | None = None  # None until the widget is made

    def __init__(self, **traits: Any) -> None:
        self._display_ids = []
        super().__init__(**traits)
        self.on_msg(lambda _, content, buffers: refresher.shared().do(lambda: self.received(content, buffers)))
        refresher.shared().add(self)

    def __del__(self) -> None:
        if self._display_ids is not None:  # a subclass that refuses its argument was never made
            super().__del__()

    def refresh(self) -> None:
        """Draw what has changed; called about 12 times a second, on the refresher's thread."""

    def received(self, content: Any, buffers: list[memoryview]) -> None:
        """Handle a message from the browser, on the refresher's thread."""

    def snapshot(self) -> dict[str, str]:
        """Return the present state as ``text/html`` and ``text/plain``."""
        return {"text/plain": repr(self), "text/html": ""}

    def settle(self) -> None:
        """Renew the snapshot beside each display of the widget; the widget itself stays."""
        for display_id in self._display_ids or ():
            self._publish(display_id, update=True)

    def close(self) -> None:
        """Close the widget and leave its last snapshot in its place."""
        refresher.shared().remove(self)
        for display_id in self._display_ids or ():
            publish(self.snapshot(), display_id, update=True)
        self._display_ids = []
        super().close()

    def _ipython_display_(self, **_: Any) -> None:
        display_id = secrets.token_hex(8)
        self._display_ids = [*(self._display_ids or ()), display_id]
        self._publish(display_id, update=False)

    def _publish(self, display_id: str, *, update: bool) -> None:
        made = self._repr_mimebundle_()
        data = (made[0] if isinstance(made, tuple) else made) or {}
        mime = "application/vnd.jupyter.widget-view+json"  # missing once the widget's comm is closed
        publish({**self.snapshot(), **({mime: data[mime]} if mime in data else {})}, display_id, update=update)


def publish(bundle: dict[str, Any], display_id: str, *, update: bool) -> None:
    """Show a MIME bundle under the running cell, or replace the one shown with the same id."""
    from IPython.display import publish_display_data

    publish_display_data(bundle, transient={"display_id": display_id}, update=update)


def put(widget: Any, value: str) -> None:
    """Set the value of an ipywidget if it is another one: each assignment is a message to the browser."""
    if widget.value != value:
        widget.value = value


# What a view may be given -------------------------------------------------------------------------------------------------


class HasTimeline(Protocol):
    """A live session or a recording, read for its events."""

    @property
    def timeline(self) -> Timeline:
        """Return the events."""


def wrong_object(view: str, needs: str, given: object) -> TypeError:
    """Return the error of every view that is given something it cannot show."""
    kind = "None" if given is None else f"an object of type {type(given).__name__}"
    return TypeError(f"{view} needs {needs}, not {kind}.")


def core_of(session: ViewedSession, view: str) -> SessionCore:
    """Return the session that does the work; it may be closed.

    Raises
    ------
    TypeError
        If `session` is no live session: a recording cannot be talked to.
    """
    if not isinstance(session, ViewedSession):
        raise wrong_object(view, "a session that rtnb.connect() opened", session)
    return session.core


def timeline_of(source: HasTimeline | Timeline, view: str) -> Timeline:
    """Return the timeline in `source`.

    Raises
    ------
    TypeError
        If there is none.
    """
    found = source if isinstance(source, Timeline) else getattr(source, "timeline", None)
    if not isinstance(found, Timeline):
        raise wrong_object(view, "a session, a recording (rtnb.open) or a timeline", source)
    return found


def closings(timeline: Timeline) -> int:
    """Return how often the session of a timeline was closed: each time a view renews its snapshot."""
    return int(np.count_nonzero(timeline["kind"] == str(Local.CLOSE)))
