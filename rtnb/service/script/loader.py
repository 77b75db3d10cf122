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
                          ``{output}`` tells them in a sentence.
========================  ==============================================================================================

========================  ==============================================================================================
What is answered
========================  ==============================================================================================
``say``                   A sentence with placeholders, or a list: one after another each time that the rule answers.
``pick = "random"``       One of the list by the prompt and the service's seed.
``call``                  A function that the session offers.
``arguments``             Of the call: a table with placeholders, or a text that is sent as it stands. Without them the
                          placeholders of the same names are taken, and the rest from the prompt.
``do``                    A verb: ``call`` (the function that fits the prompt), ``output``, ``repeat``, ``count``,
                          ``spell``, ``sum``, ``recall``, ``help``, ``identity`` or ``fallback``. It works on the words
                          that the match found, says what the default script says, or ``say`` with its placeholders.
``wait``                  Seconds before the answer.
``fail``                  The response fails, after what is said: a message, or ``{ code = "…", message = "…" }``.
========================  ==============================================================================================

``preamble`` is what is said before an answer, as a message of its own, where the session asks for ``reasoning``: a table
with a text or a list of texts for each language, one after another; ``{}`` for none. It stands above the rules::

    preamble = { en = ["Let me think.", "One moment."] }

These placeholders are known without a match: ``{prompt}``, ``{first}`` and ``{last}`` (what the user said first, and
before this), ``{answer}`` (the last one), ``{user}`` and ``{name}`` (the user's and the assistant's name), ``{voice}``,
``{time}``, ``{date}``. A rule whose sentence needs something that is not known does not apply.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
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

_TEXTS = "a text or a list of texts"
_KEYS: dict[str, str | tuple[str, ...]] = {
    "match": _TEXTS, "regex": _TEXTS, "whole": "true or false", "role": ("user", "system", "assistant"),
    "language": tuple(LANGUAGES), "after_call": 'a function\'s name or "*"', "say": _TEXTS, "pick": ("in turn", "random"),
    "call": "a function's name", "arguments": "a table or a text", "do": tuple(VERBS), "wait": "seconds, at most 600",
    "fail": 'a text or { code = "…", message = "…" }',
}  # fmt: skip


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
    return _Reader(Path(path).name, text).script(_default())


@lru_cache(maxsize=1)
def _default() -> Script:
    text = (files("rtnb.service.script") / "default.toml").read_text("utf-8")
    return _Reader("default.toml", text).script(Script("", ()))


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

    def script(self, default: Script) -> Script:
        """Return the rules of the file, with those of the default script behind them unless it says otherwise."""
        self._check_names(self._table, {"extends": "", "preamble": "", "rule": ""}, "in the file")
        extends, rules = self._table.get("extends", "default"), self._table.get("rule", [])
        if extends not in ("default", "none"):
            self._refuse("extends", f'extends = {extends!r} is unknown: write "default" or "none"')
        if not isinstance(rules, list) or not all(isinstance(rule, dict) for rule in rules):
            self._refuse("rule", "rules are written [[rule]], in double brackets")
        if len(self._lines) != len(rules) + 1:
            self._lines += [{"": self._lines[0].get("rule", 1)}] * len(rules)
        preambles = self._preambles(default.preambles if extends == "default" else {})
        read = []
        for self._rule, table in enumerate(rules, 1):
            read.append(self._read(table, default.rules))
        return Script(self._name, (*read, *(default.rules if extends == "default" else ())), preambles)

    def _preambles(self, default: Mapping[str, tuple[str, ...]]) -> Mapping[str, tuple[str, ...]]:
        written = self._table.get("preamble")
        if written is None:
            return default
        found = {language: _texts(each) for language, each in written.items()} if isinstance(written, dict) else None
        if found is None or not set(found) <= set(LANGUAGES) or not all(found.values()):
            self._refuse("preamble", f"preamble is a table of texts by language, which are {', '.join(LANGUAGES)}")
        return found

    def _refuse(self, key: str, message: str) -> NoReturn:
        lines = self._lines[self._rule]
        raise ConfigurationError(f"{self._name}, line {lines.get(key, lines[''])}: {message}.")

    def _check_names(self, table: Mapping[str, Any], known: Mapping[str, Any], place: str) -> None:
        for key in table:
            if key not in known:
                near = get_close_matches(key, known, 1)
                self._refuse(key, f'"{key}" is unknown {place}: ' + (f'did you mean "{near[0]}"?' if near else f"there are {', '.join(known)}"))  # fmt: skip

    def _read(self, table: Mapping[str, Any], default: tuple[Rule, ...]) -> Rule:
        self._check_names(table, _KEYS, "in a rule")
        for key, value in table.items():
            self._check(key, value, _KEYS[key])
        if not any(key in table for key in ("say", "call", "do", "fail")):
            self._refuse("", "the rule answers nothing: it needs say, call, do or fail")
        if "arguments" in table and "call" not in table:
            self._refuse("arguments", "arguments belong to a call")
        patterns = self._patterns(table)
        do, say, fail = table.get("do", ""), _texts(table.get("say")), table.get("fail")
        if do and not say:
            say = next((rule.say for rule in default if rule.do == do), ())
        failure = Fail("server_error", fail) if isinstance(fail, str) else Fail(**{"code": "server_error", **fail}) if fail else None  # fmt: skip
        copied = {
            key: table[key] for key in ("role", "language", "after_call", "pick", "call", "arguments") if key in table
        }
        rule = Rule(
            place=f"{self._name}, line {self._lines[self._rule]['']}", patterns=patterns, say=say, do=do, fail=failure,
            wait=float(table.get("wait", 0.0)), verbatim=bool(default), **copied,
        )  # fmt: skip
        if not rule.after_call:
            self._check_placeholders(rule)
        return rule

    def _check(self, key: str, value: Any, wanted: str | tuple[str, ...]) -> None:
        if isinstance(wanted, tuple):
            if value not in wanted:
                near = get_close_matches(str(value), wanted, 1)
                self._refuse(key, f"{key} = {value!r} is unknown: " + (f'did you mean "{near[0]}"?' if near else f"there are {', '.join(wanted)}"))  # fmt: skip
            return
        fits = {
            _TEXTS: bool(_texts(value)),
            _KEYS["whole"]: isinstance(value, bool),
            _KEYS["arguments"]: isinstance(value, str | dict),
            _KEYS["wait"]: isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 600,
            _KEYS["fail"]: isinstance(value, str) or (isinstance(value, dict) and "message" in value and set(value) <= {"code", "message"} and all(isinstance(each, str) for each in value.values())),
        }  # fmt: skip
        if not fits.get(wanted, isinstance(value, str) and bool(value)):
            self._refuse(key, f"{key} = {value!r} is not possible: write {wanted}")

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
        written = {
            "say": rule.say,
            "arguments": (str(rule.arguments or ""),),
            "fail": (rule.fail.message if rule.fail else "",),
        }
        for key, texts in written.items():
            for name in (name for text in texts for name in PLACEHOLDER.findall(text)):
                if name not in known:
                    near = get_close_matches(name, known, 1)
                    some = any(name in names for names in held)
                    reason = "is not in every match" if some else "is in no match and not known otherwise"
                    self._refuse(key, f"{{{name}}} {reason}" + (f': did you mean "{{{near[0]}}}"?' if near and not some else ""))  # fmt: skip


def _texts(value: Any) -> tuple[str, ...]:
    """Return a text or a list of texts as a tuple; empty for anything else."""
    texts = (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list) else ()
    return texts if all(isinstance(text, str) and text for text in texts) else ()
