"""From a sentence's sound and word timings to words with their sound. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

import numpy as np

from rtnb.audio.resample import ResampleStream
from rtnb.audio.samples import Samples
from rtnb.service.engines.tasks import SpokenWord
from rtnb.service.speech.voice import RATE

__all__ = ["SpokenWords"]

_UNSPOKEN = RATE * 60 // 1000  # a text without any sound still takes a moment


class SpokenWords:
    """Takes sound and word timings as they are made, and gives each word when its sound is complete.

    Parameters
    ----------
    text : str
        The words' texts join to it exactly.
    rate : int
        Samples per second (Hz) of the sound that is taken; the words' is 24 kHz.
    """

    def __init__(self, text: str, rate: int) -> None:
        self._text = text
        self._rate = rate
        self._resampled = ResampleStream(rate, RATE)
        self._sound: Samples = np.zeros(0, np.int16)
        self._sound_from = 0  # sample at 24 kHz at which _sound begins
        self._text_from = 0
        self._covered = -1  # character after the last word that was announced; -1: none was
        self._marks: deque[tuple[int, int]] = deque()  # (character, sample at 24 kHz) at which the next words begin
        self._last_mark = (0, 0)

    def add(self, words: Iterable[Sequence[int]], samples: Samples) -> list[SpokenWord]:
        """Take word timings and sound, and give the words that are complete.

        Parameters
        ----------
        words : iterable of (int, int, int)
            Character, number of characters, sample at which the word begins, from the beginning of the sentence.
        samples : ndarray of int16, shape (n,)
        """
        for start, length, sample in words:
            self._announce(start, length, sample)
        self._sound = np.concatenate([self._sound, self._resampled.push(samples)])
        return self._complete()

    def end(self) -> list[SpokenWord]:
        """Give the rest."""
        self._sound = np.concatenate([self._sound, self._resampled.push(np.zeros(0, np.int16), last=True)])
        words = self._complete()
        missing = max(_UNSPOKEN - self._sound_from - len(self._sound), 0)
        if self._text_from < len(self._text):
            rest = np.concatenate([self._sound, np.zeros(missing, np.int16)])
            words.append(_word(self._text[self._text_from :], rest))
        return words

    def _announce(self, start: int, length: int, sample: int) -> None:
        if not 0 <= start < len(self._text) or self._text[start].isspace() or start < self._covered:
            return  # the rest of a number, or of a picture's name
        first, self._covered = self._covered < 0, start + length
        if first:
            return  # whatever stands before the first word belongs to it
        mark = (self._word_start(start), round(sample * RATE / self._rate))
        if mark[0] > self._last_mark[0] and mark[1] > self._last_mark[1]:
            self._marks.append(mark)
            self._last_mark = mark

    def _word_start(self, start: int) -> int:
        """Return the character at which the space before a word begins: brackets and quotes stay with the word."""
        begin = start
        while begin > self._text_from and not self._text[begin - 1].isspace() and not self._text[begin - 1].isalnum():
            begin -= 1
        if begin == 0 or not self._text[begin - 1].isspace():
            return start
        while begin > 0 and self._text[begin - 1].isspace():
            begin -= 1
        return begin

    def _complete(self) -> list[SpokenWord]:
        words = []
        # Strictly before the end of the sound: a word that no sound follows yet may turn out to have none.
        while self._marks and self._marks[0][1] < self._sound_from + len(self._sound):
            character, sample = self._marks.popleft()
            count = sample - self._sound_from
            words.append(_word(self._text[self._text_from : character], self._sound[:count]))
            self._text_from, self._sound_from, self._sound = character, sample, self._sound[count:]
        return words


def _word(text: str, samples: Samples) -> SpokenWord:
    samples = samples.copy()
    samples.flags.writeable = False
    return SpokenWord(text, samples)
