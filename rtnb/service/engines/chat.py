"""The writer that asks a language model: any chat endpoint with OpenAI's API (Ollama, llama.cpp, vLLM …)."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator

from rtnb.service.engines.chat_messages import ChatAnswer, request_body
from rtnb.service.engines.endpoint_url import CHAT
from rtnb.service.engines.http_endpoint import HttpEndpoint
from rtnb.service.engines.http_reply import BrokenOff, event_data, read
from rtnb.service.engines.tasks import Call, Text, Write

__all__ = ["ChatWriter"]

_LARGEST_WHOLE = 8_000_000  # bytes of an answer that comes in one piece


class ChatWriter(HttpEndpoint):
    """Sends the conversation to a chat endpoint; gives its words as they come, then its function calls.

    The parameters are those of `HttpEndpoint`; a model must be named, and the key is that of ``RTNB_CHAT_API_KEY``.
    """

    kind = CHAT

    async def run(self, task: Write) -> AsyncGenerator[Text | Call, None]:
        """Write an answer. Closing the generator ends the request at once.

        Raises
        ------
        EngineFailure
            The endpoint cannot be reached, refuses, is silent, or breaks off; the message says what would help.
        """
        # json escapes lone surrogates, which cannot be written as UTF-8.
        body = json.dumps(request_body(task, self.model)).encode("ascii")
        answer = ChatAnswer()
        async with self.post("text/event-stream, application/json", content=body) as response:
            if whole := "application/json" in response.headers.get("content-type", "").lower():
                if text := answer.take((await read(response.aiter_bytes(), _LARGEST_WHOLE)).decode("utf-8", "replace")):
                    yield Text(text)
            else:
                async for data in event_data(response.aiter_bytes()):
                    if text := answer.take(data):
                        yield Text(text)
            if not (answer.finished or whole):
                raise BrokenOff("the answer broke off")
        if text := answer.rest():
            yield Text(text)
        for call in answer.calls():
            yield call
