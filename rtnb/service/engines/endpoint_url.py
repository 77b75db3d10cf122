"""What an HTTP endpoint with OpenAI's API is for, and where it is. Pure."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from rtnb.errors import ConfigurationError
from rtnb.protocol.catalog import ENDPOINT_SPEECH_MODEL, ENDPOINT_TRANSCRIPTION_MODEL

__all__ = ["CHAT", "SPEECH", "TRANSCRIPTION", "EndpointKind", "EndpointUrl", "read_url"]


@dataclass(frozen=True, slots=True)
class EndpointKind:
    """What an endpoint is for.

    Attributes
    ----------
    noun : str
        ``"chat"``; the codes of its failures begin with it.
    option : str
        The option of ``rtnb serve`` that gives its URL, and with ``-model`` its model.
    path : str
        What follows the API's version in the URL.
    usual : str
        A URL that is usual for it.
    model : str
        The model that is asked for where none is named; ``""``: one must be named.
    """

    noun: str
    option: str
    path: str
    usual: str
    model: str

    @property
    def key_variable(self) -> str:
        """The environment variable of its key: ``RTNB_CHAT_API_KEY``."""
        return f"RTNB_{self.option.strip('-').upper()}_API_KEY"


CHAT = EndpointKind("chat", "--chat", "/chat/completions", "http://127.0.0.1:11434", "")
SPEECH = EndpointKind("speech", "--speak", "/audio/speech", "http://127.0.0.1:8000", ENDPOINT_SPEECH_MODEL)
TRANSCRIPTION = EndpointKind(
    "transcription", "--transcribe", "/audio/transcriptions", "http://127.0.0.1:8000", ENDPOINT_TRANSCRIPTION_MODEL
)


@dataclass(frozen=True, slots=True)
class EndpointUrl:
    """The URL that an endpoint is called at.

    Attributes
    ----------
    secure : bool
        Whether it is https.
    host, port, path : str, int, str
    query : str
        Not shown to people: it may hold a key.
    """

    secure: bool
    host: str
    port: int
    path: str
    query: str

    @property
    def place(self) -> str:
        """Host, and port where it is not the usual one."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.secure else 80) else f"{host}:{self.port}"

    @property
    def shown(self) -> str:
        """The URL without its query, as people are shown it."""
        return f"http{'s' * self.secure}://{self.place}{self.path}"

    @property
    def whole(self) -> str:
        """The URL with its query."""
        return f"{self.shown}?{self.query}" if self.query else self.shown

    @property
    def nearby(self) -> bool:
        """Whether it is this computer or one of the local network: no proxy is asked, and a key may go by http."""
        try:
            return ipaddress.ip_address(self.host).is_private
        except ValueError:
            return "." not in self.host or self.host.endswith((".local", ".localhost", ".internal"))


def read_url(url: str, kind: EndpointKind) -> EndpointUrl:
    """Read the URL of an endpoint: its root, its ``/v1``, or the whole path.

    Raises
    ------
    ConfigurationError
        It is no http or https URL, or it holds a password, which does not belong there.
    """
    forms = f"Give it as {kind.usual}, or with the path: …/v1 or …/v1{kind.path}."
    url = url.strip()
    if "://" not in url:
        url = f"http://{url}"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ConfigurationError(f"The {kind.noun} URL cannot be read ({error}). {forms}") from None
    if parts.username is not None or parts.password is not None:
        raise ConfigurationError(
            f"The {kind.noun} URL holds a user name or a password: put the key into {kind.key_variable} instead."
        )
    if parts.scheme not in ("http", "https") or not host or any(not " " < char < "\x7f" for char in url):
        raise ConfigurationError(f"The {kind.noun} URL must be an http:// or https:// URL of plain characters. {forms}")
    path = parts.path.rstrip("/")
    if not path.endswith(kind.path):
        path = f"{path or '/v1'}{kind.path}"
    secure = parts.scheme == "https"
    return EndpointUrl(secure, host, port or (443 if secure else 80), path, parts.query)
