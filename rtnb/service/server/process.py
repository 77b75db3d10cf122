"""The local service in a process of its own, so that it never shares the interpreter with the notebook that it serves."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from typing import IO, Any

from rtnb.errors import ConfigurationError, ConnectError
from rtnb.service.child_processes import child_environment, own_group
from rtnb.service.server.options import REFUSED, ServiceOptions

_STOP_SECONDS = 3.0


class ServiceProcess:
    """A running ``python -m rtnb.service``; made by :meth:`start`.

    It ends with :meth:`stop`, at the interpreter's exit, and when this process dies in any other way: its stdin closes.

    Attributes
    ----------
    url : str
        ``ws://127.0.0.1:PORT``, without a path.
    engines : dict
        The engine of each part: ``voice``, ``writer``, ``transcriber``; None where there is none.
    not_imitated : dict
        The settings that change nothing there, and what happens instead.
    remarks : list of (str, int or None)
        Remarks for the problems of sessions: words, and the sample rate of the input (Hz) for which they hold; None: any.
    pid : int
    """

    def __init__(self, child: subprocess.Popen[bytes], announced: Mapping[str, Any], errors: IO[bytes]) -> None:
        self._child = child
        self._errors = errors
        self.url = str(announced["url"])
        self.engines: dict[str, str | None] = dict(announced.get("engines") or {})
        self.not_imitated: dict[str, str] = dict(announced.get("not_imitated") or {})
        self.remarks: list[tuple[str, int | None]] = [(words, rate) for words, rate in announced.get("remarks") or ()]
        self.pid = child.pid
        atexit.register(self.stop)

    @classmethod
    def start(cls, *, timeout: float | None = None, **options: Any) -> ServiceProcess:
        """Start the service and wait until it listens.

        Parameters
        ----------
        timeout : float
            Seconds to wait; 20 by default, more where functions are to be loaded.
        **options
            The fields of `rtnb.service.server.options.ServiceOptions`.

        Raises
        ------
        ConfigurationError
            An option is not possible, or not on this computer; nothing runs.
        ConnectError
            It did not start; the message has the end of what it wrote to stderr.
        """
        return cls.start_with(ServiceOptions(**options), timeout=timeout)

    @classmethod
    def start_with(cls, options: ServiceOptions, *, timeout: float | None = None) -> ServiceProcess:
        """Start the service with its options in one piece; errors as in :meth:`start`."""
        timeout = options.start_seconds if timeout is None else timeout
        errors = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the child
        child = subprocess.Popen(
            [sys.executable, "-m", "rtnb.service", "--port", "0", *options.arguments()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=child_environment(*options.secrets(os.environ)),
            **own_group(),
        )
        announced = _read_announcement(child, timeout)
        if announced:
            return cls(child, announced, errors)
        status = child.poll()
        _end(child)
        errors.seek(0)
        written = errors.read().decode("utf-8", "replace")[-2000:].strip()
        errors.close()
        if status == REFUSED:
            raise ConfigurationError(written)
        how = f"did not answer within {timeout:g} s" if status is None else f"ended with status {status}"
        raise ConnectError(
            f"The local service {how}. What it wrote last:\n{written or '(nothing)'}\n"
            f"Try it by hand: {sys.executable} -m rtnb.service",
            body=written,
        )

    @property
    def running(self) -> bool:
        """Return whether the process is alive."""
        return self._child.poll() is None

    def stop(self) -> None:
        """End the service: sessions are closed with 1001. Again does nothing."""
        atexit.unregister(self.stop)
        _end(self._child)
        self._errors.close()

    def __enter__(self) -> ServiceProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<ServiceProcess {self.url} pid {self.pid} {'running' if self.running else 'stopped'}>"


def _read_announcement(child: subprocess.Popen[bytes], timeout: float) -> dict[str, Any]:
    """Return the JSON object that the child prints, or {}. A thread reads, since pipes have no timeout on Windows."""
    lines: queue.Queue[bytes] = queue.Queue()
    assert child.stdout is not None
    threading.Thread(target=lambda pipe: lines.put(pipe.readline()), args=(child.stdout,), daemon=True).start()
    try:
        announced: dict[str, Any] = json.loads(lines.get(timeout=timeout))
        return announced if announced["url"] else {}
    except (queue.Empty, ValueError, KeyError, TypeError):
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(0.2)  # so that its exit status is known
        return {}


def _end(child: subprocess.Popen[bytes]) -> None:
    """End the child, politely first, and reap it."""
    assert child.stdin is not None
    assert child.stdout is not None
    with contextlib.suppress(OSError):
        child.stdin.close()
    for force in (child.terminate, child.kill):
        try:
            child.wait(_STOP_SECONDS)
            break
        except subprocess.TimeoutExpired:
            force()
    child.wait()
    child.stdout.close()
