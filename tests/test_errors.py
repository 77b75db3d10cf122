"""The error tree: what each is, what it carries, what its message ends in."""

from __future__ import annotations

import inspect
import pickle

import pytest

import rtnb.errors
from rtnb.errors import (
    AuthError,
    ConfigurationError,
    ConnectError,
    ProtocolError,
    ResponseTimeout,
    RtnbError,
    ServerError,
    SessionClosed,
)


def every_error() -> list[type[RtnbError]]:
    return [each for _, each in inspect.getmembers(rtnb.errors, inspect.isclass) if issubclass(each, RtnbError)]


@pytest.mark.parametrize("kind", every_error())
def test_the_tree_in_the_docstring_is_the_tree(kind: type[RtnbError]) -> None:
    """Each error is drawn there, is documented, and is public."""
    assert kind.__name__ in (rtnb.errors.__doc__ or "")
    assert kind.__doc__
    assert getattr(rtnb, kind.__name__) is kind


def test_errors_are_what_people_would_catch() -> None:
    """The language's own kinds, too."""
    assert issubclass(AuthError, ConnectError)
    for kind, base in ((ConfigurationError, ValueError), (ConnectError, ConnectionError), (SessionClosed, ConnectionError),
                       (ResponseTimeout, TimeoutError)):  # fmt: skip
        assert issubclass(kind, base)


def test_errors_carry_their_facts() -> None:
    """As attributes."""
    assert ConnectError("m", status=401, body="b").status == 401
    closed = SessionClosed("m", code=1001, reason="r", who="service", last_activity=1.5)
    assert (closed.code, closed.reason, closed.who, closed.last_activity) == (1001, "r", "service", 1.5)
    assert ResponseTimeout("m", waited_for="w", timeout=2.0).timeout == 2.0
    assert ProtocolError("m", frame=b"f").frame == b"f"


@pytest.mark.parametrize(
    ("error", "text"),
    [
        ({"code": "c", "message": "m", "param": "p"}, "c: m (parameter p)"),
        ({"type": "t", "code": None, "message": "m"}, "t: m"),
        ({}, "error: the service gave no message"),
        ({"code": 7, "message": ["x"]}, "7: ['x']"),
    ],
)
def test_a_server_error_is_built_from_whatever_the_event_has(error: dict[str, object], text: str) -> None:
    """Missing keys are missing."""
    assert str(ServerError.from_error(error)) == text


@pytest.mark.parametrize("kind", every_error())
def test_errors_survive_pickling(kind: type[RtnbError]) -> None:
    """A sweep's workers send them home."""
    again = pickle.loads(pickle.dumps(kind("what happened; what to do")))
    assert type(again) is kind
    assert str(again) == "what happened; what to do"
