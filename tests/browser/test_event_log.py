"""EventLog in a browser: what is seen, found, followed and read."""

from __future__ import annotations

from browser.lab import Lab, Notebook
from playwright.sync_api import expect

MAKE = """
import json, base64
from rtnb.timeline.timeline import Timeline
from rtnb.notebook.event_log import EventLog
def add(tl, t, direction, **event):
    tl.store.append(json.dumps(event).encode(), direction=direction, t=t)
def turns(tl, rows):
    t, turn = 0.0, 0
    while len(tl) < rows:
        r = {"response_id": f"resp_{turn}", "item_id": f"item_{turn}"}
        add(tl, t, "sent", type="response.create", event_id=f"event_{turn}")
        add(tl, t + .1, "received", type="response.created", response={"id": r["response_id"], "status": "in_progress"})
        for place in range(20):
            add(tl, t + .2 + place / 50, "received", type="response.output_audio_transcript.delta", delta=f"word{place} ", **r)
            add(tl, t + .2 + place / 50, "received", type="response.output_audio.delta", delta=base64.b64encode(bytes(960)).decode(), **r)
        add(tl, t + .7, "received", type="response.done", response={"id": r["response_id"], "status": "completed"})
        t, turn = t + 2, turn + 1
    return tl
"""


def rows(notebook: Notebook, cell: int) -> list[str]:
    """Return the lines in sight."""
    lines = notebook.output(cell).locator(".rtnb-log-row:not([hidden])")
    return [text.replace("\n", " ") for text in lines.all_inner_texts()]


def test_a_hundred_thousand_rows_open_scroll_and_are_found(lab: Lab) -> None:
    """The end is there at once, the beginning after a scroll, and the filter and the rest by mouse and by keyboard."""
    notebook = lab.open([MAKE, "tl = turns(Timeline(), 100_000)", "log = EventLog(tl); log"])
    notebook.run_all()
    log = notebook.output(2)
    expect(log.locator(".rtnb-log-count")).to_have_text("100,018 rows")
    expect(log.get_by_text("100017", exact=True)).to_be_visible()
    body = log.locator(".rtnb-log-body")
    body.evaluate("body => { body.scrollTop = 0; }")
    expect(log.get_by_text("resp_0").first).to_be_hidden()
    expect(log.locator(".rtnb-log-row", has_text="response.create").first).to_be_visible()
    assert log.locator(".rtnb-log-row").count() < 60
    # a glob, a word, a direction, hidden deltas
    log.get_by_label("Filter rows").fill("response.create*")
    expect(log.locator(".rtnb-log-count")).to_have_text("4,652 of 100,018 rows")
    log.get_by_label("Direction").select_option("sent")
    expect(log.locator(".rtnb-log-count")).to_have_text("2,326 of 100,018 rows")
    log.get_by_label("Direction").select_option("")
    log.get_by_label("Filter rows").fill("word7")
    expect(log.locator(".rtnb-log-count")).to_have_text("2,326 of 100,018 rows")
    log.get_by_label("Filter rows").fill("")
    log.get_by_label("hide deltas").check()
    expect(log.locator(".rtnb-log-count")).to_have_text("6,978 of 100,018 rows")
    # read one, copy it, follow its response, go back
    body.focus()
    body.press("Home")
    body.press("ArrowDown")
    expect(log.locator(".rtnb-log-title")).to_contain_text("response.created")
    expect(log.locator(".rtnb-log-tree summary").first).to_contain_text("{ 2 }")
    log.get_by_role("button", name="Follow response").click()
    expect(log.locator(".rtnb-log-following")).to_contain_text("resp_0")
    log.get_by_label("hide deltas").uncheck()
    expect(log.locator(".rtnb-log-count")).to_have_text("42 of 100,018 rows")
    notebook.screenshot("event-log-followed", width=1000)
    log.get_by_role("button", name="Back to all").click()
    expect(log.locator(".rtnb-log-count")).to_have_text("100,018 rows")
    notebook.eval_kernel("log.select(50_000)")
    expect(log.locator(".rtnb-log-row[aria-selected=true]")).to_contain_text("50000")
    for theme, width in (("light", 1400), ("dark", 1000), ("light", 600)):
        notebook.screenshot("event-log", theme=theme, width=width)  # type: ignore[arg-type]
    assert notebook.console_errors == []


def test_a_log_grows_pauses_and_goes_on(lab: Lab) -> None:
    """Rows come while a cell is busy, a paused log takes in none, and none is lost."""
    cells = [
        MAKE,
        "tl = turns(Timeline(), 10); log = EventLog(tl); log",
        "import time\nfor n in range(60):\n    turns(tl, len(tl) + 20); time.sleep(.05)",
    ]
    notebook = lab.open(cells)
    notebook.run_all(wait=False)
    count = notebook.output(1).locator(".rtnb-log-count")
    expect(count).to_contain_text(" rows")
    notebook.page.wait_for_function(
        "() => { const count = document.querySelector('.rtnb-log-count').textContent;"
        " return window.__running === 1 && parseInt(count.replace(',', '')) > 200; }"
    )
    notebook.wait_idle()
    notebook.output(1).get_by_role("button", name="Pause").click()
    expect(count).to_contain_text("paused")
    before = count.inner_text()
    notebook.eval_kernel("turns(tl, len(tl) + 20)")
    expect(count).to_contain_text("more wait")
    assert count.inner_text().split(" · ")[0] == before.split(" · ")[0]
    notebook.output(1).get_by_role("button", name="Go on").click()
    expect(count).to_have_text(f"{int(notebook.eval_kernel('print(len(tl))')):,} rows")


