"""A realtime API in front of somebody's own models: speech in, their transcriber, their chat, their voice, speech out."""

from __future__ import annotations

import asyncio
import json
import os
import urllib.request

import numpy as np
import pytest
from stand_in_endpoints import endpoints, reply

import rtnb
from rtnb.errors import ConfigurationError
from rtnb.local import local_service, split_options

TONE = (8_000 * np.sin(np.arange(24_000) / 17)).astype(np.int16)
QUESTION = rtnb.AudioClip.from_array(TONE[:18_000], 24_000)
MANUAL_TURNS = {"turn_detection": None, "transcription": {"model": "whisper-1"}}
ENGINES = """
import numpy as np

def speak(text, voice):
    return np.full(16_000, 1000, np.int16), 16_000

def transcribe(samples, rate, language):
    return f"I heard {len(samples) / rate:.2f} seconds."
"""


def chunks(*words):
    said = [{"choices": [{"delta": {"content": word}}]} for word in words]
    said.append({"choices": [{"delta": {}, "finish_reason": "stop"}]})
    return reply("".join(f"data: {json.dumps(each)}\n\n" for each in said), "text/event-stream")


def transcripts(session):
    rows = session.timeline.select(kind="conversation.item.input_audio_transcription.completed")
    return [row["transcript"] for row in rows]


def health_at(base):
    with urllib.request.urlopen(f"{base}/health") as page:
        return json.load(page)


@pytest.fixture
def stops():
    """Stop the services of these options at the end of the test."""
    services = []
    yield lambda **options: services.append(split_options(options)[0])
    for options in services:
        local_service(options).stop()


async def test_three_endpoints_make_a_realtime_service(stops):
    """Speech becomes words, words an answer, the answer speech, each by the endpoint that was named; one failing harms one turn."""
    async with endpoints() as start:
        ears = await start(reply('{"text": "What is six times seven?"}'))
        chat = await start(chunks("It is ", "forty-two."))
        voice = await start(
            reply(TONE.tobytes(), "audio/pcm"), reply("out of memory", "text/plain", 500), reply(TONE.tobytes(), "audio/pcm")
        )  # fmt: skip
        options = {"chat": chat.url, "chat_model": "tiny", "speak": voice.url, "transcribe": ears.url, "pace": 0}
        stops(**options)
        async with rtnb.connect_async("local", **options, **MANUAL_TURNS) as session:
            shown = repr(session)
            for name, each in (("speech tts-1", voice), ("chat tiny", chat), ("transcription whisper-1", ears)):
                assert f"{name} at 127.0.0.1:{each.port}" in shown
            answer = await session.ask(QUESTION)
            assert (answer.status, answer.transcript) == ("completed", "It is forty-two.")
            assert np.array_equal(answer.audio.samples[: len(TONE)], TONE)
            assert chat.asked[0]["messages"][-1] == {"role": "user", "content": "What is six times seven?"}
            assert voice.asked[0]["input"] == "It is forty-two."
            assert transcripts(session) == ["What is six times seven?"]
            failed = await session.ask("And now?")
            assert failed.status == "failed"
            assert "out of memory" in str(failed.error)
            assert (await session.ask("Again?")).status == "completed"


async def test_a_transcriber_that_fails_harms_the_turn_alone(stops):
    """The transcription fails with what helps, the answer says that nothing was understood, and the session goes on."""
    async with endpoints() as start:
        ears = await start(reply('{"error": "model not loaded"}', status=503), reply('{"text": "Yes."}'))
        stops(transcribe=ears.url, pace=0)
        async with rtnb.connect_async("local", transcribe=ears.url, pace=0, **MANUAL_TURNS) as session:
            answer = await session.ask(QUESTION)
            (failed,) = session.timeline.select(kind="conversation.item.input_audio_transcription.failed")
            assert failed["error"]["code"] == "transcription_endpoint_failed"
            assert "model not loaded" in failed["error"]["message"]
            assert answer.status == "completed"
            assert (await session.ask(QUESTION)).status == "completed"
            assert transcripts(session) == ["Yes."]


async def test_two_functions_make_a_realtime_service(tmp_path, monkeypatch, stops):
    """A module in the working folder is enough: its functions hear and speak, in processes of their own."""
    module = f"engines_{os.getpid()}_{tmp_path.name}"
    (tmp_path / f"{module}.py").write_text(ENGINES)
    monkeypatch.chdir(tmp_path)
    options = {"speaker": f"{module}:speak", "transcriber": f"{module}:transcribe", "pace": 0}
    stops(**options)
    async with rtnb.connect_async("local", **options, **MANUAL_TURNS) as session:
        assert f"function {module}:speak" in repr(session)
        answer = await session.ask(QUESTION)
        assert transcripts(session) == ["I heard 0.75 seconds."]
        assert answer.status == "completed"
        assert answer.audio.peak == pytest.approx(1000 / 32768, rel=0.2)
        base = session.endpoint.shown_url.partition("/v1/")[0].replace("ws://", "http://")
        health = await asyncio.to_thread(health_at, base)
        assert health["engines"]["transcriber"] == f"function {module}:transcribe"


def test_a_function_that_cannot_be_loaded_is_refused_where_one_connects():
    """The reason comes from the process that tried, and no service is left."""
    with pytest.raises(ConfigurationError, match="no module 'no_such_engines'"):
        rtnb.connect("local", speaker="no_such_engines:speak")
