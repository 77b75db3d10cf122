"""The microphone without a browser: what becomes of the pieces that one would send, and what speaks where there is none."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_comm import Wire, connected
from one_loop import open_for_views, until
from scripted import Script

import rtnb
from rtnb.audio import G711_ULAW, AudioClip
from rtnb.client.async_session import AsyncSession
from rtnb.errors import AudioError, ConnectError, RtnbError
from rtnb.notebook.input_chunks import BrowserClock, InputChunk, InputChunks, clip_chunks
from rtnb.notebook.microphone import SENTENCE, Microphone
from rtnb.notebook.session import Session
from rtnb.notebook.speech_capture import SpeechCapture

VAD = {"type": "server_vad", "silence_duration_ms": 300}


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    return connected(monkeypatch)


class Page:
    """What the browser would say of a microphone."""

    def __init__(self, view: Microphone, name: str = "page") -> None:
        self.view = view
        self.name = name
        self.run = 0
        self.seq = 0
        self.says("ready")

    def says(self, kind: str, buffers: Any = (), **said: Any) -> None:
        self.view.received({"kind": kind, "page": self.name, "run": self.run, **said}, list(buffers))

    def start(self, *, hold: bool = False) -> None:
        self.run += 1
        self.seq = 0
        self.says("start", hold=hold)
        self.says("on")

    def chunk(self, samples: np.ndarray[Any, Any], captured: float = 0.0) -> None:
        data = memoryview(samples.astype("<i2").tobytes())
        self.says("chunk", [data], seq=self.seq, captured=captured * 1000)
        self.seq += 1


def noise(samples: int, seed: int = 7) -> np.ndarray[Any, Any]:
    return np.random.default_rng(seed).integers(-30_000, 30_000, samples).astype(np.int16)


def appended(service: Script) -> bytes:
    sent = [each["audio"] for each in service.heard if each["type"] == "input_audio_buffer.append"]
    return b"".join(map(base64.b64decode, sent))


async def test_every_sample_is_appended(wire: Wire) -> None:
    """In order, piece by piece; the table keeps when each was spoken and when it came."""
    session, service = await open_for_views()
    page = Page(session.microphone())
    view = page.view
    page.start()
    assert view.state == "on"
    sound = noise(2_880)
    for number in range(3):
        page.chunk(sound[number * 960 : (number + 1) * 960], captured=5.0 + 0.04 * number)
    page.says("stopped")
    await until(lambda: len(appended(service)) == 2 * 2_880)
    assert appended(service) == sound.astype("<i2").tobytes()
    assert view.chunks["seq"].tolist() == [0, 1, 2]
    assert view.chunks["seconds"].tolist() == [0.04] * 3
    assert (np.diff(view.chunks["arrived"]) >= 0).all()
    assert view.chunks.gaps == 0
    assert (view.state, view.words) == ("off", "off, 120 ms recorded")
    assert "input_audio_buffer.commit" not in service.types()
    await session.close()


async def test_telephone_sound_is_encoded(wire: Wire) -> None:
    """The session's input format decides the rate that the browser is asked for, and the bytes on the wire."""
    session, service = await open_for_views(config={"input_format": "g711_ulaw"})
    page = Page(session.microphone())
    assert page.view.rate == 8_000
    page.start()
    page.chunk(noise(320))
    await until(lambda: appended(service))
    assert appended(service) == G711_ULAW.encode(noise(320))
    await session.close()


async def test_letting_go_ends_the_turn(wire: Wire) -> None:
    """Without turn detection: what was said is committed and answered. Too little of it is thrown away, with a word."""
    session, service = await open_for_views()
    page = Page(session.microphone())
    page.start(hold=True)
    for _ in range(3):
        page.chunk(noise(960))
    page.says("stopped")
    await until(lambda: session.responses and session.responses[0].status == "completed")
    assert service.types()[-2:] == ["input_audio_buffer.commit", "response.create"]
    page.start(hold=True)
    page.chunk(noise(960))
    page.says("stopped")
    await until(lambda: service.types()[-1] == "input_audio_buffer.clear")
    await until(lambda: "too short" in page.view.words)
    assert page.view.state == "off"
    await session.close()


