from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest
from stand_in_endpoints import Endpoint, Start, reply

from rtnb.audio.samples import Samples
from rtnb.audio.wav import read_wav
from rtnb.service.engines.base import EngineFailure
from rtnb.service.engines.tasks import Transcribe, Transcript
from rtnb.service.engines.transcription_endpoint import EndpointTranscriber

KEY = "sk-secret-0123456789"
TONE = (8_000 * np.sin(np.arange(12_000) / 17)).astype(np.int16)


async def fed(*pieces: Samples) -> AsyncIterator[Samples]:
    for piece in pieces:
        yield piece


def transcriber_at(
    made: Endpoint, key: str = "", phrases: tuple[str, ...] = (), model: str | None = None, **silence: float
) -> Any:
    environ = {"RTNB_TRANSCRIBE_API_KEY": key}
    return EndpointTranscriber(made.url, model, phrases, **silence, environ=environ)


async def heard(made: Endpoint, task: Transcribe | None = None, **options: Any) -> list[Transcript]:
    transcriber = transcriber_at(made, **options)
    return [
        each async for each in transcriber.run(task or Transcribe(None, "", 24_000), fed(TONE[:5_000], TONE[5_000:]))
    ]


def events(*data: Any) -> bytes:
    said = "".join(f"data: {each if isinstance(each, str) else json.dumps(each)}\n\n" for each in data)
    return reply(said, "text/event-stream; charset=utf-8")


def form(body: bytes) -> dict[str, bytes]:
    """Read a multipart body: name and content of each part."""
    mark = body.partition(b"\r\n")[0]
    parts = [part.partition(b"\r\n\r\n") for part in body.split(mark)[1:-1]]
    return {head.partition(b'name="')[2].partition(b'"')[0].decode(): content[:-2] for head, _, content in parts}


async def test_a_turn_is_sent_as_a_wav(endpoint: Start) -> None:
    """The request is OpenAI's form: the turn's samples as they were fed, model, language without region, likely words."""
    made = await endpoint(reply('{"text": " What is that? "}'))
    task = Transcribe("de-DE", "Fledermaus", 8_000)
    assert await heard(made, task, key=KEY, phrases=("Open the door.",), model="small") == [
        Transcript("What is that?", True)
    ]
    sent = form(made.bodies[0])
    samples, rate = read_wav(sent.pop("file"))
    assert rate == 8_000
    assert np.array_equal(samples[:, 0], TONE)
    assert sent == {
        "model": b"small", "language": b"de", "prompt": b"Open the door. Fledermaus", "response_format": b"json", "stream": b"true",
    }  # fmt: skip
    assert made.heads[0].startswith("POST /v1/audio/transcriptions HTTP/1.1\r\n")
    assert f"Authorization: Bearer {KEY}\r\n" in made.heads[0]


@pytest.mark.parametrize(
    "streamed",
    [
        [{"type": "transcript.text.delta", "delta": "Good"}, {"type": "transcript.text.delta", "delta": " day."}, {"type": "transcript.text.done", "text": "Good day."}],
        [{"choices": [{"delta": {"content": " Good"}}]}, {"choices": [{"delta": {"content": " day."}, "finish_reason": "stop"}]}, {"choices": []}, "[DONE]"],
        [{"text": "Good"}, {"text": "day."}],
        [{"type": "transcript.text.delta", "delta": "Good"}, {"type": "transcript.text.segment", "text": "?"}, {"type": "transcript.text.done", "text": "Good day."}, "[DONE]"],
    ],
)  # fmt: skip
async def test_a_streamed_transcript_is_put_together(endpoint: Start, streamed: list[Any]) -> None:
    """The streams of OpenAI, vLLM and faster-whisper-server give the text as it comes, and the final one."""
    found = await heard(await endpoint(events(*streamed)))
    assert found[0] == Transcript("Good", False)
    assert found[-1] == Transcript("Good day.", True)
    assert [each.final for each in found].count(True) == 1


async def test_an_endpoint_that_does_not_stream_is_asked_without(endpoint: Start) -> None:
    """A refusal of the stream is followed by a request without it; from then on nothing is streamed."""
    made = await endpoint(reply('{"error": "unknown field stream"}', status=422), reply('{"text": "Yes."}'))
    transcriber = transcriber_at(made)
    for _ in range(2):
        found = [each async for each in transcriber.run(Transcribe(None, "", 24_000), fed(TONE))]
        assert found == [Transcript("Yes.", True)]
    assert ["stream" in form(body) for body in made.bodies] == [True, False, False]


async def test_plain_text_is_taken_too(endpoint: Start) -> None:
    """Some servers send the text itself."""
    assert await heard(await endpoint(reply("Yes.\n", "text/plain"))) == [Transcript("Yes.", True)]
    assert await heard(await endpoint(reply('{"text": ""}', "text/plain"))) == [Transcript("", True)]


async def test_a_click_is_not_sent(endpoint: Start) -> None:
    """Less than a tenth of a second, which the API refuses, holds no words."""
    made = await endpoint(reply("", status=500))
    found = [each async for each in transcriber_at(made).run(Transcribe(None, "", 24_000), fed(TONE[:2_000]))]
    assert found == [Transcript("", True)]
    assert made.heads == []


@pytest.mark.parametrize(
    ("answer", "code", "help"),
    [
        (reply('{"error": {"message": "model tiny not found"}}', status=404), "transcription_model_not_found", "--transcribe-model"),
        (reply("", status=405), "transcription_not_found", "/v1/audio/transcriptions"),
        (reply(f'{{"error": "bad key {KEY}"}}', status=401), "transcription_unauthorized", "RTNB_TRANSCRIBE_API_KEY"),
        (reply('{"error": "crash"}', status=500), "transcription_endpoint_failed", "crash"),
        (reply("{oops"), "transcription_invalid_answer", "not JSON"),
        (reply("[1]"), "transcription_invalid_answer", "not a JSON object"),
        (reply('{"words": []}'), "transcription_invalid_answer", "no text"),
        (reply('{"text": 5}'), "transcription_invalid_answer", "no text"),
        (events({"error": {"message": "no memory"}}), "transcription_invalid_answer", "no memory"),
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 500\r\n\r\ndata: {}\n\n", "transcription_connection_lost", "Ask again"),
    ],
)  # fmt: skip
async def test_what_goes_wrong_is_said_with_what_helps(endpoint: Start, answer: bytes, code: str, help: str) -> None:
    """Each way to fail has its code and the next step; the key is in none of them."""
    with pytest.raises(EngineFailure) as caught:
        await heard(await endpoint(answer), key=KEY)
    assert caught.value.code == code
    assert help in caught.value.message
    assert KEY not in f"{caught.value!r} {caught.value}"


async def test_silence_has_an_end(endpoint: Start) -> None:
    """An endpoint that never answers is given up."""
    with pytest.raises(EngineFailure) as caught:
        await heard(await endpoint(b"", stays_open=True), silence=0.05)
    assert caught.value.code == "transcription_timeout"
