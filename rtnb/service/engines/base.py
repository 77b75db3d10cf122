"""The seam between the service and its engines: the protocols of writer, voice and transcriber.

All sessions of a server share three engines: the *writer* finds the words of an answer, the *voice* speaks them, the
*transcriber* writes down what the user says; a server may have no transcriber. Each is chosen when the service starts.

**By URL**, where a model is served with OpenAI's HTTP API (Ollama, llama.cpp, vLLM, speaches, LocalAI, a cloud)::

    rtnb serve --chat http://127.0.0.1:11434 --chat-model llama3.2 \\
               --speak http://127.0.0.1:8000 --speak-model tts-1 \\
               --transcribe http://127.0.0.1:8000 --transcribe-model whisper-1

**By function**, where a model is a Python library. The function runs in a worker process, is called once for each stretch
of whole sentences or each turn of the user, and may load its model when its module is imported::

    # my_engines.py                                   rtnb serve --speaker my_engines:speak
    def speak(text, voice):                           #          --transcriber my_engines:transcribe
        return samples, 22_050                        # mono int16 samples, shape (n,), and their rate in Hz

    def transcribe(samples, rate, language):          # int16 samples, shape (n,), Hz, "de" or None
        return "what was said"

**As a class**, inside rtnb. An engine is any object with a `name`, a `run` that is an async generator, and a `close`; it
is shared by all sessions, so that several runs may be open at once::

    class Parrot:                                     # a Writer
        name = "parrot"

        async def run(self, task: Write):
            yield Text(task.prompt)

        async def close(self): ...

    class Beep:                                       # a Voice: the words' texts join to the task's text
        name = "beep"

        async def run(self, task: Say):
            for word in re.findall(r"\\s*\\S+", task.text):
                yield SpokenWord(word, tone)          # int16 samples at 24 kHz

        async def close(self): ...

    class Counter:                                    # a Transcriber: fed while the user speaks
        name = "counter"

        async def run(self, task: Transcribe, feed):
            count = 0
            async for samples in feed:                # int16 samples at task.rate Hz
                count += len(samples)
            yield Transcript(f"{count / task.rate:.1f} seconds", final=True)

        async def close(self): ...

What an engine cannot do it says with an `EngineFailure`: the response or the transcription fails, the session goes on.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from rtnb.audio.samples import Samples
from rtnb.errors import RtnbError
from rtnb.service.engines.tasks import Call, Preamble, Say, SpokenWord, Text, Transcribe, Transcript, Write

__all__ = ["Engine", "EngineFailure", "Engines", "Transcriber", "Voice", "Writer"]


class EngineFailure(RtnbError):
    """An engine could not do its task.

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
    """What a writer, a voice and a transcriber have in common.

    Attributes
    ----------
    name : str
        As ``/health`` and the session's repr show it: ``"script"``, ``"chat llama3.2 at 127.0.0.1:11434"``, ``"espeak-ng"``.
    """

    @property
    def name(self) -> str: ...  # noqa: D102

    async def close(self) -> None:
        """End what the engine has running. It is not used afterwards."""
        ...


class Writer(Engine, Protocol):
    """Finds the words of an answer."""

    def run(self, task: Write) -> AsyncGenerator[Preamble | Text | Call, None]:
        """Write an answer: its words as they come, and function calls. ``aclose()`` ends the work at once.

        Raises
        ------
        EngineFailure
        """
        ...


class Voice(Engine, Protocol):
    """Speaks a text."""

    def run(self, task: Say) -> AsyncGenerator[SpokenWord, None]:
        """Speak: words with their sound (int16, 24 kHz), whose texts join to the task's. ``aclose()`` ends the work at once.

        Raises
        ------
        EngineFailure
        """
        ...


class Transcriber(Engine, Protocol):
    """Transcribes the turns of the user."""

    def run(self, task: Transcribe, feed: AsyncIterator[Samples]) -> AsyncGenerator[Transcript, None]:
        """Write down a turn: the text so far, as often as it changes, the last one final.

        Parameters
        ----------
        task : Transcribe
        feed : async iterator of int16 arrays, shape (n,)
            The sound at ``task.rate`` Hz, as it comes; it ends with the turn.

        Raises
        ------
        EngineFailure
        """
        ...


@runtime_checkable
class Warmable(Protocol):
    """An engine that takes a while before its first task: `warm` gets it ready, and failures wait for that task."""

    async def warm(self) -> None: ...


@runtime_checkable
class Checkable(Protocol):
    """An engine of which only a try shows whether it can work: `check`, before the service listens, or a ConfigurationError."""

    async def check(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Engines:
    """What the sessions of a server write, speak and transcribe with.

    Attributes
    ----------
    voice : Voice
    writer : Writer
    transcriber : Transcriber or None
        None: what the user says is not transcribed.
    """

    voice: Voice
    writer: Writer
    transcriber: Transcriber | None

    @property
    def names(self) -> dict[str, str | None]:
        """The engine of each part: ``voice``, ``writer``, and ``transcriber``, None where there is none."""
        transcriber = self.transcriber.name if self.transcriber else None
        return {"voice": self.voice.name, "writer": self.writer.name, "transcriber": transcriber}

    @property
    def gives(self) -> frozenset[str]:
        """What they give beyond their text: each engine may name it in an attribute ``gives``.

        ``"logprobs"``: how sure the transcriber is of each word. ``"preamble"``: what the writer says before it answers.
        """
        return frozenset().union(*(getattr(engine, "gives", ()) for engine in self._all()))

    @property
    def remarks(self) -> list[tuple[str, int | None]]:
        """The remarks for the problems of sessions: each engine may have it in an attribute ``remarks``.

        Words, and the rate of the input (Hz) of which they are true; None: of any.
        """
        return [remark for engine in self._all() for remark in getattr(engine, "remarks", ())]

    async def check(self) -> None:
        """Try the engines of which only a try shows whether they can work.

        Raises
        ------
        ConfigurationError
            One of them cannot; the message says why.
        """
        await asyncio.gather(*(engine.check() for engine in self._all() if isinstance(engine, Checkable)))

    async def warm(self) -> None:
        """Get the voice ready, which every session needs."""
        if isinstance(self.voice, Warmable):
            await self.voice.warm()

    async def close(self) -> None:
        """Close all of them."""
        await asyncio.gather(*(engine.close() for engine in self._all()))

    def _all(self) -> list[Engine]:
        return [engine for engine in (self.voice, self.writer, self.transcriber) if engine is not None]