async def test_turn_detection_hears_the_end(wire: Wire) -> None:
    """A microphone that is off sends no silence, so the silence that ends a turn is sent for it."""
    session, service = await open_for_views(config={"turn_detection": VAD})
    page = Page(session.microphone())
    page.start(hold=True)
    page.chunk(noise(960))
    page.says("stopped")
    await until(lambda: len(appended(service)) >= 2 * (960 + 7_200))
    assert not any(appended(service)[2 * 960 :])
    assert "input_audio_buffer.commit" not in service.types()
    await session.close()


async def test_one_microphone_is_on_at_a_time(wire: Wire) -> None:
    """Starting another one stops the first; its last pieces still count, later ones do not."""
    session, service = await open_for_views()
    first, second = Page(session.microphone(), "one"), Page(session.microphone(), "two")
    first.start()
    second.start()
    assert {"kind": "stop", "page": "one"} in wire.sent
    first.says("stopped")
    first.chunk(noise(960))
    second.chunk(noise(960, seed=8))
    await until(lambda: appended(service))
    assert appended(service) == noise(960, seed=8).astype("<i2").tobytes()
    assert (first.view.state, second.view.state) == ("off", "on")
    await session.close()


async def test_a_refusal_of_an_earlier_run_does_not_count(wire: Wire) -> None:
    """Who allows the microphone after a refusal and listens again is heard."""
    session, _ = await open_for_views()
    page = Page(session.microphone())
    page.run = 1
    page.says("start", hold=False)
    page.says("refused", words="The browser refused the microphone.")
    heard = session.listen(0.04)
    heard.refresh()
    heard.refresh()
    page.start()
    page.chunk(noise(960))
    assert (await drawn(heard)).samples.tolist() == noise(960).tolist()
    assert heard.words == "listening for 40 ms"
    await session.close()


async def test_what_the_browser_refuses_is_said(wire: Wire) -> None:
    """In its words, on the widget and in what stays of it; markup in them is text."""
    session, _ = await open_for_views()
    page = Page(session.microphone())
    page.run = 1
    page.says("start", hold=False)
    page.says("refused", words="No microphone <b>here</b>.")
    assert page.view.state == "refused"
    assert "&lt;b&gt;here" in page.view.snapshot()["text/html"]
    assert "No microphone" in repr(page.view)
    await session.close()


async def test_a_session_that_ended_stops_the_microphone(wire: Wire) -> None:
    """And says why."""
    session, _ = await open_for_views()
    page = Page(session.microphone())
    page.start()
    await session.close()
    page.chunk(noise(960))
    await until(lambda: page.view.state == "refused")
    assert "closed" in page.view.words
    assert wire.sent[-1] == {"kind": "stop", "page": "page"}
    page.start()
    assert page.view.state == "refused"
    assert wire.sent[-1] == {"kind": "stop", "page": "page"}


async def test_the_clocks_are_compared_while_it_listens(wire: Wire) -> None:
    """Some questions, then no more."""
    session, _ = await open_for_views()
    page = Page(session.microphone())
    page.view.refresh()
    assert not [each for each in wire.sent if each["kind"] == "ping"]
    page.start()
    for _ in range(10):
        page.view.refresh()
        if (question := wire.sent[-1])["kind"] == "ping":
            page.says("pong", id=question["id"], clock=(session.now() + 1_000.0) * 1000)
    assert len([each for each in wire.sent if each["kind"] == "ping"]) == 5
    page.chunk(noise(960), captured=session.now() + 1_000.0)
    assert abs(page.view.chunks["captured"][0] - page.view.chunks["arrived"][0]) < 1.0
    await session.close()


def test_the_fastest_answer_tells_the_time() -> None:
    """It may be wrong by half of what it took."""
    clock = BrowserClock()
    clock.answer(clock.ask(10.0), 1010.5, 11.0)
    assert (clock.offset, clock.doubt) == (1000.0, 0.5)
    clock.answer(clock.ask(20.0), 1020.25, 20.5)
    assert (clock.offset, clock.doubt) == (1000.0, 0.25)
    clock.answer(clock.ask(30.0), 1039.0, 40.0)
    clock.answer(99, 0.0, 41.0)
    assert (clock.offset, clock.doubt) == (1000.0, 0.25)


