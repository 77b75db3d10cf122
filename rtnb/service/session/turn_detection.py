"""When the user begins and ends to speak, on the clock of the samples: how fast they arrive changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from rtnb.audio.samples import Samples
from rtnb.service.session.speech_detector import FRAMES_PER_SECOND, SpeechFrame

_ONSET = 3  # frames of speech in a row that begin a turn: a click is shorter
_HYSTERESIS = 0.15  # speech goes on at a probability that would not begin it
_SEMANTIC_SILENCE_MS = {"high": 500, "auto": 1000, "medium": 1000, "low": 2000}
"""What eagerness means here, where no model judges whether a sentence is over: how long a silence ends a turn."""

_DEFAULT_PREFIX_MS = 300


class FrameDetector(Protocol):
    """Gives the probability of speech in frames of 20 ms."""

    def feed(self, samples: Samples) -> Iterable[SpeechFrame]:
        """Take samples (int16); return the frames that are complete."""
        ...


MakeDetector = Callable[[int], FrameDetector]
"""Returns a detector for a sample rate in Hz."""


@dataclass(frozen=True, slots=True)
class TurnRules:
    """What begins and ends a turn.

    Attributes
    ----------
    threshold : float
        Probability of speech that begins one.
    prefix_ms : int
        How much of the time before belongs to it.
    silence_ms : int
        Silence that ends it.
    idle_ms : int or None
        Silence after an answer that is itself committed and answered; None: none is.
    creates, interrupts : bool
        Whether its end creates a response, and its beginning interrupts one.
    """

    threshold: float
    prefix_ms: int
    silence_ms: int
    idle_ms: int | None
    creates: bool
    interrupts: bool

    @classmethod
    def of(cls, setting: Mapping[str, Any] | None) -> TurnRules | None:
        """Return the rules that a session's ``turn_detection`` means; None where it is off."""
        if setting is None:
            return None
        if setting["type"] == "semantic_vad":
            timing = (0.5, _DEFAULT_PREFIX_MS, _SEMANTIC_SILENCE_MS[setting["eagerness"]], None)
        else:
            named = (setting["threshold"], setting["prefix_padding_ms"], setting["silence_duration_ms"])
            timing = (*named, setting.get("idle_timeout_ms"))
        return cls(*timing, setting["create_response"], setting["interrupt_response"])


@dataclass(frozen=True, slots=True)
class Boundary:
    """A turn's beginning or end.

    Attributes
    ----------
    begins : bool
    sample : int
        Where it is: the first audible sample, or the one at which the silence was long enough.
    known : int
        The sample at which it was certain.
    """

    begins: bool
    sample: int
    known: int


class TurnDetector:
    """Finds the turns in a stream of samples.

    Parameters
    ----------
    rules : TurnRules
        May be replaced at any time.
    rate : int
        Samples per second (Hz).
    start : int
        The number of the first sample.
    make : callable
        Makes the speech detector, with the first audio: many sessions never get any.
    """

    def __init__(self, rules: TurnRules, rate: int, start: int, make: MakeDetector) -> None:
        self.rules = rules
        self.speaking = False
        self._start = start
        self._rate = rate
        self._frame = rate // FRAMES_PER_SECOND
        self._make = make
        self._detector: FrameDetector | None = None
        self._run = 0  # frames of speech in a row
        self._silent_since = start

    def feed(self, samples: Samples) -> Iterator[Boundary]:
        """Take samples (int16), yield the boundaries that they make certain; the rules may be replaced in between."""
        if self._detector is None:
            self._detector = self._make(self._rate)
        for frame in self._detector.feed(samples):
            begin = self._start + frame.start_sample
            yield from self._inside(begin, frame) if self.speaking else self._outside(begin, frame)

    def _outside(self, begin: int, frame: SpeechFrame) -> Iterator[Boundary]:
        self._run = self._run + 1 if frame.probability >= self.rules.threshold else 0
        if self._run >= _ONSET:
            self._run, self.speaking = 0, True
            self._silent_since = begin + self._frame
            yield Boundary(True, begin - (_ONSET - 1) * self._frame, begin + self._frame)

    def _inside(self, begin: int, frame: SpeechFrame) -> Iterator[Boundary]:
        end = begin + self._frame
        if frame.probability >= max(0.0, self.rules.threshold - _HYSTERESIS) and frame.probability > 0:
            self._silent_since = end
        elif (end - self._silent_since) * 1000 >= self.rules.silence_ms * self._rate:
            self.speaking = False
            yield Boundary(False, end, end)
