"""What a request gets, without a socket."""

from __future__ import annotations

import json
from http import HTTPStatus
from pathlib import Path

import pytest

from rtnb.protocol.dialects import GA, PREVIEW
from rtnb.service.server.routes import Page, Place, SessionRoute, route

UPGRADE = {"Upgrade": "websocket"}
BETA = {"OpenAI-Beta": "realtime=v1", **UPGRADE}
PLAIN = Place("ws://127.0.0.1:1")
WITH_TLS = Place("ws://127.0.0.1:1", "wss://127.0.0.1:2", Path("/tmp/certificate.pem"))


def ask(target, headers=UPGRADE, place=PLAIN):
    return route(target, headers, place=place, health={"version": "1", "sessions": 3}, now=1000.7)


@pytest.mark.parametrize(
    ("target", "headers", "dialect", "model"),
    [
        ("/v1/realtime?model=m", UPGRADE, GA, "m"),
        ("/v1/realtime?model=m", BETA, PREVIEW, "m"),
        ("/openai/v1/realtime?model=m", UPGRADE, GA, "m"),
        ("/openai/v1/realtime/?x=1&model=m", UPGRADE, GA, "m"),
        ("//openai///realtime?deployment=m&api-version=2024-10-01-preview", UPGRADE, PREVIEW, "m"),
        ("/openai/realtime/?api-version=2025-04-01-preview&deployment=m", UPGRADE, PREVIEW, "m"),
        ("/openai/realtime?api-key=K&deployment=m&api-version=2024-10-01-preview", UPGRADE, PREVIEW, "m"),
        ("/openai/realtime?deployment=m%20n", BETA, PREVIEW, "m n"),
        ("/v1/realtime", {"sec-websocket-protocol": "realtime, openai-beta.realtime-v1", **UPGRADE}, PREVIEW, None),
        ("/v1/realtime", {"upgrade": "WebSocket"}, GA, "gpt-realtime-2.1"),
    ],
)
def test_every_clients_url_opens_a_session(target, headers, dialect, model):
    """The three paths, slashes and queries as clients write them, lead to a session in the right dialect."""
    found = ask(target, headers)
    assert isinstance(found, SessionRoute)
    assert found.dialect.name == dialect.name
    assert model in (None, found.model)


def test_what_a_session_is_for_stands_in_the_url():
    """The intent and the api-version are handed on; without them there is none."""
    found = ask("/v1/realtime?intent=transcription")
    assert (found.intent, found.api_version, found.path) == ("transcription", "", "/v1/realtime")
    found = ask("//openai/realtime?api-version=2024-10-01-preview&deployment=d")
    assert (found.intent, found.api_version, found.path) == ("", "2024-10-01-preview", "/openai/realtime")


def test_other_paths_say_where_to_go():
    """404 lists the URLs that work, and repeats nothing of the query, where a key may be."""
    found = ask("/v2/realtime?api-key=sk-planted")
    assert isinstance(found, Page)
    assert found.status == HTTPStatus.NOT_FOUND
    assert "ws://127.0.0.1:1/openai/v1/realtime?model=" in found.body
    assert "planted" not in found.body


def test_a_session_path_without_upgrade_is_explained():
    """A browser that opens the endpoint reads what it is."""
    found = ask("/v1/realtime", {})
    assert isinstance(found, Page)
    assert found.status == HTTPStatus.UPGRADE_REQUIRED


def test_pages_for_people_and_for_probes():
    """/ is a page, /health is JSON with what the service says of itself."""
    home, health = ask("/", {}), ask("/health", {})
    assert isinstance(home, Page)
    assert isinstance(health, Page)
    assert "OPENAI_BASE_URL=http://127.0.0.1:1/v1" in home.body
    assert "--tls" in home.body
    assert json.loads(health.body)["sessions"] == 3
    assert json.loads(health.body)["version"] == "1"


def test_tls_is_shown_with_what_it_takes():
    """Where there is TLS, people read its URLs and which variables make clients trust the certificate."""
    home = ask("/", {}, WITH_TLS)
    for part in ("wss://127.0.0.1:2", "https://127.0.0.1:2/v1", "NODE_EXTRA_CA_CERTS=/tmp/certificate.pem"):
        assert part in home.body
    assert "SSL_CERT_FILE=/tmp/certificate.pem" in home.body


def test_a_token_has_the_shape_of_a_managed_identitys():
    """The answer is App Service's: expires_on is a text of whole seconds in the future, and nothing may keep it."""
    found = ask("/msi/token?api-version=2019-08-01&resource=https%3A%2F%2Fai.azure.com", {"X-Identity-Header": "any"})
    token = json.loads(found.body)
    assert token["expires_on"] == "4600"
    assert token["resource"] == "https://ai.azure.com"
    assert token["token_type"] == "Bearer"
    assert len(token["access_token"]) > 12
    assert ("Cache-Control", "no-store") in found.headers


def test_no_token_without_the_header_that_no_page_can_send():
    """A request that a web page could make gets no token."""
    found = ask("/msi/token?resource=r", {})
    assert found.status == HTTPStatus.BAD_REQUEST
    assert "IDENTITY_HEADER" in found.body
