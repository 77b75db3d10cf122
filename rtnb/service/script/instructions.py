"""What instructions ask of every answer: a name, a language, brevity. Pure text; what is not understood is left alone."""

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
_NAME = re.compile(
    r"\b(?i:your name is|you are called|you are named|call yourself|(?:assistant|tutor|agent|bot) (?:named|called)) "
    r"([A-ZÀ-Þ][\w-]{0,29})|\b(?i:you are) ([A-ZÀ-Þ][\w-]{1,29})(?=[,.;!]| and\b|$)"
)
_SENTENCES = re.compile(r"\b([1-9])(?: short| brief)? sentences?\b|\ba single sentence\b")
_BRIEF = re.compile(r"(?i)\b(?:brief(?:ly)?|concise(?:ly)?|short (?:answers?|replies|sentences?|responses?))\b")


@dataclass(frozen=True, slots=True)
class Instructions:
    """What answers are to be like.

    Attributes
    ----------
    name : str
        The assistant's, or ``""``.
    language : str
        A code of `LANGUAGES`, or ``""``.
    most_sentences : int
        Longest answer; 0 for no limit.
    """

    name: str = ""
    language: str = ""
    most_sentences: int = 0

    def heeded(self, answer: str) -> str:
        """Return an answer that is as short as it should be."""
        return " ".join(sentences(answer)[: self.most_sentences]) if self.most_sentences else answer


def asked_language(text: str) -> str:
    """Return the language that a text asks for last (``"answer in German"``), or ``""``."""
    codes = [match.lastgroup or "" for match in _LANGUAGE.finditer(_REFUSED.sub("", text))]
    return codes[-1] if codes else ""


def read_instructions(text: str) -> Instructions:
    """Read instructions of any kind."""
    asked = _REFUSED.sub("", text)
    name, limit = _NAME.search(asked), _SENTENCES.search(to_digits(asked.lower()))
    return Instructions(
        name=(name[1] or name[2]) if name else "",
        language=asked_language(text),
        most_sentences=int(limit[1] or 1) if limit else int(_BRIEF.search(asked) is not None),
    )
