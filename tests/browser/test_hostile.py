"""Whatever a service sends is shown as text: nothing of it runs, and nothing of it makes the browser ask another host."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from browser.hostile_service import FEW, PLANTS, HostileService
from browser.lab import Lab, Notebook, export
from playwright.sync_api import expect

GROWN = """() => [...document.querySelectorAll(".jp-Cell-outputArea, .jp-OutputArea-output")].flatMap(area =>
  [...area.querySelectorAll("*")].filter(element =>
    // JupyterLab makes links of addresses in plain text: they stay where they are until somebody clicks.
    !(element.matches("a[rel=noopener]") && element.textContent === element.getAttribute("href"))
  ).filter(element =>
    element.matches("script:not([type^='application/']), iframe, link, marquee, object, embed, [srcdoc], svg[onload], mjx-container")
    || [...element.attributes].some(({ name, value }) => name.startsWith("on") || /^\\s*javascript:/i.test(value)
      || /^(src|srcset|href|xlink:href|style|action|data|poster|background)$/.test(name) && value.includes("elsewhere.test"))
  ).map(element => element.outerHTML.slice(0, 300)))"""
UNSEEN = """() => [...document.querySelectorAll(".jp-OutputArea-output")].flatMap(area =>
  area.textContent.match(/.{0,40}[\\u202a-\\u202e\\u2066-\\u2069\\u200b\\ufeff\\u0007\\u001b].{0,40}/gu) ?? [])"""
TOUCH = """() => {
  for (const element of document.querySelectorAll(".jp-OutputArea-output *"))
    for (const type of ["pointerover", "mouseover", "mouseenter", "focus"])
      element.dispatchEvent(new MouseEvent(type, { bubbles: true }));
  for (const row of document.querySelectorAll(".rtnb-log-row:not([hidden])")) row.click();
  for (const folded of document.querySelectorAll(".jp-OutputArea-output details")) folded.open = true;
}"""
OPEN = """
import rtnb
from IPython.display import display
sessions, answers = [], []
for _ in range({count}):
    session = rtnb.connect({url!r}, timeout=10)
    session.append_audio(rtnb.AudioClip.silence(0.1, 24_000))
    session.commit()
    sessions.append(session)
    answers.append(session.ask("hello", timeout=10))
"""


@pytest.fixture
def hostile(request: pytest.FixtureRequest) -> Iterator[HostileService]:
    """A service that plants things."""
    started = HostileService(request.param)
    yield started
    started.stop()


def unharmed(notebook: Notebook) -> None:
    """Nothing ran, nothing of another host was asked for, and no planted markup became an element."""
    assert notebook.page.evaluate("() => window.__pwned") is None
    grown = notebook.page.evaluate(GROWN)
    assert grown == [], "\n".join(grown[:20])
    unseen = notebook.page.evaluate(UNSEEN)
    assert unseen == [], "\n".join(map(ascii, unseen[:20]))
    assert notebook.foreign_requests == []
    assert notebook.console_errors == []


@pytest.mark.parametrize("hostile", [PLANTS], ids=["each"], indirect=True)
def test_hostile_values_show_as_text(lab: Lab, hostile: HostileService) -> None:
    """Session, response, timeline, counts, events, pictures and tracebacks show what was planted, harmlessly."""
    notebook = lab.open(
        [
            OPEN.format(url=hostile.url, count=len(PLANTS)),
            "display(*sessions, *(s.conversation for s in sessions), *(s.endpoint for s in sessions))",
            "display(*answers, *(r.error for r in answers), *(r.items for r in answers), *(r.usage for r in answers))",
            "display(*(s.timeline for s in sessions), *(s.timeline.counts() for s in sessions))",
            "display(*(e for s in sessions for e in s.timeline))",
            "display(*(s.timeline.plot() for s in sessions))",
            "import time\n"
            "for s in sessions: s.send({'type': 'input_audio_buffer.clear'})\n"
            "while any(s.closed is None for s in sessions): time.sleep(0.01)\n"
            "paths = [s.save(f'hostile-{n}.rtnb.jsonl') for n, s in enumerate(sessions)]\n"
            "opened = [rtnb.open(path) for path in paths]\n"
            "display(*opened, *(r for each in opened for r in each.responses))",
            "try:\n    raise answers[0].error\nfinally:\n    sessions[0].ask('again', timeout=5)",
        ]
    )
    for index in range(7):
        notebook.run(index)
        if index not in (0, 5):
            expect(notebook.output(index)).to_contain_text("<script>window.__pwned")
    assert notebook.output(5).locator("img").count() == len(PLANTS)
    notebook.run(7, errors=True)
    expect(notebook.output(7)).to_contain_text("SessionClosed")
    expect(notebook.output(7)).to_contain_text("ServerError")
    notebook.screenshot("hostile")
    unharmed(notebook)

    notebook.save()
    page = lab.page(export(notebook.file))
    expect(page.locator("body")).to_contain_text("<script>window.__pwned")
    assert page.evaluate("() => window.__pwned") is None
    assert (
        page.locator("marquee, iframe, img[onerror], svg[onload], link[href*=elsewhere], img[src*=elsewhere]").count()
        == 0
    )


@pytest.mark.parametrize("hostile", [FEW], ids=["few"], indirect=True)
def test_hostile_content_is_text_in_every_live_view(lab: Lab, hostile: HostileService) -> None:
    """The widgets show what was planted as text, also where one points, clicks and types."""
    notebook = lab.open(
        [
            OPEN.format(url=hostile.url, count=len(FEW)),
            "from rtnb.ui import EventLog, SessionPanel, TimelineView\nlogs = [EventLog(s) for s in sessions]\ndisplay(*logs)",
            "lines = [TimelineView(s) for s in sessions]\ndisplay(*lines)",
            "panels = [SessionPanel(s) for s in sessions]\ndisplay(*panels)",
            "growing = [s.ask('again', wait=False) for s in sessions]\ndisplay(*growing)",
            "for s in sessions: s.send({'type': 'input_audio_buffer.clear'})\n"
            "display(*(view.snapshot() for view in logs + lines))",
        ],
        height=3000,
    )
    for index in range(5):
        notebook.run(index)
    for index in (1, 3, 4):
        expect(notebook.output(index)).to_contain_text("__pwned")
    expect(notebook.output(2).locator("canvas")).to_have_count(len(FEW))
    notebook.wait_kernel("all(r.done for r in growing)")
    notebook.run(5)
    notebook.wait_kernel("all(s.closed for s in sessions)")
    for lanes in notebook.output(2).locator("canvas").all():
        box = lanes.bounding_box()
        assert box is not None
        for step in range(1, 40):
            notebook.page.mouse.move(box["x"] + box["width"] * step / 40, box["y"] + box["height"] * (step % 8) / 8)
        lanes.click()
    notebook.page.evaluate(TOUCH)
    expect(notebook.output(1).locator(".rtnb-log-details").first).to_contain_text("__pwned")
    notebook.screenshot("hostile-views")
    unharmed(notebook)
