"""The line under a waiting cell: what it says, and when there is none."""

from __future__ import annotations

from typing import Any

import pytest

from rtnb.items import ContentPart, Item, ResponseState
from rtnb.log import Timeline
from rtnb.notebook import live
from rtnb.response import Response


def growing(transcript: str, audio: bytes) -> Response:
    """Return a response in progress that has said something."""
    state = ResponseState(id="resp_1", status="in_progress")
    state.items["item_1"] = Item(
        "item_1", content={0: ContentPart("audio", transcript_pieces=[transcript], chunks=[audio])}
    )
    return Response(state, Timeline())


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[tuple[dict[str, str], bool]]:
    """Collect what is published, and whether it replaces what was there."""
    published: list[tuple[dict[str, str], bool]] = []

    def publish(data: dict[str, str], **options: Any) -> None:
        published.append((data, options["update"]))

    monkeypatch.setattr("IPython.display.publish_display_data", publish)
    return published


def test_progress_says_words_and_seconds() -> None:
    """Transcript so far, seconds of audio, and how long one has waited; all escaped."""
    html = live.progress_html(growing("One <script>two", bytes(48_000)), 1.25)
    assert "One &lt;script&gt;two" in html
    assert "1.00 s of audio" in html
    assert "no audio yet" in live.progress_html(growing("", b""), 0.5)


def test_a_quick_answer_leaves_no_trace(shown: list[Any]) -> None:
    """Nothing is drawn before the wait has become one."""
    progress = live.CellProgress()
    progress.update(growing("Hi", b""))
    progress.finish()
    assert shown == []


def test_a_slow_answer_is_one_line_that_goes_away(shown: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """The first update makes the line, later ones replace it, and the end empties it."""
    monkeypatch.setattr(live, "_PATIENCE", -1.0)
    progress = live.CellProgress()
    for words in ("One", "One, two"):
        progress.update(growing(words, b""))
    progress.finish()
    assert [update for _, update in shown] == [False, True, True]
    assert "One, two" in shown[1][0]["text/html"]
    assert shown[2][0] == {"text/html": "", "text/plain": ""}


def test_scripts_and_terminals_have_no_progress_line() -> None:
    """Only a kernel draws under cells."""
    assert live.cell_progress() is None
