"""A widget's wire without a browser: what a view sends is kept, what a browser would say is said, and no time passes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import comm.base_comm
import pytest

from rtnb.notebook import refresher


class StillRefresher:
    """A refresher that stands still: jobs are done at once, and views are refreshed when a test says so."""

    def __init__(self) -> None:
        self.views: list[Any] = []

    def add(self, view: Any) -> None:
        self.views.append(view)

    def remove(self, view: Any) -> None:
        self.views = [each for each in self.views if each is not view]

    def do(self, job: Callable[[], None]) -> None:
        job()


class FakeComm(comm.base_comm.BaseComm):
    """Keeps the messages."""

    def publish_msg(self, msg_type: str, **message: Any) -> None:
        messages.append((msg_type, message))


messages: list[tuple[str, dict[str, Any]]] = []


class Wire:
    """What has crossed the wire of the views of one test."""

    def __init__(self) -> None:
        messages.clear()

    @property
    def updates(self) -> list[dict[str, Any]]:
        """The states that were sent."""
        return [
            message["data"]["state"] for _, message in messages if (message.get("data") or {}).get("method") == "update"
        ]

    @property
    def sent(self) -> list[dict[str, Any]]:
        """The custom messages that were sent."""
        return [
            message["data"]["content"]
            for _, message in messages
            if (message.get("data") or {}).get("method") == "custom"
        ]

    @property
    def buffers(self) -> list[list[Any]]:
        """The buffers of the custom messages that were sent."""
        return [
            message["buffers"] or [] for _, message in messages if (message.get("data") or {}).get("method") == "custom"
        ]

    @property
    def count(self) -> int:
        """Messages of any kind."""
        return len(messages)

    def say(self, view: Any, **content: Any) -> None:
        """Say what a browser would."""
        view._handle_custom_msg(content, [])


def connected(monkeypatch: pytest.MonkeyPatch) -> Wire:
    """Put views on a fake wire and a refresher that stands still."""
    monkeypatch.setattr("comm.create_comm", FakeComm)
    still = StillRefresher()
    monkeypatch.setattr(refresher, "shared", lambda: still)
    return Wire()
