"""The values that a script is made of: rules with their patterns, and the steps that an answer takes. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rtnb.service.engines.tasks import Call, Text

__all__ = ["PLACEHOLDER", "Fail", "Found", "Rule", "Script", "Step", "Wait", "compile_match"]

#: A placeholder in a sentence or an argument.
PLACEHOLDER = re.compile(r"\{(\w+)\}")

_GAP = r"\W+"
_TOKEN = re.compile(r"\{(?P<placeholder>\w+)\}|\((?P<optional>[^(){}]+)\)|(?P<word>[^\s(){}]+)")
# What a placeholder stands for ends with the sentence; a mark inside a word or number, as in 3.5, does not end it.
_INSIDE = r"(?:[^.,;:?!\n]|[.,;:?!](?=\w)){1,200}"


@dataclass(frozen=True, slots=True)
class Wait:
    """A pause in an answer, in seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Fail:
    """The failure that an answer ends with, in the form of the protocol's errors."""

    code: str
    message: str


Step = Text | Call | Wait | Fail


@dataclass(frozen=True, slots=True)
class Found:
    """What a pattern found in a text: the placeholders' values, and the text from the first placeholder to its end."""

    values: Mapping[str, str]
    rest: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """When it applies, and what is then answered: the keys of :mod:`rtnb.service.script.loader`.

    Attributes
    ----------
    place : str
        File and line, for messages.
    patterns : tuple of compiled patterns
        One must be found; none: any text does.
    verbatim : bool
        Whether its sentences stay as written; those of the default script heed the session's instructions.
    """

    place: str
    patterns: tuple[re.Pattern[str], ...] = ()
    role: str = "user"
    language: str = ""
    after_call: str = ""
    say: tuple[str, ...] = ()
    pick: str = "in turn"
    do: str = ""
    call: str = ""
    arguments: Mapping[str, Any] | str | None = None
    wait: float = 0.0
    fail: Fail | None = None
    verbatim: bool = True

    def search(self, text: str) -> Found | None:
        """Return what the first of the patterns finds in a text, or None."""
        if not self.patterns:
            return Found({})
        match = next((match for pattern in self.patterns if (match := pattern.search(text))), None)
        if match is None:
            return None
        held = {name: value for name, value in match.groupdict().items() if value is not None}
        rest = text[min(map(match.start, held)) :] if held else ""
        return Found({name: value.strip(" \"'").rstrip(".,;:!?\"'") for name, value in held.items()}, rest)

    def answers(self, function: str) -> bool:
        """Return whether the rule is for the outputs of a function."""
        return self.after_call in ("*", function)


@dataclass(frozen=True, slots=True)
class Script:
    """Rules, of which the first that applies answers, and the name of their file."""

    name: str
    rules: tuple[Rule, ...]


def compile_match(matches: Iterable[str], *, whole: bool) -> tuple[re.Pattern[str], ...]:
    """Compile patterns in words: ``"what is|are (the) capital of {country}"``.

    Raises
    ------
    ValueError
        A pattern cannot be read.
    """
    frame = r"^\W*{}\W*$" if whole else r"(?<!\w){}(?!\w)"
    written = [frame.format(_expression(match)) for match in matches]
    # Patterns without placeholders are looked for in one go, which makes long prompts twice as fast.
    plain = [each for each in written if "(?P<" not in each]
    joined = [*(each for each in written if "(?P<" in each), *(["|".join(plain)] if plain else [])]
    return tuple(re.compile(each, re.IGNORECASE) for each in joined)


def _expression(match: str) -> str:
    if _TOKEN.sub("", match).strip():
        raise ValueError(f'"{match}" has a bracket that is not closed')
    tokens = [token for token in _TOKEN.finditer(match) if re.search(r"\w", token.group())]
    last = max((at for at, token in enumerate(tokens) if not token["optional"]), default=-1)
    if last < 0:
        raise ValueError(f'"{match}" has no word that must be there')
    expression, gap = "", ""
    for at, token in enumerate(tokens):
        if token["optional"] and at < last:
            expression, gap = f"{expression}{gap}(?:{_choice(token['optional'])}{_GAP})?", ""
            continue
        if token["placeholder"]:
            expression += rf"{gap}(?P<{token['placeholder']}>{_INSIDE}{'' if at == last else '?'})"
        elif token["word"]:
            expression += gap + _choice(token["word"])
        else:
            expression += f"(?:{_GAP}{_choice(token['optional'])})?"
        gap = _GAP
    return expression


def _choice(words: str) -> str:
    """Return the expression of words that stand for each other: ``"is|are"``."""
    apart = [re.findall(r"[^\W_][\w'’-]*", each) for each in words.split("|")]
    return f"(?:{'|'.join(_GAP.join(map(re.escape, each)) for each in apart if each)})"
