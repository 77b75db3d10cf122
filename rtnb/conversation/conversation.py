"""The conversation as a pure reducer: events in, items and responses out.

`Conversation.apply` takes every event of a session, sent and received, in the order of the timeline, and never raises:
violations of the protocol are listed in `Conversation.oddities`. It keeps references to decoded audio, never copies, so an
hour of speech is in memory once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rtnb.audio.formats import FORMATS
from rtnb.conversation.items import DELETED, IN_PROGRESS, NAN, ContentPart, Item, ResponseState, fill
from rtnb.conversation.remote_tools import ARGUMENT_KINDS, STATES, RemoteItems, adopt, decide
from rtnb.conversation.requested import Requested
from rtnb.conversation.sent_images import SentImages
from rtnb.conversation.transcripts import source, take_transcript, translates, translation
from rtnb.formatting import one_line
from rtnb.protocol.config import format_name, look, merge
from rtnb.protocol.dialects import ga_settings
from rtnb.protocol.events import SENT, Event
from rtnb.protocol.names import Kind, Local
from rtnb.protocol.session_types import told_type


class Conversation:
    """Items, responses and settings of one session, read from its events.

    Attributes
    ----------
    items : dict of str to Item
        In conversation order.
    responses : dict of str to ResponseState
        In the order in which they were created, out-of-band ones included.
    config : dict
        The session's settings in GA's nested form, as the service last confirmed them.
    oddities : list of str
        Violations of the protocol, in words; at most 100.
    requested : Requested
        The responses that were asked for and have not begun.
    """

    def __init__(self) -> None:
        self.items: dict[str, Item] = {}
        self.responses: dict[str, ResponseState] = {}
        self.config: dict[str, Any] = {}
        self.session_id = ""
        self.oddities: list[str] = []
        self.requested = Requested()
        self._past: set[str] = set()
        self._early: dict[str, Item] = {}  # those of which events told before they came
        self._sent_images = SentImages()
        self._remote = RemoteItems(self._early)
        self._reducers: dict[str, Callable[[Event], object]] = {
            Kind.SESSION_CREATED: self._session,
            Kind.SESSION_UPDATED: self._session,
            Kind.ITEM_ADDED: self._item_added,
            Kind.ITEM_DONE: self._item_added,
            Kind.ITEM_RETRIEVED: self._item_seen,
            Kind.ITEM_DELETED: self._item_deleted,
            Kind.ITEM_TRUNCATED: self._item_truncated,
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
            Kind.INPUT_TRANSCRIPTION_DELTA: self._input_transcript,
            Kind.INPUT_TRANSCRIPTION_SEGMENT: self._input_transcript,
            Kind.INPUT_TRANSCRIPTION_COMPLETED: self._input_transcript,
            **dict.fromkeys((*ARGUMENT_KINDS, *STATES), self._remote_tool),
            Kind.SESSION_CLOSED: self._translated,
            Kind.ERROR: self._error,
            Local.CLOSE: self._closed,
            Local.RESUME: self._resumed,
        }

    def __repr__(self) -> str:
        return f"<Conversation {len(self.items)} items, {len(self.responses)} responses>"

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
        """Return an item by its id, one of a response beside the conversation and one that is only transcribed included."""
        return self.items.get(item_id) or self._response_item(item_id) or self._early.get(item_id)

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
        if event.kind == Kind.RESPONSE_CREATE:
            self.requested.sent(event)
        elif event.kind == Kind.RESPONSE_CANCEL and not event.response_id:
            self.requested.cancelled()

    def _odd(self, event: Event, what: str) -> None:
        if len(self.oddities) < 100:
            self.oddities.append(one_line(f"row {event.seq}: {event.type} {what}", 300))

    # Session ----------------------------------------------------------------------------------------------------------

    def _session(self, event: Event) -> None:
        session = event.part("session")
        merge(self.config, ga_settings(session))
        if type_told := told_type(event.type, session):
            self.config["type"] = type_told
        if isinstance(named := session.get("id"), str):
            self.session_id = named

    def _error(self, event: Event) -> None:
        caused_by = event.part("error").get("event_id")
        self.requested.refused(caused_by)
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

    def _resumed(self, event: Event) -> None:
        self._past = set(self.responses)

    # Items ------------------------------------------------------------------------------------------------------------

    def _item_added(self, event: Event) -> None:
        item = self._item_seen(event)
        if item is None:
            return
        after = event.data.get("previous_item_id", "")
        if item.type == "function_call_output":
            self._function_output(item)
        decide(self.items.values(), item)
        if item.id not in self.items:
            adopt(item, self.responses.values())
            self._insert(item, after if isinstance(after, str) else None)

    def _insert(self, item: Item, after: str | None) -> None:
        """Insert an item behind `after`: at the front for None or ``"root"``, at the end for an unknown id."""
        if after in self.items and after != next(reversed(self.items)):
            order = list(self.items.values())
            order.insert(list(self.items).index(after) + 1, item)
            self.items = {each.id: each for each in order}
        elif after in (None, "root") and self.items:
            self.items = {item.id: item, **self.items}
        else:
            self.items[item.id] = item

    def _item_seen(self, event: Event) -> Item | None:
        data = event.part("item")
        identifier = data.get("id")
        if not isinstance(identifier, str):
            self._odd(event, "has no item id")
            return None
        item = self.item(identifier) or Item(identifier)
        self._early.pop(identifier, None)
        fill(item, data)
        self._sent_images.give(item, data)
        return item

    def _remote_tool(self, event: Event) -> None:
        item = self.item(event.item_id)
        if item is None and event.kind in ARGUMENT_KINDS:
            item = self._output(self._response(event), event.item_id)
        self._remote.take(item, event)

    def _response_item(self, identifier: str) -> Item | None:
        for response in reversed(self.responses.values()):
            if identifier in response.items:
                return response.items[identifier]
        return None

    def _item_deleted(self, event: Event) -> None:
        item = self.items.pop(event.item_id, None) or self._response_item(event.item_id)
        if item is not None:
            item.status = DELETED

    def _item_truncated(self, event: Event) -> None:
        item = self.item(event.item_id)
        end = event.data.get("audio_end_ms")
        if item is not None and isinstance(end, int) and not isinstance(end, bool):
            item.part(event.content_index).heard_ms = end

    def _function_output(self, output: Item) -> None:
        wanted = (item for response in self.responses.values() for item in response.items.values())
        for item in (*self.items.values(), *wanted):
            if item.type == "function_call" and item.call_id == output.call_id:
                item.output = output.output

    def _input_transcript(self, event: Event) -> None:
        if translates(event):
            item = source(self.items, translation(self.items, self.responses, event.t))
        else:
            early = self.items.get(event.item_id) is None
            item = self._early.setdefault(event.item_id, Item(event.item_id)) if early else self.items[event.item_id]
        if odd := take_transcript(item, event):
            self._odd(event, odd)

    def _translated(self, event: Event) -> None:
        for response in self.responses.values():
            if response.active:
                response.status, response.done_t = "completed", event.t

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
        self._read_response(response, data)
        response.status = response.status or IN_PROGRESS
        if not response.active:
            response.done_t = event.t

    def _response_done(self, event: Event) -> None:
        response = self._response(event)
        if response.done_t == response.done_t:
            self._odd(event, "came twice for one response")
            return
        data = event.part("response")
        self._read_response(response, data)
        if response.status in ("", IN_PROGRESS):
            response.status = "completed"
        response.done_t = event.t
        output = data.get("output")
        for item in output if isinstance(output, list) else ():
            if isinstance(item, dict) and isinstance(item.get("id"), str):
                fill(self._output(response, item["id"]), item)

    def _response(self, event: Event, *, announced: bool = False) -> ResponseState:
        """Return the response that an event belongs to; one without ``response.created`` is made, and is an oddity."""
        identifier = event.response_id
        if translates(event):
            return translation(self.items, self.responses, event.t)
        if not identifier and not announced and (active := self.active) is not None:
            return active
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

    def _read_response(self, response: ResponseState, data: Mapping[str, Any]) -> None:
        settings = ga_settings(data)
        if (own := look(settings, ("audio", "output", "format"))) is not None:
            response.format = FORMATS[format_name(own, response.format.name)]
        response.status = str(data.get("status") or response.status)
        details = data.get("status_details")
        if isinstance(details, dict):
            response.reason = str(details.get("reason") or response.reason)
            error = details.get("error")
            response.error = error if isinstance(error, dict) else response.error
        for name in ("usage", "metadata"):
            if isinstance(data.get(name), dict):
                setattr(response, name, data[name])
        if "conversation_id" in data:
            response.conversation_id = data["conversation_id"]

    def _output_item(self, event: Event) -> None:
        data = event.part("item")
        if isinstance(data.get("id"), str):
            fill(self._output(self._response(event), data["id"]), data)

    def _output(self, response: ResponseState, item_id: str) -> Item:
        if not item_id and response.items:
            return next(reversed(response.items.values()))
        if item_id not in response.items:
            item = self.items.get(item_id) or Item(item_id, role="assistant", response_id=response.id)
            item.response_id = response.id
            response.items[item_id] = item
        return response.items[item_id]

    def _part_of(self, event: Event) -> tuple[ResponseState, ContentPart] | None:
        """Return the response and content part of a delta, or None for a delta that must be ignored.

        A service that sends each delta in both dialects' spellings would double it: only the spelling of a part's first
        delta counts.
        """
        response = self._response(event)
        part = self._output(response, event.item_id).part(event.content_index)
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
        item = self._output(self._response(event), event.item_id)
        item.type = "function_call"
        item.call_id = event.text("call_id") or item.call_id
        if event.kind == Kind.ARGUMENTS_DELTA:
            item.arguments += event.text("delta")
        else:
            item.arguments = event.text("arguments") or item.arguments
            item.name = event.text("name") or item.name
