"""The transcriber behind a URL: any endpoint with OpenAI's ``/v1/audio/transcriptions`` (speaches, LocalAI, whisper.cpp, a cloud)."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from typing import Any

import numpy as np

from rtnb.audio.samples import Samples
from rtnb.audio.wav import write_wav
from rtnb.service.engines.endpoint_url import TRANSCRIPTION
from rtnb.service.engines.http_endpoint import EndpointRefusal, HttpEndpoint
from rtnb.service.engines.http_reply import InvalidAnswer, event_data, json_object, read
from rtnb.service.engines.tasks import Transcribe, Transcript

__all__ = ["EndpointTranscriber"]

_SHORTEST_SECONDS = 0.1  # the API refuses less
_LARGEST_WHOLE = 8_000_000  # bytes
_MAY_REFUSE_STREAM = (400, 415, 422, 501)


class EndpointTranscriber(HttpEndpoint):
    """Has each turn of the user transcribed by an endpoint: a WAV file is sent when the turn ends.

    The words are asked for as a stream; an endpoint that refuses this is asked for the whole text from then on. The
    parameters are those of `HttpEndpoint`, with the key of ``RTNB_TRANSCRIBE_API_KEY``, and one more.

    Parameters
    ----------
    phrases : iterable of str
        Sentences that are likely; they are sent as the prompt, before the session's own.
    """

    kind = TRANSCRIPTION

    def __init__(self, url: str, model: str | None = None, phrases: Iterable[str] = (), **options: Any) -> None:
        super().__init__(url, model, **options)
        self._phrases = " ".join(phrases)
        self._streams = True  # until the endpoint has refused it

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

    async def _ask(self, task: Transcribe, wav: bytes, *, stream: bool) -> AsyncGenerator[Transcript, None]:
        fields = {
            "model": self.model,
            "response_format": "json",
            "language": (task.language or "").partition("-")[0],  # without its region, which few servers know
            "prompt": " ".join(filter(None, (self._phrases, task.prompt))),
            "stream": "true" if stream else "",
        }
        data = {name: value for name, value in fields.items() if value}
        file = {"file": ("speech.wav", wav, "audio/wav")}
        async with self.post("text/event-stream, application/json", data=data, files=file) as response:
            content_type = response.headers.get("content-type", "").lower()
            if "text/event-stream" not in content_type:
                text = _text_of(await read(response.aiter_bytes(), _LARGEST_WHOLE), content_type)
            else:
                text = ""
                async for event in event_data(response.aiter_bytes()):
                    if (longer := _with_event(text, event)) != text:
                        text = longer
                        yield Transcript(text.strip(), final=False)
        yield Transcript(text.strip(), final=True)


def _text_of(body: bytes, content_type: str) -> str:
    """Return the transcript of an answer in one piece: JSON, or the plain text itself."""
    if content_type.startswith("text/plain") and not body.lstrip().startswith(b"{"):
        return body.decode("utf-8", "replace")
    text = json_object(body).get("text")
    if not isinstance(text, str):
        raise InvalidAnswer("the JSON has no text")
    return text


def _with_event(text: str, data: str) -> str:
    """Return a transcript with an event added, in whichever of the usual forms it comes."""
    match event := {} if data.strip() == "[DONE]" else json_object(data):
        case {"type": "transcript.text.done", "text": str(whole)}:  # OpenAI, speaches
            return whole
        case {"type": "transcript.text.delta", "delta": str(delta)}:
            return text + delta
        case {"choices": [{"delta": {"content": str(delta)}}, *_]}:  # vLLM
            return text + delta
        case {"text": str(segment)} if "type" not in event:  # faster-whisper-server
            return f"{text} {segment}" if text and not segment[:1].isspace() else text + segment
    return text
