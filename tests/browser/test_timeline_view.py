"""TimelineView in a browser: what is drawn, pointed at, zoomed and played."""

from __future__ import annotations

import re

from browser.lab import Lab, Notebook
from playwright.sync_api import expect

MAKE = """
import base64, json
import numpy as np
from rtnb.audio import AudioClip
from rtnb.timeline.timeline import Timeline
from rtnb.notebook.event_log import EventLog
from rtnb.notebook.timeline_view import TimelineView

def add(t, direction, type, **event):
    tl.store.append(json.dumps({"type": type, **event}).encode(), direction=direction, t=t)

def voice(seconds, pitch):
    t = np.arange(round(24000 * seconds)) / 24000
    tone = np.sin(2 * np.pi * pitch * t) * np.abs(np.sin(2 * np.pi * 2.5 * t)) * 9000
    return tone.astype("<i2").tobytes()

def pieces(pcm, seconds):
    size = round(24000 * seconds) * 2
    return [base64.b64encode(pcm[at:at + size]).decode() for at in range(0, len(pcm), size)]

tl = Timeline(title="wss://example.test/realtime")
add(0.0, "received", "session.created", session={"id": "sess_1"})
for place, piece in enumerate(pieces(voice(2, 150), .04)):
    add(0.5 + place * .04, "sent", "input_audio_buffer.append", audio=piece)
add(0.8, "received", "input_audio_buffer.speech_started", audio_start_ms=300, item_id="item_u")
add(2.6, "received", "input_audio_buffer.speech_stopped", audio_end_ms=2000, item_id="item_u")
add(2.61, "received", "input_audio_buffer.committed", item_id="item_u")
add(2.7, "received", "response.created", response={"id": "resp_1", "status": "in_progress"})
r = {"response_id": "resp_1", "item_id": "item_1"}
add(2.72, "received", "response.output_item.added", item={"id": "item_1", "type": "message"}, response_id="resp_1")
words = "Of course I can assist you with that, right now, and in some detail.".split()
for place, (word, piece) in enumerate(zip(words, pieces(voice(.3 * len(words), 220), .3))):
    add(2.8 + place * .06, "received", "response.output_audio_transcript.delta", delta=word + " ", **r)
    add(2.81 + place * .06, "received", "response.output_audio.delta", delta=piece, **r)
add(4.0, "received", "response.done", response={"id": "resp_1", "status": "completed"})
add(5.2, "received", "input_audio_buffer.speech_started", audio_start_ms=3000, item_id="item_v")
add(5.21, "sent", "conversation.item.truncate", item_id="item_1", audio_end_ms=2600)
add(5.25, "received", "conversation.item.truncated", item_id="item_1", audio_end_ms=2600)
add(5.9, "received", "input_audio_buffer.speech_stopped", audio_end_ms=3500, item_id="item_v")
add(6.0, "received", "response.created", response={"id": "resp_2", "status": "in_progress"})
call = {"id": "item_2", "type": "function_call", "name": "weather", "call_id": "call_1"}
add(6.1, "received", "response.output_item.added", item=call, response_id="resp_2")
add(6.4, "received", "response.done", response={"id": "resp_2", "status": "completed"})
add(7.1, "sent", "conversation.item.create", item={"type": "function_call_output", "call_id": "call_1", "output": "rain"})
add(7.4, "received", "error", error={"message": "The model is busy <b>now</b>", "code": "busy"})
"""
VIEW = "log = EventLog(tl); view = TimelineView(tl, log=log); display(view, log)"


