"""Waveforms on a time axis, judged by the samples themselves."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from rtnb.audio import AudioClip
from rtnb.audio.g711 import encode_ulaw
from rtnb.notebook.waveform import AudioLane, Axis, Wave, arrival_widths
from rtnb.protocol.events import encode_base64
from rtnb.protocol.names import Kind
from rtnb.timeline.timeline import Timeline

RATE = 24_000
Make = Callable[..., Any]


def lane_of(timeline: Timeline, kind: str = Kind.AUDIO_DELTA) -> AudioLane:
    lane = AudioLane(timeline, kind)
    lane.extend(timeline[:])
    return lane


def seconds(*values: float) -> np.ndarray[Any, Any]:
    return np.array(values, np.float64)


def noise(seconds: float, seed: int = 1) -> np.ndarray[Any, Any]:
    return np.random.default_rng(seed).integers(-20_000, 20_000, round(seconds * RATE)).astype(np.int16)


def spoken(new_story: Make, samples: np.ndarray[Any, Any], piece: float, gap: float = 0.01) -> Timeline:
    story = new_story()
    story.created(0.0, "resp_1")
    size = round(piece * RATE)
    for place in range(0, len(samples), size):
        story.spoke(0.5 + gap * place / size, "resp_1", samples[place : place + size].tobytes())
    return story.timeline  # type: ignore[no-any-return]


def test_arriving_sound_is_as_narrow_as_it_came_fast() -> None:
    """Each piece reaches to the next one's arrival; the last before a pause is as narrow as the one before it."""
    widths = arrival_widths(seconds(0, 0.1, 0.2, 9.0, 9.2), np.full(5, 0.5))
    np.testing.assert_allclose(widths, [0.1, 0.1, 0.1, 0.2, 0.2])


def test_no_sound_is_drawn_longer_than_it_lasts() -> None:
    """Sound that arrives in real time, or slower, or alone, keeps its length."""
    np.testing.assert_allclose(arrival_widths(seconds(0, 0.5, 1.2), np.full(3, 0.5)), 0.5)
    np.testing.assert_allclose(arrival_widths(seconds(3.0), seconds(0.5)), 0.5)
    assert len(arrival_widths(seconds(), seconds())) == 0


def test_sound_of_no_length_takes_no_width() -> None:
    """An audio delta without a sample is nowhere."""
    np.testing.assert_allclose(arrival_widths(seconds(0, 1), seconds(0, 0.5)), [0, 0.5])


@pytest.mark.parametrize("span", [(0.5, 2.5), (1.0, 1.25), (1.2, 1.2125)])
@pytest.mark.parametrize("piece", [0.02, 0.25])
def test_a_pixel_is_the_least_and_the_greatest_of_its_samples(
    new_story: Make, span: tuple[float, float], piece: float
) -> None:
    """At any zoom: each pixel lies within its samples and those of its neighbours, and the whole is not missed."""
    samples = noise(2.0)
    start, end = span
    pixels = 100
    wave = lane_of(spoken(new_story, samples, piece)).heard(Axis(start, end, pixels))
    edges = np.round((np.linspace(start, end, pixels + 1) - 0.5) * RATE).astype(int)
    scaled = samples / 32768
    for pixel in range(pixels):
        near = scaled[max(edges[max(pixel - 1, 0)], 0) : edges[min(pixel + 2, pixels)] + 1]
        assert near.min() <= wave.low[pixel] <= wave.high[pixel] <= near.max()
    inside = scaled[max(edges[0], 0) : edges[-1]]
    assert abs(wave.low.min() - inside.min()) <= 0.012
    assert abs(wave.high.max() - inside.max()) <= 0.012


def test_where_there_is_no_sound_there_is_no_ink(new_story: Make, level: Make) -> None:
    """Before the first piece and after the last, and in a pause."""
    story = new_story()
    story.spoke(1.0, "resp_1", level(0.5))
    story.spoke(3.0, "resp_1", level(0.5))
    wave = lane_of(story.timeline).heard(Axis(0.0, 5.0, 50))
    expected = np.array([*range(10, 15), *range(30, 35)])
    np.testing.assert_array_equal(np.isnan(wave.low), np.isnan(wave.high))
    np.testing.assert_allclose(wave.t, expected / 10)


