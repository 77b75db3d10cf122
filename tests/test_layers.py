"""The house as the code shows it: imports point downward, names are spelled once, files and functions stay readable."""

from __future__ import annotations

import ast
import functools
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

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


@functools.cache
def imports(tree: ast.Module) -> frozenset[str]:
    """Return the modules that a tree imports when it runs, in functions too; imports for types only do not run."""
    return frozenset(imports_of(tree))


def imports_of(node: ast.AST) -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        if for_types_only(child) or isinstance(child, ast.expr):
            continue
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom) and child.module:
            for alias in child.names:
                deeper = f"{child.module}.{alias.name}"
                yield deeper if deeper in KNOWN else child.module
        else:
            yield from imports_of(child)


def strings(tree: ast.AST) -> set[str]:
    """Return the string constants of a tree, the keys of dicts left out."""
    keys = {key for node in ast.walk(tree) if isinstance(node, ast.Dict) for key in node.keys}
    return {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in keys
    }


KNOWN = {name_of(path) for path in MODULES}


def at_fault(
    check: Callable[[str, ast.Module], Iterable[object]], paths: Iterable[Path] = MODULES
) -> dict[str, list[object]]:
    """Return what a check finds wrong, for each file in which it finds something."""
    found = {name_of(path): list(check(name_of(path), tree_of(path))) for path in paths}
    return {name: wrong for name, wrong in found.items() if wrong}


def test_imports_point_downward() -> None:
    """To a lower layer or within the room; so client and service never meet."""

    def upward(module: str, tree: ast.Module) -> Iterator[str]:
        for imported in imports(tree):
            ours = imported.split(".")[0] == "rtnb" and room(imported) != room(module)
            if ours and layer(imported) >= layer(module):
                yield imported

    assert at_fault(upward) == {}


def test_no_imports_go_in_a_circle() -> None:
    """Modules form a tree of needs, imports inside functions and the packages' own included."""
    needs = {name_of(path): {each for each in imports(tree_of(path)) if each in KNOWN} for path in MODULES}
    settled: set[str] = set()
    while ready := {module for module, wanted in needs.items() if module not in settled and wanted <= settled}:
        settled |= ready
    assert set(needs) - settled == set()


def test_the_core_does_no_io_and_draws_nothing() -> None:
    """No event loop and no network below layer 3; no drawing outside the notebook."""

    def out_of_place(module: str, tree: ast.Module) -> set[str]:
        roots = {imported.split(".")[0] for imported in imports(tree)}
        io = roots & NOT_BELOW_3 if layer(module) < 3 else set()
        return io | (roots & ONLY_IN_NOTEBOOK if room(module) != "notebook" else set())

    assert at_fault(out_of_place) == {}


def test_a_class_name_stands_once() -> None:
    """One name, one concept: no public class is defined in two modules."""
    places: dict[str, list[str]] = defaultdict(list)
    for path in MODULES:
        for node in tree_of(path).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(name_of(path))
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


def test_a_private_name_stays_in_its_module() -> None:
    """None is imported from another module (attributes are ruff's SLF001)."""

    def private(_: str, tree: ast.Module) -> Iterator[str]:
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "rtnb":
                names = [each.name for each in node.names]
                yield from (name for name in names if name.startswith("_") and not name.endswith("__"))

    assert at_fault(private) == {}


def test_only_the_dialects_ask_which_dialect_it_is() -> None:
    """Nothing else compares a dialect, or its name, with anything: a difference is a field of its own."""

    def asked(module: str, tree: ast.Module) -> Iterator[str]:
        compared = [node for node in ast.walk(tree) if isinstance(node, ast.Compare)]
        for node in compared if module != "rtnb.protocol.dialects" else ():
            for side in map(ast.unparse, (node.left, *node.comparators)):
                if side in ("GA", "PREVIEW") or side.endswith("dialect.name"):
                    yield f"line {node.lineno}: {ast.unparse(node)}"

    assert at_fault(asked) == {}


def test_voices_and_models_are_named_only_in_the_catalog() -> None:
    """An engine's table may have the voices as its keys."""

    def named(module: str, tree: ast.Module) -> set[str]:
        found = {each for each in strings(tree) if each in VOICES or (each.startswith(MODELS) and " " not in each)}
        return found if module != "rtnb.protocol.catalog" else set()

    assert at_fault(named) == {}


def test_an_event_name_is_spelled_only_in_the_protocol() -> None:
    """One spelling for each; other rooms say Kind."""

    def spelled(module: str, tree: ast.Module) -> set[str]:
        constants = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
        return set() if module.startswith("rtnb.protocol") else EVENT_NAMES & constants

    assert at_fault(spelled) == {}


def test_files_and_functions_stay_readable() -> None:
    """Below 400 lines a file, below 40 a function's body."""
    lengths = {name_of(path): len(path.read_text("utf-8").splitlines()) for path in MODULES}
    assert {name: length for name, length in lengths.items() if length >= 400} == {}

    def too_long(_: str, tree: ast.Module) -> Iterator[str]:
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                body = node.body[1:] if ast.get_docstring(node) is not None and len(node.body) > 1 else node.body
                lines = (body[-1].end_lineno or 0) - body[0].lineno + 1
                if lines >= 40:
                    yield f"{node.name} has {lines} lines"

    assert at_fault(too_long) == {}


def test_tests_do_not_sleep() -> None:
    """They wait for a condition; only sleep(0) lets a loop turn."""

    def sleeps(path: Path) -> Iterator[int]:
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "sleep":
                (duration,) = node.args
                if not isinstance(duration, ast.Constant) or duration.value != 0:
                    yield node.lineno

    tests = {
        path for path in TESTS.rglob("*.py") if path.parent.name != "bench" and "sleep(" in path.read_text("utf-8")
    }
    assert {str(path.relative_to(TESTS)): found for path in tests if (found := list(sleeps(path)))} == {}
