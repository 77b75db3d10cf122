"""The speaker without a browser: what it sends, and what comes of what a browser would say."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from fake_comm import Wire, connected
from one_loop import open_for_views, until
from scripted import Ladder

from rtnb.audio import G711_ULAW, PCM16, AudioClip
from rtnb.client.async_session import AsyncSession
from rtnb.notebook.speaker import Speaker
from rtnb.timeline.sound import SpokenAudio

VAD = {"type": "server_vad"}


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    return connected(monkeypatch)


class Page(Speaker):
    """A speaker with a browser that answers at once: `sounded` is how many samples of each item it has played."""

    sounded: dict[str, int]

    def send(self, content: Any, buffers: Any = None) -> None:
        super().send(content, buffers)
        if content["kind"] == "flush":
            self.says("flushed", id=content["id"], played=self.sounded, playing=False)

    def says(self, kind: str, **said: Any) -> None:
        self.received({"kind": kind, "player": "page", **said}, [])


@pytest.fixture
def shown(wire: Wire) -> Iterator[Callable[[AsyncSession], Page]]:
    made: list[Page] = []

    def show(session: AsyncSession) -> Page:
        page = Page(session)
        page.sounded = {}
        page.says("ready", running=True)
        made.append(page)
        return page

    yield show
    for page in made:
        page.close()


def audio_sent(wire: Wire) -> list[tuple[str, np.ndarray[Any, Any], bool]]:
    return [
        (content["item"], np.frombuffer(buffers[0], "<i2"), content["last"])
        for content, buffers in zip(wire.sent, wire.buffers, strict=True)
        if content["kind"] == "audio"
    ]


def noise(samples: int) -> bytes:
    return np.random.default_rng(7).integers(-30_000, 30_000, samples).astype("<i2").tobytes()


async def test_every_sample_is_sent_once(wire: Wire, shown: Callable[[AsyncSession], Page]) -> None:
    """In order, however the deltas cut them, in as few messages as there are refreshes; the end is told."""
    session, service = await open_for_views()
    page = shown(session)
    pcm = noise(5_000)
    ladder = Ladder("ga", item="item_a")
    cuts = [0, 1, 2, 901, 4_000, 4_003, 10_000]
    pieces = [pcm[start:end] for start, end in itertools.pairwise(cuts)]
    await service.say(ladder.created(), *map(ladder.audio, pieces[:3]))
    await until(lambda: session.responses and len(session.timeline.select(kind="*audio.delta")) == 3)
    page.refresh()
    page.refresh()
    assert len(audio_sent(wire)) == 1
    await service.say(*map(ladder.audio, pieces[3:]), *ladder.closing("audio", ""))
    await until(lambda: session.responses[0].status == "completed")
    page.refresh()
    sent = audio_sent(wire)
    assert [(item, last) for item, _, last in sent] == [("item_a", False), ("item_a", True)]
    assert np.concatenate([samples for _, samples, _ in sent]).tobytes() == pcm
    await session.close()


async def test_nothing_is_sent_before_a_browser_is_there(wire: Wire, shown: Callable[[AsyncSession], Page]) -> None:
    """Then it gets what was said since the speaker was made; a page that comes later gets what comes after it."""
    session, _ = await open_for_views()
    page = Page(session)
    page.sounded = {}
    await session.ask("x")
    page.refresh()
    assert audio_sent(wire) == []
    assert session.playback is None
    page.says("ready", running=True)
    page.refresh()
    assert sum(len(samples) for _, samples, _ in audio_sent(wire)) == 6_000
    page.received({"kind": "ready", "player": "another", "running": True}, [])
    page.refresh()
    assert sum(len(samples) for _, samples, _ in audio_sent(wire)) == 6_000
    page.close()
    assert session.playback is None
    await session.close()


async def test_a_new_speaker_does_not_replay(wire: Wire, shown: Callable[[AsyncSession], Page]) -> None:
    """It plays from the row at which it was made: neither an earlier response, nor the beginning of the present one."""
    session, service = await open_for_views()
    await session.ask("x")
    pcm = noise(2_000)
    ladder = Ladder("ga", item="item_b")
    await service.say(ladder.created(), ladder.audio(pcm[:1_000]))
    await until(lambda: len(session.responses) == 2 and session.responses[1].audio_seconds)
    page = shown(session)
    page.refresh()
    assert audio_sent(wire) == []
    await service.say(ladder.audio(pcm[1_000:]))
    await until(lambda: session.responses[1].audio_seconds > 0.04)
    page.refresh()
    ((item, samples, _),) = audio_sent(wire)
    assert (item, samples.tobytes()) == ("item_b", pcm[1_000:])
    await session.close()


async def test_an_interruption_cuts_where_the_player_was(wire: Wire, shown: Callable[[AsyncSession], Page]) -> None:
    """To the millisecond; the player is silenced first, and what still comes of the answer is not played."""
    session, service = await open_for_views(holds=True)
    page = shown(session)
    asked = await session.ask("x", wait=False)
    await until(lambda: asked.audio_seconds >= 0.25)
    item = asked.items[0].id
    page.refresh()
    page.sounded = {item: 2_424}
    assert service.active is not None
    active = service.active
    so_far = await session.interrupt()
    assert so_far is not None
    assert (so_far.item_id, so_far.heard_ms) == (item, 101)
    (cut,) = [each for each in service.heard if each["type"] == "conversation.item.truncate"]
    assert (cut["item_id"], cut["audio_end_ms"]) == (item, 101)
    assert [each["kind"] for each in wire.sent].count("flush") == 1
    before = len(audio_sent(wire))
    await service.say(active.audio(noise(2_400)))
    await until(lambda: len(session.timeline.select(kind="*audio.delta")) == 3)
    page.refresh()
    assert len(audio_sent(wire)) == before
    await session.close()


@pytest.mark.parametrize("by_service", [True, False])
async def test_speech_cuts_the_answer(shown: Callable[[AsyncSession], Page], by_service: bool) -> None:
    """The service cancels by itself where it is set to; else the client does. Either way the item is cut as heard."""
    detection = VAD | {"interrupt_response": by_service}
    session, service = await open_for_views(holds=True, config={"turn_detection": detection})
    page = shown(session)
    asked = await session.ask("x", wait=False)
    await until(lambda: asked.audio_seconds >= 0.25)
    page.refresh()
    page.sounded = {asked.items[0].id: 1_200}
    await service.say({"type": "input_audio_buffer.speech_started", "audio_start_ms": 0, "item_id": "item_u"})
    await until(lambda: "conversation.item.truncate" in service.types())
    assert service.heard[-1]["audio_end_ms"] == 50
    assert ("response.cancel" in service.types()) is not by_service
    await session.close()


async def test_speech_while_nothing_sounds_cuts_nothing(shown: Callable[[AsyncSession], Page]) -> None:
    """An answer that was heard to its end stays whole; so does one where speech shall not interrupt."""
    session, service = await open_for_views(config={"turn_detection": VAD})
    page = shown(session)
    asked = await session.respond()
    page.refresh()
    page.says("played", played={asked.items[0].id: 6_000}, playing=False)
    begun: list[object] = []
    session.on("input_audio_buffer.speech_started", begun.append)
    await service.say({"type": "input_audio_buffer.speech_started", "audio_start_ms": 0, "item_id": "item_u"})
    await until(lambda: begun)  # listeners are called in order: the speaker's has been
    again = await session.respond()
    page.barge_in = False
    page.refresh()
    assert session.playback is not None
    assert session.playback.at == again.items[0].id
    await service.say({"type": "input_audio_buffer.speech_started", "audio_start_ms": 0, "item_id": "item_u"})
    heard: list[object] = []
    session.on("session.updated", heard.append)
    await session.configure(voice="verse")
    await until(lambda: heard)  # listeners are called in order: this comes after the speech
    assert "conversation.item.truncate" not in service.types()
    await session.close()


async def test_the_newest_speaker_plays(wire: Wire, shown: Callable[[AsyncSession], Page]) -> None:
    """The older is silenced and sends no more, until its page asks for it."""
    session, _ = await open_for_views()
    first, second = shown(session), shown(session)
    assert (first.playing, second.playing) == (False, True)
    await session.ask("x")
    first.refresh()
    second.refresh()
    assert sum(len(samples) for _, samples, _ in audio_sent(wire)) == 6_000
    first.says("ready", running=True)
    assert (first.playing, second.playing) == (True, False)
    assert "plays in the browser" in repr(first)
    assert "no browser" in second.snapshot()["text/html"]
    await session.close()


async def test_what_the_page_threw_away_is_not_waited_for(shown: Callable[[AsyncSession], Page]) -> None:
    """A page without leave keeps only the newest answer."""
    session, _ = await open_for_views()
    page = shown(session)
    page.says("state", running=False)
    asked = await session.ask("x")
    page.refresh()
    assert page.heard_ms(asked.items[0].id) == 0
    page.says("dropped", items=[asked.items[0].id])
    assert session.playback is not None
    assert session.playback.at == ""
    await session.close()


@pytest.mark.parametrize("format", [PCM16, G711_ULAW])
def test_the_reader_gives_one_rate(new_story: Any, format: Any) -> None:
    """Audio of the wanted rate untouched; other audio as its whole would be resampled."""
    clip = AudioClip(np.frombuffer(noise(4_800), "<i2") // 4, format.rate)
    data = format.encode(clip.samples)
    story = new_story()
    audio = {"format": {"type": "audio/pcm", "rate": 24_000} if format is PCM16 else {"type": "audio/pcmu"}}
    story.received(0.0, "session.created", session={"id": "s", "type": "realtime", "audio": {"output": audio}})
    reader = SpokenAudio(story.timeline)
    story.created(0.1, "resp_1")
    for start in range(0, len(data), 997):
        story.spoke(0.2, "resp_1", data[start : start + 997])
    pieces = reader.read()
    story.done(0.3, "resp_1")
    pieces += reader.read()
    assert pieces[-1].last
    samples = np.concatenate([piece.samples for piece in pieces])
    wanted = AudioClip.from_bytes(data, format).resample(24_000).samples
    assert len(samples) == len(wanted)
    assert np.abs(samples.astype(int) - wanted).max() <= (0 if format is PCM16 else 1)
    assert reader.read() == []


def test_the_reader_takes_no_harm_from_audio_that_is_none(new_story: Any) -> None:
    """What says that it is audio and is not base64 makes no sound."""
    story = new_story()
    reader = SpokenAudio(story.timeline)
    event = {"type": "response.output_audio.delta", "response_id": "r", "item_id": "i", "delta": "%%%"}
    story.timeline.store.append(json.dumps(event).encode(), direction="received", t=0.1)
    assert [piece for piece in reader.read() if len(piece.samples)] == []
