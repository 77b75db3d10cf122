"""The house as the code shows it: imports point downward, names are spelled once, files and functions stay readable."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from pathlib import Path

import pytest

import rtnb
from rtnb.protocol.names import GA_NAME, Kind

ROOT = Path(rtnb.__file__).parent
TESTS = Path(__file__).parent

# The longest prefix of a module's name decides.
LAYERS = {
    "rtnb.errors": 0,
    "rtnb.formatting": 0,
    "rtnb.protocol": 1,
    "rtnb.audio": 1,
    "rtnb.timeline": 2,
    "rtnb.conversation": 2,
    "rtnb.client": 3,
    "rtnb.client.async_session": 4,
    "rtnb.service": 4,
    "rtnb.notebook.session": 5,
    "rtnb.notebook": 6,
    "rtnb": 7,
}
# Where a data object offers plot() or play(), and a session its widgets, it borrows from above: one line each.
DELEGATES = {"plot", "play", "panel", "microphone", "listen"}
NOT_BELOW_3 = {"asyncio", "websockets", "IPython", "ipywidgets", "anywidget", "matplotlib"}
ONLY_IN_NOTEBOOK = {"IPython", "ipywidgets", "anywidget", "matplotlib"}
EVENT_NAMES = {str(name) for name in [*Kind, *GA_NAME] if "." in name}
MODULES = sorted(ROOT.rglob("*.py"))


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def layer(module: str) -> int:
    return LAYERS[max((prefix for prefix in LAYERS if f"{module}.".startswith(f"{prefix}.")), key=len)]


@functools.cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def for_types_only(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def imports(node: ast.AST) -> Iterator[str]:
    """Yield the modules that a tree imports when it runs, delegates left out."""
    for child in ast.iter_child_nodes(node):
        if for_types_only(child) or (isinstance(child, ast.FunctionDef) and child.name in DELEGATES):
            continue
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom) and child.module:
            for alias in child.names:
                deeper = f"{child.module}.{alias.name}"
                yield deeper if deeper in KNOWN else child.module
        else:
            yield from imports(child)


KNOWN = {name_of(path) for path in MODULES}
modules = pytest.mark.parametrize("path", MODULES, ids=name_of)


@modules
def test_imports_point_downward(path: Path) -> None:
    """Never to a higher layer; client and service never meet below the composition root."""
    module = name_of(path)
    if module == "rtnb":
        pytest.skip("the public names are loaded lazily")
    for imported in imports(tree_of(path)):
        if imported.split(".")[0] == "rtnb" and imported != "rtnb":
            assert layer(imported) <= layer(module), f"{module} imports {imported}"
        for one, other in (("rtnb.client", "rtnb.service"), ("rtnb.service", "rtnb.client")):
            assert not (module.startswith(one) and imported.startswith(other)), f"{module} imports {imported}"


@modules
def test_the_core_does_no_io_and_draws_nothing(path: Path) -> None:
    """No event loop and no network below layer 3; no drawing below the notebook."""
    module = name_of(path)
    roots = {imported.split(".")[0] for imported in imports(tree_of(path))}
    if layer(module) < 3:
        assert not roots & NOT_BELOW_3
    if layer(module) < 6:
        assert not roots & ONLY_IN_NOTEBOOK


@modules
def test_an_event_name_is_spelled_only_in_the_protocol(path: Path) -> None:
    """One spelling for each; everybody else says Kind."""
    if name_of(path).startswith("rtnb.protocol"):
        pytest.skip("here they are spelled")
    spelled = {
        node.value for node in ast.walk(tree_of(path)) if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert not spelled & EVENT_NAMES


def test_no_imports_go_in_a_circle() -> None:
    """Modules form a tree of needs."""
    needs = {name_of(path): {each for each in imports(tree_of(path)) if each in KNOWN} for path in MODULES}
    for module in needs:  # a package's own __init__ re-exports from inside it
        needs[module] -= {module, "rtnb"}
    settled: set[str] = set()
    while ready := {module for module, wanted in needs.items() if module not in settled and wanted <= settled}:
        settled |= ready
    assert set(needs) - settled == set()


@modules
def test_files_and_functions_stay_readable(path: Path) -> None:
    """Below 400 lines a file, below 40 a function's body."""
    assert len(path.read_text("utf-8").splitlines()) < 400
    for node in ast.walk(tree_of(path)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            body = node.body[1:] if ast.get_docstring(node) is not None and len(node.body) > 1 else node.body
            lines = (body[-1].end_lineno or 0) - body[0].lineno + 1
            assert lines < 40, f"{node.name} has {lines} lines"


@pytest.mark.parametrize(
    "path",
    sorted(set(TESTS.rglob("*.py")) - set(TESTS.glob("bench/*.py"))),
    ids=lambda path: str(path.relative_to(TESTS)),
)
def test_tests_do_not_sleep(path: Path) -> None:
    """They wait for a condition; only sleep(0) lets a loop turn."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "sleep":
            (duration,) = node.args
            assert isinstance(duration, ast.Constant), f"line {node.lineno}"
            assert duration.value == 0, f"line {node.lineno}"
