"""`ConnectOptions`: what `rtnb.connect` and `rtnb.connect_async` take, written once."""

from __future__ import annotations

import os
from typing import Any, Final

from rtnb.protocol.dialects import Dialect


class ConnectOptions:
    """What a session is opened with; None where nothing was said. The functions that connect have these parameters.

    Parameters
    ----------
    target : str, optional
        ``"local"``, ``"azure"``, ``"openai"``, or a ws://, wss://, http:// or https:// URL.
    model, deployment : str, optional
        The model; on Azure, the name of the deployment (``AZURE_OPENAI_DEPLOYMENT_NAME``).
    endpoint : str, optional
        The Azure resource: ``https://NAME.openai.azure.com``.
    api_key : str, optional
        Else ``AZURE_OPENAI_API_KEY`` or ``OPENAI_API_KEY``.
    credential : optional
        For Entra ID instead of a key: any azure-identity credential or token provider. Without key and credential, Azure
        gets ``DefaultAzureCredential()``.
    api_version : str, optional
        Azure's; one that names a preview (or ``OPENAI_API_VERSION``) chooses the preview dialect.
    dialect : {"ga", "preview"}, optional
        Wins over everything else.
    intent : {"transcription"}, optional
        Open a session that only turns speech into text; ``model=`` or ``deployment=`` is then what transcribes.
    call_id : str, optional
        Watch a running WebRTC or SIP call (``"rtc_…"``) instead of opening a session: its events come here too.
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
        intent: str | None = None,
        call_id: str | None = None,
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
        self.intent: Final = intent
        self.call_id: Final = call_id
        self.record: Final = record
        self.timeout: Final = timeout
        self.reconnect: Final = reconnect
        self.config: Final = config

    def __repr__(self) -> str:
        # Neither api_key nor credential, nor a target that may hold a secret in its query.
        return f"<ConnectOptions, {len(self.config)} settings>"
