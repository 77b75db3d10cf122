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
            end = self._start + frame.start_sample + self._frame
            if not self.speaking:
                self._run = self._run + 1 if frame.probability >= self.rules.threshold else 0
                if self._run >= _ONSET:
                    self._run, self.speaking, self._silent_since = 0, True, end
                    yield Boundary(True, end - _ONSET * self._frame, end)
            elif frame.probability >= max(0.0, self.rules.threshold - _HYSTERESIS) and frame.probability > 0:
                self._silent_since = end
            elif (end - self._silent_since) * 1000 >= self.rules.silence_ms * self._rate:
                self.speaking = False
                yield Boundary(False, end, end)
