"""The local service on a socket: a WebSocket server on loopback. What a session says is decided in `rtnb.service.session`."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import socket as sockets
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from typing import Any, cast

from websockets.asyncio.server import Server as WebSocketServer
from websockets.asyncio.server import ServerConnection as WebSocket
from websockets.asyncio.server import serve as serve_websockets
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from rtnb.errors import ConfigurationError
from rtnb.protocol.events import write_json
from rtnb.protocol.urls import is_loopback
from rtnb.service.engines.base import Engines
from rtnb.service.engines.choice import make
from rtnb.service.server import posts
from rtnb.service.server.access import AccessRules, names_of
from rtnb.service.server.client_secrets import ClientSecrets, client_secret_of
from rtnb.service.server.fault_injection import FaultySocket, RateLimitedWriter
from rtnb.service.server.fault_plan import RETIRED_CODE, FaultPlan, refused, retirement
from rtnb.service.server.http_exchange import HttpRequest
from rtnb.service.server.options import ServiceOptions
from rtnb.service.server.request_socket import RequestSocket
from rtnb.service.server.routes import Page, Place, SessionRoute, error_page, page, route, session_urls
from rtnb.service.server.session_socket import SessionSocket
from rtnb.service.session.connection import SESSION_SECONDS, ServiceConnection
from rtnb.service.session.not_imitated import not_imitated
from rtnb.service.session.speech_detector import SpeechDetector
from rtnb.service.session.turn_detection import MakeDetector
from rtnb.version import __version__

_LARGEST_FRAME = 32 * 2**20  # 15 MiB of audio are 20 MiB in base64
_CLOSE_TIMEOUT = 2.0
_LAST_PORT = 65_535
_LOG = logging.getLogger(__name__)
_SUBPROTOCOL = Subprotocol("realtime")


class Server:
    """The running service.

    Parameters
    ----------
    host : str
        What to listen on.
    options : ServiceOptions
    engines : Engines, optional
        Instead of those that the options name.
    make_detector : callable
        Makes the speech detector of a session for a sample rate.

    Attributes
    ----------
    port : int
    place : Place
        Its URLs, and its certificate where it has one.
    """

    def __init__(
        self,
        host: str,
        options: ServiceOptions,
        *,
        engines: Engines | None = None,
        make_detector: MakeDetector = SpeechDetector,
    ) -> None:
        self.host = host
        self.port = 0
        self.options = options
        self.place = Place("")
        self._engines = engines or make(options, RateLimitedWriter() if options.faults.rate_limit else None)
        self._make_detector = make_detector
        self._access = AccessRules(host, names_of(sockets.gethostname()))
        self._secrets = ClientSecrets(time.time)
        self._count = 0
        self._warming: asyncio.Task[None] | None = None
        self._listeners: list[WebSocketServer] = []
        self._owned = contextlib.AsyncExitStack()

    @property
    def url(self) -> str:
        """Return where it listens: ``ws://HOST:PORT``, without a path."""
        return self.place.url

    @property
    def others(self) -> list[str]:
        """Return its URLs for other computers, by this one's names: ``ws://NAME:PORT``; none on loopback."""
        names = sorted(self._access.names) if self._access.is_open else []
        return [f"ws://{name}:{self.port}" for name in names if not is_loopback(name)]

    @property
    def sessions(self) -> int:
        """Return how many sessions are open."""
        return sum(len(each.connections) for each in self._listeners)

    @property
    def engines(self) -> dict[str, str | None]:
        """Return the engine of each part: ``voice``, ``writer``, and ``transcriber``, None where there is none."""
        return self._engines.names

    @property
    def not_imitated(self) -> dict[str, str]:
        """Return the settings that change nothing here, and what happens instead."""
        return dict(not_imitated(self._engines.gives))

    @property
    def remarks(self) -> list[tuple[str, int | None]]:
        """Return the remarks for the problems of sessions: words, and the sample rate of the input (Hz) for which they hold."""
        return self._engines.remarks

    def __repr__(self) -> str:
        faults = f" with {self.options.faults}" if self.options.faults else ""
        return f"<rtnb.service.Server {self.url} {self.sessions} sessions{faults}>"

    async def start(self, port: int, *, tls: bool) -> None:
        """Listen on `port`, and with `tls` also on the one above it, encrypted; 0 takes free ones. Errors as in `serve`."""
        if not self.host.strip():
            raise ConfigurationError("host='' names nothing; leave it out, which means 127.0.0.1.")
        async with contextlib.AsyncExitStack() as owned:
            owned.push_async_callback(self._engines.close)
            await self._engines.check()
            url_host = self._access.url_host()
            self.port = await self._listen(owned, port)
            self.place = Place(f"ws://{url_host}:{self.port}")
            if tls:
                # Only a service with TLS pays for loading it.
                from rtnb.service.server.tls import identity

                own = owned.enter_context(identity(self._access.certificate_hosts()))
                tls_port = await self._listen(owned, port and port + 1, ssl=own.context)
                self.place = Place(self.place.url, f"wss://{url_host}:{tls_port}", own.certificate)
            self._owned = owned.pop_all()

    def warm(self) -> None:
        """Get the voice ready in the background, so that the first answer is as quick as the others."""
        self._warming = self._warming or asyncio.create_task(self._engines.warm())

    async def close(self) -> None:
        """End every session with 1001, stop listening, and remove what was made for this run."""
        for each in self._listeners:
            each.close()
        if self._warming is not None:
            self._warming.cancel()
            await asyncio.wait([self._warming])
        await self._owned.aclose()  # the sessions, then the engines

    async def _listen(self, owned: contextlib.AsyncExitStack, port: int, **options: Any) -> int:
        # The library's log would hold request headers, keys among them.
        silent = logging.getLogger("rtnb.service.websockets")
        silent.setLevel(logging.CRITICAL)
        if not 0 <= port <= _LAST_PORT:
            raise ConfigurationError(
                f"There is no port {port}: give one from 1024 to {_LAST_PORT}, or 0 for any free one."
            )
        kind = FaultySocket if self.options.faults else RequestSocket
        try:
            listener = await owned.enter_async_context(
                serve_websockets(
                    self._serve_session,
                    self.host,
                    port,
                    create_connection=cast("type[WebSocket]", partial(kind, answer=self._answer_post)),
                    process_request=self._answer_http,
                    select_subprotocol=_select_subprotocol,
                    max_size=_LARGEST_FRAME,
                    compression=None,
                    ping_interval=None,  # a computing notebook cell must not cost the session
                    close_timeout=_CLOSE_TIMEOUT,
                    logger=silent,
                    **options,
                )
            )
        except OSError as error:
            raise _cannot_listen(error, self.host, port) from None
        self._listeners.append(listener)
        return int(next(iter(listener.sockets)).getsockname()[1])

    def _route(self, request: Request) -> SessionRoute | Page:
        headers = {name.lower(): ", ".join(request.headers.get_all(name)) for name in request.headers}
        if refusal := self._access.refusal(headers):
            return page(HTTPStatus.FORBIDDEN, refusal + "\n")
        health = {
            "version": __version__,
            "sessions": self.sessions,
            "engines": self.engines,
            "not_imitated": self.not_imitated,
            "remarks": [words for words, _ in self.remarks],
            "faults": list(self.options.faults.written()),
        }
        found = route(request.path, headers, place=self.place, health=health, now=time.time())
        if not isinstance(found, SessionRoute):
            return found
        status = self.options.faults.refuse
        return refused(status, found.path) if status else self._grant(found, client_secret_of(request.path, headers))

    def _grant(self, found: SessionRoute, key: str) -> SessionRoute | Page:
        """Return a session's route with what its client secret grants, where it brings one."""
        if not key:
            return found
        if not found.dialect.typed_session:  # what is granted is a session of some type
            message = f"A client secret opens sessions of the GA protocol: {session_urls(self.place)}, no beta header."
            return error_page(HTTPStatus.BAD_REQUEST, "invalid_api_key", message)
        grant = self._secrets.find(key)
        if grant is None:
            message = (
                "This client secret has expired, or is not this service's: POST /v1/realtime/client_secrets makes one."
            )
            return error_page(HTTPStatus.UNAUTHORIZED, "invalid_api_key", message)
        intent = "transcription" if grant.transcribes else ""
        return replace(found, model=grant.model, intent=intent, granted=grant.session)

    def _answer_http(self, socket: WebSocket, request: Request) -> Response | None:
        assert isinstance(socket, RequestSocket)
        found = self._route(request)
        if isinstance(found, SessionRoute):
            socket.route = found
            return None
        body = found.body.encode()
        return Response(found.status, found.status.phrase, Headers(found.all_headers(body)), body)

    def _answer_post(self, request: HttpRequest) -> Page:
        """Answer a request of another method than GET, by the same rules of access."""
        if refusal := self._access.refusal(request.headers):
            return page(HTTPStatus.FORBIDDEN, refusal + "\n")
        if status := self.options.faults.refuse:
            return refused(status, request.target)
        return posts.answer(request, self._secrets, self.place)

    async def _serve_session(self, socket: WebSocket) -> None:
        """Serve one session until either side ends it."""
        assert isinstance(socket, RequestSocket)
        assert socket.route is not None
        seed = self.options.seed + self._count
        self._count += 1
        try:
            async with contextlib.AsyncExitStack() as stack:
                if isinstance(socket, FaultySocket):
                    await stack.enter_async_context(socket.following(FaultPlan(self.options.faults, seed)))
                await self._run_session(socket, socket.route, seed)
        except ConnectionClosed:
            pass
        except Exception:
            _LOG.exception("A session of the local service broke; the connection is closed with 1011.")
            raise

    async def _run_session(self, socket: WebSocket, found: SessionRoute, seed: int) -> None:
        options = self.options
        if options.faults.retire_preview and found.dialect.retired:
            event, reason = retirement(seed)
            await socket.send(write_json(event), text=True)
            await socket.close(RETIRED_CODE, reason)
            return
        connection = ServiceConnection(
            found.dialect,
            model=found.model,
            seed=seed,
            lifetime=SESSION_SECONDS if options.lifetime is None else options.lifetime,
            intent=found.intent,
            granted=found.granted,
            make_detector=self._make_detector,
        )
        await SessionSocket(socket, connection, self._engines, speed=options.speed).run()


