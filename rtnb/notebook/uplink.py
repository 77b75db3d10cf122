"""The user's voice on its way to the service: pieces in order, the end of a turn, and the answer that it interrupts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any

from rtnb.audio.formats import FORMATS, AudioFormat
from rtnb.audio.samples import Samples
from rtnb.client.async_session import AsyncSession
from rtnb.client.audio_input import append_commands, trailing_silence, turn_detected
from rtnb.protocol import commands
from rtnb.protocol.config import format_name, look

SHORTEST = 0.1
"""Seconds that make a turn; a service refuses to commit less."""


class Uplink:
    """Sends what a microphone hears. Its methods may be called on any thread, and wait for nothing.

    Parameters
    ----------
    session : AsyncSession
    failed : callable
        Told in words, on the I/O thread, of what could not be sent.
    """

    def __init__(self, session: AsyncSession, failed: Callable[[str], None]) -> None:
        self._session = session
        self._failed = failed

    @property
    def encoding(self) -> AudioFormat:
        """Return the session's input format."""
        return FORMATS[format_name(look(self._session.config, ("audio", "input", "format")))]

    def append(self, samples: Samples) -> None:
        """Append samples of shape (n,), at the rate of `encoding`."""
        self.submit(self._session.send(commands.append_audio(self.encoding.encode(samples))))

    def end_turn(self, *, answer: bool, seconds: float) -> None:
        """End what the user said as the turn mode wants it.

        Parameters
        ----------
        answer : bool
            Whether to commit and ask for a response where the service does not look for turns.
        seconds : float
            How long the user spoke.
        """
        self.submit(self._end_turn(answer, seconds))

    def interrupt(self) -> None:
        """Cut the answer that sounds at what was heard of it, where the service does not do so by itself."""
        playback = self._session.playback
        if playback is not None and playback.at and not turn_detected(self._session.config):
            self.submit(self._session.interrupt())

    async def _end_turn(self, answer: bool, seconds: float) -> None:
        config = self._session.config
        if turn_detected(config):
            # Silence that is not sent is not heard, and nothing else ends a turn.
            for command in append_commands(trailing_silence(config), config):
                await self._session.send(command)
        elif answer and seconds < SHORTEST:
            await self._session.clear()
            self._failed("That was too short: hold the button for as long as you speak.")
        elif answer:
            await self._session.commit()
            await self._session.respond(wait=False)

    def submit(self, work: Coroutine[Any, Any, Any]) -> None:
        """Have something done on the I/O thread, in order."""
        asyncio.run_coroutine_threadsafe(work, self._session._io.loop).add_done_callback(self._ended)

    def _ended(self, outcome: Future[Any]) -> None:
        if not outcome.cancelled() and (error := outcome.exception()) is not None:
            self._failed(str(error))
