"""Where to connect: exact URLs, and every contradiction refused with the corrected form."""

from __future__ import annotations

from typing import Any

import pytest

from rtnb.client.endpoint import Endpoint, hide_secrets, resolve, secrets_in
from rtnb.client.options import ConnectOptions
from rtnb.errors import ConfigurationError
from rtnb.protocol.dialects import GA, PREVIEW

HOST = "my-eastus2-openai-resource.openai.azure.com"
KEY = "sk-planted-0123456789abcdef"


def made(environ: dict[str, str] | None = None, **arguments: Any) -> tuple[Endpoint, str | None]:
    return resolve(ConnectOptions(**arguments), environ or {})


AZURE = {"AZURE_OPENAI_ENDPOINT": f"https://{HOST}", "AZURE_OPENAI_DEPLOYMENT_NAME": "gpt-4o-realtime-preview"}


@pytest.mark.parametrize(
    ("environ", "arguments", "url", "dialect"),
    [
        (AZURE | {"OPENAI_API_VERSION": "2024-10-01-preview"}, {},
         f"wss://{HOST}/openai/realtime?api-version=2024-10-01-preview&deployment=gpt-4o-realtime-preview", PREVIEW),
        (AZURE, {"api_version": "2025-04-01-preview"},
         f"wss://{HOST}/openai/realtime?api-version=2025-04-01-preview&deployment=gpt-4o-realtime-preview", PREVIEW),
        (AZURE, {"dialect": "preview"},
         f"wss://{HOST}/openai/realtime?api-version=2024-10-01-preview&deployment=gpt-4o-realtime-preview", PREVIEW),
        (AZURE, {"deployment": "gpt-realtime"}, f"wss://{HOST}/openai/v1/realtime?model=gpt-realtime", GA),
        (AZURE, {"model": "gpt-realtime"}, f"wss://{HOST}/openai/v1/realtime?model=gpt-realtime", GA),
        (AZURE | {"OPENAI_API_VERSION": "2024-10-01-preview"}, {"dialect": "ga"},
         f"wss://{HOST}/openai/v1/realtime?model=gpt-4o-realtime-preview", GA),
        ({}, {"target": "azure", "endpoint": f"https://{HOST}/", "deployment": "d"}, f"wss://{HOST}/openai/v1/realtime?model=d", GA),
        ({}, {"endpoint": HOST, "deployment": "d"}, f"wss://{HOST}/openai/v1/realtime?model=d", GA),
        ({}, {"endpoint": f"https://{HOST}/openai/deployments/x", "deployment": "d"}, f"wss://{HOST}/openai/v1/realtime?model=d", GA),
        ({}, {"target": f"https://{HOST}", "deployment": "d"}, f"wss://{HOST}/openai/v1/realtime?model=d", GA),
        ({}, {"target": f"wss://{HOST}/openai/v1/realtime?model=d"}, f"wss://{HOST}/openai/v1/realtime?model=d", GA),
        ({}, {"target": f"https://{HOST}/openai/realtime?api-version=2024-10-01-preview&deployment=d"},
         f"wss://{HOST}/openai/realtime?api-version=2024-10-01-preview&deployment=d", PREVIEW),
        ({"OPENAI_API_KEY": KEY}, {}, "wss://api.openai.com/v1/realtime?model=gpt-realtime", GA),
        ({}, {"target": "openai", "api_key": KEY, "model": "m"}, "wss://api.openai.com/v1/realtime?model=m", GA),
        ({"OPENAI_API_KEY": KEY}, {"dialect": "preview"}, "wss://api.openai.com/v1/realtime?model=gpt-realtime", PREVIEW),
        ({}, {"target": "ws://127.0.0.1:8080"}, "ws://127.0.0.1:8080/v1/realtime?model=gpt-realtime", GA),
        ({}, {"target": "http://127.0.0.1:8080/", "model": "m"}, "ws://127.0.0.1:8080/v1/realtime?model=m", GA),
        ({}, {"target": "ws://127.0.0.1:8080", "dialect": "preview"},
         "ws://127.0.0.1:8080/openai/realtime?api-version=2024-10-01-preview&deployment=gpt-realtime", PREVIEW),
        ({}, {"target": "ws://[::1]:8080/v1/realtime?model=m"}, "ws://[::1]:8080/v1/realtime?model=m", GA),
        ({}, {"target": "wss://host/v1/realtime", "model": "m"}, "wss://host/v1/realtime?model=m", GA),
        ({}, {"target": "wss://host/v1/realtime?x=1", "model": "m"}, "wss://host/v1/realtime?x=1&model=m", GA),
        ({}, {"target": "wss://host/v1/realtime?call_id=c"}, "wss://host/v1/realtime?call_id=c", GA),
        (AZURE | {"OPENAI_API_KEY": KEY}, {}, f"wss://{HOST}/openai/v1/realtime?model=gpt-4o-realtime-preview", GA),
    ],
)  # fmt: skip
def test_the_url_is_exactly_the_documented_one(
    environ: dict[str, str], arguments: dict[str, Any], url: str, dialect: Any
) -> None:
    """For arguments and environment alike, in both dialects."""
    endpoint, _ = made(environ, **arguments)
    assert endpoint.url == url
    assert endpoint.dialect is dialect


