"""The conversation on its own in a real front end: one view that stays, hostile words that do nothing, sound on demand."""

from __future__ import annotations

import json

import nbformat
from browser.lab import Lab
from playwright.sync_api import expect

MARKUP = '<img src=x onerror="window.planted=1"><script>window.planted=1</script>\u202eevil'


def test_it_stays_one_view_and_is_kept(lab: Lab) -> None:
    """Its last state goes into the notebook's file while it is on show, and it is not drawn twice for that."""
    notebook = lab.open(
        ["import rtnb; session = rtnb.connect('local')\nview = rtnb.ui.ConversationView(session)\nview", "None"]
    )
    notebook.run_all()
    shown = notebook.output(0)
    notebook.eval_kernel("session.ask('Count from one to five, please.')")
    expect(shown.locator(".rtnb-turn")).to_have_count(2)
    notebook.wait_kernel("view._settled")
    expect(shown.locator(".rtnb-conversation")).to_have_count(1)
    expect(shown.locator(".rtnb-turn")).to_have_count(2)
    saved = notebook.save()
    assert "Count from one to five" in json.dumps(nbformat.from_dict(saved))
    assert "four" in "".join(output["data"].get("text/html", "") for output in saved.cells[0].outputs)
    assert notebook.console_errors == []


def test_hostile_words_are_words(lab: Lab) -> None:
    """Markup in what was said is shown as text, live and in what is kept; nothing runs, and nothing is fetched."""
    notebook = lab.open(
        [f"import rtnb; session = rtnb.connect('local')\nsession.add_message({MARKUP!r})\nsession.panel()"]
    )
    notebook.run_all()
    expect(notebook.output(0).locator(".rtnb-turn")).to_contain_text("<script>window.planted=1</script>\\u202eevil")
    assert notebook.page.evaluate("() => window.planted") is None
    assert notebook.page.locator("img[src=x]").count() == 0
    assert notebook.foreign_requests == []
    assert notebook.console_errors == []
