"""`Speaker`: plays the assistant's voice in the browser while it arrives, and knows how much of it was heard."""

from __future__ import annotations

import threading
from typing import Any

import traitlets

from rtnb import formatting
from rtnb.audio.formats import PCM16
from rtnb.client.audio_input import stops_for_speech
from rtnb.client.playback import Playback
from rtnb.client.session_view import ViewedSession
from rtnb.errors import RtnbError
from rtnb.notebook import refresher
from rtnb.notebook.widget import ViewWidget, core_of, static
from rtnb.protocol.events import Event
from rtnb.protocol.names import Kind
from rtnb.timeline.sound import SpokenAudio

RATE = PCM16.rate
"""Samples per second that are sent to the browser; other formats are resampled to it."""
_REPORT_SECONDS = 0.3  # to wait for the player's last report, which a busy kernel cannot receive


class Speaker(ViewWidget):
    """Plays the assistant's audio while it arrives, from the moment the speaker was made; earlier audio is not replayed.

    Once a browser shows it, ``session.interrupt()`` truncates a response where it really was heard. When the user begins
    to speak during a response, the speaker falls silent and the response is truncated there (barge-in). Of several
    speakers of one session, the one shown last plays.

    Parameters
    ----------
    session : Session or AsyncSession
    barge_in : bool
        Whether the user's speech interrupts the response.

    Attributes
    ----------
    volume : float
        0..1.
    muted : bool
    gaps : int
        How often the browser ran out of audio in the middle of a response.

    Raises
    ------
    TypeError
        If `session` is no live session.
    """

    _esm = static("shared.js", "speaker.js")
    _css = static("shared.css", "speaker.css")
    volume = traitlets.Float(1.0, min=0.0, max=1.0).tag(sync=True)
    muted = traitlets.Bool(False).tag(sync=True)

    def __init__(self, session: ViewedSession, *, barge_in: bool = True) -> None:
        self._core = core_of(session, "Speaker")
        self.barge_in = barge_in
        self.gaps = 0
        self._spoken = SpokenAudio(self._core.timeline, RATE, start=len(self._core.timeline))
        self._playback = Playback(self._silence)
        self._player = ""
        self._silenced: frozenset[str] = frozenset()
        self._flushes = 0
        self._flushed = threading.Event()
        super().__init__()
        self._core.on(Kind.SPEECH_STARTED, self._speech_started)

    @property
    def playing(self) -> bool:
        """Return whether this is the speaker that plays the session's responses."""
        return bool(self._player) and self._core.playback is self._playback

    def heard_ms(self, item_id: str) -> int | None:
        """Return how many milliseconds of an item have been played here; None where that is not known."""
        return self._playback.heard_ms(item_id)

    def stop(self) -> None:
        """Stop the response, as ``session.interrupt()`` does; returns at once."""
        self._interrupt_soon(cancel=True)

    # To the browser ---------------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Send the audio that has arrived since the last call."""
        if not self.playing:
            return
        for piece in self._spoken.read():
            if piece.response_id in self._silenced:
                continue
            self._playback.give(piece.item_id, len(piece.samples), RATE)
            message = {"kind": "audio", "player": self._player, "item": piece.item_id, "last": piece.last}
            self.send(message, [piece.samples.astype("<i2").tobytes()])

    def _silence(self) -> None:
        """Stop playing, and wait a moment for the player's report of how far it was; not on the refresher's thread."""
        self._hush()
        self._flushed.clear()
        refresher.shared().do(self._flush)
        self._playback.drop(reported=self._flushed.wait(_REPORT_SECONDS))

    def _hush(self) -> None:
        """Play no more of any response that has begun."""
        self._silenced = frozenset(self._core.conversation.responses)

    def _flush(self) -> None:
        self._flushes += 1
        self.send({"kind": "flush", "player": self._player, "id": self._flushes})

    def _speech_started(self, event: Event) -> None:
        """Let the user interrupt; on the listeners' thread, so that it does not wait for a refresh."""
        if not (self.barge_in and self.playing):
            return
        by_service = stops_for_speech(self._core.config)
        if by_service:
            self._hush()
        if self._playback.at:
            self._interrupt_soon(cancel=not by_service)

    def _interrupt_soon(self, *, cancel: bool) -> None:
        self._core.submit(self._interrupt(cancel))

    async def _interrupt(self, cancel: bool) -> None:
        try:
            await self._core.interrupt(cancel=cancel)
        except RtnbError as error:
            self._core.note_problem(f"the response could not be truncated where it was heard: {error}")

    # From the browser -------------------------------------------------------------------------------------------------

    def received(self, content: Any, buffers: list[memoryview]) -> None:
        """Handle a message from a page's player."""
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
        """Let the page that has just appeared play, instead of any other."""
        if self._player or self._core.playback is not None:
            self._spoken.skip()  # the player until now has played it
        self._playback.drop()
        self._player = player
        self._playback.running = running
        before, self._core.playback = self._core.playback, self._playback
        if before is not None and before is not self._playback:
            before.retire()
        self._playback.retire = self._retire
        self.send({"kind": "chosen", "player": player})

    def _retire(self) -> None:
        """Stop playing: another speaker of the session plays from now on."""
        self._hush()
        self._flush()
        self.send({"kind": "chosen", "player": ""})

    # As shown ---------------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Close the speaker; what was heard is then estimated again from arrival times."""
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
