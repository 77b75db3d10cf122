"""The facts of an attempt to connect, and what they say of the model."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from rtnb.client.attempt import Attempt, refused_model
from rtnb.client.endpoint import resolve
from rtnb.client.options import ConnectOptions
from rtnb.errors import ServerError

KEY = "sk-planted-0123456789abcdef"
NOVEMBER = date(2026, 11, 22)


def attempt(environ: dict[str, str] | None = None, proxy: Any = None, **arguments: Any) -> Attempt:
    environ = environ or {}
    place, _ = resolve(ConnectOptions(**arguments), environ)
    return Attempt.of(place, place.credential, proxy, environ)


def test_the_url_the_deployment_and_the_kind_of_credential() -> None:
    """Without a secret, and from which variable the address is."""
    azure = {"AZURE_OPENAI_ENDPOINT": f"https://gw/team?ticket-key={KEY}", "AZURE_OPENAI_DEPLOYMENT_NAME": "talk"}
    assert attempt(azure).facts == (
        "Dialled wss://gw/team/openai/v1/realtime?model=talk&ticket-key=*** (from AZURE_OPENAI_ENDPOINT), "
        "deployment 'talk', key in the URL."
    )
    gateway = {"OPENAI_BASE_URL": "https://gw/v1", "OPENAI_API_KEY": KEY}
    assert attempt(gateway, model="m").facts == (
        "Dialled wss://gw/v1/realtime?model=m (from OPENAI_BASE_URL), model 'm', API key."
    )
    assert attempt(target="ws://h/v1", call_id="rtc_1").facts == (
        "Dialled ws://h/v1/realtime?call_id=rtc_1, no credential."
    )


def test_the_proxy_and_the_variable_that_names_it() -> None:
    """Or that the system does."""
    of = {"target": "wss://h/v1", "model": "m"}
    assert (
        "through the proxy http://***@p:8080 (from HTTPS_PROXY)"
        in attempt(proxy=("http://***@p:8080", "HTTPS_PROXY"), **of).facts
    )
    assert "(from the system settings)" in attempt(proxy=("http://p:8080", ""), **of).facts
    assert "proxy" not in attempt(**of).facts


def test_which_certificates_are_trusted() -> None:
    """The variable's, and no others; else what to set."""
    named = attempt({"SSL_CERT_FILE": "/etc/own.pem"}, target="wss://h/v1")
    assert named.trust.startswith("SSL_CERT_FILE=/etc/own.pem names the certificates that are trusted")
    assert "set SSL_CERT_FILE to the file" in attempt(target="wss://h/v1").trust


def test_a_transcription_model_that_is_refused() -> None:
    """Near names and those that live, by the name in the service's own words; nothing of any other refusal."""
    refusal = {"code": "invalid_value", "message": "Invalid value: 'gpt-transcibe'. Supported values are: 'x'."}
    for param in ("session.audio.input.transcription.model", "session.input_audio_transcription.model"):
        error = ServerError.from_error({**refusal, "param": param})
        assert refused_model("", error, NOVEMBER) == ""
        assert refused_model("openai", error, NOVEMBER).startswith("Did you mean gpt-transcribe or")
        assert refused_model("azure", error, NOVEMBER).startswith("On Azure a deployment has a name of its own")
    assert refused_model("openai", ServerError.from_error({**refusal, "param": "session.voice"}), NOVEMBER) == ""


OPENAI = {"OPENAI_API_KEY": KEY}
AZURE = {"AZURE_OPENAI_ENDPOINT": "https://n.openai.azure.com", "AZURE_OPENAI_API_KEY": KEY}


@pytest.mark.parametrize(
    ("environ", "arguments", "said", "status", "hint"),
    [
        (OPENAI, {"model": "gpt-realtime-2.0"}, "model_not_found", None, "Did you mean gpt-realtime-2"),
        (OPENAI, {"model": "gpt-4o-realtime-preview"}, "The model does not exist", 400, "was shut down on 2026-05-07"),
        (OPENAI, {"model": "gpt-x"}, "", 404, "Realtime models that live"),
        (
            OPENAI,
            {"model": "gpt-transcibe", "intent": "transcription"},
            "no such model",
            400,
            "Did you mean gpt-transcribe",
        ),
        (AZURE, {"deployment": "talk"}, "DeploymentNotFound", 404, "On Azure a deployment has a name of its own"),
        (OPENAI, {"model": "gpt-x"}, "bad key", 401, ""),
        ({}, {"target": "wss://h/v1", "model": "gpt-x"}, "no such model", 404, ""),
        (OPENAI, {"call_id": "rtc_1"}, "no such model", 404, ""),
    ],
)
def test_what_it_says_of_the_model(
    environ: dict[str, str], arguments: dict[str, Any], said: str, status: int | None, hint: str
) -> None:
    """Where the service speaks of one, or knows nothing at that URL; nothing of the models of a server that is not known."""
    words = attempt(environ, **arguments).model_hint(said, NOVEMBER, status)
    assert hint in words
    assert bool(words) == bool(hint)
