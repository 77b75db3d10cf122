"""The errors for a refused or broken connection: HTTP status, close code and reason in; one clear error out. Pure."""

from __future__ import annotations

import html
import json
import math
import re
import ssl
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from websockets.exceptions import InvalidProxy, ProxyError

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
_TITLE = re.compile(r"<(title|h1)[^>]*>(.*?)</\1", re.IGNORECASE | re.DOTALL)
_BROKEN = 1006
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


def refused_handshake(
    status: int, body: bytes, location: str = "", *, retry_after: float | None = None, hint: str = "", facts: str = ""
) -> ConnectError:
    """Return the error for a handshake that was answered with an HTTP status instead of an upgrade.

    Parameters
    ----------
    status : int
    body : bytes
    location : str
        Where a redirect points to.
    retry_after : float, optional
        Seconds that the service wants to be left alone.
    hint : str
        What else may be wrong.
    facts : str
        What was dialled, and how, as a sentence.
    """
    said = one_line(_explanation(body), 300)
    if 300 <= status < 400:
        return ConnectError(
            f"The service wants to redirect to {one_line(location, 120) or 'another address'}, which rtnb refuses because "
            f"it would send the credential there; if you trust that address, connect to it by name.{_after(facts)}",
            status=status,
            body=said,
        )
    advice = _ADVICE.get(status) or ("the service is in trouble: try again later" if status >= 500 else "check the URL")
    error = AuthError if status in (401, 403) else ConnectError
    wait = "" if retry_after is None else f"It asks to be left alone for {seconds(retry_after)}."
    return error(
        f"The service refused the connection with HTTP {status}{': ' + said.rstrip('.') if said else ''} — {advice}."
        f"{_after(wait)}{_after(hint)}{_after(facts)}",
        status=status,
        body=said,
        retry_after=retry_after,
    )


def unreachable(error: BaseException, timeout: float, *, certificates: str = "", facts: str = "") -> ConnectError:
    """Return the error for a transport that could not be opened.

    `certificates` says which certificates are trusted, which matters where one of them is the cause; `facts` says what was
    dialled, and how.
    """
    said = one_line(getattr(error, "msg", None) or getattr(error, "strerror", None) or error, 200)
    if isinstance(error, TimeoutError):
        what = (
            f"No answer to the handshake within {seconds(timeout)}; check the address, the network or a proxy, "
            "or give timeout= more seconds."
        )
    elif isinstance(error, ssl.SSLError):
        cause = one_line(error, 200)
        what = f"The TLS handshake failed: {cause}; check the certificate and the address."
        if isinstance(error, ssl.SSLCertVerificationError):
            what += _after(certificates)
    elif isinstance(error, (ProxyError, InvalidProxy)):
        what = f"The proxy does not let the connection through: {said}; check its address, and its user and password."
    elif isinstance(error, OSError):
        what = f"The service cannot be reached: {said}; check that it runs and its address."
    else:
        what = f"The answer is no WebSocket handshake: {said}; check the URL."
    return ConnectError(f"{what}{_after(facts)}")


def retry_seconds(headers: Mapping[str, str], now: float) -> float | None:
    """Return for how many seconds an HTTP answer asks to be left alone; None where it does not say.

    ``retry-after`` has seconds or a date, which counts from the answer's own ``date``, else from `now` (Unix time). The
    names of `headers` are in lower case.
    """
    said = headers.get("retry-after", "").strip()
    try:
        wanted = float(headers.get("retry-after-ms", "")) / 1000 if "retry-after-ms" in headers else float(said)
    except ValueError:
        try:
            until = parsedate_to_datetime(said).timestamp()
            sent = headers.get("date")
            wanted = until - (parsedate_to_datetime(sent).timestamp() if sent else now)
        except (ValueError, OverflowError):
            return None
    return max(0.0, wanted) if math.isfinite(wanted) else None


def without_repeats(*phrases: str) -> str:
    """Return phrases joined, without those that another one repeats."""
    kept: list[str] = []
    for phrase in filter(None, map(str.strip, phrases)):
        if not any(_says(other, phrase) for other in kept):
            kept = [*(other for other in kept if not _says(phrase, other)), phrase]
    return "; ".join(kept)


def _says(longer: str, phrase: str) -> bool:
    return phrase.rstrip(".").casefold() in longer.casefold()


def _after(sentence: str) -> str:
    return f" {sentence}" if sentence else ""


def closed_error(code: int, reason: str, who: str, last_activity: float | None, explained: str = "") -> SessionClosed:
    """Return the error for using, or waiting on, a session that is closed."""
    endings = {"service": "The service closed the session", "client": "The session was closed here"}
    ending = endings.get(who, "The connection was lost")
    meaning = "" if code == _BROKEN and reason else close_meaning(code, reason + explained)
    when = "" if last_activity is None else f" Last activity {seconds(last_activity)} after the session opened."
    said = without_repeats(one_line(reason, 200), one_line(explained, 300), meaning)
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
        return _title(text) or text
    error = data.get("error", data) if isinstance(data, dict) else data
    if isinstance(error, dict):
        code, message = (str(error.get(key) or "") for key in ("code", "message"))
        return (message if code in message else ": ".join(filter(None, (code, message)))) or text
    return str(error)


def _title(page: str) -> str:
    """Return the first line of an HTML page's title, or heading; empty for what has none."""
    titles = (html.unescape(re.sub(r"<[^>]*>", " ", found[2])) for found in _TITLE.finditer(page))
    return next(filter(None, (line.strip() for title in titles for line in title.split("\n"))), "")
