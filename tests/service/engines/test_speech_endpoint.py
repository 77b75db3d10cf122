from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing
from typing import Any

import numpy as np
import pytest
from speaking import say, seconds_of, sound_of, text_of
from stand_in_endpoints import Endpoint, Start, reply

from rtnb.audio.wav import write_wav
from rtnb.service.engines.base import EngineFailure
from rtnb.service.engines.speech_endpoint import EndpointVoice
from rtnb.service.engines.tasks import Say, SpokenWord

KEY = "sk-secret-0123456789"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: audio/pcm\r\n"
TONE = (8_000 * np.sin(np.arange(24_000) / 17)).astype(np.int16)


def voice_at(
    made: Endpoint, model: str | None = None, voice: str | None = None, key: str = "", **silence: float
) -> Any:
    return EndpointVoice(made.url, model, voice, **silence, environ={"RTNB_SPEAK_API_KEY": key})


async def spoken(made: Endpoint, task: Say | None = None, **options: Any) -> list[SpokenWord]:
    return [word async for word in voice_at(made, **options).run(task or say("Hello there, my friend."))]


async def failure(made: Endpoint, **options: Any) -> EngineFailure:
    with pytest.raises(EngineFailure) as caught:
        await spoken(made, **options)
    assert KEY not in f"{caught.value!r} {caught.value}"
    return caught.value


async def test_raw_samples_are_spoken(endpoint: Start) -> None:
    """The request is OpenAI's, and the samples come out unchanged, with the text spread over them."""
    made = await endpoint(reply(TONE.tobytes(), "audio/pcm"))
    words = await spoken(made, say("Hello there, my friend.", "coral", speed=1.25), model="kokoro", key=KEY)
    assert text_of(words) == "Hello there, my friend."
    assert len(words) == 4
    assert np.array_equal(sound_of(words), TONE)
    assert made.heads[0].startswith("POST /v1/audio/speech HTTP/1.1\r\n")
    assert f"Authorization: Bearer {KEY}\r\n" in made.heads[0]
    assert made.asked == [
        {
            "model": "kokoro",
            "input": "Hello there, my friend.",
            "voice": "coral",
            "response_format": "pcm",
            "speed": 1.25,
        }
    ]


async def test_defaults_are_those_that_servers_know(endpoint: Start) -> None:
    """Without a model's name it is tts-1; normal speed is not mentioned; a voice of the endpoint replaces the session's."""
    made = await endpoint(reply(TONE.tobytes(), "audio/pcm"))
    await spoken(made, say("Hello"), voice="af_heart")
    assert made.asked == [{"model": "tts-1", "input": "Hello", "voice": "af_heart", "response_format": "pcm"}]


