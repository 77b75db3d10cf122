"""The picture of an hour of audio: envelope, axes, and the PNG that a notebook shows."""

from __future__ import annotations

import time

import numpy as np
from figure import Figure, median

ROUNDS = 3


def measure() -> list[Figure]:
    """Draw an hour, after a second's picture has loaded what drawing needs."""
    from rtnb.audio import AudioClip
    from rtnb.notebook.plots import plot_clip, to_png

    seconds = np.arange(24_000 * 3600, dtype=np.float32) / 24_000
    hour = AudioClip.from_array((8000 * np.sin(seconds * 700) * np.sin(seconds / 9)).astype(np.int16), 24_000)
    to_png(plot_clip(AudioClip.silence(1)).figure)
    taken, drawn = [], []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        axes = plot_clip(hour)
        drawn.append(time.perf_counter() - began)
        to_png(axes.figure)
        taken.append(time.perf_counter() - began)
    note = f"{median(drawn):.2f} s to measure and lay out, the rest for the PNG; median of {ROUNDS}"
    return [Figure("waveform of an hour of audio", median(taken), 0.5, "s", note=note)]
