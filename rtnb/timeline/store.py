"""The append-only store under every timeline: numpy columns, categories, and each frame byte for byte.

One thread appends; any thread reads. A row is complete before `Store.length` counts it, rows never change, and growing
copies them into a larger array, so whatever a reader holds stays as it was.
"""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rtnb.protocol.events import LOCAL, RECEIVED, SENT, Event, Frame, content_line, raw_of
from rtnb.protocol.names import AUDIO_FIELD, kind_of
from rtnb.timeline.audio_format import BYTES_PER_MS, FormatInEffect
from rtnb.timeline.frames import event_of, read_frame, unreadable

DIRECTIONS = (SENT, RECEIVED, LOCAL)
FORMAT_NAMES = ("", *BYTES_PER_MS)
_DIRECTION_CODE = {name: code for code, name in enumerate(DIRECTIONS)}
_FORMAT_CODE = {name: code for code, name in enumerate(FORMAT_NAMES)}

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
    ],
    align=True,
)
"""A row's fixed-size part: seconds, milliseconds, codes into the vocabularies, frame size, lateness, codes."""


class Vocabulary:
    """Words and their codes, numbered as they come."""

    __slots__ = ("_codes", "words")

    def __init__(self, *words: str) -> None:
        self.words: list[str] = list(words)
        self._codes: dict[str, int] = {word: code for code, word in enumerate(words)}

    def code(self, word: str) -> int:
        """Return the word's code, a new one where the word is new."""
        code = self._codes.get(word)
        if code is None:
            code = len(self.words)
            self.words.append(word)
            self._codes[word] = code
        return code


class Store:
    """Rows that are only ever added.

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
        Rows that are complete; published last.
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

    def append(self, raw: bytes, *, direction: str, t: float, late_ms: float) -> Event:
        """Add a frame and return its event; nothing that the frame holds can keep it out of the table."""
        direction_code = _DIRECTION_CODE.get(direction)
        if direction_code is None:
            raise ValueError(f"direction={direction!r} is not one of {', '.join(map(repr, DIRECTIONS))}.")
        seq = self.length
        try:
            event, frame = read_frame(raw, seq=seq, t=t, direction=direction)
        except Exception as error:  # whatever it is: the frame came, so it is a row
            event, frame = unreadable(raw, error, seq=seq, t=t, direction=direction), raw
        try:
            audio_ms, format_code = self._audio(event)
            text = content_line(event)
        except Exception as error:  # fields of unforeseen shapes, in a frame that is JSON
            event.problem = event.problem or f"this event could not be interpreted: {type(error).__name__}: {error}"
            audio_ms, format_code, text = math.nan, 0, event.problem
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
        )
        if event.problem:
            self.problems[seq] = event.problem
        self.frames.append(frame)
        self.event_ids.append(event.event_id)
        self.texts.append(text)
        self.length = seq + 1
        return event

    def event(self, seq: int) -> Event:
        """Return the event of a row, read again from its frame."""
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

    def words(self, seq: int) -> bytes:
        """Return the frame of a row without the audio that is kept decoded, which costs nothing to look through."""
        frame = self.frames[seq]
        return frame if isinstance(frame, bytes) else frame[0] + frame[2]

    def audio(self, seq: int) -> bytes:
        """Return the decoded audio of a row, empty where it carries none."""
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