def test_a_key_before_its_row_has_come_selects_it_when_it_comes(lab: Lab) -> None:
    """A busy kernel sends the page of a row late; the key that went to the row is not lost."""
    busy = "import pathlib, time\nwhile not pathlib.Path('go').exists(): time.sleep(.02)"
    notebook = lab.open([MAKE, "log = EventLog(turns(Timeline(), 2_000)); log", busy])
    notebook.run(0)
    notebook.run(1)
    log = notebook.output(1)
    expect(log.locator(".rtnb-log-count")).to_contain_text(" rows")
    notebook.run(2, wait=False)
    body = log.locator(".rtnb-log-body")
    body.focus()
    body.press("Home")
    expect(log.locator(".rtnb-log-row", has_text="…").first).to_be_visible()
    expect(log.locator(".rtnb-log-title")).to_have_count(0)
    (lab.folder / "go").touch()
    expect(log.locator(".rtnb-log-title")).to_contain_text("0 → response.create")


def test_hostile_words_are_words(lab: Lab) -> None:
    """Markup in a type, an id, a text or an error is shown as it is written."""
    cells = [
        MAKE,
        """
bad = '<img src=x onerror="window.hit=1"><script>window.hit=1</script>'
tl = Timeline()
add(tl, 0.0, "received", type="error", event_id=bad, error={"message": bad, bad: bad, "code": "\u202egnp"})
add(tl, 0.1, "received", type=bad, response_id=bad, item_id=bad, delta=bad)
tl.store.append(b"{not json" + bad.encode(), direction="received", t=0.2)
tl.store.append(b'{"type": "x", "response_id": "\\\\ud800", "text": "\\\\udc00"}', direction="sent", t=0.3)
log = EventLog(tl); log
""",
    ]
    notebook = lab.open(cells)
    notebook.run_all()
    log = notebook.output(1)
    for seq in range(4):
        log.locator(f".rtnb-log-row[aria-rowindex='{seq + 1}']").click()
        expect(log.locator(".rtnb-log-title strong")).to_contain_text(f"{seq} ")
        log.locator(".rtnb-log-details").evaluate(
            "box => box.querySelectorAll('details').forEach(each => each.open = true)"
        )
    log.locator(".rtnb-log-row[aria-rowindex='2']").click()
    log.get_by_role("button", name="Follow response").click()
    expect(log.locator(".rtnb-log-following")).to_contain_text("<img src=x")
    assert notebook.page.evaluate("window.hit === undefined")
    assert log.locator("img, script").count() == 0
    assert notebook.console_errors == []
    assert notebook.foreign_requests == []


def test_a_closed_session_leaves_its_last_state_in_the_notebook(lab: Lab) -> None:
    """The view goes on from where it was, and the notebook, opened again without its kernel, shows the rows at the end."""
    cells = [
        MAKE,
        "tl = Timeline(title='wss://example.test'); log = EventLog(tl); log",
        "turns(tl, 200); log.select(50)",
    ]
    notebook = lab.open(cells)
    notebook.run_all()
    log = notebook.output(1)
    expect(log.locator(".rtnb-log-row[aria-selected=true]")).to_contain_text("50")
    expect(log.locator(".rtnb-log-title")).to_contain_text("50 ")
    notebook.eval_kernel("add(tl, 90.0, 'local', type='close', code=1000, reason='', who='client')")
    expect(log.locator(".rtnb-log-count")).to_have_text("216 rows")
    notebook.page.wait_for_function(
        "() => JSON.stringify(window.jupyterapp.shell.currentWidget.content.model.toJSON()).includes('216 rows')"
    )
    expect(log.locator(".rtnb-log-row[aria-selected=true]")).to_be_visible()
    expect(log.locator(".rtnb-log-title")).to_contain_text("50 ")
    assert log.locator(".rtnb-log").count() == 1
    saved = notebook.save()
    html = "".join(saved.cells[1].outputs[0]["data"]["text/html"])
    assert "216 rows" in html
    lab.close()
    again = lab.open_file(notebook.path)
    expect(again.output(1)).to_contain_text("216 rows")


def test_a_log_taller_than_a_browser_scrolls_is_reached_everywhere(lab: Lab) -> None:
    """Of half a million rows the first, one in the middle and the last can be seen."""
    more = "frame = b'{\"type\": \"x\"}'\nfor n in range(500_000): tl.store.append(frame, direction='sent', t=n)"
    notebook = lab.open([MAKE, f"tl = Timeline()\n{more}", "log = EventLog(tl); log"])
    notebook.run_all()
    log = notebook.output(2)
    expect(log.get_by_text("499999", exact=True)).to_be_visible()
    for seq in (250_000, 0, 123_456, 499_999):
        notebook.eval_kernel(f"log.select({seq})")
        expect(log.locator(".rtnb-log-row[aria-selected=true]")).to_contain_text(str(seq))
        expect(log.locator(".rtnb-log-row[aria-selected=true]")).to_be_in_viewport()
    log.locator(".rtnb-log-body").press("Home")
    expect(log.locator(".rtnb-log-row[aria-rowindex='1']")).to_be_in_viewport()
    log.locator(".rtnb-log-body").press("ArrowDown")
    expect(log.locator(".rtnb-log-row[aria-selected=true]")).to_contain_text("1")
