from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from rtnb.audio.formats import G711_ALAW, G711_ULAW, PCM16, AudioFormat
from rtnb.errors import AudioError

FORMATS = pytest.mark.parametrize("format", [PCM16, G711_ULAW, G711_ALAW], ids=["pcm16", "g711_ulaw", "g711_alaw"])


def test_the_three_formats() -> None:
    """Name, rate and width of each format are those of the wire."""
    facts = [(f.name, f.rate, f.bytes_per_sample) for f in (PCM16, G711_ULAW, G711_ALAW)]
    assert facts == [("pcm16", 24000, 2), ("g711_ulaw", 8000, 1), ("g711_alaw", 8000, 1)]


def test_pcm16_is_little_endian() -> None:
    """PCM16 has its low byte first, in both directions."""
    assert PCM16.decode(b"\x01\x02\xff\xff").tolist() == [0x0201, -1]
    assert PCM16.encode(np.array([0x0201, -1], np.int16)) == b"\x01\x02\xff\xff"


def test_a_byte_that_is_not_a_sample_is_ignored() -> None:
    """An odd byte at the end of PCM16 raises nothing and adds nothing."""
    assert PCM16.decode(b"\x01\x00\x07").tolist() == [1]
    assert PCM16.decode(b"\x07").shape == (0,)


@FORMATS
@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_decoded_samples_are_the_callers_own(format: AudioFormat, kind: type) -> None:
    """Any bytes-like object decodes to a new int16 array that can be written to."""
    samples = format.decode(kind(b"\x10\x20\x30\x40"))
    assert samples.dtype == np.int16
    assert samples.flags.writeable
    assert len(samples) == 4 // format.bytes_per_sample


@FORMATS
def test_bytes_survive_decoding_and_encoding(format: AudioFormat) -> None:
    """What was decoded encodes to the same bytes."""
    data = bytes(byte for byte in range(256) if byte != 0x7F) + b"\x00"
    assert format.encode(format.decode(data)) == data


@FORMATS
@pytest.mark.parametrize("samples", [np.zeros(4), np.zeros(4, np.int32), np.zeros((4, 2), np.int16)])
def test_only_int16_mono_is_encoded(format: AudioFormat, samples: np.ndarray) -> None:
    """Floats, wider integers and stereo are refused, with the conversion named."""
    with pytest.raises(AudioError, match="from_array"):
        format.encode(samples)


def test_duration_counts_whole_samples() -> None:
    """A second of PCM16 is 48000 bytes, of G.711 8000."""
    assert PCM16.duration(48001) == 1.0
    assert G711_ULAW.duration(4000) == 0.5


def test_formats_are_values() -> None:
    """A format equals its copy, differs at another rate, and cannot be changed."""
    assert dataclasses.replace(PCM16) == PCM16
    assert dataclasses.replace(PCM16, rate=16000) != PCM16
    assert len({PCM16, dataclasses.replace(PCM16), G711_ULAW}) == 2
    with pytest.raises(dataclasses.FrozenInstanceError):
        PCM16.rate = 8000  # type: ignore[misc]


def test_the_repr_is_plain() -> None:
    """The repr names the facts and no functions."""
    assert repr(PCM16) == "AudioFormat(name='pcm16', rate=24000, bytes_per_sample=2)"
