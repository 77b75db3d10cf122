"""The answers to requests that are no GET: client secrets are granted, everything else is refused with a sentence. Pure."""

from __future__ import annotations

from http import HTTPStatus

from rtnb.formatting import one_line
from rtnb.service.server.client_secrets import ClientSecrets
from rtnb.service.server.http_exchange import HttpRequest
from rtnb.service.server.routes import (
    SECRET_PATHS,
    SESSION_PATHS,
    Page,
    Place,
    error_page,
    json_page,
    read_target,
    session_urls,
)
from rtnb.service.session.error_events import InvalidRequest

_GET_PATHS = (*SESSION_PATHS, "/", "/health", "/msi/token")
_PRESENT = "The {} endpoint {} went with the preview protocol: POST {}/v1/realtime/client_secrets gives keys today."
_SESSIONS = ("/v1/realtime/sessions", "/openai/v1/realtime/sessions", "/openai/realtimeapi/sessions")
_TRANSCRIPTIONS = tuple(path.replace("sessions", "transcription_sessions") for path in _SESSIONS)
_CALLS = ("/v1/realtime/calls", "/openai/v1/realtime/calls")
_TRANSLATIONS = ("/v1/realtime/translations", "/openai/v1/realtime/translations")


def answer(request: HttpRequest, secrets: ClientSecrets, place: Place) -> Page:
    """Return the answer to a request of another method than GET."""
    path, _ = read_target(request.target)
    if path in _GET_PATHS:
        where = f" Sessions are WebSockets at {session_urls(place)}." if path in SESSION_PATHS else ""
        message = f"{path} takes a GET.{where}"
        return error_page(HTTPStatus.METHOD_NOT_ALLOWED, "method_not_allowed", message, allow="GET")
    if path in SECRET_PATHS:
        if request.method != "POST":
            return error_page(
                HTTPStatus.METHOD_NOT_ALLOWED, "method_not_allowed", f"{path} takes a POST.", allow="POST"
            )
        return _grant(request.body, secrets)
    return error_page(HTTPStatus.NOT_FOUND, "not_found", _missing(path, place))


def _grant(body: bytes, secrets: ClientSecrets) -> Page:
    try:
        return json_page(HTTPStatus.OK, secrets.grant(body))
    except InvalidRequest as error:
        return error_page(HTTPStatus.BAD_REQUEST, error.code, str(error), param=error.param)


def _missing(path: str, place: Place) -> str:
    """Return why nothing is at a path, and what to do instead."""
    http = place.url.replace("ws://", "http://", 1)
    shown = one_line(path, 60)
    if path in _SESSIONS:
        return _PRESENT.format("sessions", shown, http)
    if path in _TRANSCRIPTIONS:
        return _PRESENT.format("transcription_sessions", shown, http).replace(
            " today", ' today, for a session of type "transcription"'
        )
    if path.startswith(_CALLS):
        return f"The local service has no WebRTC and no telephone, so no calls: connect a WebSocket to {session_urls(place)}."
    if path.startswith(_TRANSLATIONS):
        return f"The local service does not translate: connect a WebSocket to {session_urls(place)}."
    return f"Nothing is at {shown}: POST {http}/v1/realtime/client_secrets gives keys, sessions are WebSockets at {session_urls(place)}."
