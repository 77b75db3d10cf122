"""What the assistant says, as samples of one rate, read from a timeline piece by piece while it grows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rtnb.audio.formats import FORMATS, PCM16, AudioFormat
from rtnb.audio.resample import ResampleStream
from rtnb.audio.samples import Samples
from rtnb.protocol.names import Kind
from rtnb.timeline.view import View


@dataclass(frozen=True, slots=True)
class Spoken:
    """A piece of speech.

    Attributes
    ----------
    response_id, item_id : str
    samples : ndarray of int16, shape (n,)
    last : bool
        Whether the item has no more; the piece may then be empty.
    """

    response_id: str
    item_id: str
    samples: Samples
    last: bool


class _Voice:
    """One item's audio on its way from the wire's bytes to samples; a byte that is half a sample waits for the other."""

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
    """A reader of the assistant's audio in a timeline.

    Parameters
    ----------
    timeline : View
    rate : int
        Samples per second that are wanted (Hz). Audio of this rate comes out exactly as it came in.
    start : int, optional
        The row to begin with; without it, what comes from now on.
    """

    def __init__(self, timeline: View, rate: int = PCM16.rate, start: int | None = None) -> None:
        self.row = len(timeline) if start is None else start
        self._timeline = timeline
        self._rate = rate
        self._voices: dict[str, _Voice] = {}

    def skip(self) -> None:
        """Go on with what comes from now on."""
        self.row = len(self._timeline)
        self._voices.clear()

    def read(self) -> list[Spoken]:
        """Return what has come since the last time, one piece for each item in turn."""
        end = len(self._timeline)
        fresh = self._timeline[self.row : end]
        self.row = end
        kinds = fresh["kind"]
        wanted = (kinds == Kind.AUDIO_DELTA) | (kinds == Kind.AUDIO_DONE) | (kinds == Kind.RESPONSE_DONE)
        pieces: list[Spoken] = []
        for place in np.flatnonzero(wanted):
            event = fresh[int(place)]
            if event.kind == Kind.AUDIO_DELTA:
                self._add(pieces, event.item_id, event.response_id, event.seq)
            elif event.kind == Kind.AUDIO_DONE:
                self._end(pieces, [event.item_id])
            else:
                ended = [item for item, voice in self._voices.items() if voice.response_id == event.response_id]
                self._end(pieces, ended)
        return _joined(pieces)

    def _add(self, pieces: list[Spoken], item_id: str, response_id: str, seq: int) -> None:
        encoding = FORMATS.get(self._timeline.audio_format(seq))
        if encoding is None:
            return  # it says that it is audio, and is not
        voice = self._voices.get(item_id)
        if voice is None:
            voice = self._voices[item_id] = _Voice(response_id, encoding, self._rate)
        pieces.append(Spoken(response_id, item_id, voice.push(self._timeline.audio_chunk(seq)), False))

    def _end(self, pieces: list[Spoken], item_ids: list[str]) -> None:
        for item_id in item_ids:
            if (voice := self._voices.pop(item_id, None)) is not None:
                pieces.append(Spoken(voice.response_id, item_id, voice.push(b"", last=True), True))


def _joined(pieces: list[Spoken]) -> list[Spoken]:
    """Return the same with neighbours of one item made one."""
    runs: list[list[Spoken]] = []
    for piece in pieces:
        if runs and runs[-1][0].item_id == piece.item_id and not runs[-1][-1].last:
            runs[-1].append(piece)
        else:
            runs.append([piece])
    return [
        Spoken(run[0].response_id, run[0].item_id, np.concatenate([each.samples for each in run]), run[-1].last)
        for run in runs
    ]
