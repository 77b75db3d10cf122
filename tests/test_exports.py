"""What `import rtnb` gives, and what it costs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import rtnb

HEAVY = [
    "IPython",
    "anywidget",
    "asyncio",
    "azure",
    "ipywidgets",
    "matplotlib",
    "numpy",
    "pandas",
    "pyarrow",
    "websockets",
]


def fresh(code: str) -> str:
    """Run code in a fresh interpreter and return what it prints."""
    run = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(rtnb.__file__).parents[1],
        timeout=60,
    )
    return run.stdout.strip()


@pytest.mark.parametrize("name", rtnb.__all__)
def test_every_public_name_loads(name: str) -> None:
    """And is listed."""
    assert getattr(rtnb, name) is not None
    assert name in dir(rtnb)


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    """As of any module."""
    with pytest.raises(AttributeError, match="conect"):
        rtnb.conect  # type: ignore[attr-defined]  # noqa: B018


def test_the_import_loads_nothing_heavy_and_starts_nothing() -> None:
    """In a fresh interpreter: none of the large packages, and no thread."""
    code = f"import sys, threading, rtnb; print(sorted(set({HEAVY!r}) & set(sys.modules)), threading.active_count())"
    assert fresh(code) == "[] 1"


@pytest.mark.parametrize("name", ["connect", "Timeline", "AudioClip", "Response", "open"])
def test_the_first_use_loads_no_notebook_machinery(name: str) -> None:
    """Connecting does not draw, and nothing of Azure is loaded before it is wanted."""
    heavy = ["IPython", "anywidget", "azure", "ipywidgets", "matplotlib", "pandas", "pyarrow"]
    code = f"import sys, threading, rtnb; rtnb.{name}; print(sorted(set({heavy!r}) & set(sys.modules)), threading.active_count())"
    assert fresh(code) == "[] 1"


def test_the_package_is_typed() -> None:
    """py.typed is there, and so is a version."""
    assert (Path(rtnb.__file__).parent / "py.typed").exists()
    assert rtnb.__version__
