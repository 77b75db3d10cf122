"""PocketSphinx's decoders, as far as the service needs them; used only in a worker's process."""

from __future__ import annotations

import math
import re
import tempfile
from collections.abc import Iterable
from io import StringIO
from pathlib import Path
from typing import Any

__all__ = ["SphinxDecoders"]

# By how much a frame must be likelier with the phrases than with the general model, and how sure the phrases' decoder must
# be of its words. Spoken phrases reached 0.0007 to 0.0018 and 0.01 to 0.09; what only begins like one, or is foreign to
# them, up to 0.0007, and rarely both limits.
_MARGIN = 0.0007
_SURE = 0.01
_LEAST = 1e-12  # for the logarithm of a probability that is 0
_ALTERNATIVE = re.compile(r"\(\d+\)$")


class SphinxDecoders:
    """Two decoders that are fed the same sound: one knows English at large, the other only some phrases, but those well.

    Parameters
    ----------
    phrases : list of str
        In small letters, without punctuation.
    """

    def __init__(self, phrases: list[str]) -> None:
        from pocketsphinx import Decoder

        self._general = Decoder(loglevel="FATAL")
        self._phrases = phrases
        self._hint: list[str] = []
        self._narrow, self._unknown = _phrase_decoder(phrases)
        self._open = False
        self._best: Any = None  # the decoder whose text the last one was

    def unknown_words(self) -> list[str]:
        """Return the words of the phrases that the dictionary does not have; phrases with one of them are left out."""
        return self._unknown

    def begin(self, hint: list[str]) -> None:
        """Begin an utterance, and forget one that was not finished; `hint` has further phrases for it."""
        self._end()
        if hint != self._hint:
            self._narrow, _ = _phrase_decoder([*self._phrases, *hint])
            self._hint = hint
        for decoder in self._decoders():
            decoder.start_utt()
        self._open = True

    def feed(self, pcm16: bytes) -> None:
        """Take PCM16 at 16 kHz."""
        for decoder in self._decoders():
            decoder.process_raw(pcm16, False, False)

    def finish(self) -> str:
        """End the utterance, and return its text."""
        self._end()
        general = self._general.hyp()
        narrow = self._narrow.hyp() if self._narrow else None
        likelier = narrow and _likelier(narrow, general, self._general.n_frames())
        hypothesis = narrow if likelier else general
        self._best = self._narrow if likelier else self._general
        return str(hypothesis.hypstr) if hypothesis else ""

    def logprobs(self) -> tuple[tuple[str, float], ...]:
        """Return the words of the text that :meth:`finish` returned, each with the logarithm of its posterior probability.

        They join to the text.
        """
        said = [each for each in self._best.seg() or () if not each.word.startswith(("<", "["))]
        words = [(_word(each.word), math.log(max(each.prob, _LEAST))) for each in said]
        return tuple((" " * (index > 0) + word, value) for index, (word, value) in enumerate(words))

    def _end(self) -> None:
        if self._open:
            self._open = False
            for decoder in self._decoders():
                decoder.end_utt()

    def _decoders(self) -> list[Any]:
        return [decoder for decoder in (self._narrow, self._general) if decoder]


def _likelier(narrow: Any, general: Any, frames: int) -> bool:
    if narrow.prob < _SURE or not narrow.hypstr:
        return False
    if not general or min(narrow.best_score, general.best_score) <= 0:
        return False
    return math.log(narrow.best_score / general.best_score) / max(frames, 1) > _MARGIN


def _phrase_decoder(phrases: list[str]) -> tuple[Any, list[str]]:
    """Return a decoder for the phrases whose words are known, or None if there are none, and the unknown words."""
    if not phrases:
        return None, []
    from pocketsphinx import Decoder, get_model_path
    from pocketsphinx.lm import ArpaBoLM

    words = {word for phrase in phrases for word in phrase.split()}
    # With all of its 134,000 words the decoder would take five seconds to start.
    entries = _entries(Path(get_model_path("en-us/cmudict-en-us.dict")), words)
    unknown = sorted(words - {_word(entry) for entry in entries})
    known = [phrase for phrase in phrases if not set(phrase.split()) & set(unknown)]
    if not known:
        return None, unknown
    model = ArpaBoLM(add_start=True)
    model.read_corpus(StringIO("\n".join(known)))
    model.compute()
    with tempfile.TemporaryDirectory() as folder:
        dictionary, language = Path(folder, "phrases.dict"), Path(folder, "phrases.lm")
        dictionary.write_text("".join(entries), encoding="utf-8")
        if not model.write_file(str(language)):
            raise RuntimeError("The language model of the phrases could not be written.")
        return Decoder(dict=str(dictionary), lm=str(language), loglevel="FATAL"), unknown


def _entries(dictionary: Path, words: Iterable[str]) -> list[str]:
    with dictionary.open(encoding="utf-8") as lines:
        return [line for line in lines if _word(line) in words]


def _word(entry: str) -> str:
    return _ALTERNATIVE.sub("", entry.split(None, 1)[0])
