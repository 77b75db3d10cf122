"""`Event`: one frame as it crossed the wire, with safe access to its fields.

Parsing never raises and never loses anything: every frame becomes an event, and `Event.problem` says what is wrong with
it. `Event` has no subclasses, since a parser that has to choose one would guess at unknown types.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import orjson
import pybase64

from rtnb.formatting import escape, one_line, printable
from rtnb.protocol.images import without_payloads
from rtnb.protocol.item_words import error_words, item_words
from rtnb.protocol.names import AUDIO_FIELD, Kind, Local, kind_of

SENT, RECEIVED, LOCAL = "sent", "received", "local"

Packed = tuple[bytes, bytes, bytes]
Frame = bytes | Packed
"""A whole frame, or one with base64 audio in three parts: the text before it, the audio decoded, the text after it."""


class Event(Mapping[str, Any]):
    """One event of a session: a read-only mapping of its fields, with the frame it came from.

    Attributes
    ----------
    raw : bytes
        The frame, byte for byte.
    type : str
        As on the wire; ``"(not JSON)"``, ``"(no type)"`` or ``"(error without a type)"`` where the frame has none.
    kind : str
        The type's name in today's protocol, the same in both dialects.
    direction : str
        ``"sent"``, ``"received"``, or ``"local"`` for a row of rtnb's own that never crossed the wire.
    seq : int
        Its row in the timeline; -1 for none.
    t : float
        Seconds since the session opened (monotonic clock); NaN if not known.
    problem : str
        What is wrong with the frame; empty for a good one.
    """

    # Audio events come ten times a second and more. They keep the decoded audio alone; the frame and the base64 text are
    # encoded again only when they are read.
    __slots__ = ("_audio", "_fields", "_frame", "_whole", "direction", "kind", "problem", "seq", "t", "type")

    def __init__(
        self,
        frame: Frame,
        data: dict[str, Any],
        *,
        type: str,
        problem: str = "",
        seq: int = -1,
        t: float = float("nan"),
        direction: str = RECEIVED,
    ) -> None:
        self._frame = frame
        self._fields = data
        self._whole = isinstance(frame, bytes)
        self.type = type
        self.kind = kind_of(type)
        self.problem = problem
        self.seq = seq
        self.t = t
        self.direction = direction
        self._audio: bytes | None = None if isinstance(frame, bytes) else frame[1]

    @classmethod
    def parse(cls, raw: bytes, *, seq: int = -1, t: float = float("nan"), direction: str = RECEIVED) -> Event:
        """Read a frame into an event, whatever it holds."""
        data, problem = read_json(raw)
        if isinstance(data, dict):
            named = data.get("type")
            if isinstance(named, str) and named:
                return cls(raw, data, type=named, problem=problem, seq=seq, t=t, direction=direction)
            problem = problem or "the event has no type"
            # Some gateways answer with the bare body of an HTTP error.
            named = Local.NO_TYPE_ERROR if data.get("error") else Local.NO_TYPE
            return cls(raw, data, type=named.value, problem=problem, seq=seq, t=t, direction=direction)
        problem = problem or "the frame is JSON, but not an object"
        return cls(raw, {}, type=Local.NOT_JSON.value, problem=problem, seq=seq, t=t, direction=direction)

    @property
    def raw(self) -> bytes:
        """Return the frame, byte for byte."""
        return raw_of(self._frame)

    @property
    def data(self) -> dict[str, Any]:
        """Return the fields; empty where the frame is no JSON object."""
        if not self._whole:
            self._fields[AUDIO_FIELD[self.kind]] = encode_base64(self.audio)
            self._whole = True
        return self._fields

    def __getitem__(self, key: str) -> Any:
        return self.data[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.data)

    def __len__(self) -> int:
        return len(self.data)

    def __hash__(self) -> int:
        return hash(self.raw)

    def text(self, key: str) -> str:
        """Return a string field; empty where it is missing or no string."""
        value = self.data.get(key)
        return value if isinstance(value, str) else ""

    def part(self, key: str) -> dict[str, Any]:
        """Return an object field; empty where it is missing or no object."""
        value = self.data.get(key)
        return value if isinstance(value, dict) else {}

    @property
    def event_id(self) -> str:
        """Return the event's own id; empty where it has none."""
        named = self._fields.get("event_id")
        return named if isinstance(named, str) else ""

    @property
    def response_id(self) -> str:
        """Return the id of the response that the event belongs to; empty where it names none."""
        named = self._fields.get("response_id")
        if named is None and isinstance(response := self._fields.get("response"), dict):
            named = response.get("id")
        return named if isinstance(named, str) else ""

    @property
    def item_id(self) -> str:
        """Return the id of the item that the event belongs to; empty where it names none."""
        named = self._fields.get("item_id")
        if named is None and isinstance(item := self._fields.get("item"), dict):
            named = item.get("id")
        return named if isinstance(named, str) else ""

    @property
    def content_index(self) -> int:
        """Return the index of the content part that the event belongs to, 0 where it names none."""
        index = self._fields.get("content_index")
        return index if isinstance(index, int) else 0

    @property
    def output_index(self) -> int | None:
        """Return the place of the item among its response's outputs, None where the event names none."""
        index = self._fields.get("output_index")
        return index if isinstance(index, int) else None

    @property
    def audio(self) -> bytes:
        """Return the audio that this event carries, decoded once (the session's format); empty where there is none."""
        if self._audio is None:
            field = AUDIO_FIELD.get(self.kind)
            self._audio = decode_base64(self.text(field)) if field else b""
        return self._audio

    def __repr__(self) -> str:
        return f"<Event {self.seq} {self.direction} {one_line(self.type, 80)} {len(self.raw)} B>"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        pretty = pretty_json(self)
        return {
            "text/plain": f"{self!r}\n{pretty}",
            "text/html": f'<pre style="max-height:30em;overflow:auto;background:none">{escape(pretty)}</pre>',
        }


