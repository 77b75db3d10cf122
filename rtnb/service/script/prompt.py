"""What the rules of the replies look at: a prompt, and all that bears on how it is answered.

Pure and deterministic.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from rtnb.service.engines.tasks import Message
from rtnb.service.script.asking import demanded_language, used_language
from rtnb.service.script.guidance import Guidance, read_guidance
from rtnb.service.script.phrasebook import Phrases, phrases

__all__ = ["Prompt", "plain", "read_prompt", "said_by"]

_LONGEST = 2000  # characters of a prompt or of instructions that are looked at
_MOST_TURNS = 200
_WISH = re.compile(
    r"(?:please |can you |could you |would you |now |from now on,? |bitte |let's )*"
    r"(?:talk|speak|answer|repl[yi]|respond|act|behave|be|pretend|sprich|antworte|parle|réponds|habla|responde|parla|rispondi|call yourself"
    r"|start|begin|end|finish)\b"
)


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt as the rules see it.

    Attributes
    ----------
    text : str
        As written, at most two thousand characters.
    words : str
        The same in lower case, with single spaces and plain quotes.
    history : sequence of Message
        What came before, oldest first.
    voice : str
    now : datetime or None
    instructions : str
        Of the session and of the conversation's system messages.
    guidance : Guidance
        What the instructions, and the user's wishes so far, ask of an answer.
    used, language : str
        The language that the prompt is written in, and that of the answer.
    """

    text: str
    words: str
    history: Sequence[Message]
    voice: str
    now: datetime | None
    instructions: str
    guidance: Guidance
    used: str
    language: str

    @property
    def say(self) -> Phrases:
        """The phrases of the answer's language."""
        return phrases(self.language)

    @property
    def said_by_user(self) -> list[str]:
        """What the user said before, oldest first."""
        return said_by("user", self.history)

    @property
    def wish(self) -> bool:
        """Whether the prompt itself is a wish about the answers, such as ``"talk like a pirate"``."""
        return len(self.words.split()) <= 12 and _WISH.match(self.words) is not None


def said_by(role: str, history: Sequence[Message]) -> list[str]:
    """Return what one role said, oldest first."""
    return [text for turn in history if turn.role == role and (text := turn.text.strip())]


def plain(text: str) -> str:
    """Write in lower case, with single spaces and plain quotes."""
    straight = text.lower().translate({0x2019: "'", 0x2018: "'", 0x201C: '"', 0x201D: '"', 0x201E: '"'})
    return re.sub(r"\s+", " ", straight).strip()


def read_prompt(
    text: str, *, history: Sequence[Message], instructions: str, voice: str, now: datetime | None
) -> Prompt:
    """Put together what the rules look at."""
    text, history = text[:_LONGEST].strip(), history[-_MOST_TURNS:]
    words = plain(text)
    standing = "\n".join([instructions[:_LONGEST], *(said[:_LONGEST] for said in said_by("system", history))])
    earlier = [plain(said[:_LONGEST]) for said in said_by("user", history)]
    wishes = [said for said in (*earlier, words) if _WISH.match(said) and len(said) < 160]
    guidance = read_guidance("\n".join([standing, *wishes]))
    used = used_language(words) or next(filter(None, map(used_language, reversed(earlier))), "en")
    language = demanded_language(words) or guidance.language or used
    return Prompt(text, words, history, voice, now, standing, guidance, used, language)
