"""`connect`: where options, endpoint, credential, local service and session are put together."""

from __future__ import annotations

import asyncio
import functools
import inspect
import os
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from rtnb.audio import AudioClip
from rtnb.client.async_session import AsyncSession
from rtnb.client.connection import Record, Recorder
from rtnb.client.credentials import Credential, credential_for
from rtnb.client.endpoint import Endpoint, resolve
from rtnb.client.handshake import Handshake
from rtnb.client.loop import loop_thread
from rtnb.client.options import ConnectOptions
from rtnb.client.session_kind import check_asked, check_joining
from rtnb.client.tools import with_tools
from rtnb.errors import ConfigurationError
from rtnb.local import local_service, refuse_options, split_options
from rtnb.notebook.cell_progress import CellProgress, in_kernel
from rtnb.notebook.session import Session
from rtnb.protocol.catalog import ending_soon, model_named
from rtnb.protocol.config import AUDIO_SETTINGS, look, written_out
from rtnb.protocol.events import Event
from rtnb.protocol.names import Local
from rtnb.service.server.options import ServiceOptions
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
    return Session(io.call(open_session(options)), io, CellProgress if in_kernel() else None)


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
        return loop_thread().acall(open_session(self._options)).__await__()

    async def __aenter__(self) -> AsyncSession:
        self._session = await self
        return self._session

    async def __aexit__(self, *exc: object) -> None:
        if self._session is not None:
            await self._session.close()

    def __repr__(self) -> str:
        return "<a session that is not open yet: await it, or use it in async with>"


@dataclass(frozen=True, slots=True)
class Preparation:
    """What the options come to before anything is started or sent: the place, the credential, the settings of the session."""

    place: Endpoint
    credential: Credential
    config: dict[str, Any]
    service_options: ServiceOptions

    async def started(self) -> tuple[Endpoint, Sequence[tuple[str, int | None]]]:
        """Return the place, after starting the local service if it is the one, and the service's remarks."""
        if self.place.service != "local":
            return self.place, ()
        service = await asyncio.to_thread(local_service, self.service_options)
        return self.place.at(service.url, service.engines, service.not_imitated), service.remarks


def prepare(options: ConnectOptions) -> Preparation:
    """Return what the options and the environment come to.

    Raises
    ------
    ConfigurationError
        Something is missing or contradictory; the message has the corrected form.
    """
    service_options, config = split_options(with_tools(options.config))
    config = {name: written_out(name, value) for name, value in config.items()}
    place, key = resolve(options, os.environ)
    check_joining(place.call_id, {"model": options.model, "deployment": options.deployment, **config})
    if place.intent and (model := options.deployment or options.model):
        config["transcription"] = {"model": model, **(config.get("transcription") or {})}
        if (known := model_named(model)) is not None and not known.detects_turns:
            config.setdefault("turn_detection", None)  # it writes while one speaks, and refuses turns
    check_asked(place.dialect, place.url, place.intent, config)
    if place.service != "local":
        refuse_options(service_options, place.words)
    credential = credential_for(place, key, options.credential, options.headers)
    return Preparation(place, credential, config, service_options)


async def open_session(options: ConnectOptions, today: Callable[[], date] = date.today) -> AsyncSession:
    """Open a session, on the I/O loop; a model that is shut down soon after `today` is among its problems."""
    prepared = prepare(options)
    record = None if options.record is None else _journal(options.record, prepared.place)
    place, remarks = await prepared.started()
    handshake = Handshake(place, prepared.credential, options.timeout, options.reconnect, today=today, remarks=remarks)
    session = await AsyncSession.open(handshake, loop_thread(), prepared.config, record)
    models = (
        session.config.get("model"),
        place.model,
        look(session.config, (*AUDIO_SETTINGS["transcription"], "model")),
    )
    for words in ending_soon([name for name in models if isinstance(name, str)], place.provider, today()):
        session.note_problem(words)
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
