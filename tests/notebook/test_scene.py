"""What a browser draws of a timeline: judged by the samples and the events themselves."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from rtnb.audio import AudioClip
from rtnb.audio.g711 import encode_ulaw
from rtnb.notebook.scene import Axis, Stage
from rtnb.notebook.speech_track import SILENT_HIGH, SILENT_LOW
from rtnb.protocol.dialects import PREVIEW
from rtnb.protocol.events import encode_base64
from rtnb.protocol.names import Kind
from rtnb.timeline.sound import mix
from rtnb.timeline.timeline import Timeline

RATE = 24_000
Make = Callable[..., Any]


def stage_of(timeline: Timeline) -> Stage:
    stage = Stage(timeline)
    stage.advance()
    return stage


def wave(scene: dict[str, Any], lane: str) -> np.ndarray[Any, Any]:
    """Return (2, pixels)."""
    return np.frombuffer(scene["waves"][lane], np.int8).reshape(2, -1).astype(int)


def noise(seconds: float, seed: int = 1) -> np.ndarray[Any, Any]:
    return np.random.default_rng(seed).integers(-20_000, 20_000, round(seconds * RATE)).astype(np.int16)


def spoken(new_story: Make, samples: np.ndarray[Any, Any], piece: float, gap: float = 0.01) -> Timeline:
    story = new_story()
    story.created(0.0, "resp_1")
    size = round(piece * RATE)
    for place in range(0, len(samples), size):
        story.spoke(0.5 + gap * place / size, "resp_1", samples[place : place + size].tobytes())
    return story.timeline  # type: ignore[no-any-return]


@pytest.mark.parametrize("span", [(0.5, 2.5), (1.0, 1.25), (1.2, 1.2125)])
@pytest.mark.parametrize("piece", [0.02, 0.25])
def test_a_pixel_is_the_least_and_the_greatest_of_its_samples(
    new_story: Make, span: tuple[float, float], piece: float
) -> None:
    """At any zoom: each pixel lies within its samples and those of its neighbours, and the whole is not missed."""
    samples = noise(2.0)
    start, end = span
    pixels = 100
    scene = stage_of(spoken(new_story, samples, piece)).scene(Axis(start, end, pixels))
    low, high = wave(scene, "heard")
    edges = np.round((np.linspace(start, end, pixels + 1) - 0.5) * RATE).astype(int)
    scaled = samples.astype(int) * 127 / 32768
    for pixel in range(pixels):
        near = scaled[max(edges[max(pixel - 1, 0)], 0) : edges[min(pixel + 2, pixels)] + 1]
        assert near.min() - 1 <= low[pixel] <= high[pixel] <= near.max() + 1
    inside = scaled[max(edges[0], 0) : edges[-1]]
    assert abs(low.min() - inside.min()) <= 1.5
    assert abs(high.max() - inside.max()) <= 1.5


def test_where_there_is_no_sound_there_is_no_ink(new_story: Make, level: Make) -> None:
    """Before the first piece and after the last, and in a pause."""
    story = new_story()
    story.spoke(1.0, "resp_1", level(0.5))
    story.spoke(3.0, "resp_1", level(0.5))
    low, high = wave(stage_of(story.timeline).scene(Axis(0.0, 5.0, 50)), "heard")
    silent = (low == SILENT_LOW) & (high == SILENT_HIGH)
    assert np.flatnonzero(~silent).tolist() == [*range(10, 15), *range(30, 35)]


def test_a_sample_that_is_split_between_two_deltas_is_whole(new_story: Make) -> None:
    """However the bytes are cut, the picture is the same, from afar and close by."""
    samples = (np.sin(np.arange(RATE) / 50) * 9000).astype("<i2").tobytes()
    pictures = []
    for cuts in ([0, 9600, 24_000, 48_000], [0, 9601, 24_001, 48_000]):
        story = new_story()
        for first, last in itertools.pairwise(cuts):
            story.spoke(1.0, "resp_1", samples[first:last])
        stage = stage_of(story.timeline)
        pictures.append([wave(stage.scene(Axis(1.0, end, 90)), "heard") for end in (2.0, 1.5)])
    for even, odd in zip(*pictures, strict=True):
        assert np.abs(even - odd).max() <= 3


def test_sound_that_arrives_faster_than_it_plays_is_squeezed(new_story: Make) -> None:
    """One second of sound that came in 40 ms takes that much of the lane where it arrived, and a second where it is heard."""
    scene = stage_of(spoken(new_story, noise(1.0), 0.25)).scene(Axis(0.0, 2.0, 200))
    assert (wave(scene, "arrived")[0] != SILENT_LOW).sum() <= 6
    assert (wave(scene, "heard")[0] != SILENT_LOW).sum() == pytest.approx(100, abs=2)


def test_what_is_heard_is_where_the_mixed_talk_has_it(new_story: Make, level: Make) -> None:
    """The cursor over the lanes points at the sound that is played: the user's, and the answer up to where it was cut."""
    story = new_story()
    for place in range(20):
        story.sent(0.2 + place * 0.04, Kind.INPUT_APPEND, audio=encode_base64(level(0.04).samples.tobytes()))
    for place in range(8):
        story.spoke(2.0 + place * 0.01, "resp_1", level(0.25))
    story.received(3.0, Kind.ITEM_TRUNCATED, item_id="item_resp_1", audio_end_ms=1100, content_index=0)
    story.spoke(3.5, "resp_2", level(0.25))
    scene = stage_of(story.timeline).scene(Axis(0.0, 5.0, 500))
    talk = mix(story.timeline)
    for lane, clip in (("user", talk.left), ("heard", talk.right)):
        sounding = np.zeros(500, bool)
        loud = np.abs(clip.samples.astype(int)) > 0
        places = np.unique((np.flatnonzero(loud) / RATE * 100).astype(int))
        sounding[places] = True
        assert (sounding != (wave(scene, lane)[0] != SILENT_LOW)).sum() <= 4
    unheard = np.flatnonzero(wave(scene, "unheard")[0] != SILENT_LOW)
    assert abs(unheard[0] - 310) <= 2
    assert abs(unheard[-1] - 399) <= 2