def raw_of(frame: Frame) -> bytes:
    """Return a frame byte for byte."""
    return frame if isinstance(frame, bytes) else frame[0] + pybase64.b64encode(frame[1]) + frame[2]


def read_json(raw: bytes) -> tuple[Any, str]:
    """Return the value of a frame and what is wrong with it.

    What is not strict JSON may still be read by the standard library (NaN, lone surrogates, huge numbers); else the value
    is None.
    """
    try:
        return orjson.loads(raw), ""
    except ValueError as strict:
        problem = str(strict)
    try:
        return json.loads(raw.decode("utf-8", "surrogatepass")), f"not strict JSON: {problem}"
    except (ValueError, RecursionError) as error:
        return None, f"not JSON: {error}"


def write_json(event: Mapping[str, Any]) -> bytes:
    """Return an event as a frame.

    Raises
    ------
    TypeError
        If a value has no form in JSON.
    """
    return orjson.dumps(event, option=orjson.OPT_NON_STR_KEYS)


def decode_base64(encoded: str) -> bytes:
    """Return the bytes of strict base64 text; none where it is not valid."""
    try:
        return pybase64.b64decode(encoded, validate=True)
    except ValueError:
        return b""


def encode_base64(data: bytes) -> str:
    """Return `data` as base64 text."""
    return str(pybase64.b64encode_as_string(data))


def pretty_json(event: Event, limit: int = 20_000) -> str:
    """Return an event's fields as indented JSON of at most `limit` characters, audio and images replaced by words."""
    if not event.data:
        return one_line(event.raw.decode("utf-8", "backslashreplace"), limit)
    try:
        text = printable(json.dumps(shown_fields(event), indent=2, ensure_ascii=False, default=str))
    except RecursionError:
        text = one_line(event.raw.decode("utf-8", "backslashreplace"), limit)
    return text if len(text) <= limit else text[:limit] + "\n…"


def shown_fields(event: Event) -> dict[str, Any]:
    """Return an event's fields as they are shown: audio and images, the event's own and those in items, as words."""
    shown: dict[str, Any] = without_payloads(event.data)
    if event.audio:
        shown[AUDIO_FIELD[event.kind]] = f"… {len(event.audio):,} bytes of audio …"
    return shown


def content_line(event: Event) -> str:
    """Return an event's content as a short text: a delta, a transcript, an error, a status, a voice."""
    content = _CONTENT.get(event.kind)
    try:
        return content(event) if content is not None else event.problem
    except (TypeError, ValueError, AttributeError) as error:  # a field of an unexpected shape
        return event.problem or f"unreadable fields: {error}"


def _field(name: str) -> Callable[[Event], str]:
    return lambda event: event.text(name)


