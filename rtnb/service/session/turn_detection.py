"""When the user begins and ends to speak, on the clock of the samples: how fast they arrive changes nothing."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from rtnb.audio.samples import Samples
from rtnb.service.session.background import BetweenTurns
from rtnb.service.session.speech_detector import FRAMES_PER_SECOND, SpeechFrame

_ONSET = 3  # frames of speech in a row that begin a turn: a click is shorter
_PATIENCE_MS = 600  # in which a sound has to change: a steady one is no voice
_LASTING = 30  # frames after a change in which sound may still be speech
_LOUDER_DB = 6.0  # than what is usual between the turns: what begins a turn
_HYSTERESIS = 0.15  # speech goes on at a probability that would not begin it
_QUIETER_DB = 14.0  # than the turn: another voice, or none
_SMOOTHED = 4  # frames over which that is averaged
_RISE, _SINK = 0.2, 0.02  # how fast the loudness of a turn follows its speech, each frame
_SEMANTIC_SILENCE_MS = {"high": 500, "auto": 1000, "medium": 1000, "low": 2000}
"""The silence that ends a turn, by eagerness: no model judges here whether a sentence is over."""

_SEMANTIC_PREFIX_MS = 300


class FrameDetector(Protocol):
    """Gives the probability of speech in frames of 20 ms."""

    def feed(self, samples: Samples) -> Iterable[SpeechFrame]:
        """Take samples (int16); return the frames that are complete."""
        ...


MakeDetector = Callable[[int], FrameDetector]
"""Returns a detector for a sample rate in Hz."""


@dataclass(frozen=True, slots=True)
class TurnRules:
    """What begins and ends a turn."""

    threshold: float  # probability of speech that begins one
    prefix_ms: int  # time before the speech that belongs to it
    silence_ms: int  # silence that ends it
    idle_ms: int | None  # silence after an answer that is itself committed and answered; None: none is
    creates: bool  # whether its end creates a response
    interrupts: bool  # whether its beginning interrupts one

    @classmethod
    def of(cls, setting: Mapping[str, Any] | None) -> TurnRules | None:
        """Return the rules that a session's ``turn_detection`` means; None where it is off."""
        if setting is None:
            return None
        if setting["type"] == "semantic_vad":
            timing = (0.5, _SEMANTIC_PREFIX_MS, _SEMANTIC_SILENCE_MS[setting["eagerness"]], None)
        else:
            named = (setting["threshold"], setting["prefix_padding_ms"], setting["silence_duration_ms"])
            timing = (*named, setting.get("idle_timeout_ms"))
        return cls(*timing, setting["create_response"], setting["interrupt_response"])


@dataclass(frozen=True, slots=True)
class Boundary:
    """A turn's beginning or end."""

    begins: bool
    sample: int  # the first sample of the speech, or the one at which the silence was long enough
    known: int  # the sample at which it was certain


