"""What a cell shows while it waits for a response: drawn by the waiting cell's own thread, at most ten times a second."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

from rtnb import formatting
from rtnb.response import Response

_PATIENCE = 0.4


class CellProgress:
    """The line under a cell that waits. An answer that comes at once leaves no trace of it."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._handle: Any = None
        self._shown = ""

    def update(self, response: Response) -> None:
        """Show what has arrived, if the wait has become one."""
        if time.monotonic() - self._began < _PATIENCE:
            return
        from IPython.display import HTML, display

        shown = progress_html(response, time.monotonic() - self._began)
        if shown == self._shown:
            return
        self._shown = shown
        if self._handle is None:
            self._handle = display(HTML(shown), display_id=True)
        else:
            self._handle.update(HTML(shown))

    def finish(self) -> None:
        """Take the line away."""
        if self._handle is not None:
            self._handle.update({"text/plain": "", "text/html": ""}, raw=True)


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
