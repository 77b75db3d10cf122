"""The writer that asks a language model: any chat endpoint with OpenAI's API (Ollama, llama.cpp, vLLM …)."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping

from rtnb.service.engines.chat_messages import ChatAnswer, request_body
from rtnb.service.engines.endpoint_url import CHAT, EndpointTimeouts
from rtnb.service.engines.http_endpoint import HttpEndpoint
from rtnb.service.engines.http_reply import BrokenOff, Reply
from rtnb.service.engines.tasks import Call, Text, Write

__all__ = ["ChatWriter"]

_LARGEST_WHOLE = 8_000_000  # bytes of an answer that comes in one piece


class ChatWriter:
    """Sends the conversation to a chat endpoint; gives its words as they come, then its function calls.

    Parameters
    ----------
    url : str
        The endpoint: ``http://127.0.0.1:11434``, ``…/v1`` or ``…/v1/chat/completions``.
    model : str
        The model's name there.
    timeouts : EndpointTimeouts, optional
    environ : mapping, optional
        Where ``RTNB_CHAT_API_KEY`` is looked up; the process's environment by default.

    Attributes
    ----------
    name : str
        ``"chat llama3.2 at 127.0.0.1:11434"``.

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
        timeouts: EndpointTimeouts | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self._endpoint = HttpEndpoint(CHAT, url, model, timeouts=timeouts, environ=environ)
        self.name = self._endpoint.name

    def __repr__(self) -> str:
        return f"<ChatWriter {self.name}>"

    async def run(self, task: Write) -> AsyncGenerator[Text | Call, None]:
        """Write an answer. Closing the generator ends the request at once.

        Raises
        ------
        EngineFailure
            The endpoint cannot be reached, refuses, is silent, or breaks off; the message says what would help.
        """
        # json escapes lone surrogates, which cannot be written as UTF-8.
        body = json.dumps(request_body(task, self._endpoint.model)).encode("ascii")
        answer = ChatAnswer()
        async with self._endpoint.post(accept="text/event-stream, application/json", content=body) as reply:
            async for data in _events(reply):
                if text := answer.take(data):
                    yield Text(text)
            if not (answer.finished or _is_whole(reply)):
                raise BrokenOff("the answer broke off")
        if text := answer.rest():
            yield Text(text)
        for call in answer.calls():
            yield call

    async def close(self) -> None:
        """End all requests."""
        await self._endpoint.close()


async def _events(reply: Reply) -> AsyncGenerator[str, None]:
    """Yield the JSON of an answer: its events, or the whole where it is not streamed."""
    if _is_whole(reply):
        yield (await reply.whole(_LARGEST_WHOLE)).decode("utf-8", "replace")
        return
    async for data in reply.events():
        yield data


def _is_whole(reply: Reply) -> bool:
    return "application/json" in reply.content_type
