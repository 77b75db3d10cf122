"""`ClientSecret`: a key of a few minutes that a service grants, the request for one, and what its answer means. Pure."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from rtnb import formatting
from rtnb.client.endpoint import Endpoint
from rtnb.client.session_kind import asked_kind, with_transcriber
from rtnb.errors import AuthError, ConfigurationError, ConnectError, RtnbError
from rtnb.formatting import one_line
from rtnb.protocol.catalog import TRANSCRIPTION
from rtnb.protocol.config import nest

SHORTEST, LONGEST = 10, 7200
"""Seconds that a client secret may live (openai 3.57's types of ``POST /realtime/client_secrets``)."""

_OF_A_SESSION = ("model", "deployment", "intent", "call_id")
_ADVICE = {
    400: "change what the message names",
    401: "check the key, or sign in again",
    403: "check that the key, or the role, may make client secrets",
    404: "check the address; an older or foreign server may have no client secrets",
    405: "this server has no client secrets",
    429: "too many requests: wait a little",
}


class ClientSecret:
    """A key of a few minutes, to hand out in place of the real one: ``rtnb.connect(…, api_key=secret.value)``.

    It opens any number of sessions, with the settings that it was granted for, until it expires; a session that is open then
    goes on.

    Attributes
    ----------
    value : str
        The key (``"ek_…"``); nothing but this attribute shows it.
    expires_at : int
        When it expires, in Unix seconds.
    session : dict
        The settings that its sessions begin with, as the service has them.
    """

    def __init__(self, value: str, expires_at: int, session: dict[str, Any], where: str) -> None:
        self.value = value
        self.expires_at = expires_at
        self.session = session
        self._where = where

    @property
    def seconds_left(self) -> float:
        """Return the seconds until it expires, by this computer's clock; 0 once it has."""
        return max(0.0, self.expires_at - time.time())

    def __repr__(self) -> str:
        return f"<ClientSecret ***, {', '.join(self._facts())}>"

    def _facts(self) -> list[str]:
        until = datetime.fromtimestamp(self.expires_at, UTC)
        left = self.seconds_left
        expiry = f"in {formatting.seconds(left)}" if left else "it has expired"
        model = one_line(self.session.get("model") or "", 80)
        return [
            one_line(self._where, 100),
            *([f"model {model}"] if model else []),
            f"until {until:%Y-%m-%d %H:%M:%S} UTC ({expiry})",
        ]

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        facts = formatting.muted(" · ".join(map(formatting.escape, self._facts())))
        use = formatting.muted("rtnb.connect(…, api_key=secret.value)")
        return {"text/plain": repr(self), "text/html": formatting.card("<b>Client secret</b> ***", facts, use)}


def secret_url(place: Endpoint) -> str:
    """Return the HTTP address that grants client secrets for sessions at a place.

    Raises
    ------
    ConfigurationError
        There is none.
    """
    if not place.dialect.typed_session:
        raise ConfigurationError(
            f"The {place.dialect.title} has no client secrets; leave api_version= and dialect= out, or write dialect='ga'."
        )
    if place.call_id:
        raise ConfigurationError("A client secret is for new sessions; leave call_id= out.")
    parts = urlsplit(place.url)
    scheme = {"wss": "https", "ws": "http"}.get(parts.scheme, parts.scheme)
    query = [(name, value) for name, value in parse_qsl(parts.query) if name not in _OF_A_SESSION]
    path = f"{parts.path.rstrip('/')}/client_secrets"
    return parts._replace(scheme=scheme, path=path, query=urlencode(query)).geturl()


def secret_request(place: Endpoint, config: Mapping[str, Any], expires: float) -> dict[str, Any]:
    """Return the body of a request for a client secret that lives `expires` seconds, with settings in flat GA words.

    Raises
    ------
    ConfigurationError
        If no service grants that.
    """
    if isinstance(expires, bool) or not isinstance(expires, (int, float)) or not SHORTEST <= expires <= LONGEST:
        raise ConfigurationError(
            f"expires={expires!r}: a client secret lives {SHORTEST} to {LONGEST:,} seconds (2 hours); write expires=600."
        )
    kind = asked_kind(place.url, place.intent)
    session = kind.typed(nest(with_transcriber(kind, config, {})))
    if kind.type != TRANSCRIPTION:
        session["model"] = place.model
    return {"expires_after": {"anchor": "created_at", "seconds": round(expires)}, "session": session}


def granted_secret(status: int, body: bytes, place: Endpoint) -> ClientSecret:
    """Return the client secret in an answer.

    Raises
    ------
    ConnectError, AuthError
        The service granted none: what it said, and what to do.
    """
    try:
        answer = json.loads(body)
    except ValueError:
        answer = None
    said = answer if isinstance(answer, dict) else {}
    if status >= 300:
        raise _refusal(status, said, body, place)
    value, expires_at, session = (said.get(name) for name in ("value", "expires_at", "session"))
    if not isinstance(value, str) or not value or not isinstance(expires_at, (int, float)):
        raise ConnectError(
            f"{place.words} answered, but with no client secret in its answer; check that the address is that of a "
            "realtime service.",
            status=status,
        )
    settings = (
        {key: each for key, each in session.items() if key != "client_secret"} if isinstance(session, dict) else {}
    )
    return ClientSecret(value, int(expires_at), settings, place.words)


def _refusal(status: int, said: Mapping[str, Any], body: bytes, place: Endpoint) -> RtnbError:
    error = said.get("error", said)
    parts = [error.get(name) for name in ("code", "message")] if isinstance(error, dict) else [error]
    page = "" if b"<html" in body[:500].lower() else body[:300].decode("utf-8", "replace")
    words = one_line(" ".join(str(each) for each in parts if each) or page, 300).rstrip(".")
    fallback = "the service is in trouble: try again later" if status >= 500 else "check the address"
    refusal = AuthError if status in (401, 403) else ConnectError
    return refusal(
        f"{place.words} granted no client secret: HTTP {status}{f', {words}' if words else ''} — "
        f"{_ADVICE.get(status, fallback)}.",
        status=status,
        body=words,
    )
