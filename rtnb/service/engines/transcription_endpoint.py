"""The transcriber behind a URL: any endpoint with OpenAI's ``/v1/audio/transcriptions`` (speaches, LocalAI, whisper.cpp, a cloud)."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping
from typing import Any

import numpy as np

from rtnb.audio.samples import Samples
from rtnb.audio.wav import write_wav
from rtnb.protocol.catalog import ENDPOINT_TRANSCRIPTION_MODEL
from rtnb.service.engines.endpoint_url import TRANSCRIPTION, EndpointTimeouts
from rtnb.service.engines.http_endpoint import EndpointRefusal, HttpEndpoint
from rtnb.service.engines.http_reply import InvalidAnswer, Reply, json_object
from rtnb.service.engines.tasks import Transcribe, Transcript

__all__ = ["EndpointTranscriber"]

_SHORTEST_SECONDS = 0.1  # the API refuses less
_LARGEST_WHOLE = 8_000_000  # bytes
_MAY_REFUSE_STREAM = (400, 415, 422, 501)


class EndpointTranscriber:
    """Has each turn of the user transcribed by an endpoint: a WAV file is sent when the turn ends.

    The words are asked for as a stream; an endpoint that refuses this is asked for the whole text from then on.

    Parameters
    ----------
    url : str
        The endpoint: ``http://127.0.0.1:8000``, ``…/v1`` or ``…/v1/audio/transcriptions``.
    model : str, optional
        The model's name there.
    phrases : iterable of str
        Sentences that are likely; they are sent as the prompt, before the session's own.
    timeouts : EndpointTimeouts, optional
    environ : mapping, optional
        Where ``RTNB_TRANSCRIBE_API_KEY`` is looked up; the process's environment by default.

    Attributes
    ----------
    name : str
        ``"transcription whisper-1 at 127.0.0.1:8000"``.

    Raises
    ------
    ConfigurationError
        The URL cannot be used, or the key would travel unprotected.
    """

    def __init__(
        self,
        url: str,
        model: str | None = None,
        phrases: Iterable[str] = (),
        *,
        timeouts: EndpointTimeouts | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        model = model or ENDPOINT_TRANSCRIPTION_MODEL
        self._endpoint = HttpEndpoint(TRANSCRIPTION, url, model, timeouts=timeouts, environ=environ)
        self.name = self._endpoint.name
        self._phrases = " ".join(phrases)
        self._streams = True  # until the endpoint has refused it

    def __repr__(self) -> str:
        return f"<EndpointTranscriber {self.name}>"

    async def run(self, task: Transcribe, feed: AsyncIterator[Samples]) -> AsyncGenerator[Transcript, None]:
        """Write down a turn: the text as it comes, then the final one. Closing the generator ends the request at once.

        Raises
        ------
        EngineFailure
            The endpoint cannot be reached, refuses, is silent, breaks off, or sends no transcript.
        """
        sound = np.concatenate([np.zeros(0, np.int16), *[samples async for samples in feed]])
        if len(sound) < _SHORTEST_SECONDS * task.rate:
            yield Transcript("", final=True)
            return
        wav = write_wav(sound, task.rate)
        for stream in (True, False) if self._streams else (False,):
            try:
                async with contextlib.aclosing(self._ask(task, wav, stream=stream)) as transcripts:
                    async for transcript in transcripts:
                        yield transcript
            except EndpointRefusal as refusal:
                if not stream or refusal.status not in _MAY_REFUSE_STREAM:
                    raise
            else:
                self._streams = stream
                return

    async def close(self) -> None:
        """End all requests."""
        await self._endpoint.close()

    async def _ask(self, task: Transcribe, wav: bytes, *, stream: bool) -> AsyncGenerator[Transcript, None]:
        fields = {
            "model": self._endpoint.model,
            "response_format": "json",
            "language": (task.language or "").partition("-")[0],  # without its region, which few servers know
            "prompt": " ".join(filter(None, (self._phrases, task.prompt))),
            "stream": "true" if stream else "",
        }
        data = {name: value for name, value in fields.items() if value}
        file = {"file": ("speech.wav", wav, "audio/wav")}
        async with self._endpoint.post(accept="text/event-stream, application/json", data=data, files=file) as reply:
            if "text/event-stream" not in reply.content_type:
                yield Transcript(await _whole(reply), final=True)
                return
            text = ""
            async for event in reply.events():
                longer = _with_event(text, event)
                if longer is not None and longer != text:
                    text = longer
                    yield Transcript(text.strip(), final=False)
            yield Transcript(text.strip(), final=True)


async def _whole(reply: Reply) -> str:
    """Return the transcript of an answer in one piece: JSON, or the plain text itself."""
    body = await reply.whole(_LARGEST_WHOLE)
    if reply.content_type.startswith("text/plain") and not body.lstrip().startswith(b"{"):
        return body.decode("utf-8", "replace").strip()
    text = json_object(body).get("text")
    if not isinstance(text, str):
        raise InvalidAnswer("the JSON has no text")
    return text.strip()


def _with_event(text: str, data: str) -> str | None:
    """Return a transcript with an event added, in whichever of the usual forms it comes."""
    if data.strip() == "[DONE]":
        return None
    event: dict[str, Any] = json_object(data)
    match event:
        case {"type": "transcript.text.done", "text": str(whole)}:  # OpenAI, speaches
            return whole
        case {"type": "transcript.text.delta", "delta": str(delta)}:
            return text + delta
        case {"choices": [{"delta": {"content": str(delta)}}, *_]}:  # vLLM
            return text + delta
        case {"text": str(segment)} if "type" not in event:  # faster-whisper-server
            return f"{text} {segment}" if text and not segment[:1].isspace() else text + segment
    return None
