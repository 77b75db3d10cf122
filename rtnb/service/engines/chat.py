"""The writer that asks a model: any chat endpoint that speaks as OpenAI's does (Ollama, llama.cpp, vLLM …)."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from dataclasses import dataclass

from rtnb.audio.samples import Samples
from rtnb.errors import ConfigurationError
from rtnb.formatting import one_line
from rtnb.service.engines.base import EngineFailure
from rtnb.service.engines.chat_messages import chat_endpoint, request_body
from rtnb.service.engines.chat_stream import ChatAnswer, ChatError, EventLines, error_text
from rtnb.service.engines.http_stream import HttpError, HttpResponse, HttpTimeout, open_request, tls_context
from rtnb.service.engines.tasks import Call, Task, Text, Write

__all__ = ["KEY_VARIABLE", "ChatTimeouts", "ChatWriter"]

#: Environment variable of the key; endpoints on this computer need none.
KEY_VARIABLE = "RTNB_CHAT_API_KEY"

_LARGEST_ERROR = 16_384  # bytes of a refusal that are read
_LARGEST_WHOLE = 8_000_000  # bytes of an answer that comes in one piece
_TOLD = 300  # characters of an endpoint's own words that are passed on


@dataclass(frozen=True, slots=True)
class ChatTimeouts:
    """How long an endpoint may be silent, in seconds.

    Attributes
    ----------
    connect : float
        Until the connection stands.
    first : float
        Until the first word; a model may have to be loaded before it.
    idle : float
        Between any two pieces of an answer.
    """

    connect: float = 10.0
    first: float = 120.0
    idle: float = 30.0


class ChatWriter:
    """Hands the conversation to a chat endpoint, and gives back its words as they come, and its calls.

    Parameters
    ----------
    url : str
        The endpoint: ``http://127.0.0.1:11434``, ``…/v1`` or ``…/v1/chat/completions``.
    model : str
        The model's name there.
    timeouts : ChatTimeouts, optional
    environ : mapping, optional
        Where the key is looked up; the process's environment by default.

    Attributes
    ----------
    name : str
        ``"chat"`` and the endpoint's URL.

    Raises
    ------
    ConfigurationError
        The URL cannot be used, the model has no name, or the key would travel unprotected.
    """

    def __init__(
        self,
        url: str,
        model: str,
        *,
        timeouts: ChatTimeouts | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self._endpoint = chat_endpoint(url)
        if not model.strip():
            raise ConfigurationError("A chat endpoint needs the model's name too: --chat-model NAME.")
        self.name = f"chat {self._endpoint.url}"
        self._model = model.strip()
        self._timeouts = timeouts or ChatTimeouts()
        self._key = (os.environ if environ is None else environ).get(KEY_VARIABLE, "").strip()
        self._open: set[asyncio.StreamWriter] = set()
        self._tls: ssl.SSLContext | None = None
        if not all(" " < char < "\x7f" for char in self._key):
            raise ConfigurationError(f"{KEY_VARIABLE} holds characters that no key has: set it again.")
        if self._key and not self._endpoint.secure and not self._endpoint.nearby:
            raise ConfigurationError(
                f"{KEY_VARIABLE} would be sent unprotected to {self._endpoint.host}: use an https:// URL, or unset it."
            )

    def __repr__(self) -> str:
        return f"ChatWriter({self._endpoint.url!r}, {self._model!r})"

    async def run(self, task: Task, feed: AsyncIterator[Samples] | None = None) -> AsyncGenerator[Text | Call, None]:
        """Write an answer: its words as they come, then its calls. Closing the iterator ends the request at once.

        Raises
        ------
        EngineFailure
            The endpoint cannot be reached, refuses, is silent, or breaks off; the message says what would help.
        """
        if not isinstance(task, Write):
            raise EngineFailure(
                "unsupported_task", f"The {self.name} engine writes answers, and cannot do anything else."
            )
        writer: asyncio.StreamWriter | None = None
        try:
            response, writer = await open_request(
                self._connect,
                self._request(task),
                connect_timeout=self._timeouts.connect,
                first_timeout=self._timeouts.first,
                idle_timeout=self._timeouts.idle,
            )
            self._open.add(writer)
            if response.status != 200:
                raise await self._refused(response)
            answer = ChatAnswer()
            async with contextlib.aclosing(_texts(response, answer)) as texts:
                async for text in texts:
                    yield Text(text)
            for call in answer.calls():
                yield call
        except (HttpError, ChatError, OSError) as error:
            raise self._failure(error) from None
        finally:
            if writer is not None:
                self._open.discard(writer)
                writer.transport.abort()

    async def close(self) -> None:
        """End all requests."""
        for writer in tuple(self._open):
            writer.transport.abort()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        endpoint = self._endpoint
        if endpoint.secure and self._tls is None:
            self._tls = tls_context()
        return await asyncio.open_connection(endpoint.host, endpoint.port, ssl=self._tls)

    def _request(self, task: Write) -> bytes:
        # Lone surrogates cannot be written as UTF-8, and are escaped.
        body = json.dumps(request_body(task, self._model)).encode("ascii")
        key = f"Authorization: Bearer {self._key}\r\n" if self._key else ""
        head = (
            f"POST {self._endpoint.path} HTTP/1.1\r\nHost: {self._endpoint.authority}\r\n{key}"
            "Content-Type: application/json\r\nAccept: text/event-stream, application/json\r\n"
            f"Accept-Encoding: identity\r\nUser-Agent: rtnb\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode("ascii") + body

    def _told(self, text: str) -> str:
        """Shorten the endpoint's own words; a key that it repeats is left out."""
        return one_line(text.replace(self._key, "***") if self._key else text, _TOLD)

    def _failure(self, error: Exception) -> EngineFailure:
        """Say what went wrong on the way, and what would help."""
        where = self._endpoint.url
        match error:
            case HttpTimeout():
                code, message = (
                    "chat_timeout",
                    f"{where}: {error}. Is the model still loading, or too large for this computer?",
                )
            case HttpError():
                code, message = (
                    "chat_connection_lost",
                    f"{where}: {self._told(str(error))}. Ask again; if it happens again, look at the endpoint's own log.",
                )
            case ChatError():
                code, message = (
                    "chat_invalid_answer",
                    f"{where} sent no answer that can be read: {self._told(str(error))}. It must be an OpenAI-compatible /v1/chat/completions.",
                )
            case ssl.SSLCertVerificationError():
                code, message = (
                    "chat_unreachable",
                    f"The certificate of {where} is not trusted here ({error.verify_message}). Name its certificate in the environment variable SSL_CERT_FILE.",
                )
            case _:
                code, message = (
                    "chat_unreachable",
                    f"No chat endpoint answers at {where} ({self._told(str(error)) or type(error).__name__}). Start it (for example `ollama serve`), or correct --chat.",
                )
        return EngineFailure(code, message)

    async def _refused(self, response: HttpResponse) -> EngineFailure:
        """Say why an endpoint refused, in its own words, and what would help."""
        body = await _whole(response.body, _LARGEST_ERROR)
        try:
            said = error_text(json.loads(body))
        except (ValueError, RecursionError):
            said = body.decode("utf-8", "replace")
        code, advice = _advice(response.status, said.lower(), self._model, bool(self._key))
        told = self._told(said)
        return EngineFailure(
            code, f"{self._endpoint.url} answered {response.status}{f': {told}' if told else ''}. {advice}"
        )


