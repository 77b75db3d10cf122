"""What the engines behind HTTP endpoints share: a URL, a key, the request, and failures that say what helps."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import ssl
from collections.abc import AsyncIterator, Mapping
from typing import Any, ClassVar

import httpx

from rtnb.errors import ConfigurationError
from rtnb.formatting import one_line
from rtnb.service.engines.base import EngineFailure
from rtnb.service.engines.endpoint_url import CHAT, SPEECH, EndpointKind, read_url
from rtnb.service.engines.http_reply import BrokenOff, InvalidAnswer, error_text, read

__all__ = ["EndpointRefusal", "HttpEndpoint"]

_CONNECT_SECONDS = 10.0
_LARGEST_REFUSAL = 16_384  # bytes of a refusal that are read
_QUOTED = 300  # characters of an endpoint's own words that are passed on
_IDLE_CONNECTION = 3.0  # seconds; servers close an idle connection after 5 s and more


class EndpointRefusal(EngineFailure):
    """The endpoint answered with another status than 200, which is `status`."""

    def __init__(self, code: str, message: str, status: int) -> None:
        super().__init__(code, message)
        self.status = status


class HttpEndpoint:
    """An engine behind an endpoint with OpenAI's API, for all sessions of a server; what it does is in its subclasses.

    Parameters
    ----------
    url : str
        Of the endpoint: its root (``http://127.0.0.1:11434``), its ``/v1``, or the whole path.
    model : str, optional
        The model's name there.
    silence : float
        Seconds that the endpoint may take for the first or the next piece of an answer; a model may have to be loaded.
    environ : mapping, optional
        Where the key is looked up; the process's environment by default.

    Attributes
    ----------
    name : str
        ``"chat llama3.2 at 127.0.0.1:11434"``.

    Raises
    ------
    ConfigurationError
        The URL cannot be used, the model has no name, or the key would travel unprotected.
    """

    kind: ClassVar[EndpointKind]

    def __init__(
        self, url: str, model: str | None = None, *, silence: float = 120.0, environ: Mapping[str, str] | None = None
    ) -> None:
        kind, self._url, self._silence = self.kind, read_url(url, self.kind), silence
        self.model = (model or kind.model).strip()
        if not self.model:
            raise ConfigurationError(f"A {kind.noun} endpoint needs the model's name too: {kind.option}-model NAME.")
        self.name = f"{kind.noun} {self.model} at {self._url.place}"
        self._key = (os.environ if environ is None else environ).get(kind.key_variable, "").strip()
        if not all(" " < char < "\x7f" for char in self._key):
            raise ConfigurationError(f"{kind.key_variable} holds characters that no key has: set it again.")
        if self._key and not self._url.secure and not self._url.nearby:
            raise ConfigurationError(
                f"{kind.key_variable} would be sent unprotected to {self._url.host}: use an https:// URL, or unset it."
            )
        logging.getLogger("httpx").addFilter(_without_query)
        try:
            self._client = httpx.AsyncClient(
                verify=ssl.create_default_context() if self._url.secure else False,
                trust_env=not self._url.nearby,  # a proxy of the environment is not asked for what is near
                timeout=httpx.Timeout(None, connect=_CONNECT_SECONDS, read=silence),
                limits=httpx.Limits(max_connections=None, keepalive_expiry=_IDLE_CONNECTION),
            )
        except (ImportError, ValueError, OSError) as error:
            raise ConfigurationError(f"The proxy or certificate of the environment cannot be used: {error}") from None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"

    async def close(self) -> None:
        """End all requests."""
        await self._client.aclose()

    @contextlib.asynccontextmanager
    async def post(self, accept: str, **body: Any) -> AsyncIterator[httpx.Response]:
        """Send a request; give the answer, whose body is still coming. Leaving the context ends the request at once.

        Parameters
        ----------
        accept : str
            The content types that are understood.
        **body
            As httpx takes it: ``content=``, or ``data=`` and ``files=``.

        Raises
        ------
        EndpointRefusal
            The status is not 200.
        EngineFailure
            The endpoint cannot be reached, is silent, or breaks off; so too where `InvalidAnswer` or `BrokenOff` is
            raised inside the context.
        """
        headers = {"Accept": accept, "Accept-Encoding": "identity", "User-Agent": "rtnb"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        if "content" in body:
            headers["Content-Type"] = "application/json"
        try:
            async with self._client.stream("POST", self._url.whole, headers=headers, **body) as response:
                if response.status_code != 200:
                    said = await read(response.aiter_bytes(), _LARGEST_REFUSAL)
                    raise self._refusal(response.status_code, said[:_LARGEST_REFUSAL])
                yield response
        except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, OSError, BrokenOff, InvalidAnswer) as error:
            raise self._failure(error) from None

    def _quoted(self, text: str) -> str:
        """Shorten the endpoint's own words; a key that it repeats is left out."""
        return one_line(text.replace(self._key, "***") if self._key else text, _QUOTED)

    def _failure(self, error: Exception) -> EngineFailure:
        """Say what went wrong on the way, and what would help."""
        kind, where, quoted = self.kind, self._url.shown, self._quoted(str(error))
        if untrusted := _untrusted(error):
            what = "unreachable"
            message = (
                f"The certificate of {where} is not trusted here ({untrusted.verify_message}). "
                "Name its certificate in the environment variable SSL_CERT_FILE."
            )
        elif isinstance(error, httpx.ConnectTimeout):
            what, message = "timeout", f"{where}: no connection within {_CONNECT_SECONDS:g} seconds. Is it running?"
        elif isinstance(error, httpx.TimeoutException):
            reason = f"nothing came within {self._silence:g} seconds"
            what, message = "timeout", f"{where}: {reason}. Is the model still loading, or too large for this computer?"
        elif isinstance(error, InvalidAnswer):
            needed = f"It must be an OpenAI-compatible /v1{kind.path}."
            what, message = "invalid_answer", f"{where} sent no answer that can be read: {quoted}. {needed}"
        elif isinstance(error, (httpx.ConnectError, httpx.ProxyError, httpx.UnsupportedProtocol, OSError)):
            start = " (for example `ollama serve`)" if kind is CHAT else ""
            what = "unreachable"
            message = f"No {kind.noun} endpoint answers at {where} ({quoted}). Start it{start}, or correct {kind.option}."  # fmt: skip
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
        return EndpointRefusal(f"{self.kind.noun}_{what}", message, status)

    def _advice(self, status: int, said: str) -> tuple[str, str]:
        """Return what a refusal is, for its code, and what to do about it."""
        kind, model = self.kind, self.model
        match status:
            case _ if 300 <= status < 400:
                return "redirect_refused", "Redirects are not followed, because they would pass on the key: give the final URL."  # fmt: skip
            case 401 | 403:
                return "unauthorized", f"{'Check' if self._key else 'Set'} the key in {kind.key_variable}."
            case 400 | 404 | 422 if kind is SPEECH and "voice" in said:
                return "voice_not_found", f"Name one of its voices with {kind.option}-voice."
            case 404 if "model" in said:
                pull = f" (for example `ollama pull {model}`)" if kind is CHAT else ""
                return "model_not_found", f"Get the model {model!r} first{pull}, or name another with {kind.option}-model."  # fmt: skip
            case 404 | 405:
                return "not_found", f"There is no /v1{kind.path} at this address: correct {kind.option}."
            case 400 if kind is CHAT and "tool" in said:
                return "tools_unsupported", f"The model {model!r} may not be able to call functions: name another with {kind.option}-model."  # fmt: skip
            case 429:
                return "rate_limited", "Wait a moment, and ask again."
            case _ if status >= 500:
                return "endpoint_failed", "Look at the endpoint's own log; is there enough memory for the model?"
        return "refused", "Correct what it names."


def _untrusted(error: BaseException | None) -> ssl.SSLCertVerificationError | None:
    """Return the reason why a certificate was refused, which httpx keeps two causes deep."""
    while error is not None and not isinstance(error, ssl.SSLCertVerificationError):
        error = error.__cause__ or error.__context__
    return error


def _without_query(record: logging.LogRecord) -> bool:
    """Take the queries, which may hold keys, out of the URLs that httpx logs."""
    if isinstance(record.args, tuple):
        record.args = tuple(each.copy_with(query=None) if isinstance(each, httpx.URL) else each for each in record.args)
    return True