def test_without_anything_it_is_the_local_service() -> None:
    """No account, no key; the URL comes when the service has started."""
    endpoint, key = made()
    assert (endpoint.service, endpoint.url, endpoint.credential, key) == ("local", "", "no credential", None)
    assert endpoint.at("ws://127.0.0.1:7").url == "ws://127.0.0.1:7/v1/realtime?model=gpt-realtime"
    preview, _ = made(target="local", dialect="preview", model="m")
    assert preview.at("ws://h:7").url == "ws://h:7/openai/realtime?api-version=2024-10-01-preview&deployment=m"
    versioned, _ = made(target="local", api_version="2025-04-01-preview")
    assert versioned.dialect is PREVIEW
    assert "api-version=2025-04-01-preview" in versioned.at("ws://h:7").url


@pytest.mark.parametrize(
    ("environ", "arguments", "credential", "key", "header"),
    [
        (AZURE | {"AZURE_OPENAI_API_KEY": KEY}, {}, "API key", KEY, "api-key"),
        (AZURE, {"api_key": KEY}, "API key", KEY, "api-key"),
        (AZURE, {}, "Entra ID", None, "api-key"),
        (AZURE | {"AZURE_OPENAI_API_KEY": KEY}, {"credential": object()}, "Entra ID", None, "api-key"),
        ({"OPENAI_API_KEY": KEY}, {}, "API key", KEY, "Authorization"),
        ({"OPENAI_API_KEY": KEY}, {"target": "local"}, "no credential", None, "Authorization"),
        ({"OPENAI_API_KEY": KEY}, {"target": "wss://example.com/v1/realtime"}, "no credential", None, "Authorization"),
        ({"AZURE_OPENAI_API_KEY": KEY}, {"target": "wss://example.com/v1/realtime"}, "no credential", None, "Authorization"),
        ({"AZURE_OPENAI_API_KEY": KEY}, {"target": f"wss://{HOST}/openai/v1/realtime?model=m"}, "API key", KEY, "api-key"),
        ({}, {"target": f"wss://{HOST}/openai/v1/realtime?model=m"}, "Entra ID", None, "api-key"),
        ({}, {"target": f"wss://{HOST}/openai/v1/realtime?model=m&api-key={KEY}"}, "key in the URL", None, "api-key"),
        ({}, {"target": "ws://localhost:1/v1/realtime", "api_key": KEY}, "API key", KEY, "Authorization"),
    ],
)  # fmt: skip
def test_the_kind_of_credential(environ: Any, arguments: Any, credential: str, key: str | None, header: str) -> None:
    """A key goes only to the service that it belongs to, and in the header that this one reads."""
    endpoint, used = made(environ, **arguments)
    assert (endpoint.credential, used, endpoint.key_header) == (credential, key, header)


def test_the_beta_header_is_sent_where_it_decides_the_dialect() -> None:
    """On an OpenAI URL in the preview dialect, and nowhere else."""
    assert made({"OPENAI_API_KEY": KEY}, dialect="preview")[0].headers == {"OpenAI-Beta": "realtime=v1"}
    assert made({"OPENAI_API_KEY": KEY})[0].headers == {}
    assert made(AZURE, dialect="preview")[0].headers == {}
    assert made(target="wss://h/v1/realtime", dialect="preview")[0].headers == {"OpenAI-Beta": "realtime=v1"}


