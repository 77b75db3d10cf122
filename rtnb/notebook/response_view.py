"""`ResponseView`: a response in progress, replaced by the finished response when it is done."""

from __future__ import annotations

import threading
import time

from traitlets import Bytes, Float, Unicode

from rtnb import formatting
from rtnb.conversation.response import Response
from rtnb.notebook.growing_arrays import GrowingEnvelope
from rtnb.notebook.widget import ViewWidget, static, wrong_object

BINS = 80
_SHOWN_CHARACTERS = 4000
_NOTHING = {"text/html": "", "text/plain": ""}


class ResponseView(ViewWidget):
    """Words, waveform and figures of a response while they arrive.

    When the response is done the view closes itself, and each cell that showed it shows the finished response instead.

    Parameters
    ----------
    response : Response
    stays : bool
        False leaves nothing in the view's place, for a cell whose value is the same response; call `vanish` then.

    Raises
    ------
    TypeError
        If `response` is no response.
    """

    _esm = static("shared.js", "response_view.js")
    _css = static("shared.css", "response_view.css")
    words = Unicode().tag(sync=True)
    figures = Unicode().tag(sync=True)
    seconds = Float().tag(sync=True)
    wave = Bytes().tag(sync=True)

    def __init__(self, response: Response, *, stays: bool = True) -> None:
        if not isinstance(response, Response):
            raise wrong_object("ResponseView", "a response, as session.respond(wait=False) returns it", response)
        self._response = response
        self._stays = stays
        self._began = time.monotonic()
        self._envelope = GrowingEnvelope()
        self._lock = threading.RLock()
        self._over = False
        super().__init__()

    def refresh(self) -> None:
        """Draw what has arrived; at the end, leave the finished response and close."""
        with self._lock:
            if self._over:
                return
            done = self._response.done
            self._draw()
            if done and self._stays:
                self._end()

    def vanish(self) -> None:
        """Close the view and leave nothing in its place; from any thread."""
        with self._lock:
            self._stays = False
            if not self._over:
                self._end()

    def _end(self) -> None:
        self._over = True
        self.close()

    def _draw(self) -> None:
        response = self._response
        self._envelope.take([part for item in response.items for part in list(item.content.values())])
        wave = self._envelope.envelope(BINS)
        with self.hold_sync():
            self.words = _tail(response.transcript)
            self.figures = self._figures()
            if wave != self.wave:
                self.seconds = response.audio_seconds
                self.wave = wave

    def _figures(self) -> str:
        response = self._response
        return " · ".join(
            [
                formatting.one_line(response.status, 40),
                response.progress_words,
                f"{time.monotonic() - self._began:.1f} s",
            ]
        )

    def snapshot(self) -> dict[str, str]:
        """Return the finished response, or what there is of it so far; nothing of a view that vanishes."""
        if self._over and not self._stays:
            return dict(_NOTHING)
        if self._response.done:
            return self._response._repr_mimebundle_()
        words = formatting.escape(_tail(self._response.transcript))
        html = formatting.card(words, formatting.muted(f"▸ {self._figures()}"))
        return {"text/plain": repr(self._response), "text/html": html}

    def __repr__(self) -> str:
        return f"<ResponseView of {self._response!r}>"


def _tail(words: str) -> str:
    words = formatting.printable(words[-_SHOWN_CHARACTERS - 1 :])
    return words if len(words) <= _SHOWN_CHARACTERS else "… " + words[-_SHOWN_CHARACTERS:]
