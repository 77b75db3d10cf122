"""Arrays that are appended to."""

from __future__ import annotations

import numpy as np

from rtnb.notebook.growing_arrays import GrowingArray


def test_what_is_added_is_there_and_what_was_got_stays() -> None:
    """However often it moves to a larger room."""
    growing, expected = GrowingArray(np.int64), []
    first = None
    for size in (0, 1, 255, 1, 5000, 3):
        growing.extend(range(size))
        expected += list(range(size))
        first = growing.values if first is None and size else first
    assert growing.values.tolist() == expected
    assert len(growing) == len(expected)
    assert growing.values.dtype == np.int64
    assert first is not None
    assert first.tolist() == [0]
