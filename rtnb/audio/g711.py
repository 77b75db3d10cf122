"""ITU-T G.711: mu-law and A-law, one byte per sample, as tables.

Decoding is exact by the standard. Encoders differ at ties; this one rounds as the classic Sun code does, which drops the low
bits (two for mu-law, three for A-law) before it looks for the segment.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from rtnb.audio.samples import Samples

_Codes = npt.NDArray[np.uint8]

# mu-law adds this before it looks for the segment, so that each segment begins at a power of two (14-bit scale).
_BIAS = 33
_LOUDEST_14_BIT = 8159


def decode_ulaw(data: bytes | bytearray | memoryview) -> Samples:
    """Decode mu-law bytes to int16 samples, shape (len(data),)."""
    return _ulaw_values()[np.frombuffer(data, np.uint8)]


def decode_alaw(data: bytes | bytearray | memoryview) -> Samples:
    """Decode A-law bytes to int16 samples, shape (len(data),)."""
    return _alaw_values()[np.frombuffer(data, np.uint8)]


def encode_ulaw(samples: Samples) -> bytes:
    """Encode int16 samples of shape (n,) as n mu-law bytes."""
    return _look_up(_ulaw_codes(), samples)


def encode_alaw(samples: Samples) -> bytes:
    """Encode int16 samples of shape (n,) as n A-law bytes."""
    return _look_up(_alaw_codes(), samples)


def _look_up(codes: _Codes, samples: Samples) -> bytes:
    # Seen as uint16, a negative sample indexes the upper half of the table.
    return codes[np.ascontiguousarray(samples, np.int16).view(np.uint16)].tobytes()


def _every_sample() -> npt.NDArray[np.int32]:
    return np.arange(65536, dtype=np.uint16).view(np.int16).astype(np.int32)


@cache
def _ulaw_values() -> Samples:
    code = ~np.arange(256, dtype=np.uint8)
    magnitude = ((code & 15).astype(np.int32) * 2 + _BIAS) * 4 << ((code >> 4) & 7)
    magnitude -= _BIAS * 4
    return _read_only(np.where(code & 0x80, -magnitude, magnitude).astype(np.int16))


@cache
def _alaw_values() -> Samples:
    code = np.arange(256, dtype=np.uint8) ^ 0x55
    segment = ((code >> 4) & 7).astype(np.int32)
    step = (code & 15).astype(np.int32) * 16 + 8
    # Segment 0 is linear; from 1 on a leading one is implied, and each segment doubles the step.
    magnitude = np.where(segment == 0, step, (step + 256) << np.maximum(segment - 1, 0))
    return _read_only(np.where(code & 0x80, magnitude, -magnitude).astype(np.int16))


@cache
def _ulaw_codes() -> _Codes:
    value = _every_sample() >> 2
    magnitude = np.minimum(np.abs(value), _LOUDEST_14_BIT) + _BIAS
    segment = np.searchsorted((64 << np.arange(8)) - 1, magnitude)
    code = segment << 4 | (magnitude >> (segment + 1) & 15)
    return _read_only_codes(np.where(segment > 7, 0x7F, code) ^ np.where(value < 0, 0x7F, 0xFF))


@cache
def _alaw_codes() -> _Codes:
    value = _every_sample() >> 3
    magnitude = np.where(value < 0, -value - 1, value)
    segment = np.searchsorted((32 << np.arange(8)) - 1, magnitude)
    code = segment << 4 | (magnitude >> np.maximum(segment, 1) & 15)
    return _read_only_codes(code ^ np.where(value < 0, 0x55, 0xD5))


def _read_only(table: Samples) -> Samples:
    table.setflags(write=False)  # shared by every caller
    return table


def _read_only_codes(table: npt.NDArray[Any]) -> _Codes:
    codes = table.astype(np.uint8)
    codes.setflags(write=False)
    return codes
