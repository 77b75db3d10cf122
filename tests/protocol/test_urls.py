"""The URLs of sessions: exactly as the documentation has them."""

from __future__ import annotations

import pytest

from rtnb.protocol.dialects import GA, PREVIEW, Dialect
from rtnb.protocol.urls import azure_url, is_loopback, local_url, openai_url, realtime_url, url_form, with_query

HOST = "wss://my-eastus2-openai-resource.openai.azure.com"


def test_azures() -> None:
    """Preview's with api-version and deployment, GA's with the deployment as its model; a path before them stays."""
    assert azure_url(HOST, PREVIEW, deployment="gpt-4o-realtime-preview", api_version=None) == (
        f"{HOST}/openai/realtime?api-version=2024-10-01-preview&deployment=gpt-4o-realtime-preview"
    )
    assert azure_url(HOST, GA, deployment="gpt-realtime", api_version=None) == (
        f"{HOST}/openai/v1/realtime?model=gpt-realtime"
    )
    assert azure_url("wss://gw/team-a", GA, deployment="d", api_version="2024-10-01-preview") == (
        "wss://gw/team-a/openai/v1/realtime?model=d"
    )
    for version in ("preview", "2024-10-21"):
        assert "api-version=2024-10-01-preview&" in azure_url(HOST, PREVIEW, deployment="d", api_version=version)


def test_openais_and_that_of_a_server_of_both_dialects() -> None:
    """Both dialects share the first."""
    assert openai_url("wss://api.openai.com", model="m") == "wss://api.openai.com/v1/realtime?model=m"
    assert realtime_url("wss://gw/llm/v1", model="m") == "wss://gw/llm/v1/realtime?model=m"
    assert local_url("ws://h", GA, model="m", api_version=None) == "ws://h/v1/realtime?model=m"
    assert local_url("ws://h", PREVIEW, model="m", api_version="2025-04-01-preview") == (
        "ws://h/openai/realtime?api-version=2025-04-01-preview&deployment=m"
    )


@pytest.mark.parametrize(
    ("dialect", "before"), [(GA, "/openai/v1/realtime?"), (PREVIEW, "/openai/realtime?api-version=2024-10-01-preview&")]
)
def test_what_names_no_model(dialect: Dialect, before: str) -> None:
    """A transcription session, and a running call."""
    assert azure_url(HOST, dialect, api_version=None, intent="transcription") == f"{HOST}{before}intent=transcription"
    assert azure_url(HOST, dialect, api_version=None, call_id="rtc_1") == f"{HOST}{before}call_id=rtc_1"
    assert realtime_url("wss://h/v1", intent="transcription") == "wss://h/v1/realtime?intent=transcription"
    assert local_url("ws://h", GA, api_version=None, call_id="rtc_1") == "ws://h/v1/realtime?call_id=rtc_1"


def test_a_name_is_quoted_and_nothing_is_added_twice() -> None:
    """Whatever a deployment is called."""
    assert openai_url("wss://h", model="my model/ü&x=1").endswith("?model=my%20model%2F%C3%BC%26x%3D1")
    assert with_query("wss://h/x?a=1", [("b", "2"), ("c", "")]) == "wss://h/x?a=1&b=2"
    assert with_query("wss://h/x", []) == "wss://h/x"


def test_the_form_of_a_url_for_people() -> None:
    """With what is to be filled in."""
    assert url_form(GA) == "/openai/v1/realtime?model=NAME"
    assert url_form(PREVIEW) == "/openai/realtime?api-version=…-preview&deployment=NAME"


@pytest.mark.parametrize(
    ("host", "own"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("localhost", True),
        ("LOCALHOST.", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.1.5", False),
        ("10.0.0.1", False),
        ("127.0.0.1.evil.example", False),
        ("localhost.evil.example", False),
        ("", False),
    ],
)
def test_what_is_loopback(host: str, own: bool) -> None:
    """Only addresses and names of this computer alone are."""
    assert is_loopback(host) is own
