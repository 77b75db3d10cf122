"""A voice and a transcriber made of the user's functions, ``package.module:function``, each in a worker process of its own."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial
from typing import Concatenate, ParamSpec, TypeVar

import numpy as np

from rtnb.audio.samples import Samples
from rtnb.errors import ConfigurationError
from rtnb.formatting import one_line
from rtnb.service.engines.base import EngineFailure
from rtnb.service.engines.tasks import Say, SpokenWord, Transcribe, Transcript
from rtnb.service.engines.user_function import FunctionError, UserFunction
from rtnb.service.engines.word_spread import is_speakable, silent_word, spread_whole
from rtnb.service.engines.worker import Worker, WorkerError

__all__ = ["FunctionTimeouts", "FunctionTranscriber", "FunctionVoice"]

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class FunctionTimeouts:
    """How long a function may take, in seconds.

    Attributes
    ----------
    load : float
        To import its module, which may load a model.
    call : float
        For one call.
    """

    load: float = 120.0
    call: float = 60.0


class _Function:
    """One function in its worker process.

    Parameters
    ----------
    option : str
        ``"speaker"`` or ``"transcriber"``: how it is given, and what the codes of its failures begin with.
    spec : str
        ``"package.module:function"``.
    arguments : tuple of str
        What it takes.
    timeouts : FunctionTimeouts or None
    """

    def __init__(
        self, option: str, spec: str, arguments: tuple[str, ...], timeouts: FunctionTimeouts | None = None
    ) -> None:
        timeouts = timeouts or FunctionTimeouts()
        self._option, self._spec = option, spec
        self._worker = Worker(
            partial(UserFunction, spec, arguments, os.getcwd()),
            seconds=timeouts.call,
            start_seconds=timeouts.load,
            credentials=True,  # it is the user's own code
        )

    async def check(self) -> None:
        """Import the function; a ConfigurationError says why that is not possible."""
        try:
            await self.call(UserFunction.check)
        except EngineFailure as failure:
            raise ConfigurationError(f"--{self._option} {failure.message}") from None

    async def call(self, method: Callable[Concatenate[UserFunction, P], R], *args: P.args, **options: P.kwargs) -> R:
        """Call it in its process; an EngineFailure says that it raised, crashed, took too long, or returned nonsense."""
        try:
            return await self._worker.call(method, *args, **options)
        except WorkerError as error:
            reason = f"{error.__cause__}." if isinstance(error.__cause__, FunctionError) else str(error)
            if error.what == "crashed":
                reason += (
                    " Its library failed, or there was too little memory; what it wrote last is on the service's stderr. "
                    "The next call starts a new process."
                )
            raise EngineFailure(f"{self._option}_{error.what}", one_line(f"{self._spec}: {reason}", 500)) from None

    async def close(self) -> None:
        """End the process, and with it a call that is running."""
        await self._worker.close()


class FunctionVoice:
    """Speaks with a function: ``def speak(text, voice)`` returns mono samples and their rate in Hz.

    Parameters
    ----------
    spec : str
        ``"package.module:function"``. It returns ``(samples, rate)``: int16 of shape (n,), or floats in -1..1.
    timeouts : FunctionTimeouts, optional

    Attributes
    ----------
    name : str
        ``"function my_engines:speak"``.
    """

    def __init__(self, spec: str, timeouts: FunctionTimeouts | None = None) -> None:
        self.name = f"function {spec}"
        self._function = _Function("speaker", spec, ("text", "voice"), timeouts)

    async def check(self) -> None:
        """Import the function in its process; a ConfigurationError says why it cannot be used."""
        await self._function.check()

    async def run(self, task: Say) -> AsyncGenerator[SpokenWord, None]:
        """Speak: the words, when the function has returned their sound.

        Raises
        ------
        EngineFailure
            The function raises, returns what it should not, takes too long, or crashes.
        """
        if not is_speakable(task.text):
            yield silent_word(task.text)
            return
        samples = await self._function.call(UserFunction.speak, task.text, task.voice)
        for word in spread_whole(task.text, samples):
            yield word

    async def close(self) -> None:
        """End the process."""
        await self._function.close()


class FunctionTranscriber:
    """Transcribes with a function: ``def transcribe(samples, rate, language)`` returns the text of a turn.

    Parameters
    ----------
    spec : str
        ``"package.module:function"``. It takes int16 samples of shape (n,), their rate in Hz, and a language tag or None.
    timeouts : FunctionTimeouts, optional

    Attributes
    ----------
    name : str
        ``"function my_engines:transcribe"``.
    """

    def __init__(self, spec: str, timeouts: FunctionTimeouts | None = None) -> None:
        self.name = f"function {spec}"
        self._function = _Function("transcriber", spec, ("samples", "rate", "language"), timeouts)

    async def check(self) -> None:
        """Import the function in its process; a ConfigurationError says why it cannot be used."""
        await self._function.check()

    async def run(self, task: Transcribe, feed: AsyncIterator[Samples]) -> AsyncGenerator[Transcript, None]:
        """Write down a turn, when it has ended.

        Raises
        ------
        EngineFailure
            The function raises, returns what it should not, takes too long, or crashes.
        """
        sound = np.concatenate([np.zeros(0, np.int16), *[samples async for samples in feed]])
        text = await self._function.call(UserFunction.transcribe, sound, task.rate, task.language)
        yield Transcript(text, final=True)

    async def close(self) -> None:
        """End the process."""
        await self._function.close()
