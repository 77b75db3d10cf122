"""What the cell that waits for a response shows, and when it shows nothing."""

from __future__ import annotations

from typing import Any

import pytest

from rtnb.conversation.items import ContentPart, Item, ResponseState
from rtnb.conversation.response import Response
from rtnb.notebook import cell_progress
from rtnb.timeline import Timeline


def growing(transcript: str, audio: bytes = b"") -> Response:
    """Return a response in progress that has said something."""
    state = ResponseState(id="resp_1", status="in_progress")
    state.items["item_1"] = Item(
        "item_1", content={0: ContentPart("audio", transcript_pieces=[transcript], chunks=[audio])}
    )
    return Response(state, Timeline())


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[tuple[dict[str, Any], bool]]:
    """Collect what is published, and whether it replaces what was there."""
    published: list[tuple[dict[str, Any], bool]] = []

    def publish(data: dict[str, Any], **options: Any) -> None:
        published.append((data, options["update"]))

    monkeypatch.setattr("IPython.display.publish_display_data", publish)
    monkeypatch.setattr("IPython.display.display", lambda view: view._ipython_display_())
    return published


def test_a_quick_answer_leaves_no_trace(shown: list[Any]) -> None:
    """Nothing is shown before the wait has become one."""
    progress = cell_progress.CellProgress()
    progress.update(growing("Hi"))
    progress.finish()
    assert shown == []


def test_a_slow_answer_is_one_view_that_goes_away(shown: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """The first update shows the view, later ones leave it alone, and at the end nothing is in its place."""
    monkeypatch.setattr(cell_progress, "DELAY", -1.0)
    progress = cell_progress.CellProgress()
    response = growing("One")
    progress.update(response)
    progress.update(response)
    progress.finish()
    assert [update for _, update in shown] == [False, True]
    assert "One" in shown[0][0]["text/html"]
    assert shown[1][0] == {"text/html": "", "text/plain": ""}


def test_a_view_that_was_there_when_the_response_ended_goes_away_too(
    shown: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cell's value shows the finished response, so the view must not show it a second time."""
    monkeypatch.setattr(cell_progress, "DELAY", -1.0)
    progress = cell_progress.CellProgress()
    response = growing("One")
    progress.update(response)
    response._state.done_t = 1.0
    assert progress._view is not None
    progress._view.refresh()
    progress.finish()
    assert shown[-1][0] == {"text/html": "", "text/plain": ""}
    assert len(shown) == 2


def test_scripts_and_terminals_have_no_views() -> None:
    """Only a kernel shows something under cells."""
    assert not cell_progress.in_kernel()
