"""Which request a response answers, told by their order alone."""

from __future__ import annotations

from typing import Any

import pytest
from scripted import Wire

from rtnb.conversation.requested import Requested
from rtnb.protocol.events import SENT, Event
from rtnb.protocol.events import write_json as written


def event(wire: Wire) -> Event:
    return Event.parse(written(wire), direction=SENT, t=1.5)


def asked(*names: str, **response: Any) -> Requested:
    requested = Requested()
    for name in names:
        requested.sent(event({"type": "response.create", "event_id": name, "response": response}))
    return requested


def began(**response: Any) -> Event:
    return event({"type": "response.created", "response": {"id": "r", **response}})


def causes(requested: Requested, count: int, **response: Any) -> list[str]:
    found = [requested.cause(began(**response)) for _ in range(count)]
    return [each.event_id if each else "" for each in found]


def test_requests_are_answered_in_order() -> None:
    """Each once; the service began any further response by itself."""
    requested = asked("a", "b")
    request = requested.cause(began())
    assert request is not None
    assert (request.event_id, request.t, request.out_of_band) == ("a", 1.5, False)
    assert causes(requested, 2) == ["b", ""]


def test_a_refused_request_has_no_response() -> None:
    """Doubted or not; what is no name refuses nothing."""
    requested = asked("a", "b", "c")
    requested.refused("b")
    requested.refused(None)
    requested.doubt()
    requested.refused("a")
    assert causes(requested, 2) == ["c", ""]


def test_doubted_requests_are_answered_last() -> None:
    """After an error that names nothing, the next response is that of the next request; without one it is theirs."""
    requested = asked("a")
    requested.doubt()
    assert not requested.in_band
    requested.sent(event({"type": "response.create", "event_id": "b"}))
    assert requested.in_band
    assert causes(requested, 2) == ["b", "a"]


@pytest.mark.parametrize(
    ("named", "found"), [({"conversation_id": "c"}, ""), ({"conversation_id": None}, "a"), ({}, "a")]
)
def test_a_request_beside_the_conversation_is_answered_beside_it(named: Wire, found: str) -> None:
    """Unless the service does not say where its response belongs."""
    requested = asked("a", conversation="none")
    assert not requested.in_band
    assert causes(requested, 1, **named) == [found]


def test_the_end_of_the_connection_ends_all_requests() -> None:
    """Those in doubt, too."""
    requested = asked("a")
    requested.doubt()
    requested.sent(event({"type": "response.create", "event_id": "b"}))
    requested.clear()
    assert causes(requested, 1) == [""]
