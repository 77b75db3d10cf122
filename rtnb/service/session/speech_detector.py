"""The probability of speech in each 20 ms of audio, on the clock of the samples. Pure.

What a ``threshold`` means for the probability that :class:`SpeechDetector` gives:

===========  =====================================================  =============================================
threshold    ``webrtcvad`` (rates that are multiples of 8 kHz)      loudness
===========  =====================================================  =============================================
0            everything but inaudible sound                         the same
up to 0.12   its mode 0, the most lenient, detects speech           3 dB above the background
up to 0.25   mode 1 does                                            4 dB
up to 0.4    mode 2 does                                            6 dB
up to 0.55   mode 3, the strictest, does; 0.5 is the usual          8 dB at 0.5
above        mode 3 does, so many dB above the background:          10 dB at 0.6, 11 dB at 0.7, 14 dB at 0.8,
             6 at 0.6, 11 at 0.7, 16 at 0.8, 22 at 0.9              17 dB at 0.9; noise-like sound 5 dB more
===========  =====================================================  =============================================

Either of the two is enough: webrtcvad misses quiet speakers, loudness alone misses speech in noise. Without webrtcvad there
is loudness alone. In either case sound that is less than 3 dB above the background is no speech. The background is the
quietest level of the last second and a half, so a steady tone or noise becomes background after that time; where nothing
but digital silence came before it, after 0.6 s.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rtnb.audio.samples import FULL_SCALE, Samples, valid_rate
from rtnb.service.session.background import INAUDIBLE_DB, Background
from rtnb.service.session.spectrum import FALL_DB, Spectrum

FRAMES_PER_SECOND = 50

_GATE_DB = 3.0
_HALF_DB, _SLOPE_DB = 8.0, 4.0  # loudness alone: where the probability is a half, and how fast it changes
_NOISY_DB = 5.0  # by how much noise-like sound has to be louder
_BY_MODES = (0.02, 0.12, 0.25, 0.4, 0.55)  # probability by how many of webrtcvad's modes detect speech
_SURE_DB = 25.0  # so far above the background the probability is 0.96
_BLOCK = 128  # frames that are measured at once


@dataclass(frozen=True, slots=True)
class SpeechFrame:
    """Twenty milliseconds of audio.

    A detector that does not measure `level_db` and `fall_db` leaves them out: then the probability alone decides.
    """

    start_sample: int  # counted from the first that was fed
    probability: float  # of speech, 0 to 1; exactly 0 for inaudible sound
    level_db: float | None = None  # of what a voice consists of, below full scale
    fall_db: float = (
        math.inf
    )  # of the spectrum from its highest levels in the last 0.6 s; next to nothing for steady sound

    @property
    def steady(self) -> bool:
        """Return whether the sound has not changed for 0.6 s, or since it began: no voice does that."""
        return self.fall_db < FALL_DB


class SpeechDetector:
    """Classifies audio as it comes; how it is cut into pieces changes nothing.

    Parameters
    ----------
    rate : int
        Samples per second (Hz).
    webrtc : bool, optional
        Whether to use webrtcvad; None: where it is installed and knows the rate.

    Attributes
    ----------
    name : str
        ``"webrtcvad"`` or ``"energy"``.

    Raises
    ------
    AudioError
        The rate is not a positive whole number.
    """

    def __init__(self, rate: int, *, webrtc: bool | None = None) -> None:
        rate = valid_rate(rate)
        self._length = max(round(rate / FRAMES_PER_SECOND), 1)
        self._background = Background()
        self._spectrum = Spectrum(rate, self._length)
        self._pending: Samples = np.zeros(0, np.int16)
        self._position = 0
        modes = _webrtc_modes() if webrtc is not False and rate % _WebRtc.RATE == 0 else []
        self._webrtc = _WebRtc(rate, modes) if modes else None
        self.name = "webrtcvad" if modes else "energy"

    def feed(self, samples: Samples) -> list[SpeechFrame]:
        """Take int16 samples of shape (n,); return the frames that are complete."""
        sound = np.concatenate([self._pending, samples])
        whole = len(sound) // self._length
        self._pending = sound[whole * self._length :]
        frames = sound[: whole * self._length].reshape(whole, self._length)
        return [frame for start in range(0, whole, _BLOCK) for frame in self._judge(frames[start : start + _BLOCK])]

    def _judge(self, frames: Samples) -> list[SpeechFrame]:
        """Classify int16 frames, shape (frames, samples of one)."""
        measured = self._spectrum.measure(frames)
        agreeing = self._webrtc.agreeing(frames) if self._webrtc else [0] * len(frames)
        judged = []
        for level, fall, noisy, modes in zip(*measured, agreeing, strict=True):
            above = level - self._background.follow(level, steady=fall < FALL_DB)
            judged.append(SpeechFrame(self._position, _probability(level, above, noisy, modes), level, fall))
            self._position += self._length
        return judged


def _probability(level_db: float, above_db: float, noisy: bool, modes: int) -> float:
    """Return that of a frame which is so loud, and so far above the background, and in which so many modes detect speech."""
    if level_db <= INAUDIBLE_DB:
        return 0.0
    half = _HALF_DB + (_NOISY_DB if noisy else 0.0)
    by_loudness = 1 / (1 + math.exp(-(above_db - half) / _SLOPE_DB))
    by_modes = _BY_MODES[modes]
    if by_modes == _BY_MODES[-1]:
        share = min(max((above_db - _GATE_DB) / (_SURE_DB - _GATE_DB), 0.0), 1.0)
        by_modes += (0.96 - by_modes) * share
    probability = max(by_loudness, by_modes)
    return round(min(probability, _BY_MODES[0]) if above_db < _GATE_DB else probability, 4)


class _WebRtc:
    """Counts webrtcvad's modes that detect speech: from none to all four."""

    RATE = 8000  # it works at this rate inside, whatever it is given
    _TAPS_PER_STEP = 20

    def __init__(self, rate: int, modes: list[Any]) -> None:
        self._modes = modes
        self._step = rate // self.RATE
        self._taps = _low_pass(self._step, self._TAPS_PER_STEP)
        self._before = np.zeros(len(self._taps) - 1)

    def agreeing(self, frames: Samples) -> list[int]:
        sound = self._at_8_khz(frames.reshape(-1)).tobytes()
        size = 2 * self.RATE // FRAMES_PER_SECOND
        pieces = [sound[start : start + size] for start in range(0, len(sound), size)]
        return [sum(mode.is_speech(piece, self.RATE) for mode in self._modes) for piece in pieces]

    def _at_8_khz(self, samples: Samples) -> Samples:
        if self._step == 1:
            return samples
        values = np.concatenate([self._before, samples])
        self._before = values[len(samples) :]
        low = np.lib.stride_tricks.sliding_window_view(values, len(self._taps))[:: self._step] @ self._taps
        return np.clip(np.rint(low), -FULL_SCALE, FULL_SCALE - 1).astype(np.int16)


def _low_pass(step: int, taps_per_step: int) -> npt.NDArray[np.float64]:
    """Return the taps of a filter for decimation by `step`; it delays by a little over a millisecond."""
    reach = step * taps_per_step // 2
    time = np.arange(-reach, reach + 1)
    taps = np.sinc(0.85 * time / step) * np.hamming(len(time))
    return np.asarray(taps / taps.sum())


def _webrtc_modes() -> list[Any]:
    try:
        import webrtcvad
    except ImportError:
        return []
    return [webrtcvad.Vad(mode) for mode in range(4)]
