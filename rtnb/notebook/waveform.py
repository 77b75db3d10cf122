"""Waveforms on a time axis: the audio of one direction, measured once as it grows, and drawn at any zoom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from rtnb.audio.clip import AudioClip
from rtnb.audio.formats import FORMATS, PCM16
from rtnb.audio.samples import FULL_SCALE
from rtnb.notebook.growing_arrays import GrowingArray
from rtnb.timeline.playback import AudioPlayback, Places, Times, before_each, whole_samples

if TYPE_CHECKING:
    from rtnb.timeline.view import View

FINEST = 0.01
"""Seconds for which the least and the greatest sample are kept; where a pixel is less, samples are looked at again."""

# A gap of so many times the length of a piece is not the pace of its arrival, but the end of it.
_PAUSE = 2.0
# Rows that are decoded at a time: an hour's samples need not be in memory at once.
_ROWS = 2000

Measured = tuple[Places, npt.NDArray[np.int16], npt.NDArray[np.int16]]
"""The number of bins of each piece, and the least and the greatest sample of each bin."""


@dataclass(frozen=True, slots=True)
class Axis:
    """The part of the time axis that is drawn.

    Attributes
    ----------
    start, end : float
        Seconds.
    pixels : int
        How many pixels they take: what is closer together than one is drawn as one.
    columns : int
        How many characters of a label fit side by side.
    """

    start: float
    end: float
    pixels: int
    columns: int = 140

    @property
    def step(self) -> float:
        """Return the seconds of a pixel."""
        return (self.end - self.start) / self.pixels

    @property
    def column(self) -> float:
        """Return the seconds of a character."""
        return (self.end - self.start) / self.columns


@dataclass(frozen=True, slots=True)
class Wave:
    """The envelope of sound on a time axis.

    Attributes
    ----------
    start, step : float
        Where the first pixel begins, and how long each lasts, in seconds.
    low, high : ndarray of float32, shape (pixels,)
        The least and the greatest sample of each pixel, in -1..1; NaN where there is no sound.
    """

    start: float
    step: float
    low: npt.NDArray[np.float32]
    high: npt.NDArray[np.float32]

    @property
    def t(self) -> Times:
        """Return where the pixels with sound begin, in seconds, ascending."""
        return np.asarray(self.start + self.step * np.flatnonzero(~np.isnan(self.low)), np.float64)

    @property
    def peak(self) -> float:
        """Return the greatest magnitude, 0 where there is no sound."""
        return float(np.fmax.reduce(np.fmax(-self.low, self.high), initial=0))

    def outline(self) -> tuple[Times, Times, Times]:
        """Return x, lower and upper y of the filled shape: both edges of each pixel, and NaN where there is no sound."""
        edges = np.arange(2 * len(self.low), dtype=np.float64) + 1
        return (
            self.start + self.step * (edges // 2),
            np.repeat(self.low.astype(np.float64), 2),
            np.repeat(self.high.astype(np.float64), 2),
        )


def arrival_widths(arrivals: Times, durations: Times) -> Times:
    """Return the seconds of the axis over which to draw each piece of audio where it arrived.

    A piece reaches to the arrival of the next one, so that audio which arrives faster than it plays looks as squeezed as
    it came. None is drawn longer than it lasts, and the last one before a pause is squeezed like the one before it.
    """
    gaps = np.diff(arrivals, append=np.inf)
    rates = np.divide(gaps, durations, out=np.ones_like(gaps), where=durations > 0)
    latest = np.maximum.accumulate(np.where(rates < _PAUSE, np.arange(len(rates)), -1))
    return np.asarray(durations * np.where(latest >= 0, np.clip(rates[latest], 0, 1), 1))


class AudioLane:
    """The audio of one kind of event: when it arrived, when it is heard, and its waveform.

    Parameters
    ----------
    timeline : View
    kind : str
        The kind of event that carries it.
    """

    def __init__(self, timeline: View, kind: str) -> None:
        self._timeline = timeline
        self._playback = AudioPlayback(kind)
        self.times = self._playback.times()
        self._bins, self._low, self._high = GrowingArray(np.int64), GrowingArray(np.int16), GrowingArray(np.int16)
        self._spare: dict[int, bytes] = {}  # by item
        self._carried: dict[int, bytes] = {}  # by the place of the row that begins with them
        self.peak = 0.0

    def extend(self, rows: View) -> None:
        """Take in rows of the timeline."""
        audio = self._playback.extend(rows)
        self.times = self._playback.times()
        seqs, items = audio["seq"].tolist(), audio["item_id"].codes.tolist()
        for first in range(0, len(seqs), _ROWS):
            part = slice(first, first + _ROWS)
            (bins, low, high), carried = self._measured(seqs[part], items[part], FINEST, self._spare)
            self._carried.update({len(self._bins) + place: data for place, data in enumerate(carried) if data})
            self._bins.extend(bins)
            self._low.extend(low)
            self._high.extend(high)
            self.peak = max(self.peak, -int(low.min(initial=0)) / FULL_SCALE, int(high.max(initial=0)) / FULL_SCALE)

    def _measured(
        self, seqs: list[int], items: list[int], step: float, spare: dict[int, bytes]
    ) -> tuple[Measured, list[bytes]]:
        """Measure rows in bins of at most `step` seconds; return also the bytes that each takes from an earlier one."""
        found: list[Measured] = []
        carried: list[bytes] = []
        formats = [self._timeline.audio_format(seq) for seq in seqs]
        first = 0
        for last in [place for place in range(1, len(seqs)) if formats[place] != formats[place - 1]] + [len(seqs)]:
            encoding = FORMATS.get(formats[first], PCM16)
            chunks = [self._timeline.audio_chunk(seq) for seq in seqs[first:last]]
            pieces, begins = whole_samples(chunks, items[first:last], encoding.bytes_per_sample, spare)
            carried += begins
            samples = AudioClip.from_bytes(b"".join(pieces), encoding).samples
            counts = np.array([len(piece) // encoding.bytes_per_sample for piece in pieces])
            found.append(_envelopes(samples, counts, encoding.rate * step))
            first = last
        bins, low, high = zip(*found, strict=True)
        return (np.concatenate(bins), np.concatenate(low), np.concatenate(high)), carried

    def arrived(self, axis: Axis) -> Wave:
        """Return the waveform where the audio arrived."""
        arrived, order = self.times.arrived, np.argsort(self.times.arrived, kind="stable")
        widths = np.empty_like(arrived)
        widths[order] = arrival_widths(arrived[order], self.times.length[order])
        return self._wave(arrived, widths, axis)

    def heard(self, axis: Axis) -> Wave:
        """Return the waveform of the audio that is heard, where it is heard."""
        return self._wave(
            self.times.start, self.times.length, axis, (np.zeros_like(self.times.heard), self.times.heard)
        )

    def unheard(self, axis: Axis) -> Wave:
        """Return the waveform of the audio that was cut off, where it would have been heard, up to the next that was."""
        times = self.times
        cut = np.flatnonzero(times.unheard > 0)
        _, item = np.unique(times.item[cut], return_inverse=True)
        stops = np.full(len(cut), np.inf)  # when each item stops sounding
        np.minimum.at(stops, item, (times.start + times.heard)[cut])
        following = np.append(times.start[times.order], np.inf)
        ends = times.heard.copy()
        ends[cut] += times.unheard[cut]
        ends[cut] = np.minimum(ends[cut], following[np.searchsorted(following, stops[item] - 1e-9)] - times.start[cut])
        return self._wave(times.start, times.length, axis, (times.heard, ends))

    def _wave(self, starts: Times, widths: Times, axis: Axis, part: tuple[Times, Times] | None = None) -> Wave:
        """Return each row's audio drawn from its start over its width; with `part`, the seconds of it between two times."""
        low, high = np.full((2, axis.pixels), np.nan, np.float32)
        seen = np.flatnonzero((starts < axis.end) & (starts + widths > axis.start))
        if part is not None:
            seen = seen[part[0][seen] < part[1][seen]]
        if len(seen):
            bins, lows, highs = self._bins_of(seen, axis.step)
            middle = (_within(bins) + 0.5) / np.repeat(bins, bins) * np.repeat(widths[seen], bins)
            pixel = np.floor((np.repeat(starts[seen], bins) + middle - axis.start) / axis.step)
            drawn = (pixel >= 0) & (pixel < axis.pixels)
            if part is not None:
                drawn &= (middle >= np.repeat(part[0][seen], bins)) & (middle < np.repeat(part[1][seen], bins))
            chosen = np.flatnonzero(drawn)
            chosen = chosen[np.argsort(pixel[chosen], kind="stable")]
            places, first = np.unique(pixel[chosen].astype(np.int64), return_index=True)
            if len(places):
                low[places] = np.minimum.reduceat(lows[chosen], first) / np.float32(FULL_SCALE)
                high[places] = np.maximum.reduceat(highs[chosen], first) / np.float32(FULL_SCALE)
        return Wave(axis.start, axis.step, low, high)

    def _bins_of(self, seen: Places, step: float) -> Measured:
        """Return the bins of the rows in sight: the kept ones, or, where a pixel is shorter, finer ones."""
        if step >= FINEST:
            bins = self._bins.values[seen]
            places = np.repeat(before_each(self._bins.values)[seen], bins) + _within(bins)
            return bins, self._low.values[places], self._high.values[places]
        first, last = int(seen[0]), int(seen[-1]) + 1
        seqs, items = self.times.seq[first:last].tolist(), self.times.item[first:last].tolist()
        spare: dict[int, bytes] = {}
        for place, item in enumerate(items, start=first):
            spare.setdefault(item, self._carried.get(place, b""))
        (bins, low, high), _ = self._measured(seqs, items, step, spare)
        shown = bins[seen - first]
        places = np.repeat(before_each(bins)[seen - first], shown) + _within(shown)
        return shown, low[places], high[places]


def _within(bins: Places) -> Places:
    """Return 0 … n-1 for each n of `bins`, one after the other."""
    return np.asarray(np.arange(bins.sum()) - np.repeat(before_each(bins), bins))


def _envelopes(samples: npt.NDArray[Any], counts: Places, stretch: float) -> Measured:
    """Measure pieces of `counts` samples in equal bins of at most `stretch` samples."""
    bins = np.maximum(1, np.ceil(counts / max(stretch, 1.0))).astype(np.int64)
    edges = np.repeat(before_each(counts), bins) + _within(bins) * np.repeat(counts, bins) // np.repeat(bins, bins)
    if not len(samples):
        silence = np.zeros(len(edges), np.int16)
        return bins, silence, silence
    edges = np.minimum(edges, len(samples) - 1)
    return bins, np.minimum.reduceat(samples, edges), np.maximum.reduceat(samples, edges)
