"""`Microphone`: the user's voice from the browser, or from a clip where there is none."""

from __future__ import annotations

import asyncio
import functools
import itertools
import weakref
from typing import Any

import numpy as np
import traitlets

from rtnb import formatting
from rtnb.audio import AudioClip, to_clip
from rtnb.audio.samples import Samples, rms
from rtnb.client.async_session import AsyncSession
from rtnb.notebook.assets import source
from rtnb.notebook.captured import CapturedChunks, Chunk
from rtnb.notebook.live_view import LiveView
from rtnb.notebook.refresher import pump
from rtnb.notebook.session import Session
from rtnb.notebook.stand_in import SENTENCE, local_speech, pieces, speak
from rtnb.notebook.uplink import Uplink

OFF, STARTING, ON, REFUSED = "off", "starting", "on", "refused"
_QUESTIONS = 5  # how often the browser is asked for its clock


class Microphone(LiveView):
    """A microphone for a session: a button to start and stop it, a button to hold while one speaks, and a level meter.

    What it hears is appended to the session's input buffer in pieces of 40 ms. Where turn detection is on, the service
    finds the turns. Where it is off, letting go of *Hold to talk* ends the turn and asks for the answer; after *Start* and
    *Stop* that is left to ``session.commit()`` and ``session.respond()``. One microphone of a session is on at a time.

    Parameters
    ----------
    session : Session or AsyncSession
    clip : AudioClip, path, (samples, rate) or bytes of a WAV file, optional
        What to hear instead of the browser's microphone.
    echo_cancellation : bool
        Whether the browser takes out of the sound what its own speakers play, so that an answer does not interrupt itself.

    Attributes
    ----------
    state : str
        ``"off"``, ``"starting"``, ``"on"`` or ``"refused"``.
    words : str
        The same in words, with what to do.
    chunks : CapturedChunks
        Each piece: its number, when it was spoken and when it arrived, its level.
    """

    _esm = source("parts.js", "microphone.js")
    _css = source("parts.css", "microphone.css")
    source = traitlets.Unicode("microphone").tag(sync=True)
    rate = traitlets.Int(24_000).tag(sync=True)
    echo_cancellation = traitlets.Bool(True).tag(sync=True)
    state = traitlets.Unicode(OFF).tag(sync=True)
    words = traitlets.Unicode("off").tag(sync=True)
    gaps = traitlets.Int(0).tag(sync=True)
    level = traitlets.Float(0.0).tag(sync=True)

    def __init__(self, session: Session | AsyncSession, clip: object = None, *, echo_cancellation: bool = True) -> None:
        self.chunks = CapturedChunks()
        self.tape: list[Samples] | None = None
        self._core = session._session if isinstance(session, Session) else session
        self._uplink = Uplink(self._core, self._could_not)
        self._clip = None if clip is None else to_clip(clip)
        self._page = ""
        self._page_run: object = None
        self._run = 0
        self._hold = False
        self._heard = 0.0
        self._why = ""
        self._stopped = asyncio.Event()
        said = {} if self._clip is None else {"source": "clip", "words": _clip_words(self._clip)}
        super().__init__(rate=self._uplink.encoding.rate, echo_cancellation=echo_cancellation, **said)

    @property
    def available(self) -> bool:
        """Return whether a browser shows this, or there is a clip to hear."""
        return bool(self._page) or self._clip is not None

    def start(self) -> None:
        """Start the microphone, as its button does; returns at once."""
        pump().do(self._start)

    def stop(self) -> None:
        """Stop the microphone, as its button does; returns at once."""
        pump().do(self._stop)

    def stand_in(self, clip: AudioClip | None, why: str, seconds: float | None = None) -> None:
        """Let a clip, or the local voice, speak in place of the microphone; on the pump's thread.

        Parameters
        ----------
        clip : AudioClip or None
            None: a sentence of the local voice.
        why : str
            Said to the user.
        seconds : float, optional
            How long to go on: the rest is silence.
        """
        self._begin(hold=False)
        self._why = why
        self._set(ON, why)
        self._speak(clip, seconds)

    # The one writer: all of this is on the pump's thread --------------------------------------------------------------

    def refresh(self) -> None:
        """Show what has come, and compare the clocks."""
        if self.rate != (rate := self._uplink.encoding.rate):
            if self.state in (STARTING, ON):
                self._stop()  # what comes is of the old rate; the next start has the new one
            else:
                self.rate = rate
        if self.gaps != self.chunks.gaps:
            self.gaps = self.chunks.gaps
        if self.state == ON and self._page and self.chunks.clock.answers < _QUESTIONS:
            self.send({"kind": "ping", "id": self.chunks.clock.ask(self._core._connection.now())})

    def received(self, content: Any, buffers: list[memoryview]) -> None:
        """Take what the browser says."""
        kind, page = content.get("kind"), str(content.get("page"))
        if kind == "ready":
            self._page = page
        elif kind == "start":
            self._page = page
            self._page_run = content.get("run")
            self._begin(hold=bool(content.get("hold")))
            if self._clip is not None:
                self._set(ON, "the clip speaks")
                self._speak(self._clip, None)
        elif kind == "pong" and page == self._page:
            shown = float(content.get("clock", np.nan)) / 1000
            self.chunks.clock.answer(int(content.get("id", 0)), shown, self._core._connection.now())
        elif page == self._page and content.get("run") == self._page_run and self.state in (STARTING, ON):
            self._hear(kind, content, buffers)

    def _hear(self, kind: object, content: Any, buffers: list[memoryview]) -> None:
        """Take what the browser says of the microphone that is on."""
        if kind == "on":
            self._set(ON, "listening")
        elif kind == "chunk":
            clock = float(content.get("captured", np.nan)) / 1000
            self._take(np.frombuffer(buffers[0], "<i2").astype(np.int16), int(content.get("seq", 0)), clock)
        elif kind == "stopped":
            self._over()
        elif kind == "refused":
            self._set(REFUSED, str(content.get("words")))

    def _start(self) -> None:
        if self._clip is not None:
            self.stand_in(self._clip, "the clip speaks")
        elif self._page:
            self.send({"kind": "start", "page": self._page})
        else:
            self.stand_in(None, f"No browser shows this microphone, so the local voice says: {SENTENCE}")

    def _stop(self) -> None:
        if self.state not in (STARTING, ON):
            return
        if self._page:
            self.send({"kind": "stop", "page": self._page})
        self._core._io.loop.call_soon_threadsafe(self._stopped.set)

    def _begin(self, *, hold: bool) -> None:
        before, _in_use()[self._core] = _in_use().get(self._core), self
        if before is not None and before is not self:
            before._stop()
        self._hold, self._heard, self._why = hold, 0.0, ""
        self._run += 1
        self._stopped = asyncio.Event()
        self._set(STARTING, "asking for the microphone …")
        if hold:
            self._uplink.interrupt()

    def _take(self, samples: Samples, seq: int, clock: float) -> None:
        seconds = len(samples) / self.rate
        level = rms(samples)
        self.chunks.add(Chunk(self._run, seq, clock, self._core._connection.now(), seconds, level))
        self._heard += seconds
        if self.tape is not None:
            self.tape.append(samples)
        self._uplink.append(samples)

    def _over(self) -> None:
        """End what was heard, in the way that the turn mode wants."""
        if self.state not in (STARTING, ON):
            return
        self._core._io.loop.call_soon_threadsafe(self._stopped.set)
        heard = f"off, {formatting.seconds(self._heard)} heard" if self._heard else "off"
        self._set(OFF, f"{heard}: {self._why}" if self._why else heard)
        if self.level:
            self.level = 0.0
        self._uplink.end_turn(answer=self._hold, seconds=self._heard)

    def _set(self, state: str, words: str) -> None:
        with self.hold_sync():
            self.state, self.words = state, words

    def _speak(self, clip: AudioClip | None, seconds: float | None) -> None:
        self._uplink.submit(self._spoken(clip, seconds, self._run, self._stopped))

    async def _spoken(self, clip: AudioClip | None, seconds: float | None, run: int, stopped: asyncio.Event) -> None:
        """Speak on the I/O thread, and hand each piece to the pump's."""
        said = clip or await local_speech()
        numbers = itertools.count()

        def hand(piece: Samples) -> None:
            pump().do(functools.partial(self._spoken_piece, run, piece, next(numbers)))

        await speak(pieces(said, self.rate, seconds), hand, stopped)
        pump().do(functools.partial(self._spoken_out, run))

    def _spoken_piece(self, run: int, piece: Samples, seq: int) -> None:
        if run == self._run and self.state == ON:  # else it was stopped in the meantime
            self.level = rms(piece)
            self._take(piece, seq, np.nan)

    def _spoken_out(self, run: int) -> None:
        if run != self._run:
            return
        self._over()
        if self._page:
            self.send({"kind": "over", "page": self._page})

    def _could_not(self, words: str) -> None:
        pump().do(
            lambda: self._set(REFUSED if self.state in (STARTING, ON) else self.state, formatting.one_line(words, 300))
        )

    # Beside the browser -----------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Stop, and leave the last state in place of the widget."""
        self._stop()
        super().close()

    def __repr__(self) -> str:
        return f"<Microphone {self.state}: {formatting.one_line(self.words, 200)}; {self.chunks.words}>"

    def snapshot(self) -> dict[str, str]:
        """Return the present state as text and HTML."""
        said = f"Microphone {self.state}: {self.words}"
        parts = [formatting.escape(said), formatting.muted(formatting.escape(self.chunks.words))]
        return {"text/plain": repr(self), "text/html": formatting.card(*parts)}


def microphone_of(session: AsyncSession) -> Microphone | None:
    """Return the microphone that a session was last spoken to with."""
    return _in_use().get(session)


@functools.cache
def _in_use() -> weakref.WeakKeyDictionary[AsyncSession, Microphone]:
    return weakref.WeakKeyDictionary()


def _clip_words(clip: AudioClip) -> str:
    return f"hears a clip of {formatting.seconds(clip.duration)} instead of the browser's microphone"
