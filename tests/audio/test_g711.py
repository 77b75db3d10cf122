from __future__ import annotations

import hashlib
import warnings

import numpy as np
import pytest

from rtnb.audio import g711

EVERY_CODE = bytes(range(256))
EVERY_SAMPLE = np.arange(-32768, 32768).astype(np.int16)

# SHA-256 of what CPython 3.11's audioop made of every code (little-endian int16) and of every sample in rising order.
ULAW_VALUES = "3dab54339e520bb2c924826e3b72a917a2b612e9fd12fc867500f1d983a75827"
ALAW_VALUES = "e04788d110e58ff8c70c93b8480190d973e3b67876b6119abbaec766cc75c174"
ULAW_CODES = "81d633c9e6972a18c74a58720b96cb8ca0bdd096d4060b646dd708c3b846019a"
ALAW_CODES = "38488f6fd710f4686360edc4d38639f96c491595ef93f8eb8d62d5e07ca6ce7b"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_every_code_decodes_exactly() -> None:
    """All 256 codes of both laws give the values of the standard."""
    assert sha256(g711.decode_ulaw(EVERY_CODE).astype("<i2").tobytes()) == ULAW_VALUES
    assert sha256(g711.decode_alaw(EVERY_CODE).astype("<i2").tobytes()) == ALAW_VALUES


def test_every_sample_encodes_as_the_reference_does() -> None:
    """All 65536 samples of both laws give the reference encoder's codes."""
    assert sha256(g711.encode_ulaw(EVERY_SAMPLE)) == ULAW_CODES
    assert sha256(g711.encode_alaw(EVERY_SAMPLE)) == ALAW_CODES


def test_audioop_agrees_where_python_still_has_it() -> None:
    """Both directions of both laws equal audioop's, sample for sample."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        audioop = pytest.importorskip("audioop")
    pcm = EVERY_SAMPLE.tobytes()
    assert g711.decode_ulaw(EVERY_CODE).tobytes() == audioop.ulaw2lin(EVERY_CODE, 2)
    assert g711.decode_alaw(EVERY_CODE).tobytes() == audioop.alaw2lin(EVERY_CODE, 2)
    assert g711.encode_ulaw(EVERY_SAMPLE) == audioop.lin2ulaw(pcm, 2)
    assert g711.encode_alaw(EVERY_SAMPLE) == audioop.lin2alaw(pcm, 2)


def test_known_values() -> None:
    """The corners of the standard's tables: silence, the loudest, and both zeros of mu-law."""
    assert g711.decode_ulaw(b"\xff\x7f\x00\x80").tolist() == [0, 0, -32124, 32124]
    assert g711.decode_alaw(b"\xd5\x55\x2a\xaa").tolist() == [8, -8, -32256, 32256]
    assert g711.encode_ulaw(np.array([0, 32767, -32768], np.int16)) == b"\xff\x80\x00"
    assert g711.encode_alaw(np.array([0, 32767, -32768], np.int16)) == b"\xd5\xaa\x2a"


def test_codes_survive_decoding_and_encoding() -> None:
    """Every code comes back as itself, but for mu-law's negative zero, which becomes the positive one."""
    assert g711.encode_ulaw(g711.decode_ulaw(EVERY_CODE)) == EVERY_CODE.replace(b"\x7f", b"\xff")
    assert g711.encode_alaw(g711.decode_alaw(EVERY_CODE)) == EVERY_CODE


def test_a_strided_array_is_encoded_in_its_own_order() -> None:
    """Every second sample of an array is encoded as its contiguous copy is."""
    half = EVERY_SAMPLE[::2]
    assert g711.encode_ulaw(half) == g711.encode_ulaw(half.copy())


def test_decoded_samples_belong_to_the_caller() -> None:
    """Changing a decoded array does not change what is decoded next."""
    first = g711.decode_ulaw(b"\x00\x10")
    first[:] = 0
    assert g711.decode_ulaw(b"\x00\x10").tolist() == [-32124, -15996]


def test_nothing_is_nothing() -> None:
    """No bytes are no samples, and no samples no bytes."""
    assert g711.decode_alaw(b"").shape == (0,)
    assert g711.encode_alaw(np.zeros(0, np.int16)) == b""
