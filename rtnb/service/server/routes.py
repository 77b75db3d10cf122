"""The answer to each HTTP request: a WebSocket session, a page, a token for keyless sign-in, or how to connect instead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode

import orjson

from rtnb.formatting import one_line
from rtnb.protocol.catalog import DEFAULT_MODEL, PREVIEW_MODEL
from rtnb.protocol.dialects import (
    DEFAULT_PREVIEW_VERSION,
    GA,
    PREVIEW,
    Dialect,
    dialect_of_request,
    squeeze_slashes,
)
from rtnb.protocol.urls import azure_url, openai_url

_SESSION_PATHS = ("/v1/realtime", "/openai/v1/realtime", "/openai/realtime")
_NAME = "rtnb local realtime service"
_TOKEN = "rtnb-local-token-that-opens-nothing"
_TOKEN_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Place:
    """Where the service is."""

    url: str  # ws://HOST:PORT, without a path
    tls_url: str | None = None  # wss://HOST:PORT, where there is TLS …
    certificate: Path | None = None  # … with this certificate


@dataclass(frozen=True, slots=True)
class SessionRoute:
    """A WebSocket session."""

    dialect: Dialect  # the client's, by its URL and headers
    model: str  # the name of the model or deployment in the URL
    intent: str = ""  # "transcription" for a session that only transcribes
    api_version: str = ""  # Azure's, where the URL has one
    path: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """A plain HTTP answer. Its body repeats nothing of the request's query or headers, where credentials may be."""

    status: HTTPStatus
    content_type: str
    body: str
    headers: tuple[tuple[str, str], ...] = ()


def route(
    target: str, headers: Mapping[str, str], *, place: Place, health: Mapping[str, Any], now: float
) -> SessionRoute | Page:
    """Return the answer to a GET request.

    `target` is the request target with its query, `health` what ``/health`` shows of the service, `now` the Unix time.
    """
    path, _, query = squeeze_slashes(target).partition("?")
    path = path.rstrip("/") or "/"
    given = {name.lower(): value for name, value in headers.items()}
    asked = parse_qs(query)
    if path in _SESSION_PATHS:
        if given.get("upgrade", "").lower() != "websocket":
            return page(HTTPStatus.UPGRADE_REQUIRED, f"This is a WebSocket endpoint of the {_NAME}.\n\n{usage(place)}")
        model = (asked.get("model") or asked.get("deployment") or [DEFAULT_MODEL])[0]
        intent, version = (asked.get(name, [""])[0] for name in ("intent", "api-version"))
        return SessionRoute(dialect_of_request(target, headers), one_line(model, 200), intent, version, path)
    if path == "/":
        return page(HTTPStatus.OK, f"This is the {_NAME}. It rehearses; no cloud model answers.\n\n{usage(place)}")
    if path == "/health":
        return _json(HTTPStatus.OK, {"status": "ok", "service": _NAME, **health})
    if path == "/msi/token":
        return _token(given, asked.get("resource", [""])[0], now)
    return page(HTTPStatus.NOT_FOUND, f"Nothing is at {one_line(path, 200)}.\n\n{usage(place)}")


def page(status: HTTPStatus, body: str) -> Page:
    """Return a page of text."""
    return Page(status, "text/plain; charset=utf-8", body)


def _json(status: HTTPStatus, body: Mapping[str, Any]) -> Page:
    return Page(status, "application/json", orjson.dumps(body).decode() + "\n", (("Cache-Control", "no-store"),))


def _token(headers: Mapping[str, str], resource: str, now: float) -> Page:
    """Answer as the App Service's endpoint for managed identities does. A web page cannot send the header it wants."""
    if "x-identity-header" not in headers:
        message = "The header X-IDENTITY-HEADER is missing; azure-identity sends it when IDENTITY_HEADER is set."
        return _json(HTTPStatus.BAD_REQUEST, {"statusCode": 400, "message": message})
    token = {
        "access_token": _TOKEN,
        "expires_on": str(int(now) + _TOKEN_SECONDS),
        "resource": one_line(resource, 200),
        "token_type": "Bearer",
        "client_id": "00000000-0000-0000-0000-000000000000",
    }
    return _json(HTTPStatus.OK, token)


def usage(place: Place) -> str:
    """Return how to connect to the service, for people: its URLs, and what the official clients need."""
    base, http = place.url, place.url.replace("ws://", "http://", 1)
    preview = urlencode({"api-version": DEFAULT_PREVIEW_VERSION})
    return f"""In Python, with rtnb:
  rtnb.connect("{base}")

Sessions (any key, any model or deployment name):
  OpenAI          {openai_url(base, model=DEFAULT_MODEL)}
  Azure           {azure_url(base, GA, deployment=DEFAULT_MODEL, api_version=None)}
  Azure, preview  {azure_url(base, PREVIEW, deployment=PREVIEW_MODEL, api_version=None)}

For the official OpenAI client (Python), OpenAI() and AsyncOpenAI():
  export OPENAI_BASE_URL={http}/v1
  export OPENAI_API_KEY=any
For AsyncAzureOpenAI (Python, {preview}), which otherwise insists on TLS:
  AsyncAzureOpenAI(websocket_base_url="{base}/openai", azure_endpoint="{http}",
                   api_version="{DEFAULT_PREVIEW_VERSION}", api_key="any").beta.realtime.connect(model="{PREVIEW_MODEL}")
For keyless sign-in without Azure (DefaultAzureCredential takes its token from here; leave AZURE_OPENAI_API_KEY unset):
  export IDENTITY_ENDPOINT={http}/msi/token
  export IDENTITY_HEADER=any
  export AZURE_OPENAI_ENDPOINT={http}
  export AZURE_OPENAI_DEPLOYMENT_NAME={DEFAULT_MODEL}

{_tls_usage(place)}"""


def _tls_usage(place: Place) -> str:
    if place.tls_url is None:
        return "For clients that insist on TLS (the official JavaScript client does): start it with --tls.\n"
    https = place.tls_url.replace("wss://", "https://", 1)
    return f"""For clients that insist on TLS (the official JavaScript client does), the same paths at
  {place.tls_url}    (endpoint {https}, base URL {https}/v1)
with a certificate that was made for this run and that they must be told to trust:
  export NODE_EXTRA_CA_CERTS={place.certificate}
  export SSL_CERT_FILE={place.certificate}    (Python; there it replaces all others, so not in a shell that talks to the cloud)
"""