async def _texts(response: HttpResponse, answer: ChatAnswer) -> AsyncGenerator[str, None]:
    """Yield the words of an answer as they come, whether it is streamed or not."""
    if "application/json" in response.headers.get("content-type", ""):
        if text := answer.take((await _whole(response.body, _LARGEST_WHOLE)).decode("utf-8", "replace")):
            yield text
    else:
        lines = EventLines()
        async with contextlib.aclosing(response.body) as body:
            async for piece in body:
                for data in lines.add(piece):
                    if text := answer.take(data):
                        yield text
        for data in lines.rest():
            if text := answer.take(data):
                yield text
        if not answer.finished:
            raise HttpError("the answer broke off")
    if text := answer.rest():
        yield text


async def _whole(body: AsyncGenerator[bytes, None], most: int) -> bytes:
    read = bytearray()
    async with contextlib.aclosing(body):
        async for piece in body:
            read += piece
            if len(read) > most:
                break
    return bytes(read[:most])


def _advice(status: int, said: str, model: str, key: bool) -> tuple[str, str]:
    """Return the code of a refusal, and what to do about it."""
    if 300 <= status < 400:
        return (
            "chat_redirect_refused",
            "Redirects are not followed, because they would pass on the conversation and the key: give the final URL.",
        )
    if status in (401, 403):
        return "chat_unauthorized", f"{'Check' if key else 'Set'} the key in {KEY_VARIABLE}."
    if status == 404 and "model" in said:
        return (
            "chat_model_not_found",
            f"Get the model {model!r} first (for example `ollama pull {model}`), or name another with --chat-model.",
        )
    if status == 404:
        return "chat_not_found", "There is no /v1/chat/completions at this address: correct --chat."
    if status == 400 and "tool" in said:
        return (
            "chat_tools_unsupported",
            f"The model {model!r} may not be able to call functions: name another with --chat-model, or take the tools out.",
        )
    if status == 429:
        return "chat_rate_limited", "Wait a moment, and ask again."
    if status >= 500:
        return "chat_endpoint_failed", "Look at the endpoint's own log; is there enough memory for the model?"
    return "chat_refused", "Correct what it names."
