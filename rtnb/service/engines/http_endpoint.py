"""An HTTP endpoint with OpenAI's API, as an engine uses it: its URL, its key, one request, and failures that say what helps."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from rtnb.errors import ConfigurationError
from rtnb.formatting import one_line
from rtnb.service.engines.base import EngineFailure
from rtnb.service.engines.endpoint_url import CHAT, SPEECH, EndpointKind, EndpointTimeouts, EndpointUrl, read_url
from rtnb.service.engines.http_reply import BrokenOff, InvalidAnswer, Reply, Silence, error_text

if TYPE_CHECKING:
    import httpx

__all__ = ["EndpointRefusal", "HttpEndpoint"]

_LARGEST_REFUSAL = 16_384  # bytes of a refusal that are read
_QUOTED = 300  # characters of an endpoint's own words that are passed on
_IDLE_CONNECTION = 3.0  # seconds; servers close an idle connection after 5 s and more


class EndpointRefusal(EngineFailure):
    """The endpoint answered with another status than 200.

    Attributes
    ----------
    status : int
    """

    def __init__(self, code: str, message: str, status: int) -> None:
        super().__init__(code, message)
        self.status = status


class HttpEndpoint:
    """One endpoint, for all sessions of a server.

    Parameters
    ----------
    kind : EndpointKind
    url : str
        Its root, its ``/v1``, or the whole path.
    model : str
        The model's name there.
    timeouts : EndpointTimeouts, optional
    environ : mapping, optional
        Where the key is looked up; the process's environment by default.

    Attributes
    ----------
    model : str
    name : str
        Of the engine: ``"chat llama3.2 at 127.0.0.1:11434"``.

    Raises
    ------
    ConfigurationError
        The URL cannot be used, the model has no name, or the key would travel unprotected.
    """

    def __init__(
        self,
        kind: EndpointKind,
        url: str,
        model: str,
        *,
        timeouts: EndpointTimeouts | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self._kind = kind
        self._url = read_url(url, kind)
        self.model = model.strip()
        if not self.model:
            raise ConfigurationError(f"A {kind.noun} endpoint needs the model's name too: {kind.option}-model NAME.")
        self.name = f"{kind.noun} {self.model} at {self._url.place}"
        self._timeouts = timeouts or EndpointTimeouts()
        self._key = (os.environ if environ is None else environ).get(kind.key_variable, "").strip()
        self._client: httpx.AsyncClient | None = None
        if not all(" " < char < "\x7f" for char in self._key):
            raise ConfigurationError(f"{kind.key_variable} holds characters that no key has: set it again.")
        if self._key and not self._url.secure and not self._url.nearby:
            raise ConfigurationError(
                f"{kind.key_variable} would be sent unprotected to {self._url.host}: use an https:// URL, or unset it."
            )

    def __repr__(self) -> str:
        return f"<HttpEndpoint {self.name}>"

    @contextlib.asynccontextmanager
    async def post(self, *, accept: str, **body: Any) -> AsyncIterator[Reply]:
        """Send a request; leaving the context ends it at once.

        Parameters
        ----------
        accept : str
            The content types that are understood.
        **body
            As httpx takes it: ``content=``, or ``data=`` and ``files=``.

        Raises
        ------
        EndpointRefusal
            Another status than 200.
        EngineFailure
            The endpoint cannot be reached, is silent, breaks off, or what it sent is refused with `InvalidAnswer`.
        """
        import httpx

        try:
            async with contextlib.AsyncExitStack() as open_response:
                yield await self._send(open_response, accept, body)
        except (
            httpx.HTTPError,
            httpx.StreamError,
            httpx.InvalidURL,
            OSError,
            Silence,
            BrokenOff,
            InvalidAnswer,
        ) as error:
            raise self._failure(error) from None

    async def close(self) -> None:
        """End all requests."""
        if self._client is not None:
            await self._client.aclose()

    async def _send(self, open_response: contextlib.AsyncExitStack, accept: str, body: dict[str, Any]) -> Reply:
        if self._client is None:
            self._client = _client(self._url, self._timeouts)
        headers = {"Accept": accept, "Accept-Encoding": "identity", "User-Agent": "rtnb"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        if "content" in body:
            headers["Content-Type"] = "application/json"
        try:
            async with asyncio.timeout(self._timeouts.first):
                response = await open_response.enter_async_context(
                    self._client.stream("POST", self._url.whole, headers=headers, **body)
                )
        except TimeoutError:
            raise Silence(f"no answer within {self._timeouts.first:g} seconds") from None
        reply = Reply(response, self._timeouts)
        if response.status_code != 200:
            raise self._refusal(response.status_code, await reply.whole(_LARGEST_REFUSAL))
        return reply

    def _quoted(self, text: str) -> str:
        """Shorten the endpoint's own words; a key that it repeats is left out."""
        return one_line(text.replace(self._key, "***") if self._key else text, _QUOTED)

    def _failure(self, error: Exception) -> EngineFailure:
        """Say what went wrong on the way, and what would help."""
        import httpx

        kind, where, quoted = self._kind, self._url.shown, self._quoted(str(error))
        untrusted = next((each for each in _causes(error) if isinstance(each, ssl.SSLCertVerificationError)), None)
        if untrusted is not None:
            what = "unreachable"
            message = (
                f"The certificate of {where} is not trusted here ({untrusted.verify_message}). "
                "Name its certificate in the environment variable SSL_CERT_FILE."
            )
        elif isinstance(error, httpx.ConnectTimeout):
            what, message = (
                "timeout",
                f"{where}: no connection within {self._timeouts.connect:g} seconds. Is it running?",
            )
        elif isinstance(error, Silence):
            what, message = "timeout", f"{where}: {error}. Is the model still loading, or too large for this computer?"
        elif isinstance(error, InvalidAnswer):
            what = "invalid_answer"
            message = (
                f"{where} sent no answer that can be read: {quoted}. It must be an OpenAI-compatible /v1{kind.path}."
            )
        elif isinstance(error, (httpx.ConnectError, httpx.ProxyError, httpx.UnsupportedProtocol, OSError)):
            what, start = "unreachable", " (for example `ollama serve`)" if kind is CHAT else ""
            message = (
                f"No {kind.noun} endpoint answers at {where} ({quoted}). Start it{start}, or correct {kind.option}."
            )
        else:
            what, ended = "connection_lost", quoted or "the connection ended"
            message = f"{where}: {ended}. Ask again; if it happens again, look at the endpoint's own log."
        return EngineFailure(f"{kind.noun}_{what}", message)

    def _refusal(self, status: int, body: bytes) -> EndpointRefusal:
        """Say why the endpoint refused, in its own words, and what would help."""
        try:
            said = error_text(json.loads(body))
        except (ValueError, RecursionError):
            said = body.decode("utf-8", "replace")
        what, advice = self._advice(status, said.lower())
        quoted = self._quoted(said)
        message = f"{self._url.shown} answered {status}{f': {quoted}' if quoted else ''}. {advice}"
        return EndpointRefusal(f"{self._kind.noun}_{what}", message, status)

    def _advice(self, status: int, said: str) -> tuple[str, str]:
        """Return what a refusal is, for its code, and what to do about it."""
        kind, model = self._kind, self.model
        match status:
            case _ if 300 <= status < 400:
                advice = "Redirects are not followed, because they would pass on the conversation and the key"
                return "redirect_refused", f"{advice}: give the final URL."
            case 401 | 403:
                return "unauthorized", f"{'Check' if self._key else 'Set'} the key in {kind.key_variable}."
            case 400 | 404 | 422 if kind is SPEECH and "voice" in said:
                return "voice_not_found", f"Name one of its voices with {kind.option}-voice."
            case 404 if "model" in said:
                pull = f" (for example `ollama pull {model}`)" if kind is CHAT else ""
                advice = f"Get the model {model!r} first{pull}, or name another with {kind.option}-model."
                return "model_not_found", advice
            case 404 | 405:
                return "not_found", f"There is no /v1{kind.path} at this address: correct {kind.option}."
            case 400 if kind is CHAT and "tool" in said:
                advice = f"The model {model!r} may not be able to call functions"
                return "tools_unsupported", f"{advice}: name another with {kind.option}-model, or take the tools out."
            case 429:
                return "rate_limited", "Wait a moment, and ask again."
            case _ if status >= 500:
                return "endpoint_failed", "Look at the endpoint's own log; is there enough memory for the model?"
        return "refused", "Correct what it names."


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and what it came of; httpx keeps the operating system's own error two causes deep."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


class _WithoutQuery(logging.Filter):
    """Takes the queries, which may hold keys, out of the URLs that httpx logs."""

    def filter(self, record: logging.LogRecord) -> bool:
        import httpx

        if isinstance(record.args, tuple):
            record.args = tuple(
                each.copy_with(query=None) if isinstance(each, httpx.URL) else each for each in record.args
            )
        return True


def _client(url: EndpointUrl, timeouts: EndpointTimeouts) -> httpx.AsyncClient:
    """Return a client that follows no redirects, and asks no proxy for what is near."""
    import httpx

    log = logging.getLogger("httpx")
    if not any(isinstance(each, _WithoutQuery) for each in log.filters):
        log.addFilter(_WithoutQuery())
    try:
        return httpx.AsyncClient(
            verify=ssl.create_default_context() if url.secure else False,
            trust_env=not url.nearby,
            follow_redirects=False,
            timeout=httpx.Timeout(None, connect=timeouts.connect),
            limits=httpx.Limits(max_connections=None, keepalive_expiry=_IDLE_CONNECTION),
        )
    except (ImportError, ValueError) as error:  # the environment names a proxy that httpx cannot use
        raise OSError(str(error)) from None
