"""Where to connect: exact URLs, and every contradiction refused with the corrected form."""

from __future__ import annotations

from typing import Any

import pytest

from rtnb.client.addresses import hide_secrets, secrets_in
from rtnb.client.endpoint import Endpoint, resolve
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
        ({"OPENAI_API_KEY": KEY}, {}, "wss://api.openai.com/v1/realtime?model=gpt-realtime-2.1", GA),
        ({}, {"target": "openai", "api_key": KEY, "model": "m"}, "wss://api.openai.com/v1/realtime?model=m", GA),
        ({"OPENAI_API_KEY": KEY}, {"dialect": "preview"}, "wss://api.openai.com/v1/realtime?model=gpt-realtime-2.1", PREVIEW),
        ({}, {"target": "ws://127.0.0.1:8080"}, "ws://127.0.0.1:8080/v1/realtime?model=gpt-realtime-2.1", GA),
        ({}, {"target": "http://127.0.0.1:8080/", "model": "m"}, "ws://127.0.0.1:8080/v1/realtime?model=m", GA),
        ({}, {"target": "ws://127.0.0.1:8080", "dialect": "preview"},
         "ws://127.0.0.1:8080/openai/realtime?api-version=2024-10-01-preview&deployment=gpt-realtime-2.1", PREVIEW),
        ({}, {"target": "ws://[::1]:8080/v1/realtime?model=m"}, "ws://[::1]:8080/v1/realtime?model=m", GA),
        ({}, {"target": "wss://host/v1/realtime", "model": "m"}, "wss://host/v1/realtime?model=m", GA),
        ({}, {"target": "wss://host/v1/realtime?x=1", "model": "m"}, "wss://host/v1/realtime?x=1&model=m", GA),
        ({}, {"target": "wss://host/v1/realtime?call_id=c"}, "wss://host/v1/realtime?call_id=c", GA),
        (AZURE | {"OPENAI_API_KEY": KEY}, {}, f"wss://{HOST}/openai/v1/realtime?model=gpt-4o-realtime-preview", GA),
        (AZURE | {"OPENAI_API_VERSION": "preview"}, {"deployment": "d"}, f"wss://{HOST}/openai/v1/realtime?model=d", GA),
        (AZURE, {"api_version": "preview", "deployment": "d"}, f"wss://{HOST}/openai/v1/realtime?model=d", GA),
        (AZURE, {"api_version": "v1", "deployment": "d"}, f"wss://{HOST}/openai/v1/realtime?model=d", GA),
        (AZURE | {"OPENAI_API_VERSION": "2024-10-21"}, {"deployment": "d"}, f"wss://{HOST}/openai/v1/realtime?model=d", GA),
        ({}, {"target": "wss://host/v1?tenant=7", "model": "m"}, "wss://host/v1/realtime?model=m&tenant=7", GA),
        ({}, {"target": "https://host/llm/openai/v1/", "model": "m"}, "wss://host/llm/openai/v1/realtime?model=m", GA),
        ({}, {"target": "https://host/llm/openai", "model": "m", "api_version": "2025-04-01-preview"},
         "wss://host/llm/openai/realtime?api-version=2025-04-01-preview&deployment=m", PREVIEW),
        ({"OPENAI_API_KEY": KEY}, {"target": "https://api.openai.com"}, "wss://api.openai.com/v1/realtime?model=gpt-realtime-2.1", GA),
        ({"OPENAI_API_KEY": KEY}, {"target": "https://eu.api.openai.com/v1/", "model": "m"},
         "wss://eu.api.openai.com/v1/realtime?model=m", GA),
    ],
)  # fmt: skip
def test_the_url_is_exactly_the_documented_one(
    environ: dict[str, str], arguments: dict[str, Any], url: str, dialect: Any
) -> None:
    """For arguments and environment alike, in both dialects."""
    endpoint, _ = made(environ, **arguments)
    assert endpoint.url == url
    assert endpoint.dialect is dialect


