"""Input transcription: a user's speech on its way to the item, the client and the reply."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rtnb.audio.samples import Samples
from rtnb.formatting import one_line
from rtnb.protocol.catalog import DIARIZING_MODELS, WHOLE_TRANSCRIPT_MODELS
from rtnb.protocol.names import Kind
from rtnb.protocol.setting_shapes import LOGPROBS
from rtnb.service.engines.tasks import UNINTELLIGIBLE, Result, Transcribe, Transcript
from rtnb.service.session.client_events import Events
from rtnb.service.session.deltas import text_deltas
from rtnb.service.session.engine_orders import EngineOrders
from rtnb.service.session.items import StoredItem
from rtnb.service.session.settings import TRANSCRIPTION, ServiceSettings
from rtnb.service.session.usage import transcription_usage

_SPEAKER = "A"
UNAVAILABLE = "transcription_unavailable"
"""The code of a failure because the service has no transcriber."""

_ERROR_TYPES = {UNAVAILABLE: "invalid_request_error", UNINTELLIGIBLE: "transcription_error"}


class InputTranscription:
    """The transcription of one turn.

    It starts when the speech starts, so that the transcriber works while the user speaks, and is bound to its item when
    that is committed. The transcript may arrive before or after that. Every turn is transcribed, since the reply needs the
    words; where the session has no transcription, or with ``announced=False``, the client is sent nothing of it.
    """

    def __init__(self, settings: ServiceSettings, orders: EngineOrders, rate: int, *, announced: bool = True) -> None:
        wanted = settings.get(TRANSCRIPTION)
        self._announced = announced and wanted is not None
        wanted = wanted or {}
        self._model = str(wanted.get("model") or "")
        self._wants_logprobs = LOGPROBS in (settings.get(("include",)) or ())
        self._orders = orders
        self._item: StoredItem | None = None
        self._text = ""
        self._tokens: tuple[tuple[str, float], ...] = ()  # of the text, with the logarithm of the probability of each
        self._error: dict[str, Any] | None = None
        self._over = False
        prompt = ", ".join(filter(None, [wanted.get("prompt"), *(wanted.get("keywords") or ())]))
        language = wanted.get("language") or next(iter(wanted.get("languages") or ()), None)
        self._job = orders.start(Transcribe(language, prompt, rate), self)

    def feed(self, samples: Samples) -> None:
        """Pass on more speech (int16)."""
        self._orders.feed(self._job, samples)

    def drop(self) -> None:
        """Stop: the speech never becomes an item."""
        self._orders.stop(self._job)

    def bind(self, item: StoredItem) -> Events:
        """Give the transcript to an item, whose audio is complete; return the events that can be sent already."""
        self._item = item
        item.transcribing = not self._over
        self._orders.finish(self._job)
        return self._conclude()

    def take(self, job: str, result: Result) -> Events:
        """Keep the transcript."""
        if isinstance(result, Transcript):
            self._text, self._tokens = result.text, result.logprobs
        return []

    def end(self, job: str) -> Events:
        """Note that the transcript is final."""
        self._over = True
        return self._conclude()

    def fail(self, job: str, code: str, message: str) -> Events:
        """Note that there will be no transcript."""
        self._over = True
        self._text = ""
        self._error = {
            "type": _ERROR_TYPES.get(code, "server_error"),
            "code": code,
            "message": one_line(message, 500),
            "param": None,
        }
        return self._conclude()

    def _conclude(self) -> Events:
        """Fill in the item, once it is there and the transcription is over; return the events of it."""
        item = self._item
        if item is None or not self._over:
            return []
        item.transcribing = False
        parts = [(index, part) for index, part in enumerate(item.parts) if part["type"] == "input_audio"]
        if self._error is not None:
            item.problem = _admission(item.seconds, self._error)
        elif not self._announced:
            item.unshown_transcript = self._text
        else:
            for _, part in parts:
                part["transcript"] = self._text
        if not self._announced:
            return []
        place = {"item_id": item.id, "content_index": parts[0][0]}
        if self._error is not None:
            return [{"type": Kind.INPUT_TRANSCRIPTION_FAILED.value, **place, "error": self._error}]
        usage = transcription_usage(self._model, item.seconds, self._text)
        done = {"type": Kind.INPUT_TRANSCRIPTION_COMPLETED.value, **place, "transcript": self._text, "usage": usage}
        return [*self._deltas(place), *self._segments(item, place), {**done, **self._probabilities(self._tokens)}]

    def _deltas(self, place: Mapping[str, Any]) -> Events:
        """Return the transcript in pieces: words, or the tokens whose probabilities the client wants to see."""
        tokens: list[tuple[tuple[str, float], ...]] = [(each,) for each in self._tokens] if self._wants_logprobs else []
        pieces = [(piece[0][0], piece) for piece in tokens] or [(text, ()) for text in text_deltas(self._text)]
        if self._model in WHOLE_TRANSCRIPT_MODELS:
            pieces = [(self._text, self._tokens)]
        kind = Kind.INPUT_TRANSCRIPTION_DELTA.value
        return [
            {"type": kind, **place, "delta": text, **self._probabilities(tokens)} for text, tokens in pieces if text
        ]

    def _segments(self, item: StoredItem, place: Mapping[str, Any]) -> Events:
        """Return the segments of each speaker, for a model that distinguishes speakers: here one speaker says all of a turn."""
        if self._model not in DIARIZING_MODELS or not self._text:
            return []
        span = {"id": f"seg_{item.id.removeprefix('item_')}", "start": 0.0, "end": round(item.seconds, 3)}
        said = {"speaker": _SPEAKER, "text": self._text}
        return [{"type": Kind.INPUT_TRANSCRIPTION_SEGMENT.value, **place, **span, **said}]

    def _probabilities(self, tokens: Iterable[tuple[str, float]]) -> dict[str, Any]:
        """Return what an event says of the probabilities of these tokens: nothing unless it was asked for and is known."""
        found = [{"token": text, "logprob": value, "bytes": list(text.encode())} for text, value in tokens]
        return {"logprobs": found} if self._wants_logprobs and found else {}


def _admission(seconds: float, error: Mapping[str, Any]) -> str:
    """Return what an answer says of speech that has no transcript."""
    if error["code"] == UNINTELLIGIBLE:
        return f"{seconds:.1f} seconds of speech were heard, the words could not be made out."
    return f"I heard {seconds:.1f} seconds of speech, but I cannot understand it. {error['message']}"
