from __future__ import annotations

import io
import struct
import wave

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtnb.audio import g711
from rtnb.audio.wav import is_wav, read_wav, write_wav
from rtnb.errors import AudioError

PCM, FLOAT, ALAW, ULAW = 1, 3, 6, 7
SAMPLES = np.array([-32768, -12345, -1, 0, 1, 12345, 32767], np.int16)


def chunk(name: bytes, body: bytes, size: int | None = None) -> bytes:
    pad = b"\0" * (len(body) % 2)
    return name + struct.pack("<I", len(body) if size is None else size) + body + pad


def fmt(code: int, bits: int, *, channels: int = 1, rate: int = 8000, block: int | None = None) -> bytes:
    block = channels * bits // 8 if block is None else block
    return chunk(b"fmt ", struct.pack("<HHIIHH", code, channels, rate, rate * block, block, bits))


def extensible(code: int, bits: int, valid_bits: int, channels: int = 1) -> bytes:
    guid = struct.pack("<H", code) + bytes.fromhex("000000001000800000aa00389b71")
    block = channels * bits // 8
    head = struct.pack("<HHIIHH", 0xFFFE, channels, 8000, 8000 * block, block, bits)
    return chunk(b"fmt ", head + struct.pack("<HHI", 22, valid_bits, 0) + guid)


def riff(*chunks: bytes, size: int | None = None) -> bytes:
    body = b"WAVE" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body) if size is None else size) + body


def mono(data: bytes) -> list[int]:
    samples, _ = read_wav(data)
    assert samples.dtype == np.int16
    assert samples.shape[1] == 1
    return samples[:, 0].tolist()


def pcm24(samples: np.ndarray, low_byte: int) -> bytes:
    wide = (samples.astype(np.int64) << 8) + low_byte
    return b"".join(int(value).to_bytes(3, "little", signed=True) for value in wide)


@pytest.mark.parametrize("code_of", [fmt, lambda code, bits: extensible(code, bits, bits)], ids=["plain", "extensible"])
@pytest.mark.parametrize(
    ("code", "bits", "body", "expected"),
    [
        (PCM, 8, bytes([0, 127, 128, 129, 255]), [-32768, -256, 0, 256, 32512]),
        (PCM, 16, SAMPLES.astype("<i2").tobytes(), SAMPLES.tolist()),
        (PCM, 24, pcm24(SAMPLES, 0xAB), SAMPLES.tolist()),
        (PCM, 32, ((SAMPLES.astype("<i4") << 16) + 0xABCD).astype("<i4").tobytes(), SAMPLES.tolist()),
        (FLOAT, 32, (SAMPLES / 32768).astype("<f4").tobytes(), SAMPLES.tolist()),
        (FLOAT, 64, (SAMPLES / 32768).astype("<f8").tobytes(), SAMPLES.tolist()),
        (ULAW, 8, bytes(range(256)), g711.decode_ulaw(bytes(range(256))).tolist()),
        (ALAW, 8, bytes(range(256)), g711.decode_alaw(bytes(range(256))).tolist()),
    ],
    ids=["pcm8", "pcm16", "pcm24", "pcm32", "float32", "float64", "ulaw", "alaw"],
)
def test_every_encoding(code_of, code: int, bits: int, body: bytes, expected: list[int]) -> None:  # type: ignore[no-untyped-def]
    """Each encoding gives its samples, with a plain and with an extensible header."""
    assert mono(riff(code_of(code, bits), chunk(b"data", body))) == expected


def test_fewer_valid_bits_than_the_container_holds() -> None:
    """20 bits in 3 or 4 bytes are justified to the left: the upper 16 are taken."""
    body = ((SAMPLES.astype("<i4") << 16) + 0xF000).astype("<i4").tobytes()
    assert mono(riff(extensible(PCM, 32, 20), chunk(b"data", body))) == SAMPLES.tolist()
    assert mono(riff(fmt(PCM, 20, block=3), chunk(b"data", pcm24(SAMPLES, 0xF0)))) == SAMPLES.tolist()
    assert mono(riff(fmt(PCM, 20, block=4), chunk(b"data", body))) == SAMPLES.tolist()


def test_channels_become_columns() -> None:
    """Interleaved channels become the columns of the array, whatever the width."""
    for bits, body in ((16, SAMPLES[:6].astype("<i2").tobytes()), (24, pcm24(SAMPLES[:6], 1))):
        samples, rate = read_wav(riff(fmt(PCM, bits, channels=3, rate=44100), chunk(b"data", body)))
        assert rate == 44100
        assert samples.tolist() == SAMPLES[:6].reshape(2, 3).tolist()


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 0x7FFFFFFE, 1000])
@pytest.mark.parametrize("riff_size", [0, 0xFFFFFFFF, 36])
def test_streamed_headers_give_the_bytes_that_are_there(size: int, riff_size: int) -> None:
    """A length of zero or beyond the end means: up to the end."""
    data = riff(fmt(PCM, 16), chunk(b"data", SAMPLES.astype("<i2").tobytes(), size=size), size=riff_size)
    assert mono(data) == SAMPLES.tolist()


def test_a_finished_file_without_sound_is_empty() -> None:
    """A true length of zero is believed, and what follows is not taken for sound."""
    samples, rate = read_wav(riff(fmt(PCM, 16), chunk(b"data", b""), chunk(b"LIST", b"INFOabcd")))
    assert samples.shape == (0, 1)
    assert rate == 8000