def test_gaps_are_counted() -> None:
    """A number that is missing, or sound that is; a new start is none."""
    chunks = InputChunks()
    for run, seq, clock in [(1, 0, 0.0), (1, 1, 0.041), (1, 3, 0.12), (1, 4, 0.5), (2, 0, 9.0), (2, 1, 9.04)]:
        chunks.add(InputChunk(run, seq, clock, clock, 0.04, 0.1))
    assert chunks.gaps == 2
    assert "6 chunks, 2 gaps" in repr(chunks)
    assert "<table" in chunks._repr_mimebundle_()["text/html"]
    assert np.isnan(chunks["captured"]).all()
    with pytest.raises(KeyError, match="columns are"):
        chunks["x"]


def test_a_clip_in_chunks() -> None:
    """40 ms each; cut to a length, or followed by silence."""
    clip = AudioClip(noise(1_000), 24_000)
    assert [len(each) for each in clip_chunks(clip, 24_000)] == [960, 40]
    assert np.concatenate(list(clip_chunks(clip, 24_000, 0.1))).tolist() == [*clip.samples.tolist(), *[0] * 1_400]
    assert np.concatenate(list(clip_chunks(clip, 24_000, 0.02))).tolist() == clip.samples[:480].tolist()


async def test_a_clip_speaks_when_its_button_is_pressed(wire: Wire) -> None:
    """The browser's microphone is not touched; the button is released when the clip is over."""
    session, service = await open_for_views()
    clip = AudioClip(noise(3_000), 24_000)
    page = Page(session.microphone(clip))
    assert (page.view.source, page.view.available) == ("clip", True)
    assert "clip of 125 ms" in page.view.words
    page.run += 1
    page.says("start", hold=True)
    await until(lambda: session.responses and session.responses[0].status == "completed")
    assert appended(service) == clip.samples.astype("<i2").tobytes()
    assert {"kind": "over", "page": "page"} in wire.sent
    assert page.view.state == "off"
    await session.close()


async def test_a_clip_can_be_stopped(wire: Wire) -> None:
    """It does not go on to its end."""
    session, service = await open_for_views()
    view = Microphone(session, AudioClip.silence(3600))
    view.start()
    await until(lambda: appended(service))
    view.stop()
    await until(lambda: view.state == "off")
    assert len(appended(service)) < 24_000 * 2 * 60
    view.close()
    await session.close()


async def test_letting_go_cuts_a_clip(wire: Wire) -> None:
    """What it would have said is not said; what it said is a turn."""
    session, service = await open_for_views()
    page = Page(session.microphone(AudioClip(noise(24_000 * 60), 24_000)))
    page.run += 1
    page.says("start", hold=True)
    await until(lambda: len(page.view.chunks) > 3)
    page.says("stopped")
    said = len(page.view.chunks)
    await until(lambda: session.responses and session.responses[0].status == "completed")
    assert len(page.view.chunks) == said
    assert service.types()[-2:] == ["input_audio_buffer.commit", "response.create"]
    await session.close()


async def local_voice(text: str) -> AudioClip:
    return AudioClip(noise(48_000), 24_000)


async def drawn(heard: SpeechCapture) -> AudioClip:
    """Await what is listened to, while the refresher stands still."""
    task = asyncio.ensure_future(heard._awaited())
    while not task.done():
        heard.refresh()
        await asyncio.sleep(0)
    return task.result()


async def test_listening_hears_the_browser(wire: Wire) -> None:
    """The microphone that is shown is started, and stopped when the time is over; the clip is what it heard."""
    session, service = await open_for_views()
    page = Page(session.microphone())
    page.start()
    page.says("stopped")
    heard = session.listen(0.1)
    assert heard.microphone is page.view
    heard.refresh()
    assert wire.sent[-1] == {"kind": "start", "page": "page"}
    page.start()
    sound = noise(2_880)
    for number in range(3):
        page.chunk(sound[number * 960 : (number + 1) * 960])
    clip = await drawn(heard)
    assert clip == AudioClip(sound[:2_400], 24_000)
    assert wire.sent[-1] == {"kind": "stop", "page": "page"}
    await until(lambda: len(appended(service)) == 2 * 2_880)
    await session.close()


async def test_listening_to_a_clip(wire: Wire, tmp_path: Path) -> None:
    """A file's speech, and then silence, in place of a microphone; the service hears the same."""
    session, service = await open_for_views()
    clip = AudioClip(noise(2_000), 24_000)
    heard = session.listen(0.2, clip=clip.to_wav(tmp_path / "said.wav"))
    got = await drawn(heard)
    assert got.samples.tolist() == [*clip.samples.tolist(), *[0] * 2_800]
    assert "clip of 83 ms is played" in heard.words
    await until(lambda: len(appended(service)) == 2 * 4_800)
    await session.close()


