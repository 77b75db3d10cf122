"""What instructions ask of every answer: a name, a language, brevity, fixed words at the beginning and the end. Pure text.

What is not understood is left alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rtnb.service.script.words import sentences, to_digits

__all__ = ["LANGUAGES", "Instructions", "asked_language", "read_instructions"]

#: Codes of the languages that can be asked for, and their names.
LANGUAGES = {
    "en": "english|englisch|anglais|inglés|inglese",
    "de": "german|deutsch",
    "fr": "french|français",
    "es": "spanish|español",
    "it": "italian|italiano",
}
_LANGUAGE = re.compile(
    r"(?i)\b(?:in|auf|en|speak\w*|use|only|always|answer\w*|language is)\s+(?:only |fluent |plain |simple )?"
    rf"(?:{'|'.join(f'(?P<{code}>{names})' for code, names in LANGUAGES.items())})(?![\w-])"
)
_REFUSED = re.compile(r"(?i)[^.!?;,\n]*\b(?:not|never|don't|avoid|without)\b[^.!?;,\n]*")
_QUOTED = r"[^\"“'.]{0,60}?[\"“'‘](?P<words>[^\"“”]{1,120}?)[\"”'’](?!\w)"
_NAME = re.compile(
    r"\b(?i:your name is|you are called|you are named|call yourself|(?:assistant|tutor|agent|bot) (?:named|called)) "
    r"(?P<name>[A-ZÀ-Þ][\w-]{0,29})|\b(?i:you are) (?P<apposed>[A-ZÀ-Þ][\w-]{1,29})(?=[,.;!]| and\b|$)"
)
_BRIEF = re.compile(
    r"(?i)\b(?:brief(?:ly)?|concise(?:ly)?|terse(?:ly)?|short (?:answers?|repl(?:y|ies)|sentences?|responses?)"
    r"|keep (?:it|them|your \w+) (?:very )?short)\b"
)


@dataclass(frozen=True, slots=True)
class Instructions:
    """What answers are to be like.

    Attributes
    ----------
    name : str
        The assistant's, or ``""``.
    language : str
        A code of `LANGUAGES`, or ``""``.
    most_sentences, most_words : int
        Longest answer; 0 for no limit.
    opening, closing : str
        Words with which each answer begins and ends.
    """

    name: str = ""
    language: str = ""
    most_sentences: int = 0
    most_words: int = 0
    opening: str = ""
    closing: str = ""

    def heeded(self, answer: str) -> str:
        """Return an answer as short as it is to be, with the fixed words around it."""
        if self.most_sentences:
            answer = " ".join(sentences(answer)[: self.most_sentences])
        words = answer.split()
        if self.most_words and len(words) > self.most_words:
            answer = " ".join(words[: self.most_words]).rstrip(".,;:!?") + "."
        return " ".join(filter(None, (self.opening, answer, self.closing)))


def asked_language(text: str) -> str:
    """Return the language that a text asks for last (``"answer in German"``), or ``""``."""
    codes = [match.lastgroup or "" for match in _LANGUAGE.finditer(_REFUSED.sub("", text))]
    return codes[-1] if codes else ""


def read_instructions(text: str) -> Instructions:
    """Read instructions of any kind."""
    asked = _REFUSED.sub("", text)
    counted = to_digits(asked.lower().replace("a single sentence", "1 sentence"))
    limit = re.search(r"\b([1-9])(?: short| brief)? sentences?\b", counted)
    words = re.search(r"\b(?:at most|no more than|max(?:imum)?(?: of)?|under|fewer than|less than|up to) (\d{1,3}) words\b", counted)  # fmt: skip
    return Instructions(
        name=_first(_NAME.search(asked)),
        language=asked_language(text),
        most_sentences=int(limit[1]) if limit else 1 if _BRIEF.search(asked) else 0,
        most_words=int(words[1]) if words and int(words[1]) > 3 else 0,
        opening=_first(re.search(rf"(?i:\b(?:start|begin|open)\s[^\"“'.]*\b(?:with|by saying)\b){_QUOTED}", asked)),
        closing=_first(re.search(rf"(?i:\b(?:end|finish|close)\s[^\"“'.]*\b(?:with|by saying)\b){_QUOTED}", asked)),
    )


def _first(match: re.Match[str] | None) -> str:
    return next(filter(None, match.groups()), "").strip() if match else ""
