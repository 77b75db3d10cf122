"""StereoClip: two speakers on one clock, one in each ear."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload

import numpy as np

from rtnb import formatting
from rtnb.audio.clip import INLINE_SECONDS, AudioClip
from rtnb.audio.samples import Samples
from rtnb.audio.wav import write_wav
from rtnb.errors import AudioError


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
        """Write a 16-bit stereo WAV to `path` and return the path; without a path, return the file's bytes."""
        wav = write_wav(self.samples, self.rate)
        if path is None:
            return wav
        target = Path(path).expanduser()
        target.write_bytes(wav)
        return target

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
