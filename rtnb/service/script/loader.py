"""The scripts' file format: TOML read into rules, and mistakes reported with their line.

A script is a list of rules; the first that applies answers::

    extends = "default"                     # rtnb's own rules behind these; "none": these alone

    [[rule]]
    match = "capital of {country}"          # found anywhere in the prompt, in any case, whatever the punctuation
    say = "I have been to {country} once."

========================  ==============================================================================================
When it applies
========================  ==============================================================================================
``match``                 Words, or a list of such: ``is|are`` one of them, ``(the)`` may be missing, ``{city}`` a
                          placeholder, which reaches to the next word of the match or the end of the sentence. Without
                          a match a rule applies to everything.
``whole = true``          The prompt is nothing but the match.
``regex``                 Instead of a match: a regular expression, or a list; its named groups are placeholders.
``role``                  Where the match is looked for: ``"user"`` (the prompt), ``"system"`` (the instructions), or
                          ``"assistant"`` (the last answer).
``language``              ``"de"``, ``"en"``, ``"es"``, ``"fr"`` or ``"it"``: asked for by prompt or instructions.
``after_call``            A function's name, or ``"*"``: its output has come. The output's values are placeholders, and
                          ``{output}`` is all of them in a sentence.
========================  ==============================================================================================

========================  ==============================================================================================
What is answered
========================  ==============================================================================================
``say``                   A sentence with placeholders, or a list: one after another each time that the rule answers.
``pick = "random"``       One of the list by the prompt and the service's seed.
``call``                  A function that the session offers.
``arguments``             Of the call: a table with placeholders, or a text that is sent as it stands. Without them the
                          placeholders of the same names are taken, and the rest from the prompt.
``do``                    A verb: ``call`` (the function that fits the prompt), ``help``, or one with placeholders:
                          ``output`` (``{output}``), ``repeat`` (``{said}``), ``count`` (``{numbers}``), ``spell``
                          (``{word}``, ``{letters}``), ``sum`` (``{sum}``, ``{result}``), ``recall`` (``{fact}``),
                          ``identity`` (``{name}``), ``fallback`` (``{subject}``). It works on the words that the match
                          found; without ``say`` it says what the default script says.
``wait``                  Seconds before the answer.
``fail``                  The response fails, after what is said: a message, or ``{ code = "…", message = "…" }``.
========================  ==============================================================================================

These placeholders are known without a match: ``{prompt}``, ``{first}`` and ``{last}`` (what the user said first, and
before this), ``{answer}`` (the last one), ``{user}`` and ``{name}`` (the user's and the assistant's name), ``{voice}``,
``{time}``, ``{date}``. A rule whose sentence needs something that is not known does not apply.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Collection, Mapping
from difflib import get_close_matches
from functools import lru_cache
from importlib.resources import files
from os import PathLike
from pathlib import Path
from typing import Any, NoReturn

from rtnb.errors import ConfigurationError
from rtnb.service.script.instructions import LANGUAGES
from rtnb.service.script.prompt import KNOWN
from rtnb.service.script.rules import PLACEHOLDER, Fail, Rule, Script, compile_match
from rtnb.service.script.verbs import VERBS

__all__ = ["load_script"]


def load_script(path: str | PathLike[str] | None = None) -> Script:
    """Read a script.

    Parameters
    ----------
    path : path, optional
        A TOML file; without one, the script that comes with rtnb.

    Raises
    ------
    ConfigurationError
        The file cannot be read, or a rule is not right: the message names the line.
    """
    if path is None:
        return _default()
    try:
        text = Path(path).read_text("utf-8-sig")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ConfigurationError(f"The script {str(path)!r} cannot be read: {reason}.") from None
    return _Reader(Path(path).name, text).script(_default().rules)


@lru_cache(maxsize=1)
def _default() -> Script:
    text = (files("rtnb.service.script") / "default.toml").read_text("utf-8")
    return _Reader("default.toml", text).script(())


def _texts(value: Any) -> tuple[str, ...]:
    """Return a text or a list of texts as a tuple; empty for anything else."""
    texts = (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list) else ()
    return texts if all(isinstance(text, str) and text for text in texts) else ()


def _is_failure(value: Any) -> bool:
    table = {"message": value} if isinstance(value, str) else value if isinstance(value, dict) else {}
    return "message" in table and {*table} <= {"code", "message"} and all(isinstance(each, str) for each in table.values())  # fmt: skip


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


_TEXTS = ("a text or a list of texts", lambda value: bool(_texts(value)))
#: The keys of a rule: those that are one of a few words, and of the others what to write and whether a value is that.
_CHOICES = {"role": ("user", "system", "assistant"), "pick": ("in turn", "random"), "language": (*LANGUAGES,), "do": (*VERBS,)}  # fmt: skip
_FORMS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "match": _TEXTS, "regex": _TEXTS, "say": _TEXTS,
    "whole": ("true or false", lambda value: isinstance(value, bool)),
    "after_call": ('a function\'s name or "*"', _is_name), "call": ("a function's name", _is_name),
    "arguments": ("a table or a text", lambda value: isinstance(value, str | dict)),
    "wait": ("seconds, at most 600", lambda value: type(value) in (int, float) and 0 <= value <= 600),
    "fail": ('a text or { code = "…", message = "…" }', _is_failure),
}  # fmt: skip


class _Reader:
    """Reads one file, and finds the lines of its rules and of their keys."""

    def __init__(self, name: str, text: str) -> None:
        self._name = name
        self._lines: list[dict[str, int]] = [{"": 1}]  # of the file's own keys, then of each rule's
        self._rule = 0
        quoted = ""
        for number, line in enumerate(text.splitlines(), 1):
            if not quoted and re.match(r"\s*\[\[\s*rule\s*\]\]", line):
                self._lines.append({"": number})
            elif not quoted and (key := re.match(r"\s*[\"']?([\w-]+)[\"']?\s*[.=]", line)):
                self._lines[-1].setdefault(key[1], number)
            for mark in re.findall(r'"""|\'\'\'', line):
                quoted = "" if quoted == mark else quoted or mark
        try:
            self._table = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            message, _, place = str(error).partition(" (at ")
            found = re.match(r"line (\d+)", place)
            line = found[1] if found else str(len(text.splitlines()))
            raise ConfigurationError(f"{name}, line {line}: {message}.") from None

    def script(self, default: tuple[Rule, ...]) -> Script:
        """Return the rules of the file, with those of the default script behind them unless it says otherwise."""
        for key in self._table:
            self._check_word(key, key, ("extends", "rule"), f'"{key}" is unknown in the file')
        extends, rules = self._table.get("extends", "default"), self._table.get("rule", [])
        if extends not in ("default", "none"):
            self._refuse("extends", f'extends = {extends!r} is unknown: write "default" or "none"')
        if not isinstance(rules, list) or not all(isinstance(rule, dict) for rule in rules):
            self._refuse("rule", "rules are written [[rule]], in double brackets")
        if len(self._lines) != len(rules) + 1:  # they are written in another form of TOML
            self._lines += [{"": self._lines[0].get("rule", 1)}] * len(rules)
        read = []
        for self._rule, table in enumerate(rules, 1):
            read.append(self._read(table, default))
        return Script(self._name, (*read, *(default if extends == "default" else ())))

    def _refuse(self, key: str, message: str) -> NoReturn:
        lines = self._lines[self._rule]
        raise ConfigurationError(f"{self._name}, line {lines.get(key, lines[''])}: {message}.")

    def _check_word(self, key: str, word: Any, known: Collection[str], unknown: str) -> None:
        if word not in known:
            near = get_close_matches(str(word), known, 1)
            self._refuse(key, f"{unknown}: " + (f'did you mean "{near[0]}"?' if near else f"there are {', '.join(known)}"))  # fmt: skip

    def _read(self, table: Mapping[str, Any], default: tuple[Rule, ...]) -> Rule:
        for key, value in table.items():
            self._check_word(key, key, (*_FORMS, *_CHOICES), f'"{key}" is unknown in a rule')
            if key in _CHOICES:
                self._check_word(key, value, _CHOICES[key], f"{key} = {value!r} is unknown")
            elif not _FORMS[key][1](value):
                self._refuse(key, f"{key} = {value!r} is not possible: write {_FORMS[key][0]}")
        if not any(key in table for key in ("say", "call", "do", "fail")):
            self._refuse("", "the rule answers nothing: it needs say, call, do or fail")
        if "arguments" in table and "call" not in table:
            self._refuse("arguments", "arguments belong to a call")
        given = {key: value for key, value in table.items() if key not in ("match", "regex", "whole")}
        given["say"] = _texts(table.get("say")) or next((rule.say for rule in default if rule.do and rule.do == table.get("do")), ())  # fmt: skip
        if fail := table.get("fail"):
            given["fail"] = Fail(**{"code": "server_error", **({"message": fail} if isinstance(fail, str) else fail)})
        place = f"{self._name}, line {self._lines[self._rule]['']}"
        rule = Rule(place, self._patterns(table), verbatim=bool(default), **given)
        if not rule.after_call:
            self._check_placeholders(rule)
        return rule

    def _patterns(self, table: Mapping[str, Any]) -> tuple[re.Pattern[str], ...]:
        if "match" in table and "regex" in table:
            self._refuse("regex", "a rule has a match or a regex, not both")
        try:
            matches = compile_match(_texts(table.get("match")), whole=table.get("whole", False))
            return matches + tuple(re.compile(each, re.IGNORECASE) for each in _texts(table.get("regex")))
        except (re.error, ValueError, OverflowError) as error:
            self._refuse("match" if "match" in table else "regex", f"the pattern cannot be read: {error}")

    def _check_placeholders(self, rule: Rule) -> None:
        """Refuse a sentence that needs a placeholder which the match does not give."""
        held = [set(pattern.groupindex) for pattern in rule.patterns]
        known = {*KNOWN, *(VERBS[rule.do][1] if rule.do else ()), *(set.intersection(*held) if held else ())}
        written = {"say": " ".join(rule.say), "arguments": str(rule.arguments), "fail": str(rule.fail)}
        for key, text in written.items():
            for name in PLACEHOLDER.findall(text):
                if any(name in names for names in held) and name not in known:
                    self._refuse(key, f"{{{name}}} is not in every match")
                names = [f"{{{each}}}" for each in sorted(known)]
                self._check_word(key, f"{{{name}}}", names, f"{{{name}}} is in no match and not known otherwise")
