"""Keyless sign-in without Azure: azure-identity itself takes its token from the service, and a session is held with it."""

from __future__ import annotations

import pytest
from azure.identity import DefaultAzureCredential, ManagedIdentityCredential

import rtnb
from rtnb.errors import AuthError


@pytest.fixture
def service():
    with rtnb.ServiceProcess.start(speed=0) as running:
        yield running


@pytest.fixture
def azure(service, monkeypatch):
    """Set what `rtnb serve` prints, and nothing else of Azure."""
    http = service.url.replace("ws://", "http://")
    monkeypatch.setenv("IDENTITY_ENDPOINT", f"{http}/msi/token")
    monkeypatch.setenv("IDENTITY_HEADER", "any")
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", http)
    monkeypatch.setenv("AZURE_OPENAI_DEPLOYMENT_NAME", "gpt-realtime")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")


@pytest.mark.usefixtures("azure")
@pytest.mark.parametrize("dialect", ["ga", "preview"])
def test_a_keyless_session(dialect):
    """connect() without a key signs in by DefaultAzureCredential, talks, and the token is in no row of the log."""
    with rtnb.connect(dialect=dialect) as session:
        answer = session.ask("Say hello.")
        assert answer.status == "completed"
        assert "Entra ID (DefaultAzureCredential)" in repr(session)
        token = DefaultAzureCredential().get_token("https://ai.azure.com/.default").token
        assert all(token.encode() not in event.raw for event in session.timeline)


@pytest.mark.usefixtures("azure")
def test_a_token_is_taken_for_an_hour():
    """The token comes for the resource that was asked for, and is good for about an hour."""
    credential = ManagedIdentityCredential()
    token = credential.get_token("https://cognitiveservices.azure.com/.default")
    assert token.token == credential.get_token("https://cognitiveservices.azure.com/.default").token
    with rtnb.connect("azure", credential=credential) as session:
        assert session.ask("Say hello.").status == "completed"


@pytest.mark.usefixtures("azure")
def test_a_sign_in_that_fails_says_so(service):
    """Where the endpoint is gone there is no token, and the error says what to do."""
    service.stop()
    with pytest.raises(AuthError, match="az login"):
        rtnb.connect("azure", credential=ManagedIdentityCredential(), timeout=60)
