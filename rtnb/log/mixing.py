"""Both sides of a conversation on one clock: when each piece of sound was, or would have been, heard."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt

from rtnb.audio import AudioClip
from rtnb.audio.formats import FORMATS
from rtnb.audio.samples import Samples
from rtnb.audio.stereo import StereoClip
from rtnb.log.view import View
from rtnb.protocol.names import Kind

Times = npt.NDArray[np.float64]


def playback_starts(arrivals: Times, durations: Times) -> Times:
    """Return when each piece of sound is heard by a player that starts at once and plays them in this order.

    A piece follows the one before it without a gap, and is never heard before it has arrived.
    """
    before = np.cumsum(durations) - durations
    return np.maximum.accumulate(arrivals - before) + before


def mix(timeline: View, rate: int = 24_000) -> StereoClip:
    """Return the talk as a stereo clip: what was sent on the left, what was answered on the right.

    The clip begins with the session (t = 0). A piece of an item that was truncated sounds only as far as it was heard.

    Parameters
    ----------
    timeline : View
        Of a whole session, or a part of one.
    rate : int
        Samples per second of the result (Hz).
    """
    heard_ms = _truncations(timeline)
    return StereoClip(_side(timeline, Kind.INPUT_APPEND, {}, rate), _side(timeline, Kind.AUDIO_DELTA, heard_ms, rate))


def _truncations(timeline: View) -> dict[str, float]:
    events = (timeline[int(index)] for index in np.flatnonzero(timeline["kind"] == Kind.ITEM_TRUNCATED))
    return {
        event.item_id: float(end)
        for event in events
        if isinstance(end := event.data.get("audio_end_ms"), (int, float)) and not isinstance(end, bool)
    }


def _side(timeline: View, kind: Kind, heard_ms: dict[str, float], rate: int) -> AudioClip:
    rows = timeline[timeline["kind"] == kind]
    rows = rows[~np.isnan(rows["audio_ms"])]
    if not len(rows):
        return AudioClip(np.zeros(0, np.int16), rate)
    durations = _heard(rows, heard_ms)
    starts = playback_starts(rows["t"], durations)
    places = np.round(starts * rate).astype(np.int64)
    out = np.zeros(int(places[-1] + np.ceil(durations[-1] * rate)) + rate, np.int16)
    end = 0
    for first, last in _runs(starts, durations):
        clip = _joined(rows, first, last, durations, rate)
        # Rounding of whole pieces must not make two of them overlap by a sample.
        begin = max(int(places[first]), end)
        end = begin + len(clip)
        if end > len(out):
            out = np.concatenate((out, np.zeros(end - len(out), np.int16)))
        out[begin:end] = clip
    return AudioClip(out[:end], rate)


def _heard(rows: View, heard_ms: dict[str, float]) -> Times:
    """Return the seconds of each piece that sound: all of it, but for pieces of truncated items."""
    durations: Times = rows["audio_ms"] / 1000
    items = rows["item_id"]
    for item, end_ms in heard_ms.items():
        mine = np.flatnonzero(items == item)
        before = np.cumsum(durations[mine]) - durations[mine]
        durations[mine] = np.clip(end_ms / 1000 - before, 0, durations[mine])
    return durations


def _runs(starts: Times, durations: Times) -> list[tuple[int, int]]:
    """Return (first, last + 1) of the pieces that follow one another without a gap."""
    gaps = np.flatnonzero(np.diff(starts) - durations[:-1] > 1e-6) + 1
    edges = [0, *gaps.tolist(), len(starts)]
    return list(itertools.pairwise(edges))


def _joined(rows: View, first: int, last: int, durations: Times, rate: int) -> Samples:
    """Return the pieces of a run as samples at `rate`, resampled as one stream so that no seam is heard."""
    pieces: list[bytes] = []
    name = rows.audio_format(int(rows["seq"][first]))
    encoding = FORMATS[name]
    for index in range(first, last):
        keep = round(durations[index] * encoding.rate) * encoding.bytes_per_sample
        pieces.append(rows.audio_chunk(int(rows["seq"][index]))[:keep])
    return AudioClip.from_bytes(b"".join(pieces), encoding).resample(rate).samples
