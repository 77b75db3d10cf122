"""An object for the worker's tests, in a module that its process can import."""

from __future__ import annotations

import os
import threading


class Counter:
    """Counts its calls, and misbehaves on request."""

    def __init__(self, start: int = 0) -> None:
        self.count = start

    def add(self, number: int = 1) -> int:
        self.count += number
        return self.count

    def variable(self, name: str) -> str | None:
        return os.environ.get(name)

    def say(self, text: str) -> None:
        print(text, flush=True)

    def fail(self) -> None:
        raise ValueError("not today")

    def crash(self) -> None:
        os._exit(11)

    def hang(self) -> None:
        threading.Event().wait()


def never() -> Counter:
    """Make no counter."""
    raise OSError("no counter is left")
