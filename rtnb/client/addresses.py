"""Addresses as people paste them: their parts, whose hosts they name, which part is secret. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

from rtnb.errors import ConfigurationError

_SCHEMES = {"https": "wss", "wss": "wss", "http": "ws", "ws": "ws"}
_OPENAI_HOST = re.compile(r"(^|\.)api\.openai\.com$")
_AZURE_HOST = re.compile(r"\.(openai|cognitiveservices|services\.ai)\.azure\.(com|us|cn)$")
_AZURE_PATH = re.compile(r"/openai(/|$)", re.IGNORECASE)
_AZURE_TAIL = re.compile(r"/openai(/v1|/deployments(/.*)?)?/*$", re.IGNORECASE)
_SESSION_PATH = re.compile(r"/realtime(/|$)", re.IGNORECASE)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SECRET_WORDS = {"auth", "bearer", "code", "cookie", "jwt", "pass", "pwd", "sas", "sig", "signature"}
_SECRET_END = re.compile(r"(key|token|secret|passw(or)?d|passphrase|credentials?)$|^(authori[sz]ation|authentication)$")
_SECRET_VALUE = re.compile(r"^(sk-|ek_|eyJ|Bearer )")


@dataclass(frozen=True, slots=True)
class Cloud:
    """A cloud of Azure's with an Entra ID of its own.

    Attributes
    ----------
    domain : str
        What the audiences of its tokens end in.
    authority : str
        The host that issues them; empty for the one that azure-identity takes by itself.
    """

    domain: str
    authority: str = ""

    def scope(self, public: str) -> str:
        """Return the scope in this cloud that `public` is in the public one."""
        return public.replace("azure.com", self.domain)


PUBLIC = Cloud("azure.com")
# The hosts of Azure itself and of API Management, and the authorities of azure.identity.AzureAuthorityHosts.
_SOVEREIGN = (
    (re.compile(r"\.azure(-api)?\.us$"), Cloud("azure.us", "login.microsoftonline.us")),
    (re.compile(r"\.azure(-api)?\.cn$"), Cloud("azure.cn", "login.chinacloudapi.cn")),
)


def split(address: str) -> SplitResult:
    """Return the parts of an address.

    Raises
    ------
    ConfigurationError
        If it has none, or a port that cannot be.
    """
    try:
        parts = urlsplit(address)
        _ = parts.port  # reading it is what checks it
    except ValueError as error:
        raise ConfigurationError(
            f"{hide_secrets(address)!r} is no address ({error}); write e.g. wss://HOST:PORT/v1/realtime?model=NAME."
        ) from None
    return parts


def is_address(text: str) -> bool:
    """Return whether a text is a ws://, wss://, http:// or https:// URL."""
    return split(text).scheme in _SCHEMES


def socket_url(parts: SplitResult, path: str) -> str:
    """Return the WebSocket URL with another path, the query kept."""
    return urlunsplit((_SCHEMES[parts.scheme], parts.netloc, path, parts.query, ""))


def base_of(parts: SplitResult, path: str) -> str:
    """Return the beginning of WebSocket URLs on this host, with a path before them."""
    return f"{_SCHEMES[parts.scheme]}://{parts.netloc}{path.rstrip('/')}"


def without_azure_tail(path: str) -> str:
    """Return an endpoint's path without the tails that Azure's own pages put there; a gateway's prefix, or a project, stays."""
    return _AZURE_TAIL.sub("", path.rstrip("/"))


def has_azure_path(path: str) -> bool:
    """Return whether a path is one of Azure OpenAI's."""
    return _AZURE_PATH.search(path) is not None


def is_session_path(path: str) -> bool:
    """Return whether a path is that of sessions, and not of a service."""
    return _SESSION_PATH.search(path) is not None


def is_azure_host(host: str) -> bool:
    """Return whether a host is Azure's, in any of its clouds."""
    return _AZURE_HOST.search(host) is not None


def is_openai_host(host: str) -> bool:
    """Return whether a host is OpenAI's, in any region."""
    return _OPENAI_HOST.search(host) is not None


def cloud_of(host: str, authority: str) -> Cloud:
    """Return the cloud of Azure's that a host belongs to; of another's host, the one whose Entra ID `authority` is."""
    for pattern, cloud in _SOVEREIGN:
        issues = authority.rstrip("/").endswith(cloud.domain[-3:])
        if pattern.search(host) or (issues and not is_azure_host(host)):
            return cloud
    return PUBLIC


def is_secret(name: str, value: str = "") -> bool:
    """Return whether a query parameter of this name, or of this value, holds a secret."""
    words = re.findall(r"[a-z0-9]+", _CAMEL.sub("-", name).lower())
    named = any(word in _SECRET_WORDS or _SECRET_END.search(word) for word in words)
    return named or _SECRET_VALUE.match(value) is not None


def secrets_in(url: str, names: Collection[str] = ()) -> list[str]:
    """Return the values of the query parameters that are secret or among `names`, and what stands before the host."""
    parts = urlsplit(url)
    named = [value for name, value in parse_qsl(parts.query) if name in names or is_secret(name, value)]
    before_host = parts.password or parts.username
    return [*named, unquote(before_host)] if before_host else named


def spellings(secrets: Iterable[str]) -> set[str]:
    """Return secrets as they are, and as a URL spells them."""
    return {
        spelled for each in secrets for spelled in (each, quote(each), quote(each, safe=""), quote(each, safe="/+"))
    }


def with_own_query(url: str, own: Mapping[str, str]) -> str:
    """Return `url` with the user's own parameters.

    Raises
    ------
    ConfigurationError
        It has one of them already.
    """
    if not own:
        return url
    if twice := dict(parse_qsl(urlsplit(url).query)).keys() & own.keys():
        raise ConfigurationError(f"query= has {min(twice)!r}, which the URL has already; leave one of the two out.")
    return f"{url}{'&' if '?' in url else '?'}{urlencode(own)}"


def hide_secrets(url: str, names: Collection[str] = ()) -> str:
    """Return `url` with ``***`` for the query parameters that are secret or among `names`, and for what stands before the host."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "***"
    query = [
        (name, "***" if name in names or is_secret(name, value) else value)
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
    ]
    host = f"***@{parts.netloc.rpartition('@')[2]}" if "@" in parts.netloc else parts.netloc
    return urlunsplit((parts.scheme, host, parts.path, urlencode(query, safe="*"), ""))
