"""What a kernel shows of a response in progress: in the cell that waits for it, and where it is displayed."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from rtnb.conversation.response import Response

if TYPE_CHECKING:
    from rtnb.notebook.response_view import ResponseView

DELAY = 0.4
"""Seconds of waiting after which a cell shows the response in progress."""


class CellProgress:
    """The view of a response in the cell that waits for it; a response that comes at once leaves no trace of it."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._view: ResponseView | None = None

    def update(self, response: Response) -> None:
        """Show the response once the cell has waited for a while; the view then refreshes itself."""
        if self._view is None and time.monotonic() - self._began >= DELAY:
            self._view = show(response, stays=False)

    def finish(self) -> None:
        """Remove the view: the value of the cell shows the same response."""
        if self._view is not None:
            self._view.vanish()


def show(response: Response, *, stays: bool = True) -> ResponseView:
    """Display a view of a response under the running cell."""
    # A session that never shows a view does not pay for the widgets.
    from IPython.display import display

    from rtnb.notebook.response_view import ResponseView

    view = ResponseView(response, stays=stays)
    display(view)
    return view


def in_kernel() -> bool:
    """Return whether this is the kernel of a notebook, where widgets can be shown."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and getattr(shell, "kernel", None) is not None
