"""A response on its way in a real front end: it grows, then stands there finished, and a waiting cell shows it once."""

from __future__ import annotations

from browser.lab import Lab
from playwright.sync_api import expect

CONNECT = "import rtnb; session = rtnb.connect('local', pace=1)"
ASK = "'Count from one to twenty, please.'"


def test_a_live_response_grows_and_becomes_the_finished_one(lab: Lab) -> None:
    """Words and waveform come while the kernel is free for other cells; then the finished response takes their place."""
    notebook = lab.open([CONNECT, f"r = session.ask({ASK}, wait=False)\nr", "r.done"])
    notebook.run_all()
    shown = notebook.output(1)
    view = shown.locator(".rtnb-response")
    expect(view).to_have_count(1)
    expect(view.locator(".rtnb-words")).to_contain_text("One")
    notebook.page.wait_for_function(
        """() => {
          const canvas = document.querySelector(".rtnb-response canvas");
          if (!canvas?.width) return false;
          const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
          for (let at = 0; at < pixels.length; at += 4) if (pixels[at] > 100 && pixels[at + 2] > 150 && pixels[at + 3] > 200) return true;
          return false;
        }"""
    )
    expect(notebook.output(2)).to_contain_text("False")
    notebook.screenshot("response-live", theme="dark", width=600)
    expect(shown.locator("audio")).to_have_count(1, timeout=60_000)
    expect(view).to_have_count(0)
    expect(shown).to_contain_text("twenty")
    notebook.screenshot("response-finished")


def test_a_waiting_cell_shows_the_response_once(lab: Lab) -> None:
    """While ask waits the response is on show; afterwards only the cell's value is."""
    notebook = lab.open([CONNECT, f"session.ask({ASK})"])
    notebook.run(0)
    notebook.run(1, wait=False)
    shown = notebook.output(1)
    expect(shown.locator(".rtnb-response .rtnb-words")).to_contain_text("One")
    notebook.wait_idle()
    expect(shown.locator("audio")).to_have_count(1, timeout=60_000)
    expect(shown.locator(".rtnb-response")).to_have_count(0)
    assert shown.inner_text().count("twenty") == 1
    assert notebook.console_errors == []
