"""Two sides on one clock."""

from __future__ import annotations

import base64
import copy
import dataclasses
import io
import math
import os
import pickle
import re
import subprocess
import sys
import types
import wave
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

import rtnb.audio
from rtnb.audio import G711_ALAW, G711_ULAW, PCM16, AudioClip, read_wav, to_clip
from rtnb.audio.clip import INLINE_SECONDS, StereoClip
from rtnb.audio.wav import write_wav
from rtnb.errors import AudioError

VOID_TAGS = {"line", "polygon", "br", "img"}


def clip_of(*values: int, rate: int = 8000) -> AudioClip:
    return AudioClip.from_array(np.array(values, np.int16), rate)


def sine(seconds: float = 2.6, rate: int = 24000, amplitude: float = 0.41) -> AudioClip:
    time = np.arange(round(seconds * rate)) / rate
    return AudioClip.from_array(amplitude * np.sin(2 * np.pi * 440 * time), rate)


# What a clip is -------------------------------------------------------------------------------------------------------


def test_a_clip_is_samples_and_a_rate() -> None:
    """Samples, rate, length and duration say what was given."""
    clip = clip_of(1, -2, 3, 4, rate=16000)
    assert clip.samples.dtype == np.int16
    assert clip.samples.tolist() == [1, -2, 3, 4]
    assert (clip.rate, len(clip), clip.duration) == (16000, 4, 0.00025)


def test_peak_and_rms_are_fractions_of_full_scale() -> None:
    """Figures are measured against 32768, and missing without samples."""
    assert clip_of(0, -16384, 8192).peak == 0.5
    assert clip_of(16384, -16384).rms == 0.5
    assert math.isnan(AudioClip.silence(0).peak)
    assert math.isnan(AudioClip.silence(0).rms)
    assert AudioClip.silence(1).rms == 0.0


def test_nothing_changes_a_clip() -> None:
    """Neither its samples nor its fields can be written to."""
    clip = clip_of(1, 2)
    with pytest.raises(ValueError, match="read-only"):
        clip.samples[0] = 9
    with pytest.raises(dataclasses.FrozenInstanceError):
        clip.rate = 1  # type: ignore[misc]


@pytest.mark.parametrize("shape", [(4,), (4, 1), (4, 2)])
def test_a_clip_does_not_follow_the_array_it_was_made_from(shape: tuple[int, ...]) -> None:
    """Changing the caller's array afterwards changes no clip, and the array stays writable."""
    array = np.ones(shape, np.int16)
    clips = [AudioClip.from_array(array, 8000), AudioClip.from_array(array.view(), 8000)]
    if array.ndim == 1:
        clips.append(AudioClip(array, 8000))
    array[:] = 99
    assert all(clip.samples.tolist() == [1, 1, 1, 1] for clip in clips)


def test_read_only_samples_are_shared() -> None:
    """Samples that nobody can write to are taken without a copy."""
    array = np.arange(5, dtype=np.int16)
    array.setflags(write=False)
    assert np.shares_memory(AudioClip(array, 8000).samples, array)


@pytest.mark.parametrize("samples", [[1, 2], np.zeros(2), np.zeros((2, 2), np.int16)])
def test_the_constructor_takes_int16_only(samples: object) -> None:
    """Other types and shapes are sent to from_array."""
    with pytest.raises(AudioError, match="from_array"):
        AudioClip(samples, 8000)  # type: ignore[arg-type]


def test_clips_are_equal_when_they_sound_the_same() -> None:
    """Same samples and rate are equal and hash alike; another rate, sample or type is not."""
    clip = clip_of(1, 2, 3)
    assert clip == clip_of(1, 2, 3)
    assert hash(clip) == hash(clip_of(1, 2, 3))
    assert clip != clip_of(1, 2, 3, rate=24000)
    assert clip != clip_of(1, 2, 4)
    assert clip != clip_of(1, 2)
    assert clip != "clip"


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda clip: pickle.loads(pickle.dumps(clip))])
def test_copies_are_clips_too(duplicate) -> None:  # type: ignore[no-untyped-def]
    """A copied or pickled clip is equal and just as read-only."""
    again = duplicate(sine(0.1))
    assert again == sine(0.1)
    assert not again.samples.flags.writeable


