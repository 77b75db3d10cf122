from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rtnb.service.script.replies import text_deltas


@given(st.text(max_size=300))
def test_deltas_join_to_the_text(text: str) -> None:
    """The streamed pieces are the text, none empty, none long."""
    deltas = text_deltas(text)
    assert "".join(deltas) == text
    assert all(0 < len(delta) <= 9 for delta in deltas)


def test_deltas_keep_the_leading_space() -> None:
    """Words come with the space before them, marks on their own, long words in parts."""
    assert text_deltas("Of course! A rehearsal.") == ["Of", " course", "!", " A", " rehearsa", "l", "."]
