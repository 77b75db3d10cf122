"""What a response puts out, item by item: a message that is written or spoken, a function call. Each tells its own events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rtnb.audio.formats import AudioFormat
from rtnb.protocol.config import copy_tree
from rtnb.protocol.events import encode_base64
from rtnb.protocol.names import Kind
from rtnb.service.engines.tasks import Call, SpokenWord
from rtnb.service.session.deltas import AudioDelta, AudioDeltas, text_deltas
from rtnb.service.session.held_item import HeldItem
from rtnb.service.session.items import ItemList
from rtnb.service.session.jobs import Events
from rtnb.service.session.usage import text_tokens

_LEAD = 8  # transcript deltas that are ahead of their audio


class Budget:
    """The tokens that a response may still put out.

    Parameters
    ----------
    most : int
    """

    def __init__(self, most: int) -> None:
        self.text = self.audio = 0
        self.exhausted = False
        self._most = most

    def affords(self, *, text: int = 0, audio: int = 0) -> bool:
        """Count tokens, unless they are too many: then nothing more is afforded."""
        self.exhausted = self.exhausted or self.text + self.audio + text + audio > self._most
        if not self.exhausted:
            self.text += text
            self.audio += audio
        return not self.exhausted


@dataclass(frozen=True, slots=True)
class Stage:
    """Where the items of a response go.

    Attributes
    ----------
    response_id : str
    conversation : ItemList or None
        None for an out-of-band response.
    format : AudioFormat
        Of the sound.
    budget : Budget
    """

    response_id: str
    conversation: ItemList | None
    format: AudioFormat
    budget: Budget


class Output:
    """An item of a response's output.

    Parameters
    ----------
    stage : Stage
    index : int
        Its place in the output.
    item : mapping
        As it begins.
    """

    def __init__(self, stage: Stage, index: int, item: Mapping[str, Any]) -> None:
        self._stage = stage
        self._index = index
        self._held = HeldItem({"object": "realtime.item", "status": "in_progress", **item}, format=stage.format)

    def open(self) -> Events:
        """Return the events that begin it."""
        added = self._told(Kind.OUTPUT_ITEM_ADDED, self._held.item)
        conversation = self._stage.conversation
        return [added, *([conversation.added(self._held)] if conversation is not None else [])]

    def close(self, status: str) -> Events:
        """Return the events that end it."""
        self._held.settle({**self._held.item, **self._body(), "status": status})
        self._held.trim()
        done = self._told(Kind.OUTPUT_ITEM_DONE, self.final())
        conversation = self._stage.conversation
        return [done, *(conversation.done(self._held) if conversation is not None else ())]

    def final(self) -> dict[str, Any]:
        """Return the item as the response made it, also where the conversation's copy was truncated."""
        return {**copy_tree(self._held.item), **self._body()}

    def _body(self) -> dict[str, Any]:
        """What the item has come to hold."""
        raise NotImplementedError

    def _told(self, kind: Kind, item: Mapping[str, Any]) -> dict[str, Any]:
        place = {"response_id": self._stage.response_id, "output_index": self._index}
        return {"type": kind.value, **place, "item": copy_tree(item)}

    def _place(self) -> dict[str, Any]:
        return {"response_id": self._stage.response_id, "item_id": self._held.id, "output_index": self._index}


