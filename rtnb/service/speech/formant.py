"""Formant synthesis: phones to samples, with numpy alone.

A train of pulses (the vocal folds) and white noise (the breath) pass through a filter whose resonances move every
5 ms (the mouth). The filter is applied frame by frame in the frequency domain: windows of 10 ms, half overlapping,
each multiplied by the response of the resonances and added up again with its ringing tail.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rtnb.service.speech.phones import Segment

__all__ = ["RATE", "Speaker", "synthesize"]

#: Sampling rate of everything in this module, Hz.
RATE = 24_000

_HOP = 120  # 5 ms
_WINDOW = 2 * _HOP
_FFT = 768  # a window and 22 ms for the resonances to ring out
_STEP_HZ = 20.0  # formants are rounded to this, so that responses come from a table
_FLOOR_HZ, _CEILING_HZ = 160.0, 5600.0
_LEVEL = 0.16  # RMS of an open vowel, of full scale
_LIMIT = 0.55  # peaks bend towards this share of full scale

_Floats = NDArray[np.float32]
_Complex = NDArray[np.complex64]


@dataclass(frozen=True, slots=True)
class Speaker:
    """What of a voice the synthesis needs.

    Attributes
    ----------
    formant_scale : float
        Factor on every resonance; above 1 for a shorter vocal tract.
    brightness : float
        Pole of the glottal spectrum, 0 (bright) to 1 (dull).
    breathiness : float
        Level of breath noise under voiced sounds, relative to them.
    roughness : float
        Random deviation of the pitch, as a share of it.
    """

    formant_scale: float
    brightness: float
    breathiness: float
    roughness: float


def synthesize(
    segments: Sequence[Segment],
    pitch_hz: tuple[float, ...],
    speaker: Speaker,
    *,
    stretch: float,
    seed: int,
) -> NDArray[np.int16]:
    """Sound a sequence of segments.

    Parameters
    ----------
    segments : sequence of Segment
        At least one.
    pitch_hz : tuple of float
        The pitch contour, at equal distances over the whole sound.
    speaker : Speaker
        The voice.
    stretch : float
        Factor on every duration.
    seed : int
        Of the noise; equal arguments give equal samples.

    Returns
    -------
    int16 array, shape (n,)
        At 24 kHz; begins and ends in silence.
    """
    frames = [max(1, round(segment.ms * stretch / 5)) for segment in segments]
    noise = np.random.default_rng(seed)
    index = np.repeat(np.arange(len(segments)), frames)
    # One frame of silence on either side lets the sound rise and fall smoothly.
    voice, breath, friction = (
        _smooth(np.pad(np.array(levels, np.float32)[index], 1), 3)
        for levels in zip(*((s.voice, s.breath, s.friction) for s in segments), strict=True)
    )
    voice = voice * _swell(len(voice))
    breath = breath + speaker.breathiness * voice
    mouth = _mouth(segments, index, speaker)
    tongue = np.stack([_band(*segment.band) for segment in segments])[np.pad(index, 1, mode="edge")]
    pulses = _pulses(len(voice), pitch_hz, speaker.roughness, noise)
    hiss = noise.standard_normal(len(pulses), dtype=np.float32)
    spectrum = _spectra(pulses) * (mouth * voice[:, None])
    spectrum += _spectra(hiss) * (mouth * breath[:, None] + tongue * friction[:, None])
    return _finish(_overlap_add(spectrum))


def _swell(frames: int) -> _Floats:
    """Let the voice rise gently and die away over a word, as breath pressure does."""
    place = np.linspace(0, 1, frames, dtype=np.float32)
    swell: _Floats = np.minimum(1.0, 0.7 + 2.5 * place) * np.minimum(1.0, 0.55 + 1.5 * (1 - place))
    return swell


def _smooth(track: _Floats, width: int) -> _Floats:
    """Average a track over neighbouring frames with a Hann weight, keeping its length."""
    weight = np.hanning(width + 2)[1:-1]
    padded = np.pad(track, width // 2, mode="edge")
    return np.convolve(padded, weight / weight.sum(), mode="valid").astype(np.float32)


def _mouth(segments: Sequence[Segment], index: NDArray[np.intp], speaker: Speaker) -> _Complex:
    """Give the response of the vocal tract in every frame, at equal loudness."""
    given = [number for number, segment in enumerate(segments) if segment.formants is not None]
    targets = np.array([segments[number].formants for number in given] or [(500.0, 1500.0, 2500.0)])
    frames = np.flatnonzero(np.isin(index, given)) if given else np.zeros(1, int)
    rows = np.searchsorted(given, index[frames]) if given else np.zeros(1, int)
    everywhere = np.arange(len(index))
    response = _throat(speaker.formant_scale, speaker.brightness)
    for formant in range(3):
        track = np.interp(everywhere, frames, targets[rows, formant]).astype(np.float32)
        track = _smooth(np.pad(track, 1, mode="edge"), 9) * speaker.formant_scale
        steps = np.clip(np.rint((track - _FLOOR_HZ) / _STEP_HZ), 0, len(_resonances()) - 1).astype(np.intp)
        response = response * _resonances()[steps]
    power = np.einsum("fk,fk->f", response.real, response.real) + np.einsum("fk,fk->f", response.imag, response.imag)
    even: _Complex = response * (1.0 / np.sqrt(power / response.shape[1]))[:, None]
    return even


@lru_cache(maxsize=1)
def _delays() -> NDArray[np.complex128]:
    """Give z⁻¹ at every bin of the spectrum."""
    delays: NDArray[np.complex128] = np.exp(-2j * np.pi * np.arange(_FFT // 2 + 1) / _FFT)
    return delays


def _resonance(hz: NDArray[np.float64], bandwidth_hz: NDArray[np.float64]) -> NDArray[np.complex128]:
    """Give the response of two-pole resonators with unit gain at 0 Hz, one row each."""
    radius = np.exp(-np.pi * bandwidth_hz / RATE)[:, None]
    first = 2 * radius * np.cos(2 * np.pi * hz / RATE)[:, None]
    response: NDArray[np.complex128] = (1 - first + radius**2) / (1 - first * _delays() + radius**2 * _delays() ** 2)
    return response


@lru_cache(maxsize=1)
def _resonances() -> _Complex:
    """Tabulate the moving resonances by frequency; higher ones are wider."""
    hz = np.arange(_FLOOR_HZ, _CEILING_HZ, _STEP_HZ)
    return _resonance(hz, 60 + hz * 0.035).astype(np.complex64)


@lru_cache(maxsize=64)
def _throat(formant_scale: float, brightness: float) -> _Complex:
    """Give what does not move: the glottal spectrum, radiation, and the resonances above the third."""
    source = (1 - _delays()) / (1 - brightness * _delays()) ** 2
    upper = _resonance(np.array([3500.0, 4500.0]) * formant_scale, np.array([200.0, 300.0]))
    rumble = (1 - _delays()) / (1 - 0.98 * _delays())  # nothing below about 80 Hz, nothing at all at 0 Hz
    throat: _Complex = (source * rumble * upper.prod(axis=0))[None, :].astype(np.complex64)
    return throat


@lru_cache(maxsize=64)
def _band(centre_hz: float, width_hz: float) -> _Complex:
    """Give the spectrum of a friction noise, at equal loudness."""
    hz = np.arange(_FFT // 2 + 1) * (RATE / _FFT)
    shape = np.exp(-0.5 * ((hz - centre_hz) / width_hz) ** 2)
    shape[:6] = 0.0  # nothing below 160 Hz
    band: _Complex = (shape / np.sqrt((shape**2).mean())).astype(np.complex64)
    return band


def _pulses(frames: int, pitch_hz: tuple[float, ...], roughness: float, noise: np.random.Generator) -> _Floats:
    """Place one pulse per period, each as loud as its period is long, split between two samples for exact pitch."""
    length = (frames + 1) * _HOP
    contour = np.interp(np.linspace(0, 1, frames + 1), np.linspace(0, 1, len(pitch_hz)), pitch_hz)
    contour *= 1 + roughness * _smooth(noise.standard_normal(frames + 1, dtype=np.float32), 3)
    pitch = np.interp(np.arange(length), np.arange(frames + 1) * _HOP, contour)
    phase = np.cumsum(pitch / RATE)
    beats = np.flatnonzero(np.diff(np.floor(phase)) > 0) + 1
    step = pitch[beats] / RATE
    late = (phase[beats] - np.floor(phase[beats])) / step
    height = 1 / np.sqrt(step)
    train = np.zeros(length + 1)
    train[beats] += height * (1 - late)
    train[beats - 1] += height * late
    return train[:length].astype(np.float32)


@lru_cache(maxsize=1)
def _hann() -> _Floats:
    """Give a window whose half-overlapped copies add up to one."""
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_WINDOW) / _WINDOW)).astype(np.float32)


def _spectra(signal: _Floats) -> _Complex:
    windows = np.lib.stride_tricks.sliding_window_view(signal, _WINDOW)[::_HOP]
    return np.fft.rfft(windows * _hann(), _FFT, axis=1).astype(np.complex64, copy=False)


def _overlap_add(spectrum: _Complex) -> _Floats:
    frames = np.fft.irfft(spectrum, _FFT, axis=1).astype(np.float32, copy=False)
    hops = -(-_FFT // _HOP)
    parts = np.pad(frames, ((0, 0), (0, hops * _HOP - _FFT))).reshape(len(frames), hops, _HOP)
    total = np.zeros((len(frames) + hops - 1, _HOP), np.float32)
    for hop in range(hops):
        total[hop : hop + len(frames)] += parts[:, hop]
    return total.ravel()


def _finish(signal: _Floats) -> NDArray[np.int16]:
    """Set the level, bend the highest peaks, end without a step, and round to 16 bits."""
    loud = _LIMIT * np.tanh(signal * np.float32(_LEVEL / _LIMIT))
    fade = np.linspace(0, 1, _HOP, dtype=np.float32)
    loud[:_HOP] *= fade
    loud[-_HOP:] *= fade[::-1]
    samples: NDArray[np.int16] = np.rint(loud * 32767).astype(np.int16)
    return samples
