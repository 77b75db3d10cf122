"""One response from ``response.created`` to ``response.done``: every event, in the services' order, step by step.

A step is a word's worth of work, so that many sessions share one thread; between two steps a response can be cancelled.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from rtnb.audio.formats import FORMATS
from rtnb.formatting import one_line
from rtnb.protocol.config import copy_tree, format_name
from rtnb.protocol.events import encode_base64
from rtnb.protocol.names import Kind
from rtnb.service.audio_deltas import AudioDelta, AudioDeltas
from rtnb.service.items import HeldItem, ItemList
from rtnb.service.replies import text_deltas
from rtnb.service.usage import text_tokens, usage
from rtnb.service.voice import SpokenWord

Events = list[dict[str, Any]]

_TEXT_DELTA_SECONDS = 0.12  # what a text delta counts for the pace: about what it would take to say it
_LEAD = 8  # transcript deltas that are ahead of their audio


@dataclass(frozen=True, slots=True)
class Step:
    """What one step of a response gives.

    Attributes
    ----------
    events : list of dict
        To send now, in this order.
    seconds : float
        Speech that they carry, for the pace.
    """

    events: Events
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class ResponsePlan:
    """What a response is to be.

    Attributes
    ----------
    shown : dict
        The settings that the response object shows, in GA's form.
    write, speak : callable
        ``write()`` returns the answer's text; ``speak(text)`` yields its words.
    most_tokens : int
        Where it ends incomplete.
    text_in, audio_in : int
        Input tokens.
    conversation : ItemList or None
        Where its item belongs; None for an out-of-band response.
    """

    shown: dict[str, Any]
    write: Callable[[], str]
    speak: Callable[[str], Iterator[SpokenWord]]
    most_tokens: int
    text_in: int
    audio_in: int
    conversation: ItemList | None
    speaks: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "speaks", "audio" in self.shown["output_modalities"])


class Ladder:
    """A response in progress.

    Parameters
    ----------
    response_id, item_id : str
    plan : ResponsePlan
    """

    def __init__(self, response_id: str, item_id: str, plan: ResponsePlan) -> None:
        self.id = response_id
        self.finished = False
        self.tokens_used = 0
        self._plan = plan
        self._said = ""
        self._text_out = self._audio_out = 0
        self._open = self._cut_short = False
        item = {"id": item_id, "object": "realtime.item", "type": "message", "status": "in_progress"}
        sound = FORMATS[format_name(plan.shown["audio"]["output"]["format"])]
        self._held = HeldItem({**item, "role": "assistant", "content": []}, format=sound)
        self._steps = self._run()

    @property
    def in_conversation(self) -> bool:
        """Return whether its item belongs to the conversation."""
        return self._plan.conversation is not None

    def begin(self) -> dict[str, Any]:
        """Return the event that opens it."""
        return {"type": Kind.RESPONSE_CREATED.value, "response": self._response("in_progress")}

    def advance(self) -> Step:
        """Return its next step. What goes wrong in writing or speaking ends it as failed, never the session."""
        try:
            step = next(self._steps)
        except Exception as error:
            message = f"{type(error).__name__}: {one_line(str(error), 300)}"
            problem = {"type": "server_error", "code": "local_service_failed", "message": message}
            step = Step(self._end("failed", {"error": problem}))
        return step

    def cancel(self, reason: str = "client_cancelled") -> Events:
        """End it now: what was already said stays, and the item is incomplete."""
        self._steps.close()
        return self._end("cancelled", {"reason": reason})

    def _run(self) -> Generator[Step, None, None]:
        text = self._plan.write()
        yield Step(self._opening())
        yield from self._speaking(text) if self._plan.speaks else self._writing(text)
        if self._cut_short:
            yield Step(self._end("incomplete", {"reason": "max_output_tokens"}))
        else:
            yield Step(self._end("completed"))

    def _writing(self, text: str) -> Iterator[Step]:
        for delta in text_deltas(text):
            events = self._say([delta])
            if self._cut_short:
                return
            yield Step(events, _TEXT_DELTA_SECONDS)

    def _speaking(self, text: str) -> Iterator[Step]:
        transcript, deltas = _Transcript(text), AudioDeltas(self._held.format)
        for word in self._plan.speak(text):
            events = self._say(transcript.ahead_of(word))
            deltas.add(word.samples)
            yield self._sounding(events, deltas.ready())
            if self._cut_short:
                return
        yield self._sounding(self._say(transcript.rest()), deltas.rest())

    def _sounding(self, events: Events, deltas: Iterable[AudioDelta]) -> Step:
        seconds = 0.0
        for delta in deltas:
            if self._cut_short or not self._affords(delta.tokens):
                break
            self._audio_out += delta.tokens
            self._held.say(delta.data)
            seconds += delta.seconds
            events.append(self._of_part(Kind.AUDIO_DELTA, delta=encode_base64(delta.data)))
        return Step(events, seconds)

    def _say(self, deltas: Iterable[str]) -> Events:
        events: Events = []
        for delta in deltas:
            tokens = text_tokens(delta)
            if self._cut_short or not self._affords(tokens):
                break
            self._text_out += tokens
            self._said += delta
            kind = Kind.TRANSCRIPT_DELTA if self._plan.speaks else Kind.TEXT_DELTA
            events.append(self._of_part(kind, delta=delta))
        return events

    def _affords(self, tokens: int) -> bool:
        self._cut_short = self._text_out + self._audio_out + tokens > self._plan.most_tokens
        return not self._cut_short

    def _opening(self) -> Events:
        self._open = True
        added = {"type": Kind.OUTPUT_ITEM_ADDED.value, "response_id": self.id, "output_index": 0}
        events = [{**added, "item": copy_tree(self._held.item)}]
        if self._plan.conversation is not None:
            events.append(self._plan.conversation.added(self._held))
        events.append(self._of_part(Kind.PART_ADDED, part=self._part()))
        return events

    def _end(self, status: str, details: dict[str, Any] | None = None) -> Events:
        """Close what is open, and the response."""
        self.finished = True
        events = self._closing("completed" if status == "completed" else "incomplete") if self._open else []
        done = self._response(status)
        done["status_details"] = None if details is None else {"type": status, **details}
        done["output"] = [self._final_item()] if self._open else []
        done["usage"] = self._usage()
        self.tokens_used = done["usage"]["total_tokens"]
        return [*events, {"type": Kind.RESPONSE_DONE.value, "response": done}]

    def _closing(self, status: str) -> Events:
        self._held.settle({**self._held.item, "status": status, "content": [self._content()]})
        if self._plan.speaks:
            events = [
                self._of_part(Kind.AUDIO_DONE),
                self._of_part(Kind.TRANSCRIPT_DONE, transcript=self._said),
            ]
        else:
            events = [self._of_part(Kind.TEXT_DONE, text=self._said)]
        events.append(self._of_part(Kind.PART_DONE, part=self._part()))
        done = {"type": Kind.OUTPUT_ITEM_DONE.value, "response_id": self.id, "output_index": 0}
        events.append({**done, "item": self._final_item()})
        return [*events, *(self._plan.conversation.done(self._held) if self._plan.conversation is not None else ())]

    def _final_item(self) -> dict[str, Any]:
        """The item as the response said it, also where the conversation's copy was truncated."""
        return {**self._held.item, "content": [self._content()]}

    def _content(self) -> dict[str, Any]:
        part = self._part()
        return {**part, "type": f"output_{part['type']}"}

    def _part(self) -> dict[str, Any]:
        """A part has the same type in both dialects; only an item's content says ``output_``."""
        if self._plan.speaks:
            return {"type": "audio", "transcript": self._said}
        return {"type": "text", "text": self._said}

    def _of_part(self, kind: Kind, **fields: Any) -> dict[str, Any]:
        place = {"response_id": self.id, "item_id": self._held.id, "output_index": 0, "content_index": 0}
        return {"type": kind.value, **place, **fields}

    def _response(self, status: str) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": "realtime.response",
            "status": status,
            "status_details": None,
            "output": [],
            **copy_tree(self._plan.shown),
            "usage": None,
        }

    def _usage(self) -> dict[str, Any]:
        given = {"text_in": self._plan.text_in, "audio_in": self._plan.audio_in}
        return usage(**given, text_out=self._text_out, audio_out=self._audio_out)


class _Transcript:
    """The transcript's deltas, always some ahead of the word that is spoken."""

    def __init__(self, text: str) -> None:
        self._deltas = text_deltas(text)
        self._sent = self._reached = self._spoken = self._covered = 0

    def ahead_of(self, word: SpokenWord) -> list[str]:
        """Return the deltas to send before a word's audio: up to the word's end, and `_LEAD` more."""
        self._spoken += len(word.text)
        while self._reached < self._spoken and self._covered < len(self._deltas):
            self._reached += len(self._deltas[self._covered])
            self._covered += 1
        return self._until(self._covered + _LEAD)

    def rest(self) -> list[str]:
        """Return the deltas that no word was spoken for."""
        return self._until(len(self._deltas))

    def _until(self, index: int) -> list[str]:
        deltas = self._deltas[self._sent : index]
        self._sent += len(deltas)
        return deltas
