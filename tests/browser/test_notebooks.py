"""The shipped notebooks in a real front end: live, reopened without their kernel, exported, and in Notebook 7."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from browser.lab import Lab, export
from playwright.sync_api import Locator, expect

FOLDER = Path(__file__).resolve().parents[2] / "notebooks"


def test_the_first_notebook_runs_in_jupyterlab(lab: Lab) -> None:
    """Run All: every cell shows something readable, the page writes no error, and no other host is asked for anything."""
    shutil.copy(FOLDER / "01_first_minute.ipynb", lab.folder)
    notebook = lab.open_file("01_first_minute.ipynb")
    notebook.run_all()
    expect(notebook.page.get_by_text("completed").first).to_be_visible()
    expect(notebook.page.locator("audio").first).to_be_attached()
    for theme, width in (("light", 1400), ("dark", 1400), ("light", 600), ("dark", 600)):
        notebook.screenshot("notebook-01", theme, width)
    assert notebook.console_errors == []
    assert notebook.foreign_requests == []


def test_a_cell_queued_behind_a_waiting_ask_runs(lab: Lab) -> None:
    """Run All with a blocking ask in the middle: the cells after it wait their turn, run, and see the answer."""
    notebook = lab.open(
        [
            "import rtnb; session = rtnb.connect('local', pace=20)",
            "response = session.ask('Count from one to five.')\nresponse",
            "print(response.status, len(response.audio) > 0)",
            "session.close(); print(session.state)",
        ]
    )
    notebook.run_all()
    expect(notebook.output(1)).to_contain_text("One, two, three, four, five.")
    expect(notebook.output(2)).to_contain_text("completed True")
    expect(notebook.output(3)).to_contain_text("closed")
    assert notebook.console_errors == []


def test_a_notebook_without_its_kernel_shows_the_last_state(lab: Lab) -> None:
    """Reopened with another kernel, and exported as a page, the notebook shows what was there: words, sound, tables."""
    notebook = lab.open(
        [
            "import rtnb; session = rtnb.connect('local')",
            "session.ask('Count from one to five.')",
            "growing = session.ask('Please assist the user.', wait=False)\ngrowing",
            "growing.wait(); session",
            "session.timeline",
        ]
    )
    notebook.run_all()
    expect(notebook.output(2)).to_contain_text("Of course! How can I assist you today?")
    notebook.save()

    lab.close()
    again = lab.open_file(notebook.path)
    shows_the_last_state(again.output(1), again.output(2), again.output(3), again.output(4))
    again.screenshot("reopened")
    assert again.console_errors == []
    assert again.foreign_requests == []

    page = lab.page(export(notebook.file))
    outputs = page.locator(".jp-Cell-outputArea")
    shows_the_last_state(*(outputs.nth(index) for index in range(4)))


def shows_the_last_state(counted: Locator, assisted: Locator, session: Locator, timeline: Locator) -> None:
    """Both answers with their sound, the session, and its table can be read."""
    for answer, words in ((counted, "One, two, three, four, five."), (assisted, "How can I assist you today?")):
        expect(answer).to_contain_text(words)
        expect(answer.locator("audio")).to_be_attached()
        expect(answer.locator("svg, img").first).to_be_visible()
    expect(session).to_contain_text("Realtime session")
    expect(timeline).to_contain_text("response.done")


def test_notebook_7_shows_the_same(lab: Lab) -> None:
    """In Notebook 7 an answer is shown as in JupyterLab."""
    pytest.importorskip("notebook", reason="Notebook 7 is missing: pip install notebook")
    notebook = lab.open(["import rtnb; session = rtnb.connect('local')", "session.ask('Hello')"], route="notebooks")
    notebook.console_errors.clear()  # what Notebook 7 says of itself while it starts
    notebook.run_all()
    expect(notebook.output(1).locator("audio")).to_be_attached()
    notebook.screenshot("notebook-7")
    assert notebook.foreign_requests == []
    assert notebook.console_errors == []
