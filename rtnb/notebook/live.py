"""What a cell shows while it waits for a response: drawn by the waiting cell's own thread, at most ten times a second."""

from __future__ import annotations

import secrets
import sys
import time
from collections.abc import Callable

from rtnb import formatting
from rtnb.response import Response

_PATIENCE = 0.4


class CellProgress:
    """The line under a cell that waits. An answer that comes at once leaves no trace of it."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._id = secrets.token_hex(8)
        self._displayed = False
        self._shown = ""

    def update(self, response: Response) -> None:
        """Show what has arrived, if the wait has become one."""
        if time.monotonic() - self._began < _PATIENCE:
            return
        shown = progress_html(response, time.monotonic() - self._began)
        if shown == self._shown:
            return
        self._shown = shown
        self._put({"text/html": shown, "text/plain": formatting.one_line(response.transcript)})

    def finish(self) -> None:
        """Take the line away."""
        if self._shown:
            self._put({"text/html": "", "text/plain": ""})

    def _put(self, bundle: dict[str, str]) -> None:
        from IPython.display import publish_display_data

        publish_display_data(bundle, transient={"display_id": self._id}, update=self._displayed)
        self._displayed = True


def progress_html(response: Response, waited: float) -> str:
    """Return the transcript so far and the figures of a response that is on its way."""
    words = formatting.one_line(response.transcript, 400)
    audio = response.audio_seconds
    figures = [
        f"{response.status}",
        f"{formatting.seconds(audio)} of audio" if audio else "no audio yet",
        f"{waited:.1f} s",
    ]
    return formatting.card(formatting.escape(words) if words else "", formatting.muted("▸ " + " · ".join(figures)))


def cell_progress() -> Callable[[], CellProgress] | None:
    """Return what makes the progress line of a cell; None outside a notebook's kernel."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return CellProgress if shell is not None and getattr(shell, "kernel", None) is not None else None
