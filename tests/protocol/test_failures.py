"""One table says which events are failures, and in which words."""

from __future__ import annotations

import pytest
from failing import FAILING, FINE

from rtnb.protocol.events import Event
from rtnb.protocol.failures import failure_words


@pytest.mark.parametrize(("frame", "words"), FAILING)
def test_a_failure_says_what_failed(frame: bytes, words: str) -> None:
    """With the service's reason where it gave one."""
    assert failure_words(Event.parse(frame)).startswith(words)


@pytest.mark.parametrize("frame", FINE)
def test_what_did_not_fail_says_nothing(frame: bytes) -> None:
    """A cancelled response is no failure, nor is a session that was closed on purpose."""
    assert failure_words(Event.parse(frame)) == ""