def _item(event: Event) -> str:
    return item_words(event.part("item"))


def _response(event: Event) -> str:
    response = event.part("response")
    details = response.get("status_details")
    words = [response.get("status"), response.get("instructions")]
    if isinstance(details, dict):
        error = details.get("error")
        words += [details.get("reason"), error.get("message") if isinstance(error, dict) else None]
    return " ".join(str(word) for word in words if word)


def _session(event: Event) -> str:
    session = event.part("session")
    audio = session.get("audio")
    output = audio.get("output") if isinstance(audio, dict) else None
    voice = session.get("voice") or (output.get("voice") if isinstance(output, dict) else None)
    return " ".join(str(word) for word in (session.get("model"), voice, session.get("instructions")) if word)


def _error(event: Event) -> str:
    error = event.part("error")
    said = " ".join(str(word) for word in (error.get("code"), error.get("message")) if word)
    return said or event.text("error") or event.text("message")


def _mcp_failure(event: Event) -> str:
    return f"failed: {error_words(event.data.get('error')) or 'the item that follows says why'}"


def _limits(event: Event) -> str:
    limits = event.data.get("rate_limits")
    named = [limit for limit in limits if isinstance(limit, dict)] if isinstance(limits, list) else []
    return ", ".join(f"{limit.get('name')} {limit.get('remaining')}/{limit.get('limit')}" for limit in named)


def _close(event: Event) -> str:
    return " ".join(str(event.data.get(key) or "") for key in ("code", "reason", "who")).strip()


def _segment(event: Event) -> str:
    return ": ".join(filter(None, [event.text("speaker"), event.text("text").strip()]))


def _no_speech(event: Event) -> str:
    return f"no speech from {event.data.get('audio_start_ms')} to {event.data.get('audio_end_ms')} ms"


def _key(event: Event) -> str:
    return f"key {event.data.get('event')}"


def _milliseconds(name: str) -> Callable[[Event], str]:
    return lambda event: f"{event.data.get(name)} ms"


_CONTENT: dict[str, Callable[[Event], str]] = {
    Kind.TEXT_DELTA: _field("delta"),
    Kind.TRANSCRIPT_DELTA: _field("delta"),
    Kind.ARGUMENTS_DELTA: _field("delta"),
    Kind.MCP_ARGUMENTS_DELTA: _field("delta"),
    Kind.INPUT_TRANSCRIPTION_DELTA: _field("delta"),
    Kind.TEXT_DONE: _field("text"),
    Kind.TRANSCRIPT_DONE: _field("transcript"),
    Kind.INPUT_TRANSCRIPTION_SEGMENT: _segment,
    Kind.INPUT_TRANSCRIPTION_COMPLETED: _field("transcript"),
    Kind.INPUT_TRANSCRIPTION_FAILED: _error,
    Kind.ARGUMENTS_DONE: _field("arguments"),
    Kind.MCP_ARGUMENTS_DONE: _field("arguments"),
    Kind.MCP_CALL_FAILED: _mcp_failure,
    Kind.MCP_LIST_FAILED: _mcp_failure,
    Kind.ITEM_CREATE: _item,
    Kind.ITEM_ADDED: _item,
    Kind.ITEM_DONE: _item,
    Kind.ITEM_RETRIEVED: _item,
    Kind.OUTPUT_ITEM_ADDED: _item,
    Kind.OUTPUT_ITEM_DONE: _item,
    Kind.RESPONSE_CREATE: _response,
    Kind.RESPONSE_CREATED: _response,
    Kind.RESPONSE_DONE: _response,
    Kind.SESSION_UPDATE: _session,
    Kind.SESSION_CREATED: _session,
    Kind.SESSION_UPDATED: _session,
    Kind.ERROR: _error,
    Kind.RATE_LIMITS: _limits,
    Kind.INPUT_TIMEOUT: _no_speech,
    Kind.INPUT_DTMF: _key,
    Kind.SPEECH_STARTED: _milliseconds("audio_start_ms"),
    Kind.SPEECH_STOPPED: _milliseconds("audio_end_ms"),
    Kind.ITEM_TRUNCATE: _milliseconds("audio_end_ms"),
    Kind.ITEM_TRUNCATED: _milliseconds("audio_end_ms"),
    Local.CLOSE: _close,
    Local.LISTENER_ERROR: _field("message"),
    Local.RESUME: _field("message"),
}
