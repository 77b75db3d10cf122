"""What every test needs: an environment without an account, the modules beside this file, and a ring that it belongs to.

The rings, from the inside out: ``pure`` (no event loop of its own, no socket, no process), ``large`` (the same, with
much data, or with judges that take long), ``loopback`` (sockets, threads and child processes on this machine), ``kernel`` (a
real notebook kernel), ``browser`` (JupyterLab in Chromium). A test belongs to the ring of its folder; ``pytest -m pure``
collects no other folder and draws few examples, so that it answers in seconds.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import NoReturn

import hypothesis
import pytest
from examples import FEW

TESTS = Path(__file__).parent

RINGS = {
    "browser": "browser",
    "notebooks": "kernel",
    "audio": "pure",
    "conversation": "pure",
    "protocol": "pure",
    "service/script": "pure",
    "service/session": "large",  # without I/O, too, but each event is judged by the official client's models
    "timeline": "pure",
    "test_errors.py": "pure",
    "test_formatting.py": "pure",
    # Their judges, jsonschema and the openai package, take seconds to import.
    "protocol/test_names.py": "large",
    "protocol/test_openai_types.py": "large",
    "service/script/test_arguments.py": "large",
    "service/script/test_tool_calls.py": "large",
    "service/session/test_spectrum.py": "large",
    "test_layers.py": "large",
}
"""The ring of each folder or file; the longest that fits decides, and what is not here is ``loopback``."""

hypothesis.settings.register_profile("pure", max_examples=FEW, deadline=None)


def ring_of(path: Path) -> str:
    """Return the ring of a test file."""
    within = path.relative_to(TESTS)
    names = [within.as_posix(), *(parent.as_posix() for parent in within.parents)]
    return next((RINGS[name] for name in names if name in RINGS), "loopback")


def only_pure(config: pytest.Config) -> bool:
    """Return whether the pure ring alone is wanted."""
    return config.option.markexpr == "pure"


def pytest_configure(config: pytest.Config) -> None:
    """Draw few examples where the pure ring alone is wanted."""
    if only_pure(config):
        hypothesis.settings.load_profile("pure")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave other rings' files unread where the pure ring alone is wanted: reading them costs more than running it."""
    if only_pure(config) and collection_path.suffix == ".py" and TESTS in collection_path.parents:
        return True if ring_of(collection_path) != "pure" else None
    return None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test with its ring."""
    for item in items:
        if not (item.get_closest_marker("large") and ring_of(item.path) == "pure"):
            item.add_marker(ring_of(item.path))


@pytest.fixture(autouse=True)
def no_account(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the settings of the person who runs the tests out of the environment."""
    for name in list(os.environ):
        if name.startswith(("AZURE_", "OPENAI_", "IDENTITY_")):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def no_socket(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse the tests of the two inner rings a connection."""
    if request.node.get_closest_marker("pure") or request.node.get_closest_marker("large"):
        monkeypatch.setattr(socket.socket, "connect", _refused)
        monkeypatch.setattr(socket.socket, "bind", _refused)


def _refused(*_: object) -> NoReturn:
    raise AssertionError("a test of the inner rings must not open a connection")