# Ways to make one -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        (np.array([5, -5], np.int16), [5, -5]),
        ([5, -5], [5, -5]),
        (np.array([0.5, -2.0], np.float32), [16384, -32768]),
        (np.array([1 << 30], np.int32), [1 << 14]),
        (np.array([[100, 200], [-100, -300]], np.int16), [150, -200]),
        (np.array([[0.5, 0.0]]), [8192]),
        ([], []),
    ],
)
def test_from_array(samples: object, expected: list[int]) -> None:
    """Integers, floats, lists and stereo become int16 mono, read-only."""
    clip = AudioClip.from_array(samples, 24000)  # type: ignore[arg-type]
    assert clip.samples.tolist() == expected
    assert not clip.samples.flags.writeable


@pytest.mark.parametrize(
    ("samples", "rate", "message"),
    [
        ([0.0, math.nan], 24000, "NaN"),
        ([math.inf], 24000, "infinity"),
        (["x"], 24000, "numbers"),
        (np.zeros((2, 4800)), 24000, r"array\.T"),
        ([1], 0, "sample rate"),
        ([1], "24000", "sample rate"),
    ],
)
def test_from_array_refuses(samples: object, rate: float, message: str) -> None:
    """What is no sound is refused, as a ValueError too."""
    with pytest.raises(AudioError, match=message) as caught:
        AudioClip.from_array(samples, rate)  # type: ignore[arg-type]
    assert isinstance(caught.value, ValueError)


def test_from_bytes() -> None:
    """Bytes of the wire become a clip at their format's rate; PCM16 is the default."""
    assert AudioClip.from_bytes(b"\x01\x00\xff\xff\x05") == clip_of(1, -1, rate=24000)
    assert AudioClip.from_bytes(b"\xff\x00", G711_ULAW) == clip_of(0, -32124)
    assert AudioClip.from_bytes(b"\xd5", G711_ALAW) == clip_of(8)
    assert len(AudioClip.from_bytes(b"")) == 0


def test_from_file_mixes_down(tmp_path: Path) -> None:
    """A stereo file becomes the mean of its channels, at its own rate."""
    path = tmp_path / "stereo.wav"
    path.write_bytes(write_wav(np.array([[100, 300], [-2, -4]], np.int16), 44100))
    assert AudioClip.from_file(path) == clip_of(200, -3, rate=44100)
    assert AudioClip.from_file(str(path)) == AudioClip.from_file(path)


def test_from_file_names_the_file_it_cannot_read(tmp_path: Path) -> None:
    """The path is in the message of a bad file, and a missing file is FileNotFoundError."""
    path = tmp_path / "notes.wav"
    path.write_text("not sound")
    with pytest.raises(AudioError, match=r"notes\.wav: "):
        AudioClip.from_file(path)
    with pytest.raises(FileNotFoundError):
        AudioClip.from_file(tmp_path / "absent.wav")


def test_silence() -> None:
    """Silence has the length asked for, to the sample, at 24 kHz unless told otherwise."""
    assert AudioClip.silence(0.5) == AudioClip.from_array(np.zeros(12000, np.int16), 24000)
    assert len(AudioClip.silence(1 / 3, rate=8000)) == 2667


@pytest.mark.parametrize("seconds", [-1, math.nan, math.inf])
def test_silence_refuses(seconds: float) -> None:
    """Silence of no possible length is refused."""
    with pytest.raises(AudioError, match="Silence"):
        AudioClip.silence(seconds)


def test_coerce(tmp_path: Path) -> None:
    """A clip, a path, a pair and WAV bytes all mean the same sound."""
    clip = clip_of(1, 2, 3)
    path = clip.to_wav(tmp_path / "a.wav")
    assert to_clip(clip) is clip
    for value in (path, str(path), (clip.samples, 8000), ([1, 2, 3], 8000), clip.to_wav(), bytearray(clip.to_wav())):
        assert to_clip(value) == clip


@pytest.mark.parametrize("value", [None, 3, [1, 2], (1, 2, 3), np.zeros(4)])
def test_coerce_refuses(value: object) -> None:
    """Anything else is refused with the list of what would do."""
    with pytest.raises(AudioError, match=r"AudioClip, a path, \(samples, rate\)"):
        to_clip(value)