async def test_words_come_while_the_endpoint_still_speaks(endpoint: Start) -> None:
    """The first word is there before the last sample was sent, wherever the stream is cut, in the middle of a sample too."""
    go_on, sound = asyncio.Event(), TONE.tobytes()

    async def slowly(writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
        for start in range(0, len(sound), 3_001):
            part = sound[start : start + 3_001]
            writer.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")
            await writer.drain()
            if start > 36_000:
                await go_on.wait()
        writer.write(b"0\r\n\r\n")

    made = await endpoint(slowly)
    run = voice_at(made).run(say("Hello there, my friend."))
    words = [await anext(run)]
    go_on.set()
    words += [word async for word in run]
    assert np.array_equal(sound_of(words), TONE)
    assert words[0].text == "Hello"


@pytest.mark.parametrize(("content_type", "rate"), [("audio/pcm; rate=48000", 48_000), ("audio/L16;rate=8000", 8_000)])
async def test_another_rate_is_resampled(endpoint: Start, content_type: str, rate: int) -> None:
    """Where the content type names a rate, the sound has its true length and pitch."""
    words = await spoken(await endpoint(reply(np.zeros(rate, "<i2").tobytes(), content_type)))
    assert seconds_of(words) == pytest.approx(1.0, abs=0.001)


@pytest.mark.parametrize("rate", [24_000, 22_050, 44_100])
@pytest.mark.parametrize(
    "first",
    [
        reply('{"error": {"message": "response_format must be wav"}}', status=400),
        reply('{"detail": "unsupported"}', status=422),
        reply(b"ID3....", "audio/mpeg"),
        reply(b"\xff\xfbmp3", "audio/mpeg"),
        reply(b"OggS....", "audio/pcm"),
    ],
)
async def test_where_there_are_no_raw_samples_a_wav_is_asked_for(endpoint: Start, first: bytes, rate: int) -> None:
    """An endpoint that refuses pcm, or sends something else, is asked for WAV; the next time at once."""
    wav = write_wav(np.stack([np.zeros(rate, np.int16)] * 2, axis=1), rate)
    made = await endpoint(first, reply(wav, "audio/wav"))
    voice = voice_at(made)
    for _ in range(2):
        words = [word async for word in voice.run(say("Hello there."))]
        assert seconds_of(words) == pytest.approx(1.0, abs=0.001)
        assert text_of(words) == "Hello there."
    assert [asked["response_format"] for asked in made.asked] == ["pcm", "wav", "wav"]


async def test_a_wav_where_raw_samples_were_asked_for(endpoint: Start) -> None:
    """A server that always sends WAV is understood at once, whatever it calls it; its header is not heard."""
    made = await endpoint(reply(write_wav(TONE, 24_000), "application/octet-stream"))
    assert np.array_equal(sound_of(await spoken(made)), TONE)
    assert len(made.heads) == 1


@pytest.mark.parametrize(
    ("answer", "code", "help"),
    [
        (reply('{"error": {"message": "no such voice: alloy"}}', status=400), "speech_voice_not_found", "--speak-voice"),
        (reply('{"detail": "Model x is not installed"}', status=404), "speech_model_not_found", "--speak-model"),
        (reply("not found", "text/plain", 404), "speech_not_found", "/v1/audio/speech"),
        (reply(f'{{"error": "bad key {KEY}"}}', status=401), "speech_unauthorized", "RTNB_SPEAK_API_KEY"),
        (reply("", "text/plain", 500), "speech_endpoint_failed", "log"),
        (reply(b"", "audio/pcm"), "speech_empty", "without any sound"),
        (reply(b"ID3", "audio/mpeg"), "speech_invalid_answer", "neither raw samples"),
        (reply("<html>", "text/html"), "speech_invalid_answer", "<html>"),
        (reply('{"error": "out of memory"}'), "speech_invalid_answer", "out of memory"),
        (reply(b"RIFF\x10\x00\x00\x00WAVEfmt ", "audio/wav"), "speech_invalid_answer", "WAV"),
        (HEAD + b"Content-Length: 99999\r\n\r\n" + TONE[:100].tobytes(), "speech_connection_lost", "Ask again"),
        (b"SSH-2.0\r\n", "speech_connection_lost", "Ask again"),
        (b"HTTP/1.1 302 X\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", "speech_redirect_refused", "final URL"),
    ],
)  # fmt: skip
async def test_what_goes_wrong_is_said_with_what_helps(endpoint: Start, answer: bytes, code: str, help: str) -> None:
    """Each way to fail has its code and the next step; the key is in none of them."""
    failed = await failure(await endpoint(answer), key=KEY)
    assert failed.code == code
    assert help in failed.message


@pytest.mark.parametrize("begun", [False, True])
async def test_silence_has_an_end(endpoint: Start, begun: bool) -> None:
    """An endpoint that never begins, or stops in the middle, is given up."""
    said = HEAD + b"Content-Length: 9999\r\n\r\n" + TONE[:100].tobytes() if begun else b""
    assert (await failure(await endpoint(said, stays_open=True), silence=0.05)).code == "speech_timeout"


async def test_closing_ends_the_request_at_once(endpoint: Start) -> None:
    """A response that is cancelled ends the request: the endpoint sees the connection go."""
    made = await endpoint(HEAD + b"Content-Length: 999999\r\n\r\n" + TONE.tobytes(), stays_open=True)
    run = voice_at(made).run(say("Hello there, my friend."))
    async with aclosing(run):
        assert (await anext(run)).text == "Hello"
    async with asyncio.timeout(10):
        await made.gone.wait()


async def test_a_text_without_words_is_not_asked_for(endpoint: Start) -> None:
    """Marks alone are a moment of silence: endpoints refuse them."""
    made = await endpoint(reply("", status=500))
    assert text_of(await spoken(made, say(" … "))) == " … "
    assert made.heads == []


async def test_a_refused_connection_says_what_to_do() -> None:
    """Where nothing listens, the message names the place and the option."""
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    failed = await failure(Endpoint([], port=port))
    assert failed.code == "speech_unreachable"
    assert f"127.0.0.1:{port}" in failed.message
    assert "--speak" in failed.message


async def test_no_proxy_is_asked_for_this_computer(endpoint: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy of the environment is for the world outside: a request to loopback never goes there."""
    proxy = await endpoint(reply("", status=500))
    made = await endpoint(reply(TONE.tobytes(), "audio/pcm"))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, proxy.url)
    await spoken(made)
    assert proxy.heads == []


async def test_a_query_stays_out_of_the_log(endpoint: Start, caplog: pytest.LogCaptureFixture) -> None:
    """A URL's query, which may hold a key, is sent, and is neither in httpx's log nor in a repr nor in an error."""
    made = await endpoint(reply(TONE.tobytes(), "audio/pcm"), reply("no", "text/plain", 500))
    voice = EndpointVoice(f"{made.url}/v1/audio/speech?code={KEY}", environ={"RTNB_SPEAK_API_KEY": f"{KEY}-2"})
    with caplog.at_level(logging.DEBUG):
        _ = [word async for word in voice.run(say("Hello"))]
        with pytest.raises(EngineFailure) as caught:
            _ = [word async for word in voice.run(say("Hello"))]
    assert f"?code={KEY} " in made.heads[0]
    assert "HTTP Request" in caplog.text
    assert KEY not in f"{caplog.text} {voice!r} {voice.name} {caught.value!r}"
    await voice.close()
