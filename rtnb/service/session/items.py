"""The conversation as the service keeps it: each item with its audio and transcript, their order, and client commands on them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from rtnb.audio.formats import PCM16, AudioFormat
from rtnb.audio.samples import Samples
from rtnb.protocol.config import copy_tree
from rtnb.protocol.events import encode_base64, write_json
from rtnb.protocol.names import Kind
from rtnb.service.engines.tasks import Message, SpokenWord
from rtnb.service.session import error_events
from rtnb.service.session.checks import required
from rtnb.service.session.client_events import Events
from rtnb.service.session.context import Context, Tally
from rtnb.service.session.usage import (
    AUDIO_TOKENS_PER_SECOND,
    USER_AUDIO_TOKENS_PER_SECOND,
    InputTokens,
    image_tokens,
    text_tokens,
)

_KEPT_AUDIO = 640_000  # bytes; more would make a frame of 1 MiB in base64, so it is never shown
_LATEST = 8  # items
_OUTPUT = "function_call_output"
_REMOTE_CALL = "mcp_call"
_NO_TURNS = ("system", "mcp_list_tools", "mcp_approval_request", "mcp_approval_response")
_FUNCTIONS = ("function_call", _OUTPUT)
_FIRST = "root"  # the previous_item_id of an item that goes before all others


@dataclass(slots=True, eq=False)
class StoredItem:
    """One item of the conversation."""

    shown: dict[str, Any]  # what clients see, in GA's form, without audio
    format: AudioFormat = PCM16  # of its audio
    truncated: bool = False  # by a client: then nothing is added any more
    unshown_transcript: str = ""  # of audio whose transcript no client is shown
    transcribing: bool = False  # whether its transcript is still to come
    in_progress: bool = False  # whether a response is still making it
    problem: str = ""  # what an answer says of speech that has no transcript
    denial: str = ""  # why an MCP tool was not called; its item has no error then, since nothing failed
    _audio: bytearray = field(default_factory=bytearray)
    _audio_bytes: int = 0  # also counts those that were trimmed
    _words: list[tuple[str, float]] = field(default_factory=list)  # with the second at which each counts as heard
    _spoken: int = 0
    _tokens: InputTokens | None = None  # once they were counted

    @property
    def id(self) -> str:
        """Return the item's id."""
        return str(self.shown["id"])

    @property
    def role(self) -> str:
        """Return the role of a message, else the item's type."""
        return str(self.shown.get("role") or self.shown["type"])

    @property
    def parts(self) -> list[dict[str, Any]]:
        """Return the content parts of a message; else none."""
        found: list[dict[str, Any]] = self.shown.get("content", [])
        return found

    @property
    def text(self) -> str:
        """Return the item's words: texts and transcripts, shown or not."""
        words = [part.get("text") or part.get("transcript") for part in self.parts]
        return " ".join(filter(None, (*words, self.unshown_transcript)))

    @property
    def has_audio(self) -> bool:
        """Return whether it has, or had, audio."""
        return bool(self._audio_bytes) or self.truncated

    @property
    def images(self) -> int:
        """Return how many images it holds."""
        return sum(part["type"] == "input_image" for part in self.parts)

    @property
    def calls(self) -> tuple[str, ...]:
        """Return the id of the function call that it is; else none."""
        return (self.shown["call_id"],) if self.shown["type"] == "function_call" else ()

    @property
    def seconds(self) -> float:
        """Return how long its audio is."""
        return self.format.duration(self._audio_bytes)

    @property
    def is_changing(self) -> bool:
        """Return whether more of it is to come, so that it cannot be counted once for all."""
        return self.in_progress or self.transcribing

    @property
    def is_voice(self) -> bool:
        """Return whether it is audio of the assistant."""
        return self.role == "assistant" and self.has_audio

    @property
    def is_turn(self) -> bool:
        """Return whether it is a turn of the conversation, to which an answer answers; what the system says is none."""
        return self.role not in _NO_TURNS and (self.role != _REMOTE_CALL or self.result is not None)

    @property
    def result(self) -> str | None:
        """Return what came of a function's or an MCP tool's call; None where nothing has yet, or for any other item."""
        error = self.shown.get("error")
        if reason := error["message"] if error else self.denial:
            return write_json({"error": reason}).decode()
        result: str | None = self.shown.get("output")
        return result

    def messages(self) -> tuple[Message, ...]:
        """Return it as the engines are given it; nothing where it has no words."""
        if self.shown["type"] == "function_call":
            return (Message(self.role, "", self.shown["name"], self.shown["arguments"], self.shown["call_id"]),)
        if self.shown["type"] == _OUTPUT:
            return (Message(self.role, self.shown["output"], call_id=self.shown["call_id"]),)
        if self.shown["type"] == _REMOTE_CALL and self.result is not None:
            call = Message("function_call", "", self.shown["name"], self.shown["arguments"], self.id)
            return call, Message(_OUTPUT, self.result, call_id=self.id)
        text = self.text
        return (Message(self.role, text),) if text else ()

    def add_audio(self, audio: bytes) -> None:
        """Add audio, unless a client truncated the item."""
        if not self.truncated:
            self._audio += audio
            self._audio_bytes += len(audio)
            self._tokens = None

    def samples(self) -> Samples:
        """Return its audio (int16), as far as it was not trimmed."""
        return self.format.decode(self._audio)

    def trim(self) -> None:
        """Keep the length of the audio, and no more of it than can ever be shown."""
        del self._audio[_KEPT_AUDIO:]

    def add_word(self, word: SpokenWord) -> None:
        """Keep a spoken word with the time at which more than half of it was played: then it counts as heard."""
        self._words.append((word.text, (self._spoken + len(word.samples) / 2) / PCM16.rate))
        self._spoken += len(word.samples)

    def finish(self, final: Mapping[str, Any]) -> None:
        """Take over the finished item; a truncated one keeps its truncated content."""
        kept = {"content": self.shown["content"]} if self.truncated else {}
        self.shown = {**copy_tree(final), **kept}
        self.in_progress = False
        self._tokens = None
        self.trim()

    def truncate(self, audio_end_ms: int) -> None:
        """Keep the first milliseconds: their audio, and the words in them, which no transcript shows from now on."""
        keep = audio_end_ms * self.format.rate // 1000 * self.format.bytes_per_sample
        del self._audio[keep:]
        self._audio_bytes = min(self._audio_bytes, keep)
        self.truncated = True
        self._tokens = None
        heard = (text for text, heard_at in self._words if heard_at <= audio_end_ms / 1000)
        self.unshown_transcript = "".join(heard).strip()
        self.shown["content"] = [{"type": "output_audio", "transcript": None}]

    def tokens(self) -> InputTokens:
        """Return what the item counts as input: its audio where it has any, else its words; and its images."""
        if self._tokens is None:
            self._tokens = self._counted()
        return self._tokens

    def _counted(self) -> InputTokens:
        images = sum(image_tokens(part.get("detail", "auto")) for part in self.parts if part["type"] == "input_image")
        texts = [part["text"] for part in self.parts if "text" in part]
        if self.has_audio:
            rate = USER_AUDIO_TOKENS_PER_SECOND if self.role == "user" else AUDIO_TOKENS_PER_SECOND
            return InputTokens(sum(map(text_tokens, texts)), round(self.seconds * rate), images)
        fields = [self.shown.get(key) or "" for key in ("name", "arguments", "output")]
        fields += [write_json(self.shown[key]).decode() for key in ("tools", "error") if self.shown.get(key)]
        return InputTokens(sum(text_tokens(each) for each in (self.text, *fields)), 0, images)

    def with_audio(self) -> dict[str, Any]:
        """Return the item with its audio in base64; without it where it is too long for one frame."""
        shown: dict[str, Any] = copy_tree(self.shown)
        if 0 < self._audio_bytes == len(self._audio):
            for part in shown.get("content", ()):
                if part["type"] in ("input_audio", "output_audio"):
                    part["audio"] = encode_base64(bytes(self._audio))
                    break
        return shown


