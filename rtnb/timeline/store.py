"""The append-only store under every timeline: numpy columns, vocabularies, and each frame byte for byte.

One thread appends; any thread reads. A row is complete before `Store.length` counts it, rows never change, and growing
copies them into a larger array, so a reader's arrays stay as they were.

A frame is kept as it is or, when most of it is base64 audio, as ``(head, pcm, tail)``. The second form is taken only where
encoding the decoded bytes gives back the same frame. Then an hour of speech costs its PCM bytes and little more, the
conversation refers to the same bytes, and no audio is decoded twice.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray
from pybase64 import b64decode, b64encode

from rtnb.audio.formats import FORMATS, PCM16
from rtnb.protocol.config import format_name, look
from rtnb.protocol.dialects import ga_settings
from rtnb.protocol.events import LOCAL, RECEIVED, SENT, Event, Frame, Packed, content_line, raw_of
from rtnb.protocol.failures import failure_words
from rtnb.protocol.names import AUDIO_FIELD, Kind, Local, kind_of

DIRECTIONS = (SENT, RECEIVED, LOCAL)
BYTES_PER_MS = {name: each.rate * each.bytes_per_sample / 1000 for name, each in FORMATS.items()}
FORMAT_NAMES = ("", *BYTES_PER_MS)
_DIRECTION_CODE = {name: code for code, name in enumerate(DIRECTIONS)}
_FORMAT_CODE = {name: code for code, name in enumerate(FORMAT_NAMES)}

WORTH_PACKING = 300
"""Frames below this many bytes are kept as they are: there is nothing to save."""

# Stands for the audio while the rest of the frame is parsed. A frame that has it elsewhere is not packed.
_PLACEHOLDER = b"~audio~"

ROW = np.dtype(
    [
        ("t", np.float64),
        ("audio_ms", np.float64),
        ("type", np.int32),
        ("response", np.int32),
        ("item", np.int32),
        ("bytes", np.int32),
        ("late_ms", np.float32),
        ("direction", np.int8),
        ("format", np.int8),
        ("failed", np.bool_),
    ],
    align=True,
)
"""The fixed-size part of a row: ``t`` in seconds, ``audio_ms`` and ``late_ms`` in milliseconds, ``bytes``, codes of words, and
whether the event is a failure (`failure_words`)."""


class Vocabulary:
    """Words and their codes, numbered in order of appearance."""

    __slots__ = ("_codes", "words")

    def __init__(self, *words: str) -> None:
        self.words: list[str] = list(words)
        self._codes: dict[str, int] = {word: code for code, word in enumerate(words)}

    def code(self, word: str) -> int:
        """Return the word's code; a new word gets the next one."""
        code = self._codes.get(word)
        if code is None:
            code = len(self.words)
            self.words.append(word)
            self._codes[word] = code
        return code