@pytest.mark.parametrize(
    ("endpoint", "base"),
    [
        ("https://gw.azure-api.net/team-a", "wss://gw.azure-api.net/team-a"),
        ("https://gw.azure-api.net/team-a/", "wss://gw.azure-api.net/team-a"),
        ("https://gw.azure-api.net/team-a/openai", "wss://gw.azure-api.net/team-a"),
        ("https://gw.azure-api.net/team-a/openai/v1/", "wss://gw.azure-api.net/team-a"),
        ("https://gw.azure-api.net/openai-east/openai/deployments/d/chat", "wss://gw.azure-api.net/openai-east"),
        ("https://gw.azure-api.net:8443/openai-east", "wss://gw.azure-api.net:8443/openai-east"),
        ("https://n.services.ai.azure.com/api/projects/P", "wss://n.services.ai.azure.com/api/projects/P"),
        ("https://n.services.ai.azure.com/openai/v1", "wss://n.services.ai.azure.com"),
        ("n.openai.azure.us/", "wss://n.openai.azure.us"),
        ("http://127.0.0.1:8765/team-a", "ws://127.0.0.1:8765/team-a"),
    ],
)
def test_the_path_of_an_endpoint_stays_but_for_azures_own_tails(endpoint: str, base: str) -> None:
    """A gateway's prefix and a Foundry project are part of the address, in both dialects."""
    ga, _ = made({"AZURE_OPENAI_ENDPOINT": endpoint}, deployment="d")
    assert ga.url == f"{base}/openai/v1/realtime?model=d"
    preview, _ = made({}, target="azure", endpoint=endpoint, deployment="d", dialect="preview")
    assert preview.url == f"{base}/openai/realtime?api-version=2024-10-01-preview&deployment=d"


def test_the_query_of_an_endpoint_stays_but_for_what_names_another_api() -> None:
    """A subscription's key in it is a secret; the version and the deployment of a pasted chat URL are not meant."""
    pasted = f"https://gw/openai/deployments/x/chat?api-version=2024-12-01-preview&subscription-key={KEY}&deployment=x"
    endpoint, key = made({}, target="azure", endpoint=pasted, deployment="d")
    assert endpoint.url == f"wss://gw/openai/v1/realtime?model=d&subscription-key={KEY}"
    assert (endpoint.dialect, endpoint.credential, key) == (GA, "key in the URL", None)
    assert KEY not in endpoint.shown_url


def test_the_portals_target_uri_is_dialled_as_it_is_written() -> None:
    """Where people set it as the endpoint: its dialect and its deployment count."""
    uri = f"https://{HOST}/openai/realtime?api-version=2024-10-01-preview&deployment=d"
    endpoint, key = made(
        {"AZURE_OPENAI_ENDPOINT": uri, "AZURE_OPENAI_API_KEY": KEY, "AZURE_OPENAI_DEPLOYMENT_NAME": "x"}
    )
    assert endpoint.url == f"wss://{HOST}/openai/realtime?api-version=2024-10-01-preview&deployment=d"
    assert (endpoint.service, endpoint.dialect, endpoint.model, endpoint.key_header) == (
        "azure",
        PREVIEW,
        "d",
        "api-key",
    )
    assert key == KEY
    with pytest.raises(ConfigurationError, match="say it once"):
        made({}, target="azure", endpoint=uri, deployment="other")


@pytest.mark.parametrize(
    ("base", "url"),
    [
        ("https://gw.example/llm/v1", "wss://gw.example/llm/v1/realtime?model=gpt-realtime-2.1"),
        ("https://gw.example/openai/v1/", "wss://gw.example/openai/v1/realtime?model=gpt-realtime-2.1"),
        ("https://gw.example/llm?team=a", "wss://gw.example/llm/realtime?model=gpt-realtime-2.1&team=a"),
        ("http://127.0.0.1:8765/v1", "ws://127.0.0.1:8765/v1/realtime?model=gpt-realtime-2.1"),
        ("https://us.api.openai.com/v1", "wss://us.api.openai.com/v1/realtime?model=gpt-realtime-2.1"),
        ("  ", "wss://api.openai.com/v1/realtime?model=gpt-realtime-2.1"),
    ],
)
@pytest.mark.parametrize("target", [None, "openai"])
def test_the_base_url_of_the_environment_is_honoured(target: str | None, base: str, url: str) -> None:
    """As OpenAI's own client does: ``/realtime`` is added, and its key goes there as a bearer, and nowhere else."""
    endpoint, key = made({"OPENAI_BASE_URL": base, "OPENAI_API_KEY": KEY}, target=target)
    assert (endpoint.url, key, endpoint.key_header) == (url, KEY, "Authorization")
    assert endpoint.named_by == ("OPENAI_BASE_URL" if base.strip() else "")
    assert endpoint.service == ("openai" if "api.openai.com" in url else "url")


def test_openais_own_client_finds_the_same_url(monkeypatch: pytest.MonkeyPatch) -> None:
    """For bases of every form."""
    openai = pytest.importorskip("openai")
    for base in ("https://gw.example/llm/v1", "https://gw.example/llm/v1/", "https://gw.example", "https://g/x?team=a"):
        monkeypatch.setenv("OPENAI_BASE_URL", base)
        connecting = openai.AsyncOpenAI(api_key=KEY).realtime.connect(model="m")
        theirs = str(connecting._prepare_url())
        ours, _ = made({"OPENAI_BASE_URL": base, "OPENAI_API_KEY": KEY}, model="m")
        assert ours.url.replace("?model=m&", "?").removesuffix("?model=m") == theirs


