"""A function of the user's, in the process of its worker: imported, called, and its result checked."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from rtnb.audio.formats import PCM16
from rtnb.audio.resample import resample
from rtnb.audio.samples import Samples, to_int16, to_mono, valid_rate
from rtnb.errors import AudioError

__all__ = ["FunctionError", "UserFunction"]

_NOT_THEIRS = (__file__, importlib.__file__)


class FunctionError(Exception):
    """A function cannot be used, raised, or returned what it should not; the message says what and where."""


class UserFunction:
    """A function that speaks or transcribes.

    Parameters
    ----------
    spec : str
        ``"package.module:function"``.
    arguments : tuple of str
        What it must take.
    folder : str
        Where modules are found, besides the usual path.

    Raises
    ------
    FunctionError
        It cannot be imported, or cannot be called with these arguments.
    """

    def __init__(self, spec: str, arguments: tuple[str, ...], folder: str) -> None:
        if folder not in sys.path:
            sys.path.insert(0, folder)
        self._function = _imported(spec, folder)
        with contextlib.suppress(ValueError):  # some functions made in C have no signature
            try:
                inspect.signature(self._function).bind(*arguments)
            except TypeError as error:
                raise FunctionError(f"it must take ({', '.join(arguments)}): {error}") from None

    def check(self) -> None:
        """Do nothing: a call of this shows that the function could be imported."""

    def speak(self, text: str, voice: str) -> Samples:
        """Call a speaker; return its sound as int16 samples of shape (n,) at 24 kHz, or raise a FunctionError."""
        with _explained():
            result = self._function(text, voice)
        try:
            samples, rate = result
        except (TypeError, ValueError):
            raise FunctionError(f"it returned {_type_of(result)}; return (samples, rate)") from None
        try:
            sound = resample(to_mono(to_int16(np.asarray(samples))), valid_rate(rate), PCM16.rate)
        except (AudioError, TypeError, ValueError) as error:
            raise FunctionError(f"what it returned cannot be played: {error}") from None
        if not len(sound):
            raise FunctionError("it returned no samples")
        return sound

    def transcribe(self, samples: Samples, rate: int, language: str | None) -> str:
        """Call a transcriber; return its text, or raise a FunctionError."""
        with _explained():
            result = self._function(samples, rate, language)
        if not isinstance(result, str):
            raise FunctionError(f"it returned {_type_of(result)}; return the text as a str")
        return result.strip()


def _imported(spec: str, folder: str) -> Callable[..., Any]:
    module, _, name = spec.partition(":")
    with _explained():
        try:
            found: Any = importlib.import_module(module)
        except ModuleNotFoundError as error:
            if error.name is None or not f"{module}.".startswith(f"{error.name}."):
                raise
            missing = f"there is no module {error.name!r} in {folder} or on PYTHONPATH, nor is it installed"
            raise FunctionError(missing) from None
    for part in name.split("."):
        if not hasattr(found, part):
            raise FunctionError(f"{module} has no {name!r}")
        found = getattr(found, part)
    if not callable(found):
        raise FunctionError(f"{module}.{name} is not a function but {_type_of(found)}")
    return found  # type: ignore[no-any-return]


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    """Turn whatever the user's code raises, an exit too, into words; the traceback, their frames of it, goes to stderr."""
    try:
        yield
    except FunctionError:
        raise
    except BaseException as error:
        shown = traceback.TracebackException.from_exception(error)
        where = f"{os.path.basename(shown.stack[-1].filename)}, line {shown.stack[-1].lineno}"
        theirs = [each for each in shown.stack if each.filename not in _NOT_THEIRS and "<frozen" not in each.filename]
        shown.stack = traceback.StackSummary.from_list(theirs)
        print("".join(shown.format()), file=sys.stderr, flush=True)
        raise FunctionError(f"it raised {type(error).__name__}: {error} ({where})") from None


def _type_of(value: object) -> str:
    return f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("builtins.")
