"""What an engine is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from rtnb.audio.samples import Samples
from rtnb.errors import RtnbError
from rtnb.service.engines.tasks import Result, Task

__all__ = ["Engine", "EngineFailure", "Engines"]


class EngineFailure(RtnbError):
    """An engine could not do what it was asked.

    Attributes
    ----------
    code : str
        In the style of the protocol's error codes, such as ``"transcription_unavailable"``.
    message : str
        What happened, and what would help.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Engine(Protocol):
    """Does one kind of work for all sessions of a server.

    Attributes
    ----------
    name : str
        As shown to people: ``"tones"``, ``"espeak-ng"``, ``"pocketsphinx"``, ``"script"`` …
    """

    name: str

    def run(self, task: Task, feed: AsyncIterator[Samples] | None = None) -> AsyncIterator[Result]:
        """Do a task: an async generator, whose ``aclose()`` ends the work at once.

        Parameters
        ----------
        task : Say, Write or Transcribe
        feed : async iterator of int16 arrays, optional
            For a Transcribe: the sound, as it comes; it ends with the turn.

        Raises
        ------
        EngineFailure
        """
        ...

    async def close(self) -> None:
        """End what the engine has running. It is not used afterwards."""
        ...


@runtime_checkable
class Warmable(Protocol):
    """An engine that takes a while before its first task."""

    async def warm(self) -> None:
        """Get ready, so that the next task begins at once; failures wait for that task."""
        ...


@dataclass(frozen=True, slots=True)
class Engines:
    """What a server's sessions speak, write and listen with.

    Attributes
    ----------
    voice, writer : Engine
    transcriber : Engine or None
        None: what the user says is not transcribed.
    """

    voice: Engine
    writer: Engine
    transcriber: Engine | None

    async def warm(self, engine: Engine | None = None) -> None:
        """Get one engine ready; without a name the voice, which every session needs."""
        engine = engine or self.voice
        if isinstance(engine, Warmable):
            await engine.warm()

    async def close(self) -> None:
        """Close all of them."""
        await asyncio.gather(*(engine.close() for engine in (self.voice, self.writer, self.transcriber) if engine))