class ItemList:
    """The items of a conversation in order. Its methods return the events to send.

    No command on the latest items, and no response, costs more because the conversation is long.
    """

    def __init__(self) -> None:
        self._items: dict[str, StoredItem] = {}
        self._order: list[StoredItem] = []
        self._calls: Counter[str] = Counter()
        self._tally = Tally()
        self._forgotten = 0  # of the first items, which no response sees any more

    def __iter__(self) -> Iterator[StoredItem]:
        return iter(self._order.copy())

    def __contains__(self, item_id: object) -> bool:
        return isinstance(item_id, str) and item_id in self._items

    @property
    def has_assistant_audio(self) -> bool:
        """Return whether the conversation holds assistant audio, which fixes the voice."""
        return self._tally.has_voice(self._order)

    @property
    def call_ids(self) -> Collection[str]:
        """Return the call ids of the function calls in the conversation."""
        return self._calls.keys()

    def context(self, first: int = 0) -> Context:
        """Return what a response sees that is given the items from number `first` on, those left out that are forgotten."""
        return self._tally.context(self._order, max(first, self._forgotten))

    def first_within(self, most: int) -> int:
        """Return the number of the first item from which on the items count at most so many tokens."""
        return self._tally.first_within(self._order, most)

    def forget(self, keep: int) -> None:
        """Forget the first items, for good, until the others count at most `keep` tokens. They stay in the conversation.

        The latest message is never forgotten, and of the calls in a row and their outputs all are, or none.
        """
        items = self._order
        latest = len(items) - 1
        while latest > 0 and (not items[latest].is_turn or items[latest].role in _FUNCTIONS):
            latest -= 1
        first = self.first_within(keep)
        while 0 < first < latest and items[first].role in _FUNCTIONS and items[first - 1].role in _FUNCTIONS:
            first += 1
        self._forgotten = max(self._forgotten, min(first, latest))

    @property
    def last(self) -> str | None:
        """Return the id of the last item."""
        return self._order[-1].id if self._order else None

    def find(self, item_id: Any, verb: str, param: str = "item_id") -> StoredItem:
        """Return the item of an id, or raise `InvalidRequest`; `verb` and `param` are for the message."""
        if item_id not in self:
            raise error_events.unknown_item(verb, item_id, param)
        return self._items[item_id]

    def insert(self, item: StoredItem, after: str | None = None) -> dict[str, Any]:
        """Put an item at the end, after another, or first (``"root"``); return its event."""
        index = len(self._order) if after is None else 0 if after == _FIRST else self._index(self._items[after]) + 1
        self._order.insert(index, item)
        self._items[item.id] = item
        self._calls.update(item.calls)
        self._forgotten += index < self._forgotten
        self._tally.forget(index)
        return self._event(Kind.ITEM_ADDED, item)

    def done(self, item: StoredItem) -> Events:
        """Return the event of a finished item; none if the client deleted it meanwhile."""
        if item.id not in self:
            return []
        self._tally.forget(self._index(item))  # an MCP tool's call may have waited, complete, for its approval
        return [self._event(Kind.ITEM_DONE, item)]

    def add(self, item: StoredItem, after: Any = None) -> Events:
        """Add a finished item, at the end or after another; `InvalidRequest` if its id is in use, or there is no other."""
        if item.id in self:
            raise error_events.item_exists(item.id)
        if after is not None and after != _FIRST:
            self.find(after, "create", "previous_item_id")
        return [self.insert(item, after), *self.done(item)]

    def delete(self, event: Mapping[str, Any]) -> Events:
        """Delete an item."""
        item = self._named(event, "delete")
        index = self._index(item)
        del self._items[item.id], self._order[index]
        self._calls -= Counter(item.calls)
        self._forgotten -= index < self._forgotten
        self._tally.forget(index)
        return [{"type": Kind.ITEM_DELETED.value, "item_id": item.id}]

    def retrieve(self, event: Mapping[str, Any]) -> Events:
        """Show an item with its audio."""
        return [{"type": Kind.ITEM_RETRIEVED.value, "item": self._named(event, "retrieve").with_audio()}]

    def truncate(self, event: Mapping[str, Any]) -> Events:
        """Truncate the audio of an assistant's item, finished or not, to what was heard of it."""
        item = self._named(event, "truncate")
        end, index = event.get("audio_end_ms"), event.get("content_index", 0)
        if end is None:
            raise error_events.missing_parameter(param="audio_end_ms")
        if index:  # there is one content part
            raise error_events.above_maximum("integer", 0, index, "content_index")
        if not item.has_audio or item.role != "assistant":
            raise error_events.not_audio()
        if end > (length := round(item.seconds * 1000)):
            raise error_events.already_shorter(length, end)
        item.truncate(end)
        self._tally.forget(self._index(item))
        place = {"item_id": item.id, "content_index": 0, "audio_end_ms": end}
        return [{"type": Kind.ITEM_TRUNCATED.value, **place}]

    def _named(self, event: Mapping[str, Any], verb: str) -> StoredItem:
        return self.find(required(event, "item_id", ""), verb)

    def _index(self, item: StoredItem) -> int:
        """Return an item's place. The latest are looked at first: nearly every command is about them."""
        for back in range(1, min(_LATEST, len(self._order)) + 1):
            if self._order[-back] is item:
                return len(self._order) - back
        return self._order.index(item)

    def _event(self, kind: Kind, item: StoredItem) -> dict[str, Any]:
        index = self._index(item)
        previous = self._order[index - 1].id if index else None
        return {"type": kind.value, "previous_item_id": previous, "item": copy_tree(item.shown)}
