"""The microphone in a browser: what it hears reaches the service whole, and what keeps it from hearing is said in words."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from browser.lab import Lab
from playwright.sync_api import expect

import rtnb
from rtnb.audio import AudioClip

SAID = "What is six times seven?"
CONNECT = "import asyncio, numpy as np, rtnb\nsession = rtnb.connect('local'{more})\n"
MICROPHONE = CONNECT + "microphone = session.microphone()\nmicrophone"


@pytest.fixture(scope="session")
def question(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A spoken question, told once, as the fake microphone takes it."""
    with rtnb.connect("local") as session:
        spoken = session.ask(f"Repeat after me: {SAID}").audio
    path = tmp_path_factory.mktemp("speech") / "question.wav"
    (AudioClip.silence(0.4) + spoken + AudioClip.silence(3.0)).resample(48_000).to_wav(path)
    return Path(f"{path}%noloop")


def test_a_spoken_turn(lab: Lab, question: Path) -> None:
    """The microphone is started by keyboard; turn detection finds the question; transcript and answer come back."""
    more = ", turn_detection={'type': 'server_vad'}, transcription={'model': 'whisper-1'}"
    notebook = lab.open([MICROPHONE.replace("{more}", more)], microphone=question)
    notebook.run(0)
    output = notebook.output(0)
    output.get_by_role("button", name="Start the microphone").press("Enter")
    notebook.wait_kernel("len(session.timeline.select(kind='response.done')) > 0")
    expect(output.get_by_role("status")).to_contain_text("listening")
    notebook.screenshot("microphone-on")
    output.get_by_role("button", name="Stop the microphone").press(" ")
    notebook.wait_kernel("microphone.state == 'off'")
    heard = notebook.eval_kernel(
        "print(session.timeline.select(kind='conversation.item.input_audio_transcription.completed')[0]['transcript'])"
    )
    assert "seven" in heard.lower()
    answer = notebook.eval_kernel("print(session.responses[0].transcript)")
    assert answer.strip()
    figures = notebook.eval_kernel(
        "c = microphone.chunks\n"
        "print(c.gaps, int((np.diff(c['seq']) == 1).all()), round(float(np.diff(c['captured']).mean()) * 1000),"
        " int((c['arrived'] > c['captured']).all()), len(c))"
    ).split()
    assert figures[:4] == ["0", "1", "40", "1"]
    notebook.screenshot("microphone", theme="dark", width=600)
    assert notebook.console_errors == []
    assert notebook.foreign_requests == []


@pytest.mark.parametrize(("rate", "more"), [(24_000, ""), (8_000, ", input_format='g711_ulaw'")])
def test_the_tone_arrives_at_the_sessions_rate(lab: Lab, rate: int, more: str) -> None:
    """The device's sound, resampled: the same pitch and loudness, and nothing else beside it."""
    listen = "clip = await session.listen(1.5)\nclip"
    notebook = lab.open([CONNECT.replace("{more}", f", turn_detection=None{more}"), listen])
    notebook.run_all()
    assert notebook.eval_kernel("print(clip.rate, len(clip))").split() == [str(rate), str(round(1.5 * rate))]
    figures = notebook.eval_kernel(
        "s = clip.samples[len(clip) // 3:] / 32768\n"
        "power = np.abs(np.fft.rfft(s * np.blackman(len(s)))) ** 2\n"
        "peak = int(power.argmax())\n"
        "near = power[max(peak - 8, 0):peak + 9].sum() / power[20:].sum()\n"
        "print(peak * clip.rate / len(s), (s ** 2).mean() ** 0.5, near, session.problems)"
    )
    pitch, level, share, problems = figures.split(maxsplit=3)
    assert abs(float(pitch) - 440) < 3
    assert level != "0"
    assert float(share) > 0.95
    # Of telephone sound the service says once that its words will be unsure; nothing else is wrong.
    assert ["8 kHz" in each for each in ast.literal_eval(problems)] == [True] * (rate == 8000)


