"""The answer to each HTTP request: a WebSocket session, a page, a token for keyless sign-in, or how to connect instead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
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

SESSION_PATHS = ("/v1/realtime", "/openai/v1/realtime", "/openai/realtime")
SECRET_PATHS = ("/v1/realtime/client_secrets", "/openai/v1/realtime/client_secrets")
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
    granted: Mapping[str, Any] | None = None  # the settings that a client secret opens it with, in GA's form


@dataclass(frozen=True, slots=True)
class Page:
    """A plain HTTP answer. Its body repeats nothing of the request's query or headers, where credentials may be."""

    status: HTTPStatus
    content_type: str
    body: str
    headers: tuple[tuple[str, str], ...] = ()

    def all_headers(self, body: bytes) -> dict[str, str]:
        """Return its headers, with those of its encoded body."""
        own = {"Content-Type": self.content_type, "Content-Length": str(len(body)), "Connection": "close"}
        return {**own, **dict(self.headers)}


def route(
    target: str, headers: Mapping[str, str], *, place: Place, health: Mapping[str, Any], now: float
) -> SessionRoute | Page:
    """Return the answer to a GET request.

    `target` is the request target with its query, `health` what ``/health`` shows of the service, `now` the Unix time.
    """
    path, asked = read_target(target)
    given = {name.lower(): value for name, value in headers.items()}
    upgrades = given.get("upgrade", "").lower() == "websocket"
    if path in SESSION_PATHS:
        if not upgrades:
            return page(HTTPStatus.UPGRADE_REQUIRED, f"This is a WebSocket endpoint of the {_NAME}.\n\n{usage(place)}")
        model = (asked.get("model") or asked.get("deployment") or [DEFAULT_MODEL])[0]
        intent, version = (asked.get(name, [""])[0] for name in ("intent", "api-version"))
        return SessionRoute(dialect_of_request(target, headers), one_line(model, 200), intent, version, path)
    if path == "/":
        return page(HTTPStatus.OK, f"This is the {_NAME}. It rehearses; no cloud model answers.\n\n{usage(place)}")
    if path == "/health":
        return json_page(HTTPStatus.OK, {"status": "ok", "service": _NAME, **health})
    if path == "/msi/token":
        return _token(given, asked.get("resource", [""])[0], now)
    if path in SECRET_PATHS and not upgrades:
        return error_page(HTTPStatus.METHOD_NOT_ALLOWED, "method_not_allowed", f"{path} takes a POST.", allow="POST")
    nothing = f"Nothing is at {one_line(path, 60)}"
    if upgrades:  # the answer is quoted in an exception
        return error_page(HTTPStatus.NOT_FOUND, "not_found", f"{nothing}: connect to {session_urls(place)}.")
    return page(HTTPStatus.NOT_FOUND, f"{nothing}.\n\n{usage(place)}")


def read_target(target: str) -> tuple[str, dict[str, list[str]]]:
    """Return the path of a request target, without repeated slashes, and the fields of its query."""
    path, _, query = squeeze_slashes(target).partition("?")
    return path.rstrip("/") or "/", parse_qs(query)


def session_urls(place: Place) -> str:
    """Return where sessions are, in half a sentence."""
    return f"{place.url}/v1/realtime?model=NAME (OpenAI's form) or {place.url}/openai/v1/realtime?model=NAME (Azure's)"


def page(status: HTTPStatus, body: str) -> Page:
    """Return a page of text."""
    return Page(status, "text/plain; charset=utf-8", body)


def error_page(
    status: HTTPStatus, code: str, message: str, *, param: str | None = None, allow: str | None = None
) -> Page:
    """Return an error in the cloud's form; `allow` names the method that the path takes."""
    error = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    refused = json_page(status, {"error": error})
    return refused if allow is None else replace(refused, headers=(*refused.headers, ("Allow", allow)))


def json_page(status: HTTPStatus, body: Mapping[str, Any]) -> Page:
    """Return a page of JSON that nothing may keep."""
    return Page(status, "application/json", orjson.dumps(body).decode() + "\n", (("Cache-Control", "no-store"),))


def _token(headers: Mapping[str, str], resource: str, now: float) -> Page:
    """Answer as the App Service's endpoint for managed identities does. A web page cannot send the header it wants."""
    if "x-identity-header" not in headers:
        message = "The header X-IDENTITY-HEADER is missing; azure-identity sends it when IDENTITY_HEADER is set."
        return json_page(HTTPStatus.BAD_REQUEST, {"statusCode": 400, "message": message})
    token = {
        "access_token": _TOKEN,
        "expires_on": str(int(now) + _TOKEN_SECONDS),
        "resource": one_line(resource, 200),
        "token_type": "Bearer",
        "client_id": "00000000-0000-0000-0000-000000000000",
    }
    return json_page(HTTPStatus.OK, token)


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

Ephemeral keys, which open a session with the settings that they were made with:
  curl {http}/v1/realtime/client_secrets -d '{{"session": {{"type": "realtime", "instructions": "Be brief."}}}}'

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
with a certificate that was made for this run and that they must be set to trust:
  export NODE_EXTRA_CA_CERTS={place.certificate}
  export SSL_CERT_FILE={place.certificate}    (Python; there it replaces all others, so not in a shell that talks to the cloud)
"""
