"""The sources of the front-end parts of views: modules in `static/`, joined where two views share one."""

from __future__ import annotations

from rtnb.notebook.live_view import STATIC


def source(*names: str) -> str:
    """Return files of `static/` one after the other, as one module or style sheet.

    A view's module reaches the browser as text and cannot import its neighbours, so what two views share is put before
    both.
    """
    return "\n".join((STATIC / name).read_text("utf-8") for name in names)
