"""Chunks of a microphone's sound: a table of when each was captured and arrived, and a clip cut into chunks."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from rtnb import formatting
from rtnb.audio import AudioClip
from rtnb.audio.samples import Samples

CHUNK_SECONDS = 0.04
COLUMNS = ("run", "seq", "captured", "arrived", "seconds", "level")
_SHOWN_ROWS = 8
_TOLERANCE = 0.02  # seconds between two chunks that are jitter of the browser's clock, not a gap


@dataclass(frozen=True, slots=True)
class InputChunk:
    """One chunk of sound from the microphone.

    Attributes
    ----------
    run : int
        Number of the recording: how often the microphone had been started when the chunk was captured.
    seq : int
        Number of the chunk within its run, from 0.
    clock : float
        Time of its first sample by the browser's clock, in seconds; NaN for a chunk that did not come from a browser.
    arrived : float
        Time of its arrival in the kernel, in seconds since the session opened.
    seconds : float
        Duration.
    level : float
        Root mean square, as a fraction of full scale.
    """

    run: int
    seq: int
    clock: float
    arrived: float
    seconds: float
    level: float


class BrowserClock:
    """Estimates the offset between the browser's clock and the session's from round trips; the fastest one counts.

    Attributes
    ----------
    answers : int
    offset : float
        The browser's time when the session's clock shows 0, in seconds; NaN before the first answer.
    doubt : float
        Possible error of `offset` in seconds: half the time of the fastest round trip.
    """

    def __init__(self) -> None:
        self.answers = 0
        self.offset = math.nan
        self.doubt = math.inf
        self._asked: dict[int, float] = {}

    def ask(self, now: float) -> int:
        """Note a question sent at `now` (seconds of the session's clock); return its number."""
        number = len(self._asked) + 1
        self._asked[number] = now
        return number

    def answer(self, number: int, shown: float, now: float) -> None:
        """Take the answer to a question: the browser's clock showed `shown` seconds."""
        asked = self._asked.get(number)
        if asked is None:
            return
        self.answers += 1
        if now - asked < 2 * self.doubt:
            self.doubt = (now - asked) / 2
            self.offset = shown - (asked + now) / 2


class InputChunks:
    """The chunks of one microphone as a table: ``chunks["arrived"]`` is a column.

    Columns are run, seq, captured and arrived (seconds since the session opened, as the timeline's ``t``), seconds, level.
    `captured` is NaN where the browser's clock could not be compared with the session's.

    Attributes
    ----------
    gaps : int
        How often a chunk, or sound between two chunks, is missing.
    """

    columns = COLUMNS

    def __init__(self) -> None:
        self.clock = BrowserClock()
        self._chunks: list[InputChunk] = []
        self.gaps = 0

    def add(self, chunk: InputChunk) -> None:
        """Append a chunk, and count a gap if something is missing before it."""
        before = self._chunks[-1] if self._chunks else None
        if before is not None and before.run == chunk.run:
            late = chunk.clock - (before.clock + before.seconds)
            self.gaps += chunk.seq != before.seq + 1 or late > _TOLERANCE
        elif chunk.seq:
            self.gaps += 1
        self._chunks.append(chunk)

    def __len__(self) -> int:
        return len(self._chunks)

    def __getitem__(self, column: str) -> npt.NDArray[Any]:
        """Return a column, shape (chunks,).

        Raises
        ------
        KeyError
            If there is no such column.
        """
        if column not in COLUMNS:
            raise KeyError(f"There is no column {column!r}: the columns are {', '.join(COLUMNS)}.")
        chunks = list(self._chunks)
        if column == "captured":
            return np.array([each.clock for each in chunks], float) - self.clock.offset
        kind = int if column in ("run", "seq") else float
        return np.array([getattr(each, column) for each in chunks], kind)

    @property
    def words(self) -> str:
        """Return the number of chunks, their delay and the number of gaps, in words."""
        if not self._chunks:
            return "no sound yet"
        delays = (self["arrived"] - self["captured"] - self["seconds"]) * 1000
        known = delays[~np.isnan(delays)]
        figures = [formatting.plural(len(self), "chunk"), formatting.plural(self.gaps, "gap")]
        if len(known):
            doubt = self.clock.doubt * 1000
            figures.append(f"arrived {np.median(known):.0f} ms after capture (median; clocks ±{doubt:.0f} ms)")
        return ", ".join(figures)

    def __repr__(self) -> str:
        return f"<InputChunks {self.words}>"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        columns = [self[name][-_SHOWN_ROWS:].tolist() for name in COLUMNS]
        rows = [
            [f"{cell:.3f}" if isinstance(cell, float) else str(cell) for cell in row]
            for row in zip(*columns, strict=True)
        ]
        table = formatting.html_table(COLUMNS, rows, right=range(len(COLUMNS)))
        words = formatting.muted(formatting.escape(self.words))
        return {"text/plain": repr(self), "text/html": formatting.card(words, table)}


def clip_chunks(clip: AudioClip, rate: int, seconds: float | None = None) -> Iterator[Samples]:
    """Yield a clip at `rate` Hz in chunks of 40 ms; `seconds` cuts it to that length, or pads it with silence."""
    samples = clip.resample(rate).samples
    if seconds is not None:
        length = round(seconds * rate)
        samples = np.concatenate([samples[:length], np.zeros(max(length - len(samples), 0), np.int16)])
    step = round(rate * CHUNK_SECONDS)
    for start in range(0, len(samples), step):
        yield samples[start : start + step]


async def play_chunks(chunks: Iterator[Samples], take: Callable[[Samples], None], stopped: asyncio.Event) -> None:
    """Pass on chunks in real time, until there are no more or `stopped` is set."""
    due = asyncio.get_running_loop().time()
    for chunk in chunks:
        take(chunk)
        due += CHUNK_SECONDS
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(due):
                await stopped.wait()
        if stopped.is_set():
            return
