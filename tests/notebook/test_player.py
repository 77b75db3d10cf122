import base64
import re

import numpy as np
import pytest
from IPython.display import Audio

from rtnb.audio import INLINE_SECONDS, AudioClip, read_wav
from rtnb.notebook.player import player


def _tone(seconds: float, rate: int = 8000) -> AudioClip:
    time = np.arange(round(seconds * rate)) / rate
    return AudioClip.from_array((1000 * np.sin(2 * np.pi * 440 * time)).astype(np.int16), rate)


def _wav_in(html: str) -> bytes:
    found = re.search(r'src="data:audio/[\w.-]*wav;base64,([^"]+)"', html)
    assert found is not None
    return base64.b64decode(found.group(1))


def test_a_player_is_ipythons_own() -> None:
    """Whoever knows IPython's player knows this one."""
    assert isinstance(player(_tone(0.1)), Audio)


def test_the_samples_reach_the_page_as_they_are() -> None:
    """A quiet clip stays quiet: the page holds the clip's own samples, not rescaled ones."""
    clip = _tone(0.5)
    samples, rate = read_wav(_wav_in(player(clip)._repr_html_()))
    assert rate == clip.rate
    np.testing.assert_array_equal(np.ravel(samples), clip.samples)


@pytest.mark.parametrize("samples", [np.zeros(800, np.int16), np.full(800, -32768, np.int16)])
def test_silence_and_full_scale_are_played(samples: np.ndarray) -> None:
    """Digital silence and full scale, which break an array player, are ordinary audio here."""
    read, _ = read_wav(_wav_in(player(AudioClip(samples, 8000))._repr_html_()))
    np.testing.assert_array_equal(np.ravel(read), samples)


def test_an_empty_clip_says_so() -> None:
    """A clip without audio is shown in words, in HTML and in text, and has no audio element."""
    shown = player(AudioClip.silence(0))
    assert "no audio" in shown._repr_html_()
    assert "<audio" not in shown._repr_html_()
    assert repr(shown) == "<player: no audio>"


def test_a_long_clip_is_cut_and_says_so() -> None:
    """A clip beyond the size limit plays its first part, and the page says how much of how much."""
    shown = player(_tone(INLINE_SECONDS + 5))
    samples, rate = read_wav(_wav_in(shown._repr_html_()))
    assert len(samples) == INLINE_SECONDS * rate
    assert f"first {INLINE_SECONDS} s of {INLINE_SECONDS + 5}.00 s" in shown._repr_html_()
    assert "clip.to_wav(path)" in repr(shown)


def test_a_clip_at_the_limit_is_whole_and_silent_about_it() -> None:
    """The limit itself is not over the limit."""
    shown = player(_tone(INLINE_SECONDS))
    assert len(read_wav(_wav_in(shown._repr_html_()))[0]) == INLINE_SECONDS * 8000
    assert not shown.note


def test_a_clip_plays_itself() -> None:
    """`clip.play()` is this player."""
    assert _tone(0.1).play().data == _tone(0.1).to_wav()
