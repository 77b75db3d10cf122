"""Child processes that do native work: started when needed, shared by the sessions, replaced when they die.

What an engine's library does there, holding the interpreter or crashing, harms neither the server nor a notebook.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from typing import IO

from rtnb.errors import RtnbError
from rtnb.service.child_processes import child_environment, own_group
from rtnb.service.engines.frames import HEADER, Message, lengths, pack, parse

__all__ = ["Child", "ChildEnded", "ChildPool"]

_START_SECONDS = 30.0  # the slowest child loads 130 MB; a laptop that just woke up reads them from its disk
_END_SECONDS = 1.0


class ChildEnded(RtnbError):
    """The child process is gone, or never came up; the message has the end of what it wrote."""


class Child:
    """A running child; made by :meth:`start`. It ends with :meth:`close`, and whenever its stdin closes.

    Attributes
    ----------
    pid : int
    greeting : dict
        What the child said when it was ready.
    """

    def __init__(self, process: asyncio.subprocess.Process, errors: IO[bytes]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process = process
        self._to, self._from = process.stdin, process.stdout
        self._errors = errors
        self._killed = False
        self._reading = asyncio.Lock()
        self._lengths: tuple[int, int] | None = None  # of a frame whose body has not come yet
        self.pid = process.pid
        self.greeting: Message = {}

    @classmethod
    async def start(cls, module: str, opening: Message | None = None, *, timeout: float = _START_SECONDS) -> Child:
        """Start ``python -m module``, send it `opening` if it expects one, and wait for its greeting.

        Raises
        ------
        ChildEnded
            It did not come up within `timeout` seconds.
        """
        child = await cls._spawn(module)
        try:
            async with asyncio.timeout(timeout):
                if opening is not None:
                    await child.send(opening)
                child.greeting, _ = await child.receive()
        except BaseException as error:
            await child.close()
            if isinstance(error, TimeoutError):
                raise ChildEnded(f"{module} was not ready within {timeout:g} s.") from None
            raise
        return child

    @classmethod
    async def _spawn(cls, module: str) -> Child:
        errors = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the child
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                module,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=child_environment(),
                **own_group(),
            )
        except OSError as error:
            errors.close()
            raise ChildEnded(f"{module} could not be started: {error}.") from None
        return cls(process, errors)

    @property
    def running(self) -> bool:
        """Return whether the process is alive, as far as is known."""
        return not (self._killed or self._from.at_eof()) and self._process.returncode is None

    async def send(self, message: Message, data: bytes = b"") -> None:
        """Send a frame.

        Raises
        ------
        ChildEnded
        """
        try:
            self._to.write(pack(message, data))
            await self._to.drain()
        except (OSError, RuntimeError):
            raise ChildEnded(self._last_words()) from None

    async def receive(self) -> tuple[Message, bytes]:
        """Wait for a frame. Whoever is cancelled meanwhile has taken nothing from the pipe.

        Raises
        ------
        ChildEnded
        """
        try:
            async with self._reading:
                if self._lengths is None:
                    self._lengths = lengths(await self._from.readexactly(HEADER.size))
                text, data = self._lengths
                body = await self._from.readexactly(text + data)
                self._lengths = None
            return parse(body[:text]), body[text:]
        except (OSError, asyncio.IncompleteReadError, ValueError):
            raise ChildEnded(self._last_words()) from None

    async def close(self) -> None:
        """End the child and reap it: politely for a second, then not. Again does nothing."""
        self._to.close()
        try:
            async with asyncio.timeout(_END_SECONDS):
                await self._drained()
        except TimeoutError:
            self.kill()
            await self._drained()
        self._errors.close()

    async def _drained(self) -> None:
        async with self._reading:  # whoever is reading sees the end first
            while await self._from.read(1 << 16):
                pass
        await self._process.wait()

    def post(self, message: Message) -> None:
        """Send a frame if that is possible, without waiting."""
        if self.running and not self._to.is_closing():
            self._to.write(pack(message))

    def kill(self) -> None:
        """End the child at once; :meth:`close` reaps it."""
        self._killed = True
        if self._process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            if sys.platform == "win32":
                self._process.kill()
            else:  # the library's own kill looks whether it has ended, and so would reap it behind the loop's back
                os.kill(self.pid, signal.SIGKILL)

    def _last_words(self) -> str:
        if self._errors.closed:
            return f"The child process {self.pid} was ended."
        self._errors.seek(0)
        written = self._errors.read().decode("utf-8", "replace")[-1000:].strip()
        return f"The child process {self.pid} ended. What it wrote last: {written or '(nothing)'}"

    def __repr__(self) -> str:
        return f"<Child pid {self.pid} {'running' if self.running else 'ended'}>"


class ChildPool:
    """A few children of one kind, each lent to one user at a time.

    Parameters
    ----------
    module : str
        What they run.
    size : int
        Most children at the same time; they are started when first needed.
    opening : dict, optional
        What each is told at its start.

    Attributes
    ----------
    waiting : int
        How many are waiting for a child.
    """

    def __init__(self, module: str, size: int, opening: Message | None = None) -> None:
        self._module = module
        self._opening = opening
        self._idle: list[Child] = []
        self._all: set[Child] = set()
        self._places = asyncio.Semaphore(size)
        self._closed = False
        self.waiting = 0

    @property
    def children(self) -> tuple[Child, ...]:
        """Return those that were started and not yet reaped."""
        return tuple(self._all)

    @property
    def idle(self) -> int:
        """Return how many of them nobody has borrowed."""
        return len(self._idle)

    @contextlib.asynccontextmanager
    async def lend(self) -> AsyncIterator[Child]:
        """Lend a child, waiting for one. It is ended if the borrower leaves with an error.

        Who is cancelled while borrowing leaves a child that still works on its order: orders have numbers, so that the
        next borrower knows the answers.

        Raises
        ------
        ChildEnded
            None could be started, or the pool is closed.
        """
        self.waiting += 1
        try:
            await self._places.acquire()
        finally:
            self.waiting -= 1
        try:
            child = await self._take()
            try:
                yield child
            except Exception:
                if child.running:  # one that is ending is reaped by the loop; a signal would reap it behind its back
                    child.kill()
                raise
            finally:
                await self._put_back(child)
        finally:
            self._places.release()

    async def warm(self) -> None:
        """Start one child, if none is running."""
        if not self._all:
            async with self.lend():
                pass

    async def close(self) -> None:
        """End all children; whoever has one sees it end."""
        self._closed = True
        await asyncio.gather(*(child.close() for child in self._all))
        self._all.clear()
        self._idle.clear()

    async def _take(self) -> Child:
        while self._idle:
            child = self._idle.pop()
            if child.running:
                return child
            await self._bury(child)
        if self._closed:
            raise ChildEnded("The service is closing.")
        child = await Child.start(self._module, self._opening)
        self._all.add(child)
        return child

    async def _put_back(self, child: Child) -> None:
        if child.running and not self._closed:
            self._idle.append(child)
        else:
            await self._bury(child)

    async def _bury(self, child: Child) -> None:
        self._all.discard(child)
        await child.close()
