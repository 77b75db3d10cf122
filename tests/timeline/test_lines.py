"""A frame's line gives the frame back byte for byte, and can be read by any JSON tool."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rtnb.errors import RecordingError
from rtnb.timeline import Timeline
from rtnb.timeline.lines import Header, Row, header_line, is_json, read_header, read_row, row_line

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def line_of(raw: bytes, t: float = 0.25, late_ms: float = 0.0, direction: str = "received") -> bytes:
    return row_line(Timeline().append(raw, direction=direction, t=t, late_ms=late_ms), late_ms)


@given(
    st.binary(max_size=400) | st.dictionaries(st.text(), JSON, max_size=4).map(lambda each: json.dumps(each).encode())
)
@example(b"")
@example(b"{}")
@example(b' {"a":1}')
@example(b'{"a":\n1}')
@example(b'{"a":\r1}')
@example(b'{"a":NaN}')
@example(b'{"type":"x"}}')
@example(b'{"type":"x","y":{"frame":"}"}}')
@example(b'{"type":"x","a":"\\ud800"}')
@example(b'{"type":"x","a":"\xed\xa0\x80"}')
@example('{"type":"x","a":"\u2028語"}'.encode())
@example(b"\xef\xbb\xbf{}")
@example(b"[" * 5000)
def test_any_frame_comes_back(raw: bytes) -> None:
    """Arbitrary bytes and arbitrary JSON come back as they were, each as one line of strict JSON."""
    line = line_of(raw)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert is_json(line)
    assert read_row(line[:-1]) == Row(raw, "received", 0.25)


@pytest.mark.parametrize(
    "raw", [b'{"type":"x","delta":"a \\"b\\""}', b'{ "type" : "x" }', b'{"no":"type"}', '{"type":"ö"}'.encode()]
)
def test_frames_stand_as_they_are(raw: bytes) -> None:
    """A JSON object on one line is in the file character for character."""
    assert b'"frame":' + raw + b"}\n" in line_of(raw)


def test_other_frames_stand_as_base64() -> None:
    """What is no JSON object on one line is in the file as base64."""
    assert json.loads(line_of(b"\xff"))["base64"] == "/w=="


@given(st.floats(-1e11, 1e11), st.floats(0, 1e6, width=32), st.sampled_from(["sent", "local"]))
def test_any_time_comes_back(t: float, late_ms: float, direction: str) -> None:
    """Times and doubts come back exactly."""
    assert read_row(line_of(b"{}", t, late_ms, direction)[:-1]) == Row(b"{}", direction, t, late_ms)


@pytest.mark.parametrize("t", [math.nan, math.inf])
def test_a_missing_time_is_null(t: float) -> None:
    """JSON has no NaN: a time that is missing is null, and missing again when read."""
    line = line_of(b"{}", t)
    assert json.loads(line)["t"] is None
    row = read_row(line[:-1])
    assert row is not None
    assert math.isnan(row.t)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b'{"direction": "sent", "t": 1, "frame": {"a": 1}, "seq": 0}', Row(b'{"a":1}', "sent", 1.0)),
        (
            b'{"seq": 0, "t": 2.5, "late_ms": 3, "direction": "local", "base64": "/w=="}',
            Row(b"\xff", "local", 2.5, 3.0),
        ),
    ],
)
def test_rewritten_rows(line: bytes, expected: Row) -> None:
    """A row that another JSON tool has written anew is read as what it means."""
    assert read_row(line) == expected


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"[]",
        b'{"seq":0}',
        b'{"seq":0,"t":0.0,"direction":"up","frame":{}}',
        b'{"seq":0,"t":0.0,"direction":"sent","frame":{}',
        b'{"seq":0,"t":0.0,"direction":"sent","base64":"?"}',
        b'{"seq": 0,"t":0.0,"direction":"sent","base64":"?"}',
        b'{"seq": 0,"t":0.0,"direction":"sent","frame":[]}',
    ],
)
def test_no_rows(line: bytes) -> None:
    """What is not a row is none."""
    assert read_row(line) is None


def test_header_comes_back() -> None:
    """Start, title and meta come back; the start in UTC."""
    started = datetime(2026, 11, 22, 16, 50, 0, 123456, tzinfo=timezone(timedelta(hours=2)))
    header = Header(started, "local service", {"dialect": "ga", "n": [1, None]})
    line = header_line(header)
    assert json.loads(line) == {
        "rtnb": 1,
        "started": "2026-11-22T14:50:00.123456+00:00",
        "title": "local service",
        "meta": {"dialect": "ga", "n": [1, None]},
    }
    assert read_header(line, "x") == Header(started.astimezone(UTC), "local service", {"dialect": "ga", "n": [1, None]})


def test_header_without_anything() -> None:
    """A header that lacks what it may lack is a header."""
    assert read_header(header_line(Header(title="\ud800")), "x") == Header(title="\\ud800")
    assert read_header(b'{"rtnb":1,"started":5,"title":6,"meta":7}', "x") == Header()
    assert read_header(b'{"rtnb":1,"started":"2026-01-01"}', "x").started == datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("line", [b"{}", b"[1]", b"\x00\xff", b'{"rtnb":"x"}', b"a,b,c\n"])
def test_files_of_others(line: bytes) -> None:
    """A file that is not a recording is refused with what makes one."""
    with pytest.raises(RecordingError, match=r"notes\.csv is not a recording.*timeline\.save"):
        read_header(line, "notes.csv")


def test_later_versions() -> None:
    """A recording of a later version is refused with what to do."""
    with pytest.raises(RecordingError, match="version 2, and this rtnb reads up to 1: pip install --upgrade rtnb"):
        read_header(b'{"rtnb":2}', "x")
