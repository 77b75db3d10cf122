"""A timeline becomes plain records, and a DataFrame."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

import numpy as np
import orjson
import pytest

from rtnb.timeline import Timeline
from rtnb.timeline.tables import Count, Counts, encodable

Build = Callable[..., bytes]


def test_records_are_plain(turn: Timeline) -> None:
    """Records hold str, int, float and None, with every column, in order."""
    records = turn.to_records()
    assert tuple(records[0]) == turn.columns
    assert {type(value) for record in records for value in record.values()} == {str, int, float, type(None)}
    assert records[5]["audio_ms"] == 250.0
    assert records[4]["audio_ms"] is None
    assert records[3]["time"] == "2026-11-22T14:50:01.500000Z"


def test_records_can_be_written(timeline: Timeline) -> None:
    """Missing times and lone surrogates do not stop a strict JSON writer."""
    timeline.store.append(b'{"type":"\\ud800","item_id":"\\udfff"}', direction="received", t=float("nan"))
    timeline.store.append(b'{"type":"response.text.delta","delta":"\\ud800"}', direction="received", t=float("inf"))
    records = timeline.to_records()
    assert json.loads(orjson.dumps(records)) == records
    assert (records[0]["t"], records[0]["time"], records[0]["type"]) == (None, None, "\\ud800")


def test_encodable_leaves_good_text_alone() -> None:
    """Only what UTF-8 cannot hold is spelled out."""
    assert encodable("größe 語 🎉") == "größe 語 🎉"
    assert encodable("a\udc00é") == "a\\udc00é"


@pytest.mark.large
def test_data_frame(turn: Timeline) -> None:
    """Words are categories, time has its zone, numbers stay numbers."""
    pandas = pytest.importorskip("pandas")
    frame = turn.to_pandas()
    assert tuple(frame.columns) == turn.columns
    assert frame.shape == turn.shape
    for name in ("direction", "type", "kind", "response_id", "item_id"):
        assert isinstance(frame[name].dtype, pandas.CategoricalDtype)
        assert frame[name].tolist() == list(turn[name])
    assert str(frame["time"].dtype) == "datetime64[us, UTC]"
    assert frame["time"][3] == pandas.Timestamp("2026-11-22T14:50:01.5Z")
    assert frame["audio_ms"].sum() == 500.0
    assert frame["text"].tolist() == turn["text"].tolist()
    assert frame["bytes"].dtype == np.int32


def test_data_frame_of_awkward_rows(timeline: Timeline) -> None:
    """Surrogates, missing times and a different spelling of the same surrogate make a DataFrame all the same."""
    pytest.importorskip("pandas")
    assert timeline.to_pandas().shape == (0, 12)
    timeline.store.append(b'{"type":"\\ud800","event_id":"\\ud800"}', direction="received", t=float("nan"))
    timeline.store.append(b'{"type":"\\\\ud800"}', direction="received", t=0.0)
    frame = timeline[::-1].to_pandas()
    assert frame["type"].tolist() == ["\\ud800"] * 2
    assert frame["time"].isna().tolist() == [False, True]


def test_data_frame_does_not_share(turn: Timeline) -> None:
    """Changing the DataFrame changes no timeline."""
    pytest.importorskip("pandas")
    frame = turn.to_pandas()
    frame.loc[0, "t"] = 99.0
    assert turn["t"][0] == 0.0


def test_without_pandas(turn: Timeline, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where pandas is not installed, the error says what to install and what works without it."""
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match=r'pip install "rtnb\[data\]"'):
        turn.to_pandas()


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