async def test_without_a_browser_the_local_voice_speaks(wire: Wire, caplog: pytest.LogCaptureFixture) -> None:
    """And it says so."""
    session, _ = await open_for_views()
    session.local_speech = local_voice
    heard = session.listen(1.0)
    clip = await drawn(heard)
    assert clip.duration == 1.0
    assert clip.rms > 0.01
    assert heard.words.startswith("There is no browser. The local voice speaks instead")
    assert heard.words in caplog.text
    await session.close()


async def unreachable(text: str) -> AudioClip:
    raise ConnectError("the local service did not start")


@pytest.mark.parametrize(
    ("local_speech", "why"), [(None, "this session has none"), (unreachable, "the local service did not start")]
)
async def test_without_a_local_voice_the_way_by_file_is_offered(wire: Wire, local_speech: Any, why: str) -> None:
    """The microphone and the recording that fails say why, and what to do instead."""
    session, _ = await open_for_views()
    session.local_speech = local_speech
    view = session.microphone()
    view.start()
    await until(lambda: view.state == "refused")
    assert why in view.words
    assert "session.listen(5, clip=path)" in view.words
    with pytest.raises(RtnbError, match=r"clip=path") as failed:
        await drawn(session.listen(0.2))
    assert why in str(failed.value)
    await session.close()


async def test_the_local_service_is_the_local_voice() -> None:
    """It says the sentence that is asked for, in a session of its own."""
    async with rtnb.connect_async("local") as session:
        rows = len(session.timeline)
        assert session.local_speech is not None
        spoken = await session.local_speech(SENTENCE)
        assert len(session.timeline) == rows
        repeated = await session.ask(f"Repeat after me: {SENTENCE}")
        assert repeated.transcript == SENTENCE
        assert spoken.duration == pytest.approx(repeated.audio.duration, rel=0.2)
        assert spoken.rms > 0.01


async def test_a_refused_microphone_is_stood_in_for(wire: Wire) -> None:
    """Listening goes on with the local voice, and repeats the browser's words."""
    session, _ = await open_for_views()
    session.local_speech = local_voice
    page = Page(session.microphone())
    page.start()
    page.says("stopped")
    heard = session.listen(0.2)
    heard.refresh()
    page.run += 1
    page.says("start", hold=False)
    page.says("refused", words="The browser refused the microphone.")
    assert (await drawn(heard)).duration == pytest.approx(0.2)
    assert heard.words.startswith("The browser refused the microphone. The local voice speaks instead")
    await session.close()


async def test_listening_ends_with_the_session(wire: Wire) -> None:
    """Nobody waits for a session that is closed."""
    session, _ = await open_for_views()
    heard = session.listen(1000.0, clip=AudioClip.silence(1))
    await session.close()
    with pytest.raises(type(session.closed) if session.closed else Exception):
        await drawn(heard)


async def test_listening_that_is_given_up_stops(wire: Wire) -> None:
    """Whoever waits is cancelled; the microphone goes off."""
    session, _ = await open_for_views()
    heard = session.listen(1000.0, clip=AudioClip.silence(1))
    heard.refresh()
    task = asyncio.ensure_future(heard._awaited())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(lambda: heard.microphone.state == "off")
    assert heard._outcome.done()
    await session.close()


@pytest.mark.parametrize("seconds", [0, -1, float("nan")])
async def test_there_must_be_time_to_listen(wire: Wire, seconds: float) -> None:
    """Else the message has the form that works."""
    session, _ = await open_for_views()
    with pytest.raises(AudioError, match=r"listen\(5\)"):
        session.listen(seconds)
    await session.close()


def test_a_script_waits(serve_local: Callable[[], Session]) -> None:
    """`wait` blocks and returns the clip; a microphone of the blocking session is the same widget."""
    session = serve_local()
    clip = AudioClip(noise(2_400), 24_000)
    assert session.listen(0.1, clip=clip).wait() == clip
    assert isinstance(session.microphone(clip), Microphone)
    assert isinstance(session.core, AsyncSession)


@pytest.fixture
def serve_local() -> Any:
    """Open a session with the local service."""
    opened: list[Session] = []

    def open_one() -> Session:
        opened.append(rtnb.connect("local", turn_detection=None))
        return opened[-1]

    yield open_one
    for session in opened:
        session.close()
