"""The user's side of a session: what is appended, the turns that are found in it, and the items that they become."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rtnb.audio.formats import FORMATS, AudioFormat
from rtnb.audio.samples import Samples
from rtnb.protocol.config import format_name, look
from rtnb.protocol.names import Kind
from rtnb.service.session import refusals
from rtnb.service.session.held_item import HeldItem
from rtnb.service.session.ids import Ids
from rtnb.service.session.input_buffer import InputBuffer, decode_audio
from rtnb.service.session.items import ItemList
from rtnb.service.session.jobs import Events, Jobs
from rtnb.service.session.settings import INPUT_FORMAT, TURN_DETECTION, Settings
from rtnb.service.session.transcription import Hearing
from rtnb.service.session.turn_detection import Boundary, MakeDetector, TurnDetector, TurnRules

_SHORTEST = 0.1  # seconds that can be committed
_SILENCE_KEPT = 30.0  # seconds that are kept of a silence in which turns are waited for


class Listening:
    """Hears the user.

    Parameters
    ----------
    settings : Settings
    items : ItemList
        Where the user's items go.
    ids : Ids
    jobs : Jobs
        For transcription.
    make_detector : callable
        Makes a speech detector for a rate.
    interrupt, respond : callable
        What a turn's beginning and its end may cause; each returns its events.
    """

    def __init__(
        self,
        settings: Settings,
        items: ItemList,
        ids: Ids,
        jobs: Jobs,
        make_detector: MakeDetector,
        *,
        interrupt: Callable[[], Events],
        respond: Callable[[], Events],
    ) -> None:
        self._settings = settings
        self._items = items
        self._ids = ids
        self._jobs = jobs
        self._make_detector = make_detector
        self._interrupt = interrupt
        self._respond = respond
        self._buffer = InputBuffer(self.format)
        self._detector: TurnDetector | None = None
        self._hearing: Hearing | None = None
        self._item_id = ""
        self._speech = 0
        self._fed = 0
        self._idle: int | None = None  # the sample from which on the user is waited for
        self.reconfigure()

    @property
    def format(self) -> AudioFormat:
        """Return the format of the user's sound."""
        return FORMATS[format_name(look(self._settings.tree, INPUT_FORMAT))]

    @property
    def _rules(self) -> TurnRules | None:
        return self._detector.rules if self._detector is not None else None

    def reconfigure(self) -> None:
        """Heed changed settings; a turn that goes on goes on, unless turns are no longer looked for."""
        if self.format is not self._buffer.format:
            self._forget()
            self._buffer.change(self.format)
            self._detector = None
        rules = TurnRules.of(look(self._settings.tree, TURN_DETECTION))
        if rules is None:
            self._forget()
            self._detector = None
        elif self._detector is None:
            self._detector = TurnDetector(rules, self.format.rate, self._buffer.end, self._make_detector)
        else:
            self._detector.rules = rules

    def append(self, event: Mapping[str, Any]) -> Events:
        """Take sound, and do what the turns in it ask for."""
        data = decode_audio(event.get("audio"), "audio")
        begin = self._buffer.end
        samples = self._buffer.append(data)
        if self._detector is None:
            return []
        events: Events = []
        detector = self._detector
        for boundary in detector.feed(samples):
            events += self._idle_until(boundary.known)
            self._hear(samples, begin, boundary.sample)
            events += self._begin(boundary) if boundary.begins else self._end(boundary)
        self._hear(samples, begin, self._buffer.end)
        events += self._idle_until(self._buffer.end)
        if not detector.speaking:
            self._buffer.drop(self._buffer.end - int(_SILENCE_KEPT * self.format.rate))
        return events

    def commit(self, _event: Mapping[str, Any]) -> Events:
        """Make an item of what the buffer holds."""
        if self._buffer.seconds < _SHORTEST:
            raise refusals.buffer_too_small(self._buffer.seconds * 1000)
        if self._hearing is None:
            self._listen(self._buffer.start)
        assert self._hearing is not None
        if self._fed < self._buffer.end:
            self._hearing.feed(self._buffer.between(self._fed, self._buffer.end))
        events = self._commit(self._buffer.end)
        self._restart()
        return events

    def clear(self, _event: Mapping[str, Any]) -> Events:
        """Throw away what the buffer holds."""
        self._forget()
        self._buffer.clear()
        self._restart()
        return [{"type": Kind.INPUT_CLEARED.value}]

    def hear_item(self, held: HeldItem, *, told: bool = True) -> None:
        """Write down the sound of an item that a client made; its events come later, where it is to be told at all."""
        if held.role == "user" and held.sounds and not held.text:
            hearing = Hearing(self._settings, self._jobs, held.format.rate, told=told)
            hearing.feed(held.samples())
            hearing.bind(held)
        held.trim()

    def answered(self, seconds: float) -> None:
        """Know that an answer is over once its sound was played: from then on the user is waited for."""
        self._idle = self._buffer.end + round(seconds * self.format.rate)

    def busy(self) -> None:
        """Know that an answer is under way: nobody is waited for."""
        self._idle = None

    def _restart(self) -> None:
        """Look for turns afresh, from now on."""
        if self._detector is not None:
            self._detector = TurnDetector(self._detector.rules, self.format.rate, self._buffer.end, self._make_detector)

    def _forget(self) -> None:
        if self._hearing is not None:
            self._hearing.drop()
        self._hearing = None
        self._item_id = ""

    def _listen(self, start: int) -> None:
        self._hearing = Hearing(self._settings, self._jobs, self.format.rate)
        self._fed = start

    def _hear(self, samples: Samples, begin: int, until: int) -> None:
        """Hand on what was not yet handed on, up to a sample."""
        if self._hearing is None or until <= self._fed:
            return
        if self._fed < begin:
            self._hearing.feed(self._buffer.between(self._fed, min(begin, until)))
        self._hearing.feed(samples[max(0, self._fed - begin) : max(0, until - begin)])
        self._fed = until

    def _begin(self, boundary: Boundary) -> Events:
        rules = self._rules
        assert rules is not None
        start = boundary.sample - rules.prefix_ms * self.format.rate // 1000
        self._speech = max(self._buffer.start, start)
        self._buffer.drop(self._speech)
        self._item_id = self._ids.new("item")
        self._listen(self._speech)
        place = {"audio_start_ms": self._buffer.ms(self._speech), "item_id": self._item_id}
        events = [{"type": Kind.SPEECH_STARTED.value, **place}, *(self._interrupt() if rules.interrupts else ())]
        self._idle = None
        return events

    def _end(self, boundary: Boundary) -> Events:
        rules = self._rules
        assert rules is not None
        place = {"audio_end_ms": self._buffer.ms(boundary.sample), "item_id": self._item_id}
        events = [{"type": Kind.SPEECH_STOPPED.value, **place}, *self._commit(boundary.sample)]
        return [*events, *(self._respond() if rules.creates else ())]

    def _commit(self, until: int) -> Events:
        """Make an item of the sound up to a sample."""
        item = {"id": self._item_id or self._ids.new("item"), "object": "realtime.item", "type": "message"}
        content = [{"type": "input_audio", "transcript": None}]
        held = HeldItem({**item, "status": "completed", "role": "user", "content": content}, format=self.format)
        held.say(self.format.encode(self._buffer.between(self._buffer.start, until)))
        self._buffer.drop(until)
        committed = {"type": Kind.INPUT_COMMITTED.value, "previous_item_id": self._items.last, "item_id": held.id}
        events = [committed, *self._items.join(held)]
        if self._hearing is not None:
            events += self._hearing.bind(held)
        self._hearing, self._item_id = None, ""
        held.trim()
        return events

    def _idle_until(self, now: int) -> Events:
        """Trigger the timeout, where one is due before a sample."""
        rules = self._rules
        if rules is None or rules.idle_ms is None or self._idle is None or self._hearing is not None:
            return []
        start = self._idle
        due = start + rules.idle_ms * self.format.rate // 1000
        if now < due:
            return []
        self._idle = None
        self._item_id = self._ids.new("item")
        self._buffer.drop(start)
        place = {"audio_start_ms": self._buffer.ms(start), "audio_end_ms": self._buffer.ms(due)}
        triggered = {"type": Kind.INPUT_TIMEOUT.value, **place, "item_id": self._item_id}
        return [triggered, *self._commit(due), *self._respond()]
