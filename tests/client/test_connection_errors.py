"""What a refused or broken connection means, and what to do about it."""

from __future__ import annotations

import json
import ssl
from datetime import UTC, datetime

import pytest
from websockets.exceptions import InvalidProxy, InvalidURI

from rtnb.client.connection_errors import (
    closed_error,
    refused_handshake,
    retry_seconds,
    server_error,
    unreachable,
    without_repeats,
)
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
    assert error.body == "some_code: Because."
    for words in (f"HTTP {status}: some_code: Because — ", advice):
        assert words in str(error)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", ""),
        (b"Not Found", "Not Found"),
        (b'{"error":"plain"}', "plain"),
        (b'{"message":"m"}', "m"),
        (b'{"code":"401","message":"m"}', "401: m"),
        (b'["x"]', "['x']"),
        (b'{"error":{}}', '{"error":{}}'),
        (b"\xff\xfe", "\ufffd\ufffd"),
        (b"[" * 100_000, "[["),
        (b"<html>" + b"x" * 100_000, "<html>"),
        (b'{"error":{"message":"a\\u202eb\\u001b[31m"}}', "a\\u202eb\\u001b[31m"),
        (b"<!doctype html><html><head><title>\n  502 Bad Gateway &amp; more\nnginx</title>", "502 Bad Gateway & more"),
        (b"<HTML><HEAD><TITLE lang=en></TITLE></HEAD><BODY><H1>Access <b>denied</b></H1>", "Access denied"),
        (b"<html><body><h1>Access <b>denied</b></h1></body></html>", "Access denied"),
        (b'{"error":{"code":"bad_key","message":"bad_key: no"}}', "bad_key: no"),
    ],
)
def test_the_body_is_explained_whatever_it_is(body: bytes, said: str) -> None:
    """JSON or not, short, printable."""
    error = refused_handshake(500, body)
    assert error.body.startswith(said)
    assert len(str(error)) < 600


def test_a_page_is_reported_by_its_title_alone() -> None:
    """Not by its markup."""
    error = refused_handshake(502, b"<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>")
    assert error.body == "502 Bad Gateway"
    assert "<" not in str(error)


def test_the_facts_stand_at_the_end_of_every_refusal() -> None:
    """After what the service said, the advice, how long to wait, and the hint."""
    facts = "Dialled wss://h/x, API key."
    error = refused_handshake(429, b"", retry_after=7.0, hint="Perhaps so.", facts=facts)
    assert error.retry_after == 7.0
    assert str(error).endswith(
        "or raise the quota. It asks to be left alone for 7.00 s. Perhaps so. Dialled wss://h/x, API key."
    )
    assert str(refused_handshake(302, b"", "https://x/", facts=facts)).endswith(facts)
    assert str(unreachable(OSError("x"), 1.0, facts=facts)).endswith(facts)
    assert refused_handshake(500, b"").retry_after is None


@pytest.mark.parametrize(
    ("headers", "wanted"),
    [
        ({"retry-after": "30"}, 30.0),
        ({"retry-after": " 1.5 "}, 1.5),
        ({"retry-after": "Wed, 25 Nov 2026 10:00:30 GMT"}, 30.0),
        ({"retry-after": "Wed, 25 Nov 2026 10:00:30 GMT", "date": "Wed, 25 Nov 2026 10:00:10 GMT"}, 20.0),
        ({"retry-after": "Wed, 25 Nov 2026 09:00:00 GMT"}, 0.0),
        ({"retry-after-ms": "250", "retry-after": "1"}, 0.25),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after-ms": ""}, None),
        ({}, None),
    ],
)
def test_how_long_to_wait_is_reported_in_seconds(headers: dict[str, str], wanted: float | None) -> None:
    """A number or a date, by the service's own clock where it shows one; what is neither is nothing."""
    now = datetime(2026, 11, 25, 10, tzinfo=UTC).timestamp()
    assert retry_seconds(headers, now) == wanted


def test_where_a_certificate_is_the_cause_what_is_trusted_is_reported() -> None:
    """And only there."""
    trust = "SSL_CERT_FILE=/x names them."
    assert trust in str(unreachable(ssl.SSLCertVerificationError("certificate verify failed"), 1.0, certificates=trust))
    for other in (ssl.SSLError("WRONG_VERSION_NUMBER"), OSError("x"), TimeoutError()):
        assert trust not in str(unreachable(other, 1.0, certificates=trust))


@pytest.mark.parametrize("secret", ["planted-password"])
def test_the_librarys_words_about_an_address_do_not_repeat_it(secret: str) -> None:
    """It may hold a password."""
    for error in (
        InvalidURI(f"wss://{secret}@h/x", "username provided without password"),
        InvalidProxy(f"http://{secret}@proxy:8080", "username provided without password"),
    ):
        said = str(unreachable(error, 1.0))
        assert "username provided without password" in said
        assert secret not in said


@pytest.mark.parametrize(
    ("phrases", "joined"),
    [
        (("a", "b"), "a; b"),
        (("", "expired", "session_expired: It has expired."), "session_expired: It has expired."),
        (("Session_Expired: It has expired", "it has expired."), "Session_Expired: It has expired"),
        (("same.", "same"), "same."),
        (("  ", ""), ""),
    ],
)
def test_no_phrase_is_said_twice(phrases: tuple[str, ...], joined: str) -> None:
    """The one that says more stays."""
    assert without_repeats(*phrases) == joined


def test_the_end_of_a_session_says_nothing_twice() -> None:
    """Where the service says in an error and in its close what the code says too."""
    said = "Your session hit the maximum duration of 60 minutes."
    assert str(closed_error(1001, said, "service", 1.0, f"session_expired: {said}")).count(said) == 1
    lost = str(closed_error(1006, "a keepalive was not answered", "network", 1.0))
    assert "The connection was lost (1006: a keepalive was not answered)." in lost
    broken = "the connection broke without a closing frame"
    assert str(closed_error(1006, broken, "network", 1.0)).count(broken) == 1
    assert broken in str(closed_error(1006, "", "network", 1.0))


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
