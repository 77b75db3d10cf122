"""`Microphone`: the user's voice from the browser, or a clip in its place, on its way into the input audio buffer."""

from __future__ import annotations

import asyncio
import functools
import itertools
import weakref
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any

import numpy as np
import traitlets

from rtnb import formatting
from rtnb.audio import AudioClip, to_clip
from rtnb.audio.formats import FORMATS, AudioFormat
from rtnb.audio.samples import Samples, rms
from rtnb.client.audio_input import append_commands, trailing_silence, turn_detected
from rtnb.client.session_view import SessionCore, ViewedSession
from rtnb.errors import RtnbError
from rtnb.notebook import refresher
from rtnb.notebook.input_chunks import InputChunk, InputChunks, clip_chunks, play_chunks
from rtnb.notebook.widget import ViewWidget, core_of, static
from rtnb.protocol import commands
from rtnb.protocol.config import format_name, look

OFF, STARTING, ON, REFUSED = "off", "starting", "on", "refused"
SENTENCE = "Hello! What is six times seven?"
"""What the local voice says where there is no microphone."""
SHORTEST = 0.1
"""Seconds of audio below which a service refuses to commit."""
_CLOCK_QUESTIONS = 5


class Microphone(ViewWidget):
    """A microphone for a session: a button to start and stop it, a button to hold while speaking, and a level meter.

    Its sound is appended to the session's input audio buffer in chunks of 40 ms. With turn detection the service ends the
    turns. Without it, releasing *Hold to talk* commits the turn and asks for a response; after *Start* and *Stop* that is
    left to ``session.commit()`` and ``session.respond()``. Only one microphone of a session is on at a time.

    Parameters
    ----------
    session : Session or AsyncSession
    clip : AudioClip, path, (samples, rate) or bytes of a WAV file, optional
        Sound to use instead of the browser's microphone.
    echo_cancellation : bool
        Whether the browser removes what its own speakers play from the sound, so that a response does not interrupt itself.

    Attributes
    ----------
    state : str
        ``"off"``, ``"starting"``, ``"on"`` or ``"refused"``.
    words : str
        The same in words, with what to do.
    chunks : InputChunks
        A table of the chunks: number, times of capture and arrival, level.
    run : int
        How often it was started.
    tape : list of ndarray of int16, or None
        Where the samples of each chunk are kept while `SpeechCapture` records.

    Raises
    ------
    TypeError
        If `session` is no live session.
    AudioError
        If `clip` is no audio that can be read.
    """

    _esm = static("shared.js", "microphone.js")
    _css = static("shared.css", "microphone.css")
    source = traitlets.Unicode("microphone").tag(sync=True)
    rate = traitlets.Int(24_000).tag(sync=True)
    echo_cancellation = traitlets.Bool(True).tag(sync=True)
    state = traitlets.Unicode(OFF).tag(sync=True)
    words = traitlets.Unicode("off").tag(sync=True)
    gaps = traitlets.Int(0).tag(sync=True)
    level = traitlets.Float(0.0).tag(sync=True)

    def __init__(self, session: ViewedSession, clip: object = None, *, echo_cancellation: bool = True) -> None:
        self._core = core_of(session, "Microphone")
        self.chunks = InputChunks()
        self.tape: list[Samples] | None = None
        self.run = 0
        self._sender = _InputSender(
            self._core, lambda words: refresher.shared().do(functools.partial(self._failed, words))
        )
        self._clip = None if clip is None else to_clip(clip)
        self._page = ""
        self._page_run: object = None
        self._hold = False
        self._seconds = 0.0
        self._why = ""
        self._stopped = asyncio.Event()
        shown: dict[str, Any] = {}
        if self._clip is not None:
            length = formatting.seconds(self._clip.duration)
            shown = {"source": "clip", "words": f"a clip of {length} instead of the browser's microphone"}
        super().__init__(rate=self._sender.encoding.rate, echo_cancellation=echo_cancellation, **shown)

    @property
    def available(self) -> bool:
        """Return whether a browser shows this microphone, or a clip takes its place."""
        return bool(self._page) or self._clip is not None

    def start(self) -> None:
        """Start the microphone, as its button does; returns at once."""
        refresher.shared().do(self._start)

    def stop(self) -> None:
        """Stop the microphone, as its button does; returns at once."""
        refresher.shared().do(self._stop)

    def play(self, clip: AudioClip | None, why: str, seconds: float | None = None) -> None:
        """Play a clip, or the local voice, in place of the microphone; on the refresher's thread.

        Parameters
        ----------
        clip : AudioClip or None
            None: a sentence of the local voice.
        why : str
            Shown to the user.
        seconds : float, optional
            Length: the clip is cut there, or followed by silence.
        """
        if self._begin(hold=False):
            self._why = why
            self._set(ON, why)
            self._sender.submit(self._play(clip, seconds, self.run, self._stopped))

    # On the refresher's thread, the one writer ------------------------------------------------------------------------

    def refresh(self) -> None:
        """Show what has come, and compare the clocks."""
        if self.rate != (rate := self._sender.encoding.rate):
            if self.state in (STARTING, ON):
                self._stop()  # the chunks that still come have the old rate; the next start has the new one
            else:
                self.rate = rate
        if self.gaps != self.chunks.gaps:
            self.gaps = self.chunks.gaps
        if self.state == ON and self._page and self.chunks.clock.answers < _CLOCK_QUESTIONS:
            self.send({"kind": "ping", "id": self.chunks.clock.ask(self._core.now())})

    def received(self, content: Any, buffers: list[memoryview]) -> None:
        """Handle a message from the browser."""
        kind, page = content.get("kind"), str(content.get("page"))
        if kind == "ready":
            self._page = page
        elif kind == "start":
            self._page, self._page_run = page, content.get("run")
            if self._begin(hold=bool(content.get("hold"))) and self._clip is not None:
                self._set(ON, "the clip is played")
                self._sender.submit(self._play(self._clip, None, self.run, self._stopped))
        elif kind == "pong" and page == self._page:
            shown = float(content.get("clock", np.nan)) / 1000
            self.chunks.clock.answer(int(content.get("id", 0)), shown, self._core.now())
        elif page == self._page and content.get("run") == self._page_run and self.state in (STARTING, ON):
            self._received_of_run(kind, content, buffers)

    def _received_of_run(self, kind: object, content: Any, buffers: list[memoryview]) -> None:
        if kind == "on":
            self._set(ON, "listening")
        elif kind == "chunk":
            clock = float(content.get("captured", np.nan)) / 1000
            self._take(np.frombuffer(buffers[0], "<i2").astype(np.int16), int(content.get("seq", 0)), clock)
        elif kind == "stopped":
            self._end()
        elif kind == "refused":
            self._set(REFUSED, str(content.get("words")))

    def _start(self) -> None:
        if self._clip is not None:
            self.play(self._clip, "the clip is played")
        elif self._page:
            self.send({"kind": "start", "page": self._page})
        else:
            self.play(None, f"No browser shows this microphone, so the local voice says: {SENTENCE}")

    def _stop(self) -> None:
        if self.state in (STARTING, ON):
            self._stop_source()

    def _stop_source(self) -> None:
        if self._page:
            self.send({"kind": "stop", "page": self._page})
        self._core.call_soon(self._stopped.set)

    def _begin(self, *, hold: bool) -> bool:
        """Begin a run in place of any other microphone of the session; return whether there is a session to talk to."""
        before, _in_use()[self._core] = _in_use().get(self._core), self
        if before is not None and before is not self:
            before.stop()
        self._hold, self._seconds, self._why = hold, 0.0, ""
        self.run += 1
        self._stopped = asyncio.Event()
        self._set(STARTING, "asking for the microphone …")
        if self._core.closed is not None:
            self._failed(str(self._core.closed))
            return False
        if hold:
            self._sender.interrupt()
        return True

    def _take(self, samples: Samples, seq: int, clock: float) -> None:
        seconds = len(samples) / self.rate
        self.chunks.add(InputChunk(self.run, seq, clock, self._core.now(), seconds, rms(samples)))
        self._seconds += seconds
        if self.tape is not None:
            self.tape.append(samples)
        self._sender.append(samples)

    def _end(self) -> None:
        """End the run, and the turn as the turn detection of the session wants it."""
        if self.state not in (STARTING, ON):
            return
        self._core.call_soon(self._stopped.set)
        words = f"off, {formatting.seconds(self._seconds)} recorded" if self._seconds else "off"
        self._set(OFF, f"{words}: {self._why}" if self._why else words)
        if self.level:
            self.level = 0.0
        self._sender.end_turn(respond=self._hold, seconds=self._seconds)

    def _set(self, state: str, words: str) -> None:
        with self.hold_sync():
            self.state, self.words = state, words

    def _failed(self, words: str) -> None:
        if self.state in (STARTING, ON):
            self._stop_source()
            self._set(REFUSED, formatting.one_line(words, 300))
        else:
            self._set(self.state, formatting.one_line(words, 300))

    # A clip in place of the microphone: played on the I/O thread, taken on the refresher's ----------------------------

    async def _play(self, clip: AudioClip | None, seconds: float | None, run: int, stopped: asyncio.Event) -> None:
        sound = clip or await self._local_speech()
        numbers = itertools.count()

        def take(samples: Samples) -> None:
            refresher.shared().do(functools.partial(self._played, run, samples, next(numbers)))

        await play_chunks(clip_chunks(sound, self.rate, seconds), take, stopped)
        refresher.shared().do(functools.partial(self._played_out, run))

    async def _local_speech(self) -> AudioClip:
        try:
            if self._core.local_speech is None:
                raise RtnbError("this session has none")
            return await self._core.local_speech(SENTENCE)
        except Exception as error:  # whatever the local service ran into
            raise RtnbError(
                f"There is no microphone, and no local voice in its place ({error}). "
                "Speak by file: session.listen(5, clip=path)."
            ) from error

    def _played(self, run: int, samples: Samples, seq: int) -> None:
        if run == self.run and self.state == ON:  # not stopped in the meantime
            self.level = rms(samples)
            self._take(samples, seq, np.nan)

    def _played_out(self, run: int) -> None:
        if run == self.run:
            self._end()
            if self._page:
                self.send({"kind": "over", "page": self._page})

    # As shown ---------------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Stop, and leave the last state in place of the widget."""
        self._stop()
        super().close()

    def __repr__(self) -> str:
        return f"<Microphone {self.state}: {formatting.one_line(self.words, 200)}; {self.chunks.words}>"

    def snapshot(self) -> dict[str, str]:
        """Return the present state as text and HTML."""
        words = formatting.escape(f"Microphone {self.state}: {self.words}")
        html = formatting.card(words, formatting.muted(formatting.escape(self.chunks.words)))
        return {"text/plain": repr(self), "text/html": html}


