"""What is measured of the spectrum of each 20 ms of audio: how loud it is, how it changes, whether it is like noise. Pure."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from rtnb.audio.samples import FULL_SCALE, Samples

FALL_DB = 4.2
"""How far a spectrum falls at least within 0.6 s of speech. Noise falls by 3 dB, speech by 8 dB within a quarter of a second."""

_EDGES_HZ = (150, 300, 500, 800, 1200, 1800, 2600, 3800)  # of the bands
_FLOOR_DB = -80.0  # of a band: nothing below it counts as a change
_NOISY = 0.35  # flatness beyond which a spectrum is rather that of noise than of a voice
_SMOOTHED, _REMEMBERED = 5, 30  # frames: over which a band's level is averaged, and in which its highest is sought

_Floats = npt.NDArray[np.float64]


class Spectrum:
    """Measures frames as they come, at `rate` Hz and of `length` samples each; how they are grouped changes nothing."""

    def __init__(self, rate: int, length: int) -> None:
        self._window = np.hanning(length + 2)[1:-1]
        frequencies = np.fft.rfftfreq(length, 1 / rate)
        self._inside = (frequencies >= _EDGES_HZ[0]) & (frequencies < _EDGES_HZ[-1])
        inside = frequencies[self._inside]
        self._bands = np.array([(inside >= low) & (inside < high) for low, high in pairwise(_EDGES_HZ)], float).T
        self._scale = 2 / (length * (self._window**2).sum() * FULL_SCALE**2)
        self._before = np.full((_SMOOTHED - 1, len(_EDGES_HZ) - 1), _FLOOR_DB)
        self._smooth = np.full((_REMEMBERED - 1, len(_EDGES_HZ) - 1), _FLOOR_DB)

    def measure(self, frames: Samples) -> tuple[list[float], list[float], list[bool]]:
        """Measure int16 frames of shape (frames, samples of one).

        Returns
        -------
        levels : list of float
            From 150 to 3800 Hz, in dB below full scale; at least -120.
        falls : list of float
            How far the bands are below their highest levels of the last 0.6 s, on average (dB).
        noisy : list of bool
            Whether the spectrum is as flat as that of noise.
        """
        values = frames.astype(np.float64)
        values -= values.mean(axis=1, keepdims=True)  # an offset is no sound
        spectra = np.abs(np.fft.rfft(values * self._window))[:, self._inside] ** 2 * self._scale
        power = spectra.sum(axis=1) + 1e-12
        flatness = np.exp(np.log(spectra + 1e-14).mean(axis=1)) * spectra.shape[1] / power
        levels = np.round(10 * np.log10(power), 2)
        return levels.tolist(), self._falls(spectra), (flatness > _NOISY).tolist()

    def _falls(self, spectra: _Floats) -> list[float]:
        count = len(spectra)
        levels = np.round(10 * np.log10(spectra @ self._bands + 10 ** (_FLOOR_DB / 10)), 2)
        every = np.concatenate([self._before, levels])
        self._before = every[count:]
        smooth = np.mean([every[index : index + count] for index in range(_SMOOTHED)], axis=0)
        remembered = np.concatenate([self._smooth, smooth])
        self._smooth = remembered[count:]
        highest = np.lib.stride_tricks.sliding_window_view(remembered, _REMEMBERED, axis=0).max(axis=2)
        falls: list[float] = np.round((highest - smooth).mean(axis=1), 2).tolist()
        return falls