def test_holding_the_button_is_a_turn(lab: Lab, question: Path) -> None:
    """Without turn detection: press, speak, let go; the turn is committed and answered."""
    notebook = lab.open([MICROPHONE.replace("{more}", ", turn_detection=None")], microphone=question)
    notebook.run(0)
    hold = notebook.output(0).get_by_role("button", name="Hold to talk")
    hold.focus()
    notebook.page.keyboard.down(" ")
    notebook.wait_kernel("len(microphone.chunks) > 60")
    expect(hold).to_have_attribute("aria-pressed", "true")
    notebook.page.keyboard.up(" ")
    notebook.wait_kernel("len(session.timeline.select(kind='response.done')) == 1")
    sent = notebook.eval_kernel("print(*session.timeline.select(direction='sent')['kind'])").split()
    assert sent[-3:] == ["input_audio_buffer.append", "input_audio_buffer.commit", "response.create"]
    assert notebook.eval_kernel("print(session.problems)").strip() == "[]"


def test_a_refused_microphone_is_said_in_words(lab: Lab) -> None:
    """And everything else works: `listen` takes the local voice, and says so."""
    cells = [MICROPHONE.replace("{more}", ", turn_detection=None"), "clip = await session.listen(2)\nclip"]
    notebook = lab.open(cells, microphone="refused")
    notebook.run(0)
    output = notebook.output(0)
    output.get_by_role("button", name="Start the microphone").click()
    expect(output.get_by_role("status")).to_contain_text("The browser refused the microphone.")
    notebook.screenshot("microphone-refused", width=600)
    notebook.run(1)
    assert notebook.eval_kernel("print(clip.duration, clip.rms > 0.01)").split() == ["2.0", "True"]
    expect(notebook.output(1)).to_contain_text("The local voice speaks instead")


def test_the_words_for_a_page_that_is_not_secure(lab: Lab) -> None:
    """Over plain http from another host there are no media devices."""
    notebook = lab.open([MICROPHONE.replace("{more}", "")])
    notebook.page.evaluate("() => Object.defineProperty(window, 'isSecureContext', { get: () => false })")
    notebook.page.evaluate("() => Object.defineProperty(navigator, 'mediaDevices', { get: () => undefined })")
    notebook.run(0)
    notebook.output(0).get_by_role("button", name="Start the microphone").click()
    expect(notebook.output(0).get_by_role("status")).to_contain_text("plain http")


def test_speaking_interrupts_what_is_spoken(lab: Lab, question: Path) -> None:
    """All together: an answer sounds, the user speaks into the microphone, the answer is cut where it was heard."""
    cells = [
        CONNECT.replace("{more}", ", turn_detection={'type': 'server_vad'}")
        + "from rtnb.notebook.speaker import Speaker\nspeaker = Speaker(session)\nspeaker",
        "microphone = session.microphone()\nmicrophone",
        "r = session.ask('Please tell me a long story about the sea.')",
    ]
    notebook = lab.open(cells, microphone=question)
    notebook.run(0)
    notebook.run(1)
    notebook.wait_kernel("speaker.playing")
    notebook.run(2)
    notebook.wait_kernel("session.playback.seconds > 0.5")
    notebook.output(1).get_by_role("button", name="Start the microphone").click()
    notebook.wait_kernel("len(session.timeline.select(kind='conversation.item.truncated')) == 1")
    notebook.wait_kernel("len(session.timeline.select(kind='response.done')) == 2")
    said = notebook.eval_kernel(
        "cut = session.timeline.select(kind='conversation.item.truncate', direction='sent')[0]\n"
        "began = session.timeline.select(kind='input_audio_buffer.speech_started')[0]\n"
        "print(cut['item_id'] == r.items[0].id, cut['audio_end_ms'] < r.audio.duration * 1000, cut.t > began.t)"
    ).split()
    assert said == ["True", "True", "True"]
    assert notebook.eval_kernel("print(session.problems)").strip() == "[]"