def test_other_chunks_are_passed_over() -> None:
    """Chunks before and after the data, also those of odd length, are not sound."""
    body = SAMPLES.astype("<i2").tobytes()
    data = riff(
        chunk(b"LIST", b"odd"), fmt(PCM, 16), chunk(b"fact", b"1234"), chunk(b"data", body), chunk(b"id3 ", b"x")
    )
    assert mono(data) == SAMPLES.tolist()


@pytest.mark.parametrize("missing", [1, 2, 3, 13])
def test_a_truncated_file_gives_its_whole_frames(missing: int) -> None:
    """What is left of a cut file is read, without the half sample at its end."""
    data = riff(fmt(PCM, 16), chunk(b"data", SAMPLES.astype("<i2").tobytes()))[:-missing]
    assert mono(data) == SAMPLES.tolist()[: (14 - missing) // 2]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not a WAV file"),
        (b"hello, this is text", "not a WAV file"),
        (riff(), "no data chunk"),
        (riff(fmt(PCM, 16)), "no data chunk"),
        (riff(fmt(PCM, 16))[:30], "inside its fmt chunk"),
        (riff(chunk(b"data", b"\0\0")), "no fmt chunk"),
        (riff(fmt(2, 4, block=256), chunk(b"data", b"\0\0")), "code 0x0002, 4 bits.*ffmpeg"),
        (riff(fmt(PCM, 64), chunk(b"data", b"\0" * 8)), "64 bits"),
        (riff(fmt(PCM, 16, channels=0, block=2), chunk(b"data", b"\0\0")), "0 channels"),
        (riff(fmt(PCM, 16, rate=0), chunk(b"data", b"\0\0")), "0 Hz"),
        (riff(fmt(0xFFFE, 16), chunk(b"data", b"\0\0")), "code 0xfffe"),
        (riff(fmt(FLOAT, 32), chunk(b"data", struct.pack("<f", float("nan")))), "NaN"),
    ],
)
def test_what_cannot_be_read_says_why(data: bytes, message: str) -> None:
    """Each way to be unreadable has its own message."""
    with pytest.raises(AudioError, match=message):
        read_wav(data)


@given(data=st.binary(max_size=120), at=st.integers(0, 60))
def test_damage_never_raises_anything_else(data: bytes, at: int) -> None:
    """Random bytes over a good file are read, or refused with AudioError."""
    good = riff(fmt(PCM, 16), chunk(b"data", SAMPLES.astype("<i2").tobytes()))
    damaged = good[:at] + data + good[at + len(data) :]
    try:
        samples, rate = read_wav(damaged)
    except AudioError:
        return
    assert samples.dtype == np.int16
    assert samples.nbytes <= 2 * len(damaged)
    assert rate > 0


@pytest.mark.parametrize("samples", [SAMPLES, SAMPLES[:6].reshape(3, 2), SAMPLES[:0], SAMPLES[::2]])
def test_the_standard_library_reads_what_is_written(samples: np.ndarray) -> None:
    """The wave module finds the same samples, rate and channels."""
    with wave.open(io.BytesIO(write_wav(samples, 24000))) as file:
        assert file.getframerate() == 24000
        assert file.getsampwidth() == 2
        assert file.getnchannels() == (1 if samples.ndim == 1 else samples.shape[1])
        assert file.readframes(100) == samples.astype("<i2").tobytes()


def test_what_is_written_is_read_again() -> None:
    """Samples and rate come back as they were."""
    samples, rate = read_wav(write_wav(SAMPLES, 16000))
    assert rate == 16000
    assert samples[:, 0].tolist() == SAMPLES.tolist()


@pytest.mark.parametrize("samples", [np.zeros(3), np.zeros((1, 2, 3), np.int16), np.zeros((3, 0), np.int16)])
def test_only_int16_is_written(samples: np.ndarray) -> None:
    """Other types and shapes are refused, with the conversion named."""
    with pytest.raises(AudioError, match="from_array"):
        write_wav(samples, 24000)


def test_more_than_the_format_can_say_is_refused() -> None:
    """Beyond 4 GB the header would lie, so nothing is written."""
    endless = np.broadcast_to(np.int16(0), (2**31,))
    with pytest.raises(AudioError, match="4 GB"):
        write_wav(endless, 24000)


def test_a_wav_is_known_by_its_beginning() -> None:
    """RIFF and WAVE make a WAV file; RIFF alone does not."""
    assert is_wav(write_wav(SAMPLES, 8000))
    assert not is_wav(b"RIFF\0\0\0\0AVI LIST")
    assert not is_wav(b"RIFF")


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE", "ULAW", "ALAW"])
@pytest.mark.parametrize("container", ["WAV", "WAVEX"])
def test_soundfile_is_read_as_it_reads_itself(subtype: str, container: str) -> None:
    """Files of an independent writer give the samples that its own reader gives."""
    soundfile = pytest.importorskip("soundfile")
    values = np.random.default_rng(1).uniform(-0.9, 0.9, (500, 2))
    buffer = io.BytesIO()
    soundfile.write(buffer, values, 22050, format=container, subtype=subtype)
    samples, rate = read_wav(buffer.getvalue())
    expected, _ = soundfile.read(io.BytesIO(buffer.getvalue()), dtype="float64", always_2d=True)
    assert rate == 22050
    assert samples.shape == (500, 2)
    assert np.abs(samples / 32768 - expected).max() <= 1 / 32768
