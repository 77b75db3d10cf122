"""How eSpeak NG sounds under each voice's name, and how long texts are cut for it. Pure.

The names are the cloud's, the speakers are stand-ins: they differ from one another to the ear, and resemble nobody.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["SPEAKERS", "EspeakSpeaker", "readable", "sentences", "speaker"]

_SLOWEST, _FASTEST = 80, 450  # words per minute that the engine can do
_LONGEST_SENTENCE = 200  # characters; 14 s of speech, made in some 10 ms
_LONGEST_WORD = 80
_SENTENCE_END = re.compile(r"[.!?…][\"'”’)\]]*\s+|[。！？]\s*|\n\s*")
_CLAUSE_END = re.compile(r"[,;:–—]\s+|[，；：、]")
_SPACE = re.compile(r"\s+")
_UNREADABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class EspeakSpeaker:
    """One speaker.

    Attributes
    ----------
    variant : str
        Of eSpeak NG's voice variants: the size and shape of the vocal tract.
    pitch, melody : int
        Base of the pitch, and its range: 0 to 100, 50 is the variant's own.
    words_per_minute : int
    volume : int
        So that all are about equally loud; 100 is the variant's own, 200 the most.
    """

    variant: str
    pitch: int = 50
    melody: int = 50
    words_per_minute: int = 175
    volume: int = 90

    def rate(self, speed: float) -> int:
        """Return the words per minute at a pace, as far as the engine goes: 80 to 450."""
        return round(min(max(self.words_per_minute * speed, _SLOWEST), _FASTEST))


#: The speakers behind the names. The first one is what a speech recogniser understands best.
SPEAKERS: Mapping[str, EspeakSpeaker] = MappingProxyType(
    {
        "alloy": EspeakSpeaker("klatt4", volume=80),
        "ash": EspeakSpeaker("m3", pitch=38, melody=40, words_per_minute=180),
        "ballad": EspeakSpeaker("m7", pitch=52, melody=80, words_per_minute=155),
        "coral": EspeakSpeaker("f2", pitch=58, melody=60, words_per_minute=180),
        "echo": EspeakSpeaker("klatt2", pitch=28, melody=35, words_per_minute=165, volume=200),
        "sage": EspeakSpeaker("f3", pitch=40, melody=40, words_per_minute=160),
        "shimmer": EspeakSpeaker("f5", pitch=72, melody=75, words_per_minute=170),
        "verse": EspeakSpeaker("m4", pitch=66, melody=85, words_per_minute=190),
        "marin": EspeakSpeaker("steph", pitch=45, melody=55, words_per_minute=178),
        "cedar": EspeakSpeaker("Gene", pitch=12, melody=45, words_per_minute=160, volume=75),
    }
)


def speaker(name: str) -> EspeakSpeaker:
    """Give the speaker behind a voice's name; a name never heard of gets one of its own, always the same."""
    return SPEAKERS.get(name) or _stranger(name)


def _stranger(name: str) -> EspeakSpeaker:
    digest = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=4).digest()
    variants = sorted({known.variant for known in SPEAKERS.values()})
    shape, pitch, melody, pace = digest
    return EspeakSpeaker(variants[shape % len(variants)], 25 + pitch % 50, 35 + melody % 45, 158 + pace % 32)


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


def readable(text: str) -> str:
    """Return a text of the same length without characters that the engine cannot take."""
    return _UNREADABLE.sub(" ", text)
