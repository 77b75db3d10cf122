"""`SpeechTrack`: one side's sound as it grows, measured once, and drawn at any zoom at a cost of the pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from rtnb.audio.clip import AudioClip
from rtnb.audio.formats import FORMATS, PCM16
from rtnb.notebook.growing import Growing
from rtnb.notebook.placement import Times, arrival_widths
from rtnb.timeline.sound import playback_starts

if TYPE_CHECKING:
    from rtnb.timeline.timeline import Timeline
    from rtnb.timeline.view import View

FINEST = 0.01
"""Seconds for which the least and the greatest sample are kept; where a pixel is less, samples are looked at again."""

SILENT_LOW, SILENT_HIGH = 127, -128
"""What a pixel without sound has for its least and greatest sample."""

Measured = tuple[npt.NDArray[np.int64], npt.NDArray[np.int8], npt.NDArray[np.int8]]
"""Stretches of each piece, and the least and the greatest sample of each stretch, -127..127."""


class SpeechTrack:
    """The pieces of sound of one kind of event, in the order of the timeline.

    Parameters
    ----------
    timeline : Timeline
    kind : str
        The kind of event that carries them.
    """

    def __init__(self, timeline: Timeline, kind: str) -> None:
        self._timeline = timeline
        self._kind = kind
        self._seq, self._arrived, self._duration = Growing(np.int64), Growing(np.float64), Growing(np.float64)
        self._bins, self._low, self._high = Growing(np.int64), Growing(np.int8), Growing(np.int8)
        self._carried = Growing(bool)
        self._spare: dict[str, bytes] = {}
        self.of_item: dict[str, list[int]] = {}
        self.peak = 1

    def __len__(self) -> int:
        return len(self._seq)

    @property
    def seq(self) -> npt.NDArray[np.int64]:
        """Return the rows that carry the pieces."""
        return self._seq.values

    def advance(self, part: View) -> None:
        """Take in the rows that have come."""
        rows = part[part["kind"] == self._kind]
        rows = rows[~np.isnan(rows["audio_ms"])]
        if not len(rows):
            return
        for place, item in enumerate(rows["item_id"], start=len(self)):
            self.of_item.setdefault(item, []).append(place)
        self._seq.extend(rows["seq"])
        arrived = rows["t"]
        self._arrived.extend(np.where(np.isfinite(arrived), arrived, 0.0))
        self._duration.extend(rows["audio_ms"] / 1000)
        items = list(rows["item_id"])
        for first in range(0, len(rows), 2000):  # an hour's samples need not be in memory at once
            seqs, whose = rows["seq"][first : first + 2000].tolist(), items[first : first + 2000]
            self._carried.extend([bool(self._spare.get(item)) for item in whose])
            bins, low, high = self._measured(seqs, whose, FINEST, self._spare)
            self._bins.extend(bins)
            self._low.extend(low)
            self._high.extend(high)
            self.peak = max(self.peak, int(-low.min(initial=0)), int(high.max(initial=0)))

    def _measured(self, seqs: list[int], items: list[str], step: float, spare: dict[str, bytes]) -> Measured:
        """Measure pieces in stretches of at most `step` seconds."""
        bins: list[npt.NDArray[np.int64]] = []
        lows: list[npt.NDArray[np.int8]] = []
        highs: list[npt.NDArray[np.int8]] = []
        formats = [self._timeline.audio_format(seq) for seq in seqs]
        first = 0
        for last in [place for place in range(1, len(seqs)) if formats[place] != formats[place - 1]] + [len(seqs)]:
            encoding = FORMATS.get(formats[first], PCM16)
            chunks = [self._timeline.audio_chunk(seq) for seq in seqs[first:last]]
            pieces = _whole_samples(chunks, items[first:last], encoding.bytes_per_sample, spare)
            samples = AudioClip.from_bytes(b"".join(pieces), encoding).samples
            counts = np.array([len(piece) // encoding.bytes_per_sample for piece in pieces])
            found = _envelopes(samples, counts, encoding.rate * step)
            bins.append(found[0])
            lows.append(found[1])
            highs.append(found[2])
            first = last
        return np.concatenate(bins), np.concatenate(lows), np.concatenate(highs)

    def heard(self, truncated: dict[str, float]) -> tuple[Times, Times, Times]:
        """Return when each piece begins to sound, for how long, and how long it is, all in seconds.

        Parameters
        ----------
        truncated : dict of str to float
            Milliseconds of an item that were heard, for the items of which not all was.
        """
        length = np.array(self._duration.values)
        kept = length.copy()
        mine = {item: np.array(self.of_item[item]) for item in truncated if item in self.of_item}
        for item, places in mine.items():
            kept[places] = np.clip(truncated[item] / 1000 - _before(length[places]), 0, length[places])
        starts = playback_starts(self._arrived.values, kept)
        for places in mine.values():  # what was not heard is shown where it would have been
            starts[places] = starts[places[0]] + _before(length[places])
        return starts, kept, length

    def arrived(self) -> tuple[Times, Times]:
        """Return when each piece arrived, and over how many seconds to draw it."""
        widths = arrival_widths(self._arrived.values, self._duration.values)
        return self._arrived.values, np.maximum(widths, 0)

    def wave(
        self, starts: Times, widths: Times, axis: tuple[float, float, int], *, part: tuple[Times, Times] | None = None
    ) -> bytes:
        """Return the least, then the greatest sample of each pixel, as int8, shape (2, pixels).

        Parameters
        ----------
        starts, widths : ndarray of float64, shape (pieces,)
            Where each piece is drawn, in seconds.
        axis : (start, end, pixels)
        part : (begins, ends), optional
            The seconds of each piece that are drawn; by default all.
        """
        start, end, pixels = axis
        step = (end - start) / pixels
        seen = np.flatnonzero((starts < end) & (starts + widths > start))
        low, high = np.full(pixels, SILENT_LOW, np.int8), np.full(pixels, SILENT_HIGH, np.int8)
        if not len(seen):
            return low.tobytes() + high.tobytes()
        bins, lows, highs = self._stretches(seen, step)
        within = _within(bins)
        spread = np.repeat(widths[seen], bins)
        middle = (within + 0.5) / np.repeat(bins, bins) * spread
        pixel = np.floor((np.repeat(starts[seen], bins) + middle - start) / step)
        drawn = (pixel >= 0) & (pixel < pixels)
        if part is not None:
            drawn &= (middle >= np.repeat(part[0][seen], bins)) & (middle < np.repeat(part[1][seen], bins))
        chosen = np.flatnonzero(drawn)
        chosen = chosen[np.argsort(pixel[chosen], kind="stable")]
        places, first = np.unique(pixel[chosen].astype(np.int64), return_index=True)
        if len(places):
            low[places] = np.minimum.reduceat(lows[chosen], first)
            high[places] = np.maximum.reduceat(highs[chosen], first)
        return low.tobytes() + high.tobytes()

    def _stretches(self, seen: npt.NDArray[np.int64], step: float) -> Measured:
        """Return the measured stretches of the pieces in sight: the kept ones, or, close by, finer ones."""
        if step >= FINEST:
            bins = self._bins.values[seen]
            begins = _before(self._bins.values)[seen]
            places = np.repeat(begins, bins) + _within(bins)
            return bins, self._low.values[places], self._high.values[places]
        first, last = int(seen[0]), int(seen[-1]) + 1
        while first and self._carried.values[first]:  # where a sample is split, begin with the piece that is whole
            first -= 1
        owner = {place: item for item, places in self.of_item.items() for place in _between(places, first, last)}
        items = [owner.get(place, "") for place in range(first, last)]
        bins, low, high = self._measured(self.seq[first:last].tolist(), items, step, {})
        places = np.repeat(_before(bins)[seen - first], bins[seen - first]) + _within(bins[seen - first])
        return bins[seen - first], low[places], high[places]


def _between(places: list[int], first: int, last: int) -> list[int]:
    low, high = np.searchsorted(places, (first, last))
    return places[low:high]


def _before(lengths: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return for each length the sum of those before it."""
    return np.asarray(np.cumsum(lengths) - lengths)


