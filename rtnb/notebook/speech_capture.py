"""`SpeechCapture`: a few seconds of the user's voice as a clip, which the session hears too; made by ``session.listen``."""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import time
from collections.abc import Generator
from typing import Any

import numpy as np

from rtnb import formatting
from rtnb.audio import AudioClip, to_clip
from rtnb.client.session_view import ViewedSession
from rtnb.errors import AudioError, RtnbError
from rtnb.notebook import refresher
from rtnb.notebook.cell_progress import in_kernel
from rtnb.notebook.microphone import OFF, REFUSED, SENTENCE, Microphone, microphone_of
from rtnb.notebook.widget import core_of

_BROWSER_SECONDS = 2.5
_PERMISSION_SECONDS = 60.0
_HEARTBEAT = 0.1  # seconds; an interrupt lands only when the waiting thread or loop wakes
_log = logging.getLogger("rtnb")


class SpeechCapture:
    """A recording in progress: ``await`` it in a cell, or call `wait` in a script; either returns the `AudioClip`.

    While a cell awaits, the browser's messages reach the kernel; while a cell blocks, they do not. So in a notebook `wait`
    cannot record from a browser.

    Parameters
    ----------
    session : Session or AsyncSession
    seconds : float
    clip : AudioClip, path, (samples, rate) or bytes of a WAV file, optional
        Sound to use instead of a microphone.

    Attributes
    ----------
    microphone : Microphone
    words : str
        What is recorded, and from where.

    Raises
    ------
    TypeError
        If `session` is no live session.
    AudioError
        If `clip` is no audio that can be read, or `seconds` is not positive.
    """

    def __init__(self, session: ViewedSession, seconds: float = 5.0, clip: object = None) -> None:
        self._core = core_of(session, "listen")
        if not seconds > 0:
            raise AudioError(f"Nothing can be recorded in {seconds} seconds; write session.listen(5).")
        self.words = ""
        self._seconds = seconds
        self._clip = None if clip is None else to_clip(clip)
        self._outcome: concurrent.futures.Future[AudioClip] = concurrent.futures.Future()
        before = microphone_of(self._core)
        self._own = before is None or self._clip is not None or not before.available
        self.microphone = Microphone(session, self._clip) if self._own or before is None else before
        self._run = self.microphone.run
        self._began = time.monotonic()
        self._asked = False
        self._plays = False
        if in_kernel():
            self.microphone._ipython_display_()
        self.microphone.tape = []
        refresher.shared().add(self)
        self._keep = self  # until it is over: the refresher's reference is weak

    @property
    def recorded(self) -> float:
        """Return the seconds recorded so far."""
        return sum(map(len, self.microphone.tape or ())) / self.microphone.rate

    def refresh(self) -> None:
        """Choose the source, and end when there is enough or something failed; on the refresher's thread."""
        microphone, waited = self.microphone, time.monotonic() - self._began
        if self._outcome.done():
            return
        if self._core.closed is not None:
            self._fail(self._core.closed)
        elif self.recorded >= self._seconds:
            self._finish()
        elif not self._plays and not self._asked:
            self._choose_source(waited)
        elif not self._plays and microphone.state == REFUSED and microphone.run > self._run:
            self._play_local_voice(microphone.words)
        elif self._plays and microphone.state in (OFF, REFUSED):
            self._fail(RtnbError(f"The recording ended too early: {microphone.words}"))
        elif waited > self._seconds + _PERMISSION_SECONDS:
            self._fail(RtnbError("The browser sent too little sound; read the microphone's words, and listen again."))

    def _choose_source(self, waited: float) -> None:
        if self._clip is not None:
            length = formatting.seconds(self._clip.duration)
            self._play(self._clip, f"a clip of {length} is played instead of the microphone")
        elif self.microphone.available:
            self._asked = True
            self.words = f"listening for {formatting.seconds(self._seconds)}"
            self.microphone.start()
        elif not in_kernel():
            self._play_local_voice("There is no browser")
        elif waited > _BROWSER_SECONDS:
            self._play_local_voice("No browser has answered (only while a cell awaits can it answer)")

    def _play_local_voice(self, why: str) -> None:
        words = f"{why.rstrip('.')}. The local voice speaks instead: {SENTENCE}"
        if not in_kernel():  # in a kernel the microphone is shown, with these words
            _log.warning("%s", words)
        self._play(None, words)

    def _play(self, clip: AudioClip | None, words: str) -> None:
        self._plays = True
        self.words = words
        self.microphone.play(clip, words, self._seconds)

    def _finish(self) -> None:
        rate = self.microphone.rate
        samples = np.concatenate(self.microphone.tape or [])[: round(self._seconds * rate)]
        self._end()
        self._outcome.set_result(AudioClip(samples, rate))

    def _fail(self, error: BaseException) -> None:
        self._end()
        self._outcome.set_exception(error)

    def _end(self) -> None:
        refresher.shared().remove(self)
        self.microphone.tape = None
        self.microphone.stop()
        if self._own:
            self.microphone.settle()
        del self._keep

    def cancel(self) -> None:
        """Stop recording."""
        refresher.shared().do(self._interrupted)

    def _interrupted(self) -> None:
        if not self._outcome.done():
            self._fail(RtnbError("The recording was interrupted."))

    def wait(self) -> AudioClip:
        """Block until the recording is over, and return it.

        Raises
        ------
        SessionClosed
        RtnbError
            Too little was recorded, and why.
        """
        try:
            while not concurrent.futures.wait([self._outcome], timeout=_HEARTBEAT).done:
                pass
            return self._outcome.result()
        except BaseException:
            self.cancel()
            raise

    def __await__(self) -> Generator[Any, None, AudioClip]:
        return self._awaited().__await__()

    async def _awaited(self) -> AudioClip:
        future = asyncio.wrap_future(self._outcome)
        try:
            while not future.done():
                await asyncio.wait([future], timeout=_HEARTBEAT)
            return future.result()
        except BaseException:
            self.cancel()
            raise

    def __repr__(self) -> str:
        progress = f"{formatting.seconds(self.recorded)} of {formatting.seconds(self._seconds)}"
        return f"<SpeechCapture, {progress}: await it, or call .wait()>"
