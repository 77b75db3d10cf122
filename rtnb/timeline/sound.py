"""The sound in a timeline: both sides of the conversation mixed on one clock, and the assistant's audio read while it arrives."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from rtnb.audio.clip import AudioClip, StereoClip
from rtnb.audio.formats import FORMATS, PCM16, AudioFormat
from rtnb.audio.resample import ResampleStream
from rtnb.audio.samples import Samples
from rtnb.protocol.names import Kind
from rtnb.timeline.playback import AudioPlayback, Places, PlaybackTimes, whole_samples
from rtnb.timeline.view import View


def mix(timeline: View, rate: int = 24_000) -> StereoClip:
    """Return the conversation as a stereo clip: the audio that was sent on the left, the answers on the right.

    The clip begins with the session (t = 0). Each row's audio is where it is heard, see `AudioPlayback`: an item that was
    truncated sounds as far as it was heard, and responses outside the conversation are left out.

    Parameters
    ----------
    timeline : View
        Of a whole session, or a part of one.
    rate : int
        Samples per second of the result (Hz).
    """
    return StereoClip(_side(timeline, Kind.INPUT_APPEND, rate), _side(timeline, Kind.AUDIO_DELTA, rate))


def _side(timeline: View, kind: Kind, rate: int) -> AudioClip:
    playback = AudioPlayback(kind)
    playback.extend(timeline[:])
    times = playback.times()
    order = times.order
    if not len(order):
        return AudioClip(np.zeros(0, np.int16), rate)
    formats = np.array([timeline.audio_format(seq) for seq in times.seq[order].tolist()])
    starts, heard = times.start[order], times.heard[order]
    # Neighbours without a gap, in one encoding, are resampled as one stream, so that no seam is heard.
    breaks = np.flatnonzero((np.diff(starts) - heard[:-1] > 1e-6) | (formats[1:] != formats[:-1])) + 1
    out = np.zeros(int(np.ceil((starts[-1] + heard[-1]) * rate)) + rate, np.int16)
    end = 0
    spare: dict[int, bytes] = {}
    for first, last in itertools.pairwise([0, *breaks.tolist(), len(order)]):
        samples = _joined(timeline, times, order[first:last], spare).resample(rate).samples
        # Rounding of whole pieces must not make two of them overlap by a sample.
        begin = max(round(starts[first] * rate), end)
        end = begin + len(samples)
        if end > len(out):
            out = np.concatenate((out, np.zeros(end - len(out), np.int16)))
        out[begin:end] = samples
    return AudioClip(out[:end], rate)


def _joined(timeline: View, times: PlaybackTimes, places: Places, spare: dict[int, bytes]) -> AudioClip:
    """Return what sounds of rows that follow one another; `spare` as in `whole_samples`."""
    seqs = times.seq[places].tolist()
    encoding = FORMATS[timeline.audio_format(seqs[0])]
    chunks = [timeline.audio_chunk(seq) for seq in seqs]
    pieces, _ = whole_samples(chunks, times.item[places].tolist(), encoding.bytes_per_sample, spare)
    for index in np.flatnonzero(times.unheard[places] > 0).tolist():
        heard = round(float(times.heard[places[index]]) * encoding.rate)
        pieces[index] = pieces[index][: heard * encoding.bytes_per_sample]
    return AudioClip.from_bytes(b"".join(pieces), encoding)


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
