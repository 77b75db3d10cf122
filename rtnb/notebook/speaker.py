"""`Speaker`: the assistant's voice in the browser, as it comes, and the word of what was really heard of it."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import traitlets

from rtnb import formatting
from rtnb.audio.formats import PCM16
from rtnb.client.async_session import AsyncSession
from rtnb.client.audio_input import stops_for_speech
from rtnb.client.playback import Playback
from rtnb.errors import RtnbError
from rtnb.notebook.assets import source
from rtnb.notebook.live_view import LiveView
from rtnb.notebook.refresher import pump
from rtnb.notebook.session import Session
from rtnb.protocol.events import Event
from rtnb.protocol.names import Kind
from rtnb.timeline.sound import SpokenAudio

RATE = PCM16.rate
"""Samples per second that go to the browser; other formats are resampled to it."""
_PATIENCE = 0.3  # seconds to wait for the player's last word; a kernel that computes does not hear it


class Speaker(LiveView):
    """Plays what the assistant says, while it arrives.

    From the moment in which a browser shows it, `session.interrupt()` cuts an answer at what was really heard. Where the
    user begins to speak during an answer, the speaker falls silent and the answer is cut there (barge-in). Of several
    speakers of one session, the newest plays.

    Parameters
    ----------
    session : Session or AsyncSession
    barge_in : bool
        Whether the user's speech interrupts the answer.

    Attributes
    ----------
    volume : float
        0..1.
    muted : bool
    """

    _esm = source("parts.js", "speaker.js")
    _css = source("parts.css", "speaker.css")
    volume = traitlets.Float(1.0, min=0.0, max=1.0).tag(sync=True)
    muted = traitlets.Bool(False).tag(sync=True)

    def __init__(self, session: Session | AsyncSession, *, barge_in: bool = True) -> None:
        self.barge_in = barge_in
        self.gaps = 0
        self._core = session._session if isinstance(session, Session) else session
        self._spoken = SpokenAudio(self._core.timeline, RATE)
        self._playback = Playback(self._silence)
        self._player = ""
        self._silenced: frozenset[str] = frozenset()
        self._flushes = 0
        self._flushed = threading.Event()
        super().__init__()
        self._core.on(Kind.SPEECH_STARTED, self._speech_started)

    @property
    def playing(self) -> bool:
        """Return whether this is the speaker that the session's answers come from."""
        return bool(self._player) and self._core.playback is self._playback

    def heard_ms(self, item_id: str) -> int | None:
        """Return how many milliseconds of an item have sounded here; None where that is not known."""
        return self._playback.heard_ms(item_id)

    def stop(self) -> None:
        """Stop the answer, as `session.interrupt()` does; returns at once."""
        self._submit_interrupt(cancel=True)

    # To the browser ---------------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Send what has arrived since the last time."""
        if not self.playing:
            return
        for piece in self._spoken.read():
            if piece.response_id in self._silenced:
                continue
            self._playback.give(piece.item_id, len(piece.samples), RATE)
            message = {"kind": "audio", "player": self._player, "item": piece.item_id, "last": piece.last}
            self.send(message, [piece.samples.astype("<i2").tobytes()])

    def _silence(self) -> None:
        """Stop what sounds, and wait a moment for the player's word on how far it was. Not on the pump's thread."""
        self._hush()
        self._flushed.clear()
        pump().do(self._flush)
        self._playback.drop(told=self._flushed.wait(_PATIENCE))

    def _hush(self) -> None:
        """Play no more of any answer that has begun by now."""
        self._silenced = frozenset(self._core.conversation.responses)

    def _flush(self) -> None:
        self._flushes += 1
        self.send({"kind": "flush", "player": self._player, "id": self._flushes})

    def _speech_started(self, event: Event) -> None:
        """Make way for the user; on the listeners' thread, so that it does not wait for a tick."""
        if not (self.barge_in and self.playing):
            return
        by_service = stops_for_speech(self._core.config)
        if by_service:
            self._hush()
        if self._playback.at:
            self._submit_interrupt(cancel=not by_service)

    def _submit_interrupt(self, *, cancel: bool) -> None:
        asyncio.run_coroutine_threadsafe(self._interrupt(cancel), self._core._io.loop)

    async def _interrupt(self, cancel: bool) -> None:
        try:
            await self._core.interrupt(cancel=cancel)
        except RtnbError as error:
            self._core._connection.note_problem(f"the answer could not be cut at what was heard: {error}")

    # From the browser -------------------------------------------------------------------------------------------------

    def received(self, content: Any, buffers: list[memoryview]) -> None:
        """Take the player's word."""
        kind, player = content.get("kind"), content.get("player")
        if kind == "ready":
            self._choose(str(player), bool(content.get("running")))
        if player != self._player:
            return
        if kind == "state":
            self._playback.running = bool(content.get("running"))
        elif kind == "dropped":
            self._playback.drop(map(str, content.get("items", ())))
        elif kind == "stop":
            self.stop()
        elif kind in ("played", "flushed"):
            self._playback.report(content.get("played", {}))
            self.gaps = int(content.get("gaps", 0))
            if kind == "flushed" and content.get("id") == self._flushes:
                self._flushed.set()

    def _choose(self, player: str, running: bool) -> None:
        """Let the page that has just come play, instead of any other."""
        if self._player or self._core.playback is not None:
            self._spoken.skip()  # whoever played until now has it
        self._playback.drop()
        self._player = player
        self._playback.running = running
        before, self._core.playback = self._core.playback, self._playback
        if before is not None and before is not self._playback:
            before.retire()
        self._playback.retire = self._retire
        self.send({"kind": "chosen", "player": player})

    def _retire(self) -> None:
        """Fall silent: another speaker of the session plays from now on."""
        self._hush()
        self._flush()
        self.send({"kind": "chosen", "player": ""})

    # Beside the browser -----------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Take the speaker away; what was heard is reckoned again."""
        self._core.off(Kind.SPEECH_STARTED, self._speech_started)
        if self._core.playback is self._playback:
            self._core.playback = None
        super().close()

    def __repr__(self) -> str:
        state = "muted" if self.muted else f"volume {self.volume:.0%}"
        where = "plays in the browser" if self.playing else "no browser shows it"
        return f"<Speaker {state}, {where}, {formatting.seconds(self._playback.seconds)} heard>"

    def snapshot(self) -> dict[str, str]:
        """Return the present state as text and HTML."""
        words = repr(self).strip("<>")
        return {"text/plain": repr(self), "text/html": formatting.card(formatting.muted(formatting.escape(words)))}
