"""`AudioClip` and `StereoClip`: sound that can be measured, shown, played and saved."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Container
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from rtnb import display, formatting
from rtnb.audio.files import read_audio
from rtnb.audio.formats import PCM16, AudioBytes, AudioFormat
from rtnb.audio.resample import resample
from rtnb.audio.samples import Samples, envelope, peak, rms, to_int16, to_mono, valid_rate
from rtnb.audio.wav import write_wav
from rtnb.errors import AudioError

INLINE_SECONDS = 30
"""How much of a clip a notebook's player holds: a second of 24 kHz audio is 64 kB of HTML."""

_WAVEFORM_BINS = 300


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class AudioClip:
    """A piece of mono sound. It is immutable: every operation returns another clip.

    Parameters
    ----------
    samples : ndarray of int16, shape (n,)
        Copied if it is writeable. `from_array` takes other types and shapes.
    rate : int
        Samples per second (Hz).

    Raises
    ------
    AudioError
        Another dtype or shape, or an impossible rate.
    """

    samples: Samples
    rate: int

    def __post_init__(self) -> None:
        samples = self.samples
        if not isinstance(samples, np.ndarray) or samples.dtype != np.int16 or samples.ndim != 1:
            raise AudioError(
                "An AudioClip is made of int16 samples of shape (n,); AudioClip.from_array converts others."
            )
        if samples.flags.writeable:
            samples = _read_only(samples.copy())
        object.__setattr__(self, "samples", samples)
        object.__setattr__(self, "rate", valid_rate(self.rate))

    @classmethod
    def from_array(cls, samples: npt.ArrayLike, rate: float) -> AudioClip:
        """Make a clip from numbers.

        Parameters
        ----------
        samples : array_like, shape (n,) or (n, channels)
            int16 values; other integers, scaled from their own range; or floats in -1..1, clipped beyond. int64, which
            a list of Python numbers becomes, counts as int16 values. Channels are mixed down to their mean.
        rate : int
            Samples per second (Hz).

        Raises
        ------
        AudioError
            NaN, infinity, values on another scale, another shape, or an impossible rate.
        """
        array = np.asarray(samples)
        mono = to_mono(to_int16(array))
        if np.may_share_memory(mono, array):
            mono = mono.copy()
        return cls(_read_only(mono), valid_rate(rate))

    @classmethod
    def from_bytes(cls, data: AudioBytes, format: AudioFormat = PCM16) -> AudioClip:
        """Make a clip from raw bytes in a wire format: PCM16, G711_ULAW or G711_ALAW.

        Join the chunks of a stream first: a last byte that is half a sample is ignored.
        """
        return cls(_read_only(format.decode(data)), format.rate)

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> AudioClip:
        """Read a WAV file, or FLAC, OGG and MP3 where soundfile is installed, mixed down to mono, at its own rate.

        Raises
        ------
        FileNotFoundError
        AudioError
            The file cannot be read as audio; the message says what would help.
        """
        path = Path(path).expanduser()
        try:
            return to_clip(path.read_bytes())
        except AudioError as error:
            raise AudioError(f"{path}: {error}") from error

    @classmethod
    def silence(cls, seconds: float, rate: int = PCM16.rate) -> AudioClip:
        """Make `seconds` of digital silence at `rate` Hz."""
        if not (math.isfinite(seconds) and seconds >= 0):
            raise AudioError(f"Silence lasts zero or more seconds, not {seconds}.")
        rate = valid_rate(rate)
        return cls(_read_only(np.zeros(round(seconds * rate), np.int16)), rate)

    @property
    def duration(self) -> float:
        """Length in seconds."""
        return len(self.samples) / self.rate

    @property
    def peak(self) -> float:
        """Greatest magnitude, as a fraction of full scale (0..1); NaN for an empty clip."""
        return peak(self.samples)

    @property
    def rms(self) -> float:
        """Root mean square, as a fraction of full scale (0..1); NaN for an empty clip."""
        return rms(self.samples)

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self.samples)

    def __eq__(self, other: object) -> bool:
        """Return whether `other` is a clip of the same rate and the same samples."""
        if not isinstance(other, AudioClip):
            return NotImplemented
        return self.rate == other.rate and np.array_equal(self.samples, other.samples)

    def __hash__(self) -> int:
        return hash((self.rate, len(self.samples), self.samples[:64].tobytes()))

    def __reduce__(self) -> tuple[type[AudioClip], tuple[Samples, int]]:
        return AudioClip, (self.samples, self.rate)  # through __init__, which makes the samples read-only again

    def __add__(self, other: object) -> AudioClip:
        """Return this clip with `other` after it.

        Raises
        ------
        AudioError
            The rates differ. Nothing is resampled unasked, since that would change samples and hide a mistake.
        """
        if not isinstance(other, AudioClip):
            return NotImplemented
        if self.rate != other.rate:
            raise AudioError(
                f"The clips have different rates, {self.rate} and {other.rate} Hz: "
                f"resample one of them, as in a + b.resample({self.rate})."
            )
        return AudioClip(_read_only(np.concatenate((self.samples, other.samples))), self.rate)

    def between(self, start_s: float = 0.0, end_s: float | None = None) -> AudioClip:
        """Return the part from `start_s` to `end_s` (seconds from the beginning; None is the end), without a copy.

        Times outside the clip count as its beginning and its end; each is rounded to the nearest sample.

        Raises
        ------
        AudioError
            A time is NaN.
        """
        end_s = self.duration if end_s is None else end_s
        if math.isnan(start_s) or math.isnan(end_s):
            raise AudioError("A part of a clip lies between two times in seconds; one of them is NaN.")
        start, end = (round(min(max(time, 0.0), self.duration) * self.rate) for time in (start_s, end_s))
        return AudioClip(self.samples[start:end], self.rate)

    def envelope(self, bins: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Return the least and the greatest sample of each of `bins` equal stretches of time.

        Returns
        -------
        low, high : ndarray of float32, shape (bins,)
            Fractions of full scale, -1..1; NaN for an empty clip.
        """
        return envelope(self.samples, bins)

    def resample(self, rate: int) -> AudioClip:
        """Return the clip at `rate` Hz, with round(n * rate / self.rate) samples and the same loudness."""
        rate = valid_rate(rate)
        return self if rate == self.rate else AudioClip(_read_only(resample(self.samples, self.rate, rate)), rate)

    @overload
    def to_wav(self, path: None = None) -> bytes: ...
    @overload
    def to_wav(self, path: str | os.PathLike[str]) -> Path: ...
    def to_wav(self, path: str | os.PathLike[str] | None = None) -> bytes | Path:
        """Write a 16-bit WAV file to `path` and return the path; without a path, return the file's bytes."""
        return _wav(self, path)

    def play(self) -> Any:
        """Return a player for the notebook."""
        return display.backend().play_clip(self)

    def plot(self, ax: Any = None) -> Any:
        """Draw the waveform over seconds into `ax`, or into a new figure, and return the axes."""
        return display.backend().plot_clip(self, ax)

    def __repr__(self) -> str:
        return f"<AudioClip {self._figures(', ')}>"

    def _repr_mimebundle_(
        self, include: Container[str] | None = None, exclude: Container[str] | None = None
    ) -> dict[str, str]:
        """Return the clip as plain text, and as HTML with waveform, player and figures."""
        views: dict[str, Callable[[], str]] = {
            "text/plain": lambda: repr(self),
            "text/html": lambda: formatting.card(*clip_html(self), formatting.muted(self._figures(" · "))),
        }
        return {
            mime: view()
            for mime, view in views.items()
            if (include is None or mime in include) and (exclude is None or mime not in exclude)
        }

    def _figures(self, separator: str) -> str:
        rate = f"{self.rate / 1000:g} kHz"
        if not len(self):
            return separator.join(("no audio", rate))
        return separator.join((formatting.seconds(self.duration), rate, f"peak {self.peak:.2f}", f"rms {self.rms:.2f}"))


def to_clip(value: object) -> AudioClip:
    """Return `value` as a clip: a clip, a path, ``(samples, rate)``, or the bytes of an audio file.

    Raises
    ------
    FileNotFoundError
    AudioError
        It is none of these, or cannot be read.
    """
    if isinstance(value, AudioClip):
        return value
    if isinstance(value, (str, os.PathLike)):
        return AudioClip.from_file(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        frames, rate = read_audio(bytes(value))
        return AudioClip(_read_only(to_mono(frames)), rate)
    if isinstance(value, tuple) and len(value) == 2:
        return AudioClip.from_array(*value)
    raise AudioError(
        f"Audio is an AudioClip, a path, (samples, rate) or the bytes of a WAV file, not {type(value).__name__}. "
        "Raw bytes from the wire: AudioClip.from_bytes(data, PCM16)."
    )


def clip_html(clip: AudioClip) -> list[str]:
    """Return waveform and player of a clip as pieces of HTML, with a note where the player does not hold all of it."""
    if not len(clip):
        return []
    low, high = clip.envelope(_WAVEFORM_BINS)
    length = formatting.seconds(clip.duration)
    parts = [
        formatting.waveform_svg(low.tolist(), high.tolist(), label=f"waveform of {length}"),
        formatting.audio_tag(clip.between(0, INLINE_SECONDS).to_wav()),
    ]
    if clip.duration > INLINE_SECONDS:
        parts.append(
            f"The player holds the first {INLINE_SECONDS} s of {formatting.escape(length)}; "
            "<code>to_wav(path)</code> keeps all of it."
        )
    return parts


@dataclass(frozen=True, slots=True, repr=False)
class StereoClip:
    """A left and a right clip of the same rate that begin at the same moment; the shorter one ends in silence.

    Attributes
    ----------
    left, right : AudioClip
    """

    left: AudioClip
    right: AudioClip

    def __post_init__(self) -> None:
        if self.left.rate != self.right.rate:
            raise AudioError(
                f"The two sides have different rates, {self.left.rate} and {self.right.rate} Hz; resample one of them."
            )

    @property
    def rate(self) -> int:
        """Samples per second (Hz)."""
        return self.left.rate

    @property
    def duration(self) -> float:
        """Length of the longer side in seconds."""
        return max(self.left.duration, self.right.duration)

    @property
    def samples(self) -> Samples:
        """Return both sides as int16, shape (n, 2)."""
        both = np.zeros((max(len(self.left), len(self.right)), 2), np.int16)
        both[: len(self.left), 0] = self.left.samples
        both[: len(self.right), 1] = self.right.samples
        return both

    def between(self, start_s: float = 0.0, end_s: float | None = None) -> StereoClip:
        """Return the part from `start_s` to `end_s` of both sides."""
        return StereoClip(self.left.between(start_s, end_s), self.right.between(start_s, end_s))

    @overload
    def to_wav(self, path: None = None) -> bytes: ...
    @overload
    def to_wav(self, path: str | os.PathLike[str]) -> Path: ...
    def to_wav(self, path: str | os.PathLike[str] | None = None) -> bytes | Path:
        """Write a 16-bit stereo WAV file to `path` and return the path; without a path, return the file's bytes."""
        return _wav(self, path)

    def __repr__(self) -> str:
        return (
            f"<StereoClip {formatting.seconds(self.duration)}, {self.rate / 1000:g} kHz, "
            f"left {formatting.seconds(self.left.duration)}, right {formatting.seconds(self.right.duration)}>"
        )

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        html = formatting.muted(repr(self)[1:-1])
        if self.duration:
            shown = self.between(0, INLINE_SECONDS / 2)  # two channels weigh twice as much
            cut = shown.duration < self.duration
            note = f"The player holds the first {shown.duration:g} s; to_wav(path) keeps all of it." if cut else ""
            html = formatting.card(formatting.audio_tag(shown.to_wav()), html, formatting.muted(note) if note else "")
        return {"text/plain": repr(self), "text/html": html}


def _wav(clip: AudioClip | StereoClip, path: str | os.PathLike[str] | None) -> bytes | Path:
    wav = write_wav(clip.samples, clip.rate)
    if path is None:
        return wav
    target = Path(path).expanduser()
    target.write_bytes(wav)
    return target


def _read_only(samples: Samples) -> Samples:
    """Mark samples that no other code holds as read-only, so that a clip takes them without a copy."""
    samples.setflags(write=False)
    return samples
