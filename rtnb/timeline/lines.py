r"""The words of a recording: a header and a row as one line of JSON each, and back. No file is touched here.

::

    {"rtnb":1,"started":"2026-11-22T14:50:00.000000+00:00","title":"…","meta":{…}}
    {"seq":0,"t":0.0123,"direction":"received","frame":{"type":"session.created",…}}
    {"seq":1,"t":0.0127,"direction":"received","late_ms":31.5,"base64":"…"}

A frame that is a JSON object on one line stands in its row as it is, character for character, so that the file can be
searched with grep and read by any JSON tool. Any other frame stands there as base64. Both come back byte for byte.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson
from pybase64 import b64decode, b64encode

from rtnb.errors import RecordingError
from rtnb.protocol.events import LOCAL, RECEIVED, SENT, Event

VERSION = 1
_ABSURD = 1e12  # no time and no doubt in a file is as long; a damaged or planted one may be
_NUMBER = rb"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?"
_ROW = re.compile(
    rb'\{"seq":\d+,"t":(?P<t>null|%b),"direction":"(?P<direction>sent|received|local)"'
    rb'(?:,"late_ms":(?P<late>%b))?,"(?P<form>frame|base64)":' % (_NUMBER, _NUMBER)
)


@dataclass(frozen=True, slots=True)
class Header:
    """The first line: when the session opened (aware; None if not known), its title, and what else is worth keeping."""

    started: datetime | None = None
    title: str = ""
    meta: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Row:
    """One frame: its bytes, which way it went, seconds since the session opened, and the doubt about them in ms."""

    raw: bytes
    direction: str
    t: float
    late_ms: float = 0.0


def header_line(header: Header) -> bytes:
    """Return the header as a line.

    Raises
    ------
    TypeError
        If something in `meta` cannot stand in JSON.
    """
    started = header.started.astimezone(UTC).isoformat(timespec="microseconds") if header.started else None
    title = header.title.encode("utf-8", "backslashreplace").decode("utf-8")
    return orjson.dumps({"rtnb": VERSION, "started": started, "title": title, "meta": dict(header.meta)}) + b"\n"


def row_line(event: Event, late_ms: float = 0.0) -> bytes:
    """Return a recorded event as a line."""
    raw = event.raw
    t = repr(float(event.t)).encode() if math.isfinite(event.t) else b"null"
    late = b',"late_ms":%b' % repr(float(late_ms)).encode() if late_ms > 0 and math.isfinite(late_ms) else b""
    body = b'"frame":' + raw if _stands_as_it_is(event) else b'"base64":"' + b64encode(raw) + b'"'
    return b'{"seq":%d,"t":%b,"direction":"%b"%b,%b}\n' % (event.seq, t, event.direction.encode(), late, body)


def _stands_as_it_is(event: Event) -> bool:
    raw = event.raw
    if raw[:1] != b"{" or raw[-1:] != b"}" or b"\n" in raw or b"\r" in raw:
        return False
    return not event.problem or is_json(raw)  # without a problem, the event was read as strict JSON


def is_json(line: bytes) -> bool:
    """Return whether a line is one whole strict JSON value."""
    try:
        orjson.loads(line)
    except ValueError:
        return False
    return True


def read_header(line: bytes, name: str) -> Header:
    """Read the first line of the file called `name`.

    Raises
    ------
    RecordingError
        If the file is not a recording, or was written by a later version.
    """
    if not line:
        raise RecordingError(f"{name} is not a recording: it is empty.")
    found = orjson.loads(line) if is_json(line) else None
    version = found.get("rtnb") if isinstance(found, dict) else None
    if found is None or not isinstance(version, int):
        raise RecordingError(
            f"{name} is not a recording: its first line is not rtnb's. session.save(path) and timeline.save(path) make one."
        )
    if version > VERSION:
        raise RecordingError(
            f"{name} is a recording of version {version}, and this rtnb reads up to {VERSION}: pip install --upgrade rtnb."
        )
    meta, title = found.get("meta"), found.get("title")
    return Header(
        started=_aware(found.get("started")),
        title=title if isinstance(title, str) else "",
        meta=meta if isinstance(meta, dict) else {},
    )


def _aware(text: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def read_row(line: bytes) -> Row | None:
    """Read a line without its newline, or return None where it is not a whole row.

    A row that another program has rewritten is read too: its frame then means the same, but is not the same bytes.
    """
    ours = _ROW.match(line)
    if ours is None:
        return _rewritten_row(line)
    body: bytes = line[ours.end() : -1]
    raw = (body if is_json(body) else None) if ours["form"] == b"frame" else _decoded(body[1:-1])
    if raw is None or not line.endswith(b"}"):
        return None
    t = math.nan if ours["t"] == b"null" else float(ours["t"])
    return Row(raw, ours["direction"].decode(), _number(t, math.nan), _number(float(ours["late"] or 0.0), 0.0))


def _rewritten_row(line: bytes) -> Row | None:
    found = orjson.loads(line) if is_json(line) else None
    if not isinstance(found, dict) or found.get("direction") not in (SENT, RECEIVED, LOCAL):
        return None
    frame, encoded = found.get("frame"), found.get("base64")
    if isinstance(frame, dict):
        raw = orjson.dumps(frame)
    elif isinstance(encoded, str) and (decoded := _decoded(encoded.encode())) is not None:
        raw = decoded
    else:
        return None
    return Row(raw, found["direction"], _number(found.get("t"), math.nan), _number(found.get("late_ms"), 0.0))


def _number(value: object, missing: float) -> float:
    return float(value) if isinstance(value, (int, float)) and abs(value) < _ABSURD else missing


def _decoded(encoded: bytes) -> bytes | None:
    try:
        return b64decode(encoded, validate=True)
    except ValueError:
        return None
