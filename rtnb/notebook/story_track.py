"""`StoryTrack`: what happened when, as it grows: speech detected, responses, words, tools, errors."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rtnb.formatting import one_line
from rtnb.notebook.growing_arrays import GrowingArray
from rtnb.notebook.lanes import ERROR_KINDS
from rtnb.protocol.names import Kind, Local

if TYPE_CHECKING:
    from rtnb.protocol.events import Event
    from rtnb.timeline.view import View

_TEXT_KINDS = (Kind.TEXT_DELTA, Kind.TRANSCRIPT_DELTA)
_TOLD = (
    Kind.SPEECH_STARTED,
    Kind.SPEECH_STOPPED,
    Kind.RESPONSE_CREATED,
    Kind.RESPONSE_DONE,
    Kind.OUTPUT_ITEM_ADDED,
    Kind.OUTPUT_ITEM_DONE,
    Kind.ITEM_CREATE,
    Kind.ITEM_TRUNCATED,
    Local.CLOSE,
    *ERROR_KINDS,
)
_LABEL = 60


@dataclass(slots=True)
class Stretch:
    """Something that lasts.

    Attributes
    ----------
    start, end : float
        Seconds; `end` is NaN for what has not ended.
    seq : int
        The row with which it began.
    label : str
        In a few words, on one line.
    state : str
        As the service says it, or one of ours: ``"completed"``, ``"in_progress"``, ``"speech"`` …
    """

    start: float
    end: float
    seq: int
    label: str
    state: str


@dataclass(frozen=True, slots=True)
class Word:
    """A delta of words: what it says, and the response that says it."""

    text: str
    response: str


class StoryTrack:
    """What a timeline's events tell, taken in as they come.

    Attributes
    ----------
    speech, responses, tools, errors : list of Stretch
        By the time of their beginning.
    words : list of Word
    said : GrowingArray of float64, shape (words,)
        Seconds when each word came.
    spoken_by : GrowingArray of int64, shape (words,)
        Which piece of the assistant's sound came next of the same item, -1 where none has.
    truncated : dict of str to float
        Milliseconds of an item that were heard.
    """

    def __init__(self) -> None:
        self.speech: list[Stretch] = []
        self.responses: list[Stretch] = []
        self.tools: list[Stretch] = []
        self.errors: list[Stretch] = []
        self.words: list[Word] = []
        self.truncated: dict[str, float] = {}
        self._response: dict[str, Stretch] = {}
        self._call: dict[str, Stretch] = {}
        self.said, self.spoken_by = GrowingArray(np.float64), GrowingArray(np.int64)
        self._unspoken: dict[str, list[int]] = {}
        self._pieces = 0

    def advance(self, part: View) -> None:
        """Take in the rows that have come."""
        self._take_words(part)
        kinds = part["kind"]
        for event in part[kinds.isin(_TOLD)]:
            if math.isfinite(event.t):
                self._tell(event)

    def _take_words(self, part: View) -> None:
        spoken = part[part["kind"].isin((*_TEXT_KINDS, Kind.AUDIO_DELTA))]
        columns = (spoken[name] for name in ("kind", "t", "text", "item_id", "response_id", "audio_ms"))
        for kind, t, text, item, response, audio_ms in zip(*columns, strict=True):
            if kind != Kind.AUDIO_DELTA:
                self._unspoken.setdefault(item, []).append(len(self.words))
                self.words.append(Word(text, response))
                self.said.extend([t])
                self.spoken_by.extend([-1])
            elif not math.isnan(audio_ms):
                self.spoken_by.values[self._unspoken.pop(item, [])] = self._pieces
                self._pieces += 1

    def _tell(self, event: Event) -> None:
        match event.kind:
            case Kind.SPEECH_STARTED:
                self._end_speech(event.t)
                self.speech.append(Stretch(event.t, math.nan, event.seq, "speech", "speech"))
            case Kind.SPEECH_STOPPED:
                self._end_speech(event.t)
            case Kind.RESPONSE_CREATED:
                stretch = Stretch(event.t, math.nan, event.seq, "in progress", "in_progress")
                self._response[event.response_id] = stretch
                self.responses.append(stretch)
            case Kind.RESPONSE_DONE if event.response_id in self._response:
                ended = self._response[event.response_id]
                ended.end = event.t
                ended.state = ended.label = one_line(event.part("response").get("status", ""), _LABEL)
            case Kind.OUTPUT_ITEM_ADDED | Kind.OUTPUT_ITEM_DONE | Kind.ITEM_CREATE:
                self._tell_of_call(event)
            case Kind.ITEM_TRUNCATED:
                heard = event.data.get("audio_end_ms")
                if isinstance(heard, (int, float)) and not isinstance(heard, bool) and math.isfinite(heard):
                    self.truncated[event.item_id] = float(heard)
            case Local.CLOSE:
                for stretch in (*self.speech, *self.responses, *self.tools):
                    if math.isnan(stretch.end):
                        stretch.end = event.t
            case _:
                label = one_line(event.part("error").get("message") or event.problem or event.type, 3 * _LABEL)
                self.errors.append(Stretch(event.t, event.t, event.seq, label, "error"))

    def _tell_of_call(self, event: Event) -> None:
        item = event.part("item")
        call = item.get("call_id")
        if not isinstance(call, str):
            return
        if item.get("type") == "function_call":
            if call not in self._call:
                stretch = Stretch(event.t, math.nan, event.seq, one_line(item.get("name", ""), _LABEL), "called")
                self._call[call] = stretch
                self.tools.append(stretch)
        elif call in self._call:
            self._call[call].end, self._call[call].state = event.t, "answered"

    def _end_speech(self, t: float) -> None:
        if self.speech and math.isnan(self.speech[-1].end):
            self.speech[-1].end = t
