"""The display hook: data objects show themselves through a backend that is set from above, and is loaded when first used."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import rtnb
from rtnb import display
from rtnb.audio import AudioClip
from rtnb.timeline import Timeline


class Told:
    """A backend that returns what it was called with."""

    def __getattr__(self, name: str) -> Any:
        return lambda *arguments: (name, *arguments)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(display, "_load", Told)


@pytest.mark.usefixtures("told")
def test_data_objects_draw_and_play_through_the_backend() -> None:
    """None of them imports what draws."""
    clip, timeline, axes = AudioClip.silence(0.1), Timeline(), object()
    assert clip.plot(axes) == ("plot_clip", clip, axes)
    assert clip.play() == ("play_clip", clip)
    assert timeline.plot() == ("plot_timeline", timeline, None)


def test_a_clip_alone_finds_the_notebooks_backend_and_loads_no_widgets_to_draw() -> None:
    """Importing one room is enough: the package names the backend."""
    code = (
        "import sys, rtnb.audio; from rtnb.audio import AudioClip; before = 'rtnb.notebook.backend' in sys.modules; "
        "axes = AudioClip.silence(1).plot(); print(before, type(axes).__name__, 'ipywidgets' in sys.modules)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(rtnb.__file__).parents[1],
        timeout=60,
    )
    assert run.stdout.strip() == "False ShownAxes False"


def test_without_a_backend_the_error_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """It names the call that sets one."""
    monkeypatch.setattr(display, "_load", None)
    with pytest.raises(RuntimeError, match=r"rtnb\.display\.use"):
        display.backend()
