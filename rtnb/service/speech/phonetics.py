"""From written text to pieces of speech: what is said, how long it is, and what pause follows.

Pure text. Everything goes through one idea, the *grapheme*: some characters of the text and the phones that they
sound as. Graphemes join to the text exactly, whatever it contains, so speech and transcript stay aligned.
"""

from __future__ import annotations

import enum
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from rtnb.service.script.numerals import digits_aloud
from rtnb.service.speech.phones import VOWELS, duration_ms
from rtnb.service.speech.spelling import irregular_words, letter_names, match_rule, weak_words

__all__ = ["Break", "Piece", "pieces", "word_phones"]


class Break(enum.Enum):
    """What follows a piece of speech."""

    JOIN = "the same word goes on"
    WORD = "the next word"
    COMMA = "a short pause, the voice stays up"
    STOP = "the end of a statement, the voice falls"
    QUESTION = "the end of a question, the voice rises"


@dataclass(frozen=True, slots=True)
class Piece:
    """Characters of a text with the phones that they sound as.

    Attributes
    ----------
    text : str
        The characters, with spaces and punctuation around the word.
    phones : tuple of str
        Symbols of :data:`rtnb.service.speech.phones.PHONES`; empty for what is not spoken.
    ending : Break
        What follows.
    """

    text: str
    phones: tuple[str, ...]
    ending: Break


_Grapheme = tuple[str, tuple[str, ...]]

_WIDE_MARKS = "，。？！、；：।"
# A chunk is what stands between spaces; scripts without spaces break after their own punctuation.
_CHUNK = rf"\s*+(?:[^\s{_WIDE_MARKS}]{{1,120}}[{_WIDE_MARKS}]{{0,8}}|[{_WIDE_MARKS}]{{1,8}})(?:\s++\Z)?|\s+"
_TOKEN = (
    r"(?P<number>\d+(?:,\d{3})*(?:\.\d+)?)"
    r"|(?P<word>(?:[^\W\d_][\u0300-\u036f]*)+(?:['\u2019](?:[^\W\d_][\u0300-\u036f]*)+)*)"
    r"|(?P<space>\s+)"
    r"|(?P<mark>.)"
)
_SPOKEN_MARKS = {
    "%": "percent",
    "&": "and",
    "+": "plus",
    "=": "equals",
    "@": "at",
    "$": "dollars",
    "€": "euros",
    "£": "pounds",
    "°": "degrees",
    "×": "times",
    "÷": "divided by",
    "√": "square root of",
}
_SILENCES = frozenset("—–…:;/|,()")
_ENDINGS = (
    (Break.QUESTION, frozenset("?？؟;")),
    (Break.STOP, frozenset(".!…。！।")),
    (Break.COMMA, frozenset(",;:，、；：—–-")),
)
_CLOSING = "\"'’”»)]}*_`"


def pieces(text: str, limit_ms: float) -> Iterator[Piece]:
    """Cut text into pieces of speech, lazily.

    Parameters
    ----------
    text : str
        Anything; the pieces' texts join to it exactly.
    limit_ms : float
        A word that would last longer at normal pace is continued in a further piece.

    Yields
    ------
    Piece
        Usually one word with the spaces before it and the punctuation after it.
    """
    for chunk in re.finditer(_CHUNK, text):
        written: list[str] = []
        sounds: list[str] = []
        for characters, phones in _graphemes(chunk.group()):
            if sounds and phones and duration_ms((*sounds, *phones)) > limit_ms:
                yield Piece("".join(written), tuple(sounds), Break.JOIN)
                written, sounds = [], []
            written.append(characters)
            sounds.extend(phones)
        whole = chunk.group() + ("\n" if text.startswith("\n", chunk.end()) else "")
        yield Piece("".join(written), tuple(sounds), _ending(whole))


def _ending(chunk: str) -> Break:
    """Read the pause from the last mark of a chunk, looking behind closing quotes, brackets and mark-up."""
    last = chunk.strip().rstrip(_CLOSING)[-1:]
    for ending, marks in _ENDINGS:
        if last and last in marks:
            return ending
    # A line break ends a sentence (a heading, a list entry) even without a full stop.
    return Break.STOP if chunk.endswith("\n") else Break.WORD


def _graphemes(chunk: str) -> Iterator[_Grapheme]:
    for token in re.finditer(_TOKEN, chunk, re.DOTALL):
        characters = token.group()
        match token.lastgroup:
            case "number":
                for digits, words in digits_aloud(characters):
                    yield digits, tuple(phone for word in words for phone in word_phones(word))
            case "word":
                yield from _word(characters)
            case "space":
                yield characters, ()
            case _:
                yield characters, _mark(chunk, token.start())


def _mark(chunk: str, index: int) -> tuple[str, ...]:
    """Sound a character that is neither letter nor digit, by what stands beside it."""
    mark, before, after = chunk[index], chunk[index - 1 : index], chunk[index + 1 : index + 2]
    spoken = _SPOKEN_MARKS.get(mark)
    if mark in "*/" and ((before.isdigit() and after.isdigit()) or chunk.strip() == mark):
        spoken = "times" if mark == "*" else "divided by"
    if mark in "-−" and ((after.isdigit() and not before.strip("([=")) or mark == "−"):
        spoken = "minus"
    if spoken:
        return tuple(phone for word in spoken.split() for phone in word_phones(word))
    return ("_",) if mark in _SILENCES and before.strip() and after.strip() else ()


