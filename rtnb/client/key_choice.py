"""Which key goes to a service, and in which header: a key of the environment only to the service that it belongs to. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rtnb.client.addresses import is_secret, secrets_in
from rtnb.client.options import ConnectOptions
from rtnb.errors import ConfigurationError

KEY, EPHEMERAL, TOKEN, ENTRA = "API key", "ephemeral key", "bearer token", "Entra ID"
IN_URL, IN_HEADERS, NONE = "key in the URL", "key in headers=", "no credential"
BEARER, AZURE_HEADER = "Authorization", "api-key"
_KEY_HEADERS = {BEARER.lower(), AZURE_HEADER}
_JWT = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]*")


@dataclass(frozen=True, slots=True)
class KeyChoice:
    """What a service gets: the key, if it is one, the kind of credential, and the header that a key goes into."""

    key: str | None
    kind: str
    header: str

    def __repr__(self) -> str:
        return f"<KeyChoice {self.kind} in {self.header}>"


def choose_key(
    options: ConnectOptions, url: str, *, azure: bool, keys: Iterable[str | None] = (), entra: bool = False
) -> KeyChoice:
    """Return what a service gets; what the user gives goes before the environment.

    Parameters
    ----------
    options : ConnectOptions
    url : str
        With the user's own `query`.
    azure : bool
        Whether a key goes into Azure's header. An ephemeral key and a token are bearers everywhere.
    keys : iterable of str or None
        Those of the environment that belong to this service, the best first.
    entra : bool
        Whether the service takes Entra ID where there is no key.

    Raises
    ------
    ConfigurationError
        The user gives a key twice.
    """
    wants_entra = options.credential is not None or options.scope is not None
    in_url = bool(secrets_in(url, options.query.keys()))
    carried = any(name.lower() in _KEY_HEADERS for name in options.headers)
    in_headers = any(map(is_secret, options.headers))
    key = options.api_key
    if not (key or wants_entra or in_url or carried):
        key = next(filter(None, keys), None)
    if key:
        kind = _kind_of(key)
    elif wants_entra or (entra and not in_url and not in_headers):
        kind = ENTRA
    else:
        kind = IN_HEADERS if in_headers else IN_URL if in_url else NONE
    header = AZURE_HEADER if azure and (not key or kind == KEY) else BEARER
    if key and header.lower() in (name.lower() for name in options.headers):
        raise ConfigurationError(
            f"api_key= goes into the header {header}, which headers= has too; give one of the two."
        )
    return KeyChoice(key, kind, header)


def azure_keys(environ: Mapping[str, str]) -> tuple[str | None, ...]:
    """Return the environment's keys for Azure."""
    return environ.get("AZURE_OPENAI_API_KEY"), environ.get("AZURE_OPENAI_AD_TOKEN")


def organization(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the headers by which OpenAI's own client says for whom it works."""
    named = {"OpenAI-Organization": "OPENAI_ORG_ID", "OpenAI-Project": "OPENAI_PROJECT_ID"}
    return {header: environ[variable] for header, variable in named.items() if variable in environ}


def is_ephemeral(key: str | None) -> bool:
    """Return whether this is a client secret, which opens the session that it was granted for."""
    return bool(key) and str(key).strip().startswith("ek_")


def _kind_of(key: str) -> str:
    if is_ephemeral(key):
        return EPHEMERAL
    return TOKEN if _JWT.fullmatch(key.strip()) else KEY