class Message(Output):
    """What the assistant says, written or spoken.

    Parameters
    ----------
    stage : Stage
    index : int
    item_id : str
    speaks : bool
        Whether it is heard.
    """

    def __init__(self, stage: Stage, index: int, item_id: str, *, speaks: bool) -> None:
        super().__init__(stage, index, {"id": item_id, "type": "message", "role": "assistant", "content": []})
        self._speaks = speaks
        self._said = ""
        self._transcript = _Transcript()
        self._deltas = AudioDeltas(stage.format)
        self.seconds = 0.0

    def open(self) -> Events:
        """Return the events that begin it and its one part."""
        return [*super().open(), self._of_part(Kind.PART_ADDED, part=self._part())]

    def write(self, delta: str) -> Events:
        """Put out a piece of text."""
        return self._say([delta])

    def expect(self, text: str) -> None:
        """Know what is going to be spoken next."""
        self._transcript.expect(text)

    def speak(self, word: SpokenWord) -> Events:
        """Put out a word: its transcript and what is near, then its sound as far as that makes a delta."""
        events = self._say(self._transcript.ahead_of(word))
        self._held.note(word)
        self._deltas.add(word.samples)
        return [*events, *self._sound(self._deltas.ready())]

    def finish(self) -> Events:
        """Put out what is left of what was expected."""
        return [*self._say(self._transcript.rest()), *self._sound(self._deltas.rest())] if self._speaks else []

    def close(self, status: str) -> Events:
        """Return the events that end its part and it."""
        if self._speaks:
            said = [self._of_part(Kind.AUDIO_DONE), self._of_part(Kind.TRANSCRIPT_DONE, transcript=self._said)]
        else:
            said = [self._of_part(Kind.TEXT_DONE, text=self._said)]
        return [*said, self._of_part(Kind.PART_DONE, part=self._part()), *super().close(status)]

    def _say(self, deltas: Iterable[str]) -> Events:
        events: Events = []
        kind = Kind.TRANSCRIPT_DELTA if self._speaks else Kind.TEXT_DELTA
        for delta in deltas:
            if not self._stage.budget.affords(text=text_tokens(delta)):
                break
            self._said += delta
            events.append(self._of_part(kind, delta=delta))
        return events

    def _sound(self, deltas: Iterable[AudioDelta]) -> Events:
        events: Events = []
        for delta in deltas:
            if not self._stage.budget.affords(audio=delta.tokens):
                break
            self._held.say(delta.data)
            self.seconds += delta.seconds
            events.append(self._of_part(Kind.AUDIO_DELTA, delta=encode_base64(delta.data)))
        return events

    def _body(self) -> dict[str, Any]:
        part = self._part()
        return {"content": [{**part, "type": f"output_{part['type']}"}]}

    def _part(self) -> dict[str, Any]:
        """A part has the same type in both dialects; only an item's content says ``output_``."""
        return {"type": "audio", "transcript": self._said} if self._speaks else {"type": "text", "text": self._said}

    def _of_part(self, kind: Kind, **fields: Any) -> dict[str, Any]:
        return {"type": kind.value, **self._place(), "content_index": 0, **fields}


class FunctionCall(Output):
    """A call of one of the client's functions.

    Parameters
    ----------
    stage : Stage
    index : int
    item_id, call_id : str
    call : Call
    """

    def __init__(self, stage: Stage, index: int, item_id: str, call_id: str, call: Call) -> None:
        named = {"name": call.name, "call_id": call_id}
        super().__init__(stage, index, {"id": item_id, "type": "function_call", **named, "arguments": ""})
        self._call = call
        self._call_id = call_id
        self._given = ""

    def write(self) -> Events:
        """Put out its arguments, as far as the budget goes."""
        events: Events = []
        for delta in text_deltas(self._call.arguments_json):
            if not self._stage.budget.affords(text=text_tokens(delta)):
                break
            self._given += delta
            events.append(self._told_arguments(Kind.ARGUMENTS_DELTA, delta=delta))
        return events

    def close(self, status: str) -> Events:
        """Return the events that end it."""
        done = self._told_arguments(Kind.ARGUMENTS_DONE, arguments=self._given, name=self._call.name)
        return [done, *super().close(status)]

    def _body(self) -> dict[str, Any]:
        return {"arguments": self._given}

    def _told_arguments(self, kind: Kind, **fields: Any) -> dict[str, Any]:
        return {"type": kind.value, **self._place(), "call_id": self._call_id, **fields}


class _Transcript:
    """The transcript's deltas, always some ahead of the word that is spoken."""

    def __init__(self) -> None:
        self._deltas: list[str] = []
        self._sent = self._reached = self._spoken = self._covered = 0

    def expect(self, text: str) -> None:
        """Add text that is going to be spoken."""
        self._deltas += text_deltas(text)

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
