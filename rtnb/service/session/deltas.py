"""How text and speech are cut for streaming: text into deltas and whole sentences, speech into deltas of whole tokens."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from rtnb.audio.formats import PCM16, AudioFormat
from rtnb.audio.resample import resample
from rtnb.audio.samples import Samples
from rtnb.service.session.usage import AUDIO_TOKENS_PER_SECOND

_RATE = PCM16.rate  # of what the voice speaks
_TOKEN = _RATE // AUDIO_TOKENS_PER_SECOND  # samples
_RAMP = (2, 3)  # tokens in the first deltas …
_STEADY = 5  # … in each further one …
_LONGEST_TAIL, _SHORTEST_TAIL = 12, 10  # … and in the last, as the cloud services send them
_SHORTEST_SENTENCE = 12  # characters; a shorter one is spoken together with the next
_SENTENCE_END = re.compile(r"[.!?…]+[\"'”’)\]]*(?=\s)|[。！？]|\n")


def text_deltas(text: str) -> list[str]:
    """Return the pieces in which a text is streamed; they join to it exactly.

    A piece is a word with the space before it, a part of a long word, or punctuation.
    """
    return re.findall(r" ?\w{1,8}| ?[^\w\s]{1,4}|\s", text)


class Sentences:
    """Cuts a text that is still being written into whole sentences, so that each can be spoken when it is complete.

    Where the cuts are depends on the text alone, never on the pieces in which it came.
    """

    def __init__(self) -> None:
        self._text = ""

    def add(self, piece: str) -> list[str]:
        """Take a piece of the text; return the sentences that it completes."""
        self._text += piece
        found: list[str] = []
        begin = 0
        for stop in _SENTENCE_END.finditer(self._text):
            if stop.end() < len(self._text) and len(self._text[begin : stop.end()].strip()) >= _SHORTEST_SENTENCE:
                found.append(self._text[begin : stop.end()])
                begin = stop.end()
        self._text = self._text[begin:]
        return found

    def rest(self) -> list[str]:
        """Return what is left at the text's end."""
        rest, self._text = self._text, ""
        return [rest] if rest else []


@dataclass(frozen=True, slots=True)
class AudioDelta:
    """The audio of one delta: whole samples in the output format, and the tokens (of 50 ms) that they count."""

    data: bytes
    tokens: int

    @property
    def seconds(self) -> float:
        """Return how long it lasts."""
        return self.tokens / AUDIO_TOKENS_PER_SECOND


class AudioDeltas:
    """Cuts speech into deltas of 2, 3, 5, 5, 5 … tokens and a long last one, encoded in `format`."""

    def __init__(self, format: AudioFormat) -> None:
        self.format = format
        self._pending = np.zeros(0, np.int16)
        self._before = np.zeros(_TOKEN, np.int16)
        self._sizes = iter(_RAMP)
        self._size = next(self._sizes)

    def add(self, samples: Samples) -> None:
        """Take samples (int16, 24 kHz)."""
        self._pending = np.concatenate([self._pending, samples])

    def ready(self) -> Iterator[AudioDelta]:
        """Yield the complete deltas. From the third on, enough is held back for the last one to be long."""
        while len(self._pending) >= (self._size + (_LONGEST_TAIL if self._size == _STEADY else 1)) * _TOKEN:
            yield self._cut(self._size)

    def rest(self) -> Iterator[AudioDelta]:
        """Yield what is left, padded with silence to a whole token."""
        missing = -len(self._pending) % _TOKEN
        self.add(np.zeros(missing, np.int16))
        while (left := len(self._pending) // _TOKEN) > _LONGEST_TAIL:
            yield self._cut(min(self._size, left - _SHORTEST_TAIL))
        if left:
            yield self._cut(left)

    def _cut(self, tokens: int) -> AudioDelta:
        samples, self._pending = np.split(self._pending, [tokens * _TOKEN])
        data = self.format.encode(self._at_output_rate(samples))
        self._before = samples[-_TOKEN:]
        self._size = next(self._sizes, _STEADY)
        return AudioDelta(data, tokens)

    def _at_output_rate(self, samples: Samples) -> Samples:
        """Resample together with the tokens before and after, so that the seams cannot be heard."""
        if self.format.rate == _RATE:
            return samples
        after = np.zeros(_TOKEN, np.int16)
        after[: len(self._pending)] = self._pending[:_TOKEN]
        around = resample(np.concatenate([self._before, samples, after]), _RATE, self.format.rate)
        edge = _TOKEN * self.format.rate // _RATE
        return around[edge:-edge]