def test_words_stand_where_they_are_said(new_story: Make, level: Make) -> None:
    """A word goes with the sound that comes after it; words that came after all sound have no known time."""
    story = new_story()
    for place, word in enumerate(("one ", "two ", "three ")):
        story.said(1.0 + place * 0.01, "resp_1", word)
        story.spoke(1.001 + place * 0.01, "resp_1", level(1.0))
    story.received(1.4, Kind.AUDIO_DELTA, response_id="resp_1", item_id="item_resp_1", delta="")
    story.said(1.5, "resp_1", "four")
    scene = stage_of(story.timeline).scene(Axis(0.0, 5.0, 1000))
    assert [(round(t, 2), lines) for t, lines in scene["spoken"]] == [(1.0, ["one"]), (2.0, ["two"]), (3.0, ["three"])]
    assert " ".join(line for _, lines in scene["words"] for line in lines) == "one two three four"


def test_responses_speech_tools_and_errors_are_stretches(new_story: Make) -> None:
    """With the rows they began with; what has not ended has no end, until the session is closed."""
    story = new_story()
    story.received(0.5, Kind.SPEECH_STARTED, audio_start_ms=0)
    story.received(0.9, Kind.SPEECH_STOPPED, audio_end_ms=400)
    story.created(1.0, "resp_1")
    call = {"type": "function_call", "call_id": "call_1", "name": "weather"}
    story.received(1.1, Kind.OUTPUT_ITEM_ADDED, item=call, response_id="resp_1")
    story.done(1.5, "resp_1", "failed")
    story.sent(1.8, Kind.ITEM_CREATE, item={"type": "function_call_output", "call_id": "call_1", "output": "rain"})
    story.received(2.0, Kind.ERROR, error={"message": "no\nway"})
    story.created(2.5, "resp_2")
    stage = stage_of(story.timeline)
    scene = stage.scene(Axis(0.0, 3.0, 300))
    assert scene["speech"] == [[0.5, 0.9, 0, "speech", "speech"]]
    assert scene["responses"] == [[1.0, 1.5, 2, "failed", "failed"], [2.5, None, 7, "in progress", "in_progress"]]
    assert scene["tools"] == [[1.1, 1.8, 3, "weather", "answered"]]
    assert scene["errors"] == [[2.0, 2.0, 6, "no way", "error"]]
    assert stage.scene(Axis(1.2, 1.4, 100))["responses"] == scene["responses"][:1]
    assert stage.scene(Axis(1.6, 1.7, 100))["responses"] == []
    story.closed(2.8)
    stage.advance()
    assert stage.scene(Axis(0.0, 3.0, 300))["responses"][1][1] == 2.8


