"""What a request gets, without a socket."""

from __future__ import annotations

import json
from http import HTTPStatus

import pytest

from rtnb.protocol.dialects import GA, PREVIEW
from rtnb.service.routes import Page, SessionRoute, route

UPGRADE = {"Upgrade": "websocket"}
BETA = {"OpenAI-Beta": "realtime=v1", **UPGRADE}


def ask(target, headers=UPGRADE):
    return route(target, headers, base="ws://127.0.0.1:1", sessions=3)


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
        ("/v1/realtime", {"upgrade": "WebSocket"}, GA, "gpt-realtime"),
    ],
)
def test_every_clients_url_opens_a_session(target, headers, dialect, model):
    """The three paths, slashes and queries as clients write them, lead to a session in the right dialect."""
    found = ask(target, headers)
    assert isinstance(found, SessionRoute)
    assert found.dialect is dialect
    assert model in (None, found.model)


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
    """/ is a page, /health is JSON."""
    home, health = ask("/", {}), ask("/health", {})
    assert isinstance(home, Page)
    assert isinstance(health, Page)
    assert "OPENAI_BASE_URL=http://127.0.0.1:1/v1" in home.body
    assert json.loads(health.body)["sessions"] == 3
