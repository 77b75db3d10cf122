"""What a refused or broken connection means, and what to do about it."""

from __future__ import annotations

import json
import ssl

import pytest

from rtnb.client.connection_errors import closed_error, refused_handshake, server_error, unreachable
from rtnb.errors import AuthError, ConnectError
from rtnb.protocol.events import Event


@pytest.mark.parametrize(
    ("status", "kind", "advice"),
    [
        (401, AuthError, "check the key"),
        (403, AuthError, "Cognitive Services OpenAI User"),
        (404, ConnectError, "name of the deployment"),
        (429, ConnectError, "wait a little"),
        (500, ConnectError, "try again later"),
        (503, ConnectError, "try again later"),
        (400, ConnectError, "path and query"),
        (418, ConnectError, "check the URL"),
        (426, ConnectError, "does not speak WebSocket"),
    ],
)
def test_each_status_has_its_advice(status: int, kind: type, advice: str) -> None:
    """The status, what the service said, and what to do."""
    body = b'{"error":{"code":"some_code","message":"Because."}}'
    error = refused_handshake(status, body)
    assert type(error) is kind
    assert error.status == status
    assert error.body == "some_code Because."
    for words in (str(status), "some_code Because.", advice):
        assert words in str(error)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", ""),
        (b"Not Found", "Not Found"),
        (b'{"error":"plain"}', "plain"),
        (b'{"message":"m"}', "m"),
        (b'{"code":"401","message":"m"}', "401 m"),
        (b'["x"]', "['x']"),
        (b'{"error":{}}', '{"error":{}}'),
        (b"\xff\xfe", "\ufffd\ufffd"),
        (b"[" * 100_000, "[["),
        (b"<html>" + b"x" * 100_000, "<html>"),
        (b'{"error":{"message":"a\\u202eb\\u001b[31m"}}', "a\\u202eb\\u001b[31m"),
    ],
)
def test_the_body_is_explained_whatever_it_is(body: bytes, said: str) -> None:
    """JSON or not, short, printable."""
    error = refused_handshake(500, body)
    assert error.body.startswith(said)
    assert len(str(error)) < 600


def test_a_redirect_is_refused_and_explained() -> None:
    """It names where it would have gone, and why it does not."""
    error = refused_handshake(302, b"", "https://evil.example/")
    assert "https://evil.example/" in str(error)
    assert "would send the credential" in str(error)


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        (TimeoutError(), "No answer to the handshake within 2.00 s"),
        (ConnectionRefusedError(111, "Connection refused"), "cannot be reached: Connection refused"),
        (OSError("Multiple exceptions: x"), "cannot be reached: Multiple exceptions: x"),
        (ssl.SSLCertVerificationError("certificate verify failed"), "TLS handshake failed"),
        (ValueError("bad header"), "no WebSocket handshake: bad header"),
    ],
)
def test_each_way_not_to_arrive(cause: Exception, words: str) -> None:
    """What happened, and what to check."""
    error = unreachable(cause, 2.0)
    assert words in str(error)
    assert any(hint in str(error) for hint in ("check", "give timeout="))


def test_the_end_of_a_session_says_who_why_and_what_next() -> None:
    """Code, reason, party, last activity."""
    error = closed_error(1001, "Your session hit the maximum duration of 60 minutes.", "service", 3600.0)
    assert (error.code, error.who, error.last_activity) == (1001, "service", 3600.0)
    for words in (
        "The service closed the session",
        "60 minutes",
        "session has expired",
        "60 min",
        "session.timeline",
        "rtnb.connect()",
    ):
        assert words in str(error)
    assert "connection was lost" in str(closed_error(1006, "", "network", None))
    assert "closed here" in str(closed_error(1000, "", "client", None))


def test_the_retirement_of_the_preview_dialect_is_explained() -> None:
    """Close 4000, with the code in the reason or in the error before it."""
    for reason, said in (
        ("invalid_request_error.beta_api_shape_disabled", ""),
        ("", "beta_api_shape_disabled: The Realtime Beta…"),
    ):
        error = closed_error(4000, reason, "service", 0.1, said)
        assert "dialect='ga'" in str(error)
        assert "rtnb.connect('local', dialect='preview')" in str(error)


def event(error: object, **fields: object) -> Event:
    return Event.parse(json.dumps({"type": "error", "error": error, **fields}).encode())


def test_an_error_event_becomes_an_exception() -> None:
    """With all that it says."""
    error = server_error(event({"type": "t", "code": "c", "message": "m", "param": "session.x", "event_id": "event_1"}))
    assert (error.type, error.code, error.param, error.event_id) == ("t", "c", "session.x", "event_1")
    assert str(error) == "c: m (parameter session.x)"


@pytest.mark.parametrize(
    "error", [None, {}, [], "just words", 7, {"message": None}, {"code": [], "message": {"a": []}}]
)
def test_an_error_event_of_any_shape_becomes_one(error: object) -> None:
    """Never an error about an error."""
    assert str(server_error(event(error)))
    assert "just words" in str(server_error(event("just words")))
    assert "top" in str(server_error(event(None, message="top")))


def test_an_error_that_would_spoil_a_terminal_does_not() -> None:
    """Printable, on one line, of a length that can be read."""
    text = str(server_error(event({"code": "c\u202e\n" * 1000, "message": "\x1b[31m" + "x" * 1_000_000})))
    assert len(text) < 1_500
    assert not any(bad in text for bad in ("\u202e", "\x1b", "\n"))
