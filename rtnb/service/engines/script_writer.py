"""The writer that is built in: rules instead of a model."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator

from rtnb.audio.samples import Samples
from rtnb.service.engines.base import EngineFailure
from rtnb.service.engines.tasks import Call, Task, Text, Write
from rtnb.service.script.script import answer

__all__ = ["ScriptWriter"]


class ScriptWriter:
    """Answers by the rules of :mod:`rtnb.service.script.script`.

    Attributes
    ----------
    name : str
        ``"script"``.
    """

    name = "script"

    async def run(self, task: Task, feed: AsyncIterator[Samples] | None = None) -> AsyncGenerator[Text | Call, None]:
        """Write an answer; gives its text, or calls.

        Raises
        ------
        EngineFailure
            `task` is no Write.
        """
        if not isinstance(task, Write):
            raise EngineFailure(
                "unsupported_task", f"The {self.name} engine writes answers, and cannot do anything else."
            )
        for piece in answer(task):
            yield piece
            await asyncio.sleep(0)  # the other sessions have their turn

    async def close(self) -> None:
        """Do nothing: nothing runs between two tasks."""
