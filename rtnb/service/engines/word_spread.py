"""Words with their sound where the engine gives no word times: a text is spread over its sound by the length of its words. Pure."""

from __future__ import annotations

import math
import re
from collections import deque

import numpy as np

from rtnb.audio.formats import PCM16
from rtnb.audio.samples import Samples
from rtnb.service.engines.tasks import SpokenWord

__all__ = ["RATE", "WordSpread", "is_speakable", "silent_word", "spread_whole"]

RATE = PCM16.rate
"""Samples per second (Hz) of every voice's sound."""

_CJK = "\u3041-\u30ff\u3400-\u9fff\uac00-\ud7a3"
# Chinese and Japanese are written without spaces: each character counts as a word.
_WORD = re.compile(rf"\s*(?:[{_CJK}]|[^\s{_CJK}]+)")
_LONG = re.compile(rf"[0-9{_CJK}]")  # one character, said as a whole word or syllable
_USUAL_SECONDS = 0.065  # for each letter at normal speed, before the voice is known
_UNSPOKEN = RATE * 60 // 1000  # a text without any sound still takes a moment


class WordSpread:
    """Takes the sound of a text as it comes, and gives each word when the sound of its length is there.

    Parameters
    ----------
    text : str
        The words' texts join to it exactly.
    seconds_per_letter : float
        How fast the voice is expected to speak; see `seconds_per_letter` after `end`.
    """

    def __init__(self, text: str, seconds_per_letter: float = _USUAL_SECONDS) -> None:
        words = _WORD.findall(text) or [""]
        words[-1] = text[len("".join(words[:-1])) :]  # with the spaces after it
        self._words = deque((word, _letters(word)) for word in words)
        self.letters = sum(letters for _, letters in self._words)
        self._expected = seconds_per_letter
        self._sound: list[Samples] = []
        self._held = 0  # samples in _sound
        self._total = 0

    def add(self, samples: Samples) -> list[SpokenWord]:
        """Take sound (int16, shape (n,), 24 kHz); give the words that are complete with it. The last one waits for the end."""
        self._sound.append(samples)
        self._held += len(samples)
        self._total += len(samples)
        found = []
        while len(self._words) > 1 and (length := self._words[0][1] * self._expected * RATE) <= self._held:
            found.append(self._cut(round(length)))
        return found

    def end(self) -> list[SpokenWord]:
        """Give the rest: the words that are left share the sound that is left."""
        found = []
        while self._words:
            letters = sum(letters for _, letters in self._words)
            length = round(self._held * self._words[0][1] / letters)
            if length == 0 or len(self._words) == 1:
                break
            found.append(self._cut(length))
        if self._words:
            text = "".join(word for word, _ in self._words)
            self._words = deque([(text, 1.0)])
            found.append(self._cut(self._held) if self._held else silent_word(text))
        return found

    @property
    def seconds_per_letter(self) -> float:
        """How fast the voice spoke, after `end`: what to expect of it next time."""
        return self._total / RATE / self.letters

    def _cut(self, length: int) -> SpokenWord:
        sound = np.concatenate(self._sound)
        self._sound, self._held = [sound[length:]], self._held - length
        return _word(self._words.popleft()[0], sound[:length])


def spread_whole(text: str, samples: Samples) -> list[SpokenWord]:
    """Return the words of a text whose sound (int16, shape (n,), 24 kHz) is all there."""
    spread = WordSpread(text, math.inf)  # which holds every word back until the end
    return [*spread.add(samples), *spread.end()]


def is_speakable(text: str) -> bool:
    """Return whether a text has anything that a voice could say."""
    return any(char.isalnum() for char in text)


def silent_word(text: str) -> SpokenWord:
    """Return a text that is not spoken, with a moment of silence."""
    return _word(text, np.zeros(_UNSPOKEN, np.int16))


def _word(text: str, samples: Samples) -> SpokenWord:
    samples = samples.copy()
    samples.flags.writeable = False
    return SpokenWord(text, samples)


def _letters(word: str) -> float:
    """Return how long a word takes to say, in letters; a pause follows its punctuation."""
    letters = sum(3.0 if _LONG.match(char) else 1.0 for char in word if char.isalnum())
    end = word.rstrip("\"'”’)] \n")[-1:]
    return letters + (6.0 if end in ".!?…。！？" and end else 3.0 if end in ",;:，、" and end else 1.0)
