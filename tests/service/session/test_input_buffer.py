"""The input audio buffer and its clock."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtnb.audio.formats import G711_ULAW, PCM16
from rtnb.service.session.error_events import InvalidRequest
from rtnb.service.session.input_buffer import InputBuffer, decode_audio


def samples(count, start=0):
    return np.arange(start, start + count, dtype=np.int16)


@given(sizes=st.lists(st.integers(0, 50), max_size=20), first=st.integers(0, 400), last=st.integers(0, 400))
def test_between_gives_what_a_slice_would(sizes, first, last):
    """However it was appended and whatever was dropped, the held samples are found by their number."""
    buffer, total = InputBuffer(PCM16), 0
    for size in sizes:
        buffer.append(samples(size, total).tobytes())
        total += size
    buffer.drop(first)
    assert (buffer.start, buffer.end) == (min(first, total), total)
    assert buffer.between(first, last).tolist() == list(range(first, min(last, total)))
    assert buffer.between(0, total).tolist() == list(range(buffer.start, total))


@given(cut=st.lists(st.integers(0, 400), max_size=8))
def test_bytes_cut_anywhere_are_the_same_samples(cut):
    """A sample that is cut in two is put together."""
    data, buffer = samples(200).tobytes(), InputBuffer(PCM16)
    edges = [0, *sorted(cut), 400]
    got = [buffer.append(data[a:b]) for a, b in pairwise(edges)]
    assert np.concatenate(got).tolist() == list(range(200))


def test_the_clock_goes_on_over_clear_and_change():
    """Milliseconds count everything that was ever appended."""
    buffer = InputBuffer(PCM16)
    buffer.append(bytes(48_000))
    buffer.clear()
    assert (buffer.seconds, buffer.ms(buffer.end)) == (0.0, 1000)
    buffer.change(G711_ULAW)
    buffer.append(bytes(8_000))
    assert (buffer.seconds, buffer.ms(buffer.end)) == (1.0, 2000)


def test_a_stray_byte_does_not_survive_a_clear():
    """After clear the next byte begins a sample."""
    buffer = InputBuffer(PCM16)
    buffer.append(b"\x01")
    buffer.clear()
    assert buffer.append(b"\x02\x00").tolist() == [2]


@pytest.mark.parametrize("encoded", [None, 5, [], "%", "AAA", "AA==AA=="])
def test_what_is_not_base64_is_refused(encoded):
    """Strictly."""
    with pytest.raises(InvalidRequest):
        decode_audio(encoded, "audio")


def test_nothing_is_base64_too():
    """An empty text holds no bytes."""
    assert decode_audio("", "audio") == b""
