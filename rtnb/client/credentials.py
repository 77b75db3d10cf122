"""Credentials: fetched afresh for each connection attempt, off the event loop, and never shown."""

from __future__ import annotations

import asyncio
import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from rtnb.client.addresses import spellings
from rtnb.client.endpoint import Endpoint
from rtnb.client.key_choice import BEARER, ENTRA, KEY, NONE
from rtnb.errors import AuthError, ConfigurationError
from rtnb.formatting import one_line

SECRET = b"[secret]"
# What is shorter is no secret ("none", for a server of one's own), and taking it out would garble the log.
_SHORTEST_SECRET = 12


class Credential(Protocol):
    """What a connection attempt needs of a credential."""

    @property
    def words(self) -> str:
        """The kind of credential, for people."""

    async def headers(self) -> dict[str, str]:
        """Return the headers that carry it.

        Raises
        ------
        AuthError
            If it cannot be had.
        """

    def scrub(self, data: bytes) -> bytes:
        """Return `data` without any secret that this credential has given out, or was given to keep."""

    def keep(self, secrets: Iterable[str]) -> None:
        """Take note of secrets that go out in client events, such as those of remote tools."""


class _Scrubbing:
    """Remembers the secrets that it gave out, so that a peer that echoes one cannot bring it into the log.

    Parameters
    ----------
    known : iterable of str
        Secrets that go out by another way, in the URL.
    own : mapping
        The user's own headers, whose values are secrets; they go before a header of the same name.
    """

    words = NONE

    def __init__(self, known: Iterable[str] = (), own: Mapping[str, str] | None = None) -> None:
        self._given: dict[bytes, re.Pattern[bytes]] = {}
        self._own = dict(own or {})
        for secret in spellings([*known, *self._own.values()]):
            self._give(secret)
        for secret in self._own.values():
            self._give(secret.rpartition(" ")[2])  # what follows a scheme, as in "Bearer …"

    def _give(self, secret: str) -> str:
        encoded = secret.encode()
        if len(encoded) >= _SHORTEST_SECRET and encoded not in self._given:
            self._given[encoded] = _however_escaped(secret)
        return secret

    def _with_own(self, headers: Mapping[str, str]) -> dict[str, str]:
        """Return headers and the user's own."""
        own = {name.lower() for name in self._own}
        return {**{name: value for name, value in headers.items() if name.lower() not in own}, **self._own}

    def scrub(self, data: bytes) -> bytes:
        """Return `data` with every secret that was given out replaced."""
        for secret, escaped in self._given.items():
            if secret in data:
                data = data.replace(secret, SECRET)
            if b"\\" in data:
                data = escaped.sub(SECRET, data)
        return data

    def keep(self, secrets: Iterable[str]) -> None:
        """Take note of secrets that go out in client events."""
        for secret in secrets:
            self._give(secret)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} ***>"


def _however_escaped(secret: str) -> re.Pattern[bytes]:
    """Return what finds `secret` in JSON that writes any of its characters as an escape."""

    def spelled(byte: int) -> bytes:
        code = b"".join(
            b"[%c%c]" % (digit, digit ^ 0x20) if digit > 0x39 else b"%c" % digit for digit in b"%02x" % byte
        )
        return rb"(?:\\?%b|\\u00%b)" % (re.escape(bytes([byte])), code)

    return re.compile(b"".join(map(spelled, secret.encode())))


class NoCredential(_Scrubbing):
    """Nothing is sent beside the URL: the local service, or a server that asks for nothing or has it there."""

    def __init__(self, known: Iterable[str] = (), words: str = NONE, own: Mapping[str, str] | None = None) -> None:
        super().__init__(known, own)
        self.words = words

    async def headers(self) -> dict[str, str]:
        """Return the user's own headers, if there are any."""
        return self._with_own({})


class ApiKey(_Scrubbing):
    """A key, in the header that the service reads it from; `words` is the kind of key."""

    def __init__(
        self,
        key: str,
        header: str,
        known: Iterable[str] = (),
        words: str = KEY,
        own: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(known, own)
        self.words = words
        self._key = key.strip()
        self._header = header
        if not self._key or re.search(r"[^\x21-\x7e]", self._key):
            raise ConfigurationError(
                "The API key is empty or holds characters that no key has (spaces, line breaks, quotes of a document); "
                "copy it again from the resource's page."
            )
        self._give(self._key)

    async def headers(self) -> dict[str, str]:
        """Return the header with the key, and the user's own."""
        return self._with_own({self._header: f"Bearer {self._key}" if self._header == BEARER else self._key})


class EntraToken(_Scrubbing):
    """A token of Microsoft Entra ID, from any azure-identity credential or token provider.

    Parameters
    ----------
    source : object or None
        Something with ``get_token(scope)`` (sync or async), or a function that returns a token (sync or async).
        None takes ``azure.identity.DefaultAzureCredential()``.
    scope : str
        The scope to ask for; a token provider has its own.
    authority : str
        The host that ``DefaultAzureCredential()`` asks; empty for the one that it takes by itself.
    """

    def __init__(
        self,
        source: Any,
        scope: str,
        known: Iterable[str] = (),
        authority: str = "",
        own: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(known, own)
        if source is not None and not callable(getattr(source, "get_token", None)) and not callable(source):
            raise ConfigurationError(
                f"credential= takes an azure-identity credential or a token provider, not {type(source).__name__}; "
                "write credential=DefaultAzureCredential(), or api_key= for a key."
            )
        self._source = source
        self._scope = scope
        self._authority = authority

    @property
    def words(self) -> str:  # type: ignore[override]
        """The kind of credential, with the class that it comes from."""
        name = "DefaultAzureCredential" if self._source is None else type(self._source).__name__
        return f"{ENTRA} ({'token provider' if inspect.isroutine(self._source) else name})"

    async def headers(self) -> dict[str, str]:
        """Fetch a fresh token and return it as a bearer header.

        Raises
        ------
        AuthError
            If no token could be had, with the reason.
        """
        try:
            got = await asyncio.to_thread(self._fetch)
            if inspect.isawaitable(got):
                got = await got
        except Exception as error:
            reason = one_line(f"{type(error).__name__}: {error}", 300)
            raise AuthError(
                f"No Entra ID token could be had for {self._scope}: {reason} — sign in (az login), check the role "
                "'Cognitive Services OpenAI User', or give api_key=."
            ) from None
        token = getattr(got, "token", got)
        if not isinstance(token, str) or not token.strip():
            raise AuthError(f"The credential returned {type(token).__name__} where a token was expected.")
        return self._with_own({BEARER: f"Bearer {self._give(token.strip())}"})

    def _fetch(self) -> Any:
        if self._source is None:
            from azure.identity import DefaultAzureCredential

            self._source = DefaultAzureCredential(**({"authority": self._authority} if self._authority else {}))
        get_token: Callable[..., Any] | None = getattr(self._source, "get_token", None)
        return get_token(self._scope) if callable(get_token) else self._source()


def credential_for(
    endpoint: Endpoint, key: str | None, source: Any, own: Mapping[str, str] | None = None
) -> Credential:
    """Return the credential that an endpoint was resolved to; `own` are the user's own headers."""
    known = endpoint.secrets
    if key:
        return ApiKey(key, endpoint.key_header, known, endpoint.credential, own)
    if endpoint.credential == ENTRA:
        return EntraToken(source, endpoint.scope, known, endpoint.authority, own)
    return NoCredential(known, endpoint.credential, own)
