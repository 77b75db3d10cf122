"""One session of the local service, without any I/O: client frames in, wire events and orders out, results back in."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

from rtnb.audio.formats import AudioFormat
from rtnb.protocol.catalog import DEFAULT_MODEL
from rtnb.protocol.dialects import Dialect
from rtnb.protocol.names import Kind
from rtnb.service.engines.tasks import Order, Result
from rtnb.service.session import refusals
from rtnb.service.session.held_item import HeldItem
from rtnb.service.session.ids import Ids
from rtnb.service.session.item_reader import ItemReader
from rtnb.service.session.items import ItemList
from rtnb.service.session.jobs import Events, Jobs
from rtnb.service.session.listening import Listening
from rtnb.service.session.parameters import check_event, read_event
from rtnb.service.session.planning import Planner
from rtnb.service.session.response_stream import Ladder, Step
from rtnb.service.session.settings import Settings
from rtnb.service.session.turn_detection import Detector, MakeDetector
from rtnb.service.session.usage import RateLimits

SESSION_SECONDS = 60 * 60.0
"""How long a session lasts, as at the cloud services."""


def _speech_detector(rate: int) -> Detector:
    # Only a session that hears something pays for loading it.
    from rtnb.service.session.speech_detector import SpeechDetector

    return SpeechDetector(rate)


_Answer = Callable[[dict[str, Any]], Events]


class ServiceConnection:
    """One session, as one WebSocket sees it.

    It never waits. What takes time it orders (:meth:`orders`); whoever carries an order out brings the results back
    (:meth:`supply`, then :meth:`supply_end` or :meth:`supply_failure`).

    Parameters
    ----------
    dialect : Dialect
        What the client speaks.
    model : str
        Shown in the session; any name.
    seed : int
        The same seed, frames and results give the same events.
    clock : callable
        Returns Unix time in seconds.
    lifetime : float
        Seconds until the session expires; whoever holds the socket then sends :meth:`expire` and closes it with 1001.
    intent : str
        ``"transcription"`` for a session that only writes down what it hears.
    make_detector : callable, optional
        Makes the detector of speech for a sample rate.
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
        make_detector: MakeDetector | None = None,
    ) -> None:
        self.dialect = dialect
        self.lifetime = lifetime
        self._clock = clock
        self._ids = Ids(seed)
        self._jobs = Jobs()
        self._active: dict[str, Ladder] = {}
        self._owed = False
        self._settings = Settings(
            dialect,
            session_id=self._ids.new("sess"),
            model=model,
            expires_at=int(clock() + lifetime),
            transcribes=intent == "transcription",
        )
        self._items = ItemList()
        conversation_id = self._ids.new("conv")
        self._listening = Listening(
            self._settings,
            self._items,
            self._ids,
            self._jobs,
            make_detector or _speech_detector,
            interrupt=self._interrupt,
            respond=self._respond_to_turn,
        )
        self._read_item = ItemReader(dialect, self._ids, self._items.calls, self._input_format)
        self._planner = Planner(
            dialect, self._settings, self._items, conversation_id, self._read_aside, seed=seed, clock=clock
        )
        self._limits = RateLimits(clock)
        self._answers = self._what_answers()

    def _what_answers(self) -> dict[Kind, _Answer]:
        return {
            Kind.SESSION_UPDATE: self._update,
            Kind.ITEM_CREATE: self._create_item,
            Kind.ITEM_DELETE: self._items.delete,
            Kind.ITEM_RETRIEVE: self._items.retrieve,
            Kind.ITEM_TRUNCATE: self._items.truncate,
            Kind.INPUT_APPEND: self._listening.append,
            Kind.INPUT_COMMIT: self._listening.commit,
            Kind.INPUT_CLEAR: self._listening.clear,
            Kind.RESPONSE_CREATE: self._respond,
            Kind.RESPONSE_CANCEL: self._cancel,
        }

    @property
    def busy(self) -> bool:
        """Return whether a response is in progress."""
        return bool(self._active)

    @property
    def responses(self) -> list[str]:
        """Return the ids of the responses in progress; they go on side by side."""
        return list(self._active)

    def due(self) -> float | None:
        """Return the Unix time at which :meth:`advance` may have something although nothing came; None: at no time."""
        times = [ladder.due for ladder in self._active.values() if ladder.due is not None]
        return min(times, default=None)

    def ahead(self, job: str) -> float:
        """Return the seconds of a job's speech that were supplied and are not yet told.

        Each job is counted for itself: a stretch that is told later must never hold up the one that is told now.
        """
        return sum(ladder.ahead(job) for ladder in self._active.values())

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
                raise refusals.not_over_websocket(given["type"])
            return self._wire(answer(self.dialect.decode(given)))
        except refusals.Refusal as refusal:
            return self._wire([refusal.event(event_id)])

    def receive_binary(self) -> list[dict[str, Any]]:
        """Take a binary frame, which the protocol does not have; return the ``error`` event."""
        return self._wire([refusals.binary_frame().event(None)])

    def advance(self, response_id: str | None = None) -> Step | None:
        """Return the next step of a response in progress, None where there is none now.

        Parameters
        ----------
        response_id : str, optional
            Which one; else the first that has a step, and they take turns.
        """
        for ladder in [self._active[response_id]] if response_id is not None else list(self._active.values()):
            step = ladder.advance(self._clock())
            if step is not None:
                del self._active[ladder.id]
                events = step.events
                if ladder.finished:
                    events = [*events, *self._retire(ladder)]
                else:
                    self._active[ladder.id] = ladder
                return Step(self._wire(events), step.seconds)
        return None

    def orders(self) -> list[Order]:
        """Return what is to be done, since the last call."""
        return self._jobs.new_orders()

    def supply(self, job: str, result: Result) -> list[dict[str, Any]]:
        """Bring a result of a job; return the wire events to send now. What nobody wants any more goes nowhere."""
        return self._wire(self._jobs.take(job, result))

    def supply_end(self, job: str) -> list[dict[str, Any]]:
        """Say that a job is done; return the wire events to send now."""
        return self._wire(self._jobs.end(job))

    def supply_failure(self, job: str, code: str, message: str) -> list[dict[str, Any]]:
        """Say that a job was not done, and why; return the wire events to send now."""
        return self._wire(self._jobs.fail(job, code, message))

    def expire(self) -> list[dict[str, Any]]:
        """Return what to send before a session is closed for its age."""
        return self._wire([refusals.expired(self.lifetime).event(None)])

    def _input_format(self) -> AudioFormat:
        return self._listening.format

    def _update(self, event: dict[str, Any]) -> Events:
        if event.get("session") is None:
            raise refusals.missing_parameter("session")
        self._settings.update(event["session"], voice_is_fixed=self._items.heard_audio)
        self._listening.reconfigure()
        return [{"type": Kind.SESSION_UPDATED.value, "session": self._settings.show()}]

    def _create_item(self, event: dict[str, Any]) -> Events:
        held = self._read_item(event.get("item"), "item")
        events = self._items.join(held, event.get("previous_item_id"))
        self._listening.hear_item(held)
        return events

    def _read_aside(self, given: Any, param: str) -> HeldItem:
        held = self._read_item(given, param)
        self._listening.hear_item(held, told=False)
        return held

    def _respond(self, event: dict[str, Any]) -> Events:
        if self._settings.transcribes:
            raise refusals.not_answering()
        plan = self._planner.plan(event.get("response") or {})
        if plan.conversation is not None:
            if active := self._in_conversation():
                raise refusals.active_response(active.id)
            self._listening.busy()
        ladder = Ladder(self._ids.new("resp"), plan, self._jobs, self._ids)
        self._active[ladder.id] = ladder
        return [ladder.begin(), self._limits.begin_response()]

    def _respond_to_turn(self) -> Events:
        """Answer a turn that the service found; while it still speaks itself, the answer is owed."""
        if self._settings.transcribes:
            return []
        if self._in_conversation():
            self._owed = True
            return []
        return self._respond({})

    def _cancel(self, event: dict[str, Any]) -> Events:
        named = event.get("response_id")
        ladder = self._in_conversation() if named is None else self._find(named)
        if ladder is None:
            raise refusals.nothing_to_cancel()
        return self._stop(ladder, "client_cancelled")

    def _interrupt(self) -> Events:
        self._owed = False
        ladder = self._in_conversation()
        return self._stop(ladder, "turn_detected") if ladder is not None else []

    def _stop(self, ladder: Ladder, reason: str) -> Events:
        events = ladder.cancel(reason)
        del self._active[ladder.id]
        return [*events, *self._retire(ladder)]

    def _in_conversation(self) -> Ladder | None:
        return next((ladder for ladder in self._active.values() if ladder.in_conversation), None)

    def _find(self, response_id: Any) -> Ladder | None:
        return self._active.get(response_id) if isinstance(response_id, str) else None

    def _retire(self, ladder: Ladder) -> Events:
        """Count what a response used; begin the one that is owed."""
        self._limits.spend(ladder.tokens_used)
        if not ladder.in_conversation:
            return []
        self._listening.answered(ladder.seconds)
        if not self._owed:
            return []
        self._owed = False
        return self._respond({})

    def _wire(self, events: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
        """Give each event its id and the client's dialect."""
        return [
            {"type": wire["type"], "event_id": self._ids.new("event"), **wire}
            for event in events
            for wire in self.dialect.encode_all(event)
        ]
