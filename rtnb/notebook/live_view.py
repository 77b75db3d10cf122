"""`LiveView`: what all widgets of rtnb have in common. A view shows something that lives in Python, and holds no truth."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anywidget

from rtnb.notebook.refresher import pump

STATIC = Path(__file__).parent / "static"


class LiveView(anywidget.AnyWidget):
    """A widget whose one writer is the pump's thread.

    A subclass names its module (``_esm = STATIC / "name.js"``, ``_css`` likewise), draws in `refresh`, and tells in
    `snapshot` what is shown where no widget can be: in a notebook reopened without a kernel, on a page, in a terminal.

    The pump may call `refresh` as soon as this ``__init__`` has begun: a subclass sets up what `refresh` reads before it
    calls it.
    """

    # Of the class, too: a view that is refused while it is being made is closed all the same.
    _display_ids: Sequence[str] = ()

    def __init__(self, **traits: Any) -> None:
        self._display_ids = []
        super().__init__(**traits)
        self.on_msg(lambda _, content, buffers: pump().do(lambda: self.received(content, buffers)))
        pump().add(self)

    def refresh(self) -> None:
        """Draw what has changed; called about 12 times a second, by the pump's thread alone."""

    def received(self, content: Any, buffers: list[memoryview]) -> None:
        """Take a message of the browser's, on the pump's thread."""

    def snapshot(self) -> dict[str, str]:
        """Return the present state as ``text/html`` and ``text/plain``."""
        return {"text/plain": repr(self), "text/html": ""}

    def settle(self) -> None:
        """Put the present state where a notebook without a kernel will find it; the widget goes on being shown.

        The output of each cell that shows the view is replaced by the same widget with a newer snapshot.
        """
        for display_id in self._display_ids:
            self._publish(display_id, update=True)

    def close(self) -> None:
        """Leave the last state in place of the widget."""
        pump().remove(self)
        for display_id in self._display_ids:
            _publish_bundle(self.snapshot(), display_id, update=True)
        self._display_ids = []
        super().close()

    def _ipython_display_(self, **_: Any) -> None:
        display_id = secrets.token_hex(8)
        self._display_ids = [*self._display_ids, display_id]
        self._publish(display_id, update=False)

    def _publish(self, display_id: str, *, update: bool) -> None:
        _publish_bundle({**self.snapshot(), **_widget_view(self)}, display_id, update=update)


def _widget_view(view: anywidget.AnyWidget) -> dict[str, Any]:
    """Return the part of a bundle that shows a widget: nothing where its comm is closed."""
    made = view._repr_mimebundle_()
    data = made[0] if isinstance(made, tuple) else made
    mime = "application/vnd.jupyter.widget-view+json"
    return {mime: data[mime]} if data and mime in data else {}


def _publish_bundle(bundle: dict[str, Any], display_id: str, *, update: bool) -> None:
    from IPython.display import publish_display_data

    publish_display_data(bundle, transient={"display_id": display_id}, update=update)
