"""What an HTTP request to the service is answered with: a session, a page, or where to go instead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import parse_qs, urlencode

import orjson

from rtnb.formatting import one_line
from rtnb.protocol.dialects import (
    DEFAULT_PREVIEW_VERSION,
    GA,
    PREVIEW,
    Dialect,
    azure_url,
    dialect_of_request,
    openai_url,
    squeeze_slashes,
)
from rtnb.service.connection import DEFAULT_MODEL

_SESSION_PATHS = ("/v1/realtime", "/openai/v1/realtime", "/openai/realtime")
_PREVIEW_MODEL = "gpt-4o-realtime-preview"
_NAME = "rtnb local realtime service"


@dataclass(frozen=True, slots=True)
class SessionRoute:
    """A WebSocket session.

    Attributes
    ----------
    dialect : Dialect
        What the client speaks, by its URL and headers.
    model : str
        What it calls the model or deployment.
    """

    dialect: Dialect
    model: str


@dataclass(frozen=True, slots=True)
class Page:
    """A plain HTTP answer.

    Attributes
    ----------
    status : HTTPStatus
    content_type : str
    body : str
        Says nothing of the request's query or headers, where credentials may be.
    """

    status: HTTPStatus
    content_type: str
    body: str


def route(target: str, headers: Mapping[str, str], *, base: str, sessions: int) -> SessionRoute | Page:
    """Return what a GET request gets.

    Parameters
    ----------
    target : str
        Request target, with its query.
    headers : mapping
        Request headers; names in any case.
    base : str
        The service's own URL, ``ws://HOST:PORT``.
    sessions : int
        How many are open.
    """
    path, _, query = squeeze_slashes(target).partition("?")
    path = path.rstrip("/") or "/"
    if path in _SESSION_PATHS:
        if not any(name.lower() == "upgrade" and value.lower() == "websocket" for name, value in headers.items()):
            return _text(HTTPStatus.UPGRADE_REQUIRED, f"This is a WebSocket endpoint of the {_NAME}.\n\n{usage(base)}")
        asked = parse_qs(query)
        model = (asked.get("model") or asked.get("deployment") or [DEFAULT_MODEL])[0]
        return SessionRoute(dialect_of_request(target, headers), one_line(model, 200))
    if path == "/":
        return _text(HTTPStatus.OK, f"This is the {_NAME}. It rehearses; no cloud model answers.\n\n{usage(base)}")
    if path == "/health":
        body = orjson.dumps({"status": "ok", "service": _NAME, "sessions": sessions}).decode()
        return Page(HTTPStatus.OK, "application/json", body + "\n")
    return _text(HTTPStatus.NOT_FOUND, f"Nothing is at {one_line(path, 200)}.\n\n{usage(base)}")


def _text(status: HTTPStatus, body: str) -> Page:
    return Page(status, "text/plain; charset=utf-8", body)


def usage(base: str) -> str:
    """Return how to connect to the service at `base`, for people: its URLs, and what the official clients need."""
    http = base.replace("ws://", "http://", 1)
    preview = urlencode({"api-version": DEFAULT_PREVIEW_VERSION})
    return f"""Sessions (any key, any model or deployment name):
  OpenAI          {openai_url(base, model=DEFAULT_MODEL)}
  Azure           {azure_url(base, GA, deployment=DEFAULT_MODEL, api_version=None)}
  Azure, preview  {azure_url(base, PREVIEW, deployment=_PREVIEW_MODEL, api_version=None)}

For the official OpenAI client (Python), OpenAI() and AsyncOpenAI():
  export OPENAI_BASE_URL={http}/v1
  export OPENAI_API_KEY=any
For AsyncAzureOpenAI (Python, {preview}), which otherwise insists on TLS:
  AsyncAzureOpenAI(websocket_base_url="{base}/openai", azure_endpoint="{http}",
                   api_version="{DEFAULT_PREVIEW_VERSION}", api_key="any").beta.realtime.connect(model="{_PREVIEW_MODEL}")
"""
