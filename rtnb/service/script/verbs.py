"""The verbs of a script, for a rule's ``do``: what takes more than a sentence with placeholders. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from rtnb.service.engines.tasks import Call
from rtnb.service.script.arithmetic import TooLargeError, find_sum
from rtnb.service.script.prompt import Prompt
from rtnb.service.script.rules import Found
from rtnb.service.script.tool_calls import choose_calls
from rtnb.service.script.tool_outputs import outputs_aloud
from rtnb.service.script.words import content_words, in_words, to_digits

__all__ = ["VERBS", "Verb"]

_MOST_COUNTED = 200
_LONGEST_COUNT = 1100  # characters
_THING = re.compile(
    r"(?i)\b(?:what(?:'s| is| was| are)|who(?:'s| is)|where(?:'s| is)|when(?:'s| is)|do you (?:know|remember)|tell me) "
    r"my (?P<thing>(?:[^\W\d_][\w'-]* ?){1,3}?)[?.! ]*$"
)

#: Gives the values of its placeholders, or calls; None where it cannot be done, so that the rule does not apply.
Verb = Callable[[Prompt, Found], Mapping[str, str] | tuple[Call, ...] | None]


def _output(prompt: Prompt, found: Found) -> Mapping[str, str] | None:
    output = outputs_aloud(prompt)
    return {"output": output} if output else None


def _repeat(prompt: Prompt, found: Found) -> Mapping[str, str] | None:
    """Give the words behind the command, or else the last answer."""
    words = found.rest.strip() or prompt.known("answer")
    if (
        words.count('"') % 2
    ):  # the quote before them is the pattern's: what follows their closing quote is the command's
        words = words.partition('"')[0]
    return {"said": words.strip("\"' ") or words} if words else None


def _count(prompt: Prompt, found: Found) -> Mapping[str, str] | None:
    """Count to a number, or from one to another; down to zero where that is asked for."""
    numbers = [
        int(digits) for digits in re.findall(r"\b\d{1,12}\b", to_digits((found.rest or prompt.text).lower()))[:2]
    ]
    if not numbers:
        return None
    down = re.search(r"\b(?:down|backwards?|countdown)\b", prompt.text.lower()) is not None
    first, last = numbers if len(numbers) > 1 else (numbers[0], 0) if down else (1, numbers[0])
    if down:
        first, last = max(first, last), min(first, last)
    counted = range(first, last + 1) if first <= last else range(first, last - 1, -1)
    aloud = ", ".join(map(in_words, counted[:_MOST_COUNTED]))
    if len(aloud) > _LONGEST_COUNT:
        aloud = ", ".join(map(str, counted[:_MOST_COUNTED]))[:_LONGEST_COUNT].rpartition(", ")[0]
    whole = aloud.count(", ") + 1 == len(counted)
    return {"numbers": aloud[:1].upper() + aloud[1:] + ("." if whole else ", and so on.")}


def _spell(prompt: Prompt, found: Found) -> Mapping[str, str] | None:
    """Spell the word that the match found."""
    word = re.search(r"\w[\w'-]{0,39}", found.rest)
    if word is None:
        return None
    return {"word": word.group(), "letters": ", ".join(each.upper() for each in word.group() if each.isalnum())}


def _sum(prompt: Prompt, found: Found) -> Mapping[str, str] | None:
    try:
        done = find_sum(found.rest or prompt.text)
    except ZeroDivisionError:
        done = "A division by zero", "not possible"
    except TooLargeError:
        done = "That number", "too large to read aloud"
    return {"sum": done[0], "result": done[1]} if done else None


def _recall(prompt: Prompt, found: Found) -> Mapping[str, str] | None:
    """Answer "What is my favourite colour?" where the user has said "My favourite colour is blue."."""
    if not (asked := _THING.search(prompt.text)):
        return None
    stated = re.compile(rf"(?i)\bmy ({re.escape(asked['thing'].strip())} (?:is|are|was) [^.!?;,\n]{{1,80}})")
    facts = (match[1].strip() for said in reversed(prompt.earlier) if (match := stated.search(said)))
    return next(({"fact": f"Your {fact}."} for fact in facts), None)


def _identity(prompt: Prompt, found: Found) -> Mapping[str, str] | None:
    return {"name": prompt.known("name") or "the script of rtnb's local service"}


def _fallback(prompt: Prompt, found: Found) -> Mapping[str, str] | None:
    """Give up to three of the longest words that say what a prompt is about, in its order."""
    words = [word for word in content_words(prompt.text).values() if len(word) > 2]
    longest = sorted(words, key=len, reverse=True)[:3]
    *others, last = [word[:30] for word in words if word in longest] or [""]
    return {"subject": f"{', '.join(others)} and {last}" if others else last} if last else None


#: The verbs by name, each with its placeholders.
VERBS: Mapping[str, tuple[Verb, tuple[str, ...]]] = {
    "call": (lambda prompt, found: choose_calls(prompt) or None, ()),
    "output": (_output, ("output",)),
    "repeat": (_repeat, ("said",)),
    "count": (_count, ("numbers",)),
    "spell": (_spell, ("word", "letters")),
    "sum": (_sum, ("sum", "result")),
    "recall": (_recall, ("fact",)),
    "help": (lambda prompt, found: {}, ()),
    "identity": (_identity, ("name",)),
    "fallback": (_fallback, ("subject",)),
}
