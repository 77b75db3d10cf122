"""Both sides of a conversation on one clock, as a stereo clip."""

from __future__ import annotations

import itertools

import numpy as np

from rtnb.audio import AudioClip
from rtnb.audio.formats import FORMATS
from rtnb.audio.stereo import StereoClip
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
    pieces = whole_samples(chunks, times.item[places].tolist(), encoding.bytes_per_sample, spare)
    for index in np.flatnonzero(times.unheard[places] > 0).tolist():
        heard = round(float(times.heard[places[index]]) * encoding.rate)
        pieces[index] = pieces[index][: heard * encoding.bytes_per_sample]
    return AudioClip.from_bytes(b"".join(pieces), encoding)
