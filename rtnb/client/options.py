"""`ConnectOptions`: what `rtnb.connect` and `rtnb.connect_async` take, written once."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any, Final

from rtnb.errors import ConfigurationError
from rtnb.protocol.catalog import TRANSCRIPTION
from rtnb.protocol.dialects import Dialect

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~\w-]+", re.ASCII)
_OF_THE_HANDSHAKE = re.compile(r"(host|connection|upgrade|sec-websocket-.*)", re.IGNORECASE)


class ConnectOptions:
    """What a session is opened with; None where nothing was said. The functions that connect have these parameters.

    Parameters
    ----------
    target : str, optional
        ``"local"``, ``"azure"``, ``"openai"`` (at ``OPENAI_BASE_URL``, where that is set), or a ws://, wss://, http:// or
        https:// URL.
    model, deployment : str, optional
        The model; on Azure, the name of the deployment (``AZURE_OPENAI_DEPLOYMENT_NAME``).
    endpoint : str, optional
        The Azure resource, or a gateway before it, with its path: ``https://NAME.openai.azure.com``,
        ``https://NAME.services.ai.azure.com/api/projects/P``, ``https://NAME.azure-api.net/TEAM``
        (``AZURE_OPENAI_ENDPOINT``).
    api_key : str, optional
        Else ``AZURE_OPENAI_API_KEY`` or ``OPENAI_API_KEY``, each only for its own service. An ephemeral key (``ek_…``) or
        a token goes out as a bearer.
    credential : optional
        For Entra ID instead of a key: any azure-identity credential or token provider. Without key and credential, Azure
        gets ``DefaultAzureCredential()``.
    scope : str, optional
        Of the Entra ID token, instead of the one that goes with the endpoint's cloud (``https://ai.azure.com/.default``,
        in Azure Government ``https://ai.azure.us/.default``).
    api_version : str, optional
        Azure's; a dated preview like ``2024-10-01-preview`` (or ``OPENAI_API_VERSION``) chooses the preview dialect.
    dialect : {"ga", "preview"}, optional
        Wins over everything else.
    intent : {"transcription"}, optional
        A session that only transcribes. Its model is `model` or `deployment`, else a transcription model that lives.
    call_id : str, optional
        Join a running WebRTC or SIP call, to watch and steer it.
    headers, query : mapping of str to str, optional
        Sent with the handshake: what a gateway wants, or ``OpenAI-Safety-Identifier``. The values are secrets: none is
        shown or logged.
    record : path, optional
        Write every row to this file as it comes; `rtnb.open` reads it, even after a crash.
    timeout : float
        Seconds to wait for the connection, and later for each acknowledgement.
    reconnect : bool
        Resume a session that is lost or has expired without being asked (as `Session.resume` does): 6 attempts, after
        0.5 s, 1 s, 2 s … Calls that are made meanwhile wait for it.
    **config
        Settings in GA's words, whatever the dialect: ``voice=``, ``instructions=``, ``output_modalities=``,
        ``turn_detection=``, ``tools=`` …
        For the local service also how it behaves: ``faults=`` (``"drop_after=20"``; a wrong name lists them all),
        ``seed=``, ``pace=`` (seconds of speech sent a second; 0: no limit), ``expire_in=`` (seconds), ``chat=`` and
        ``chat_model=`` (an OpenAI-compatible chat endpoint that writes the answers), ``voice_engine=``, ``phrases=``.
        Each way of behaving is a service of its own, reused where it is wanted again.
    """

    def __init__(
        self,
        target: str | None = None,
        *,
        model: str | None = None,
        deployment: str | None = None,
        endpoint: str | None = None,
        api_key: str | None = None,
        credential: Any = None,
        api_version: str | None = None,
        dialect: str | Dialect | None = None,
        scope: str | None = None,
        intent: str | None = None,
        call_id: str | None = None,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        record: str | os.PathLike[str] | None = None,
        timeout: float = 30.0,
        reconnect: bool = False,
        **config: Any,
    ) -> None:
        self.target: Final = target
        self.model: Final = model
        self.deployment: Final = deployment
        self.endpoint: Final = endpoint
        self.api_key: Final = api_key
        self.credential: Final = credential
        self.api_version: Final = api_version
        self.dialect: Final = dialect
        self.scope: Final = scope
        self.intent: Final = intent
        self.call_id: Final = call_id
        self.headers: Final = dict(headers or {})
        self.query: Final = dict(query or {})
        self.record: Final = record
        self.timeout: Final = timeout
        self.reconnect: Final = reconnect
        self.config: Final = config

    def __repr__(self) -> str:
        # Neither api_key nor credential, headers nor query, nor a target that may hold a secret in its query.
        return f"<ConnectOptions, {len(self.config)} settings>"

    def check(self) -> None:
        """Refuse what contradicts itself, or cannot be sent, wherever the session is.

        Raises
        ------
        ConfigurationError
            With the corrected form; the values of `headers` and `query` are not in it.
        """
        if self.api_key is not None and self.credential is not None:
            raise ConfigurationError(
                "api_key= and credential= contradict one another; give api_key= for a key, or credential= for Entra ID."
            )
        if self.intent not in (None, TRANSCRIPTION):
            raise ConfigurationError(
                f"intent={self.intent!r} is not known; write intent={TRANSCRIPTION!r} for a session that only "
                "transcribes, or leave it out for a conversation."
            )
        if self.intent and self.call_id:
            raise ConfigurationError(
                "intent= makes a session of its own, and call_id= joins a running call: give one of the two."
            )
        provider = callable(self.credential) and not hasattr(self.credential, "get_token")
        if self.scope is not None and (self.api_key is not None or provider):
            raise ConfigurationError(
                "scope= is what an Entra ID credential is asked for, and neither a key nor a token provider is asked; leave "
                "scope= out, or give credential=DefaultAzureCredential()."
            )
        _check_headers(self.headers)
        for name, value in self.query.items():
            if not (isinstance(name, str) and isinstance(value, str)):
                raise ConfigurationError(f"query= takes text for each name; {name!r} has a {type(value).__name__}.")


def _check_headers(headers: Mapping[str, str]) -> None:
    for name, value in headers.items():
        if not (isinstance(name, str) and isinstance(value, str)):
            raise ConfigurationError(f"headers= takes text for each name; {name!r} has a {type(value).__name__}.")
        if not _HEADER_NAME.fullmatch(name) or re.search(r"[^\t\x20-\x7e]", value):
            raise ConfigurationError(
                f"headers= takes names and values of printable ASCII; {name!r}, or its value, has other characters."
            )
        if _OF_THE_HANDSHAKE.fullmatch(name):
            raise ConfigurationError(f"headers= has {name!r}, which belongs to the handshake itself; leave it out.")
