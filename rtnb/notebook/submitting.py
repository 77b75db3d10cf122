"""How a view asks its session for something: on the session's own thread, and without waiting for it."""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from rtnb.client.async_session import AsyncSession
from rtnb.notebook.session import Session

T = TypeVar("T")


def core_of(session: Session | AsyncSession) -> AsyncSession:
    """Return the session that does the work.

    Raises
    ------
    TypeError
        If `session` is none: a recording cannot be talked to.
    """
    core = session._session if isinstance(session, Session) else session
    if not isinstance(core, AsyncSession):
        raise TypeError(f"This view talks to a session, as rtnb.connect() makes it, not to a {type(session).__name__}.")
    return core


def submit(core: AsyncSession, work: Callable[[AsyncSession], Coroutine[Any, Any, T]]) -> concurrent.futures.Future[T]:
    """Begin something and return at once, from any thread; the outcome comes in the future."""
    return asyncio.run_coroutine_threadsafe(work(core), core._io.loop)
