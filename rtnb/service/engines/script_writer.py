"""The writer that answers from a script, without a model."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from rtnb.service.engines.tasks import Call, Text, Write
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

    async def run(self, task: Write) -> AsyncGenerator[Text | Call, None]:
        """Write an answer; gives its text, or calls."""
        for piece in answer(task):
            yield piece
            await asyncio.sleep(0)  # the other sessions have their turn

    async def close(self) -> None:
        """Do nothing: nothing runs between two tasks."""