def test_ticks_are_the_events_of_their_pixel(one_turn: Make) -> None:
    """Each lane's events, counted, named after the first."""
    scene = stage_of(one_turn()).scene(Axis(-0.05, 0.95, 10))
    ticks = {lane: np.frombuffer(found, "<u2").reshape(3, -1).tolist() for lane, found in scene["ticks"].items()}
    types = scene["types"]
    assert ticks["sent"][:2] == [[1], [1]]
    assert [types[code] for code in ticks["received"][2]] == [
        Kind.SESSION_CREATED,
        Kind.RESPONSE_CREATED,
        Kind.RESPONSE_DONE,
    ]
    assert ticks["text"][:2] == [[3], [2]]


def test_the_same_turn_looks_the_same_in_both_dialects(one_turn: Make) -> None:
    """Words, sound, responses."""
    scenes = [stage_of(one_turn(dialect)).scene(Axis(0.0, 2.0, 100)) for dialect in (PREVIEW,)] + [
        stage_of(one_turn()).scene(Axis(0.0, 2.0, 100))
    ]
    for part in ("waves", "responses", "words", "spoken"):
        assert scenes[0][part] == scenes[1][part]


def test_growing_row_by_row_is_the_same_as_all_at_once(long_session: Make) -> None:
    """A live session's lanes end up like a recording's."""
    whole = long_session(600)
    grown = Timeline(title=whole.title)
    stage = Stage(grown)
    for event in whole:
        grown.store.append(event.raw, direction=event.direction, t=event.t)
        if event.seq % 11 == 0:
            stage.advance()
    stage.advance()
    other = stage_of(whole)
    assert stage.whole == other.whole
    for axis in (Axis(0.0, 60.0, 400), Axis(3.0, 4.0, 400)):
        assert stage.scene(axis) == other.scene(axis)


def test_a_long_session_is_no_more_to_send_than_a_short_one(long_session: Make, one_turn: Make) -> None:
    """Bounded by pixels: waves by their number, ticks and stretches by what can be told apart."""
    stage = stage_of(long_session(10_000))
    scene = stage.scene(Axis(*stage.whole, 500))
    assert all(len(each) == 1000 for each in scene["waves"].values())
    assert all(len(each) <= 6 * 500 for each in scene["ticks"].values())
    assert len(scene["responses"]) <= 400


def test_a_click_finds_the_row_under_it(one_turn: Make) -> None:
    """In lanes of ticks the nearest, in lanes of sound the piece that sounds then, in an empty lane nothing."""
    stage = stage_of(one_turn())
    assert stage.row_at("sent", 0.5) == 1
    assert stage.row_at("received", 0.22) == 2
    assert stage.row_at("text", 0.4) == 4
    assert stage.row_at("arrived", 0.46) == 6
    assert stage.row_at("heard", 0.4 + 0.6) == 7
    assert stage.row_at("heard", 0.0) == 5
    assert stage.row_at("user", 0.5) is None
    assert stage.row_at("errors", 0.5) is None


def test_times_that_are_none_and_an_empty_timeline_are_drawn_without_complaint(new_story: Make, level: Make) -> None:
    """A damaged recording has lanes, too."""
    empty = Stage(Timeline())
    assert not empty.advance()
    assert empty.scene(Axis(*empty.whole, 100))["responses"] == []
    story = new_story()
    story.created(math.nan, "resp_1")
    story.spoke(math.nan, "resp_1", level(0.2))
    story.said(math.nan, "resp_1", "word")
    story.spoke(0.5, "resp_1", level(0.2))
    stage = stage_of(story.timeline)
    scene = stage.scene(Axis(*stage.whole, 100))
    assert stage.whole[1] >= 0.7
    assert scene["responses"] == []


def test_law_and_linear_sound_stand_on_one_lane(new_story: Make) -> None:
    """A session that changes its format is drawn at the same height before and after."""
    clip = AudioClip.from_array(0.5 * np.sin(np.arange(8000) / 5), 8000)
    story = new_story()
    pcm = {"session": {"type": "realtime", "audio": {"input": {"format": {"type": "audio/pcm", "rate": 24000}}}}}
    law = {"session": {"type": "realtime", "audio": {"input": {"format": {"type": "audio/pcmu"}}}}}
    sounds = (clip.resample(RATE).samples.tobytes(), encode_ulaw(clip.samples))
    for t, setting, data in zip((0.0, 2.0), (pcm, law), sounds, strict=True):
        story.sent(t, Kind.SESSION_UPDATE, **setting)
        story.sent(t + 0.1, Kind.INPUT_APPEND, audio=encode_base64(data))
    low, high = wave(stage_of(story.timeline).scene(Axis(0.0, 4.0, 40)), "user")
    assert high[5] == pytest.approx(63, abs=3)
    assert high[25] == pytest.approx(63, abs=3)
    assert low[25] == pytest.approx(-63, abs=3)