class TurnDetector:
    """Finds the turns in a stream of samples, of which the first is number `start`, at `rate` Hz.

    The speech detector is made with the first audio, since many sessions never get any. `rules` may be replaced any time.
    Use one turn detector as long as the input has the same format: what it knows of the room outlives the turns.

    A turn begins with three frames of speech in a row that are louder than what is usual between the turns, once the sound
    has changed as a voice does, for which it has 0.6 s; it began with the first of the three. It ends after enough silence,
    which is everything that is much quieter than the turn itself.
    """

    def __init__(self, rules: TurnRules, rate: int, start: int, make: MakeDetector) -> None:
        self.rules = rules
        self.speaking = False
        self._rate = rate
        self._frame = rate // FRAMES_PER_SECOND
        self._make = make
        self._detector: FrameDetector | None = None
        self._start = start  # the number of the detector's first sample, counted without gaps
        self._fed = 0
        self._room = BetweenTurns()
        self._still = _LASTING  # frames since the sound changed
        self.restart(start)

    def restart(self, at: int) -> None:
        """Forget the turn in progress, and look for turns from sample `at` on, which is fed next."""
        self.speaking = False
        self._start = at - self._fed
        self._from = self._end = self._silent_since = at
        self._run = 0  # frames of speech in a row
        self._onset: int | None = None  # of what is a turn if it changes
        self._loudness = _TurnLoudness()
        self._unsure: list[float | None] = []  # what the background gets of frames that turn out to belong to no turn

    @property
    def settled(self) -> int:
        """Return the sample up to which it is certain that no turn begins, unless one is in progress."""
        return self._end - self._run * self._frame if self._onset is None else self._onset

    def feed(self, samples: Samples) -> Iterator[Boundary]:
        """Take samples (int16), yield the boundaries that they make certain; the rules may be replaced in between."""
        if self._detector is None:
            self._detector = self._make(self._rate)
        self._fed += len(samples)
        for frame in self._detector.feed(samples):
            begin = self._start + frame.start_sample
            if begin < self._from:
                continue
            self._end = begin + self._frame
            self._still = self._still + 1 if frame.steady else 0
            boundary = self._goes_on(frame) if self.speaking else self._begins(frame)
            if boundary:
                yield boundary

    def _begins(self, frame: SpeechFrame) -> Boundary | None:
        loud = frame.level_db is None or frame.level_db >= self._room.usual_db + _LOUDER_DB
        self._run = self._run + 1 if loud and frame.probability >= self.rules.threshold else 0
        self._unsure.append(frame.level_db if self._still < _LASTING else None)
        if self._onset is None:
            if self._run < _ONSET:
                if not self._run:
                    self._leave_to_the_room()
                return None
            self._onset, self._silent_since, self._loudness = self.settled, self._end, _TurnLoudness()
        if self._speaks(frame):
            self._silent_since = self._end
        onset = self._onset
        if not frame.steady:
            self.speaking, self._onset, self._run = True, None, 0
            self._unsure.clear()
            return Boundary(True, onset, self._end)
        if (self._end - onset) * 1000 >= _PATIENCE_MS * self._rate:
            self._onset, self._run = None, 0
            self._leave_to_the_room()
        return None

    def _goes_on(self, frame: SpeechFrame) -> Boundary | None:
        if self._speaks(frame):
            self._silent_since = self._end
            self._unsure.clear()
            return None
        self._unsure.append(frame.level_db if self._still < _LASTING else None)
        if (self._end - self._silent_since) * 1000 < self.rules.silence_ms * self._rate:
            return None
        self.speaking = False
        self._leave_to_the_room()
        return Boundary(False, self._end, self._end)

    def _speaks(self, frame: SpeechFrame) -> bool:
        """Return whether a frame of a turn is speech, as loud as the turn is."""
        alike = frame.level_db is None or self._loudness.is_like(frame.level_db)
        if not alike or not frame.probability or frame.probability < self.rules.threshold - _HYSTERESIS:
            return False
        if frame.level_db is not None:
            self._loudness.follow(frame.level_db)
        return True

    def _leave_to_the_room(self) -> None:
        for level in self._unsure:
            self._room.add(level)
        self._unsure.clear()


class _TurnLoudness:
    """How loud the speaker of a turn is; all levels in dB. It rises fast and sinks slowly, and only by speech."""

    def __init__(self) -> None:
        self._level: float | None = None
        self._recent: deque[float] = deque(maxlen=_SMOOTHED)

    def is_like(self, level: float) -> bool:
        """Take a frame's level, return whether the last frames are about as loud as the speaker."""
        self._recent.append(level)
        return self._level is None or sum(self._recent) / len(self._recent) >= self._level - _QUIETER_DB

    def follow(self, level: float) -> None:
        """Take the level of a frame of speech."""
        louder = level - (level if self._level is None else self._level)
        self._level = level - louder + (_RISE if louder > 0 else _SINK) * louder