class Store:
    """Rows that are only ever added. A connection and the reader of a file append to it; a `Timeline` reads it.

    Parameters
    ----------
    started : datetime or None
        When the session opened, aware; None where it is not known.
    origin : float or None
        The monotonic clock's reading at t = 0, in seconds.
    title : str
        For people.

    Attributes
    ----------
    length : int
        Rows that are complete; written last.
    rows : ndarray of ROW
        At least `length` long. Read `length` first, then this.
    frames, event_ids, texts : list
        At least `length` long.
    types, responses, items : Vocabulary
    problems : dict of int to str
        What is wrong with a row, for the rows that have a problem.
    """

    def __init__(self, *, started: datetime | None = None, origin: float | None = None, title: str = "") -> None:
        self.started = started
        self.origin = origin
        self.title = title
        self.length = 0
        self.rows: NDArray[Any] = np.zeros(1024, ROW)
        self.frames: list[Frame] = []
        self.event_ids: list[str] = []
        self.texts: list[str] = []
        self.types = Vocabulary()
        self.kinds = Vocabulary()
        self.kind_of_type: list[int] = []
        self.responses = Vocabulary("")
        self.items = Vocabulary("")
        self.problems: dict[int, str] = {}
        self._format = FormatInEffect()

    def append(self, raw: bytes, *, direction: str, t: float, late_ms: float = 0.0) -> Event:
        """Add a frame and return its event. Only one thread may call this.

        Parameters
        ----------
        raw : bytes
            The frame; whatever it holds, it becomes a row.
        direction : str
            ``"sent"``, ``"received"`` or ``"local"``.
        t : float
            Seconds since the session opened.
        late_ms : float
            By how many milliseconds `t` may be too late.

        Raises
        ------
        TypeError
            If `raw` is not bytes.
        ValueError
            If `direction` is none of the three.
        """
        if not isinstance(raw, bytes):
            raise TypeError(f"A frame is bytes, not {type(raw).__name__}: encode it as UTF-8.")
        direction_code = _DIRECTION_CODE.get(direction)
        if direction_code is None:
            raise ValueError(f"direction={direction!r} is not one of {', '.join(map(repr, DIRECTIONS))}.")
        seq = self.length
        try:
            event, frame = read_frame(raw, seq=seq, t=t, direction=direction)
        except Exception as error:  # the frame crossed the wire, so it is a row, however it is broken
            event, frame = unreadable(raw, error, seq=seq, t=t, direction=direction), raw
        try:
            audio_ms, format_code = self._audio(event)
            failure = failure_words(event)
            text = content_line(event) or failure
        except Exception as error:  # fields of unexpected shapes, in a frame that is JSON
            event.problem = event.problem or f"this event could not be interpreted: {type(error).__name__}: {error}"
            audio_ms, format_code, text, failure = math.nan, 0, event.problem, ""
        if seq == len(self.rows):
            self._grow()
        self.rows[seq] = (
            t,
            audio_ms,
            self._type_code(event.type),
            self.responses.code(event.response_id),
            self.items.code(event.item_id),
            len(raw),
            late_ms,
            direction_code,
            format_code,
            failure != "",
        )
        if event.problem:
            self.problems[seq] = event.problem
        self.frames.append(frame)
        self.event_ids.append(event.event_id)
        self.texts.append(text)
        self.length = seq + 1
        return event

    def event(self, seq: int) -> Event:
        """Return the event of a row, parsed again from its frame."""
        row = self.rows[seq]
        t, direction = float(row["t"]), DIRECTIONS[row["direction"]]
        frame = self.frames[seq]
        try:
            event = event_of(frame, seq=seq, t=t, direction=direction)
        except Exception as error:  # it failed when it was recorded, too
            event = unreadable(raw_of(frame), error, seq=seq, t=t, direction=direction)
        event.problem = self.problems.get(seq, event.problem)
        return event

    def raw(self, seq: int) -> bytes:
        """Return the frame of a row byte for byte."""
        return raw_of(self.frames[seq])

    def frame_without_audio(self, seq: int) -> bytes:
        """Return the frame of a row without the audio that is kept decoded: what a search has to look through."""
        frame = self.frames[seq]
        return frame if isinstance(frame, bytes) else frame[0] + frame[2]

    def audio(self, seq: int) -> bytes:
        """Return the decoded audio of a row; empty where it carries none."""
        frame = self.frames[seq]
        if not isinstance(frame, bytes):
            return frame[1]
        return self.event(seq).audio if self.rows[seq]["format"] else b""

    def _type_code(self, type: str) -> int:
        code = self.types.code(type)
        if code == len(self.kind_of_type):
            self.kind_of_type.append(self.kinds.code(kind_of(type)))
        return code

    def _audio(self, event: Event) -> tuple[float, int]:
        """Return the milliseconds of audio in a frame and the code of their encoding."""
        if event.kind in FormatInEffect.SETTING:
            self._format.watch(event)
        field = AUDIO_FIELD.get(event.kind)
        if field is None:
            return math.nan, 0
        audio = event.audio
        if not audio:
            if event.text(field) and not event.problem:
                event.problem = f"the audio in {field!r} is not base64"
            return math.nan, 0
        name = self._format.of(event)
        return len(audio) / BYTES_PER_MS[name], _FORMAT_CODE[name]

    def _grow(self) -> None:
        larger = np.zeros(2 * len(self.rows), ROW)
        larger[: len(self.rows)] = self.rows
        self.rows = larger


