"""One session of the local service, without any I/O: client frames and engine results in, server events and orders out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from rtnb.protocol.catalog import DEFAULT_MODEL
from rtnb.protocol.dialects import Dialect
from rtnb.protocol.names import Kind
from rtnb.service.engines.tasks import Order, Result
from rtnb.service.session import error_events
from rtnb.service.session.active_responses import ActiveResponses
from rtnb.service.session.client_events import Events, Ids, check_event, read_event
from rtnb.service.session.engine_orders import EngineOrders
from rtnb.service.session.input_audio import InputAudio
from rtnb.service.session.item_reader import ItemReader
from rtnb.service.session.items import ItemList, StoredItem
from rtnb.service.session.mcp_calls import Approvals
from rtnb.service.session.mcp_servers import McpServers
from rtnb.service.session.response_plan import ResponsePlanner
from rtnb.service.session.response_stream import ResponseStream, Step
from rtnb.service.session.settings import TOOLS, ServiceSettings
from rtnb.service.session.speech_detector import SpeechDetector
from rtnb.service.session.turn_detection import MakeDetector
from rtnb.service.session.usage import RateLimits
from rtnb.service.session.weak_calls import weakly

SESSION_SECONDS = 60 * 60.0
"""How long a session lasts, as at the cloud services."""


class ServiceConnection:
    """One session, as one WebSocket sees it.

    It never waits. What takes time it orders from the engines (:meth:`orders`); the caller carries the orders out and
    brings the results back (:meth:`supply`, then :meth:`supply_end` or :meth:`supply_failure`). Methods return the events
    to send, as the client's dialect spells them.

    Parameters
    ----------
    dialect : Dialect
        The client's.
    model : str
        Shown in the session; any name.
    seed : int
        The same seed, frames and results give the same events.
    clock : callable
        Returns Unix time in seconds.
    lifetime : float
        Seconds until the session expires; the owner of the socket then sends :meth:`expire` and closes it with 1001.
    intent : str
        ``"transcription"`` for a session that only transcribes.
    granted : mapping, optional
        The settings that it begins with, in GA's form and checked: those of a client secret.
    make_detector : callable
        Makes the speech detector for a sample rate.
    """

    def __init__(
        self,
        dialect: Dialect,
        *,
        model: str = DEFAULT_MODEL,
        seed: int = 0,
        clock: Callable[[], float] = time.time,
        lifetime: float = SESSION_SECONDS,
        intent: str = "",
        granted: Mapping[str, Any] | None = None,
        make_detector: MakeDetector = SpeechDetector,
    ) -> None:
        self.dialect = dialect
        self.lifetime = lifetime
        self._clock = clock
        self._ids = Ids(seed)
        self._orders = EngineOrders()
        self._active = ActiveResponses()
        self._response_owed = False
        self._settings = ServiceSettings(
            dialect,
            session_id=self._ids.new("sess"),
            model=model,
            expires_at=int(clock() + lifetime),
            transcribes=intent == "transcription",
        )
        if granted is not None:
            self._settings.update(granted, voice_is_fixed=False)
        self._items = ItemList()
        conversation_id = self._ids.new("conv")
        turns = {"interrupt": weakly(self._interrupt), "respond": weakly(self._respond_to_turn)}
        self._input = InputAudio(self._settings, self._items, self._ids, self._orders, make_detector, **turns)
        self._reader = ItemReader(dialect, self._ids, self._items)
        self._planner = ResponsePlanner(
            dialect,
            self._settings,
            self._items,
            conversation_id,
            weakly(self._read_response_input),
            seed=seed,
            clock=clock,
        )
        self._limits = RateLimits(clock)
        self._servers = McpServers(self._ids, self._items)
        self._approvals = Approvals()
        self._handlers = self._commands()

    @property
    def responses(self) -> list[str]:
        """Return the ids of the responses that advance side by side, the one first whose turn it is."""
        return [response.id for response in self._active.running]

    def due(self) -> float | None:
        """Return the Unix time at which :meth:`advance` may have a step without any new input; None: never."""
        times = [response.due for response in self._active.running if response.due is not None]
        return min(times, default=None)

    def unsent_seconds(self, job: str) -> float:
        """Return the seconds of a job's speech that were supplied and not sent yet.

        Each job is counted for itself: a sentence that is sent later must never hold up the one that is sent now.
        """
        return sum(response.unsent_seconds(job) for response in self._active.running)

    def open(self) -> Events:
        """Return the events that begin a session: ``session.created``, and the lists of the MCP servers that it begins with."""
        created = {"type": Kind.SESSION_CREATED.value, "session": self._settings.show()}
        return self._encode([created, *self._servers.announce(self._settings.get(TOOLS))])

    def receive(self, raw: bytes | str) -> Events:
        """Take one client frame; return the events to send now.

        It does not raise, whatever the frame holds: an ``error`` event says what cannot be done.
        """
        event_id = None
        try:
            given = read_event(raw)
            event_id = named if isinstance(named := given.get("event_id"), str) else None
            kind = check_event(given, len(raw), self.dialect)
            handler = self._handlers.get(kind)
            if handler is None:
                raise error_events.not_over_websocket(given["type"])
            return self._encode(handler(self.dialect.decode(given)))
        except error_events.InvalidRequest as error:
            return self._encode([error.event(event_id)])

    def receive_binary(self) -> Events:
        """Take a binary frame, which the protocol does not have; return the ``error`` event."""
        return self._encode([error_events.binary_frame().event(None)])

    def advance(self, response_id: str | None = None) -> Step | None:
        """Return the next step of a response in progress; None where there is none now.

        Parameters
        ----------
        response_id : str, optional
            Which response; else the first that has a step, and they take turns.
        """
        for response in self._active.running:
            step = response.advance(self._clock()) if response_id in (None, response.id) else None
            if step is not None:
                events = step.events
                if response.finished:
                    events = [*events, *self._retire(response)]
                else:
                    self._active.pass_turn(response)
                return Step(self._encode(events), step.seconds)
        return None

    def orders(self) -> list[Order]:
        """Return the orders to the engines since the last call."""
        return self._orders.take_new()

    def supply(self, job: str, result: Result) -> Events:
        """Take a result of a job; return the events to send now. The result of a stopped job is dropped."""
        return self._encode(self._orders.take(job, result))

    def supply_end(self, job: str) -> Events:
        """Note that a job is done; return the events to send now."""
        return self._encode(self._orders.end(job))

    def supply_failure(self, job: str, code: str, message: str) -> Events:
        """Note that a job failed, and why; return the events to send now."""
        return self._encode(self._orders.fail(job, code, message))

    def expire(self) -> Events:
        """Return what to send before a session is closed for its age."""
        return self._encode([error_events.expired(self.lifetime).event(None)])

    def close(self) -> None:
        """Let go of what is in progress. Nothing refers to the session then but its owner: its memory is free at once."""
        self._active.clear()
        self._orders.clear()
        self._approvals.clear()

    def _commands(self) -> dict[Kind, Callable[[dict[str, Any]], Events]]:
        """Return what is done with each client event; none of it keeps the session alive."""
        return {
            Kind.SESSION_UPDATE: weakly(self._update),
            Kind.ITEM_CREATE: weakly(self._create_item),
            Kind.ITEM_DELETE: self._items.delete,
            Kind.ITEM_RETRIEVE: self._items.retrieve,
            Kind.ITEM_TRUNCATE: self._items.truncate,
            Kind.INPUT_APPEND: self._input.append,
            Kind.INPUT_COMMIT: self._input.commit,
            Kind.INPUT_CLEAR: self._input.clear,
            Kind.RESPONSE_CREATE: weakly(self._respond),
            Kind.RESPONSE_CANCEL: weakly(self._cancel),
        }

    def _update(self, event: dict[str, Any]) -> Events:
        if event.get("session") is None:
            raise error_events.missing_parameter(param="session")
        self._settings.update(event["session"], voice_is_fixed=self._items.has_assistant_audio)
        self._input.reconfigure()
        tools = self._settings.get(TOOLS)
        self._servers.retain(tools)
        return [{"type": Kind.SESSION_UPDATED.value, "session": self._settings.show()}, *self._servers.announce(tools)]

    def _create_item(self, event: dict[str, Any]) -> Events:
        item = self._reader.read(event.get("item"), "item", self._input.format)
        self._approvals.check(item.shown)
        events = self._items.add(item, event.get("previous_item_id"))
        self._input.transcribe_item(item)
        return [*events, *self._approvals.take(item.shown)]

    def _read_response_input(self, given: Any, param: str) -> StoredItem:
        item = self._reader.read(given, param, self._input.format)
        self._input.transcribe_item(item, announced=False)
        return item

    def _respond(self, event: dict[str, Any]) -> Events:
        if self._settings.transcribes:
            raise error_events.no_responses()
        plan = self._planner.plan(event.get("response") or {})
        if plan.conversation is not None:
            if active := self._active.in_conversation:
                raise error_events.active_response(active.id)
            self._input.stop_awaiting()
        listed = self._servers.announce(plan.tools) if plan.conversation is not None else []
        response = ResponseStream(self._ids.new("resp"), plan, self._orders, self._ids, self._approvals)
        self._active.add(response)
        return [*listed, response.begin(), self._limits.begin_response()]

    def _respond_to_turn(self) -> Events:
        """Answer a turn; while a response is in progress, when that is finished."""
        if self._settings.transcribes:
            return []
        if self._active.in_conversation:
            self._response_owed = True
            return []
        return self._respond({})

    def _cancel(self, event: dict[str, Any]) -> Events:
        named = event.get("response_id")
        response = self._active.in_conversation if named is None else None
        if isinstance(named, str):
            response = self._active.find(named)
        if response is None:
            raise error_events.nothing_to_cancel()
        return self._stop(response, "client_cancelled")

    def _interrupt(self) -> Events:
        self._response_owed = False
        response = self._active.in_conversation
        return self._stop(response, "turn_detected") if response is not None else []

    def _stop(self, response: ResponseStream, reason: str) -> Events:
        events = response.cancel(reason)
        return [*events, *self._retire(response)]

    def _retire(self, response: ResponseStream) -> Events:
        """Count what a finished response used; begin the one that is owed to a turn."""
        self._active.remove(response)
        self._limits.spend(response.tokens_used)
        if not response.in_conversation:
            return []
        self._input.await_user(response.seconds)
        if not self._response_owed:
            return []
        self._response_owed = False
        return self._respond({})

    def _encode(self, events: Iterable[dict[str, Any]]) -> Events:
        """Translate events to the client's dialect, and give each its id."""
        return [
            {"type": wire["type"], "event_id": self._ids.new("event"), **wire}
            for event in events
            for wire in self.dialect.encode_all(event)
        ]
