"""Both sides of a conversation on one clock: when each piece of sound was, or would have been, heard."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from rtnb.audio import AudioClip
from rtnb.audio.clip import StereoClip
from rtnb.audio.formats import FORMATS
from rtnb.audio.samples import Samples
from rtnb.protocol.events import Event
from rtnb.protocol.names import Kind
from rtnb.timeline.view import View

Times = npt.NDArray[np.float64]


def playback_starts(arrivals: Times, durations: Times) -> Times:
    """Return when each piece of sound is heard by a player that starts at once and plays them in this order.

    A piece follows the one before it without a gap, and is never heard before it has arrived.
    """
    before = np.cumsum(durations) - durations
    return np.maximum.accumulate(arrivals - before) + before


def mix(timeline: View, rate: int = 24_000) -> StereoClip:
    """Return the talk as a stereo clip: what was sent on the left, what was answered on the right.

    The clip begins with the session (t = 0). A piece of an item that was truncated sounds only as far as it was heard, one
    of an item that was deleted only until then. Responses beside the conversation are not part of the talk.

    Parameters
    ----------
    timeline : View
        Of a whole session, or a part of one.
    rate : int
        Samples per second of the result (Hz).
    """
    said, answered = _sounding(timeline, Kind.INPUT_APPEND), _sounding(timeline, Kind.AUDIO_DELTA)
    answered = answered[~answered["response_id"].isin(_beside(timeline))]
    return StereoClip(
        _side(said, said["audio_ms"] / 1000, rate), _side(answered, _heard(answered, _cuts(timeline)), rate)
    )


def _sounding(timeline: View, kind: Kind) -> View:
    rows = timeline[timeline["kind"] == kind]
    sounding: View = rows[~np.isnan(rows["audio_ms"])]
    return sounding


def _of_kind(timeline: View, *kinds: Kind) -> Iterator[Event]:
    return (timeline[int(index)] for index in np.flatnonzero(timeline["kind"].isin(kinds)))


def _beside(timeline: View) -> list[str]:
    """Return the responses that belong to no conversation."""
    return [
        event.response_id
        for event in _of_kind(timeline, Kind.RESPONSE_CREATED)
        if event.part("response").get("conversation_id", "") is None
    ]


def _cuts(timeline: View) -> dict[str, tuple[float, float]]:
    """Return how far items sound that were cut: item -> (seconds of its own audio, the moment in which it ends)."""
    cuts: dict[str, tuple[float, float]] = {}
    for event in _of_kind(timeline, Kind.ITEM_TRUNCATED, Kind.ITEM_DELETED):
        if event.kind == Kind.ITEM_DELETED:
            cuts[event.item_id] = (cuts.get(event.item_id, (np.inf, 0))[0], event.t)
        elif isinstance(end := event.data.get("audio_end_ms"), (int, float)) and not isinstance(end, bool):
            cuts[event.item_id] = (end / 1000, np.inf)
    return cuts


def _heard(rows: View, cuts: dict[str, tuple[float, float]]) -> Times:
    """Return the seconds of each piece that sound: all of it, but for pieces of items that were cut."""
    durations: Times = rows["audio_ms"] / 1000
    items = rows["item_id"]
    for item, (seconds, end) in cuts.items():
        mine = np.flatnonzero(items == item)
        before = np.cumsum(durations[mine]) - durations[mine]
        durations[mine] = np.clip(seconds - before, 0, durations[mine])
        if np.isfinite(end):
            durations[mine] = np.clip(end - playback_starts(rows["t"], durations)[mine], 0, durations[mine])
    return durations


def _side(rows: View, durations: Times, rate: int) -> AudioClip:
    if not len(rows):
        return AudioClip(np.zeros(0, np.int16), rate)
    starts = playback_starts(rows["t"], durations)
    places = np.round(starts * rate).astype(np.int64)
    out = np.zeros(int(places[-1] + np.ceil(durations[-1] * rate)) + rate, np.int16)
    end = 0
    for first, last in _runs(rows, starts, durations):
        clip = _joined(rows, first, last, durations, rate)
        # Rounding of whole pieces must not make two of them overlap by a sample.
        begin = max(int(places[first]), end)
        end = begin + len(clip)
        if end > len(out):
            out = np.concatenate((out, np.zeros(end - len(out), np.int16)))
        out[begin:end] = clip
    return AudioClip(out[:end], rate)


def _runs(rows: View, starts: Times, durations: Times) -> list[tuple[int, int]]:
    """Return (first, last + 1) of the pieces that follow one another without a gap, in one encoding."""
    formats = np.array([rows.audio_format(int(seq)) for seq in rows["seq"]])
    gaps = (np.diff(starts) - durations[:-1] > 1e-6) | (formats[1:] != formats[:-1])
    return list(itertools.pairwise([0, *(np.flatnonzero(gaps) + 1).tolist(), len(starts)]))


def _joined(rows: View, first: int, last: int, durations: Times, rate: int) -> Samples:
    """Return the pieces of a run as samples at `rate`, resampled as one stream so that no seam is heard."""
    pieces: list[bytes] = []
    name = rows.audio_format(int(rows["seq"][first]))
    encoding = FORMATS[name]
    for index in range(first, last):
        keep = round(durations[index] * encoding.rate) * encoding.bytes_per_sample
        pieces.append(rows.audio_chunk(int(rows["seq"][index]))[:keep])
    return AudioClip.from_bytes(b"".join(pieces), encoding).resample(rate).samples