def test_a_base_url_of_azures_takes_azures_key_and_header() -> None:
    """OpenAI's key where there is no other, as Azure's pages write it; with a deployment, and Entra ID without a key."""
    base = {"OPENAI_BASE_URL": f"https://{HOST}/openai/v1/"}
    own = f"{KEY}-azure"
    for environ, key in (
        ({"OPENAI_API_KEY": KEY}, KEY),
        ({"OPENAI_API_KEY": KEY, "AZURE_OPENAI_API_KEY": own}, own),
        ({}, None),
    ):
        endpoint, used = made({**base, **environ}, deployment="d")
        assert endpoint.url == f"wss://{HOST}/openai/v1/realtime?model=d"
        assert (endpoint.service, endpoint.key_header, used) == ("azure", "api-key", key)


def test_the_organization_and_the_project_go_to_openai_alone() -> None:
    """To its own host, however it is named, and to what stands in for it; not to Azure, nor to any other URL."""
    account = {"OPENAI_ORG_ID": "org-1", "OPENAI_PROJECT_ID": "proj_1", "OPENAI_API_KEY": KEY}
    sent = {"OpenAI-Organization": "org-1", "OpenAI-Project": "proj_1"}
    assert made(account)[0].headers == sent
    assert made(account, target="https://api.openai.com/v1")[0].headers == sent
    assert made(account, target="wss://api.openai.com/v1/realtime?model=m")[0].headers == sent
    assert made({**account, "OPENAI_BASE_URL": "https://gw/v1"})[0].headers == sent
    assert made(account, target="wss://example.com/v1")[0].headers == {}
    assert made(account | AZURE)[0].headers == {}
    assert made({"OPENAI_API_KEY": KEY, "OPENAI_ORG_ID": "org-1"}, dialect="preview")[0].headers == {
        "OpenAI-Beta": "realtime=v1",
        "OpenAI-Organization": "org-1",
    }


@pytest.mark.parametrize(
    ("environ", "arguments", "url", "model"),
    [
        ({"OPENAI_API_KEY": KEY}, {}, "wss://api.openai.com/v1/realtime?intent=transcription", "gpt-transcribe"),
        ({"OPENAI_API_KEY": KEY}, {"model": "m"}, "wss://api.openai.com/v1/realtime?intent=transcription", "m"),
        (AZURE, {}, f"wss://{HOST}/openai/v1/realtime?intent=transcription", "gpt-transcribe"),
        (AZURE, {"deployment": "d"}, f"wss://{HOST}/openai/v1/realtime?intent=transcription", "d"),
        (AZURE, {"api_version": "2025-04-01-preview"},
         f"wss://{HOST}/openai/realtime?api-version=2025-04-01-preview&intent=transcription", "gpt-transcribe"),
        ({}, {"target": "wss://host/v1", "model": "m"}, "wss://host/v1/realtime?intent=transcription&model=m", "m"),
        ({}, {"target": "wss://host/v1"}, "wss://host/v1/realtime?intent=transcription", "gpt-transcribe"),
        ({}, {"target": "wss://host/v1/realtime?x=1"}, "wss://host/v1/realtime?x=1&intent=transcription", "gpt-transcribe"),
        ({}, {"target": "wss://host/v1/realtime?intent=transcription"}, "wss://host/v1/realtime?intent=transcription", "gpt-transcribe"),
    ],
)  # fmt: skip
def test_a_transcription_session_names_no_model_to_the_clouds(
    environ: dict[str, str], arguments: dict[str, Any], url: str, model: str
) -> None:
    """They answer 400 to one; another server gets the one that the user names, and a URL is dialled as it is written."""
    endpoint, _ = made(environ, intent="transcription", **arguments)
    assert (endpoint.url, endpoint.model, endpoint.intent) == (url, model, "transcription")


def test_an_intent_in_the_url_counts_as_one() -> None:
    """And the local service has the same URLs."""
    assert made(target="wss://host/v1/realtime?intent=transcription")[0].intent == "transcription"
    local, _ = made(target="local", intent="transcription")
    assert local.at("ws://h:7").url == "ws://h:7/v1/realtime?intent=transcription"


