"""The output items of a response: a message, written or spoken, and a function call. Each gives its own events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rtnb.audio.formats import AudioFormat
from rtnb.protocol.config import copy_tree
from rtnb.protocol.events import encode_base64
from rtnb.protocol.names import Kind
from rtnb.service.engines.tasks import Call, SpokenWord
from rtnb.service.session.client_events import Events
from rtnb.service.session.deltas import AudioDelta, AudioDeltas, text_deltas
from rtnb.service.session.items import ItemList, StoredItem
from rtnb.service.session.usage import text_tokens

_LEAD = 8  # transcript deltas that are ahead of their audio
_BEGUN = {"object": "realtime.item", "status": "in_progress"}  # the items of MCP have neither in the official types


class TokenBudget:
    """The output tokens of a response: how many it used, and `most` that it may."""

    def __init__(self, most: int) -> None:
        self.text = self.audio = 0
        self.exhausted = False
        self._most = most

    def spend(self, *, text: int = 0, audio: int = 0) -> bool:
        """Count tokens; return False once they are too many, and count none from then on."""
        self.exhausted = self.exhausted or self.text + self.audio + text + audio > self._most
        if not self.exhausted:
            self.text += text
            self.audio += audio
        return not self.exhausted


@dataclass(frozen=True, slots=True)
class OutputContext:
    """What the output items of a response share."""

    response_id: str
    conversation: ItemList | None  # where they are added; None for an out-of-band response
    format: AudioFormat
    budget: TokenBudget


class OutputItem:
    """An item of a response's output; `shown` is the item as it begins, `index` its place."""

    def __init__(self, context: OutputContext, index: int, shown: Mapping[str, Any]) -> None:
        self._context = context
        self._index = index
        self._item = StoredItem(dict(shown), context.format, in_progress=True)

    def open(self) -> Events:
        """Return the events that begin it."""
        added = self._item_event(Kind.OUTPUT_ITEM_ADDED, self._item.shown)
        conversation = self._context.conversation
        return [added, *([conversation.insert(self._item)] if conversation is not None else [])]

    def close(self, status: str) -> Events:
        """Return the events that end it."""
        self._finish(status)
        return [self._item_event(Kind.OUTPUT_ITEM_DONE, self.final()), *self._done()]

    def final(self) -> dict[str, Any]:
        """Return the item as the response made it, even where the conversation's copy was truncated."""
        return {**copy_tree(self._item.shown), **self._body()}

    def _body(self) -> dict[str, Any]:
        """Return the fields that the response has filled in so far."""
        return {}

    def _finish(self, status: str) -> None:
        final = {**self._item.shown, **self._body()}
        self._item.finish({**final, **{key: status for key in ("status",) if key in final}})

    def _done(self) -> Events:
        conversation = self._context.conversation
        return conversation.done(self._item) if conversation is not None else []

    def _item_event(self, kind: Kind, shown: Mapping[str, Any]) -> dict[str, Any]:
        place = {"response_id": self._context.response_id, "output_index": self._index}
        return {"type": kind.value, **place, "item": copy_tree(shown)}

    def _event(self, kind: Kind, **fields: Any) -> dict[str, Any]:
        place = {"response_id": self._context.response_id, "item_id": self._item.id, "output_index": self._index}
        return {"type": kind.value, **place, **fields}


