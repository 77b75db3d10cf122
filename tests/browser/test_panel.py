"""The panel in a real front end: it holds a text turn, panels agree, and a reopened notebook shows what it showed last."""

from __future__ import annotations

import nbformat
from browser.lab import Lab, Notebook
from playwright.sync_api import Locator, expect

CONNECT = "import rtnb; session = rtnb.connect('local')"


def send(panel: Locator, text: str) -> None:
    box = panel.get_by_label("message to the model")
    box.fill(text)
    box.press("Enter")


def turns(panel: Locator, role: str) -> Locator:
    return panel.locator(f'.rtnb-turn[data-role="{role}"]')


def finished(panel: Locator, answers: int) -> None:
    expect(turns(panel, "assistant")).to_have_count(answers)
    expect(panel.locator(".rtnb-turn.rtnb-live")).to_have_count(0)


def test_the_panel_holds_a_text_turn(lab: Lab) -> None:
    """Enter sends; question and answer appear, the answer with transcript, waveform, player and figures."""
    notebook = lab.open([CONNECT, "session.panel()"])
    notebook.run_all()
    panel = notebook.output(1)
    send(panel, "Count from one to five, please.")
    expect(turns(panel, "user")).to_contain_text("Count from one to five")
    finished(panel, 1)
    expect(turns(panel, "assistant")).to_contain_text("five")
    expect(turns(panel, "assistant").locator(".rtnb-note")).to_contain_text("first audio")
    expect(panel.get_by_label("message to the model")).to_be_focused()
    assert "five" in notebook.eval_kernel("print(session.responses[-1].transcript)")
    play = turns(panel, "assistant").get_by_role("button")
    play.click()
    expect(play).to_have_text("■")
    expect(panel.locator(".rtnb-log")).to_contain_text("response.done")
    assert notebook.console_errors == []
    assert notebook.foreign_requests == []
    for theme in ("light", "dark"):
        for width in (1400, 600):
            notebook.screenshot("panel", theme=theme, width=width)


def test_two_panels_agree(lab: Lab) -> None:
    """What is said and set in one panel is seen in the other, and in code."""
    notebook = lab.open([CONNECT, "session.panel()", "session.panel()"])
    notebook.run_all()
    first, second = notebook.output(1), notebook.output(2)
    send(first, "Hello")
    finished(second, 1)
    send(second, "Count from one to three, please.")
    finished(first, 2)
    assert turns(first, "assistant").all_inner_texts() == turns(second, "assistant").all_inner_texts()
    first.get_by_label("Instructions").fill("Answer in one word.")
    first.get_by_role("button", name="Apply").click()
    expect(second.get_by_label("Instructions")).to_have_value("Answer in one word.")
    assert notebook.eval_kernel("print(session.config['instructions'])").strip() == "Answer in one word."
    assert notebook.console_errors == []


def kept(notebook: Notebook, cell: int) -> Locator:
    return notebook.output(cell).locator("[class^=rtnb-kept]")


def test_the_reopened_notebook_shows_its_last_state(lab: Lab) -> None:
    """Saved, and opened again with another kernel, the notebook shows the conversation without the widget."""
    notebook = lab.open([CONNECT, "panel = session.panel()\npanel"])
    notebook.run_all()
    expect(kept(notebook, 1)).to_be_hidden()
    send(notebook.output(1), "Count from one to five, please.")
    finished(notebook.output(1), 1)
    expect(kept(notebook, 1)).to_contain_text("Count from one to five")
    expect(kept(notebook, 1)).to_contain_text("tokens")
    saved = notebook.save()
    saved.metadata.pop("widgets", None)
    nbformat.write(saved, notebook.file)
    name = notebook.path
    lab.close()
    again = lab.open_file(name)
    expect(again.output(1)).to_contain_text("Count from one to five")
    expect(kept(again, 1)).to_be_visible()
    again.screenshot("panel-reopened")