# Operations -----------------------------------------------------------------------------------------------------------


def test_clips_are_joined() -> None:
    """Adding puts one clip after the other."""
    assert clip_of(1, 2) + clip_of(3) == clip_of(1, 2, 3)
    assert clip_of(1) + AudioClip.silence(0, 8000) == clip_of(1)


def test_clips_of_different_rates_are_not_joined_unasked() -> None:
    """Joining different rates is refused, with the remedy that then works."""
    a, b = sine(0.1, 24000), sine(0.1, 8000)
    with pytest.raises(AudioError, match=r"a \+ b\.resample\(24000\)"):
        a + b
    assert (a + b.resample(24000)).duration == pytest.approx(0.2)


def test_only_clips_are_joined() -> None:
    """Adding a number is a TypeError, as with any other value."""
    with pytest.raises(TypeError):
        clip_of(1) + 1  # type: ignore[operator]


def test_between_takes_seconds() -> None:
    """The part between two times shares the clip's memory, and joined parts are the whole."""
    clip = sine(1.0)
    part = clip.between(0.25, 0.5)
    assert np.shares_memory(part.samples, clip.samples)
    assert part.samples.tolist() == clip.samples[6000:12000].tolist()
    assert clip.between(0, 0.3) + clip.between(0.3) == clip


@pytest.mark.parametrize(
    ("start", "end", "length"), [(-1, 9, 1.0), (0.5, math.inf, 0.5), (2, 3, 0), (0.6, 0.4, 0), (0.2, -1, 0)]
)
def test_between_stays_inside(start: float, end: float, length: float) -> None:
    """Times beyond the ends count as the ends; an end before its start gives an empty clip."""
    assert sine(1.0).between(start, end).duration == pytest.approx(length)


def test_between_refuses_nan() -> None:
    """A time that is not a number is refused."""
    with pytest.raises(AudioError, match="NaN"):
        sine(0.1).between(math.nan)


def test_envelope() -> None:
    """The envelope is the least and greatest sample of each stretch, as fractions."""
    low, high = clip_of(0, 16384, -16384, -32768).envelope(2)
    assert low.tolist() == [0.0, -1.0]
    assert high.tolist() == [0.5, -0.5]


def test_resample_keeps_duration_and_loudness() -> None:
    """At another rate a clip is as long and as loud as before."""
    clip = sine(0.5, 24000)
    again = clip.resample(8000)
    assert (again.rate, len(again)) == (8000, 4000)
    assert again.rms == pytest.approx(clip.rms, rel=0.01)
    assert not again.samples.flags.writeable
    assert clip.resample(24000) is clip


def test_to_wav_without_a_path_gives_the_file() -> None:
    """The bytes are a WAV file with exactly the clip's samples, quiet ones as quiet as they are."""
    clip = sine(0.1, 16000, amplitude=0.01)
    with wave.open(io.BytesIO(clip.to_wav())) as file:
        assert file.getparams()[:4] == (1, 2, 16000, 1600)
        assert file.readframes(1600) == PCM16.encode(clip.samples)


def test_to_wav_with_a_path_writes_the_file(tmp_path: Path) -> None:
    """The path comes back, and the file holds the clip."""
    path = sine(0.1).to_wav(str(tmp_path / "answer.wav"))
    assert path == tmp_path / "answer.wav"
    assert AudioClip.from_file(path) == sine(0.1)


def test_play_and_plot_are_the_notebooks_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both hand the clip over and return what the notebook layer makes of it."""
    players, plots = types.ModuleType("rtnb.notebook.player"), types.ModuleType("rtnb.notebook.plots")
    players.player = lambda clip: ("player", clip)  # type: ignore[attr-defined]
    plots.plot_clip = lambda clip, *, ax=None: ("plot", clip, ax)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "rtnb.notebook.player", players)
    monkeypatch.setitem(sys.modules, "rtnb.notebook.plots", plots)
    clip = clip_of(1)
    assert clip.play() == ("player", clip)
    assert clip.plot() == ("plot", clip, None)
    assert clip.plot(ax="axes") == ("plot", clip, "axes")


# How it shows itself --------------------------------------------------------------------------------------------------


class Outline(HTMLParser):
    """Collects tags, the text outside of them, and the audio, and insists that every element is closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.words = ""
        self.wav = b""
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag == "audio":
            self.wav = base64.b64decode((dict(attrs)["src"] or "").removeprefix("data:audio/wav;base64,"))
        if tag not in VOID_TAGS:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


