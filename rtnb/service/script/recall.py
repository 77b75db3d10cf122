"""Answers from the conversation so far and from the instructions: names, first and last words, and what was told.

Pure; each takes a prompt and returns the answer, or None where it is not asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from rtnb.service.script.asking import asks
from rtnb.service.script.guidance import sentences
from rtnb.service.script.prompt import Prompt, said_by
from rtnb.service.script.words import content_words

__all__ = ["introduction", "known", "memory", "own_name", "say_again"]

_LONGEST_QUOTE = 300  # characters
_NAME = re.compile(
    r"\b(?i:my name is|my name's|i am called|mein name ist|ich heiße|je m'appelle|je m’appelle|mon nom est|me llamo"
    r"|mi nombre es|mi chiamo|il mio nome è)\s+([^\W\d_][\w'’-]{0,29})"
    r"|\b(?i:call me|i am|i'm|i’m|ich bin|je suis|soy|sono)\s+([A-ZÀ-Þ][\w-]{1,29})(?=[.,!]|$)"
)


def own_name(said: str) -> str:
    """Read from a user's words the user's name, or ``""``."""
    match = _NAME.search(said)
    return next((name for name in match.groups() if name), "") if match else ""


def say_again(prompt: Prompt) -> str | None:
    """Say the last answer once more."""
    if not asks("again", prompt.words):
        return None
    said = said_by("assistant", prompt.history)
    return said[-1] if said else prompt.say.nothing_to_repeat


def memory(prompt: Prompt) -> str | None:
    """Answer what the user was called, and what was said first or last."""
    said, say = prompt.said_by_user, prompt.say
    if asks("my name", prompt.words):
        names = [name for text in said if (name := own_name(text))]
        return say.your_name.format(name=names[-1]) if names else say.no_name
    first = asks("first", prompt.words)
    if not first and not asks("previous", prompt.words):
        return _told(prompt)
    if not said:
        return say.nothing_said
    return (say.first if first else say.before).format(said=said[0 if first else -1][:_LONGEST_QUOTE])


_THING = r"((?:[^\W\d_][\w'-]* ?){1,3}?)"
_ASKED_THING = re.compile(
    rf"\b(?:what(?:'s| is| was| are)|who(?:'s| is)|where(?:'s| is)|which is|when(?:'s| is)|do you (?:know|remember)|tell me) my {_THING}[?.! ]*$"
    rf"|\b(?:was|wer|wie|wo) (?:ist|war) mein\w* {_THING}[?.! ]*$"
)
_TOLD_THING = r"(?i)\b(?:my|mein\w*) {thing} (?:is|are|was|ist|sind|war) ([^.!?;,\n]{{1,80}})"


def _told(prompt: Prompt) -> str | None:
    """Answer «what is my favourite colour?» from «my favourite colour is blue»."""
    asked = _ASKED_THING.search(prompt.words)
    if asked is None:
        return None
    thing = next(filter(None, asked.groups()), "").strip()
    pattern = re.compile(_TOLD_THING.format(thing=re.escape(thing)))
    for text in reversed(prompt.said_by_user):
        if found := pattern.search(text[:2000]):
            return prompt.say.yours.format(thing=thing, value=found[1].strip())
    return None


def introduction(prompt: Prompt) -> str | None:
    """Take up a name that the user gives."""
    name = own_name(prompt.text)
    if not name or len(prompt.words.split()) > 12:
        return None
    return prompt.say.nice.format(name=name)


def known(prompt: Prompt) -> str | None:
    """Answer a question with the sentence of the instructions, or of the user's own, that speaks of the same."""
    asked = re.match(
        r"(?:please |and |so )?(?:who|what|when|where|which|how|do|does|is|are|can|tell|wer|was|wann|wo|quand|où|cuándo|dónde|quando|dove)\b",
        prompt.words,
    )
    wanted = content_words(prompt.words)
    if not asked or not wanted:
        return None
    best = max(_told_sentences(prompt), key=lambda told: len(wanted & content_words(told)), default="")
    shared = len(wanted & content_words(best))
    return best if shared >= 2 or (shared == 1 == len(wanted)) else None


_ORDER = re.compile(
    r"(?i)(?:you|your|always|never|please|do not|don't|only|just|if|when|answer|respond|reply|speak|talk|be|keep|use|say|act|call"
    r"|start|begin|end|help|greet|assist|count|tell|repeat)\b"
)


def _told_sentences(prompt: Prompt) -> Iterator[str]:
    """Statements, which are neither orders to the assistant nor questions."""
    for text in _lines([prompt.instructions, *prompt.said_by_user]):
        for sentence in sentences(text):
            told = sentence.strip()
            if 3 < len(told) <= _LONGEST_QUOTE and not told.endswith("?") and not _ORDER.match(told):
                yield told if told[-1] in ".!" else f"{told}."


def _lines(texts: Iterable[str]) -> Iterator[str]:
    return (line.strip("-*• \t") for text in texts for line in text[:4000].splitlines())
