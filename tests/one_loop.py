"""A session of this loop that other threads may ask for work, and a wait for what they do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from scripted import Here, Script, open_session

from rtnb.client.async_session import AsyncSession


class OneLoop(Here):
    """The loop on which it is made, known to every thread."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        return self._loop


async def open_for_views(**options: Any) -> tuple[AsyncSession, Script]:
    """Open a scripted session whose views may hand it work from their own threads."""
    return await open_session(io=OneLoop(), **options)


async def until(condition: Callable[[], Any]) -> None:
    """Let loop and threads go on until something is so."""
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0)