class OutputMessage(OutputItem):
    """What the assistant says, in one content part: audio with a transcript where it `speaks`, else text.

    `phase` says whether it is a preamble or the answer; empty for a model that makes no difference.
    """

    def __init__(self, context: OutputContext, index: int, item_id: str, *, speaks: bool, phase: str = "") -> None:
        said = {"phase": phase} if phase else {}
        shown = {"id": item_id, "type": "message", "role": "assistant", "content": [], **said}
        super().__init__(context, index, {**_BEGUN, **shown})
        self._speaks = speaks
        self._said = ""
        self._transcript = _TranscriptLead()
        self._deltas = AudioDeltas(context.format)
        self.seconds = 0.0  # of audio that was sent

    def open(self) -> Events:
        """Return the events that begin it and its part."""
        return [*super().open(), self._part_event(Kind.PART_ADDED, part=self._part())]

    def write(self, delta: str) -> Events:
        """Send a text delta."""
        return self._send_text([delta])

    def expect(self, text: str) -> None:
        """Take the text that is spoken next, so that its transcript can be sent ahead of the audio."""
        self._transcript.expect(text)

    def speak(self, word: SpokenWord) -> Events:
        """Send a word: the transcript up to it and a little further, then the audio as far as it makes deltas."""
        events = self._send_text(self._transcript.ahead_of(word))
        self._item.add_word(word)
        self._deltas.add(word.samples)
        return [*events, *self._send_audio(self._deltas.ready())]

    def finish(self) -> Events:
        """Send what is left of the transcript and of the audio."""
        if not self._speaks:
            return []
        return [*self._send_text(self._transcript.rest()), *self._send_audio(self._deltas.rest())]

    def close(self, status: str) -> Events:
        """Return the events that end its part and it."""
        if self._speaks:
            transcript = self._part_event(Kind.TRANSCRIPT_DONE, transcript=self._said)
            done = [self._part_event(Kind.AUDIO_DONE), transcript]
        else:
            done = [self._part_event(Kind.TEXT_DONE, text=self._said)]
        return [*done, self._part_event(Kind.PART_DONE, part=self._part()), *super().close(status)]

    def _send_text(self, deltas: Iterable[str]) -> Events:
        events: Events = []
        kind = Kind.TRANSCRIPT_DELTA if self._speaks else Kind.TEXT_DELTA
        for delta in deltas:
            if not self._context.budget.spend(text=text_tokens(delta)):
                break
            self._said += delta
            events.append(self._part_event(kind, delta=delta))
        return events

    def _send_audio(self, deltas: Iterable[AudioDelta]) -> Events:
        events: Events = []
        for delta in deltas:
            if not self._context.budget.spend(audio=delta.tokens):
                break
            self._item.add_audio(delta.data)
            self.seconds += delta.seconds
            events.append(self._part_event(Kind.AUDIO_DELTA, delta=encode_base64(delta.data)))
        return events

    def _body(self) -> dict[str, Any]:
        part = self._part()
        return {"content": [{**part, "type": f"output_{part['type']}"}]}

    def _part(self) -> dict[str, Any]:
        """Return the part as in the part events, where its type has no ``output_`` in either dialect."""
        return {"type": "audio", "transcript": self._said} if self._speaks else {"type": "text", "text": self._said}

    def _part_event(self, kind: Kind, **fields: Any) -> dict[str, Any]:
        return self._event(kind, content_index=0, **fields)


class OutputCall(OutputItem):
    """A call of one of the client's functions."""

    def __init__(self, context: OutputContext, index: int, item_id: str, call_id: str, call: Call) -> None:
        named = {"name": call.name, "call_id": call_id}
        super().__init__(context, index, {**_BEGUN, "id": item_id, "type": "function_call", **named, "arguments": ""})
        self._call = call
        self._call_id = call_id
        self._sent = ""

    def write(self) -> Events:
        """Send its arguments, as far as the budget goes."""
        events: Events = []
        for delta in text_deltas(self._call.arguments_json):
            if not self._context.budget.spend(text=text_tokens(delta)):
                break
            self._sent += delta
            events.append(self._event(Kind.ARGUMENTS_DELTA, call_id=self._call_id, delta=delta))
        return events

    def close(self, status: str) -> Events:
        """Return the events that end it."""
        fields = {"call_id": self._call_id, "arguments": self._sent, "name": self._call.name}
        return [self._event(Kind.ARGUMENTS_DONE, **fields), *super().close(status)]

    def _body(self) -> dict[str, Any]:
        return {"arguments": self._sent}


class _TranscriptLead:
    """Lets the transcript run some deltas ahead of the word that is spoken."""

    def __init__(self) -> None:
        self._deltas: list[str] = []
        self._sent = self._covered = 0  # deltas
        self._reached = self._spoken = 0  # characters

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
        """Return the deltas that were not sent yet."""
        return self._until(len(self._deltas))

    def _until(self, index: int) -> list[str]:
        deltas = self._deltas[self._sent : index]
        self._sent += len(deltas)
        return deltas
