"""The speaker in a browser: what reaches the audio thread, what stops it, and what it tells of what was heard."""

from __future__ import annotations

import base64

import numpy as np
import numpy.typing as npt
from browser.lab import Lab, Notebook
from playwright.sync_api import expect

CONNECT = (
    "import numpy as np, rtnb\n"
    "from rtnb.notebook.speaker import Speaker\n"
    "session = rtnb.connect('local', turn_detection=None{more})\n"
    "speaker = Speaker(session)\n"
    "speaker"
)
# Records what leaves the player's node, behind a second worklet, block by block from the first sample that is not zero.
TAP = """() => {
  const Node = window.AudioWorkletNode;
  window.tapped = [];
  const code = `registerProcessor("tap", class extends AudioWorkletProcessor {
    process([[block]]) { if (block) this.port.postMessage(block.slice()); return true; }
  });`;
  window.AudioWorkletNode = class extends Node {
    constructor(context, name, options) {
      super(context, name, options);
      if (name !== "rtnb-player") return;
      const url = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
      window.tap = context.audioWorklet.addModule(url).then(() => {
        const tap = new Node(context, "tap");
        tap.port.onmessage = ({ data }) => window.tapped.push(data);
        this.connect(tap);
        tap.connect(context.destination);
        return true;
      });
    }
  };
}"""
TAPPED = """() => {
  const all = new Float32Array(window.tapped.reduce((sum, block) => sum + block.length, 0));
  let at = 0;
  for (const block of window.tapped) { all.set(block, at); at += block.length; }
  const bytes = new Uint8Array(all.buffer);
  let text = "";
  for (let i = 0; i < bytes.length; i += 32768) text += String.fromCharCode(...bytes.subarray(i, i + 32768));
  return btoa(text);
}"""


def begin(lab: Lab, *cells: str, more: str = "", autoplay: bool = True) -> Notebook:
    notebook = lab.open([CONNECT.replace("{more}", more), *cells], autoplay=autoplay)
    notebook.page.evaluate(TAP)
    notebook.run(0)
    notebook.wait_kernel("speaker.playing")
    notebook.page.evaluate("() => window.tap")
    return notebook


def tapped(notebook: Notebook) -> npt.NDArray[np.float32]:
    return np.frombuffer(base64.b64decode(notebook.page.evaluate(TAPPED)), np.float32)


