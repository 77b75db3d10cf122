"""Counts are a mapping that shows itself."""

from __future__ import annotations

import pytest

from rtnb.timeline.counts import Count, Counts


def test_is_a_mapping_most_first() -> None:
    """Types come most first, and compare with a dict."""
    counts = Counts([Count("rare", ("sent",), 1), Count("often", ("received", "local"), 3)])
    assert list(counts) == ["often", "rare"]
    assert counts == {"rare": 1, "often": 3}
    assert (counts["rare"], len(counts), counts.total) == (1, 2, 4)
    with pytest.raises(KeyError):
        counts["never"]


def test_text_and_html_say_the_same() -> None:
    """Both show direction, number, share and bar."""
    bundle = Counts([Count("rare", ("sent",), 1), Count("often", ("received", "local"), 3)])._repr_mimebundle_()
    for words in ("often", "rare", "75.0%", "25.0%", "→", "←", "•", "4 rows · 2 types"):
        assert words in bundle["text/plain"]
        assert words in bundle["text/html"]
    assert "█" * 15 in bundle["text/plain"]
    assert "width:9.00em" in bundle["text/html"]


def test_bounded_and_escaped() -> None:
    """A peer that invents types without end fills no page, and none of them is markup."""
    counts = Counts([Count(f"<script>{number}" + "x" * 1000, ("received",), 1) for number in range(5000)])
    bundle = counts._repr_mimebundle_()
    assert len(bundle["text/html"]) < 40_000
    assert "<script" not in bundle["text/html"]
    assert "… and 4,960 more types · 5,000 rows" in bundle["text/plain"]


def test_empty() -> None:
    """No rows make a table that says so."""
    assert "0 rows · 0 types" in repr(Counts([]))
