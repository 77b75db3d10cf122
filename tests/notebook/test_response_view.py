"""The view of a response on its way: what it tells the browser, and what stands in its place afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from rtnb.audio import AudioClip
from rtnb.client.transcription import Transcription
from rtnb.conversation.items import ContentPart, Item, ResponseState
from rtnb.conversation.response import Response
from rtnb.notebook import response_view
from rtnb.notebook.growing_arrays import GrowingEnvelope, clip_envelope
from rtnb.notebook.response_view import BINS, ResponseView
from rtnb.timeline import Timeline


@pytest.fixture
def state() -> ResponseState:
    made = ResponseState(id="resp_1", status="in_progress")
    made.items["item_1"] = Item("item_1", role="assistant", content={0: ContentPart("audio")})
    return made


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    published: list[dict[str, Any]] = []
    monkeypatch.setattr(
        "IPython.display.publish_display_data", lambda data, **options: published.append({"data": data, **options})
    )
    return published


@pytest.fixture
def view(state: ResponseState, monkeypatch: pytest.MonkeyPatch) -> Iterator[ResponseView]:
    """A view that is drawn when the test says so."""
    monkeypatch.setattr("rtnb.notebook.refresher.Refresher.add", lambda self, view: None)
    made = ResponseView(Response(state, Timeline()))
    yield made
    made.vanish()


def part(state: ResponseState) -> ContentPart:
    return state.items["item_1"].content[0]


def tone(seconds: float, level: int) -> bytes:
    samples = np.full(round(24_000 * seconds), level, "<i2")
    samples[::2] *= -1
    return samples.tobytes()


def test_it_grows_with_the_response(view: ResponseView, state: ResponseState) -> None:
    """Words, seconds and waveform are those that have come by the time of a refresh."""
    view.refresh()
    assert (view.words, view.seconds, view.wave) == ("", 0.0, b"")
    part(state).transcript_pieces.append("One <b>two")
    part(state).chunks.append(tone(1.0, 16_384))
    view.refresh()
    assert (view.words, view.seconds) == ("One <b>two", 1.0)
    assert "1.00 s of audio" in view.figures
    part(state).chunks.append(tone(60.0, 8_192))
    view.refresh()
    assert view.seconds == 61.0


def test_a_waveform_is_160_bytes_however_long_the_sound(view: ResponseView, state: ResponseState) -> None:
    """A minute costs the browser no more than two seconds do."""
    for _ in range(60):
        part(state).chunks.append(tone(1.0, 16_384))
        view.refresh()
        assert len(view.wave) <= 2 * BINS == 160
    pairs = np.frombuffer(view.wave, np.int8).reshape(-1, 2)
    assert len(pairs) == BINS
    assert set(pairs[:, 0]) == {-64}
    assert set(pairs[:, 1]) == {64}


def test_the_envelope_is_that_of_the_whole_whatever_the_pieces() -> None:
    """Samples and steps that are split between deltas are measured as if they had come in one."""
    rng = np.random.default_rng(7)
    data = rng.integers(-30_000, 30_000, 48_000, np.int16).astype("<i2").tobytes()
    whole = ContentPart("audio", chunks=[data])
    split = ContentPart("audio")
    growing = GrowingEnvelope()
    cuts = np.sort(rng.integers(0, len(data), 100))
    for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True):
        split.chunks.append(data[start:end])
        growing.take([split])
    together = GrowingEnvelope()
    together.take([whole])
    assert growing.envelope(50) == together.envelope(50) == clip_envelope(AudioClip.from_bytes(data), 50)


def test_the_finished_response_takes_the_views_place(
    view: ResponseView, state: ResponseState, shown: list[dict[str, Any]]
) -> None:
    """Each cell that showed the view shows the finished response, player and all, and the view is closed."""
    part(state).transcript_pieces.append("Of course!")
    part(state).chunks.append(tone(0.5, 9_000))
    view._ipython_display_()
    view._ipython_display_()
    assert [each["update"] for each in shown] == [False, False]
    state.status, state.done_t = "completed", 1.0
    view.refresh()
    assert [each["update"] for each in shown[2:]] == [True, True]
    assert [each["transient"] for each in shown[:2]] == [each["transient"] for each in shown[2:]]
    for each in shown[2:]:
        assert "<audio" in each["data"]["text/html"]
        assert "widget-view" not in " ".join(each["data"])
    view.refresh()
    assert view.comm is None
    assert len(shown) == 4


def test_what_is_shown_meanwhile_is_escaped(view: ResponseView, state: ResponseState) -> None:
    """Markup in a transcript is text in the snapshot, and control characters are visible everywhere."""
    part(state).transcript_pieces.append("<script>x\u202e")
    view.refresh()
    assert "&lt;script&gt;x\\u202e" in view.snapshot()["text/html"]
    assert view.words == "<script>x\\u202e"


def test_a_long_transcript_is_cut_at_its_beginning(view: ResponseView, state: ResponseState) -> None:
    """The end is what one reads while it grows; the browser gets a bounded text."""
    part(state).transcript_pieces.append("word " * 10_000 + "end")
    view.refresh()
    assert view.words.endswith("end")
    assert len(view.words) <= response_view._SHOWN_CHARACTERS + 2


def test_captions_grow_in_the_view_of_a_transcription(state: ResponseState, monkeypatch: pytest.MonkeyPatch) -> None:
    """The words as they come, and how much speech they are of; at the end the transcription stands there."""
    monkeypatch.setattr("rtnb.notebook.refresher.Refresher.add", lambda self, view: None)
    connection: Any = SimpleNamespace(timeline=Timeline())
    spoken = Transcription(connection, None, AudioClip.silence(2.0))  # type: ignore[arg-type]
    spoken.follow(state)
    live = ResponseView(spoken)
    for words in ("Hello", "Hello world"):
        part(state).transcript = words
        live.refresh()
        assert live.words == words
    assert "in_progress · 2.00 s of speech" in live.figures
    state.status, state.done_t = "completed", 1.0
    spoken.settle()
    live.refresh()
    assert '"Hello world"' in live.snapshot()["text/plain"]
    assert "Hello world" in live.snapshot()["text/html"]
