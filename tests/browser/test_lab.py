"""The ground that the browser tests stand on."""

from __future__ import annotations

import asyncio

from browser.lab import Lab
from playwright.sync_api import expect


def test_cells_run_in_the_front_end(lab: Lab) -> None:
    """Cells run in JupyterLab, their outputs are found, the kernel can be asked, and nothing else is heard."""
    notebook = lab.open(["x = 20 + 3", "x"])
    notebook.run_all()
    expect(notebook.output(1)).to_contain_text("23")
    assert notebook.eval_kernel("print(x); x + 1") == "23\n24"
    assert notebook.console_errors == []
    assert notebook.foreign_requests == []


def test_what_goes_wrong_is_counted(lab: Lab) -> None:
    """An error in the page's console and a request to another host are seen."""
    notebook = lab.open(
        [
            "from IPython.display import HTML\n"
            'HTML(\'<img src="https://example.test/x.png"><script>console.error("planted")</script>\')'
        ]
    )
    with notebook.page.expect_console_message(lambda message: "planted" in message.text):
        notebook.run_all()
    expect(notebook.output(0).locator("img")).to_be_attached()
    assert notebook.foreign_requests == ["https://example.test/x.png"]
    assert any("planted" in error for error in notebook.console_errors)


async def test_coroutines_run_beside_the_browser() -> None:
    """The browser's driver leaves tests that are coroutines alone."""
    await asyncio.sleep(0)
