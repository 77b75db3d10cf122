"""The documented URLs of a session, on Azure, at OpenAI and on a server of both dialects, and which hosts are loopback."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from urllib.parse import quote, urlencode

from rtnb.protocol.dialects import Dialect, is_preview_version

Pairs = Iterable[tuple[str, str]]


def azure_url(
    base: str, dialect: Dialect, *, deployment: str = "", api_version: str | None, intent: str = "", call_id: str = ""
) -> str:
    """Return the URL of a deployment, e.g. for ``base="wss://NAME.openai.azure.com"``; `base` may have a path.

    A transcription session (``intent="transcription"``) and a running call name no deployment.
    """
    return _filled_in(base + dialect.azure_path, dialect, deployment, api_version, intent, call_id)


def openai_url(host: str, *, model: str) -> str:
    """Return the URL of a model at OpenAI; both dialects share it."""
    return realtime_url(f"{host}/v1", model=model)


def realtime_url(base: str, *, model: str = "", intent: str = "", call_id: str = "") -> str:
    """Return the URL below a base that ends where the API begins, as in OpenAI's clients: ``wss://api.openai.com/v1``."""
    return with_query(f"{base}/realtime", [("intent", intent), ("call_id", call_id), ("model", model)])


def local_url(
    base: str, dialect: Dialect, *, model: str = "", api_version: str | None, intent: str = "", call_id: str = ""
) -> str:
    """Return the URL at which a server of both dialects, like the local service, speaks `dialect`."""
    return _filled_in(base + dialect.local_path, dialect, model, api_version, intent, call_id)


def with_query(url: str, pairs: Pairs) -> str:
    """Return `url` with the pairs that have a value added to its query."""
    query = urlencode([pair for pair in pairs if pair[1]], quote_via=quote, safe="")
    if not query:
        return url
    return f"{url}{'&' if '?' in url else '?'}{query}"


def is_loopback(host: str) -> bool:
    """Return whether a host (a name, or an address without brackets) can be reached by this computer alone."""
    if host.rstrip(".").lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def url_form(dialect: Dialect) -> str:
    """Return path and query of an Azure URL as a person would fill it in."""
    version = "api-version=…-preview&" if dialect.api_version else ""
    return f"{dialect.azure_path}?{version}{dialect.model_word}=NAME"


def _filled_in(url: str, dialect: Dialect, name: str, api_version: str | None, intent: str, call_id: str) -> str:
    version = api_version if api_version and is_preview_version(api_version) else dialect.api_version
    versioned = [("api-version", version)] if dialect.api_version else []
    return with_query(url, [*versioned, ("intent", intent), ("call_id", call_id), (dialect.model_word, name)])
