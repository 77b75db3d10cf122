"""Tests in a real front end: JupyterLab, and Debian's Chromium without a screen.

How to use it: write plain (not ``async``) tests in ``tests/browser/test_*.py`` that take the fixture `lab`::

    from playwright.sync_api import expect

    def test_an_answer_is_shown(lab: Lab) -> None:          # from browser.lab import Lab
        notebook = lab.open(["import rtnb; session = rtnb.connect('local')", "session.ask('Hello')"])
        notebook.run_all()                                  # .run(1), .run(1, wait=False), .wait_idle()
        expect(notebook.output(1)).to_contain_text("completed")        # a playwright Locator: it waits by itself
        assert notebook.eval_kernel("print(session.state)").strip() == "open"
        notebook.page.wait_for_function("() => window.something === 3")  # or notebook.wait_kernel("len(x) > 3")
        notebook.screenshot("answer", theme="dark", width=600)           # -> screenshots/answer-dark-600.png
        assert notebook.console_errors == [] and notebook.foreign_requests == []

``lab.open(..., microphone=path_of_wav | "refused", autoplay=False, route="notebooks")`` asks for another microphone, for a
browser in which sound needs a gesture, or for Notebook 7. `tone` is the WAV that the microphone hears otherwise
(440 Hz). Everything is on loopback; other hosts cannot be reached, and are counted when asked for.
Wait for conditions, never for time. One notebook costs about 2 s (page and kernel): put what belongs together in one.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
import pytest

from rtnb.audio import AudioClip

if TYPE_CHECKING:
    from browser.lab import Browsers, JupyterServer, Lab


def _lacking(what: str, remedy: str) -> NoReturn:
    """Skip in words; where the tests guard a change, fail."""
    if os.environ.get("CI", "").lower() in ("1", "true"):
        pytest.fail(f"{what} is missing. {remedy}", pytrace=False)
    pytest.skip(f"{what} is missing. {remedy}", allow_module_level=True)


class _WithoutDriver(pytest.Module):
    """A file of tests that cannot even be imported."""

    def collect(self) -> NoReturn:
        _lacking("Playwright, which drives the browser,", "To run the browser's tests: pip install playwright")


def pytest_pycollect_makemodule(module_path: Path, parent: Any) -> pytest.Module | None:
    """Read no file of this folder where the driver is missing; say so instead."""
    if importlib.util.find_spec("playwright") is None:
        return _WithoutDriver.from_parent(parent, path=module_path)
    return None


@pytest.fixture(scope="session")
def browsers() -> Iterator[Browsers]:
    """The browser, started once."""
    from browser.lab import Browsers, chromium_path

    executable = chromium_path()
    if executable is None:
        _lacking("Chromium", "To run the browser's tests: apt-get install chromium")
    started = Browsers(executable)
    yield started
    started.stop()


@pytest.fixture(scope="session")
def jupyter_server(browsers: Browsers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    """One JupyterLab server for all tests."""
    from browser.lab import JupyterServer

    started = JupyterServer(tmp_path_factory.mktemp("lab"))
    yield started
    started.stop()


@pytest.fixture(scope="session")
def tone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of 440 Hz at half scale, as a WAV file of 48 kHz."""
    t = np.arange(2 * 48_000) / 48_000
    path = tmp_path_factory.mktemp("tone") / "tone.wav"
    AudioClip.from_array(0.5 * np.sin(2 * np.pi * 440 * t), 48_000).to_wav(path)
    return path


@pytest.fixture
def lab(jupyter_server: JupyterServer, browsers: Browsers, tone: Path) -> Iterator[Lab]:
    """Open notebooks in JupyterLab."""
    from browser.lab import Lab

    opened = Lab(jupyter_server, browsers, tone)
    with browsers.at_work():
        yield opened
        opened.close()
