"""The process of a worker: how it is spawned, and what runs in it. Imports little, since each worker loads it."""

from __future__ import annotations

import contextlib
import functools
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from importlib.machinery import ModuleSpec
from multiprocessing.context import SpawnContext, SpawnProcess
from typing import Any

from rtnb.service.child_processes import child_environment

__all__ = ["WorkerContext", "WorkerProcess", "begin", "run"]

_STARTING = threading.Lock()
_make: Callable[[], Any]  # set once, in the worker's process


class WorkerProcess(SpawnProcess):
    """A spawned process that does not run the program's main script again, and gets no interrupt of the terminal."""

    def start(self) -> None:
        """Start the process."""
        main = sys.modules["__main__"]
        with _STARTING, _interrupts_blocked():
            # The child imports the main module again, and runs a script that has no `if __name__ == "__main__"`, unless
            # that is the __main__ of a package.
            spec, main.__spec__ = main.__spec__, ModuleSpec("rtnb.service.__main__", None)
            try:
                super().start()
            finally:
                main.__spec__ = spec


@contextlib.contextmanager
def _interrupts_blocked() -> Iterator[None]:
    """Block interrupts in this thread: a process that is started meanwhile inherits that."""
    if sys.platform == "win32":  # begin() ignores them, a little later
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class WorkerContext(SpawnContext):
    """Starts each process as a `WorkerProcess`.

    Attributes
    ----------
    processes : list of WorkerProcess
        Those that were started.
    """

    def __init__(self) -> None:
        self.processes: list[WorkerProcess] = []

    def Process(self, *args: Any, **options: Any) -> WorkerProcess:  # type: ignore[override]  # noqa: N802
        """Make a process and keep it."""
        self.processes.append(WorkerProcess(*args, **options))
        return self.processes[-1]


def begin(make: Callable[[], Any], credentials: bool = False) -> None:
    """Prepare the worker's process, whose object is made by the first call, so that its errors reach the caller."""
    global _make
    _make = functools.cache(make)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for name in () if credentials else set(os.environ) - set(child_environment()):
        del os.environ[name]
    with contextlib.suppress(OSError):  # the service announces itself on its standard output: no library prints there
        os.dup2(2, 1)
    threading.Thread(target=_end_with_the_service, daemon=True).start()


def _end_with_the_service() -> None:
    service = multiprocessing.parent_process()
    assert service is not None
    service.join()
    os._exit(0)


def run(method: Callable[..., Any], *args: Any, **options: Any) -> Any:
    """Call a method of the worker's object."""
    return method(_make(), *args, **options)
