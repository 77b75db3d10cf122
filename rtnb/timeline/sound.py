"""The sound in a timeline: both sides of the conversation mixed on one clock, and the assistant's audio read while it arrives."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rtnb.audio.clip import AudioClip, StereoClip
from rtnb.audio.formats import FORMATS, PCM16, AudioFormat
from rtnb.audio.resample import ResampleStream
from rtnb.audio.samples import Samples
from rtnb.protocol.events import Event
from rtnb.protocol.names import Kind
from rtnb.timeline.view import View

Times = npt.NDArray[np.float64]


def playback_starts(arrivals: Times, durations: Times) -> Times:
    """Return when each delta is heard from a player that starts at once and plays them in this order.

    A delta follows the one before it without a gap, and is never heard before it has arrived.

    Parameters
    ----------
    arrivals, durations : ndarray of float64, shape (n,)
        Seconds.
    """
    before = np.cumsum(durations) - durations
    return np.maximum.accumulate(arrivals - before) + before


def mix(timeline: View, rate: int = 24_000) -> StereoClip:
    """Return the conversation as a stereo clip: the user's audio on the left, the assistant's on the right.

    The clip begins with the session (t = 0). The audio of a truncated item ends where it was truncated, that of a deleted
    item at its deletion. Out-of-band responses are left out.

    Parameters
    ----------
    timeline : View
        A whole session, or a part of one.
    rate : int
        Samples per second of the result (Hz).
    """
    said, answered = _sounding(timeline, Kind.INPUT_APPEND), _sounding(timeline, Kind.AUDIO_DELTA)
    answered = answered[~answered["response_id"].isin(_out_of_band(timeline))]
    return StereoClip(
        _side(said, said["audio_ms"] / 1000, rate), _side(answered, _heard(answered, _cuts(timeline)), rate)
    )


def _sounding(timeline: View, kind: Kind) -> View:
    rows = timeline[timeline["kind"] == kind]
    sounding: View = rows[~np.isnan(rows["audio_ms"])]
    return sounding


def _of_kind(timeline: View, *kinds: Kind) -> Iterator[Event]:
    return (timeline[int(index)] for index in np.flatnonzero(timeline["kind"].isin(kinds)))


def _out_of_band(timeline: View) -> list[str]:
    """Return the ids of the responses that belong to no conversation."""
    return [
        event.response_id
        for event in _of_kind(timeline, Kind.RESPONSE_CREATED)
        if event.part("response").get("conversation_id", "") is None
    ]


def _cuts(timeline: View) -> dict[str, tuple[float, float]]:
    """Return where the audio of truncated and deleted items ends: item id -> (seconds of its audio, time t)."""
    cuts: dict[str, tuple[float, float]] = {}
    for event in _of_kind(timeline, Kind.ITEM_TRUNCATED, Kind.ITEM_DELETED):
        if event.kind == Kind.ITEM_DELETED:
            cuts[event.item_id] = (cuts.get(event.item_id, (np.inf, 0))[0], event.t)
        elif isinstance(end := event.data.get("audio_end_ms"), (int, float)) and not isinstance(end, bool):
            cuts[event.item_id] = (end / 1000, np.inf)
    return cuts


def _heard(rows: View, cuts: dict[str, tuple[float, float]]) -> Times:
    """Return how many seconds of each delta are heard: all of them, but in items that were truncated or deleted."""
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
        # Rounding must not make two runs overlap by a sample.
        begin = max(int(places[first]), end)
        end = begin + len(clip)
        if end > len(out):
            out = np.concatenate((out, np.zeros(end - len(out), np.int16)))
        out[begin:end] = clip
    return AudioClip(out[:end], rate)


def _runs(rows: View, starts: Times, durations: Times) -> list[tuple[int, int]]:
    """Return (first, last + 1) of each run of deltas that follow one another without a gap, in one encoding."""
    formats = np.array([rows.audio_format(int(seq)) for seq in rows["seq"]])
    gaps = (np.diff(starts) - durations[:-1] > 1e-6) | (formats[1:] != formats[:-1])
    return list(itertools.pairwise([0, *(np.flatnonzero(gaps) + 1).tolist(), len(starts)]))


def _joined(rows: View, first: int, last: int, durations: Times, rate: int) -> Samples:
    """Return the deltas of a run as samples at `rate`, resampled as one so that no seam is heard."""
    pieces: list[bytes] = []
    name = rows.audio_format(int(rows["seq"][first]))
    encoding = FORMATS[name]
    for index in range(first, last):
        keep = round(durations[index] * encoding.rate) * encoding.bytes_per_sample
        pieces.append(rows.audio_chunk(int(rows["seq"][index]))[:keep])
    return AudioClip.from_bytes(b"".join(pieces), encoding).resample(rate).samples


@dataclass(frozen=True, slots=True)
class SpokenChunk:
    """Some of an item's audio, resampled.

    Attributes
    ----------
    response_id, item_id : str
    samples : ndarray of int16, shape (n,)
    last : bool
        Whether the item's audio ends here; the chunk may then be empty.
    """

    response_id: str
    item_id: str
    samples: Samples
    last: bool


class _ItemAudio:
    """One item's audio from wire bytes to samples; a byte that is half a sample is kept for the next delta."""

    def __init__(self, response_id: str, encoding: AudioFormat, rate: int) -> None:
        self.response_id = response_id
        self._encoding = encoding
        self._stream = ResampleStream(encoding.rate, rate)
        self._spare = b""

    def push(self, data: bytes, *, last: bool = False) -> Samples:
        data = self._spare + data
        whole = len(data) - len(data) % self._encoding.bytes_per_sample
        self._spare = data[whole:]
        return self._stream.push(self._encoding.decode(data[:whole]), last=last)


