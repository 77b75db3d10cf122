"""The verbs of a script, for a rule's ``do``: what takes more than a sentence with placeholders. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from rtnb.service.engines.tasks import Call
from rtnb.service.script.arithmetic import TooLargeError, find_sum
from rtnb.service.script.prompt import Prompt
from rtnb.service.script.rules import Found
from rtnb.service.script.tool_calls import choose_calls
from rtnb.service.script.tool_outputs import tell_outputs
from rtnb.service.script.words import content_words, in_words, sentences, to_digits

__all__ = ["VERBS", "Verb"]

_MOST_COUNTED = 200
_LONGEST_COUNT = 1100  # characters
_LONGEST_SENTENCE = 300

#: Gives the values of its placeholders, or calls; None where it cannot be done, so that the rule does not apply.
Verb = Callable[[Prompt, Found], Mapping[str, str] | tuple[Call, ...] | None]


def _repeat(prompt: Prompt, found: Found) -> Mapping[str, str] | None:
    """Give the words behind the command, or else the last answer."""
    words = found.rest.strip() or prompt.known("answer")
    return {"said": words.strip("\"' ") or words} if words else None


def _count(prompt: Prompt, found: Found) -> Mapping[str, str] | None:
    """Count to a number, or from one to another: down where that is said, in steps where they are."""
    words = to_digits((found.rest or prompt.text).lower())
    stepped = re.search(r"\b(?:in steps of|by) (?P<step>\d{1,9}|twos|threes|fives|tens)\b", words)
    step = 1
    if stepped:
        step = int({"twos": "2", "threes": "3", "fives": "5", "tens": "10"}.get(stepped["step"], stepped["step"])) or 1
        words = words[: stepped.start()]
    numbers = [int(digits) for digits in re.findall(r"\b\d{1,12}\b", words)[:2]]
    if not numbers:
        return None
    down = re.search(r"\b(?:down|backwards?|countdown)\b", prompt.text.lower()) is not None
    first, last = numbers if len(numbers) > 1 else (numbers[0], 0) if down else (1, numbers[0])
    if down:
        first, last = max(first, last), min(first, last)
    counted = range(first, last + 1, step) if first <= last else range(first, last - 1, -step)
    shown = counted[:_MOST_COUNTED]
    aloud = ", ".join(map(in_words, shown))
    if len(aloud) > _LONGEST_COUNT:
        aloud = ", ".join(map(str, shown))[:_LONGEST_COUNT].rpartition(", ")[0]
    whole = aloud.count(", ") + 1 == len(counted)
    return {"numbers": aloud[:1].upper() + aloud[1:] + ("." if whole else ", and so on.")}


def _spell(prompt: Prompt, found: Found) -> Mapping[str, str] | None:
    """Spell the word that a pattern found."""
    word = re.search(r"\w[\w'-]{0,39}", found.rest)
    if word is None:
        return None
    return {"word": word.group(), "letters": ", ".join(each.upper() for each in word.group() if each.isalnum())}


def _sum(prompt: Prompt, found: Found) -> Mapping[str, str] | None:
    try:
        done = find_sum(found.rest or prompt.text)
    except ZeroDivisionError:
        return {"sum": "A division by zero", "result": "not possible"}
    except TooLargeError:
        return {"sum": "That number", "result": "too large to read aloud"}
    return {"sum": done[0], "result": done[1]} if done else None


_THING = re.compile(
    r"(?i)\b(?:what(?:'s| is| was| are)|who(?:'s| is)|where(?:'s| is)|when(?:'s| is)|do you (?:know|remember)|tell me) "
    r"my (?P<thing>(?:[^\W\d_][\w'-]* ?){1,3}?)[?.! ]*$"
)
_ASKS = re.compile(r"(?i)(?:please |and |so )?(?:who|what|when|where|which|how|do|does|is|are|can|tell)\b")
_ORDER = re.compile(
    r"(?i)(?:you|your|always|never|please|do not|don't|only|just|if|when|answer|respond|reply|speak|talk|be|keep|use|say|act|call"
    r"|start|begin|end|help|greet|assist|count|tell|repeat)\b"
)


def _recall(prompt: Prompt, found: Found) -> Mapping[str, str] | None:
    """Answer from what the user told: «my favourite colour is blue», or else from a statement about the same words."""
    asked = _THING.search(prompt.text)
    if asked:
        told = re.compile(rf"(?i)\bmy {re.escape(asked['thing'].strip())} (?:is|are|was) (?P<value>[^.!?;,\n]{{1,80}})")
        for said in reversed(prompt.said("user")):
            if match := told.search(said):
                return {"told": f"Your {match.group()[3:].strip()}."}
    wanted = content_words(prompt.text).keys()
    if not _ASKS.match(prompt.text) or not wanted:
        return None
    best = max(_statements(prompt), key=lambda told: len(wanted & content_words(told).keys()), default="")
    shared = len(wanted & content_words(best).keys())
    return {"told": best} if shared >= 2 or (shared == 1 == len(wanted)) else None


def _statements(prompt: Prompt) -> Iterator[str]:
    """Yield what the instructions and the user stated, without orders and questions."""
    lines = (line.strip("-*• \t") for text in (prompt.standing, *prompt.said("user")) for line in text.splitlines())
    for told in (sentence.strip() for line in lines for sentence in sentences(line)):
        if 3 < len(told) <= _LONGEST_SENTENCE and not told.endswith("?") and not _ORDER.match(told):
            yield told if told[-1] in ".!" else f"{told}."


def _identity(prompt: Prompt, found: Found) -> Mapping[str, str] | None:
    return {"name": prompt.known("name") or "the script of rtnb's local service"}


def _fallback(prompt: Prompt, found: Found) -> Mapping[str, str] | None:
    """Give up to three of the longest words that tell what a prompt is about, in its order."""
    words = [word for word in content_words(prompt.text).values() if len(word) > 2]
    longest = sorted(words, key=len, reverse=True)[:3]
    *others, last = [word[:30] for word in words if word in longest] or [""]
    return {"subject": f"{', '.join(others)} and {last}" if others else last} if last else None


#: The verbs by name, each with its placeholders.
VERBS: Mapping[str, tuple[Verb, tuple[str, ...]]] = {
    "call": (lambda prompt, found: choose_calls(prompt) or None, ()),
    "output": (lambda prompt, found: {"output": told} if (told := tell_outputs(prompt)) else None, ("output",)),
    "repeat": (_repeat, ("said",)),
    "count": (_count, ("numbers",)),
    "spell": (_spell, ("word", "letters")),
    "sum": (_sum, ("sum", "result")),
    "recall": (_recall, ("told",)),
    "help": (lambda prompt, found: {}, ()),
    "identity": (_identity, ("name",)),
    "fallback": (_fallback, ("subject",)),
}
