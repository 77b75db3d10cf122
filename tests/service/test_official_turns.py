"""The official `openai` clients hold every kind of turn with the service over a real socket, in both dialects."""

from __future__ import annotations

import base64
import contextlib

import numpy as np
import pytest
from fake_engines import Hearing, LoudDetector, Saying, Writing
from openai import AsyncAzureOpenAI, AsyncOpenAI

from rtnb.service.engines.base import Engines
from rtnb.service.engines.tasks import Call, Text
from rtnb.service.server.options import ServiceOptions
from rtnb.service.server.server import Server

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

WEATHER = {"type": "function", "name": "get_weather", "description": "Weather.", "parameters": {"type": "object"}}
SPEECH = np.concatenate([np.zeros(12_000), np.full(24_000, 8_000), np.zeros(24_000)]).astype("<i2").tobytes()


def answer(task):
    if task.history and task.history[-1].role == "function_call_output":
        return [Text(f"The function says {task.history[-1].text}.")]
    if task.tools and "weather" in task.prompt:
        return [Call("get_weather", '{"city": "Oslo"}')]
    return [Text("word " * 60 if "long" in task.prompt else f"You said {task.prompt}.")]


@pytest.fixture(params=["ga", "preview"])
async def talk(request):
    """A session of the official client, and how its dialect says things."""
    engines = Engines(Saying(), Writing(answer), Hearing())
    server = Server("127.0.0.1", ServiceOptions(speed=4), engines=engines, make_detector=LoudDetector)
    await server.start(0, tls=False)
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(server.close)
        if request.param == "ga":
            client = AsyncOpenAI(api_key="any", websocket_base_url=f"{server.url}/openai/v1")
            opening = client.realtime.connect(model="gpt-realtime")
        else:
            client = AsyncAzureOpenAI(
                api_key="any",
                azure_endpoint="https://unused.example",
                api_version="2025-04-01-preview",
                websocket_base_url=f"{server.url}/openai",
            )
            opening = client.beta.realtime.connect(model="gpt-4o-realtime-preview")
        await stack.enter_async_context(client)
        yield Talk(await stack.enter_async_context(opening), request.param)


class Talk:
    """A connection, with what differs by dialect."""

    def __init__(self, connection, dialect):
        self.connection = connection
        self.ga = dialect == "ga"
        self.seen = []

    def named(self, name):
        return name if self.ga else name.replace("response.output_a", "response.a")

    async def until(self, type):
        """Read until an event of this type, an error is one only when it is asked for."""
        events = []
        while not events or events[-1].type != self.named(type):
            events.append(await self.connection.recv())
            assert events[-1].type != "error" or type == "error", events[-1]
        self.seen += events
        return events

    async def configure(self, *, turns, **session):
        if self.ga:
            heard = {"turn_detection": turns, "transcription": {"model": "whisper-1"}}
            session = {"type": "realtime", "audio": {"input": heard}, **session}
        else:
            session = {"turn_detection": turns, "input_audio_transcription": {"model": "whisper-1"}, **session}
        await self.connection.session.update(session=session)
        await self.until("session.updated")

    async def say(self, text):
        content = [{"type": "input_text", "text": text}]
        await self.connection.conversation.item.create(item={"type": "message", "role": "user", "content": content})

    async def append(self, sound=SPEECH):
        for start in range(0, len(sound), 4_800):
            await self.connection.input_audio_buffer.append(
                audio=base64.b64encode(sound[start : start + 4_800]).decode()
            )


def types(events):
    return [event.type for event in events]


def transcript(done):
    return done.response.output[0].content[0].transcript


async def test_audio_turn_with_turn_detection(talk):
    """Speech is found, committed, transcribed and answered, with one item id."""
    await talk.configure(turns={"type": "server_vad", "silence_duration_ms": 500})
    await talk.append()
    events = await talk.until("response.done")
    started = next(event for event in events if event.type == "input_audio_buffer.speech_started")
    stopped = next(event for event in events if event.type == "input_audio_buffer.speech_stopped")
    assert (started.audio_start_ms, stopped.audio_end_ms) == (200, 2000)
    heard = next(event for event in events if event.type.endswith("transcription.completed"))
    assert heard.item_id == started.item_id == stopped.item_id
    assert heard.transcript == "43200 samples"
    assert transcript(events[-1]) == "You said 43200 samples."


async def test_audio_turn_with_commit(talk):
    """Without turn detection the client commits and asks."""
    await talk.configure(turns=None)
    await talk.append()
    await talk.connection.input_audio_buffer.commit()
    events = await talk.until("input_audio_buffer.committed")
    assert "input_audio_buffer.speech_started" not in types(events)
    await talk.connection.response.create()
    assert transcript((await talk.until("response.done"))[-1]) == f"You said {len(SPEECH) // 2} samples."


async def test_function_call(talk):
    """The call, its output, and the answer to that."""
    await talk.configure(turns=None, tools=[WEATHER])
    await talk.say("How is the weather?")
    await talk.connection.response.create()
    events = await talk.until("response.done")
    call = events[-1].response.output[0]
    assert (call.type, call.name, call.arguments) == ("function_call", "get_weather", '{"city": "Oslo"}')
    deltas = [event.delta for event in events if event.type == "response.function_call_arguments.delta"]
    assert "".join(deltas) == call.arguments
    item = {"type": "function_call_output", "call_id": call.call_id, "output": "rain"}
    await talk.connection.conversation.item.create(item=item)
    await talk.connection.response.create()
    assert transcript((await talk.until("response.done"))[-1]) == "The function says rain."


async def test_cancel_and_truncate(talk):
    """After the first sound: truncate the item that is still spoken, cancel, and go on."""
    await talk.say("A long answer, please.")
    await talk.connection.response.create()
    delta = (await talk.until("response.output_audio.delta"))[-1]
    await talk.connection.conversation.item.truncate(item_id=delta.item_id, content_index=0, audio_end_ms=50)
    await talk.connection.response.cancel()
    events = await talk.until("response.done")
    assert "conversation.item.truncated" in types(events)
    assert events[-1].response.status == "cancelled"
    assert events[-1].response.status_details.reason == "client_cancelled"
    await talk.say("Hello")
    await talk.connection.response.create()
    assert transcript((await talk.until("response.done"))[-1]) == "You said Hello."


async def test_out_of_band(talk):
    """A response aside runs beside the conversation's, and brings its metadata back."""
    await talk.say("A long answer, please.")
    await talk.connection.response.create()
    await talk.until("response.output_audio.delta")
    word = "output_modalities" if talk.ga else "modalities"
    content = [{"type": "input_text", "text": "aside"}]
    aside = {"conversation": "none", "metadata": {"topic": "aside"}, word: ["text"]}
    await talk.connection.response.create(
        response={**aside, "input": [{"type": "message", "role": "user", "content": content}]}
    )
    done = (await talk.until("response.done"))[-1]
    assert done.response.metadata == {"topic": "aside"}
    assert done.response.output[0].content[0].text == "You said aside."
    assert (await talk.until("response.done"))[-1].response.status == "completed"


async def test_error(talk):
    """An error names the event at fault, and the session goes on."""
    await talk.connection.response.cancel(event_id="mine")
    error = (await talk.until("error"))[-1].error
    assert (error.code, error.event_id) == ("response_cancel_not_active", "mine")
    await talk.say("Hello")
    await talk.connection.response.create()
    assert (await talk.until("response.done"))[-1].response.status == "completed"
