"""Orders carried out on a loop: engines are run, fed, held back, stopped, and their failures are brought home."""

from __future__ import annotations

import asyncio
import json

import numpy as np
import pytest
from fake_engines import Hearing, LoudDetector, Saying, Writing

from rtnb.protocol.dialects import GA
from rtnb.service.engines.base import EngineFailure, Engines
from rtnb.service.engines.tasks import SpokenWord, Text
from rtnb.service.server.engine_jobs import EngineJobs
from rtnb.service.session.connection import ServiceConnection


class Session:
    """A connection and its jobs, without a socket."""

    def __init__(self, engines):
        self.connection = ServiceConnection(GA, make_detector=LoudDetector)
        self.jobs = EngineJobs(self.connection, engines, self.put)
        self.events = []
        self.changed = asyncio.Event()

    def put(self, events):
        self.events += events
        self.jobs.carry_out(self.connection.orders())
        self.changed.set()

    def send(self, type, **fields):
        self.put(self.connection.receive(json.dumps({"type": type, **fields})))

    def ask(self):
        item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hello"}]}
        self.send("conversation.item.create", item=item)
        self.send("response.create")

    def step(self):
        while step := self.connection.advance():
            self.put(step.events)

    async def until(self, condition):
        async with asyncio.timeout(10):
            while not condition():
                self.changed.clear()
                self.step()
                if not condition():
                    await self.changed.wait()

    def done(self):
        return next((event["response"] for event in self.events if event["type"] == "response.done"), None)


def engines(**changes):
    return Engines(
        **{"voice": Saying(), "writer": Writing(lambda task: [Text("Of course.")]), "transcriber": None, **changes}
    )


async def test_an_order_is_written_and_spoken():
    """Writer and voice are run, one for the other, and the response is complete."""
    async with asyncio.TaskGroup() as group:
        session = Session(engines())
        session.jobs.open(group)
        session.ask()
        await session.until(session.done)
        assert session.done()["output"][0]["content"][0]["transcript"] == "Of course."


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (EngineFailure("chat_timeout", "It said nothing."), "chat_timeout", "It said nothing."),
        (RuntimeError("no breath"), "local_service_failed", "RuntimeError: no breath"),
    ],
)
async def test_what_an_engine_raises_is_the_responses_reason(error, code, message):
    """A failure with a code keeps it; any other is named by its type and text; the session goes on."""

    def broken(task):
        raise error

    async with asyncio.TaskGroup() as group:
        session = Session(engines(writer=Writing(broken)))
        session.jobs.open(group)
        session.ask()
        await session.until(session.done)
        error = session.done()["status_details"]["error"]
        assert (error["code"], error["message"]) == (code, message)


class Endless(Saying):
    """Speaks for ever, and knows whether it was ended."""

    def __init__(self):
        self.words = 0
        self.ended = asyncio.Event()

    async def run(self, task, feed=None):
        try:
            while True:
                self.words += 1
                yield SpokenWord("word ", np.zeros(24_000, np.int16))
                await asyncio.sleep(0)
        finally:
            self.ended.set()


async def test_a_voice_that_is_ahead_waits():
    """No more than some seconds of speech wait to be sent; when they are sent, the voice goes on."""
    voice = Endless()
    async with asyncio.TaskGroup() as group:
        session = Session(engines(voice=voice))
        session.jobs.open(group)
        session.ask()
        await session.until(lambda: voice.words)
        for _ in range(100):
            await asyncio.sleep(0)
        held = voice.words
        (job,) = session.jobs._tasks
        assert session.connection.unsent_seconds(job) == pytest.approx(9.0, abs=1.0)
        await session.until(lambda: voice.words > held)
        session.jobs.close()


class SecondFirst(Saying):
    """Is through with the second sentence, which is a long one, before it begins the first."""

    def __init__(self):
        self.second_waits = asyncio.Event()

    async def run(self, task, feed=None):
        if "first" in task.text:
            await self.second_waits.wait()
        for count in range(20):
            if "second" in task.text and count == 8:
                self.second_waits.set()  # this is the second that makes it wait
            yield SpokenWord(task.text if count == 0 else "", np.zeros(24_000, np.int16))


async def test_a_sentence_that_is_early_never_holds_up_the_one_before_it():
    """A long second sentence that is spoken before the first one waits; the first goes on, and both are sent."""
    writer = Writing(lambda task: [Text("One is the first sentence. "), Text("Two is the second sentence.")])
    async with asyncio.TaskGroup() as group:
        session = Session(engines(voice=SecondFirst(), writer=writer))
        session.jobs.open(group)
        session.ask()
        await session.until(session.done)
        part = session.done()["output"][0]["content"][0]
        assert part["transcript"] == "One is the first sentence. Two is the second sentence."


@pytest.mark.parametrize("way", ["cancel", "close"])
async def test_stopping_ends_the_engine_at_once(way):
    """A cancelled response and a closed session end the generator; nothing is left running."""
    voice = Endless()
    async with asyncio.TaskGroup() as group:
        session = Session(engines(voice=voice))
        session.jobs.open(group)
        session.ask()
        await session.until(lambda: voice.words)
        if way == "cancel":
            session.send("response.cancel")
        else:
            session.jobs.close()
        async with asyncio.timeout(10):
            await voice.ended.wait()


async def hear(transcriber):
    async with asyncio.TaskGroup() as group:
        session = Session(engines(transcriber=transcriber))
        session.jobs.open(group)
        heard = {"turn_detection": None, "transcription": {"model": "whisper-1"}}
        session.send("session.update", session={"type": "realtime", "audio": {"input": heard}})
        for _ in range(3):
            session.send("input_audio_buffer.append", audio="AAAA" * 1_200)
        session.send("input_audio_buffer.commit")
        await session.until(lambda: "transcription" in session.events[-1]["type"])
        return session.events[-1]


async def test_the_transcriber_is_fed():
    """It gets every sample, then the end."""
    assert (await hear(Hearing()))["transcript"] == "5400 samples"


async def test_without_a_transcriber_it_says_so():
    """The failure names what is missing and how to get it."""
    error = (await hear(None))["error"]
    assert error["code"] == "transcription_unavailable"
    assert 'pip install "rtnb[voice]"' in error["message"]


async def test_a_closed_jobs_takes_no_orders():
    """What a last result still asks for is not begun."""
    async with asyncio.TaskGroup() as group:
        session = Session(engines())
        session.jobs.open(group)
        session.jobs.close()
        session.ask()
        session.step()
    assert session.connection.responses