class FormatInEffect:
    """The encodings of a session's input and output audio at the next event, learned from the events that set them.

    A sent `session.update` changes the input from the next append on; the output changes when the service confirms it.
    """

    SETTING = frozenset({Kind.SESSION_UPDATE, Kind.SESSION_CREATED, Kind.SESSION_UPDATED, Kind.RESPONSE_CREATED})
    """The kinds of events that `watch` must be given."""

    def __init__(self) -> None:
        self._input = PCM16.name
        self._output = PCM16.name
        self._of_response: dict[str, str] = {}

    def watch(self, event: Event) -> None:
        """Take note of an event that sets an encoding."""
        if event.kind == Kind.RESPONSE_CREATED:
            stated = _stated(event.part("response"), "output")
            if stated is not None:
                self._of_response[event.response_id] = format_name(stated, self._output)
            return
        session = event.part("session")
        self._input = format_name(_stated(session, "input"), self._input)
        if event.kind != Kind.SESSION_UPDATE:
            self._output = format_name(_stated(session, "output"), self._output)

    def of(self, event: Event) -> str:
        """Return the name of the encoding that an audio event carries."""
        if event.kind == Kind.INPUT_APPEND:
            return self._input
        return self._of_response.get(event.response_id, self._output)


def _stated(config: Mapping[str, Any], side: str) -> Any:
    return look(ga_settings(config), ("audio", side, "format"))


def read_frame(raw: bytes, *, seq: int, t: float, direction: str) -> tuple[Event, Frame]:
    """Return the event of a new frame, and the form in which to keep the frame."""
    if len(raw) >= WORTH_PACKING:
        split = _split_audio(raw)
        if split is not None:
            data, frame = split
            return Event(frame, data, type=data["type"], seq=seq, t=t, direction=direction), frame
    return Event.parse(raw, seq=seq, t=t, direction=direction), raw


def unreadable(raw: bytes, error: Exception, *, seq: int, t: float, direction: str) -> Event:
    """Return the event of a frame whose parsing raised `error`."""
    problem = f"this frame could not be read: {type(error).__name__}: {error}"
    return Event(raw, {}, type=Local.NOT_JSON.value, problem=problem, seq=seq, t=t, direction=direction)


def event_of(frame: Frame, *, seq: int, t: float, direction: str) -> Event:
    """Return the event of a kept frame; audio that is kept decoded is not decoded again."""
    if isinstance(frame, bytes):
        return Event.parse(frame, seq=seq, t=t, direction=direction)
    data = orjson.loads(frame[0] + _PLACEHOLDER + frame[2])
    return Event(frame, data, type=data["type"], seq=seq, t=t, direction=direction)


def _split_audio(raw: bytes) -> tuple[dict[str, Any], Packed] | None:
    """Return the fields of an audio event and the three parts of its frame, or None for any other frame.

    Since the audio is most of such a frame, it is the string around a place two thirds in, whatever the order of the
    fields. Without a backslash outside it, the placeholder has no other spelling; hence the field that parses to the
    placeholder is the one that holds the audio.
    """
    inside = len(raw) * 2 // 3
    start, end = raw.rfind(b'"', 0, inside) + 1, raw.find(b'"', inside)
    if 2 * (end - start) < len(raw):
        return None
    head, tail = raw[:start], raw[end:]
    if b"\\" in head or b"\\" in tail or _PLACEHOLDER in head or _PLACEHOLDER in tail:
        return None
    try:
        pcm = b64decode(memoryview(raw)[start:end], validate=True)
        data = orjson.loads(head + _PLACEHOLDER + tail)
    except ValueError:
        return None
    if not isinstance(data, dict) or not isinstance(data.get("type"), str):
        return None
    field = AUDIO_FIELD.get(kind_of(data["type"]))
    if field is None or data.get(field) != _PLACEHOLDER.decode() or not _encodes_to(raw, start, end, pcm):
        return None
    return data, (head, pcm, tail)


def _encodes_to(raw: bytes, start: int, end: int, pcm: bytes) -> bool:
    """Return whether encoding `pcm` gives back ``raw[start:end]``, from which it was decoded strictly.

    Four base64 characters encode three bytes in one way only; a last group of fewer bytes has spare bits.
    """
    groups, spare = divmod(len(pcm), 3)
    if not spare:
        return end - start == 4 * groups
    return end - start == 4 * groups + 4 and raw[end - 4 : end] == b64encode(pcm[-spare:])