def test_a_running_call_is_joined_without_a_model() -> None:
    """At OpenAI, on Azure, and at any URL."""
    call = {"call_id": "rtc_1"}
    assert made({"OPENAI_API_KEY": KEY}, **call)[0].url == "wss://api.openai.com/v1/realtime?call_id=rtc_1"
    assert made(AZURE, **call)[0].url == f"wss://{HOST}/openai/v1/realtime?call_id=rtc_1"
    assert made(target="ws://127.0.0.1:1", **call)[0].url == "ws://127.0.0.1:1/v1/realtime?call_id=rtc_1"
    assert made(target="local", **call)[0].at("ws://h").url == "ws://h/v1/realtime?call_id=rtc_1"
    endpoint, _ = made(target="wss://host/v1/realtime?call_id=rtc_1")
    assert (endpoint.call_id, endpoint.model) == ("rtc_1", "")


@pytest.mark.parametrize(
    ("host", "environ", "scope", "authority"),
    [
        ("n.openai.azure.com", {}, "https://ai.azure.com/.default", ""),
        ("n.openai.azure.us", {}, "https://ai.azure.us/.default", "login.microsoftonline.us"),
        ("n.services.ai.azure.us", {}, "https://ai.azure.us/.default", "login.microsoftonline.us"),
        ("n.openai.azure.cn", {}, "https://ai.azure.cn/.default", "login.chinacloudapi.cn"),
        ("gw.azure-api.us", {}, "https://ai.azure.us/.default", "login.microsoftonline.us"),
        ("gw.company.us", {}, "https://ai.azure.com/.default", ""),
        ("gw.company.org", {"AZURE_AUTHORITY_HOST": "https://login.microsoftonline.us/"}, "https://ai.azure.us/.default", ""),
        ("n.openai.azure.com", {"AZURE_AUTHORITY_HOST": "login.microsoftonline.us"}, "https://ai.azure.com/.default", ""),
    ],
)  # fmt: skip
def test_a_sovereign_cloud_has_an_audience_and_an_authority_of_its_own(
    host: str, environ: dict[str, str], scope: str, authority: str
) -> None:
    """In both dialects; ``scope=`` goes before it, and ``AZURE_AUTHORITY_HOST`` before the authority."""
    arguments = {"target": "azure", "endpoint": f"https://{host}", "deployment": "d"}
    endpoint, _ = made(environ, **arguments)
    assert (endpoint.credential, endpoint.scope, endpoint.authority) == ("Entra ID", scope, authority)
    preview, _ = made(environ, **arguments, dialect="preview")
    assert preview.scope == scope.replace("ai.azure", "cognitiveservices.azure")
    keyed = {**environ, "AZURE_OPENAI_API_KEY": KEY}
    asked, key = made(keyed, **arguments, scope="api://own/.default")
    assert (asked.scope, asked.credential, key) == ("api://own/.default", "Entra ID", None)


