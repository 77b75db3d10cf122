"""The probability of speech in each 20 ms of audio, on the clock of the samples. Pure.

What a ``threshold`` means for the probability that :class:`SpeechDetector` gives:

===========  =====================================================  =============================================
threshold    with ``webrtcvad`` (rates that are multiples of 8 kHz)  without it: loudness alone
===========  =====================================================  =============================================
0            everything but inaudible sound                         the same
up to 0.12   its mode 0, the most lenient, detects speech           3 dB above the background
up to 0.25   mode 1 does                                            4 dB
up to 0.4    mode 2 does                                            6 dB
up to 0.55   mode 3, the strictest, does; 0.5 is the usual          8 dB at 0.5
above        mode 3 does, so many dB above the background:          10 dB at 0.6, 11 dB at 0.7, 14 dB at 0.8,
             6 at 0.6, 11 at 0.7, 16 at 0.8, 22 at 0.9              17 dB at 0.9; noise-like sound 5 dB more
===========  =====================================================  =============================================

In either case sound that is less than 3 dB above the background is no speech. The background is the quietest level of the
last second and a half, so a steady tone or noise becomes background after that time.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rtnb.audio.samples import FULL_SCALE, Samples, valid_rate

FRAMES_PER_SECOND = 50

_INAUDIBLE_DB = -62.0  # below full scale; nothing quieter is speech
_GATE_DB = 3.0
_HALF_DB, _SLOPE_DB = 8.0, 4.0  # loudness alone: where the probability is a half, and how fast it changes
_NOISY = 0.35  # flatness of a spectrum beyond which it is rather noise than a voice …
_NOISY_DB = 5.0  # … which then has to be so much louder
_BY_MODES = (0.02, 0.12, 0.25, 0.4, 0.55)  # probability by how many of webrtcvad's modes detect speech
_SURE_DB = 25.0  # so far above the background the probability is 0.96
_BAND_HZ = (150.0, 3800.0)


@dataclass(frozen=True, slots=True)
class SpeechFrame:
    """Twenty milliseconds of audio."""

    start_sample: int  # counted from the first that was fed
    probability: float  # of speech, 0 to 1; exactly 0 for inaudible sound


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
        self._background = _Background()
        self._pending: Samples = np.zeros(0, np.int16)
        self._position = 0
        modes = _webrtc_modes() if webrtc is not False and rate % _WebRtc.RATE == 0 else []
        self._classifier = _WebRtc(rate, modes) if modes else _Loudness(rate)
        self.name = "webrtcvad" if modes else "energy"

    def feed(self, samples: Samples) -> list[SpeechFrame]:
        """Take int16 samples of shape (n,); return the frames that are complete."""
        sound = np.concatenate([self._pending, samples])
        whole = len(sound) // self._length
        self._pending = sound[whole * self._length :]
        return [self._next(sound[index * self._length : (index + 1) * self._length]) for index in range(whole)]

    def _next(self, frame: Samples) -> SpeechFrame:
        power = float(frame.astype(np.float64).var()) / FULL_SCALE**2  # any offset removed
        level = 10 * math.log10(power) if power > 1e-12 else -120.0  # dB below full scale
        above = level - self._background.follow(level)
        probability = self._classifier.probability(frame, above)
        if level <= _INAUDIBLE_DB:
            probability = 0.0
        elif above < _GATE_DB:
            probability = min(probability, _BY_MODES[0])
        start, self._position = self._position, self._position + self._length
        return SpeechFrame(start, round(probability, 4))


class _Background:
    """Follows the quietest level of the last second and a half; until there is one, a quiet room is assumed."""

    _WINDOW = 15  # stretches …
    _STRETCH = 5  # … of so many frames
    _ROOM_DB = -58.0
    _BIAS_DB = 1.5  # noise is on average louder than its quietest moments

    def __init__(self) -> None:
        self._minima: deque[float] = deque([self._ROOM_DB] * self._WINDOW, maxlen=self._WINDOW)
        self._smooth = self._ROOM_DB
        self._least = math.inf
        self._count = 0

    def follow(self, level: float) -> float:
        """Take a frame's loudness, return the background's; both in dB."""
        level = max(level, _INAUDIBLE_DB)
        self._smooth += 0.4 * (level - self._smooth)
        self._least = min(self._least, self._smooth)
        self._count += 1
        if self._count == self._STRETCH:
            self._minima.append(self._least)
            self._least, self._count = math.inf, 0
        return min(*self._minima, self._least) + self._BIAS_DB


class _Loudness:
    """Judges by loudness above the background; a spectrum as flat as that of noise has to be louder."""

    def __init__(self, rate: int) -> None:
        length = max(round(rate / FRAMES_PER_SECOND), 1)
        self._window = np.hanning(length + 2)[1:-1]
        frequencies = np.fft.rfftfreq(length, 1 / rate)
        self._band = (frequencies >= _BAND_HZ[0]) & (frequencies <= _BAND_HZ[1])

    def probability(self, frame: Samples, above_db: float) -> float:
        half = _HALF_DB + (_NOISY_DB if self._flatness(frame) > _NOISY else 0.0)
        return 1 / (1 + math.exp(-(above_db - half) / _SLOPE_DB))

    def _flatness(self, frame: Samples) -> float:
        """Return the spectrum's geometric over its arithmetic mean: 1 for an even spectrum, near 0 for a tone."""
        spectrum = np.abs(np.fft.rfft(frame * self._window))[self._band] ** 2 + 1e-3
        return float(np.exp(np.log(spectrum).mean()) / spectrum.mean()) if len(spectrum) else 0.0


class _WebRtc:
    """Judges by how many of webrtcvad's four modes detect speech; if all do, by the loudness."""

    RATE = 8000  # it works at this rate inside, whatever it is given
    _TAPS_PER_STEP = 20

    def __init__(self, rate: int, modes: list[Any]) -> None:
        self._modes = modes
        self._step = rate // self.RATE
        self._taps = _low_pass(self._step, self._TAPS_PER_STEP)
        self._before = np.zeros(len(self._taps) - 1)

    def probability(self, frame: Samples, above_db: float) -> float:
        sound = self._at_8_khz(frame).tobytes()
        agreeing = sum(mode.is_speech(sound, self.RATE) for mode in self._modes)
        if agreeing < len(self._modes):
            return _BY_MODES[agreeing]
        share = min(max((above_db - _GATE_DB) / (_SURE_DB - _GATE_DB), 0.0), 1.0)
        return _BY_MODES[-1] + (0.96 - _BY_MODES[-1]) * share

    def _at_8_khz(self, frame: Samples) -> Samples:
        if self._step == 1:
            return frame
        values = np.concatenate([self._before, frame])
        self._before = values[len(frame) :]
        low = np.convolve(values, self._taps, mode="valid")[:: self._step]
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
