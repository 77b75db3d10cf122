from __future__ import annotations

import io
import sys

import numpy as np
import pytest

from rtnb.audio.files import read_audio
from rtnb.audio.wav import write_wav
from rtnb.errors import AudioError

SINE = np.rint(12000 * np.sin(2 * np.pi * 440 * np.arange(24000) / 24000)).astype(np.int16)


@pytest.fixture
def no_soundfile(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make `import soundfile` fail as where it is not installed."""
    monkeypatch.setitem(sys.modules, "soundfile", None)


def encoded(**options: str) -> bytes:
    soundfile = pytest.importorskip("soundfile")
    buffer = io.BytesIO()
    soundfile.write(buffer, SINE, 24000, **options)
    return buffer.getvalue()


@pytest.mark.usefixtures("no_soundfile")
def test_wav_needs_nothing_else() -> None:
    """A WAV file is read where soundfile is not installed."""
    samples, rate = read_audio(write_wav(SINE, 24000))
    assert rate == 24000
    assert np.array_equal(samples[:, 0], SINE)


def test_flac_is_read_exactly() -> None:
    """FLAC keeps every sample."""
    samples, rate = read_audio(encoded(format="FLAC"))
    assert rate == 24000
    assert np.array_equal(samples[:, 0], SINE)


@pytest.mark.parametrize("options", [{"format": "OGG"}, {"format": "MP3"}, {"format": "RF64"}])
def test_other_formats_are_read_by_soundfile(options: dict[str, str]) -> None:
    """OGG, MP3 and large WAV files sound as loud as they were."""
    samples, rate = read_audio(encoded(**options))
    assert rate == 24000
    middle = samples[8000:16000, 0] / 12000
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(0.5**0.5, rel=0.02)


@pytest.mark.usefixtures("no_soundfile")
@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"fLaC\0\0\0\x22", "FLAC"),
        (b"OggS\0\x02", "OGG"),
        (b"ID3\x04", "MP3"),
        (b"\xff\xfb\x90\x64", "MP3"),
        (b"FORM\0\0\0\0AIFF", "AIFF"),
        (b"RIFX\0\0\0\0WAVE", "RIFX"),
    ],
)
def test_without_soundfile_the_extra_is_named(data: bytes, kind: str) -> None:
    """A known format is named, with the command that makes it readable."""
    with pytest.raises(AudioError, match=rf'This is {kind}, not WAV.*pip install "rtnb\[files\]"'):
        read_audio(data)


@pytest.mark.usefixtures("no_soundfile")
def test_unknown_bytes_without_soundfile() -> None:
    """Bytes of no known format are not given a name."""
    with pytest.raises(AudioError, match=r"not a WAV file.*rtnb\[files\]"):
        read_audio(b"hello")


@pytest.mark.parametrize(
    ("data", "message"), [(b"\0\0\0\x20ftypM4A ", "MP4 audio.*in.m4a"), (b"\x1aE\xdf\xa3\x9f", "WebM audio.*in.webm")]
)
def test_what_cannot_be_read_is_to_be_converted(data: bytes, message: str) -> None:
    """MP4 and WebM, which soundfile does not read either, come with the command that converts them."""
    with pytest.raises(AudioError, match=message):
        read_audio(data)


@pytest.mark.parametrize(
    ("data", "message"),
    [(b"hello", "not a WAV file.*cannot be read"), (b"fLaC broken", "This is FLAC.*cannot be read")],
)
def test_damaged_files_are_refused(data: bytes, message: str) -> None:
    """What soundfile cannot read becomes an AudioError too."""
    pytest.importorskip("soundfile")
    with pytest.raises(AudioError, match=message):
        read_audio(data)


def test_an_empty_file_says_so() -> None:
    """No bytes at all have their own message."""
    with pytest.raises(AudioError, match="empty"):
        read_audio(b"")
