"""What a function of the user's runs in: a worker process that imports it, calls it, and checks what it returns."""

from __future__ import annotations

import contextlib
import functools
import importlib
import inspect
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from multiprocessing import connection, parent_process
from typing import Any

import numpy as np

from rtnb.audio.formats import PCM16
from rtnb.audio.resample import resample
from rtnb.audio.samples import Samples, to_int16, to_mono, valid_rate
from rtnb.errors import AudioError

__all__ = ["FunctionError", "begin", "load", "speak", "transcribe"]


_NOT_THEIRS = (__file__, importlib.__file__)


class FunctionError(Exception):
    """A function cannot be used, raised, or returned what it should not; the message says what and where."""


def begin(folder: str) -> None:
    """Prepare the process: modules are found in `folder` too, and it ends with the service, whatever it is doing.

    What the functions print goes to stderr, because stdout is where a service announces its URL. An interrupt of the
    terminal is the service's matter.
    """
    os.dup2(2, 1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def load(spec: str, arguments: tuple[str, ...]) -> None:
    """Import a function, so that a call finds it ready.

    Raises
    ------
    FunctionError
        It cannot be imported, or cannot be called with these arguments.
    """
    function = _function(spec)
    with contextlib.suppress(ValueError):  # some functions made in C have no signature
        try:
            inspect.signature(function).bind(*arguments)
        except TypeError as error:
            raise FunctionError(f"it must take ({', '.join(arguments)}): {error}") from None


def speak(spec: str, text: str, voice: str) -> Samples:
    """Call a speaker; return its sound as int16 samples of shape (n,) at 24 kHz.

    Raises
    ------
    FunctionError
    """
    with _explained(spec):
        result = _function(spec)(text, voice)
    try:
        samples, rate = result
    except (TypeError, ValueError):
        raise FunctionError(f"it returned {_shown(result)}; return (samples, rate)") from None
    try:
        sound = resample(to_mono(to_int16(np.asarray(samples))), valid_rate(rate), PCM16.rate)
    except (AudioError, TypeError, ValueError) as error:
        raise FunctionError(f"what it returned cannot be played: {error}") from None
    if not len(sound):
        raise FunctionError("it returned no samples")
    return sound


def transcribe(spec: str, samples: Samples, rate: int, language: str | None) -> str:
    """Call a transcriber; return its text.

    Raises
    ------
    FunctionError
    """
    with _explained(spec):
        result = _function(spec)(samples, rate, language)
    if not isinstance(result, str):
        raise FunctionError(f"it returned {_shown(result)}; return the text as a str")
    return result.strip()


@functools.cache
def _function(spec: str) -> Callable[..., Any]:
    """Import ``package.module:function``."""
    module, _, name = spec.partition(":")
    with _explained(spec):
        try:
            found: Any = importlib.import_module(module)
        except ModuleNotFoundError as error:
            if error.name is None or not f"{module}.".startswith(f"{error.name}."):
                raise
            raise FunctionError(
                f"there is no module {error.name!r} in {os.getcwd()} or on PYTHONPATH, nor is it installed"
            ) from None
    for part in name.split("."):
        if not hasattr(found, part):
            raise FunctionError(f"{module} has no {name!r}")
        found = getattr(found, part)
    if not callable(found):
        raise FunctionError(f"{module}.{name} is not a function but {_shown(found)}")
    return found  # type: ignore[no-any-return]


@contextlib.contextmanager
def _explained(spec: str) -> Iterator[None]:
    """Turn whatever the user's code raises, an exit too, into words; the whole traceback goes to stderr."""
    try:
        yield
    except FunctionError:
        raise
    except BaseException as error:
        shown = traceback.TracebackException.from_exception(error)
        last = shown.stack[-1]
        theirs = [
            frame for frame in shown.stack if frame.filename not in _NOT_THEIRS and "<frozen" not in frame.filename
        ]
        shown.stack = traceback.StackSummary.from_list(theirs)
        print("".join(shown.format()), file=sys.stderr, flush=True)
        where = f"{os.path.basename(last.filename)}, line {last.lineno}"
        raise FunctionError(f"it raised {type(error).__name__}: {error} ({where})") from None


def _shown(value: object) -> str:
    return f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("builtins.")


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)
