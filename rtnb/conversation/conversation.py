"""The conversation as a pure reducer: events in, items and responses out.

`Conversation.apply` takes every event of a session, sent and received, in the order of the timeline, and never raises:
violations of the protocol are listed in `Conversation.oddities`. It keeps references to decoded audio, never copies, so an
hour of speech is in memory once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rtnb.audio.formats import FORMATS
from rtnb.conversation.item_order import ItemOrder, answer_call
from rtnb.conversation.items import IN_PROGRESS, NAN, ContentPart, Item, ResponseState, fill, fill_response
from rtnb.conversation.remote_tools import ARGUMENT_KINDS, STATES, RemoteItems, adopt, decide
from rtnb.conversation.requested import Requested
from rtnb.conversation.sent_images import SentImages
from rtnb.conversation.transcripts import TRANSCRIPT_KINDS, source, take_transcript, translates, translation
from rtnb.formatting import one_line
from rtnb.protocol.config import AUDIO_SETTINGS, format_name, look, merge, put
from rtnb.protocol.dialects import ga_settings
from rtnb.protocol.events import SENT, Event
from rtnb.protocol.names import Kind, Local
from rtnb.protocol.session_types import type_of_session

_ENDED = ("failed", "incomplete", "cancelled")


class Conversation:
    """Items, responses and settings of one session, read from its events.

    Attributes
    ----------
    responses : dict of str to ResponseState
        In the order in which they were created, out-of-band ones included.
    config : dict
        The session's settings in GA's nested form, as the service last confirmed them.
    detected_anyway : int or None
        The last row in which speech was detected while the settings had turn detection off; they are put right there.
    oddities : list of str
        Violations of the protocol, in words; at most 100.
    requested : Requested
        The responses that were asked for and have not begun.
    keys_pressed : str
        The keys that a caller pressed on a telephone, in order.
    """

    def __init__(self) -> None:
        self._items = ItemOrder(self._response_item)
        self.keys_pressed = ""
        self.responses: dict[str, ResponseState] = {}
        self.config: dict[str, Any] = {}
        self.session_id = ""
        self.oddities: list[str] = []
        self.detected_anyway: int | None = None
        self.requested = Requested()
        self._past: set[str] = set()
        self._sent_images = SentImages()
        self._remote = RemoteItems(self._items.early)
        self._reducers: dict[str, Callable[[Event], object]] = {
            **dict.fromkeys((Kind.SESSION_CREATED, Kind.SESSION_UPDATED), self._session),
            **dict.fromkeys((Kind.ITEM_ADDED, Kind.ITEM_DONE), self._item_added),
            Kind.ITEM_RETRIEVED: self._item_seen,
            Kind.ITEM_DELETED: self._items.delete,
            Kind.ITEM_TRUNCATED: self._items.truncate,
            Kind.RESPONSE_CREATED: self._response_created,
            Kind.RESPONSE_DONE: self._response_done,
            Kind.OUTPUT_ITEM_ADDED: self._output_item,
            Kind.OUTPUT_ITEM_DONE: self._output_item,
            Kind.TEXT_DELTA: self._text_delta,
            Kind.TRANSCRIPT_DELTA: self._text_delta,
            Kind.AUDIO_DELTA: self._audio_delta,
            Kind.TEXT_DONE: self._text_done,
            Kind.TRANSCRIPT_DONE: self._text_done,
            Kind.AUDIO_DONE: self._audio_done,
            Kind.ARGUMENTS_DELTA: self._arguments,
            Kind.ARGUMENTS_DONE: self._arguments,
            Kind.SPEECH_STARTED: self._speech_started,
            Kind.INPUT_COMMITTED: self._committed,
            Kind.INPUT_DTMF: self._key_pressed,
            **dict.fromkeys(TRANSCRIPT_KINDS, self._input_transcript),
            **dict.fromkeys((*ARGUMENT_KINDS, *STATES), self._remote_tool),
            Kind.SESSION_CLOSED: self._translated,
            Kind.ERROR: self._error,
            Local.CLOSE: self._closed,
            Local.RESUME: self._resumed,
        }

    def __repr__(self) -> str:
        return f"<Conversation {len(self.items)} items, {len(self.responses)} responses>"

    @property
    def items(self) -> dict[str, Item]:
        """Return the items by their ids, in conversation order."""
        return self._items.by_id

    @property
    def newest(self) -> ResponseState | None:
        """Return the response that was created last, if there is one."""
        return next(reversed(self.responses.values()), None)

    @property
    def active(self) -> ResponseState | None:
        """Return the default conversation's response in progress, if there is one."""
        for response in reversed(self.responses.values()):
            if response.active and response.conversation_id is not None:
                return response
        return None

    def item(self, item_id: str) -> Item | None:
        """Return an item by its id, one that only a response, or its own tool, has named included; None if there is none."""
        return self._items.find(item_id)

    def apply(self, event: Event) -> None:
        """Update items, responses and settings by one event. Never raises: an event of an unexpected shape is an oddity."""
        if event.direction == SENT:
            self._sent(event)
            return
        reduce = self._reducers.get(event.kind)
        if reduce is None:
            return
        try:
            reduce(event)
        except Exception as error:  # fields of unexpected shapes and depths
            self._odd(event, f"has a shape that cannot be read ({type(error).__name__}: {error})")

    def _sent(self, event: Event) -> None:
        if event.kind == Kind.ITEM_CREATE:
            self._sent_images.take(event)
        elif event.kind == Kind.RESPONSE_CREATE:
            self.requested.sent(event)
        elif event.kind == Kind.RESPONSE_CANCEL and not event.response_id:
            self.requested.doubt()
        elif event.kind == Kind.ITEM_TRUNCATE:
            self._items.truncate(event)

    def _odd(self, event: Event, what: str) -> None:
        if len(self.oddities) < 100:
            self.oddities.append(one_line(f"row {event.seq}: {event.type} {what}", 300))

    # Session ----------------------------------------------------------------------------------------------------------

    def _session(self, event: Event) -> None:
        session = event.part("session")
        merge(self.config, ga_settings(session))
        if stated := type_of_session(event.type, session):
            self.config["type"] = stated
        if isinstance(named := session.get("id"), str):
            self.session_id = named

    def _speech_started(self, event: Event) -> None:
        """Believe a server that detects turns rather than its settings: who asks it waits for the turn's end."""
        path = AUDIO_SETTINGS["turn_detection"]
        if look(self.config, path) is None:
            put(self.config, path, {"type": "server_vad"})
            self.detected_anyway = event.seq

    def _error(self, event: Event) -> None:
        caused_by = event.part("error").get("event_id")
        self.requested.refused(caused_by)
        self._items.refused(caused_by)
        if not caused_by:
            self.requested.doubt()
            if (newest := self._announced) is not None and newest.awaits_reason:
                newest.error = event.part("error") or None
        for response in self.responses.values():
            if caused_by and response.request_id == caused_by:
                # The service began this one by itself, before it refused the request that was taken for its cause.
                response.request_id, response.requested_t = "", NAN

    def _closed(self, event: Event) -> None:
        self.requested.clear()
        reason = f"connection closed {event.data.get('code')} {event.text('reason')}".strip()
        for response in self.responses.values():
            if response.active:
                response.status, response.reason, response.done_t = "incomplete", reason, event.t
            response.final = True

    def _resumed(self, event: Event) -> None:
        self._past = set(self.responses)

    # Items ------------------------------------------------------------------------------------------------------------

    def _item_added(self, event: Event) -> None:
        known = self.items.get(event.item_id)
        before = known.output if known is not None else ""
        item = self._item_seen(event)
        if item is None:
            return
        decide(self.items.values(), item)
        if self._items.add(item, event.data.get("previous_item_id")):
            adopt(item, self.responses.values())
        if item.type == "function_call_output" and item.output != before:
            answer_call(item, (each.items for each in reversed(self.responses.values())), self.items)

    def _item_seen(self, event: Event) -> Item | None:
        item = self._items.seen(event)
        if item is None:
            self._odd(event, "has no item id")
        else:
            self._sent_images.give(item, event.part("item"))
        return item

    def _remote_tool(self, event: Event) -> None:
        item = self.item(event.item_id)
        if item is None and event.kind in ARGUMENT_KINDS:
            item = self._output(self._response(event), event.item_id, event.output_index)
        self._remote.take(item, event)

    def _response_item(self, identifier: str) -> Item | None:
        for response in reversed(self.responses.values()):
            if identifier in response.items:
                return response.items[identifier]
        return None

    def _committed(self, event: Event) -> None:
        if event.item_id:
            self._items.mention(event.item_id, event.data.get("previous_item_id"))

    def _input_transcript(self, event: Event) -> None:
        """Update the user's item; without its id it is the newest that awaits a transcript."""
        items, item = self._items, None
        if translates(event):
            item = source(self.items, translation(self.items, self.responses, event.t))
        else:
            item = items.mention(event.item_id) if event.item_id else items.untranscribed or items.mention("")
        if odd := "speaks of an item that was deleted" if item is None else take_transcript(item, event):
            self._odd(event, odd)

    def _key_pressed(self, event: Event) -> None:
        self.keys_pressed += event.text("event")

    def _translated(self, event: Event) -> None:
        for response in self.responses.values():
            if response.active:
                response.status, response.done_t, response.final = "completed", event.t, True

    # Responses --------------------------------------------------------------------------------------------------------

    def _response_created(self, event: Event) -> None:
        data = event.part("response")
        response = self._response(event, announced=True)
        response.announced = True
        if response.created_t == response.created_t:
            self._odd(event, "came late, or twice, for one response")
            if not response.active:
                return
        else:
            response.created_t = event.t
        fill_response(response, data)
        if response.status in _ENDED:
            response.done_t = event.t  # some proxies tell a failure so, and may say no more
        else:
            response.status = IN_PROGRESS

    def _response_done(self, event: Event) -> None:
        response = self._response(event)
        data = event.part("response")
        if response.final:
            self._odd(event, "came twice for one response")
            if response.error is None and not response.reason and data.get("status") == response.status:
                fill_response(response, data)
            return
        if _text(data.get("status")) not in ("", *_ENDED):
            response.error, response.reason = None, ""  # whatever its response.created said
        fill_response(response, data)
        if response.status in ("", IN_PROGRESS):
            response.status = "completed"
        response.final, response.done_t = True, event.t
        output = data.get("output")
        for index, item in enumerate(output if isinstance(output, list) else ()):
            if isinstance(item, dict):
                fill(self._output(response, _text(item.get("id")), index, _text(item.get("call_id"))), item)

    def _response(self, event: Event, *, announced: bool = False) -> ResponseState:
        """Return the response that an event belongs to; one without ``response.created`` is made, and is an oddity."""
        identifier = event.response_id
        if translates(event):
            return translation(self.items, self.responses, event.t)
        if not identifier and not announced and (unnamed := self.active or self._announced) is not None:
            return unnamed
        if identifier in self._past:
            # After a reconnect the service may count from one again: this is another response of the same id.
            self._past.discard(identifier)
            earlier = {identifier: f"{identifier} (before row {event.seq})"}
            self.responses = {earlier.get(key, key): each for key, each in self.responses.items()}
        response = self.responses.get(identifier)
        if response is None:
            encoding = FORMATS[format_name(look(self.config, ("audio", "output", "format")))]
            response = ResponseState(id=identifier, status="" if announced else IN_PROGRESS, format=encoding)
            self.responses[identifier or f"(unnamed {len(self.responses) + 1})"] = response
            if (request := self.requested.cause(event)) is not None:
                response.request_id, response.requested_t = request.event_id, request.t
            if not announced:
                response.created_t = event.t
                self._odd(event, "belongs to a response that was never created")
        return response

    @property
    def _announced(self) -> ResponseState | None:
        """Return the newest response of this connection, if its ``response.created`` came: an event that names no response belongs to it.

        A service that sends ``response.created`` would have sent it for another one.
        """
        name, newest = next(reversed(self.responses.items()), ("", None))
        return newest if newest is not None and newest.announced and name not in self._past else None

    def _output_item(self, event: Event) -> None:
        data = event.part("item")
        response = self._response(event)
        if data:
            fill(self._output(response, event.item_id, event.output_index, _text(data.get("call_id"))), data)

    def _output(self, response: ResponseState, item_id: str, index: int | None = None, call_id: str = "") -> Item:
        """Return an item of a response, made when it is first mentioned."""
        key = response.key(item_id, index, call_id)
        if key not in response.items:
            item = (self.items.get(item_id) if item_id else None) or Item(item_id, role="assistant")
            item.response_id = response.id
            response.items[key] = item
        return response.items[key]

    def _part_of(self, event: Event) -> tuple[ResponseState, ContentPart] | None:
        """Return the response and content part of a delta, or None for a delta that must be ignored.

        A service that sends each delta in both dialects' spellings would double it: only the spelling of a part's first
        delta counts.
        """
        response = self._response(event)
        named = event.item_id
        item = response.items.get(named) if named else None
        part = (item or self._output(response, named, event.output_index)).part(event.content_index)
        if part.spellings.setdefault(event.kind, event.type) != event.type:
            self._odd(event, "repeats a delta in another dialect")
            return None
        if not response.active:
            self._odd(event, "came after its response was done")
        return response, part

    def _text_delta(self, event: Event) -> None:
        if (found := self._part_of(event)) is None:
            return
        response, part = found
        if response.first_text_t != response.first_text_t:
            response.first_text_t = event.t
        if event.kind in part.finished:
            self._odd(event, "came after its own done event")
        elif event.kind == Kind.TEXT_DELTA:
            part.text_pieces.append(event.text("delta"))
        else:
            part.transcript_pieces.append(event.text("delta"))

    def _text_done(self, event: Event) -> None:
        if (found := self._part_of(event)) is None:
            return
        _, part = found
        part.finished.add(Kind.TEXT_DELTA if event.kind == Kind.TEXT_DONE else Kind.TRANSCRIPT_DELTA)
        if event.kind == Kind.TEXT_DONE:
            part.text = event.text("text") or part.text
        else:
            part.transcript = event.text("transcript") or part.transcript

    def _audio_delta(self, event: Event) -> None:
        if (found := self._part_of(event)) is None:
            return
        response, part = found
        if not event.audio:
            self._odd(event, "carries no audio that can be decoded")
            return
        if Kind.AUDIO_DELTA in part.finished:
            self._odd(event, "came after its own done event")
        if not part.chunks:
            part.format, part.first_audio_t = response.format, event.t
        if response.first_audio_t != response.first_audio_t:
            response.first_audio_t = event.t
        part.chunks.append(event.audio)

    def _audio_done(self, event: Event) -> None:
        if (found := self._part_of(event)) is not None:
            found[1].finished.add(Kind.AUDIO_DELTA)

    def _arguments(self, event: Event) -> None:
        item = self._output(self._response(event), event.item_id, event.output_index, event.text("call_id"))
        item.type = "function_call"
        item.call_id = event.text("call_id") or item.call_id
        if event.kind == Kind.ARGUMENTS_DELTA:
            item.arguments += event.text("delta")
        else:
            item.arguments = event.text("arguments") or item.arguments
            item.status = "completed" if item.status == IN_PROGRESS else item.status  # all of the call is there
            item.name = event.text("name") or item.name


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