def _select_subprotocol(_socket: WebSocket, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    """Echo the plain name alone: browser clients offer their key as a subprotocol, too."""
    return _SUBPROTOCOL if _SUBPROTOCOL in offered else None


def _cannot_listen(error: OSError, host: str, port: int) -> ConfigurationError:
    if error.errno == errno.EADDRINUSE:
        return ConfigurationError(f"Port {port} is in use already; give another one, or 0 for any free one.")
    if error.errno in (errno.EACCES, errno.EPERM):
        return ConfigurationError(
            f"Port {port} is reserved for the system; give one above 1023, or 0 for any free one."
        )
    return ConfigurationError(
        f"host={host!r} is no address of this computer ({error.strerror or error}); leave it out, which means 127.0.0.1."
    )


async def serve(host: str = "127.0.0.1", port: int = 0, *, tls: bool = False, **options: Any) -> Server:
    """Start the service on the running loop.

    Parameters
    ----------
    host : str
        What to listen on. Anything but a loopback address opens the service, which asks for no key, to the network.
    port : int
        0 takes a free one.
    tls : bool
        Whether to listen on the port above it as well, with TLS and a certificate made for this run.
    **options
        As in `ServiceOptions`: ``seed=``, ``speed=``, ``faults=`` …

    Raises
    ------
    ConfigurationError
        The host or the port cannot be had, or an option is not possible.
    """
    server = Server(host, ServiceOptions(**options))
    await server.start(port, tls=tls)
    return server
