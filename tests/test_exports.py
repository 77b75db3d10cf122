"""What `import rtnb` gives, and what it costs."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import rtnb
import rtnb.audio
import rtnb.timeline
import rtnb.ui

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


CLASSES = {
    node.name
    for path in Path(rtnb.__file__).parent.rglob("*.py")
    for node in ast.parse(path.read_text("utf-8")).body
    if isinstance(node, ast.ClassDef)
}


@pytest.mark.parametrize("name", [*rtnb.__all__, "open"])
def test_every_public_name_loads(name: str) -> None:
    """And is listed."""
    assert getattr(rtnb, name) is not None
    assert name in dir(rtnb)


def test_importing_all_names_leaves_the_builtin_open_alone() -> None:
    """rtnb.open is called with its module's name."""
    names: dict[str, object] = {}
    exec("from rtnb import *; opened = open", names)
    assert names["opened"] is open
    assert rtnb.open is not open


@pytest.mark.parametrize("name", [each for each in rtnb.__all__ if inspect.isclass(getattr(rtnb, each))])
def test_what_a_public_class_returns_is_public(name: str) -> None:
    """A user can name, in rtnb or one of its rooms, the class of everything that a method or property returns."""
    public = {*rtnb.__all__, *rtnb.ui.__all__, *rtnb.audio.__all__, *rtnb.timeline.__all__}
    for attribute, member in inspect.getmembers(getattr(rtnb, name)):
        function = member.fget if isinstance(member, property) else member
        if not attribute.startswith("_") and inspect.isfunction(function):
            returned = {*re.findall(r"\w+", str(function.__annotations__.get("return", "")))}
            assert returned & CLASSES <= public, attribute


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
