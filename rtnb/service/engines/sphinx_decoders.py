"""PocketSphinx's decoders, as far as the service needs them; used only in a worker's process."""

from __future__ import annotations

import math
import re
import tempfile
from io import StringIO
from pathlib import Path
from typing import Any

__all__ = ["SphinxDecoders", "unknown_words"]

# By how much a frame must be likelier with the phrases than with the general model, and how sure the phrases' decoder must
# be of its words. Spoken phrases reached 0.0007 to 0.0018 and 0.01 to 0.09; what only begins like one, or is foreign to
# them, up to 0.0007, and rarely both limits.
_MARGIN = 0.0007
_SURE = 0.01
# How sure a text must be: by the general decoder, of each word on geometric average (the end of a sentence counts as one), and
# by how much the sound is less likely to be these words than any sounds of speech (of each 10 ms of them, times a thousand).
# Measured with seven voices and 14 languages, on the general decoder alone: a tenth of the English texts with at most a third
# of the words wrong is less sure, most of them single words; of those with more wrong two fifths; of other languages 92 %.
# The first of the two figures alone stops 82 % of them.
_LEAST_SURE = -5.2
_WORD_FRAMES, _LETTER_FRAMES = 50, 8  # of 10 ms: the longest word
_LEAST, _LEAST_TEXT = 1e-12, 1e-300  # for the logarithm of a word's, a text's probability that is 0
_ALTERNATIVE = re.compile(r"\(\d+\)$")


class SphinxDecoders:
    """Decoders that are fed the same sound: one knows English at large, one only some phrases, but those well, and one sounds.

    Parameters
    ----------
    phrases : list of str
        In small letters, without punctuation.
    """

    def __init__(self, phrases: list[str]) -> None:
        from pocketsphinx import Decoder, get_model_path

        self._general = Decoder(loglevel="FATAL")
        model = get_model_path("en-us/en-us-phone.lm.bin")
        self._sounds = Decoder(allphone=model, lm=None, lw=2.0, beam=1e-20, pbeam=1e-20, loglevel="FATAL")
        self._phrases = phrases
        self._hint: list[str] = []
        self._narrow = _phrase_decoder(phrases)
        self._open = False
        self._said: list[Any] = []  # the segments that are the words of the last text

    def begin(self, hint: list[str]) -> None:
        """Begin an utterance, and forget one that was not finished; `hint` has further phrases for it."""
        self._end()
        if hint != self._hint:
            self._narrow = _phrase_decoder([*self._phrases, *hint])
            self._hint = hint
        for decoder in self._decoders():
            decoder.start_utt()
        self._open = True

    def feed(self, pcm16: bytes) -> None:
        """Take PCM16 at 16 kHz."""
        for decoder in self._decoders():
            decoder.process_raw(pcm16, False, False)

    def finish(self) -> str | None:
        """End the utterance, and return its text: empty if nothing was said, None if the words cannot be made out."""
        self._end()
        general = self._general.hyp()
        narrow = self._narrow.hyp() if self._narrow else None
        expected = narrow and _expected(narrow, general, self._general.n_frames())
        hypothesis, decoder = (narrow, self._narrow) if expected else (general, self._general)
        self._said = _words(decoder)
        if not hypothesis or all(map(_endless, self._said)):
            self._said = []
            return ""
        return str(hypothesis.hypstr) if expected or self._sureness(general) >= _LEAST_SURE else None

    def _sureness(self, general: Any) -> float:
        frames = sum(map(_frames, self._said))
        sounds = self._sounds.hyp()
        sure = math.log(max(general.prob, _LEAST_TEXT)) / (len(self._said) + 1)
        if sounds and min(sounds.best_score, general.best_score) > 0:
            sure += math.log(general.best_score / sounds.best_score) / frames * 1000
        return sure

    def logprobs(self) -> tuple[tuple[str, float], ...]:
        """Return the words of the text that :meth:`finish` returned, each with the logarithm of its posterior probability.

        They join to the text.
        """
        words = [(_word(each.word), math.log(max(each.prob, _LEAST))) for each in self._said]
        return tuple((" " * (index > 0) + word, value) for index, (word, value) in enumerate(words))

    def _end(self) -> None:
        if self._open:
            self._open = False
            for decoder in self._decoders():
                decoder.end_utt()

    def _decoders(self) -> list[Any]:
        return [decoder for decoder in (self._narrow, self._general, self._sounds) if decoder]


def _words(decoder: Any) -> list[Any]:
    """Return the segments of a decoder's text that are words."""
    return [each for each in decoder.seg() or () if not each.word.startswith(("<", "["))]


def _frames(segment: Any) -> int:
    return int(segment.end_frame - segment.start_frame + 1)


def _endless(segment: Any) -> bool:
    return _frames(segment) > _WORD_FRAMES + _LETTER_FRAMES * len(_word(segment.word))


def _expected(narrow: Any, general: Any, frames: int) -> bool:
    """Return whether what was said is one of the phrases."""
    if narrow.prob < _SURE or not narrow.hypstr:
        return False
    if general and narrow.hypstr == general.hypstr:
        return True
    if not general or min(narrow.best_score, general.best_score) <= 0:
        return False
    return math.log(narrow.best_score / general.best_score) / max(frames, 1) > _MARGIN


def _phrase_decoder(phrases: list[str]) -> Any:
    """Return a decoder for the phrases of which the dictionary has all words, or None if there are none."""
    if not phrases:
        return None
    from pocketsphinx import Decoder
    from pocketsphinx.lm import ArpaBoLM

    entries, unknown = _look_up(phrases)
    known = [phrase for phrase in phrases if not set(phrase.split()) & set(unknown)]
    if not known:
        return None
    model = ArpaBoLM(add_start=True)
    model.read_corpus(StringIO("\n".join(known)))
    model.compute()
    with tempfile.TemporaryDirectory() as folder:
        dictionary, language = Path(folder, "phrases.dict"), Path(folder, "phrases.lm")
        dictionary.write_text("".join(entries), encoding="utf-8")
        if not model.write_file(str(language)):
            raise RuntimeError("The language model of the phrases could not be written.")
        return Decoder(dict=str(dictionary), lm=str(language), loglevel="FATAL")


def unknown_words(phrases: list[str]) -> list[str]:
    """Return the words of phrases, given as to `SphinxDecoders`, that the dictionary does not have."""
    return _look_up(phrases)[1] if phrases else []


def _look_up(phrases: list[str]) -> tuple[list[str], list[str]]:
    """Return the dictionary's entries for the words of some phrases, and the words that it does not have.

    With all of its 134,000 words a decoder would take five seconds to start.
    """
    from pocketsphinx import get_model_path

    words = {word for phrase in phrases for word in phrase.split()}
    with Path(get_model_path("en-us/cmudict-en-us.dict")).open(encoding="utf-8") as lines:
        entries = [line for line in lines if _word(line) in words]
    return entries, sorted(words - {_word(entry) for entry in entries})


def _word(entry: str) -> str:
    return _ALTERNATIVE.sub("", entry.split(None, 1)[0])
