"""The shipped notebooks run from top to bottom on the local service, in both dialects."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).resolve().parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


def run(path: Path, folder: Path, dialect: str) -> Any:
    """Execute a copy of a notebook in `folder`, each `rtnb.connect()` speaking `dialect`."""
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.source = re.sub(r"rtnb\.connect\(\)", f"rtnb.connect(dialect={dialect!r})", cell.source)
    NotebookClient(notebook, timeout=60, kernel_name="python3", resources={"metadata": {"path": str(folder)}}).execute()
    return notebook


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("dialect", ["ga", "preview"])
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs_top_to_bottom(path: Path, dialect: str, tmp_path: Path) -> None:
    """Every cell runs, answers are heard, and what is shown stays small enough to open."""
    executed = run(path, tmp_path, dialect)
    shown = [output for cell in executed.cells for output in cell.get("outputs", [])]
    assert not [output for output in shown if output.output_type == "error"]
    html = [str(output.data.get("text/html", "")) for output in shown if "data" in output]
    assert any("<audio" in each and "completed" not in each for each in html)
    assert any("image/png" in output.data for output in shown if "data" in output)
    assert len(nbformat.writes(executed)) < 5_000_000


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_is_committed_without_outputs(path: Path) -> None:
    """Nothing that a machine produced is in the repository."""
    notebook = nbformat.read(path, as_version=4)
    assert [cell for cell in notebook.cells if cell.get("outputs") or cell.get("execution_count")] == []


def test_there_is_a_first_minute() -> None:
    """The notebook that the README names is there."""
    assert FOLDER / "01_first_minute.ipynb" in NOTEBOOKS
