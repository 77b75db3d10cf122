"""One session of the local service, without any I/O: client frames in, wire events out, and responses step by step."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from rtnb.protocol.dialects import Dialect
from rtnb.protocol.names import Kind
from rtnb.service import refusals
from rtnb.service.ids import Ids
from rtnb.service.item_reader import ItemReader
from rtnb.service.items import ItemList
from rtnb.service.ladder import Events, Ladder, Step
from rtnb.service.parameters import check_event, read_event
from rtnb.service.planning import Planner, Reply, Speak
from rtnb.service.replies import reply as own_reply
from rtnb.service.settings import Settings
from rtnb.service.usage import RateLimits
from rtnb.service.voice import speak as own_voice

DEFAULT_MODEL = "gpt-realtime"
SESSION_SECONDS = 60 * 60
"""How long a session lasts, as at the cloud services."""

_Answer = Callable[[dict[str, Any]], Events]


class ServiceConnection:
    """One session, as one WebSocket sees it.

    Parameters
    ----------
    dialect : Dialect
        What the client speaks.
    model : str
        Shown in the session; any name.
    seed : int
        The same seed and the same frames give the same events.
    clock : callable
        Returns Unix time in seconds.
    reply : callable
        ``reply(text, *, history, instructions, voice, now)`` returns the answer's text.
    speak : callable
        ``speak(text, voice, *, seed, speed)`` yields its words.
    """

    def __init__(
        self,
        dialect: Dialect,
        *,
        model: str = DEFAULT_MODEL,
        seed: int = 0,
        clock: Callable[[], float] = time.time,
        reply: Reply = own_reply,
        speak: Speak = own_voice,
    ) -> None:
        self.dialect = dialect
        self._ids = Ids(seed)
        expires_at = int(clock()) + SESSION_SECONDS
        self._settings = Settings(dialect, session_id=self._ids.new("sess"), model=model, expires_at=expires_at)
        self._items = ItemList()
        self._read_item = ItemReader(dialect, self._ids, self._items.calls)
        self._planner = Planner(
            dialect,
            self._settings,
            self._items,
            self._ids.new("conv"),
            self._read_item,
            reply=reply,
            speak=speak,
            seed=seed,
            clock=clock,
        )
        self._limits = RateLimits(clock)
        self._active: deque[Ladder] = deque()
        self._answers: dict[Kind, _Answer] = {
            Kind.SESSION_UPDATE: self._update,
            Kind.ITEM_CREATE: self._create_item,
            Kind.ITEM_DELETE: self._items.delete,
            Kind.ITEM_RETRIEVE: self._items.retrieve,
            Kind.ITEM_TRUNCATE: self._items.truncate,
            Kind.RESPONSE_CREATE: self._respond,
            Kind.RESPONSE_CANCEL: self._cancel,
        }

    @property
    def busy(self) -> bool:
        """Return whether a response is in progress."""
        return bool(self._active)

    def open(self) -> list[dict[str, Any]]:
        """Return the events to send at once, unasked: ``session.created``."""
        return self._wire([{"type": Kind.SESSION_CREATED.value, "session": self._settings.show()}])

    def receive(self, raw: bytes | str) -> list[dict[str, Any]]:
        """Take one client frame; return the wire events to send now.

        Whatever the frame holds, this does not raise: what cannot be done is answered with an ``error`` event.
        """
        event_id = None
        try:
            given = read_event(raw)
            event_id = named if isinstance(named := given.get("event_id"), str) else None
            kind = check_event(given, len(raw), self.dialect)
            answer = self._answers.get(kind)
            if answer is None:
                raise refusals.unsupported(f"audio input ('{kind}')", "type")
            return self._wire(answer(self.dialect.decode(given)))
        except refusals.Refusal as refusal:
            return self._wire([refusal.event(event_id)])

    def receive_binary(self) -> list[dict[str, Any]]:
        """Take a binary frame, which the protocol does not have; return the ``error`` event."""
        return self._wire([refusals.binary_frame().event(None)])

    def advance(self) -> Step | None:
        """Return the next step of a response in progress, None when there is none; parallel ones take turns."""
        if not self._active:
            return None
        ladder = self._active[0]
        step = ladder.advance()
        if ladder.finished:
            self._retire(ladder)
        else:
            self._active.rotate(-1)
        return Step(self._wire(step.events), step.seconds)

    def expire(self) -> list[dict[str, Any]]:
        """Return what to send before a session is closed for its age."""
        return self._wire([refusals.expired(SESSION_SECONDS // 60).event(None)])

    def _update(self, event: dict[str, Any]) -> Events:
        if event.get("session") is None:
            raise refusals.missing_parameter("session")
        self._settings.update(event["session"], voice_is_fixed=self._items.heard_audio)
        return [{"type": Kind.SESSION_UPDATED.value, "session": self._settings.show()}]

    def _create_item(self, event: dict[str, Any]) -> Events:
        return self._items.create(event, self._read_item)

    def _respond(self, event: dict[str, Any]) -> Events:
        plan = self._planner.plan(event.get("response") or {})
        if plan.conversation is not None and (active := self._in_conversation()):
            raise refusals.active_response(active.id)
        ladder = Ladder(self._ids.new("resp"), self._ids.new("item"), plan)
        self._active.append(ladder)
        return [ladder.begin(), self._limits.begin_response()]

    def _cancel(self, event: dict[str, Any]) -> Events:
        named = event.get("response_id")
        ladder = self._in_conversation() if named is None else self._find(named)
        if ladder is None:
            raise refusals.nothing_to_cancel()
        events = ladder.cancel()
        self._retire(ladder)
        return events

    def _in_conversation(self) -> Ladder | None:
        return next((ladder for ladder in self._active if ladder.in_conversation), None)

    def _find(self, response_id: Any) -> Ladder | None:
        return next((ladder for ladder in self._active if ladder.id == response_id), None)

    def _retire(self, ladder: Ladder) -> None:
        self._active.remove(ladder)
        self._limits.spend(ladder.tokens_used)

    def _wire(self, events: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
        """Give each event its id and the client's dialect."""
        return [
            {"type": wire["type"], "event_id": self._ids.new("event"), **wire}
            for event in events
            for wire in self.dialect.encode_all(event)
        ]