class SpokenAudio:
    """Reads the assistant's audio from a timeline while it grows.

    Parameters
    ----------
    timeline : View
    rate : int
        Samples per second of the result (Hz). Audio of this rate is not changed.
    start : int, optional
        The first row to read; None for the next one that is appended.
    """

    def __init__(self, timeline: View, rate: int = PCM16.rate, start: int | None = None) -> None:
        self.row = len(timeline) if start is None else start
        self._timeline = timeline
        self._rate = rate
        self._voices: dict[str, _ItemAudio] = {}

    def skip(self) -> None:
        """Leave out everything that has arrived so far."""
        self.row = len(self._timeline)
        self._voices.clear()

    def read(self) -> list[SpokenChunk]:
        """Return the audio that has arrived since the last call: one chunk for each item in turn."""
        end = len(self._timeline)
        fresh = self._timeline[self.row : end]
        self.row = end
        kinds = fresh["kind"]
        wanted = (kinds == Kind.AUDIO_DELTA) | (kinds == Kind.AUDIO_DONE) | (kinds == Kind.RESPONSE_DONE)
        pieces: list[SpokenChunk] = []
        for place in np.flatnonzero(wanted):
            event = fresh[int(place)]
            if event.kind == Kind.AUDIO_DELTA:
                self._add(pieces, event.item_id, event.response_id, event.seq)
            elif event.kind == Kind.AUDIO_DONE:
                self._end(pieces, [event.item_id])
            else:
                ended = [item for item, voice in self._voices.items() if voice.response_id == event.response_id]
                self._end(pieces, ended)
        return _merged(pieces)

    def _add(self, pieces: list[SpokenChunk], item_id: str, response_id: str, seq: int) -> None:
        encoding = FORMATS.get(self._timeline.audio_format(seq))
        if encoding is None:
            return  # an audio delta without audio that can be decoded
        voice = self._voices.get(item_id)
        if voice is None:
            voice = self._voices[item_id] = _ItemAudio(response_id, encoding, self._rate)
        pieces.append(SpokenChunk(response_id, item_id, voice.push(self._timeline.audio_chunk(seq)), False))

    def _end(self, pieces: list[SpokenChunk], item_ids: list[str]) -> None:
        for item_id in item_ids:
            if (voice := self._voices.pop(item_id, None)) is not None:
                pieces.append(SpokenChunk(voice.response_id, item_id, voice.push(b"", last=True), True))


def _merged(pieces: list[SpokenChunk]) -> list[SpokenChunk]:
    """Join neighbouring chunks of one item."""
    runs: list[list[SpokenChunk]] = []
    for piece in pieces:
        if runs and runs[-1][0].item_id == piece.item_id and not runs[-1][-1].last:
            runs[-1].append(piece)
        else:
            runs.append([piece])
    return [
        SpokenChunk(run[0].response_id, run[0].item_id, np.concatenate([each.samples for each in run]), run[-1].last)
        for run in runs
    ]
