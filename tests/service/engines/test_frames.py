from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtnb.service.engines.frames import HEADER, pack, read

MESSAGES = st.dictionaries(st.text(max_size=8), st.integers() | st.text(max_size=20) | st.lists(st.integers()))


@settings(deadline=None)
@given(st.lists(st.tuples(MESSAGES, st.binary(max_size=50)), max_size=5))
def test_what_is_packed_is_read(frames: list[tuple[dict[str, object], bytes]]) -> None:
    """Frames come out of a pipe as they went in, one after the other, and then its end."""
    pipe = io.BytesIO(b"".join(pack(message, data) for message, data in frames))
    assert [read(pipe) for _ in frames] == frames
    assert read(pipe) is None


@settings(deadline=None)
@given(st.integers(0, 30))
def test_a_cut_off_frame_is_the_end(kept: int) -> None:
    """A pipe that breaks in the middle of a frame has ended."""
    frame = pack({"say": "hello"}, b"1234567")
    assert kept >= len(frame) or read(io.BytesIO(frame[:kept])) is None


@pytest.mark.parametrize("junk", [b"\xff" * 64, HEADER.pack(4, 0) + b"[12]", HEADER.pack(4, 0) + b"oops"])
def test_junk_is_refused(junk: bytes) -> None:
    """What is not a frame is not taken for one."""
    with pytest.raises(ValueError):
        read(io.BytesIO(junk))
