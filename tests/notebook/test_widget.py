"""What all views have in common: a writer, a wire, and a last state that stays."""

from __future__ import annotations

from typing import Any

import fake_comm
import pytest
from fake_comm import Wire

from rtnb.notebook import refresher
from rtnb.notebook.widget import ViewWidget

VIEW = "application/vnd.jupyter.widget-view+json"


class Example(ViewWidget):
    """Shows a number."""

    _esm = "export default { render() {} }"

    def __init__(self) -> None:
        self.number = 1
        self.heard: list[Any] = []
        super().__init__()

    def received(self, content: Any, buffers: list[memoryview]) -> None:
        self.heard.append(content)

    def snapshot(self) -> dict[str, str]:
        return {"text/plain": f"{self.number}", "text/html": f"<b>{self.number}</b>"}


Published = list[tuple[dict[str, Any], dict[str, Any]]]


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    return fake_comm.connected(monkeypatch)


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> Published:
    """What cells have shown."""
    shown: Published = []
    monkeypatch.setattr("IPython.display.publish_display_data", lambda bundle, **how: shown.append((bundle, how)))
    return shown


def test_a_message_of_the_browser_is_taken_on_the_refreshers_thread(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The callback itself only hands the message over, whatever thread it is on."""
    jobs: list[Any] = []
    monkeypatch.setattr(refresher.shared(), "do", jobs.append)
    view = Example()
    wire.say(view, ask="something")
    assert view.heard == []
    jobs[0]()
    assert view.heard == [{"ask": "something"}]


def test_a_view_is_the_widget_and_what_stands_in_for_it(wire: Wire, published: Published) -> None:
    """Each display has both the widget and its state as text and HTML, under an id of its own."""
    view = Example()
    view._ipython_display_()
    view._ipython_display_()
    ids = {how["transient"]["display_id"] for _, how in published}
    assert len(ids) == 2
    for bundle, how in published:
        assert bundle[VIEW]["model_id"] == view.model_id
        assert bundle["text/html"] == "<b>1</b>"
        assert how["update"] is False


def test_settling_puts_the_present_state_into_every_display(wire: Wire, published: Published) -> None:
    """The widget stays, the snapshot beside it is new."""
    view = Example()
    view._ipython_display_()
    view.number = 2
    view.settle()
    bundle, how = published[-1]
    assert (bundle["text/plain"], how["update"]) == ("2", True)
    assert VIEW in bundle


def test_a_closed_view_leaves_its_last_state(wire: Wire, published: Published) -> None:
    """No widget is left in the cell, the refresher has let go, and closing again does nothing."""
    view = Example()
    view._ipython_display_()
    view.number = 3
    view.close()
    bundle, how = published[-1]
    assert (bundle, how["update"]) == ({"text/plain": "3", "text/html": "<b>3</b>"}, True)
    assert refresher.shared().views == []  # type: ignore[attr-defined]
    count = len(published)
    view.close()
    assert len(published) == count
