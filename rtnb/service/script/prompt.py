"""A prompt as the rules of a script see it, and what is known when it is answered. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rtnb.service.engines.tasks import Message, Write
from rtnb.service.script.instructions import Instructions, asked_language, read_instructions
from rtnb.service.script.words import plain

__all__ = ["KNOWN", "Prompt", "read_prompt"]

#: The placeholders that need no match; each is empty where it is not known.
KNOWN = ("answer", "date", "first", "last", "name", "prompt", "time", "user", "voice")

_LONGEST = 2000  # characters of a prompt or of instructions that are looked at
_LONGEST_QUOTE = 300
_MOST_TURNS = 200
_DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
_MONTHS = re.findall(r"\w+", "January February March April May June July August September October November December")
_USER = re.compile(
    r"\b(?i:my name is|my name's|i am called)\s+([^\W\d_][\w'-]{0,29})"
    r"|\b(?i:call me|i am|i'm)\s+([A-ZÀ-Þ][\w-]{1,29})(?=[.,!]|$)"
)
_WISH = re.compile(
    r"(?i)(?:please |can you |could you |now |from now on,? )*(?:talk|speak|answer|repl[yi]|respond|be|call yourself)\b"
)


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt and what came before it.

    Attributes
    ----------
    task : Write
    text : str
        The prompt, at most two thousand characters, with straight quotes and single spaces.
    history : tuple of Message
        The latest two hundred.
    earlier : tuple of str
        What the user said in it, oldest first.
    standing : str
        The session's instructions and the conversation's system messages.
    instructions : Instructions
        What these, and the user's wishes so far, ask of an answer.
    language : str
        Asked for by the prompt or the instructions; else English.
    """

    task: Write
    text: str
    history: tuple[Message, ...]
    earlier: tuple[str, ...]
    standing: str
    instructions: Instructions
    language: str

    def text_of(self, role: str) -> str:
        """Return the text that the rules of a role look at: the prompt, the instructions, or the last answer."""
        match role:
            case "user":
                return self.text
            case "system":
                return self.standing
        return self.known("answer")

    @property
    def outputs(self) -> list[Message]:
        """The outputs of functions at the end of the conversation, which no answer has used yet."""
        roles = [turn.role for turn in self.history]
        end = len(roles)
        while end and roles[end - 1] in ("function_call", "function_call_output"):
            end -= 1
        return [turn for turn in self.history[end:] if turn.role == "function_call_output"]

    def function(self, output: Message) -> str:
        """Return the name of the function that gave an output."""
        calls = (turn.name for turn in self.history if turn.role == "function_call" and turn.call_id == output.call_id)
        return next(calls, "") or output.name

    def known(self, name: str) -> str:
        """Return the value of a placeholder, or ``""``."""
        now = self.task.now
        match name:
            case "prompt":
                return self.text
            case "voice":
                return self.task.voice
            case "name":
                return self.instructions.name
            case "time":
                return f"{now.hour}:{now.minute:02d}"
            case "date":  # from words of our own, because strftime follows the computer's language
                return f"{_DAYS[now.weekday()]}, {now.day} {_MONTHS[now.month - 1]} {now.year}"
            case "user":
                found = (_USER.search(said) for said in (self.text, *reversed(self.earlier)))
                return next((match[1] or match[2] for match in found if match), "")
            case "answer":
                return next(_said(reversed(self.history), "assistant"), "")
            case "first" | "last":
                return (self.earlier or ("",))[0 if name == "first" else -1][:_LONGEST_QUOTE]
        return ""


def _said(history: Iterable[Message], role: str) -> Iterator[str]:
    return (plain(turn.text[:_LONGEST]) for turn in history if turn.role == role and turn.text.strip())


def read_prompt(task: Write) -> Prompt:
    """Put together what the rules look at."""
    text, history = plain(task.prompt[:_LONGEST]), task.history[-_MOST_TURNS:]
    earlier = tuple(_said(history, "user"))
    standing = "\n".join([task.instructions[:_LONGEST], *_said(history, "system")])
    wishes = [said for said in (*earlier, text) if len(said) < 160 and _WISH.match(said)]
    instructions = read_instructions("\n".join([standing, *wishes]))
    language = asked_language(text) or instructions.language or "en"
    return Prompt(task, text, history, earlier, standing, instructions, language)
