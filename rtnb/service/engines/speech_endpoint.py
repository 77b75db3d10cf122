"""The voice behind a URL: any endpoint with OpenAI's ``/v1/audio/speech`` (speaches, LocalAI, Kokoro, a cloud)."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import numpy as np

from rtnb.audio.formats import PCM16
from rtnb.audio.resample import ResampleStream, resample
from rtnb.audio.samples import Samples, to_mono
from rtnb.audio.wav import is_wav, read_wav
from rtnb.errors import AudioError
from rtnb.service.engines.base import EngineFailure
from rtnb.service.engines.endpoint_url import SPEECH
from rtnb.service.engines.http_endpoint import EndpointRefusal, HttpEndpoint
from rtnb.service.engines.http_reply import InvalidAnswer, read
from rtnb.service.engines.tasks import Say, SpokenWord
from rtnb.service.engines.word_spread import RATE, WordSpread, is_speakable, silent_word

__all__ = ["EndpointVoice"]

_LARGEST_WAV = 64_000_000  # bytes; 22 minutes at 24 kHz
_LARGEST_TEXT = 4_000
_WAV_HEAD = 12  # bytes that a WAV file is known by
_SLOWEST, _FASTEST = 0.25, 4.0  # what the API takes as speed
_RATE = re.compile(r"rate=(\d+)")
_RAW_TYPE = re.compile(r"(?:audio/(?:pcm|l16|raw|x-raw)|(?:application|binary)/octet-stream|)(?:;|\s|$)")
_COMPRESSED = (b"ID3", b"OggS", b"fLaC")


class EndpointVoice(HttpEndpoint):
    """Has texts spoken by a speech endpoint; gives their words while the sound comes.

    Raw samples are asked for, which can be played as they come; where an endpoint has none, a WAV file, whole. The
    parameters are those of `HttpEndpoint`, with the key of ``RTNB_SPEAK_API_KEY``, and one more.

    Parameters
    ----------
    voice : str, optional
        The voice's name at the endpoint, whatever the session's voice is called.
    """

    kind = SPEECH

    def __init__(self, url: str, model: str | None = None, voice: str | None = None, **options: Any) -> None:
        super().__init__(url, model, **options)
        self._voice = voice
        self._raw = True  # until the endpoint has shown that it gives no raw samples
        self._pace: dict[str, float] = {}  # seconds per letter of each voice, as last measured

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
        async with contextlib.aclosing(self._sound(task)) as sound:
            async for samples in sound:
                for word in spread.add(samples):
                    yield word
        if not spread.seconds_per_letter:
            raise EngineFailure("speech_empty", f"The {self.name} endpoint answered without any sound; look at its log.")  # fmt: skip
        for word in spread.end():
            yield word
        self._pace[task.voice] = spread.seconds_per_letter * task.speed

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
        voice = self._voice or task.voice
        body: dict[str, Any] = {"model": self.model, "input": task.text, "voice": voice, "response_format": wanted}
        if task.speed != 1.0:
            body["speed"] = min(max(task.speed, _SLOWEST), _FASTEST)
        async with self.post("audio/*", content=json.dumps(body).encode("ascii")) as response:
            content_type = response.headers.get("content-type", "").lower()
            pieces = response.aiter_bytes()
            head = await read(pieces, _WAV_HEAD)
            if is_wav(head[:_WAV_HEAD]):
                yield _from_wav(head + await read(pieces, _LARGEST_WAV))
                return
            if wanted == "wav" or not _RAW_TYPE.match(content_type) or head.startswith(_COMPRESSED):
                raise InvalidAnswer(await _unreadable(content_type, head, pieces))
            rate = _RATE.search(content_type)
            resampled = ResampleStream(int(rate[1]) if rate else RATE, RATE)
            while True:
                whole = len(head) // 2 * 2
                yield resampled.push(PCM16.decode(head[:whole]))
                if not (piece := await anext(pieces, b"")):
                    break
                head = head[whole:] + piece
            yield resampled.push(np.zeros(0, np.int16), last=True)


def _from_wav(data: bytes) -> Samples:
    if len(data) >= _LARGEST_WAV:
        raise InvalidAnswer("a WAV file without end")
    try:
        samples, rate = read_wav(data)
        return resample(to_mono(samples), rate, RATE)
    except AudioError as error:
        raise InvalidAnswer(str(error)) from None


async def _unreadable(content_type: str, head: bytes, pieces: AsyncIterator[bytes]) -> str:
    """Say what came instead of sound: a text in its own words."""
    kind = content_type.partition(";")[0].strip()
    if "json" not in kind and not kind.startswith("text/"):
        return f"{kind or 'something'} came, which is neither raw samples (pcm) nor a WAV file"
    text = head + await read(pieces, _LARGEST_TEXT)
    return f"{kind} came instead of sound: {text.decode('utf-8', 'replace')}"


def _may_be_for_the_format(failure: EngineFailure) -> bool:
    """Return whether an endpoint may have failed because it has no raw samples to give."""
    if isinstance(failure, EndpointRefusal):
        return failure.status in (400, 415, 422, 501) and failure.code != "speech_voice_not_found"
    return failure.code == "speech_invalid_answer"
