"""A text cut into the sentences that eSpeak NG speaks, and a spoken sentence cut into words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np

from rtnb.audio.formats import PCM16
from rtnb.audio.samples import Samples
from rtnb.service.engines.espeak_library import WordEvent
from rtnb.service.engines.tasks import SpokenWord

__all__ = ["sentences", "spoken_words"]

_LONGEST_SENTENCE = 200  # characters; 14 s of speech
_LONGEST_WORD = 80
_SENTENCE_END = re.compile(r"[.!?…][\"'”’)\]]*\s+|[。！？]\s*|\n\s*")
_CLAUSE_END = re.compile(r"[,;:–—]\s+|[，；：、]")
_SPACE = re.compile(r"\s+")
_UNSPOKEN = PCM16.rate * 60 // 1000  # samples: a text without any sound still takes a moment


def sentences(text: str) -> Iterator[str]:
    """Cut a text where a speaker would breathe: parts of at most 200 characters, which join to it.

    A part ends after a sentence, else after a clause, else after a word, else anywhere.
    """
    position = 0
    while position < len(text):
        end = _cut(text, position)
        yield text[position:end]
        position = end


def _cut(text: str, start: int) -> int:
    if len(text) - start <= _LONGEST_SENTENCE:
        return len(text)
    stretch = text[start : start + _LONGEST_SENTENCE]
    for boundary in (_SENTENCE_END, _CLAUSE_END, _SPACE):
        ends = [match.end() for match in boundary.finditer(stretch)]
        if ends:
            return start + ends[-1]
    return start + _LONGEST_WORD


def spoken_words(text: str, events: Sequence[WordEvent], sound: Samples) -> list[SpokenWord]:
    """Cut a sentence and its sound into words.

    Parameters
    ----------
    text : str
        The words' texts join to it exactly, each with the spaces before and the punctuation after it.
    events : sequence of (int, int, int)
        Character, number of characters, sample at which the word begins.
    sound : int16 array, shape (n,)
        The words' samples join to it, and silence where it is shorter than 60 ms.
    """
    marks = [(0, 0)]  # character and sample at which each word begins
    covered = -1  # character after the last event; -1: there was none
    for start, length, sample in events:
        if not 0 <= start < len(text) or text[start].isspace() or start < covered:
            continue  # the rest of a number, or of an emoji's name
        first, covered = covered < 0, start + length
        character = _with_space(text, start, marks[-1][0])
        # What stands before the first word belongs to it.
        if not first and character > marks[-1][0] and marks[-1][1] < sample < len(sound):
            marks.append((character, sample))
    sound = np.concatenate([sound, np.zeros(max(_UNSPOKEN - len(sound), 0), np.int16)])
    sound.flags.writeable = False
    ends = [*marks[1:], (len(text), len(sound))]
    return [
        SpokenWord(text[character:text_end], sound[sample:sound_end])
        for (character, sample), (text_end, sound_end) in zip(marks, ends, strict=True)
    ]


def _with_space(text: str, start: int, lowest: int) -> int:
    """Return the character at which the space before a word begins: brackets and quotes stay with the word."""
    begin = start
    while begin > lowest and not text[begin - 1].isspace() and not text[begin - 1].isalnum():
        begin -= 1
    if begin == 0 or not text[begin - 1].isspace():
        return start
    return len(text[:begin].rstrip())
