"""The user's side of a session: appended audio, the turns detected in it, and the items that they become."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rtnb.audio.formats import FORMATS, AudioFormat
from rtnb.audio.samples import Samples
from rtnb.protocol.config import format_name
from rtnb.protocol.names import Kind
from rtnb.service.session import error_events
from rtnb.service.session.client_events import Events, Ids
from rtnb.service.session.engine_orders import EngineOrders
from rtnb.service.session.input_buffer import InputBuffer, decode_audio
from rtnb.service.session.items import ItemList, StoredItem
from rtnb.service.session.settings import INPUT_FORMAT, TURN_DETECTION, ServiceSettings
from rtnb.service.session.transcription import InputTranscription
from rtnb.service.session.turn_detection import Boundary, MakeDetector, TurnDetector, TurnRules

_SHORTEST = 0.1  # seconds that can be committed
_SILENCE_KEPT = 30.0  # seconds that are kept of the silence between turns


class InputAudio:
    """Takes a session's input audio.

    `interrupt` and `respond` are called when a turn begins and when it ends, where the settings ask for it; each returns
    the events that it causes.
    """

    def __init__(
        self,
        settings: ServiceSettings,
        items: ItemList,
        ids: Ids,
        orders: EngineOrders,
        make_detector: MakeDetector,
        *,
        interrupt: Callable[[], Events],
        respond: Callable[[], Events],
    ) -> None:
        self._settings = settings
        self._items = items
        self._ids = ids
        self._orders = orders
        self._make_detector = make_detector
        self._interrupt = interrupt
        self._respond = respond
        self._buffer = InputBuffer(self.format)
        self._detector: TurnDetector | None = None  # knows the room: once needed, it lives as long as the format
        self._detecting = False
        self._transcription: InputTranscription | None = None  # of the turn in progress
        self._item_id = ""  # of the turn in progress
        self._fed = 0  # the sample up to which the transcription has the audio
        self._idle: int | None = None  # the sample from which on the idle timeout runs
        self.reconfigure()

    @property
    def format(self) -> AudioFormat:
        """Return the format of the input audio."""
        return FORMATS[format_name(self._settings.get(INPUT_FORMAT))]

    def reconfigure(self) -> None:
        """Apply changed settings. A turn in progress goes on, unless turn detection or the format ended."""
        if self.format is not self._buffer.format:
            self._forget_turn()
            self._buffer.change(self.format)
            self._detector = None
        rules = TurnRules.of(self._settings.get(TURN_DETECTION))
        if rules is None:
            self._forget_turn()
        elif self._detector is None:
            self._detector = TurnDetector(rules, self.format.rate, self._buffer.end, self._make_detector)
        else:
            self._detector.rules = rules
            if not self._detecting:
                self._detector.restart(self._buffer.end)
        self._detecting = rules is not None

    def append(self, event: Mapping[str, Any]) -> Events:
        """Take audio, and do what the turns in it ask for."""
        data = decode_audio(event.get("audio"), "audio")
        begin = self._buffer.end
        samples = self._buffer.append(data)
        detector = self._detector
        if detector is None or not self._detecting:
            return []
        events: Events = []
        for boundary in detector.feed(samples):
            events += self._time_out(detector.rules, boundary.sample)
            self._transcribe(samples, begin, boundary.sample)
            events += (self._begin if boundary.begins else self._end)(detector.rules, boundary)
        self._transcribe(samples, begin, self._buffer.end)
        events += self._time_out(detector.rules, detector.settled)
        if not detector.speaking:
            self._buffer.drop(self._buffer.end - int(_SILENCE_KEPT * self.format.rate))
        return events

    def commit(self, _event: Mapping[str, Any]) -> Events:
        """Make an item of what the buffer holds."""
        if self._buffer.seconds < _SHORTEST:
            raise error_events.buffer_too_small(self._buffer.seconds * 1000)
        transcription = self._transcription or self._start_transcription(self._buffer.start)
        transcription.feed(self._buffer.between(self._fed, self._buffer.end))
        events = self._make_item(self._buffer.end)
        self._restart()
        return events

    def clear(self, _event: Mapping[str, Any]) -> Events:
        """Drop what the buffer holds."""
        self._forget_turn()
        self._buffer.clear()
        self._restart()
        return [{"type": Kind.INPUT_CLEARED.value}]

    def transcribe_item(self, item: StoredItem, *, announced: bool = True) -> None:
        """Start the transcription of an item that a client made, if it needs one; its events are sent later, if at all."""
        if item.role == "user" and item.has_audio and not item.text:
            transcription = InputTranscription(self._settings, self._orders, item.format.rate, announced=announced)
            transcription.feed(item.samples())
            transcription.bind(item)
        item.trim()

    def await_user(self, seconds: float) -> None:
        """Start the idle timeout when the answer just sent, so many seconds of audio, will have been played."""
        self._idle = self._buffer.end + round(seconds * self.format.rate)

    def stop_awaiting(self) -> None:
        """Stop the idle timeout: a response is in progress."""
        self._idle = None

    def _restart(self) -> None:
        """Look for turns from here on; the room is the same."""
        if self._detector is not None:
            self._detector.restart(self._buffer.end)

    def _forget_turn(self) -> None:
        if self._transcription is not None:
            self._transcription.drop()
        self._transcription, self._item_id = None, ""

    def _start_transcription(self, start: int) -> InputTranscription:
        self._transcription = InputTranscription(self._settings, self._orders, self.format.rate)
        self._fed = start
        return self._transcription

    def _transcribe(self, samples: Samples, begin: int, until: int) -> None:
        """Feed the transcription up to a sample; `samples` were just appended, the first is number `begin`."""
        if self._transcription is None or until <= self._fed:
            return
        if self._fed < begin:
            self._transcription.feed(self._buffer.between(self._fed, min(begin, until)))
        self._transcription.feed(samples[max(0, self._fed - begin) : max(0, until - begin)])
        self._fed = until

    def _begin(self, rules: TurnRules, boundary: Boundary) -> Events:
        start = max(self._buffer.start, boundary.sample - rules.prefix_ms * self.format.rate // 1000)
        self._buffer.drop(start)
        self._item_id = self._ids.new("item")
        self._start_transcription(start)
        place = {"audio_start_ms": self._buffer.ms(start), "item_id": self._item_id}
        events = [{"type": Kind.SPEECH_STARTED.value, **place}, *(self._interrupt() if rules.interrupts else ())]
        self._idle = None
        return events

    def _end(self, rules: TurnRules, boundary: Boundary) -> Events:
        place = {"audio_end_ms": self._buffer.ms(boundary.sample), "item_id": self._item_id}
        events = [{"type": Kind.SPEECH_STOPPED.value, **place}, *self._make_item(boundary.sample)]
        return [*events, *(self._respond() if rules.creates else ())]

    def _make_item(self, until: int) -> Events:
        """Commit the audio up to a sample."""
        shown = {"id": self._item_id or self._ids.new("item"), "object": "realtime.item", "type": "message"}
        content = [{"type": "input_audio", "transcript": None}]
        item = StoredItem({**shown, "status": "completed", "role": "user", "content": content}, self.format)
        item.add_audio(self.format.encode(self._buffer.between(self._buffer.start, until)))
        self._buffer.drop(until)
        committed = {"type": Kind.INPUT_COMMITTED.value, "previous_item_id": self._items.last, "item_id": item.id}
        events = [committed, *self._items.add(item)]
        if self._transcription is not None:
            events += self._transcription.bind(item)
        self._transcription, self._item_id = None, ""
        item.trim()
        return events

    def _time_out(self, rules: TurnRules, now: int) -> Events:
        """Commit and answer the silence, where the idle timeout ends before sample `now`."""
        if rules.idle_ms is None or self._idle is None or self._transcription is not None:
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
        return [triggered, *self._make_item(due), *self._respond()]