def test_lanes_are_drawn_pointed_at_and_zoomed(lab: Lab) -> None:
    """Each lane has ink, a point at an error selects its row in the log, and the axis zooms by key, button and wheel."""
    notebook = lab.open([MAKE, VIEW], height=1300)
    notebook.run_all()
    view = notebook.output(1)
    status = view.locator(".rtnb-lanes-status")
    expect(status).to_contain_text("events")
    for theme, width in (("light", 1400), ("dark", 1000), ("light", 600)):
        notebook.page.set_viewport_size({"width": width, "height": 1300})
        notebook.wait_kernel(f"view._visible['pixels'] == view._pixels and abs(view._pixels - {width}) < 400")
        notebook.screenshot("timeline-view", theme=theme, width=width)  # type: ignore[arg-type]
    notebook.page.set_viewport_size({"width": 1400, "height": 1300})
    notebook.wait_kernel("view._pixels > 900")
    x = point(notebook, 7.4)
    view.locator("canvas").hover(position={"x": x, "y": TOP["errors"]})
    expect(view.locator(".rtnb-lanes-tip")).to_contain_text("The model is busy <b>now</b>")
    view.locator("canvas").click(position={"x": x, "y": TOP["errors"]})
    expect(view.locator(".rtnb-log-title strong")).to_contain_text("93 ← error")
    assert notebook.eval_kernel("print(view.selected, log.selected)").split() == ["93", "93"]
    view.locator("canvas").click(position={"x": point(notebook, 1.0), "y": TOP["user"]})
    expect(view.locator(".rtnb-log-title strong")).to_contain_text("input_audio_buffer.append")
    # the axis
    view.get_by_label("Zoom in (+)").click()
    notebook.wait_kernel("2 < view.range[1] - view.range[0] < 5")
    view.locator("canvas").press("+")
    notebook.wait_kernel("1 < view.range[1] - view.range[0] < 2.5")
    before = float(notebook.eval_kernel("print(view.range[0])"))
    view.locator("canvas").press("ArrowRight")
    notebook.wait_kernel(f"view.range[0] > {before} + 0.1")
    notebook.screenshot("timeline-view-zoomed", width=1000)
    view.get_by_label("Show all (0)").click()
    notebook.wait_kernel("view.range[1] - view.range[0] > 7")
    view.locator("canvas").hover(position={"x": 500, "y": 100})
    notebook.page.keyboard.down("Control")
    notebook.page.mouse.wheel(0, -300)
    notebook.page.keyboard.up("Control")
    notebook.wait_kernel("view.range[1] - view.range[0] < 4")
    assert notebook.console_errors == []
    assert notebook.foreign_requests == []


def test_the_talk_is_played_under_a_cursor(lab: Lab) -> None:
    """Play moves the cursor with the sound, stop keeps it where it is, and the end of the talk ends it."""
    notebook = lab.open([MAKE, VIEW], height=1300)
    notebook.page.evaluate(RECORD)
    notebook.run_all()
    view = notebook.output(1)
    status = view.locator(".rtnb-lanes-status")
    view.get_by_label("Play from the cursor (space)").click()
    expect(status).to_have_text(re.compile(r"^1\.\d\d s · "), timeout=15_000)
    view.get_by_label("Play from the cursor (space)").click()
    expect(view.get_by_label("Play from the cursor (space)")).to_have_text("▶ Play")
    talk = [
        int(each) for each in notebook.eval_kernel("print(len(log.timeline), view._mixed[1].samples.shape[0])").split()
    ]
    assert notebook.page.evaluate("window.decoded") == [talk[1]], "every sample of the talk, none resampled"
    view.locator("canvas").click(position={"x": point(notebook, 4.9), "y": TOP["heard"]})
    view.locator("canvas").press(" ")
    expect(view.get_by_label("Play from the cursor (space)")).to_have_text("■ Stop")
    expect(view.get_by_label("Play from the cursor (space)")).to_have_text("▶ Play", timeout=15_000)
    assert notebook.console_errors == []


RECORD = """() => {
  window.decoded = [];
  const decode = AudioContext.prototype.decodeAudioData;
  AudioContext.prototype.decodeAudioData = async function (bytes) {
    const buffer = await decode.call(this, bytes);
    window.decoded.push(buffer.length);
    return buffer;
  };
}"""
TOP = {"user": 40, "heard": 290, "errors": 400}


def point(notebook: Notebook, t: float) -> float:
    """Return where on the canvas a second is, all of the axis being in sight."""
    start, end = map(float, notebook.eval_kernel("print(*view.range)").split())
    width = notebook.output(1).locator("canvas").bounding_box()["width"]  # type: ignore[index]
    return 112 + (t - start) / (end - start) * (width - 112)