def _word(written: str) -> Iterator[_Grapheme]:
    """Read one run of letters: by name, from the list of irregular words, or by rule."""
    plain = written.lower().replace("\u2019", "'")
    known = irregular_words().get(plain)
    if known:
        yield written, known if plain in weak_words() else _stressed(known)
        return
    latin = [_romanize(character) for character in written]
    word = "".join(latin)
    if _is_spelt(written, word):
        for character, letters in zip(written, latin, strict=True):
            yield character, tuple(phone for letter in letters for phone in letter_names().get(letter, ()))
        return
    yield from _by_rule(written, latin, word, stress=plain not in weak_words())


def _is_spelt(written: str, word: str) -> bool:
    """Decide whether letters are read by their names: «VAD», «rtnb», a single «x»."""
    if not written.isascii():
        return False
    short_capitals = len(written) <= 3 and written.isupper()
    return len(word) == 1 or short_capitals or (len(word) <= 5 and not re.search("[aeiouy]", word))


def _by_rule(written: str, latin: list[str], word: str, *, stress: bool) -> Iterator[_Grapheme]:
    ends: list[int] = []  # where each written character's Latin letters end in `word`
    for letters in latin:
        ends.append(len(letters) + (ends[-1] if ends else 0))
    start = position = 0
    while position < len(word):
        position, phones = match_rule(word, position)
        stop = start
        while stop < len(ends) and ends[stop] <= position:
            stop += 1
        if stress and any(_is_full(phone) for phone in phones):
            phones, stress = _stressed(phones), False
        yield written[start:stop], phones
        start = stop
    yield written[start:], ()


def _is_full(phone: str) -> bool:
    return phone in VOWELS and phone != "AX"


def _stressed(phones: tuple[str, ...]) -> tuple[str, ...]:
    """Mark the first full vowel as the stressed one."""
    first = next((index for index, phone in enumerate(phones) if _is_full(phone)), None)
    return phones if first is None else (*phones[:first], phones[first] + "1", *phones[first + 1 :])


@lru_cache(maxsize=4096)
def word_phones(word: str) -> tuple[str, ...]:
    """Give the phones of one word.

    Returns
    -------
    tuple of str
        ``word_phones("cat") == ("K", "AE", "T")``; empty when nothing in it is a letter.
    """
    return tuple(phone for _, phones in _word(word) for phone in phones)


_FOLDED = {"ß": "ss", "ø": "o", "æ": "e", "œ": "e", "ł": "l", "đ": "d", "ð": "th", "þ": "th", "ı": "i", "’": "'"}
_DIGIT_NAMES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_SYLLABARY = re.compile(r"(?:HIRAGANA|KATAKANA) LETTER (?:SMALL )?(\w+)|HANGUL SYLLABLE (\w+)|ETHIOPIC SYLLABLE (\w+)")
_LETTER = re.compile(r"(CYRILLIC|GREEK|ARMENIAN|GEORGIAN)?.*(?:LETTER|CHARACTER) (?:.* )?([A-Z]+)$")


@lru_cache(maxsize=4096)
def _romanize(character: str) -> str:
    """Write a character of any script in the letters a to z, as best its Unicode name tells.

    A character whose name tells no sound (an ideograph) gets a syllable of its own, so that the rhythm is right.
    """
    base = unicodedata.normalize("NFKD", character.lower())
    letters = "".join(
        _FOLDED.get(part) or (part if "a" <= part <= "z" or part == "'" else _digit_name(part)) for part in base
    )
    if letters or unicodedata.category(character).startswith("M"):
        return letters
    name = unicodedata.name(base[0], "") or unicodedata.name(character, "")
    syllable = _SYLLABARY.search(unicodedata.name(character, name)) or _SYLLABARY.search(name)
    if syllable:
        return next(group for group in syllable.groups() if group).lower()
    letter = _LETTER.match(name)
    if letter:
        return _letter_sound(letter.group(2).lower(), alphabet=letter.group(1) is not None)
    code = ord(character)
    return "bdgklmnprstvz"[code % 13] + "aeiou"[code // 13 % 5]


def _letter_sound(name: str, *, alphabet: bool) -> str:
    """Take a letter's sound from its name: «be» is b, «er» is r, «alpha» is a.

    Outside the alphabets that write their vowels, a consonant sounds with one.
    """
    sound = name[1:] if re.fullmatch("[aeiou][^aeiouy]", name) else name
    consonants = re.match("[^aeiou]*", sound)
    start = consonants.group()[:4] if consonants else ""
    return start + ("" if alphabet else "a") if start else sound[:1]


def _digit_name(character: str) -> str:
    value = unicodedata.digit(character, -1)
    return _DIGIT_NAMES[value] if value >= 0 else ""
