"""The three encodings of realtime audio. The dialects' names for them are in `rtnb.protocol.config`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from rtnb.audio import g711
from rtnb.audio.samples import Samples
from rtnb.errors import AudioError

AudioBytes = bytes | bytearray | memoryview


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """An encoding of mono samples as bytes on the wire.

    Attributes
    ----------
    name : str
        ``"pcm16"``, ``"g711_ulaw"`` or ``"g711_alaw"``.
    rate : int
        Samples per second (Hz).
    bytes_per_sample : int
    decode : callable
        ``decode(data)`` returns new int16 samples of shape (n,). A last byte that is half a sample is ignored.
    encode : callable
        ``encode(samples)`` returns the bytes of int16 samples of shape (n,); AudioError for any other array.
    """

    name: str
    rate: int
    bytes_per_sample: int
    decode: Callable[[AudioBytes], Samples] = field(repr=False, compare=False)
    encode: Callable[[Samples], bytes] = field(repr=False, compare=False)

    def duration(self, byte_count: int) -> float:
        """Return the seconds that `byte_count` bytes last."""
        return byte_count // self.bytes_per_sample / self.rate


def _decode_pcm16(data: AudioBytes) -> Samples:
    view = memoryview(data).cast("B")
    return np.frombuffer(view[: len(view) // 2 * 2], "<i2").astype(np.int16)


def _encode_pcm16(samples: Samples) -> bytes:
    return _mono(samples).astype("<i2", copy=False).tobytes()


def _encode_ulaw(samples: Samples) -> bytes:
    return g711.encode_ulaw(_mono(samples))


def _encode_alaw(samples: Samples) -> bytes:
    return g711.encode_alaw(_mono(samples))


def _mono(samples: Samples) -> Samples:
    if samples.dtype != np.int16 or samples.ndim != 1:
        raise AudioError(
            f"The wire carries int16 samples of shape (n,), not {samples.dtype} of shape {samples.shape}: "
            "AudioClip.from_array(samples, rate).samples converts them."
        )
    return samples


PCM16 = AudioFormat("pcm16", 24_000, 2, _decode_pcm16, _encode_pcm16)
G711_ULAW = AudioFormat("g711_ulaw", 8_000, 1, g711.decode_ulaw, _encode_ulaw)
G711_ALAW = AudioFormat("g711_alaw", 8_000, 1, g711.decode_alaw, _encode_alaw)

FORMATS: dict[str, AudioFormat] = {each.name: each for each in (PCM16, G711_ULAW, G711_ALAW)}
"""The encodings by name."""
