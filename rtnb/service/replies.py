"""The service's wits: an ordered table of small rules that answer a prompt in a sentence or three.

Pure and deterministic. The answers suit a demonstration, and never pretend that a cloud model speaks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from rtnb.service import smalltalk
from rtnb.service.arithmetic import answer_sum
from rtnb.service.lessons import lesson
from rtnb.service.numerals import number_words, numbers_to_digits

__all__ = ["LONGEST_REPLY", "Turn", "reply", "text_deltas"]

#: Characters of the longest reply.
LONGEST_REPLY = 1200

_LONGEST_PROMPT = 2000  # characters that the rules look at
_MOST_COUNTED = 200


@dataclass(frozen=True, slots=True)
class Turn:
    """Something said earlier in the conversation.

    Attributes
    ----------
    role : str
        ``"user"``, ``"assistant"`` or ``"system"``.
    text : str
        Its text or transcript.
    """

    role: str
    text: str


@dataclass(frozen=True, slots=True)
class _Prompt:
    """What the rules look at.

    `text` is as written; `words` is lower-case with single spaces and plain quotes.
    """

    text: str
    words: str
    history: Sequence[Turn]
    voice: str
    now: datetime | None
    name: str
    language: str


def reply(
    text: str,
    *,
    history: Sequence[Turn] = (),
    instructions: str = "",
    voice: str = "",
    now: datetime | None = None,
) -> str:
    """Answer a prompt.

    Parameters
    ----------
    text : str
        What the user said last; anything at all.
    history : sequence of Turn
        What was said before it, oldest first, without `text`.
    instructions : str
        Of the session: brevity, a name and (for greetings) a language are heeded.
    voice : str
        Name of the speaking voice, told when asked for.
    now : datetime, optional
        The user's date and time; without it the clock is not told.

    Returns
    -------
    str
        One to :data:`LONGEST_REPLY` characters; equal arguments give equal replies.
    """
    text = text[:_LONGEST_PROMPT].strip()
    guide = instructions[:_LONGEST_PROMPT]
    words = re.sub(r"\s+", " ", text.lower().translate({0x2019: "'", 0x2018: "'", 0x201C: '"', 0x201D: '"'}))
    prompt = _Prompt(
        text, words, history, voice, now, smalltalk.given_name(guide), smalltalk.language_of(words, guide.lower())
    )
    rule, answer = next((rule, said) for rule in _RULES if (said := rule(prompt)))
    # What the user asked to hear again is the user's own, and is not shortened.
    if smalltalk.wants_brevity(guide.lower()) and rule not in (_again, _repeat):
        answer = re.split(r"(?<=[.!?]) (?=[A-Z\"])", answer, maxsplit=1)[0]
    return _bounded(answer)


def text_deltas(text: str) -> list[str]:
    """Cut a text into the pieces in which it is streamed.

    Returns
    -------
    list of str
        Words with their leading space, long words in parts, punctuation; they join to `text` exactly.
    """
    return re.findall(r" ?\w{1,8}| ?[^\w\s]{1,4}|\s", text)


def _bounded(answer: str) -> str:
    return answer if len(answer) <= LONGEST_REPLY else answer[: LONGEST_REPLY - 1].rstrip() + "…"


def _silence(prompt: _Prompt) -> str | None:
    if re.search(r"\w", prompt.text):
        return None
    return "I did not catch any words. Please write or say something, and I will answer."


def _again(prompt: _Prompt) -> str | None:
    """Say the last answer once more."""
    asked = r"(?:(?:can|could) you |please )*(?:say|repeat) (?:that|it|this)(?: again)?(?:,? please)?[.?!]*"
    if not re.fullmatch(asked + r"|what did you (?:just )?say\??", prompt.words):
        return None
    said = [turn.text for turn in prompt.history if turn.role == "assistant" and turn.text.strip()]
    return said[-1] if said else "I have not said anything yet, so there is nothing to repeat."


def _repeat(prompt: _Prompt) -> str | None:
    """Say what we are told to say, unless it is something to be made up."""
    match = re.search(
        r"(?is)^(?:please |can you |could you |now |just )*"
        r"(?:repeat (?:after me|the (?:following|words?|sentence|phrase))|repeat|echo|read (?:this )?aloud|say)"
        r"(?: the (?:words?|sentence|phrase))?\s*[:,-]?\s+(.+)$",
        prompt.text,
    )
    if match is None:
        return None
    said = match.group(1).strip()
    if re.match(r"(?i)(?:something|anything|a (?:few|joke|word)|hello in|good ?bye in|it|that|this|what|how)\b", said):
        return None
    unquoted = said.strip("\"'“”‘’«»")
    return unquoted or said


def _count(prompt: _Prompt) -> str | None:
    asked = re.search(
        r"\bcount(?:ing|down)?:? (?:me |for me |aloud |out loud |up |with me )*(?:from|to|till|until|down|backwards?|by|in|\d)",
        prompt.words,
    )
    numbers = [int(digits) for digits in re.findall(r"\b\d{1,12}\b", numbers_to_digits(prompt.words))]
    if not asked or not numbers:
        return None
    numbers, step = _step_width(prompt.words, numbers)
    backwards = bool(re.search(r"\b(?:down|backwards?|countdown|reverse)\b", prompt.words))
    first, last = numbers[:2] if len(numbers) > 1 else ((numbers[0], 0) if backwards else (1, numbers[0]))
    if backwards:
        first, last = max(first, last), min(first, last)
    return _counted(range(first, last + 1, step) if first <= last else range(first, last - 1, -step))


def _step_width(words: str, numbers: list[int]) -> tuple[list[int], int]:
    """Take «by twos» or «in steps of 5» out of the numbers."""
    named = re.search(r"\bby (two|three|five|ten|hundred)s\b", words)
    if named:
        return numbers, int(numbers_to_digits(named.group(1)).replace("hundred", "100"))
    if len(numbers) > 1 and re.search(r"\b(?:in steps of|in|by) (?:\w+|\d+)[.?! ]*$", words):
        return numbers[:-1], max(1, numbers[-1])
    return numbers, 1


def _counted(sequence: range) -> str:
    shown = sequence[:_MOST_COUNTED]
    aloud = ", ".join(number_words(value) for value in shown)
    if len(aloud) > LONGEST_REPLY - 100:
        aloud = ", ".join(str(value) for value in shown)
    while len(aloud) > LONGEST_REPLY - 100:
        aloud = aloud[: aloud.rindex(", ")]
    ended = "." if aloud.count(", ") + 1 == len(sequence) else ". I stop here, that is enough for a rehearsal."
    return aloud[:1].upper() + aloud[1:] + ended


def _spell(prompt: _Prompt) -> str | None:
    match = re.search(
        r"(?i)\bspell(?:ing of)?\b(?: (?:out|me|us|for me|the (?:word|name)))*\s*[:,]?\s*[\"'“‘]?(\w[\w'’-]*)",
        prompt.text,
    )
    if match is None:
        return None
    word = match.group(1)[:40]
    return f"{', '.join(letter.upper() for letter in word if letter.isalnum())}. That spells {word}."


def _sum(prompt: _Prompt) -> str | None:
    return answer_sum(prompt.words)


def _clock(prompt: _Prompt) -> str | None:
    time_asked = re.search(
        r"\bwhat(?:'s| is)? (?:the )?(?:current )?time\b(?: is it| now| right now| please|,)*[?.! ]*$|\btell me the time\b",
        prompt.words,
    )
    date_asked = re.search(
        r"\bwhat (?:date|day|year|month|weekday) (?:is it|is today|do we have)\b|\b(?:today's|current) (?:date|day)\b"
        r"|\bwhat(?:'s| is) (?:the )?(?:date|day|year|month|weekday)\b(?! (?:of|when|that|on|before|after))",
        prompt.words,
    )
    if not time_asked and not date_asked:
        return None
    if prompt.now is None:
        return "I have no clock here, so I would have to guess. Your notebook knows the time better."
    if time_asked:
        return f"By the clock of this computer it is {prompt.now.hour}:{prompt.now.minute:02d}."
    return f"Today is {_WEEKDAYS[prompt.now.weekday()]}, {prompt.now.day} {_MONTHS[prompt.now.month - 1]} {prompt.now.year}."


# Spelled out here because strftime follows the locale, and a reply must not.
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def _memory(prompt: _Prompt) -> str | None:
    """Answer from what was said earlier."""
    asked = [turn.text.strip() for turn in prompt.history if turn.role == "user" and turn.text.strip()]
    if re.search(
        r"\b(?:what(?:'s| is| was)|(?:do you )?(?:remember|know)|tell me) my name\b|\bwho am i\b", prompt.words
    ):
        names = [name for said in asked if (name := smalltalk.own_name(said))]
        return f"Your name is {names[-1]}." if names else "You have not told me your name yet. What is it?"
    recall = re.search(
        r"\bwhat (?:did i|have i|was my|were my|was the) (?:just )?(?:(first|last|previous) )?(?:thing )?"
        r"(?:i )?(?:ask(?:ed)?|sa(?:y|id)|question|message|words?|told?|tell)\b(?:.*?\b(first)\b)?",
        prompt.words,
    )
    if recall is None:
        return None
    if not asked:
        return "This is the first thing that you have said to me."
    first = "first" in recall.groups()
    return f'{"First" if first else "Just before this"} you said: "{asked[0 if first else -1][:300]}"'


def _introduction(prompt: _Prompt) -> str | None:
    """Take up a name that the user gives."""
    name = smalltalk.own_name(prompt.text)
    if not name or len(prompt.words.split()) > 12:
        return None
    return f"Nice to meet you, {name}! What shall we try?"


def _identity(prompt: _Prompt) -> str | None:
    return smalltalk.identity(prompt.words, name=prompt.name, voice=prompt.voice)


def _lesson(prompt: _Prompt) -> str | None:
    return lesson(prompt.words)


def _greeting(prompt: _Prompt) -> str | None:
    return smalltalk.greeting(prompt.words, language=prompt.language, name=prompt.name)


def _chat(prompt: _Prompt) -> str | None:
    return smalltalk.chat(prompt.words, language=prompt.language)


def _entertainment(prompt: _Prompt) -> str | None:
    return smalltalk.entertainment(prompt.text)


def _about(prompt: _Prompt) -> str | None:
    return smalltalk.about(prompt.text)


def _fallback(prompt: _Prompt) -> str:
    return smalltalk.fallback(prompt.text)


_Rule = Callable[[_Prompt], str | None]

#: Asked in this order; the last always answers.
_RULES: tuple[_Rule, ...] = (
    _silence,
    _again,
    _repeat,
    _count,
    _spell,
    _sum,
    _clock,
    _memory,
    _introduction,
    _identity,
    _lesson,
    _greeting,
    _chat,
    _entertainment,
    _about,
    _fallback,
)
