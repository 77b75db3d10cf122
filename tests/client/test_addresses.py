"""Addresses as people paste them: whose they are, and which part is secret."""

from __future__ import annotations

import pytest

from rtnb.client import addresses
from rtnb.client.addresses import hide_secrets, is_secret, secrets_in, spellings

KEY = "sk-planted-0123456789abcdef"


@pytest.mark.parametrize(
    "name",
    [
        *("api-key", "apikey", "apiKey", "key", "Ocp-Apim-Subscription-Key", "subscription-key", "x-api-key", "sig"),
        *(
            "client_secret",
            "clientSecret",
            "password",
            "passwd",
            "pwd",
            "auth",
            "access_token",
            "AccessToken",
            "jwt",
            "code",
        ),
        *("Authorization", "sas", "x-functions-key", "credential", "signature", "X-Amz-Security-Token"),
    ],
)
def test_a_parameter_that_is_called_like_a_secret_is_one(name: str) -> None:
    """However it is spelled: its value is not shown, and taken out of the log."""
    assert is_secret(name)
    url = f"wss://h/v1/realtime?model=m&{name}=planted-value"
    assert "planted-value" not in hide_secrets(url)
    assert secrets_in(url) == ["planted-value"]


@pytest.mark.parametrize(
    "name",
    [
        *(
            "model",
            "deployment",
            "api-version",
            "intent",
            "call_id",
            "language",
            "codec",
            "keywords",
            "author",
            "signal",
        ),
        *("region", "tokens", "user", "passenger"),
    ],
)
def test_other_parameters_are_shown(name: str) -> None:
    """What decides where a session goes must be readable."""
    assert not is_secret(name, "value")
    assert hide_secrets(f"wss://h/x?{name}=value") == f"wss://h/x?{name}=value"


@pytest.mark.parametrize("value", ["sk-proj-1", "ek_68af", "eyJhbGciOiJIUzI1NiJ9.e30.x", "Bearer x"])
def test_a_value_that_looks_like_a_key_is_a_secret_whatever_its_name(value: str) -> None:
    """OpenAI's keys, ephemeral ones, tokens."""
    assert is_secret("x", value)


def test_what_stands_before_the_host_is_a_secret() -> None:
    """A password, or a token in the user's place."""
    assert secrets_in(f"https://user:{KEY}@h/x") == [KEY]
    assert secrets_in(f"https://{KEY}@h/x") == [KEY]
    assert KEY not in hide_secrets(f"https://{KEY}@h/x") + hide_secrets(f"http://user:{KEY}@proxy:8080")


def test_names_can_be_declared_secret() -> None:
    """As those that the user adds are."""
    assert hide_secrets("wss://h/x?team=blue&model=m", {"team"}) == "wss://h/x?team=***&model=m"
    assert secrets_in("wss://h/x?team=blue&model=m", {"team"}) == ["blue"]


def test_a_secret_is_known_as_a_url_spells_it_too() -> None:
    """A peer may echo the address rather than its meaning."""
    assert {"a/b+c=", "a/b%2Bc%3D", "a%2Fb%2Bc%3D"} <= spellings(["a/b+c="])


@pytest.mark.parametrize(
    ("host", "azure", "openai"),
    [
        ("n.openai.azure.com", True, False),
        ("n.cognitiveservices.azure.us", True, False),
        ("n.services.ai.azure.cn", True, False),
        ("openai.azure.com.evil.example", False, False),
        ("notopenai.azure.com", False, False),
        ("n.azure-api.net", False, False),
        ("api.openai.com", False, True),
        ("jp.api.openai.com", False, True),
        ("openai.com", False, False),
        ("evilapi.openai.com", False, False),
        ("api.openai.com.evil.example", False, False),
    ],
)
def test_whose_a_host_is(host: str, azure: bool, openai: bool) -> None:
    """By its whole end: a key of the environment goes to no host that only looks like its own."""
    assert (addresses.is_azure_host(host), addresses.is_openai_host(host)) == (azure, openai)
