"""What the widgets cost while 200 events a second arrive: messages to the browser, the kernel's time, and the page's frames.

JupyterLab and Chromium run as in tests/browser; each view is shown by itself, in a kernel that receives from a real socket.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from figure import ROOT, Figure, median, percentile
from stream import stream

if TYPE_CHECKING:
    from browser.lab import Lab, Notebook

RATE, SECONDS = 200, 6
ROWS = 100_000
VIEWS = {
    "nothing": "",
    "EventLog": "display(EventLog(session))",
    "TimelineView": "display(TimelineView(session))",
    "ConversationView": "display(ConversationView(session))",
    "SessionPanel": "display(SessionPanel(session))",
    "Response": "display(session.ask('hello', wait=False))",
}
SHOW = """
import json, threading, time, rtnb
from IPython.display import display
from rtnb.ui import ConversationView, EventLog, SessionPanel, TimelineView
session = rtnb.connect({url!r})
ended = threading.Event()
session.on("response.done", lambda event: ended.set())
{show}
"""
RECEIVE = """
session.send({"type": "input_audio_buffer.clear"})
while not session.responses: time.sleep(0.001)
cpu, wall = time.process_time(), time.monotonic()
ended.wait(60)
print(json.dumps([time.process_time() - cpu, time.monotonic() - wall, len(session.timeline)]))
session.close()
"""
LOG = """
import json, rtnb
from rtnb.timeline.timeline import Timeline
from rtnb.ui import EventLog
timeline = Timeline()
for number in range({rows}):
    event = {{"type": "response.output_text.delta", "response_id": f"resp_{{number // 50}}", "item_id": f"item_{{number // 50}}",
             "output_index": 0, "content_index": 0, "delta": f"word {{number}} "}}
    timeline.store.append(json.dumps(event).encode(), direction="received", t=number / 100)
"""
WATCH = """() => {
  const seen = { frames: [], messages: [] };
  window.__seen = seen;
  const frame = () => { if (window.__seen !== seen) return; seen.frames.push(performance.now()); requestAnimationFrame(frame); };
  requestAnimationFrame(frame);
  const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
  kernel.iopubMessage.connect((_, { header, content }) => {
    if (window.__seen !== seen || header.msg_type !== "comm_msg") return;
    seen.messages.push([content.comm_id, performance.timeOrigin + performance.now() - Date.parse(header.date)]);
  });
}"""
OPENED = """async () => {
  const shown = () => document.querySelector(".rtnb-log-row:not([hidden])");
  const began = performance.now();
  window.jupyterapp.commands.execute("notebook:run-cell");
  while (!shown() || !shown().textContent) await new Promise(requestAnimationFrame);
  return performance.now() - began;
}"""


def measure() -> list[Figure]:
    """Show each view while events arrive, then open a long log."""
    sys.path.insert(0, str(ROOT / "tests"))
    from browser.lab import Browsers, JupyterServer, Lab, chromium_path

    executable = chromium_path()
    if executable is None:
        raise RuntimeError("Chromium is missing: apt-get install chromium")
    folder = Path(tempfile.mkdtemp())
    server, browsers = JupyterServer(folder), Browsers(executable)
    try:
        lab = Lab(server, browsers, folder / "silence.wav")
        with browsers.at_work():
            return [*live(lab), opening(lab)]
    finally:
        browsers.stop()
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def live(lab: Lab) -> list[Figure]:
    """Return the figures of views that grow."""
    with stream("brisk", RATE * SECONDS) as url:
        seen = {name: shown(lab, url, show) for name, show in VIEWS.items()}
    bare = seen.pop("nothing")
    rates = {name: each["rate"] for name, each in seen.items()}
    shares = {name: 100 * (each["cpu"] - bare["cpu"]) for name, each in seen.items()}
    latencies = [value for each in seen.values() for value in each["latencies"]]
    frames = {name: each["frames"] for name, each in seen.items()}
    at = f"{RATE} events/s"
    return [
        Figure(
            f"messages to the browser a second, busiest widget, {at}", max(rates.values()), 15, "/s", note=_each(rates)
        ),
        Figure(f"kernel's time for a view, {at}", max(shares.values()), 10, "%", note=f"of a core; {_each(shares)}"),
        Figure("kernel → browser, p50", median(latencies), 50, "ms", note=f"{len(latencies)} messages"),
        Figure("kernel → browser, p99", percentile(latencies, 99), 200, "ms", note=f"worst {max(latencies):.0f} ms"),
        Figure(f"frames of the page a second, {at}", min(frames.values()), 30, "/s", True, _each(frames)),
    ]


def shown(lab: Lab, url: str, show: str) -> dict[str, Any]:
    """Show one view, receive, and return what the page and the kernel saw."""
    notebook = lab.open([SHOW.format(url=url, show=show)])
    notebook.page.evaluate(WATCH)
    notebook.run_all()
    cpu, wall, rows = json.loads(notebook.eval_kernel(RECEIVE))
    if rows < RATE * SECONDS:
        raise RuntimeError(f"{rows} events arrived, not {RATE * SECONDS}")
    seen = notebook.page.evaluate("() => { const seen = window.__seen; window.__seen = null; return seen; }")
    lab.close()
    comms = [comm for comm, _ in seen["messages"]]
    times = seen["frames"]
    return {
        "cpu": cpu / wall,
        "rate": max((comms.count(comm) for comm in set(comms)), default=0) / wall,
        "latencies": [latency for _, latency in seen["messages"]],
        "frames": 1000 * (len(times) - 1) / (times[-1] - times[0]),
    }


def opening(lab: Lab) -> Figure:
    """Return how long it takes from running the cell to rows in sight."""
    notebook: Notebook = lab.open([LOG.format(rows=ROWS), "EventLog(timeline)"])
    notebook.run(0)
    notebook.page.evaluate("() => { window.jupyterapp.shell.currentWidget.content.activeCellIndex = 1; }")
    taken = notebook.page.evaluate(OPENED) / 1000
    lab.close()
    return Figure(f"opening an EventLog of {ROWS:,} rows", taken, 1, "s", note="from running the cell to rows in sight")


def _each(values: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.1f}" for name, value in values.items())
