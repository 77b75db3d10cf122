"""Reading instructions: the name, language, tone, length and fixed words that an answer is to have, and giving them to it.

Pure text. It heeds what a rule can heed, and lets the rest be.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from rtnb.service.script.asking import demanded_language

__all__ = ["Guidance", "dressed", "read_guidance", "sentences"]


@dataclass(frozen=True, slots=True)
class Guidance:
    """How answers are to be.

    Attributes
    ----------
    name : str
        That the assistant bears, or ``""``.
    language : str
        Demanded for answers, or ``""``.
    tone : str
        ``"pirate"``, ``"robot"``, ``"formal"``, ``"cheerful"``, ``"gloomy"`` or ``""``.
    most_sentences, most_words : int
        Longest answer; 0 for no limit.
    opening, closing : str
        Words in quotes with which each answer is to begin and end.
    only : str
        Words in quotes that are to be the whole of each answer.
    """

    name: str = ""
    language: str = ""
    tone: str = ""
    most_sentences: int = 0
    most_words: int = 0
    opening: str = ""
    closing: str = ""
    only: str = ""


_NUMBERS = MappingProxyType({"a single": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5})
_QUOTED = r"[\"“'‘]([^\"“”]{1,120}?)[\"”'’](?!\w)"
_ANSWERS = (
    r"(?:(?:every|each|all|your|any|the|of|answers?|repl(?:y|ies)|responses?|sentences?|messages?|it|them)\s+){0,4}"
)
_TONES = (
    ("pirate", r"\bpirates?\b"),
    ("robot", r"\b(?:like|as|are) an? (?:\w+ )?robot\b|\brobotic(?:ally)?\b"),
    ("formal", r"\bformal(?:ly)?\b|\bformell\b|\bpolite and serious\b"),
    ("cheerful", r"\b(?:cheerful(?:ly)?|enthusiastic(?:ally)?|upbeat|energetic(?:ally)?|excited(?:ly)?|bubbly)\b"),
    ("gloomy", r"\b(?:gloomy|gloomily|sad(?:ly)?|grumpy|grumpily|melancholic|depressed)\b"),
)


def read_guidance(instructions: str) -> Guidance:
    """Read instructions of any kind and language; what is not understood is left out."""
    lower = instructions.lower()
    return Guidance(
        name=_name(instructions),
        language=demanded_language(lower),
        tone=_tone(lower),
        most_sentences=_most_sentences(lower),
        most_words=_most_words(lower),
        opening=_quoted(
            rf"\b(?:start|begin|open|preface)\s+{_ANSWERS}(?:with|by saying)\b[^\"“'.]{{0,30}}", instructions
        ),
        closing=_quoted(
            rf"\b(?:end|finish|close|conclude)\s+{_ANSWERS}(?:with|by saying)\b[^\"“'.]{{0,30}}", instructions
        ),
        only=_quoted(
            r"\b(?:(?:always|only|just)\s+(?:say|answer|reply|respond)|(?:say|answer|reply|respond)\s+only)"
            r"(?:\s+(?:with|exactly|only|the words?)){0,3}[\s:]*",
            instructions,
        ),
    )


def _quoted(before: str, text: str) -> str:
    found = re.search(f"(?i:{before}){_QUOTED}", text)
    return found[1].strip() if found else ""


def _name(text: str) -> str:
    found = re.search(
        r"\b(?i:your name is|you are called|you are named|call yourself|du heißt|dein name ist|sie heißen|tu t'appelles"
        r"|vous vous appelez|te llamas|tu nombre es|ti chiami|il tuo nome è) ([A-ZÀ-Þ][\w-]{0,29})"
        r"|\b(?i:you are) ([A-ZÀ-Þ][\w-]{1,29})(?=[,.;!]| and\b|$)"
        r"|\b(?i:assistant|tutor|agent|bot|butler|character|persona) (?:named|called) ([A-ZÀ-Þ][\w-]{0,29})",
        text,
    )
    return next((name for name in found.groups() if name), "") if found else ""


def _tone(lower: str) -> str:
    for tone, pattern in _TONES:
        if any(not _refused(lower[: found.start()]) for found in re.finditer(pattern, lower)):
            return tone
    return ""


def _refused(before: str) -> bool:
    return re.search(r"\b(?:not|never|don't|avoid|without|no)\b[^.!?;]{0,25}$", before) is not None


def _most_sentences(lower: str) -> int:
    counted = re.search(r"\b(a single|one|two|three|four|five|[1-9])(?: short| brief)? sentences?\b", lower)
    if counted:
        return _NUMBERS.get(counted[1]) or int(counted[1])
    brief = re.search(
        r"\b(?:brief(?:ly)?|concise(?:ly)?|terse(?:ly)?|short (?:answers?|repl(?:y|ies)|sentences?|responses?)"
        r"|keep (?:it|them|your \w+) (?:very )?short|kurz|knapp|bref|brièvement|breve(?:mente)?)\b",
        lower,
    )
    return 1 if brief and not _refused(lower[: brief.start()]) else 0


def _most_words(lower: str) -> int:
    found = re.search(
        r"\b(?:at most|no more than|not more than|max(?:imum)?(?: of)?|under|fewer than|less than|up to) (\d{1,3}) words\b",
        lower,
    )
    return int(found[1]) if found and int(found[1]) > 3 else 0


def dressed(answer: str, guidance: Guidance, language: str) -> str:
    """Give an answer the length, tone and fixed words that are wanted.

    Parameters
    ----------
    answer : str
    guidance : Guidance
    language : str
        Of the answer; words are exchanged in English only.
    """
    answer = _toned(_shortened(answer, guidance), guidance.tone, language)
    return " ".join(filter(None, (guidance.opening, answer, guidance.closing)))


def sentences(text: str) -> list[str]:
    """Split finished text into its sentences."""
    return re.split(r"(?<=[.!?…]) (?=[^\W\d_a-zß-ÿ]|[\"¡¿\d])", text)


def _shortened(answer: str, guidance: Guidance) -> str:
    if guidance.most_sentences:
        answer = " ".join(sentences(answer)[: guidance.most_sentences])
    words = answer.split()
    if guidance.most_words and len(words) > guidance.most_words:
        answer = " ".join(words[: guidance.most_words]).rstrip(".,;:!?") + "."
    return answer


_SWAPS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "pirate": {
            "hello": "ahoy", "you are": "ye be", "are you": "be ye", "i am": "I be", "you": "ye", "your": "yer",
            "my": "me", "yes": "aye", "friend": "matey", "there is": "there be",
        },
        "formal": {"hello": "good day", "i'm": "I am", "all right": "very well", "of course!": "certainly."},
    }
)  # fmt: skip
_AROUND: Mapping[str, tuple[str, str]] = MappingProxyType(
    {"pirate": ("Arr!", ""), "robot": ("Beep.", "Boop."), "cheerful": ("Wonderful!", ""), "gloomy": ("Sigh.", "")}
)


def _toned(answer: str, tone: str, language: str) -> str:
    swaps = _SWAPS.get(tone) if language == "en" else None
    if swaps:
        # What stands in quotes is somebody's own words, and stays.
        parts = re.split(r"(\"[^\"]*\")", answer)
        answer = "".join(part if part.startswith('"') else _swapped(part, swaps) for part in parts)
    if tone == "formal":
        answer = re.sub(r"(?<=\w) ?!", ".", answer)
    if tone == "cheerful":
        answer = re.sub(r"(?<=\w)\.$", "!", answer)
    before, after = _AROUND.get(tone, ("", ""))
    return " ".join(filter(None, (before, answer, after)))


def _swapped(text: str, swaps: Mapping[str, str]) -> str:
    def swap(found: re.Match[str]) -> str:
        said = swaps.get(found.group().lower(), found.group())
        return said[:1].upper() + said[1:] if found.group()[0].isupper() else said

    longest_first = sorted(swaps, key=len, reverse=True)
    return re.sub(rf"(?i)(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)", swap, text)
