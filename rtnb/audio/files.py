"""Reads the bytes of an audio file: WAV by itself, other formats with soundfile where it is installed."""

from __future__ import annotations

import io

from rtnb.audio.samples import Samples, to_int16
from rtnb.audio.wav import is_wav, read_wav
from rtnb.errors import AudioError

_SOUNDFILE_READS = 'pip install "rtnb[files]" reads FLAC, OGG, MP3 and more.'
_CONVERT = "Convert it first, for example: ffmpeg -i {extension} -ar 24000 -ac 1 out.wav"


def read_audio(data: bytes) -> tuple[Samples, int]:
    """Read a WAV, or with soundfile a FLAC, OGG or MP3 file, from its bytes.

    Returns
    -------
    samples : ndarray of int16, shape (frames, channels)
    rate : int
        Frames per second (Hz).

    Raises
    ------
    AudioError
        Empty, damaged, not audio, or a format that needs another program; the message says which.
    """
    if not data:
        raise AudioError("There are no bytes to read: the audio file is empty.")
    return read_wav(data) if is_wav(data) else _read_with_soundfile(data)


def _read_with_soundfile(data: bytes) -> tuple[Samples, int]:
    kind = _recognise(data)
    if kind in ("MP4", "WebM"):
        extension = "in.m4a" if kind == "MP4" else "in.webm"
        raise AudioError(f"This is {kind} audio, which rtnb does not read. {_CONVERT.format(extension=extension)}")
    try:
        import soundfile
    except (ImportError, OSError):  # OSError: the package is installed, the library that it wraps is not
        raise AudioError(f"{_not_wav(kind)} rtnb reads WAV by itself; {_SOUNDFILE_READS}") from None
    try:
        values, rate = soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise AudioError(f"{_not_wav(kind)} It cannot be read as audio: {error.error_string}") from None
    return to_int16(values), int(rate)


def _not_wav(kind: str | None) -> str:
    return f"This is {kind}, not WAV." if kind else "These bytes are not a WAV file."


def _recognise(data: bytes) -> str | None:
    """Name a well-known format by its first bytes."""
    if data[4:8] == b"ftyp":
        return "MP4"
    if data[:4] == b"\x1aE\xdf\xa3":
        return "WebM"
    for magic, name in (
        (b"fLaC", "FLAC"),
        (b"OggS", "OGG"),
        (b"ID3", "MP3"),
        (b"FORM", "AIFF"),
        (b"RIFX", "RIFX"),
        (b"RF64", "RF64"),
    ):
        if data.startswith(magic):
            return name
    is_mpeg_frame = len(data) > 1 and data[0] == 0xFF and data[1] & 0xE6 == 0xE2
    return "MP3" if is_mpeg_frame else None
