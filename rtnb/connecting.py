"""`connect`: where endpoint, credential, local service, session and display are put together."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Generator
from pathlib import Path
from typing import Any

from rtnb.client.async_session import AsyncSession
from rtnb.client.connection import Record, Recorder
from rtnb.client.credentials import credential_for
from rtnb.client.endpoint import Endpoint, Request, resolve
from rtnb.client.loop import LoopThread, loop_thread
from rtnb.client.toolbox import with_tools
from rtnb.errors import ConfigurationError
from rtnb.local import local_service, refuse_options, split_options
from rtnb.notebook.live import cell_progress, live_display
from rtnb.notebook.session import Session
from rtnb.protocol.config import nest
from rtnb.protocol.dialects import Dialect
from rtnb.protocol.events import Event
from rtnb.protocol.names import Local
from rtnb.timeline import Timeline
from rtnb.timeline.file_format import Journal


def connect(
    target: str | None = None,
    *,
    model: str | None = None,
    deployment: str | None = None,
    endpoint: str | None = None,
    api_key: str | None = None,
    credential: Any = None,
    api_version: str | None = None,
    dialect: str | Dialect | None = None,
    record: str | os.PathLike[str] | None = None,
    timeout: float = 30.0,
    reconnect: bool = False,
    **config: Any,
) -> Session:
    """Open a realtime session; block until the service has said ``session.created``.

    Without arguments the environment decides: Azure if ``AZURE_OPENAI_ENDPOINT`` is set, OpenAI if ``OPENAI_API_KEY`` is,
    else the local service, which needs no account and is started when it is first wanted.

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
    record : path, optional
        Write every row to this file as it comes; `rtnb.open` reads it, even after a crash.
    timeout : float
        Seconds to wait for the connection, and later for each acknowledgement.
    reconnect : bool
        Resume a session that is lost or has expired without being asked (as `Session.resume` does): 6 attempts, after
        0.5 s, 1 s, 2 s … Whoever asks meanwhile waits for it.
    **config
        Settings in GA's words, whatever the dialect: ``voice=``, ``instructions=``, ``output_modalities=``,
        ``turn_detection=``, ``tools=`` …
        For the local service also how it behaves: ``faults=`` (``"drop_after=20"``; a wrong name lists them all),
        ``seed=``, ``pace=`` (seconds of speech sent a second; 0: no limit), ``expire_in=`` (seconds), ``chat=`` and
        ``chat_model=`` (an OpenAI-compatible chat endpoint that writes the answers), ``voice_engine=``, ``phrases=``.
        Each way of behaving is a service of its own, reused where it is wanted again.

    Raises
    ------
    ConfigurationError
        Something is missing or contradictory; nothing was sent. The message has the corrected form.
    ConnectError, AuthError
        No session came about, and what to do.
    """
    request = Request(target, model, deployment, endpoint, api_key, credential, api_version, dialect)
    io = loop_thread()
    session = io.call(_open(request, io, record, timeout, reconnect, config))
    return Session(session, io, cell_progress())


class Opening:
    """A session on its way: ``await`` it, or use it in ``async with``, on any event loop."""

    def __init__(
        self,
        request: Request,
        record: str | os.PathLike[str] | None,
        timeout: float,
        reconnect: bool,
        config: dict[str, Any],
    ) -> None:
        self._arguments = (request, record, timeout, reconnect, config)
        self._session: AsyncSession | None = None

    async def _open(self) -> AsyncSession:
        request, record, timeout, reconnect, config = self._arguments
        io = loop_thread()
        return await io.acall(_open(request, io, record, timeout, reconnect, config))

    def __await__(self) -> Generator[Any, None, AsyncSession]:
        return self._open().__await__()

    async def __aenter__(self) -> AsyncSession:
        self._session = await self._open()
        return self._session

    async def __aexit__(self, *exc: object) -> None:
        if self._session is not None:
            await self._session.close()

    def __repr__(self) -> str:
        return "<a session that is not open yet: await it, or use it in async with>"


def connect_async(
    target: str | None = None,
    *,
    model: str | None = None,
    deployment: str | None = None,
    endpoint: str | None = None,
    api_key: str | None = None,
    credential: Any = None,
    api_version: str | None = None,
    dialect: str | Dialect | None = None,
    record: str | os.PathLike[str] | None = None,
    timeout: float = 30.0,
    reconnect: bool = False,
    **config: Any,
) -> Opening:
    """Open an `AsyncSession`: ``await`` this, or use it in ``async with``. Arguments and errors are those of `connect`."""
    request = Request(target, model, deployment, endpoint, api_key, credential, api_version, dialect)
    return Opening(request, record, timeout, reconnect, config)


async def _open(
    request: Request,
    io: LoopThread,
    record: str | os.PathLike[str] | None,
    timeout: float,
    reconnect: bool,
    config: dict[str, Any],
) -> AsyncSession:
    options, config = split_options(with_tools(config))
    place, key = resolve(request, os.environ)
    place.dialect.check(nest(config))
    if place.service != "local":
        refuse_options(options, place.words)
    credential = credential_for(place, key, request.credential)
    writer = None if record is None else _journal(record, place)
    if place.service == "local":
        service = await asyncio.to_thread(local_service, options)
        place = place.at(service.url, service.engines)
    session = await AsyncSession.open(
        place, credential, io, config=config, timeout=timeout, record=writer, reconnect=reconnect
    )
    session.display = live_display()
    return session


def _journal(record: str | os.PathLike[str], place: Endpoint) -> Record:
    """Return what starts the file of a session, once there is one; refuse a path that cannot be written to now."""
    path = Path(record).expanduser()
    if path.exists():
        raise ConfigurationError(f"record={str(path)!r} is there already; choose another name, or delete it first.")
    if not path.parent.is_dir():
        raise ConfigurationError(f"record={str(path)!r}: the folder does not exist; make it first.")

    def start(timeline: Timeline) -> Recorder:
        meta = {"dialect": place.dialect.name, "model": place.model}
        journal = Journal(path, started=timeline.started, title=timeline.title, meta=meta)

        def write(event: Event, late_ms: float) -> None:
            journal.write(event, late_ms=late_ms)
            if journal.problem:
                raise OSError(journal.problem)
            if event.type == Local.CLOSE:
                journal.close()

        return write

    return start