def _within(bins: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return 0 … n-1 for each n of `bins`, one after the other."""
    return np.asarray(np.arange(bins.sum()) - np.repeat(np.cumsum(bins) - bins, bins))


def _whole_samples(pieces: list[bytes], items: list[str], width: int, spare: dict[str, bytes]) -> list[bytes]:
    """Return the pieces with every sample whole: a byte too many goes to the item's next piece."""
    if not any(spare.values()) and not any(len(piece) % width for piece in pieces):
        return pieces
    whole: list[bytes] = []
    for piece, item in zip(pieces, items, strict=True):
        data = spare.pop(item, b"") + piece
        cut = len(data) - len(data) % width
        spare[item] = data[cut:]
        whole.append(data[:cut])
    return whole


def _envelopes(samples: npt.NDArray[np.int16], counts: npt.NDArray[np.int64], stretch: float) -> Measured:
    """Measure pieces of `counts` samples in equal stretches of at most `stretch` samples; one without samples is silent."""
    bins = np.maximum(1, np.ceil(counts / max(stretch, 1.0))).astype(np.int64)
    edges = np.repeat(_before(counts), bins) + _within(bins) * np.repeat(counts, bins) // np.repeat(bins, bins)
    if not len(samples):
        nothing = np.zeros(len(edges), np.int8)
        return bins, nothing, nothing
    edges = np.minimum(edges, len(samples) - 1)
    low, high = np.minimum.reduceat(samples, edges), np.maximum.reduceat(samples, edges)
    return (
        bins,
        (low.astype(np.int32) * 127 // 32768).astype(np.int8),
        (high.astype(np.int32) * 127 // 32768).astype(np.int8),
    )
