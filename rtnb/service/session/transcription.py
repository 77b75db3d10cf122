"""What becomes of the user's sound: it is written down while it comes, and the words reach the item, the client and the reply."""

from __future__ import annotations

from typing import Any

from rtnb.audio.samples import Samples
from rtnb.formatting import one_line
from rtnb.protocol.config import look
from rtnb.protocol.names import Kind
from rtnb.service.engines.tasks import Result, Transcribe, Transcript
from rtnb.service.session.deltas import text_deltas
from rtnb.service.session.held_item import HeldItem
from rtnb.service.session.jobs import Events, Jobs
from rtnb.service.session.settings import TRANSCRIPTION, Settings
from rtnb.service.session.usage import transcription_usage

UNAVAILABLE = "transcription_unavailable"
"""The code of a failure because nobody is there who could transcribe."""


class Hearing:
    """One stretch of the user's speech on its way to words.

    It is begun when the speech begins, and bound to its item when that is committed; the words may come before or after.

    Parameters
    ----------
    settings : Settings
    jobs : Jobs
    rate : int
        Samples per second (Hz) of what it hears.
    told : bool
        Whether the client is told, where the session says so.
    """

    def __init__(self, settings: Settings, jobs: Jobs, rate: int, *, told: bool = True) -> None:
        wanted = look(settings.tree, TRANSCRIPTION)
        self._told = told and wanted is not None
        self._model = str((wanted or {}).get("model") or "")
        self._jobs = jobs
        self._held: HeldItem | None = None
        self._text = ""
        self._problem: dict[str, Any] | None = None
        self._over = False
        prompt = ", ".join(filter(None, [(wanted or {}).get("prompt"), *((wanted or {}).get("keywords") or ())]))
        self._job = jobs.start(Transcribe((wanted or {}).get("language"), prompt, rate), self)

    def feed(self, samples: Samples) -> None:
        """Hear more (int16)."""
        self._jobs.feed(self._job, samples)

    def drop(self) -> None:
        """Forget what was heard: it never becomes an item."""
        self._jobs.stop(self._job)

    def bind(self, held: HeldItem) -> Events:
        """Give the words to an item, which is complete now; return what can be told at once."""
        self._held = held
        held.pending = not self._over
        self._jobs.finish(self._job)
        return self._conclude()

    def take(self, job: str, result: Result) -> Events:
        """Take what was understood so far; a text that may still change is nobody's business yet."""
        if isinstance(result, Transcript):
            self._text = result.text
        return []

    def end(self, job: str) -> Events:
        """Know that the last text was the final one."""
        self._over = True
        return self._conclude()

    def fail(self, job: str, code: str, message: str) -> Events:
        """Know that there will be no text."""
        self._over = True
        self._text = ""
        kind = "invalid_request_error" if code == UNAVAILABLE else "server_error"
        self._problem = {"type": kind, "code": code, "message": one_line(message, 500), "param": None}
        return self._conclude()

    def _conclude(self) -> Events:
        if self._held is None or not self._over:
            return []
        self._held.pending = False
        if self._problem is not None:
            self._held.problem = self._problem["message"]
        elif not self._told:
            self._held.understood = self._text
        else:
            self._show(self._held)
        return self._events(self._held) if self._told else []

    def _show(self, held: HeldItem) -> None:
        for part in held.parts:
            if part["type"] == "input_audio":
                part["transcript"] = self._text

    def _events(self, held: HeldItem) -> Events:
        index = next(index for index, part in enumerate(held.parts) if part["type"] == "input_audio")
        place = {"item_id": held.id, "content_index": index}
        if self._problem is not None:
            return [{"type": Kind.INPUT_TRANSCRIPTION_FAILED.value, **place, "error": self._problem}]
        pieces = [self._text] if self._model == "whisper-1" else text_deltas(self._text)
        events: Events = [
            {"type": Kind.INPUT_TRANSCRIPTION_DELTA.value, **place, "delta": piece} for piece in pieces if piece
        ]
        usage = transcription_usage(self._model, held.seconds, self._text)
        done = {"type": Kind.INPUT_TRANSCRIPTION_COMPLETED.value, **place, "transcript": self._text, "usage": usage}
        return [*events, done]
