"""The writer that is built in: the rules of a script instead of a model."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator

from rtnb.errors import ConfigurationError
from rtnb.service.engines.base import EngineFailure
from rtnb.service.engines.tasks import Call, Text, Write
from rtnb.service.script import Fail, Script, Wait, answer, load_script

__all__ = ["ScriptWriter"]


class ScriptWriter:
    """Answers by the rules of a script.

    Parameters
    ----------
    path : path, optional
        A script's file, which is read again whenever it has changed; without one, the script that comes with rtnb.
    seed : int
        For the rules that pick a sentence at random.

    Attributes
    ----------
    name : str
        ``"script"``, or ``"script lesson.toml"``.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None, seed: int = 0) -> None:
        self.name = f"script {os.path.basename(path)}" if path is not None else "script"
        self._path, self._seed = path, seed
        self._stamp, self._script = self._file_stamp(), load_script(path)

    async def run(self, task: Write) -> AsyncGenerator[Text | Call, None]:
        """Write an answer; gives its text, or calls, after the pauses that the script asks for.

        Raises
        ------
        EngineFailure
            The script lets the answer fail, no rule of it matches, or its file is no longer right.
        """
        for step in answer(self._latest(), task, self._seed):
            match step:
                case Wait(seconds):
                    await asyncio.sleep(seconds)
                case Fail(code, message):
                    raise EngineFailure(code, message)
                case _:
                    yield step
                    await asyncio.sleep(0)  # other sessions run in between

    async def close(self) -> None:
        """Do nothing: nothing runs between two tasks."""

    def _latest(self) -> Script:
        """Return the script as its file says it now, so that an author can go on writing while sessions run."""
        stamp = self._file_stamp()
        if stamp != self._stamp:
            try:
                self._script = load_script(self._path)
            except ConfigurationError as error:
                raise EngineFailure("invalid_script", str(error)) from None
            self._stamp = stamp
        return self._script

    def _file_stamp(self) -> tuple[int, int] | None:
        try:
            found = os.stat(self._path) if self._path is not None else None
        except OSError:
            return None
        return (found.st_mtime_ns, found.st_size) if found else None
