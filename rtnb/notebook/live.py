"""What a kernel shows of a response that is on its way: in the cell that waits for it, and where it is displayed."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from rtnb.conversation.response import Response

if TYPE_CHECKING:
    from rtnb.notebook.response_view import ResponseView

PATIENCE = 0.4


class CellProgress:
    """The view of a response in the cell that waits for it. An answer that comes at once leaves no trace of it."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._view: ResponseView | None = None

    def update(self, response: Response) -> None:
        """Show the response, if the wait has become one; the view then goes on by itself."""
        if self._view is None and time.monotonic() - self._began >= PATIENCE:
            self._view = show(response, stays=False)

    def finish(self) -> None:
        """Take the view away: the value of the cell shows the same response."""
        if self._view is not None:
            self._view.vanish()


def show(response: Response, *, stays: bool = True) -> ResponseView:
    """Display a view of a response under the cell that runs."""
    # A session that never shows a view does not pay for the widgets.
    from IPython.display import display

    from rtnb.notebook.response_view import ResponseView

    view = ResponseView(response, stays=stays)
    display(view)
    return view


def cell_progress() -> Callable[[], CellProgress] | None:
    """Return what makes the view of a waiting cell; None outside a notebook's kernel."""
    return CellProgress if in_kernel() else None


def live_display() -> Callable[[Response], object] | None:
    """Return what displays a response that is on its way; None outside a notebook's kernel."""
    return show if in_kernel() else None


def in_kernel() -> bool:
    """Return whether this is the kernel of a notebook, where widgets can be shown."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and getattr(shell, "kernel", None) is not None
