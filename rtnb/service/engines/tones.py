"""The voice that needs no extra: one soft tone per syllable. It has the rhythm, pauses and word times of speech, no words."""

from __future__ import annotations

import asyncio
import hashlib
import re
import unicodedata
import zlib
from collections.abc import AsyncGenerator, Iterator

import numpy as np

from rtnb.audio.formats import PCM16
from rtnb.audio.samples import FULL_SCALE, Samples
from rtnb.protocol.catalog import DEFAULT_VOICE
from rtnb.service.engines.languages import guess_language
from rtnb.service.engines.tasks import Say, SpokenWord

__all__ = ["PITCH_HZ", "ToneVoice", "pitch_hz", "syllables", "tones"]

#: Middle of the pitch of each voice, in Hz.
PITCH_HZ: dict[str, float] = {
    "alloy": 152, "ash": 106, "ballad": 128, "coral": 208, "echo": 96, "sage": 186, "shimmer": 230, "verse": 138,
    "marin": 170, "cedar": 84,
}  # fmt: skip

_SYLLABLE_S = 0.19
_MOST_SYLLABLES = 4  # of a piece: audio and transcript advance together
_WORD_PAUSE_S, _CLAUSE_PAUSE_S, _SENTENCE_PAUSE_S = 0.03, 0.19, 0.38
_UNSPOKEN_S = 0.06  # a piece without any sound: a dash, an emoji
_FADE_S = 0.03
_PEAK = 0.4  # of full scale
_OVERTONES = (1.0, 0.5, 0.3, 0.15, 0.1)  # small loudspeakers do not give the lowest
_FALL = 0.02  # the pitch falls by this share a word, for eight words of a sentence
_QUESTION_RISE = 1.2
_SPREAD = 0.04  # share by which the seed varies the pitch of a syllable

_WORD = re.compile(r"\s*\S+(?:\s+\Z)?|\s+\Z")
_SENTENCE_END = re.compile(r"[.!?…。！？][\"'”’)\]]*\s*\Z")
_CLAUSE_END = re.compile(r"[,;:，；：、][\"'”’)\]]*\s*\Z")
# Not every language of num2words: Amharic takes minutes for a long number.
_NUMBER_LANGUAGE = re.compile(r"(?:en|de|fr|es|it|pt|nl|da|sv|no|fi|pl|cs|ru|uk|tr|ja|ko|ar|he)(?![a-z])")
_DIGITS = re.compile(r"\d{1,9}")
_ONE_EACH = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")  # kana, Chinese characters, Hangul
_VOWELS = re.compile(r"[aeiouyæøœıаеёиоуыэюяієїαεηιουω]+")


class ToneVoice:
    """Speaks one tone per syllable; between two words every other task has its turn."""

    name = "tones"

    async def run(self, task: Say) -> AsyncGenerator[SpokenWord, None]:
        """Speak, word by word."""
        for word in tones(task.text, task.voice, language=task.language, seed=task.seed, speed=task.speed):
            yield word
            await asyncio.sleep(0)

    async def close(self) -> None:
        """Do nothing: there is nothing running."""

    def __repr__(self) -> str:
        return "<ToneVoice: one tone per syllable>"


def tones(
    text: str, voice: str = DEFAULT_VOICE, *, language: str | None = None, seed: int = 0, speed: float = 1.0
) -> Iterator[SpokenWord]:
    """Speak a text as tones, one word after the other; the words' texts join to it.

    Parameters
    ----------
    text : str
    voice : str
    language : str, optional
        A language tag, in which numbers are read; without it, as the text is.
    seed : int
        Varies the melody; equal arguments give equal samples.
    speed : float
        1.0 is normal: about 170 English words a minute.
    """
    language = language or guess_language(text) or "en"
    random = np.random.default_rng(zlib.crc32(f"{seed} {voice} {text}".encode("utf-8", "replace")))
    position = 0  # of the word in its sentence
    for word in _WORD.finditer(text):
        ends_sentence = _SENTENCE_END.search(word[0]) is not None
        ends_clause = _CLAUSE_END.search(word[0]) is not None
        pause = _SENTENCE_PAUSE_S if ends_sentence else _CLAUSE_PAUSE_S if ends_clause else _WORD_PAUSE_S
        pieces = _pieces(word[0], language)
        for index, (piece, count) in enumerate(pieces):
            last = index == len(pieces) - 1
            hz = pitch_hz(voice) * (1.08 - _FALL * min(position, 8)) * (1 + random.uniform(-_SPREAD, _SPREAD, count))
            if last and ends_sentence and "?" in word[0]:
                hz[-1:] *= _QUESTION_RISE
            silence = max(pause if last else 0, 0 if count else _UNSPOKEN_S)
            samples = [*(_tone(each, _SYLLABLE_S / speed) for each in hz), _tone(0, silence / speed)]
            sound = np.concatenate(samples)
            sound.flags.writeable = False
            yield SpokenWord(piece, sound)
        position = 0 if ends_sentence else position + 1


def pitch_hz(voice: str) -> float:
    """Return the middle of a voice's pitch; an unknown name has one of its own, always the same."""
    (height,) = hashlib.blake2b(voice.encode("utf-8", "surrogatepass"), digest_size=1).digest()
    return PITCH_HZ.get(voice, 90 + 135 * height / 255)


def syllables(word: str, language: str = "en") -> int:
    """Count the syllables of a word, roughly: groups of vowels, or one for two or three letters of another script."""
    from num2words import num2words

    known = _NUMBER_LANGUAGE.match(language.lower())
    word = _DIGITS.sub(lambda digits: f" {num2words(int(digits[0]), lang=known[0] if known else 'en')} ", word)
    count = 0
    for part in re.findall(r"[^\W\d_]+", unicodedata.normalize("NFC", word)):
        alone = len(_ONE_EACH.findall(part))
        plain = unicodedata.normalize("NFD", _ONE_EACH.sub("", part).lower())
        letters = sum(letter.isalpha() for letter in plain)
        count += alone + (len(_VOWELS.findall(plain)) or -(-letters * 2 // 5))
    return count


def _pieces(word: str, language: str) -> list[tuple[str, int]]:
    """Cut a word that would take long into pieces; give each with its number of syllables."""
    count = syllables(word, language)
    parts = max(min(-(-count // _MOST_SYLLABLES), len(word)), 1)
    cuts = [len(word) * index // parts for index in range(parts + 1)]
    shares = [count * index // parts for index in range(parts + 1)]
    return [(word[cuts[i] : cuts[i + 1]], shares[i + 1] - shares[i]) for i in range(parts)]


def _tone(hz: float, seconds: float) -> Samples:
    """Return a tone that fades in and out; silence for 0 Hz."""
    count = round(seconds * PCM16.rate)
    if not hz:
        return np.zeros(count, np.int16)
    phase = 2 * np.pi * hz * np.arange(count) / PCM16.rate
    wave = sum(share * np.sin((index + 1) * phase) for index, share in enumerate(_OVERTONES))
    fade = np.minimum(np.arange(count), np.arange(count)[::-1]) / (_FADE_S * PCM16.rate)
    envelope = np.sin(np.pi / 2 * np.minimum(fade, 1)) ** 2
    peak = _PEAK * FULL_SCALE / sum(_OVERTONES)
    return np.rint(peak * wave * envelope).astype(np.int16)
