"""`connect`: where options, endpoint, credential, local service and session are put together."""

from __future__ import annotations

import asyncio
import functools
import inspect
import os
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from rtnb.audio import AudioClip
from rtnb.client.async_session import AsyncSession
from rtnb.client.connection import Record, Recorder
from rtnb.client.credentials import credential_for
from rtnb.client.endpoint import Endpoint, resolve
from rtnb.client.handshake import Handshake
from rtnb.client.loop import loop_thread
from rtnb.client.options import ConnectOptions
from rtnb.client.session_kind import asked_kind, check_watching
from rtnb.client.tools import with_tools
from rtnb.errors import ConfigurationError
from rtnb.local import local_service, refuse_options, split_options
from rtnb.notebook.cell_progress import CellProgress, in_kernel
from rtnb.notebook.session import Session
from rtnb.protocol.config import nest
from rtnb.protocol.events import Event
from rtnb.protocol.names import Local
from rtnb.timeline import Timeline
from rtnb.timeline.file_format import Journal

P = ParamSpec("P")
T = TypeVar("T")


def taking(options: Callable[P, ConnectOptions]) -> Callable[[Callable[[ConnectOptions], T]], Callable[P, T]]:
    """Give a function of the options the options' own parameters: their signature, their types and their documentation."""

    def decorate(function: Callable[[ConnectOptions], T]) -> Callable[P, T]:
        @functools.wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> T:
            return function(options(*args, **kwargs))

        returns = inspect.signature(function).return_annotation
        parameters = (inspect.getdoc(options) or "").partition("\n\n")[2]
        before, raises, after = (inspect.getdoc(function) or "").partition("Raises\n------")
        call.__doc__ = f"{before.strip()}\n\n{parameters}\n\n{raises}{after}".rstrip()
        vars(call)["__signature__"] = inspect.signature(options).replace(return_annotation=returns)
        return call

    return decorate


@taking(ConnectOptions)
def connect(options: ConnectOptions) -> Session:
    """Open a realtime session; block until the service has said ``session.created``.

    Without arguments the environment decides: Azure if ``AZURE_OPENAI_ENDPOINT`` is set, OpenAI if ``OPENAI_API_KEY`` is,
    else the local service, which needs no account and is started when it is first wanted.

    Raises
    ------
    ConfigurationError
        Something is missing or contradictory; nothing was sent. The message has the corrected form.
    ConnectError, AuthError
        No session came about, and what to do.
    """
    io = loop_thread()
    return Session(io.call(_open(options)), io, CellProgress if in_kernel() else None)


@taking(ConnectOptions)
def connect_async(options: ConnectOptions) -> Opening:
    """Open an `AsyncSession`: ``await`` this, or use it in ``async with``. Errors are those of `connect`."""
    return Opening(options)


class Opening:
    """A session on its way: ``await`` it, or use it in ``async with``, on any event loop."""

    def __init__(self, options: ConnectOptions) -> None:
        self._options = options
        self._session: AsyncSession | None = None

    def __await__(self) -> Generator[Any, None, AsyncSession]:
        return loop_thread().acall(_open(self._options)).__await__()

    async def __aenter__(self) -> AsyncSession:
        self._session = await self
        return self._session

    async def __aexit__(self, *exc: object) -> None:
        if self._session is not None:
            await self._session.close()

    def __repr__(self) -> str:
        return "<a session that is not open yet: await it, or use it in async with>"


async def _open(options: ConnectOptions) -> AsyncSession:
    """Open a session; on the I/O loop."""
    service_options, config = split_options(with_tools(options.config))
    place, key = resolve(options, os.environ)
    check_watching(place.call_id, {"model": options.model, "deployment": options.deployment, **config})
    if place.intent and (model := options.deployment or options.model):
        config["transcription"] = {"model": model, **(config.get("transcription") or {})}
    place.dialect.check(asked_kind(place.url, place.intent).typed(nest(config)))
    if place.service != "local":
        refuse_options(service_options, place.words)
    credential = credential_for(place, key, options.credential)
    record = None if options.record is None else _journal(options.record, place)
    if place.service == "local":
        service = await asyncio.to_thread(local_service, service_options)
        place = place.at(service.url, service.engines, service.not_imitated)
    handshake = Handshake(place, credential, options.timeout, options.reconnect)
    session = await AsyncSession.open(handshake, loop_thread(), config, record)
    session.local_speech = _local_speech
    return session


async def _local_speech(text: str) -> AudioClip:
    """Return a text as the local service speaks it, in a short session of its own."""
    async with connect_async("local", turn_detection=None) as session:
        response = await session.ask(f"Repeat after me: {text}")
        return response.audio


def _journal(record: str | os.PathLike[str], place: Endpoint) -> Record:
    """Return what starts the file of a session once it is open; refuse a path that cannot be written to now."""
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