def test_a_sample_that_is_split_between_two_deltas_is_whole(new_story: Make) -> None:
    """However the bytes are cut, the picture is the same, from afar and close by."""
    samples = (np.sin(np.arange(RATE) / 50) * 9000).astype("<i2").tobytes()
    waves = []
    for cuts in ([0, 9600, 24_000, 48_000], [0, 9601, 24_001, 48_000]):
        story = new_story()
        for first, last in itertools.pairwise(cuts):
            story.spoke(1.0, "resp_1", samples[first:last])
        lane = lane_of(story.timeline)
        waves.append([lane.heard(axis) for axis in (Axis(1.0, 2.0, 90), Axis(1.0, 1.5, 90), Axis(1.6, 1.9, 90))])
    for even, odd in zip(*waves, strict=True):
        assert np.abs(even.low - odd.low).max() <= 0.024
        assert np.abs(even.high - odd.high).max() <= 0.024


def test_sound_that_arrives_faster_than_it_plays_is_squeezed(new_story: Make) -> None:
    """One second of sound that came in 40 ms takes that much of the lane where it arrived, and a second where it is heard."""
    lane, axis = lane_of(spoken(new_story, noise(1.0), 0.25)), Axis(0.0, 2.0, 200)
    assert len(lane.arrived(axis).t) <= 6
    assert len(lane.heard(axis).t) == pytest.approx(100, abs=2)


def test_squeezed_sound_keeps_its_extremes(new_story: Make) -> None:
    """Much sound drawn in one pixel leaves the least and the greatest sample of all of it."""
    samples = np.zeros(RATE, np.int16)
    samples[9_000], samples[20_000] = 29_491, -26_214
    story = new_story()
    story.spoke(1.0, "resp_1", samples.tobytes())
    wave = lane_of(story.timeline).heard(Axis(0.0, 10.0, 5))
    assert wave.t.tolist() == [0.0]
    assert (wave.low[0], wave.high[0]) == pytest.approx((-0.8, 0.9), abs=1e-4)


def test_no_sound_is_an_empty_wave(new_story: Make) -> None:
    """Nothing to draw is a wave without a pixel of sound, of no height; half a sample is silence."""
    story = new_story()
    story.spoke(0.0, "resp_1", b"x")
    for lane in (lane_of(Timeline()), lane_of(story.timeline)):
        wave = lane.heard(Axis(0.5, 1.0, 10))
        assert len(wave.t) == 0
        assert wave.peak == lane.peak == 0


def test_an_outline_breaks_where_the_sound_stops() -> None:
    """The filled shape has both edges of each pixel, and NaN where there is no sound."""
    height = np.array([1, 1, np.nan, np.nan, np.nan, 1], np.float32)
    x, low, high = Wave(2.0, 0.1, -height, height).outline()
    np.testing.assert_allclose(x[:4], [2.0, 2.1, 2.1, 2.2])
    np.testing.assert_allclose(x[-2:], [2.5, 2.6])
    np.testing.assert_allclose(high, [1, 1, 1, 1, *[np.nan] * 6, 1, 1])
    np.testing.assert_allclose(low, -high)
    assert Wave(2.0, 0.1, -height, height).peak == 1


def test_what_was_cut_off_is_drawn_apart(new_story: Make, level: Make) -> None:
    """A truncated answer is heard up to the cut; the rest is unheard, and both together are the whole."""
    story = new_story()
    for place in range(4):
        story.spoke(1.0 + place / 100, "resp_1", level(0.5))
    story.received(1.8, Kind.ITEM_TRUNCATED, item_id="item_resp_1", audio_end_ms=700, content_index=0)
    lane, axis = lane_of(story.timeline), Axis(0.0, 4.0, 40)
    assert np.flatnonzero(~np.isnan(lane.heard(axis).low)).tolist() == list(range(10, 17))
    assert np.flatnonzero(~np.isnan(lane.unheard(axis).low)).tolist() == list(range(17, 30))


def test_what_was_cut_off_ends_where_the_next_answer_sounds(new_story: Make, level: Make) -> None:
    """Wherever the borders of the rows are, no audio that was not heard is drawn beneath audio that is."""
    story = new_story()
    for place in range(8):
        story.spoke(1.0 + place / 100, "resp_1", level(0.25))
    story.received(1.8, Kind.ITEM_TRUNCATED, item_id="item_resp_1", audio_end_ms=700, content_index=0)
    story.spoke(2.1, "resp_2", level(1.0))
    lane, axis = lane_of(story.timeline), Axis(0.0, 4.0, 80)
    assert np.flatnonzero(~np.isnan(lane.heard(axis).low)).tolist() == [*range(20, 34), *range(42, 62)]
    assert np.flatnonzero(~np.isnan(lane.unheard(axis).low)).tolist() == list(range(34, 42))


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
    wave = lane_of(story.timeline, Kind.INPUT_APPEND).heard(Axis(0.0, 4.0, 40))
    assert wave.high[5] == pytest.approx(0.5, abs=0.024)
    assert wave.high[25] == pytest.approx(0.5, abs=0.024)
    assert wave.low[25] == pytest.approx(-0.5, abs=0.024)
