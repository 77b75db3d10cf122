"""The voice behind a URL: any endpoint with OpenAI's ``/v1/audio/speech`` (speaches, LocalAI, Kokoro, a cloud)."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import AsyncGenerator, Mapping
from typing import Any

import numpy as np

from rtnb.audio.formats import PCM16
from rtnb.audio.resample import ResampleStream, resample
from rtnb.audio.samples import Samples, to_mono
from rtnb.audio.wav import is_wav, read_wav
from rtnb.errors import AudioError
from rtnb.protocol.catalog import ENDPOINT_SPEECH_MODEL
from rtnb.service.engines.base import EngineFailure
from rtnb.service.engines.endpoint_url import SPEECH, EndpointTimeouts
from rtnb.service.engines.http_endpoint import EndpointRefusal, HttpEndpoint
from rtnb.service.engines.http_reply import InvalidAnswer, Reply
from rtnb.service.engines.tasks import Say, SpokenWord
from rtnb.service.engines.word_spread import RATE, WordSpread, is_speakable, silent_word

__all__ = ["EndpointVoice"]

_LARGEST_WAV = 64_000_000  # bytes; 22 minutes at 24 kHz
_LARGEST_TEXT = 4_000
_WAV_HEAD = 12  # bytes that a WAV file is known by
_SLOWEST, _FASTEST = 0.25, 4.0  # what the API takes as speed
_RATE = re.compile(r"rate=(\d+)")
_RAW_TYPES = (
    "",
    "audio/pcm",
    "audio/l16",
    "audio/raw",
    "audio/x-raw",
    "application/octet-stream",
    "binary/octet-stream",
)
_COMPRESSED = (b"ID3", b"OggS", b"fLaC")


class EndpointVoice:
    """Has texts spoken by a speech endpoint; gives their words while the sound comes.

    Raw samples are asked for, which can be played as they come; where an endpoint has none, a WAV file, whole.

    Parameters
    ----------
    url : str
        The endpoint: ``http://127.0.0.1:8000``, ``…/v1`` or ``…/v1/audio/speech``.
    model : str, optional
        The model's name there.
    voice : str, optional
        The voice's name there, whatever the session's voice is called.
    timeouts : EndpointTimeouts, optional
    environ : mapping, optional
        Where ``RTNB_SPEAK_API_KEY`` is looked up; the process's environment by default.

    Attributes
    ----------
    name : str
        ``"speech tts-1 at 127.0.0.1:8000"``.

    Raises
    ------
    ConfigurationError
        The URL cannot be used, or the key would travel unprotected.
    """

    def __init__(
        self,
        url: str,
        model: str | None = None,
        voice: str | None = None,
        *,
        timeouts: EndpointTimeouts | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self._endpoint = HttpEndpoint(SPEECH, url, model or ENDPOINT_SPEECH_MODEL, timeouts=timeouts, environ=environ)
        self.name = self._endpoint.name
        self._voice = voice
        self._raw = True  # until the endpoint has shown that it gives no raw samples
        self._pace: dict[str, float] = {}  # seconds per letter of each voice, as last measured

    def __repr__(self) -> str:
        return f"<EndpointVoice {self.name}>"

    async def run(self, task: Say) -> AsyncGenerator[SpokenWord, None]:
        """Speak. Closing the generator ends the request at once.

        Raises
        ------
        EngineFailure
            The endpoint cannot be reached, refuses, is silent, breaks off, or sends no sound that can be read.
        """
        if not is_speakable(task.text):
            yield silent_word(task.text)
            return
        pace = self._pace.get(task.voice)
        spread = WordSpread(task.text, pace / task.speed) if pace else WordSpread(task.text)
        empty = True
        async with contextlib.aclosing(self._sound(task)) as sound:
            async for samples in sound:
                empty = empty and not len(samples)
                for word in spread.add(samples):
                    yield word
        if empty:
            raise EngineFailure(
                "speech_empty", f"The {self.name} endpoint answered without any sound; look at its log."
            )
        for word in spread.end():
            yield word
        self._pace[task.voice] = spread.seconds_per_letter * task.speed

    async def close(self) -> None:
        """End all requests."""
        await self._endpoint.close()

    async def _sound(self, task: Say) -> AsyncGenerator[Samples, None]:
        """Yield the sound at 24 kHz: raw samples as they come, or a WAV file where the endpoint gives no raw ones."""
        for wanted in ("pcm", "wav") if self._raw else ("wav",):
            try:
                async with contextlib.aclosing(self._ask(task, wanted)) as sound:
                    async for samples in sound:
                        yield samples
            except EngineFailure as failure:
                if wanted == "wav" or not _may_be_for_the_format(failure):
                    raise
            else:
                self._raw = wanted == "pcm"
                return

    async def _ask(self, task: Say, wanted: str) -> AsyncGenerator[Samples, None]:
        body: dict[str, Any] = {
            "model": self._endpoint.model,
            "input": task.text,
            "voice": self._voice or task.voice,
            "response_format": wanted,
        }
        if task.speed != 1.0:
            body["speed"] = min(max(task.speed, _SLOWEST), _FASTEST)
        content = json.dumps(body).encode("ascii")
        async with self._endpoint.post(accept="audio/*", content=content) as reply:
            pieces, head = reply.pieces(), bytearray()
            async for piece in pieces:
                head += piece
                if len(head) >= _WAV_HEAD:
                    break
            if is_wav(bytes(head[:_WAV_HEAD])):
                yield await _wav(head, pieces)
                return
            if wanted == "wav" or not _is_raw(reply, head):
                raise InvalidAnswer(await _unreadable(reply, head, pieces))
            async for samples in _raw(reply, head, pieces):
                yield samples


async def _raw(reply: Reply, head: bytearray, pieces: AsyncGenerator[bytes, None]) -> AsyncGenerator[Samples, None]:
    """Yield raw 16-bit samples as they come; their rate is 24 kHz where the content type does not say."""
    rate = _RATE.search(reply.content_type)
    resampled = ResampleStream(int(rate[1]) if rate else RATE, RATE)
    held = bytes(head)
    while True:
        whole = len(held) // 2 * 2
        yield resampled.push(PCM16.decode(held[:whole]))
        piece = await anext(pieces, b"")
        if not piece:
            yield resampled.push(np.zeros(0, np.int16), last=True)
            return
        held = held[whole:] + piece


async def _wav(head: bytearray, pieces: AsyncGenerator[bytes, None]) -> Samples:
    async for piece in pieces:
        head += piece
        if len(head) > _LARGEST_WAV:
            raise InvalidAnswer("a WAV file without end")
    try:
        samples, rate = read_wav(bytes(head))
        return resample(to_mono(samples), rate, RATE)
    except AudioError as error:
        raise InvalidAnswer(str(error)) from None


def _is_raw(reply: Reply, head: bytearray) -> bool:
    return reply.content_type.partition(";")[0].strip() in _RAW_TYPES and not head.startswith(_COMPRESSED)


async def _unreadable(reply: Reply, head: bytearray, pieces: AsyncGenerator[bytes, None]) -> str:
    """Say what came instead of sound: a text in its own words."""
    kind = reply.content_type.partition(";")[0].strip()
    if "json" not in kind and not kind.startswith("text/"):
        return f"{kind or 'something'} came, which is neither raw samples (pcm) nor a WAV file"
    async for piece in pieces:
        head += piece
        if len(head) > _LARGEST_TEXT:
            break
    return f"{kind} came instead of sound: {head.decode('utf-8', 'replace')}"


def _may_be_for_the_format(failure: EngineFailure) -> bool:
    """Tell whether an endpoint may have failed because it has no raw samples to give."""
    if isinstance(failure, EndpointRefusal):
        return failure.status in (400, 415, 422, 501) and failure.code != "speech_voice_not_found"
    return failure.code == "speech_invalid_answer"
