"""Engines without any I/O: they carry out a session's orders at once, or when the test says so."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from rtnb.service.engines.tasks import Feed, Finish, Say, SpokenWord, Start, Stop, Text, Transcribe, Transcript, Write
from rtnb.service.session.connection import ServiceConnection
from rtnb.service.session.speech_detector import SpeechFrame


def steady_voice(text: str, voice: str, *, seed: int = 0, speed: float = 1.0) -> Iterator[SpokenWord]:
    """Speak each word as a quarter of a second of a constant."""
    words = text.replace(" ", "\0 ").split("\0")
    for word in filter(None, words):
        yield SpokenWord(word, np.full(6_000, 1000, np.int16))


class LoudDetector:
    """Takes loud frames for speech."""

    def __init__(self, rate: int) -> None:
        self._size = rate // 50
        self._rest = np.zeros(0, np.int16)
        self._at = 0

    def feed(self, samples: Any) -> Iterator[SpeechFrame]:
        self._rest = np.concatenate([self._rest, samples])
        while len(self._rest) >= self._size:
            frame, self._rest = self._rest[: self._size], self._rest[self._size :]
            yield SpeechFrame(self._at, float(np.abs(frame.astype(float)).max() > 3000))
            self._at += self._size


@dataclass
class Bench:
    """Carries out the orders of a connection.

    `write` and `speak` and `transcribe` give results; a job that has none of them waits for the test, which finds it in
    `open`. What was ordered is kept in `orders`.
    """

    connection: ServiceConnection
    write: Callable[[Write], Any] | None
    speak: Callable[[Say], Any] | None
    transcribe: Callable[[Transcribe, Any], Any] | None
    orders: list[Any] = field(default_factory=list)
    open: dict[str, Any] = field(default_factory=dict)
    heard: dict[str, list[Any]] = field(default_factory=dict)

    def work(self) -> list[dict[str, Any]]:
        """Carry out all new orders; return the events that came of it."""
        events: list[dict[str, Any]] = []
        waiting = deque(self.connection.orders())
        while waiting:
            order = waiting.popleft()
            self.orders.append(order)
            match order:
                case Start():
                    self.open[order.job] = order.task
                    self.heard[order.job] = []
                    if not isinstance(order.task, Transcribe):
                        events += self._do(order.job, {Write: self.write, Say: self.speak}[type(order.task)])
                case Feed():
                    self.heard[order.job].append(order.samples)
                case Finish():
                    sound = np.concatenate([np.zeros(0, np.int16), *self.heard[order.job]])
                    events += self._do(order.job, self.transcribe and partial(self.transcribe, sound=sound))
                case Stop():
                    self.open.pop(order.job, None)
            waiting.extend(self.connection.orders())
        return events

    def _do(self, job: str, engine: Callable[[Any], Any] | None) -> list[dict[str, Any]]:
        if engine is None or job not in self.open:
            return []
        task, events = self.open[job], []
        try:
            for result in engine(task):
                events += self.connection.supply(job, result)
        except Failure as failure:
            return [*events, *self.fail(job, failure.code, str(failure))]
        except RuntimeError as error:
            return [*events, *self.fail(job, "local_service_failed", str(error))]
        return [*events, *self.end(job)]

    def supply(self, job: str, *results: Any) -> list[dict[str, Any]]:
        return [event for result in results for event in self.connection.supply(job, result)]

    def end(self, job: str) -> list[dict[str, Any]]:
        self.open.pop(job, None)
        return self.connection.supply_end(job)

    def fail(self, job: str, code: str, message: str) -> list[dict[str, Any]]:
        self.open.pop(job, None)
        return self.connection.supply_failure(job, code, message)

    def jobs(self, kind: type) -> list[str]:
        return [job for job, task in self.open.items() if isinstance(task, kind)]


class Failure(Exception):
    """An engine's failure."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def writes(text: str) -> Callable[[Write], Any]:
    return lambda task: [Text(text)]


def hears(text: str) -> Callable[[Transcribe, Any], Any]:
    return lambda task, sound: [Transcript(text, True)]


class Saying:
    """An engine on a loop that speaks with the steady voice."""

    name = "steady"

    async def run(self, task: Say, feed: Any = None) -> AsyncIterator[SpokenWord]:
        for word in steady_voice(task.text, task.voice):
            yield word
            await asyncio.sleep(0)

    async def close(self) -> None:
        """Nothing is open."""


class Writing(Saying):
    """An engine on a loop that writes what `answer` returns for a task."""

    name = "scripted"

    def __init__(self, answer: Callable[[Write], list[Any]]) -> None:
        self.answer = answer

    async def run(self, task: Write, feed: Any = None) -> AsyncIterator[Any]:  # type: ignore[override]
        for piece in self.answer(task):
            yield piece
            await asyncio.sleep(0)


class Hearing(Saying):
    """An engine on a loop that says how many samples it heard."""

    name = "counting"

    async def run(self, task: Transcribe, feed: Any = None) -> AsyncIterator[Transcript]:  # type: ignore[override]
        count = 0
        async for samples in feed:
            count += len(samples)
        yield Transcript(f"{count} samples", True)