def test_without_anything_it_is_the_local_service() -> None:
    """No account, no key; the URL comes when the service has started."""
    endpoint, key = made()
    assert (endpoint.service, endpoint.url, endpoint.credential, key) == ("local", "", "no credential", None)
    assert endpoint.at("ws://127.0.0.1:7").url == "ws://127.0.0.1:7/v1/realtime?model=gpt-realtime-2.1"
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
        ({"OPENAI_API_KEY": KEY}, {"target": "wss://api.openai.com/v1/realtime?model=m"}, "API key", KEY, "Authorization"),
        ({"OPENAI_API_KEY": KEY}, {"target": "https://api.openai.com.evil.example/v1"}, "no credential", None, "Authorization"),
        ({"OPENAI_API_KEY": KEY}, {"target": "https://evilapi.openai.com/v1"}, "no credential", None, "Authorization"),
        ({"AZURE_OPENAI_API_KEY": KEY}, {"target": "https://n.openai.azure.com.evil.example/openai/v1"}, "no credential", None, "api-key"),
        ({"OPENAI_API_KEY": KEY}, {"target": f"wss://{HOST}/openai/v1/realtime?model=m"}, "Entra ID", None, "api-key"),
        ({"AZURE_OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": "https://gw/v1"}, {}, "no credential", None, "Authorization"),
        ({"AZURE_OPENAI_API_KEY": KEY}, {"target": "wss://n.openai.azure.us/openai/v1/realtime?model=m"}, "API key", KEY, "api-key"),
        ({}, {"target": "wss://gw/team/openai/v1/realtime?model=m", "api_key": KEY}, "API key", KEY, "api-key"),
        ({}, {"target": "wss://gw/team/openai/v1", "api_key": KEY}, "API key", KEY, "api-key"),
        ({}, {"target": "azure", "endpoint": "https://gw/x", "deployment": "d", "api_key": KEY}, "API key", KEY, "api-key"),
        (AZURE, {"api_key": "ek_0123456789abcdef"}, "ephemeral key", "ek_0123456789abcdef", "Authorization"),
        ({}, {"target": "openai", "api_key": "ek_0123456789abcdef"}, "ephemeral key", "ek_0123456789abcdef", "Authorization"),
        (AZURE, {"api_key": "eyJhbGciOiJ.eyJhdWQiOiJ.c2ln"}, "bearer token", "eyJhbGciOiJ.eyJhdWQiOiJ.c2ln", "Authorization"),
        (AZURE | {"AZURE_OPENAI_AD_TOKEN": "eyJhbGciOiJ.eyJhdWQiOiJ.c2ln"}, {}, "bearer token", "eyJhbGciOiJ.eyJhdWQiOiJ.c2ln", "Authorization"),
        (AZURE, {"headers": {"Ocp-Apim-Subscription-Key": KEY}}, "key in headers=", None, "api-key"),
        (AZURE | {"AZURE_OPENAI_API_KEY": KEY}, {"headers": {"X-Team": "blue"}}, "API key", KEY, "api-key"),
        (AZURE | {"AZURE_OPENAI_API_KEY": KEY}, {"headers": {"API-Key": "other"}}, "key in headers=", None, "api-key"),
        ({"OPENAI_API_KEY": KEY}, {"headers": {"authorization": "Bearer own"}}, "key in headers=", None, "Authorization"),
        ({}, {"target": "openai", "headers": {"authorization": "Bearer own"}}, "key in headers=", None, "Authorization"),
        ({}, {"target": "wss://h/v1", "query": {"ticket": KEY}}, "key in the URL", None, "Authorization"),
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
        ({}, {"target": "ws://example.com/v1", "headers": {"X-Team": KEY}}, "headers= and query=, whose values are secrets"),
        ({}, {"target": "wss://h/v1/realtime?model=m&a=1", "query": {"a": KEY}}, "query= has 'a', which the URL has already"),
        ({}, {"target": "wss://h/v1", "query": {"a": 7}}, "query= takes text for each name; 'a' has a int"),
        ({}, {"target": "wss://h/v1", "headers": {"a": 7}}, "headers= takes text for each name; 'a' has a int"),
        ({}, {"target": "wss://h/v1", "headers": {"X-Team": f"{KEY}\r\nHost: evil"}}, "'X-Team', or its value, has other"),
        ({}, {"target": "wss://h/v1", "headers": {"X Team": KEY}}, "'X Team', or its value"),
        ({}, {"target": "wss://h/v1", "headers": {"Sec-WebSocket-Key": KEY}}, "belongs to the handshake itself"),
        (AZURE, {"api_key": KEY, "headers": {"api-key": KEY}}, "header api-key, which headers= has too"),
        (AZURE, {"intent": "translation"}, "intent='transcription'"),
        (AZURE, {"intent": "transcription", "call_id": "rtc_1"}, "give one of the two"),
        ({}, {"target": "wss://h/v1/realtime?call_id=rtc_2", "call_id": "rtc_1"}, "leave one out"),
        (AZURE, {"api_key": KEY, "scope": "s"}, "leave scope= out"),
        (AZURE, {"credential": lambda: KEY, "scope": "s"}, "leave scope= out"),
        ({"OPENAI_API_KEY": KEY}, {"scope": "s"}, "scope= belongs to Azure"),
        ({}, {"target": "local", "scope": "s"}, "takes no account"),
        ({"OPENAI_BASE_URL": "gw.example/v1", "OPENAI_API_KEY": KEY}, {}, "OPENAI_BASE_URL is 'gw.example/v1'"),
        ({"OPENAI_BASE_URL": "https://us.api.openai.com/v1"}, {}, "OPENAI_API_KEY"),
        ({"OPENAI_BASE_URL": "http://gw.example/v1", "OPENAI_API_KEY": KEY}, {}, "write wss:// or https://"),
        ({}, {"target": "wss://api.openai.com/v1/realtime?model=m"}, "OPENAI_API_KEY"),
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


def test_what_the_user_adds_to_the_query_is_sent_and_not_shown() -> None:
    """Whatever its name is; the same for the local service."""
    own = {"team": "blue-team-of-the-house", "x": KEY}
    for endpoint in (made(target="wss://h/v1", query=own)[0], made(target="local", query=own)[0].at("ws://h")):
        assert endpoint.url.endswith(f"&team=blue-team-of-the-house&x={KEY}")
        assert endpoint.shown_url.endswith("&team=***&x=***")
        assert set(endpoint.secrets) == set(own.values())
        assert KEY not in repr(endpoint) + str(ConnectOptions(query=own, headers=own))


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