def test_plain_text() -> None:
    """The repr is one line: length, rate, peak, RMS."""
    assert repr(sine()) == "<AudioClip 2.60 s, 24 kHz, peak 0.41, rms 0.29>"
    assert repr(sine(1.5, 22050, 1.0)) == "<AudioClip 1.50 s, 22.05 kHz, peak 1.00, rms 0.71>"
    assert repr(AudioClip.silence(0)) == "<AudioClip no audio, 24 kHz>"
    assert sine()._repr_mimebundle_()["text/plain"] == repr(sine())


def test_html_shows_waveform_player_and_figures() -> None:
    """The HTML holds a picture, the clip itself as WAV, and the figures of the plain text."""
    outline = Outline(sine()._repr_mimebundle_()["text/html"])
    assert {"svg", "audio"} <= set(outline.tags)
    assert outline.wav == sine().to_wav()
    assert "2.60 s · 24 kHz · peak 0.41 · rms 0.29" in outline.words
    assert "first" not in outline.words
    assert "script" not in outline.tags


def test_a_long_clip_plays_its_beginning_and_says_so() -> None:
    """Beyond 30 s the player holds the beginning, the words say so, and the size is bounded."""
    clip = sine(INLINE_SECONDS + 15.25, 8000)
    html = clip._repr_mimebundle_()["text/html"]
    outline = Outline(html)
    assert to_clip(outline.wav) == clip.between(0, INLINE_SECONDS)
    assert "The player holds the first 30 s of 45.25 s; to_wav(path) keeps all of it." in outline.words
    assert len(html) < INLINE_SECONDS * 8000 * 2 * 4 / 3 + 20_000


def test_a_clip_of_exactly_the_limit_is_whole() -> None:
    """30 s are played whole, without a remark."""
    outline = Outline(AudioClip.silence(INLINE_SECONDS, 8000)._repr_mimebundle_()["text/html"])
    assert "first" not in outline.words


def test_an_empty_clip_says_no_audio() -> None:
    """Without samples there is no player, no picture and no made-up figure."""
    outline = Outline(AudioClip.silence(0)._repr_mimebundle_()["text/html"])
    assert "no audio" in outline.words
    assert not {"audio", "svg"} & set(outline.tags)
    assert "nan" not in outline.words.lower()


def test_one_sample_shows_itself() -> None:
    """The shortest clip has a picture without NaN in it."""
    html = clip_of(5)._repr_mimebundle_()["text/html"]
    assert not re.search("nan", Outline(html).words + re.sub('base64,[^"]*', "", html), re.IGNORECASE)


def test_include_and_exclude_are_honoured() -> None:
    """A front end gets the views that it asks for."""
    clip = sine(0.1)
    assert set(clip._repr_mimebundle_()) == {"text/plain", "text/html"}
    assert set(clip._repr_mimebundle_(include={"text/plain"})) == {"text/plain"}
    assert set(clip._repr_mimebundle_(exclude=["text/html"])) == {"text/plain"}


# The package ----------------------------------------------------------------------------------------------------------


def test_what_is_public_exists() -> None:
    """Every name of __all__ is there."""
    assert all(hasattr(rtnb.audio, name) for name in rtnb.audio.__all__)


@pytest.mark.large
def test_importing_loads_neither_soxr_nor_soundfile() -> None:
    """Optional libraries are loaded when they are needed, not before."""
    code = "import sys, rtnb.audio; print(sorted({'soxr', 'soundfile', 'matplotlib', 'IPython'} & set(sys.modules)))"
    environment = os.environ | {"PYTHONPATH": str(Path(rtnb.audio.__file__).parents[2])}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    assert done.stdout.strip() == "[]"


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
