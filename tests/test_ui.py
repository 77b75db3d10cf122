"""The widgets' public names: there when they are asked for, and not before."""

from __future__ import annotations

import subprocess
import sys

import rtnb


def test_every_widget_has_its_name() -> None:
    """`rtnb.ui` names classes that say what they are."""
    assert "ui" in dir(rtnb)
    for name in rtnb.ui.__all__:
        assert getattr(rtnb.ui, name).__name__ == name
        assert getattr(rtnb.ui, name).__doc__


def test_a_session_that_shows_no_widget_does_not_load_them() -> None:
    """Neither the import nor what connects loads the widgets; `rtnb.ui` does."""
    code = (
        "import sys, rtnb, rtnb.connecting\n"
        "assert not {'ipywidgets', 'anywidget'} & set(sys.modules)\n"
        "rtnb.ui\n"
        "assert {'ipywidgets', 'anywidget'} <= set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