class _InputSender:
    """Sends the sound of a microphone to the service, in order; its methods may be called on any thread and do not wait.

    Parameters
    ----------
    core : SessionCore
    failed : callable
        Called with the words of what could not be sent, on the I/O thread.
    """

    def __init__(self, core: SessionCore, failed: Callable[[str], None]) -> None:
        self._core = core
        self._failed = failed

    @property
    def encoding(self) -> AudioFormat:
        """Return the session's input format."""
        return FORMATS[format_name(look(self._core.config, ("audio", "input", "format")))]

    def append(self, samples: Samples) -> None:
        """Append samples, int16 of shape (n,), at the rate of `encoding`."""
        self.submit(self._core.send(self._core.dialect.encode(commands.append_audio(self.encoding.encode(samples)))))

    def interrupt(self) -> None:
        """Cut the response that is being played at what was heard, unless turn detection makes the service do so."""
        playback = self._core.playback
        if playback is not None and playback.at and not turn_detected(self._core.config):
            self.submit(self._core.interrupt())

    def end_turn(self, *, respond: bool, seconds: float) -> None:
        """End a turn of `seconds`; without turn detection, commit it and ask for a response if `respond` is set."""
        self.submit(self._end_turn(respond, seconds))

    async def _end_turn(self, respond: bool, seconds: float) -> None:
        config = self._core.config
        if turn_detected(config):
            # The microphone is off, so nothing but silence sent in its place ends the turn.
            for command in append_commands(trailing_silence(config), config):
                await self._core.send(command)
        elif not self._core.kind.allows("commit()"):
            return
        elif respond and seconds < SHORTEST:
            await self._core.clear()
            self._failed("That was too short: hold the button for as long as you speak.")
        elif respond:
            await self._core.commit()
            if self._core.kind.allows("respond()"):
                await self._core.respond(wait=False)

    def submit(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        """Run a coroutine on the I/O thread."""
        self._core.submit(coroutine).add_done_callback(self._done)

    def _done(self, outcome: Future[Any]) -> None:
        if not outcome.cancelled() and (error := outcome.exception()) is not None:
            self._failed(str(error))


def microphone_of(core: SessionCore) -> Microphone | None:
    """Return the microphone that was started last for a session."""
    return _in_use().get(core)


@functools.cache
def _in_use() -> weakref.WeakKeyDictionary[SessionCore, Microphone]:
    return weakref.WeakKeyDictionary()