def without_silence(samples: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    loud = np.flatnonzero(samples)
    return samples[loud[0] : loud[-1] + 1]


def test_what_sounds_is_what_came(lab: Lab) -> None:
    """Behind the player, every sample of the timeline's audio, in order, and not one more; and it says so."""
    notebook = begin(lab, "r = session.ask('Please count from one to ten.')\nprint(len(r.audio))")
    notebook.run(1)
    notebook.wait_kernel("speaker._playback.seconds >= r.audio.duration")
    wav = notebook.eval_kernel(
        "import base64; print(base64.b64encode(session.timeline.select(kind='response.output_audio.delta')"
        " and b''.join(session.timeline.audio_chunk(int(s)) for s in"
        " session.timeline.select(kind='response.output_audio.delta')['seq'])).decode())"
    )
    sent = np.frombuffer(base64.b64decode(wav), "<i2")
    heard = without_silence(tapped(notebook)) * 32768
    assert np.array_equal(heard, without_silence(sent))
    assert notebook.eval_kernel("print(speaker.gaps, session.playback.heard_ms(r.items[0].id))").split() == [
        "0",
        str(len(sent) * 1000 // 24_000),
    ]
    notebook.screenshot("speaker")
    notebook.screenshot("speaker", theme="dark", width=600)
    assert notebook.console_errors == []
    assert notebook.foreign_requests == []


def test_telephone_sound_is_heard_too(lab: Lab) -> None:
    """G.711 at 8 kHz is resampled for the player, to within a step of what the clip gives."""
    notebook = begin(lab, "r = session.ask('Please count from one to three.')", more=", output_format='g711_ulaw'")
    notebook.run(1)
    assert notebook.eval_kernel("print(r.audio.rate)").strip() == "8000"
    notebook.wait_kernel("speaker._playback.seconds >= r.audio.duration - 0.001")
    wanted = notebook.eval_kernel(
        "import base64; print(base64.b64encode(r.audio.resample(24000).samples.tobytes()).decode())"
    )
    sent = np.frombuffer(base64.b64decode(wanted), "<i2").astype(float)
    heard = tapped(notebook) * 32768
    start = int(np.flatnonzero(heard)[0]) - int(np.flatnonzero(sent)[0])
    around = [
        np.abs(heard[at : at + len(sent)] - sent[: len(heard) - at]).max() for at in (start - 1, start, start + 1)
    ]
    assert min(around) <= 2


def test_an_interruption_cuts_at_what_was_heard(lab: Lab) -> None:
    """interrupt() silences the player and truncates where the player was, not where the arrival was."""
    notebook = begin(
        lab,
        "r = session.ask('Please tell me a long story about the sea.')",
        "import asyncio\n"
        "while session.playback.seconds < 1.0:\n"
        "    await asyncio.sleep(0.02)\n"
        "so_far = await session._session.interrupt()\n"
        "so_far",
    )
    notebook.run(1)
    notebook.run(2)
    before = len(tapped(notebook))
    heard, received = map(int, notebook.eval_kernel("print(so_far.heard_ms, so_far.received_ms)").split())
    assert 900 <= heard < received
    sounded = len(without_silence(tapped(notebook))) / 24
    assert sounded - 400 <= heard <= sounded + 200  # it begins with a little silence, and the device holds some back
    assert (
        notebook.eval_kernel(
            "e = session.timeline.select(kind='conversation.item.truncate', direction='sent')[0]; print(e['audio_end_ms'])"
        )
        == f"{heard}\n"
    )
    notebook.page.wait_for_function(f"() => window.tapped.length * 128 > {before} + 12000")
    assert not tapped(notebook)[before + 12_000 :].any()


def test_the_stop_button_and_the_volume(lab: Lab) -> None:
    """By keyboard: stop cuts the answer where it was heard; volume and mute are the kernel's too."""
    notebook = begin(lab, "r = session.ask('Please tell me a long story about the sea.')")
    output = notebook.output(0)
    output.get_by_label("Volume").press("ArrowLeft")
    output.get_by_role("button", name="Mute").press("Enter")
    notebook.wait_kernel("speaker.muted and round(speaker.volume, 2) == 0.95", 8)
    expect(output.get_by_role("button", name="Unmute")).to_have_attribute("aria-pressed", "true")
    notebook.run(1)
    notebook.wait_kernel("session.playback.seconds > 0.3")
    output.get_by_role("button", name="Stop").press("Enter")
    notebook.wait_kernel("len(session.timeline.select(kind='conversation.item.truncated')) == 1")
    expect(output.get_by_role("status")).to_have_text("silent")
    assert notebook.eval_kernel("print(session.problems)").strip() == "[]"


def test_speech_interrupts_the_answer(lab: Lab) -> None:
    """The user speaks while the answer sounds: the service cancels, the player stops in time, the item is cut."""
    notebook = begin(
        lab,
        "session.configure(turn_detection={'type': 'server_vad', 'silence_duration_ms': 400})\n"
        "r = session.ask('Please tell me a long story about the sea.')",
        "import asyncio\n"
        "while session.playback.seconds < 1.0:\n"
        "    await asyncio.sleep(0.02)\n"
        "session.append_audio(speech)\n"
        "while not len(session.timeline.select(kind='conversation.item.truncated')):\n"
        "    await asyncio.sleep(0.02)\n",
    )
    notebook.eval_kernel(
        "other = rtnb.connect('local'); speech = other.ask('Please say: what is the time?').audio; other.close()"
    )
    notebook.run(1)
    notebook.run(2)
    heard, received = notebook.eval_kernel(
        "cut = session.timeline.select(kind='conversation.item.truncate', direction='sent')[0]\n"
        "print(cut['audio_end_ms'], round(r.audio.duration * 1000))"
    ).split()
    assert 900 <= int(heard) < int(received)
    assert notebook.eval_kernel("print(session.problems)").strip() == "[]"


def test_sound_waits_for_the_browsers_leave(lab: Lab) -> None:
    """Where sound needs a gesture, a button asks for it; then the newest answer sounds, and nothing counts as heard before."""
    notebook = lab.open(
        [CONNECT.replace("{more}", ""), "r = session.ask('Please count from one to three.')"], autoplay=False
    )
    notebook.page.evaluate(
        "() => { const Real = AudioContext; window.AudioContext = class extends Real {"
        " constructor(options) { super(options); this.suspend(); window.asked = false; }"
        " resume() { return window.asked ? super.resume() : Promise.resolve(); } }; }"
    )
    notebook.page.evaluate(TAP)
    notebook.run(0)
    notebook.wait_kernel("speaker.playing")
    notebook.run(1)
    button = notebook.output(0).get_by_role("button", name="Enable audio")
    expect(button).to_be_visible()
    assert notebook.eval_kernel("print(session.playback.heard_ms(r.items[0].id))").strip() in ("0", "None")
    notebook.screenshot("speaker-waits", width=600)
    notebook.page.evaluate("() => { window.asked = true; }")
    button.press("Enter")
    expect(button).to_be_hidden()
    notebook.wait_kernel("speaker._playback.seconds >= r.audio.duration")


def test_without_a_worklet_the_pieces_follow_one_another(lab: Lab) -> None:
    """On a page that has no AudioWorklet, scheduled buffers play, and tell what has sounded."""
    notebook = lab.open([CONNECT.replace("{more}", ""), "r = session.ask('Please count from one to three.')"])
    notebook.page.evaluate(
        "() => { Object.defineProperty(BaseAudioContext.prototype, 'audioWorklet', { get: () => undefined });"
        " const start = AudioBufferSourceNode.prototype.start; window.pieces = [];"
        " AudioBufferSourceNode.prototype.start = function (at) {"
        " window.pieces.push([Math.round(at * 24000), this.buffer.length]); start.call(this, at); }; }"
    )
    notebook.run(0)
    notebook.wait_kernel("speaker.playing")
    notebook.run(1)
    notebook.wait_kernel("speaker._playback.seconds >= r.audio.duration")
    pieces = notebook.page.evaluate("() => window.pieces")
    assert sum(length for _, length in pieces) == int(notebook.eval_kernel("print(len(r.audio))"))
    assert [start for start, _ in pieces[1:]] == [start + length for start, length in pieces[:-1]]


def test_the_newest_speaker_plays(lab: Lab) -> None:
    """Two speakers on one session do not sound twice; the older says so, and takes over when it is asked to."""
    notebook = begin(lab, "second = Speaker(session)\nsecond")
    notebook.run(1)
    notebook.wait_kernel("second.playing and not speaker.playing")
    first = notebook.output(0)
    expect(first.get_by_role("status")).to_contain_text("Another speaker of this session plays.")
    first.get_by_role("button", name="Play here").click()
    notebook.wait_kernel("speaker.playing and not second.playing")
