"""Two sides on one clock."""

from __future__ import annotations

import numpy as np
import pytest

from rtnb.audio import AudioClip, read_wav
from rtnb.audio.stereo import StereoClip
from rtnb.errors import AudioError


def clip(value: int, seconds: float, rate: int = 8000) -> AudioClip:
    return AudioClip(np.full(round(seconds * rate), value, np.int16), rate)


def test_sides_of_unequal_length_end_in_silence() -> None:
    """The file has both sides, left first, and the shorter one is filled up with zeros."""
    both = StereoClip(clip(100, 0.5), clip(-200, 1.0))
    frames, rate = read_wav(both.to_wav())
    assert (rate, frames.shape) == (8000, (8000, 2))
    assert set(frames[:4000, 0]) == {100}
    assert set(frames[4000:, 0]) == {0}
    assert set(frames[:, 1]) == {-200}
    assert both.duration == 1.0


def test_rates_must_agree() -> None:
    """Nothing is resampled unasked."""
    with pytest.raises(AudioError, match="resample"):
        StereoClip(clip(0, 1), clip(0, 1, 24_000))


def test_shows_itself_small() -> None:
    """A long talk embeds its beginning only, and says so; an empty one shows no player."""
    shown = StereoClip(clip(1, 60), clip(1, 60))._repr_mimebundle_()
    assert "first 15 s" in shown["text/html"]
    assert len(shown["text/html"]) < 15 * 8000 * 4 * 4 / 3 + 10_000
    assert "<audio" not in StereoClip(clip(0, 0), clip(0, 0))._repr_mimebundle_()["text/html"]
    assert repr(StereoClip(clip(1, 60), clip(1, 60))).startswith("<StereoClip 60.00 s")
