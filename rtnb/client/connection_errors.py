"""The errors for a refused or broken connection: HTTP status, close code and reason in; one clear error out. Pure."""

from __future__ import annotations

import json
import ssl
from typing import Any

from rtnb.errors import AuthError, ConnectError, ServerError, SessionClosed
from rtnb.formatting import one_line, seconds
from rtnb.protocol.events import Event

_ADVICE = {
    400: "check the URL's path and query",
    401: "check the key, or sign in again; on Azure, a GA URL with an api-version is answered so too",
    403: "check the role 'Cognitive Services OpenAI User', and the resource's network rules",
    404: "check the endpoint and the name of the deployment or model",
    408: "try again",
    426: "this URL does not speak WebSocket; check its path",
    429: "too many requests or sessions: wait a little, or raise the quota",
}
_CLOSE_MEANING = {
    1000: "a normal end",
    1001: "the service is going away or the session has expired",
    1006: "the connection broke without a closing frame",
    1007: "a frame held invalid text",
    1008: "the service calls it a policy violation",
    1009: "a frame was larger than the receiver takes (rtnb takes 32 MiB)",
    1011: "an internal error, or a keepalive without an answer",
    1012: "the service restarts",
    1013: "the service is overloaded; try again later",
}
BETA_SHAPE_DISABLED = "beta_api_shape_disabled"
RETIRED = (
    "the service no longer speaks the preview dialect. Connect with dialect='ga' (on Azure leave api_version= and "
    "OPENAI_API_VERSION out); the local service still speaks it: rtnb.connect('local', dialect='preview')"
)


def refused_handshake(status: int, body: bytes, location: str = "") -> ConnectError:
    """Return the error for a handshake that was answered with an HTTP status instead of an upgrade."""
    said = one_line(_explanation(body), 300)
    if 300 <= status < 400:
        return ConnectError(
            f"The service wants to redirect to {one_line(location, 120) or 'another address'}, which rtnb refuses because "
            "it would send the credential there; if you trust that address, connect to it by name.",
            status=status,
            body=said,
        )
    advice = _ADVICE.get(status) or ("the service is in trouble: try again later" if status >= 500 else "check the URL")
    error = AuthError if status in (401, 403) else ConnectError
    return error(
        f"The service refused the connection with HTTP {status}{': ' + said if said else ''} — {advice}.",
        status=status,
        body=said,
    )


def unreachable(error: BaseException, timeout: float) -> ConnectError:
    """Return the error for a transport that could not be opened."""
    if isinstance(error, TimeoutError):
        return ConnectError(
            f"No answer to the handshake within {seconds(timeout)}; check the address, the network or a proxy, "
            "or give timeout= more seconds."
        )
    if isinstance(error, ssl.SSLError):
        return ConnectError(f"The TLS handshake failed: {one_line(error, 200)}; check the certificate and the address.")
    if isinstance(error, OSError):
        return ConnectError(
            f"The service cannot be reached: {one_line(error.strerror or error, 200)}; check that it runs and its address."
        )
    return ConnectError(f"The answer is no WebSocket handshake: {one_line(error, 200)}; check the URL.")


def closed_error(code: int, reason: str, who: str, last_activity: float | None, explained: str = "") -> SessionClosed:
    """Return the error for using, or waiting on, a session that is closed."""
    endings = {"service": "The service closed the session", "client": "The session was closed here"}
    ending = endings.get(who, "The connection was lost")
    meaning = close_meaning(code, reason + explained)
    when = "" if last_activity is None else f" Last activity {seconds(last_activity)} after the session opened."
    said = "; ".join(filter(None, (one_line(reason, 200), one_line(explained, 300), meaning)))
    return SessionClosed(
        f"{ending} ({code}{': ' + said if said else ''}).{when} What was received is in session.timeline; "
        "session.resume() goes on from there, rtnb.connect() opens a new session.",
        code=code,
        reason=reason,
        who=who,
        last_activity=last_activity,
    )


def close_meaning(code: int | None, said: str) -> str:
    """Return what a close code, or what the service `said` with it, means and what to do; empty where that is not known."""
    return RETIRED if BETA_SHAPE_DISABLED in said else _CLOSE_MEANING.get(code or 0, "")


def server_error(event: Event) -> ServerError:
    """Return the exception for an ``error`` event, its words on one line and of a length that can be read."""
    given: Any = event.data.get("error")
    error = given if isinstance(given, dict) else {"message": given or event.text("message") or None}
    names = ("type", "code", "param", "event_id", "message")
    return ServerError.from_error(
        {
            name: one_line(error[name], 1000 if name == "message" else 120)
            for name in names
            if error.get(name) is not None
        }
    )


def _explanation(body: bytes) -> str:
    text = body[:4096].decode("utf-8", "replace").strip()
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return text
    error = data.get("error", data) if isinstance(data, dict) else data
    if isinstance(error, dict):
        return " ".join(str(error[key]) for key in ("code", "message") if error.get(key)) or text
    return str(error)
