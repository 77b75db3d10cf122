"""Small exercises that a user gives: repeat after me, count, spell, calculate, tell the time.

Pure; each takes a prompt and returns the answer, or None where it is not asked for.
"""

from __future__ import annotations

import re

from rtnb.service.script.arithmetic import answer_sum
from rtnb.service.script.asking import asks
from rtnb.service.script.cardinals import cardinal, to_digits
from rtnb.service.script.prompt import Prompt

__all__ = ["calculate", "count", "repeat", "spell", "tell_time"]

_LONGEST_COUNT = 1100  # characters
_MOST_COUNTED = 200

_REPEAT = re.compile(
    r"(?is)^(?:please |can you |could you |now |just |bitte |s'il (?:te|vous) plaît,? |por favor,? |per favore,? )*"
    r"(?P<english>repeat (?:after me|the (?:following|words?|sentence|phrase))|repeat|echo|read (?:this )?aloud|say)?(?(english)|(?:"
    r"sprich(?: mir)? nach|wiederhole?|sag(?:e|en sie)?|rép[éè]te[zr]?(?: après moi)?|dis|dites"
    r"|repit[ea](?: después de mí| conmigo)?|di|diga|ripeti(?: dopo di me)?|dì|di'))"
    r"(?: the (?:words?|sentence|phrase))?\s*[:,-]?\s+(?P<said>.+)$"
)
_MADE_UP = re.compile(
    r"(?i)(?:something|anything|a (?:few|joke|word)|(?:hello|hi|thank you|thanks|good ?bye) (?:in|to)|it|that|this|what|how|etwas"
    r"|das|es|ça|algo|eso|qualcosa|(?:hallo|danke) auf)\b"
)


def repeat(prompt: Prompt) -> str | None:
    """Say what we are told to say; after a mere "say", not what is to be made up or found out."""
    match = _REPEAT.search(prompt.text)
    if match is None or (match["english"] is None and prompt.used == "en"):
        return None
    said = match["said"].strip()
    literally = (match["english"] or "").lower().startswith(("repeat ", "read "))
    if _MADE_UP.match(said) and not literally:
        return None
    unquoted = said.strip("\"'“”‘’«»„")
    return unquoted or said


def count(prompt: Prompt) -> str | None:
    """Count, forwards or backwards, in steps, in the language of the answer."""
    if not asks("count", prompt.words):
        return None
    words = re.sub(r"\bdel\b", "de el", to_digits(prompt.words, prompt.used))
    numbers = [int(digits) for digits in re.findall(r"\b\d{1,12}\b", words)]
    if not numbers:
        return None
    numbers, step = _step_width(prompt.words, numbers)
    backwards = asks("down", prompt.words)
    first, last = numbers[:2] if len(numbers) > 1 else ((numbers[0], 0) if backwards else (1, numbers[0]))
    if backwards:
        first, last = max(first, last), min(first, last)
    return _counted(prompt, range(first, last + 1, step) if first <= last else range(first, last - 1, -step))


def _step_width(words: str, numbers: list[int]) -> tuple[list[int], int]:
    """Take «by twos» or «in steps of 5» out of the numbers."""
    named = re.search(r"\bby (two|three|five|ten|hundred)s\b", words)
    if named:
        return numbers, int(to_digits(named.group(1), "en").replace("hundred", "100"))
    stepped = r"\b(?:in steps of|by|in \w*schritten von) (?:\w+|\d+)[.?! ]*$"
    if len(numbers) > 1 and re.search(stepped, words):
        return numbers[:-1], max(1, numbers[-1])
    return numbers, 1


def _counted(prompt: Prompt, sequence: range) -> str:
    shown = sequence[:_MOST_COUNTED]
    aloud = ", ".join(cardinal(value, prompt.language) for value in shown)
    if len(aloud) > _LONGEST_COUNT:
        aloud = ", ".join(str(value) for value in shown)
    while len(aloud) > _LONGEST_COUNT:
        aloud = aloud[: aloud.rindex(", ")]
    ended = "." if aloud.count(", ") + 1 == len(sequence) else f". {prompt.say.enough}"
    return aloud[:1].upper() + aloud[1:] + ended


_SPELL = re.compile(
    r"(?i)\b(?:spell(?:ing of)?|buchstabiere?n?|épelle[zr]?|deletre[ae]|sillaba|come si scrive|wie schreibt man)\b"
    r"(?: (?:out|me|us|for me|mir|bitte|the (?:word|name)|das wort|le mot|la palabra|la parola))*"
    r"\s*[:,]?\s*[\"'“‘«„]?(\w[\w'’-]*)"
)


def spell(prompt: Prompt) -> str | None:
    """Spell a word, letter by letter."""
    match = _SPELL.search(prompt.text)
    if match is None:
        return None
    word = match.group(1)[:40]
    letters = ", ".join(letter.upper() for letter in word if letter.isalnum())
    return prompt.say.spelled.format(letters=letters, word=word)


def calculate(prompt: Prompt) -> str | None:
    """Answer a sum."""
    return answer_sum(prompt.words, asked_in=prompt.used, say=prompt.say)


def tell_time(prompt: Prompt) -> str | None:
    """Tell the time or the date, where there is a clock."""
    time_asked, date_asked = asks("time", prompt.words), asks("date", prompt.words)
    if not time_asked and not date_asked:
        return None
    now, say = prompt.now, prompt.say
    if now is None:
        return say.no_clock
    if time_asked:
        return say.time.format(hour=now.hour, minute=f"{now.minute:02d}")
    # Spelled out from our own words because strftime follows the locale, and a reply must not.
    return say.date.format(
        weekday=say.weekdays.split()[now.weekday()], day=now.day, month=say.months.split()[now.month - 1], year=now.year
    )
