"""The house as the code shows it: imports point downward, names are spelled once, files and functions stay readable."""

from __future__ import annotations

import ast
import functools
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

import rtnb
from rtnb.protocol.catalog import VOICES
from rtnb.protocol.names import GA_NAME, Kind

ROOT = Path(rtnb.__file__).parent
TESTS = Path(__file__).parent

# A room is a folder of rtnb/, or a module of its own at the top. What is not listed belongs to the composition root.
LAYERS = {
    "version": 0,
    "errors": 0,
    "formatting": 0,
    "display": 0,
    "protocol": 1,
    "audio": 1,
    "timeline": 2,
    "conversation": 2.5,
    "client": 3,
    "service": 3,
    "notebook": 4,
}
ROOT_LAYER = 5
NOT_BELOW_3 = {"asyncio", "websockets", "IPython", "ipywidgets", "anywidget", "matplotlib"}
ONLY_IN_NOTEBOOK = {"IPython", "ipywidgets", "anywidget", "matplotlib"}
EVENT_NAMES = {str(name) for name in [*Kind, *GA_NAME] if "." in name}
MODELS = ("gpt-", "whisper-")
MODULES = sorted(ROOT.rglob("*.py"))


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room(module: str) -> str:
    """Return the room of a module of rtnb; the modules of the composition root share one."""
    name = module.split(".")[1] if "." in module else ""
    return name if name in LAYERS else ""


def layer(module: str) -> float:
    return LAYERS.get(room(module), ROOT_LAYER)


@functools.cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def for_types_only(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def imports(node: ast.AST) -> Iterator[str]:
    """Yield the modules that a tree imports when it runs, in functions too; imports for types only do not run."""
    for child in ast.iter_child_nodes(node):
        if for_types_only(child):
            continue
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom) and child.module:
            for alias in child.names:
                deeper = f"{child.module}.{alias.name}"
                yield deeper if deeper in KNOWN else child.module
        else:
            yield from imports(child)


def strings(tree: ast.AST) -> set[str]:
    """Return the string constants of a tree, the keys of dicts left out."""
    keys = {key for node in ast.walk(tree) if isinstance(node, ast.Dict) for key in node.keys}
    return {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in keys
    }


KNOWN = {name_of(path) for path in MODULES}
modules = pytest.mark.parametrize("path", MODULES, ids=name_of)


@modules
def test_imports_point_downward(path: Path) -> None:
    """To a lower layer or within the room; so client and service never meet."""
    module = name_of(path)
    for imported in imports(tree_of(path)):
        if imported.split(".")[0] == "rtnb" and room(imported) != room(module):
            assert layer(imported) < layer(module), f"{module} imports {imported}"


def test_no_imports_go_in_a_circle() -> None:
    """Modules form a tree of needs, imports inside functions and the packages' own included."""
    needs = {name_of(path): {each for each in imports(tree_of(path)) if each in KNOWN} for path in MODULES}
    settled: set[str] = set()
    while ready := {module for module, wanted in needs.items() if module not in settled and wanted <= settled}:
        settled |= ready
    assert set(needs) - settled == set()


@modules
def test_the_core_does_no_io_and_draws_nothing(path: Path) -> None:
    """No event loop and no network below layer 3; no drawing outside the notebook."""
    module = name_of(path)
    roots = {imported.split(".")[0] for imported in imports(tree_of(path))}
    if layer(module) < 3:
        assert not roots & NOT_BELOW_3
    if room(module) != "notebook":
        assert not roots & ONLY_IN_NOTEBOOK


def test_a_class_name_stands_once() -> None:
    """One name, one concept: no public class is defined in two modules."""
    places: dict[str, list[str]] = defaultdict(list)
    for path in MODULES:
        for node in tree_of(path).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(name_of(path))
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


@modules
def test_a_private_name_stays_in_its_module(path: Path) -> None:
    """None is imported from another module (attributes are ruff's SLF001)."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "rtnb":
            private = [each.name for each in node.names if each.name.startswith("_") and not each.name.endswith("__")]
            assert private == [], f"line {node.lineno}"


@modules
def test_only_the_dialects_ask_which_dialect_it_is(path: Path) -> None:
    """Nothing else compares a dialect, or its name, with anything: a difference is a field of its own."""
    if name_of(path) == "rtnb.protocol.dialects":
        pytest.skip("here they are")
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Compare):
            for side in map(ast.unparse, (node.left, *node.comparators)):
                assert side not in ("GA", "PREVIEW"), f"line {node.lineno}"
                assert not side.endswith("dialect.name"), f"line {node.lineno}"


@modules
def test_voices_and_models_are_named_only_in_the_catalog(path: Path) -> None:
    """An engine's table may have the voices as its keys."""
    if name_of(path) == "rtnb.protocol.catalog":
        pytest.skip("here they are named")
    named = strings(tree_of(path))
    assert {each for each in named if each in VOICES or (each.startswith(MODELS) and " " not in each)} == set()


@modules
def test_an_event_name_is_spelled_only_in_the_protocol(path: Path) -> None:
    """One spelling for each; everybody else says Kind."""
    if name_of(path).startswith("rtnb.protocol"):
        pytest.skip("here they are spelled")
    spelled = {
        node.value for node in ast.walk(tree_of(path)) if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert not spelled & EVENT_NAMES


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