@pytest.mark.parametrize(
    ("environ", "arguments", "corrected"),
    [
        ({}, {"target": "azure"}, "endpoint='https://NAME.openai.azure.com'"),
        ({"AZURE_OPENAI_ENDPOINT": HOST}, {}, "AZURE_OPENAI_DEPLOYMENT_NAME"),
        ({}, {"target": "azure", "endpoint": "ftp://x", "deployment": "d"}, "endpoint='https://NAME.openai.azure.com'"),
        ({}, {"endpoint": "https://[::1", "deployment": "d"}, "is no address"),
        (AZURE, {"api_key": "x", "credential": object()}, "give api_key= for a key, or credential= for Entra ID"),
        (AZURE, {"model": "a", "deployment": "b"}, "give deployment= alone"),
        (AZURE, {"dialect": "ga", "api_version": "2024-10-01-preview"}, "leave it out"),
        (AZURE, {"api_version": "2024-10-01"}, "leave it out"),
        (AZURE, {"dialect": "preview", "api_version": "2024-10-01"}, "api_version='2024-10-01-preview'"),
        (AZURE, {"dialect": "beta"}, "dialect='ga' or dialect='preview'"),
        ({}, {"target": "local", "api_key": "x"}, "leave it out"),
        ({}, {"api_key": "x"}, "rtnb.connect('openai', …)"),
        ({}, {"target": "local", "credential": object()}, "takes no account"),
        ({}, {"target": "local", "endpoint": "https://x"}, "takes no account"),
        ({}, {"target": "local", "dialect": "ga", "api_version": "2024-10-01-preview"}, "leave it out"),
        ({}, {"target": "openai"}, "OPENAI_API_KEY"),
        ({"OPENAI_API_KEY": KEY}, {"credential": object()}, "api_key="),
        ({"OPENAI_API_KEY": KEY}, {"deployment": "d"}, "model="),
        ({"OPENAI_API_KEY": KEY}, {"target": "openai", "endpoint": "https://x"}, "a URL as the target"),
        ({"OPENAI_API_KEY": KEY}, {"api_version": "2024-10-01-preview"}, "leave it out"),
        ({}, {"target": "gcp"}, "'local', 'azure', 'openai'"),
        ({}, {"target": "example.com"}, "ws://, wss://"),
        ({}, {"target": "wss:///v1/realtime"}, "names no host"),
        ({}, {"target": "wss://host:99999/v1/realtime"}, "is no address"),
        ({}, {"target": "wss://[::1/v1/realtime"}, "is no address"),
        ({}, {"target": "wss://host/v1/realtime", "endpoint": "https://x"}, "give one of the two"),
        ({}, {"target": "wss://host/v1/realtime?model=a", "model": "b"}, "leave one of the two out"),
        ({}, {"target": f"wss://{HOST}/openai/realtime?api-version=2024-10-01-preview&deployment=a", "deployment": "b"}, "say it once"),
        ({}, {"target": f"wss://{HOST}/openai/realtime?api-version=2024-10-01-preview&deployment=a",
              "api_version": "2025-04-01-preview"}, "leave one out"),
        ({}, {"target": f"wss://{HOST}/openai/v1/realtime?model=a", "dialect": "preview"}, "leave dialect= out"),
        ({}, {"target": "ws://example.com/v1/realtime", "api_key": KEY}, "write wss:// or https://"),
        ({}, {"target": f"ws://example.com/v1/realtime?api-key={KEY}"}, "write wss:// or https://"),
        ({}, {"target": f"http://{HOST}", "deployment": "d", "api_key": KEY}, "write wss:// or https://"),
    ],
)  # fmt: skip
def test_what_is_missing_or_contradictory_is_refused(
    environ: dict[str, str], arguments: dict[str, Any], corrected: str
) -> None:
    """Before anything is sent, with the corrected form, and without the key."""
    with pytest.raises(ConfigurationError) as caught:
        made(environ, **arguments)
    assert corrected in str(caught.value)
    assert KEY not in str(caught.value)


def test_an_endpoint_shows_no_secret() -> None:
    """Not in its repr, its words, or the URL that is shown."""
    endpoint, _ = made(target=f"wss://user:{KEY}@host/v1/realtime?model=m&api-key={KEY}&sig={KEY}")
    request = ConnectOptions(api_key=KEY, credential=KEY)
    for text in (repr(endpoint), endpoint.words, endpoint.shown_url, repr(request), str(endpoint.headers)):
        assert KEY not in text
    assert "model=m" in endpoint.shown_url
    assert "***" in endpoint.shown_url
    assert hide_secrets("wss://[::1?api-key=x") == "***"


def test_the_secrets_of_a_url_are_known() -> None:
    """So that an echo of them can be taken out."""
    assert secrets_in(f"wss://u:p%40ss@host/x?model=m&api-key={KEY}&Token=t") == [KEY, "t", "p@ss"]
    assert secrets_in("wss://host/x?model=m") == []


def test_an_endpoint_says_in_words_what_it_is() -> None:
    """Where, in which dialect, with which kind of credential, which model."""
    text = repr(made(AZURE)[0])
    for words in (f"Azure OpenAI at {HOST}", "GA dialect", "Entra ID", "gpt-4o-realtime-preview"):
        assert words in text
    assert made()[0].words == "the local service"
    assert made({"OPENAI_API_KEY": KEY})[0].words == "OpenAI at api.openai.com"
    assert "\u202e" not in repr(made(target="wss://host/v1/realtime?model=\u202e")[0])
