"""The service's wits: an ordered table of small rules that answer a prompt in a sentence or three.

Pure and deterministic. The answers suit a demonstration, and never pretend that a cloud model speaks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from rtnb.service.engines.tasks import Message
from rtnb.service.script import exercises, recall, smalltalk
from rtnb.service.script.guidance import dressed
from rtnb.service.script.lessons import lesson
from rtnb.service.script.prompt import Prompt, read_prompt
from rtnb.service.script.schoolbook import fact

__all__ = ["LONGEST_REPLY", "Message", "reply", "reply_language"]

#: Characters of the longest reply.
LONGEST_REPLY = 1200


def reply(
    text: str,
    *,
    history: Sequence[Message] = (),
    instructions: str = "",
    voice: str = "",
    now: datetime | None = None,
) -> str:
    """Answer a prompt.

    Parameters
    ----------
    text : str
        What the user said last; anything at all.
    history : sequence of Message
        What was said before it, oldest first, without `text`.
    instructions : str
        Of the session: a name, a language, a tone, a length and fixed words are heeded, and facts are repeated.
    voice : str
        Name of the speaking voice, told when asked for.
    now : datetime, optional
        The user's date and time; without it the clock is not told.

    Returns
    -------
    str
        One to :data:`LONGEST_REPLY` characters; equal arguments give equal replies.
    """
    prompt = read_prompt(text, history=history, instructions=instructions, voice=voice, now=now)
    if prompt.guidance.only:
        return prompt.guidance.only
    rule, answer = next((rule, said) for rule in _RULES if (said := rule(prompt)))
    # What the user asked to hear again is the user's own, and is neither shortened nor coloured.
    own = rule in (recall.say_again, exercises.repeat)
    return _bounded(answer if own else dressed(answer, prompt.guidance, prompt.language))


def reply_language(text: str, *, history: Sequence[Message] = (), instructions: str = "") -> str:
    """Return the language in which :func:`reply` answers the same arguments: ``"en"``, ``"de"``, ``"fr"``, ``"es"`` or ``"it"``."""
    return read_prompt(text, history=history, instructions=instructions, voice="", now=None).language


def _bounded(answer: str) -> str:
    return answer if len(answer) <= LONGEST_REPLY else answer[: LONGEST_REPLY - 1].rstrip() + "…"


def _lesson(prompt: Prompt) -> str | None:
    return lesson(prompt.words) if prompt.language == "en" else None


def _fact(prompt: Prompt) -> str | None:
    return fact(prompt.words) if prompt.language == "en" else None


_Rule = Callable[[Prompt], str | None]

#: Asked in this order; the last always answers.
_RULES: tuple[_Rule, ...] = (
    smalltalk.silence,
    recall.say_again,
    exercises.repeat,
    exercises.count,
    exercises.spell,
    exercises.calculate,
    exercises.tell_time,
    recall.memory,
    recall.introduction,
    smalltalk.identity,
    recall.known,
    _lesson,
    _fact,
    smalltalk.greeting,
    smalltalk.manners,
    smalltalk.as_you_wish,
    smalltalk.chat,
    smalltalk.entertainment,
    smalltalk.about,
    smalltalk.fallback,
)
