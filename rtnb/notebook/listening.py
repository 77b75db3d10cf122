"""`listen`: a few seconds of the user's voice as a clip, which the session hears, too."""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import sys
import time
from collections.abc import Generator
from typing import Any

import numpy as np

from rtnb import formatting
from rtnb.audio import AudioClip, to_clip
from rtnb.client.async_session import AsyncSession
from rtnb.errors import AudioError, RtnbError
from rtnb.notebook.microphone import OFF, REFUSED, Microphone, microphone_of
from rtnb.notebook.refresher import pump
from rtnb.notebook.stand_in import SENTENCE

_BROWSER_SECONDS = 2.5
_LEAVE_SECONDS = 60.0
_HEARTBEAT = 0.1
_log = logging.getLogger("rtnb")


class Listening:
    """Somebody is listened to: ``await`` it in a cell, or call `wait` in a script; either returns the `AudioClip`.

    A cell that awaits lets the browser through to the kernel; one that blocks does not, so in a notebook `wait` hears a
    browser only afterwards.

    Attributes
    ----------
    words : str
        What is heard, and from where, in words.
    """

    def __init__(self, session: AsyncSession, seconds: float, clip: object) -> None:
        if not seconds > 0:
            raise AudioError(f"Nothing can be heard in {seconds} seconds; write session.listen(5).")
        self.words = ""
        self._session = session
        self._seconds = seconds
        self._clip = None if clip is None else to_clip(clip)
        self._outcome: concurrent.futures.Future[AudioClip] = concurrent.futures.Future()
        before = microphone_of(session)
        self._own = before is None or self._clip is not None or not before.available
        self.microphone = Microphone(session, self._clip) if self._own or before is None else before
        self._began = time.monotonic()
        self._asked = 0.0
        self._speaks = False
        if _in_kernel():
            self.microphone._ipython_display_()
        self.microphone.tape = []
        pump().add(self)
        self._keep = self  # until it is over, whoever asked may forget it

    @property
    def heard(self) -> float:
        """Return the seconds heard so far."""
        return sum(map(len, self.microphone.tape or ())) / self.microphone.rate

    def refresh(self) -> None:
        """See how far it is; on the pump's thread."""
        if self._outcome.done():
            return
        now = time.monotonic()
        if self._session.closed is not None:
            self._fail(self._session.closed)
        elif self.heard >= self._seconds:
            self._finish()
        elif not self._speaks and not self._asked:
            self._seek(now)
        elif not self._speaks and self.microphone.state == REFUSED:
            self._stand_in(self.microphone.words)
        elif self._speaks and self.microphone.state in (OFF, REFUSED):
            self._fail(RtnbError(f"Nothing more was heard: {self.microphone.words}"))
        elif now - self._began > self._seconds + _LEAVE_SECONDS:
            self._fail(
                RtnbError("The browser sent too little sound; look at the microphone's words, and listen again.")
            )

    def _seek(self, now: float) -> None:
        """Find who speaks: the clip, the browser's microphone, or else the local voice."""
        if self._clip is not None:
            self._speak(
                self._clip, f"a clip of {formatting.seconds(self._clip.duration)} speaks instead of the microphone"
            )
        elif self.microphone.available:
            self._asked = now
            self.words = f"listening for {formatting.seconds(self._seconds)}"
            self.microphone._start()
        elif not _in_kernel():
            self._stand_in("There is no browser")
        elif now - self._began > _BROWSER_SECONDS:
            self._stand_in("No browser has answered (a cell that awaits hears one, a cell that blocks does not)")

    def _stand_in(self, why: str) -> None:
        words = f"{why.rstrip('.')}. The local voice speaks instead: {SENTENCE}"
        if not _in_kernel():  # there the microphone is shown, with these words
            _log.warning("%s", words)
        self._speak(None, words)

    def _speak(self, clip: AudioClip | None, words: str) -> None:
        self._speaks = True
        self.words = words
        self.microphone.stand_in(clip, words, self._seconds)

    def _finish(self) -> None:
        rate = self.microphone.rate
        samples = np.concatenate(self.microphone.tape or [])[: round(self._seconds * rate)]
        self._end()
        self._outcome.set_result(AudioClip(samples, rate))

    def _fail(self, error: BaseException) -> None:
        self._end()
        self._outcome.set_exception(error)

    def _end(self) -> None:
        pump().remove(self)
        self.microphone.tape = None
        self.microphone._stop()
        if self._own:
            self.microphone.settle()
        del self._keep

    def cancel(self) -> None:
        """Listen no more."""
        pump().do(lambda: None if self._outcome.done() else self._fail(RtnbError("Listening was interrupted.")))

    def wait(self) -> AudioClip:
        """Block until it is over, and return what was heard.

        Raises
        ------
        SessionClosed
        RtnbError
            Nothing was heard, and why.
        """
        try:
            while not concurrent.futures.wait([self._outcome], timeout=_HEARTBEAT).done:
                pass
            return self._outcome.result()
        except BaseException:
            self.cancel()
            raise

    def __await__(self) -> Generator[Any, None, AudioClip]:
        return self._arrived().__await__()

    async def _arrived(self) -> AudioClip:
        future = asyncio.wrap_future(self._outcome)
        try:
            while not future.done():
                await asyncio.wait([future], timeout=_HEARTBEAT)
            return future.result()
        except BaseException:
            self.cancel()
            raise

    def __repr__(self) -> str:
        return f"<Listening, {formatting.seconds(self.heard)} of {formatting.seconds(self._seconds)}: await it, or call .wait()>"


def listen(session: AsyncSession, seconds: float = 5.0, clip: object = None) -> Listening:
    """Listen to the user for a while; see `AsyncSession.listen`."""
    return Listening(session, seconds, clip)


def _in_kernel() -> bool:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and getattr(shell, "kernel", None) is not None
