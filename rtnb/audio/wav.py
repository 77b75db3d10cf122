"""Reads and writes WAV files (RIFF/WAVE) as int16 samples.

The reader takes float, 24-bit and G.711 files, and headers that were written before the length was known (a recording
piped through another program gives it as 0 or 4 GB). It never reads beyond the end of the data.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from rtnb.audio import g711
from rtnb.audio.samples import MOST_CHANNELS, Samples, to_int16, valid_rate
from rtnb.errors import AudioError

_PCM, _FLOAT, _ALAW, _ULAW, _EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
# Code and bytes per sample of the encodings that are read.
_ENCODINGS = {*((_PCM, width) for width in (1, 2, 3, 4)), (_FLOAT, 4), (_FLOAT, 8), (_ULAW, 1), (_ALAW, 1)}
_LARGEST = 0xFFFFFFFF - 36


def is_wav(data: bytes) -> bool:
    """Return whether `data` begins as a WAV file does."""
    return data[:4] == b"RIFF" and data[8:12] == b"WAVE"


def read_wav(data: bytes) -> tuple[Samples, int]:
    """Read a WAV file's bytes.

    PCM of 8, 16, 24 and 32 bits, float of 32 and 64 bits, mu-law and A-law, plain or extensible. More than 16 bits are
    cut to their upper 16; floats are scaled from -1..1.

    Parameters
    ----------
    data : bytes
        The whole file, or its beginning: from a truncated file, the frames that are left are read.

    Returns
    -------
    samples : ndarray of int16, shape (frames, channels)
    rate : int
        Frames per second (Hz).

    Raises
    ------
    AudioError
        Not a WAV file, no sound in it, or an encoding that is not listed above.
    """
    if not is_wav(data):
        raise AudioError("These bytes are not a WAV file: it would begin with RIFF....WAVE.")
    layout: _Layout | None = None
    for name, body in _chunks(data):
        if name == b"fmt ":
            layout = _parse_layout(body)
        elif name == b"data":
            if layout is None:
                raise AudioError("The WAV file does not say how its samples are stored (no fmt chunk before the data).")
            return _decode(layout, body), layout.rate
    raise AudioError("The WAV file ends before its sound begins: it has no data chunk.")


def write_wav(samples: Samples, rate: int) -> bytes:
    """Return a 16-bit PCM WAV file.

    Parameters
    ----------
    samples : ndarray of int16, shape (n,) or (n, channels)
    rate : int
        Frames per second (Hz).

    Raises
    ------
    AudioError
        Another dtype or shape, an impossible rate, or more than the 4 GB that the format allows.
    """
    channels = 1 if samples.ndim == 1 else samples.shape[-1]
    if samples.dtype != np.int16 or samples.ndim not in (1, 2) or not 1 <= channels <= MOST_CHANNELS:
        raise AudioError(
            f"A WAV file is written from int16 samples of shape (n,) or (n, channels), not {samples.dtype} of shape "
            f"{samples.shape}: AudioClip.from_array(samples, rate).to_wav() converts them."
        )
    if samples.nbytes > _LARGEST:
        raise AudioError("A WAV file holds at most 4 GB: write the clip in parts, with clip.between(start_s, end_s).")
    rate = valid_rate(rate)
    header = struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        *(b"RIFF", 36 + samples.nbytes, b"WAVE"),
        *(b"fmt ", 16, _PCM, channels, rate, rate * channels * 2, channels * 2, 16),
        *(b"data", samples.nbytes),
    )
    return header + samples.astype("<i2", copy=False).tobytes()


@dataclass(frozen=True, slots=True)
class _Layout:
    """A fmt chunk: `code` is the encoding, `width` the bytes of one sample of one channel."""

    code: int
    channels: int
    rate: int
    width: int


def _chunks(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """Yield each chunk's name and body, as much of it as the file has."""
    view, start = memoryview(data), 12
    # A RIFF size that is right (or right but for a last padding byte) was written when the length was known.
    finished = int.from_bytes(data[4:8], "little") in (len(data) - 8, len(data) - 9)
    while start + 8 <= len(data):
        name, size = bytes(view[start : start + 4]), int.from_bytes(view[start + 4 : start + 8], "little")
        start += 8
        if name == b"data" and size == 0 and not finished:
            size = len(data) - start  # the writer did not come back to fill in the length
        yield name, view[start : start + size]
        start += size + size % 2


def _parse_layout(body: memoryview) -> _Layout:
    if len(body) < 16:
        raise AudioError("The WAV file ends inside its fmt chunk.")
    code, channels, rate, _, block, bits = struct.unpack_from("<HHIIHH", body)
    if code == _EXTENSIBLE and len(body) >= 26:
        code = int.from_bytes(body[24:26], "little")  # the sub-format GUID begins with the plain code
    if channels == 0 or rate == 0:
        raise AudioError(f"The WAV file claims {channels} channels at {rate} Hz; its header is damaged.")
    width = max((bits + 7) // 8, block // channels)  # 20 bits may be kept in 4 bytes, as the block size shows
    if (code, width) not in _ENCODINGS:
        raise AudioError(
            f"The WAV file's encoding (code 0x{code:04x}, {bits} bits) is not one that rtnb reads. "
            "Convert it to 16-bit PCM, for example: ffmpeg -i in.wav -c:a pcm_s16le out.wav"
        )
    return _Layout(code, channels, rate, width)


def _decode(layout: _Layout, body: memoryview) -> Samples:
    frame = layout.width * layout.channels
    body = body[: len(body) // frame * frame]
    if layout.code == _ULAW:
        flat = g711.decode_ulaw(body)
    elif layout.code == _ALAW:
        flat = g711.decode_alaw(body)
    elif layout.code == _FLOAT:
        flat = to_int16(np.frombuffer(body, f"<f{layout.width}"))
    elif layout.width == 1:
        flat = to_int16(np.frombuffer(body, np.uint8))
    else:
        # Little-endian and justified to the left: the upper 16 bits are the last two bytes, whatever the width.
        upper = np.frombuffer(body, np.uint8).reshape(-1, layout.width)[:, -2:]
        flat = np.ascontiguousarray(upper).view("<i2").astype(np.int16).ravel()
    return flat.reshape(-1, layout.channels)
