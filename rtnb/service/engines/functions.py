"""A voice and a transcriber made of the user's functions, ``package.module:function``, each in a worker process of its own."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from functools import partial
from typing import ClassVar, Concatenate, ParamSpec, TypeVar

import numpy as np

from rtnb.audio.samples import Samples
from rtnb.errors import ConfigurationError
from rtnb.formatting import one_line
from rtnb.service.engines.base import EngineFailure
from rtnb.service.engines.tasks import Say, SpokenWord, Transcribe, Transcript
from rtnb.service.engines.user_function import FunctionError, UserFunction
from rtnb.service.engines.word_spread import is_speakable, silent_word, spread_whole
from rtnb.service.engines.worker import Worker, WorkerError

__all__ = ["FunctionEngine", "FunctionTranscriber", "FunctionVoice"]

P = ParamSpec("P")
R = TypeVar("R")
_LOAD_SECONDS = 120.0  # to import the module, which may load a model


class FunctionEngine:
    """An engine that is one function in its worker process; which one, its subclasses say.

    Parameters
    ----------
    spec : str
        ``"package.module:function"``.
    seconds : float
        How long a call may take.

    Attributes
    ----------
    name : str
        ``"function my_engines:speak"``.
    """

    option: ClassVar[str]  # of `rtnb serve`; the codes of the failures begin with it
    arguments: ClassVar[tuple[str, ...]]

    def __init__(self, spec: str, *, seconds: float = 60.0) -> None:
        self.name = f"function {spec}"
        self._spec = spec
        self._worker = Worker(
            partial(UserFunction, spec, self.arguments, os.getcwd()),
            seconds=seconds,
            start_seconds=_LOAD_SECONDS,
            credentials=True,  # it is the user's own code
        )

    async def check(self) -> None:
        """Import the function in its process; a ConfigurationError says why it cannot be used."""
        try:
            await self.call(UserFunction.check)
        except EngineFailure as failure:
            raise ConfigurationError(f"--{self.option} {failure.message}") from None

    async def call(self, method: Callable[Concatenate[UserFunction, P], R], *args: P.args, **options: P.kwargs) -> R:
        """Call a method in the process; an EngineFailure says that the function raised, crashed, hung, or returned nonsense."""
        try:
            return await self._worker.call(method, *args, **options)
        except WorkerError as error:
            reason = f"{error.__cause__}." if isinstance(error.__cause__, FunctionError) else str(error)
            if error.what == "crashed":
                reason += (
                    " Its library failed, or there was too little memory; what it wrote last is on the service's stderr. "
                    "The next call starts a new process."
                )
            raise EngineFailure(f"{self.option}_{error.what}", one_line(f"{self._spec}: {reason}", 500)) from None

    async def close(self) -> None:
        """End the process, and with it a call that is running."""
        await self._worker.close()


class FunctionVoice(FunctionEngine):
    """Speaks with a function: ``def speak(text, voice)`` returns mono samples (int16, or floats in -1..1) and their rate in Hz."""

    option = "speaker"
    arguments = ("text", "voice")

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
        samples = await self.call(UserFunction.speak, task.text, task.voice)
        for word in spread_whole(task.text, samples):
            yield word


class FunctionTranscriber(FunctionEngine):
    """Transcribes with a function: ``def transcribe(samples, rate, language)`` returns the text of a turn.

    It is given int16 samples of shape (n,), their rate in Hz, and a language tag or None.
    """

    option = "transcriber"
    arguments = ("samples", "rate", "language")

    async def run(self, task: Transcribe, feed: AsyncIterator[Samples]) -> AsyncGenerator[Transcript, None]:
        """Transcribe a turn, when it has ended.

        Raises
        ------
        EngineFailure
            The function raises, returns what it should not, takes too long, or crashes.
        """
        sound = np.concatenate([np.zeros(0, np.int16), *[samples async for samples in feed]])
        text = await self.call(UserFunction.transcribe, sound, task.rate, task.language)
        yield Transcript(text, final=True)
