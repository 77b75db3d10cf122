"""The outputs of functions as sentences: JSON as people would read it out. Pure and bounded."""

from __future__ import annotations

import itertools
import json
import re
from typing import Any

from rtnb.service.script.prompt import Prompt

__all__ = ["output_values", "outputs_aloud"]

_MOST_PARTS = 10  # of a list or an object, and of outputs
_DEEPEST = 4
_LONGEST = 500  # characters of one output
_DONE = frozenset(("", "ok", "done", "success", "true", "none", "{}", "[]"))


def outputs_aloud(prompt: Prompt) -> str:
    """Return a sentence for each output that waits for an answer, or ``""``."""
    return " ".join(_sentence(prompt.function(output), output.text) for output in prompt.outputs[:_MOST_PARTS])


def output_values(text: str) -> dict[str, str]:
    """Return the values of an output that is an object, by name and in words."""
    value = _read(text)
    return {str(key): _aloud(held) for key, held in value.items()} if isinstance(value, dict) else {}


def _read(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text.strip()


def _sentence(name: str, output: str) -> str:
    function, value = _label(name) or "function", _read(output)
    error = value.get("error") if isinstance(value, dict) else None
    if isinstance(value, str) and (found := re.match(r"(?i)\w*error:\s*(.+)", value, re.DOTALL)):
        error = found[1]
    if error:
        reason = error.get("message", error) if isinstance(error, dict) else error
        sentence = f"{function} did not work: {_aloud(reason)}"
    elif all(str(part).lower() in _DONE for part in (value.values() if isinstance(value, dict) else [value])):
        sentence = f"{function} is done"
    else:
        is_sentence = isinstance(value, str) and len(value.split()) > 2
        sentence = value if is_sentence else f"This is what {function} says: {_aloud(value)}"
    sentence = " ".join(sentence.split())
    if len(sentence) > _LONGEST:
        sentence = sentence[: _LONGEST - 1].rsplit(" ", 1)[0] + "…"
    return sentence[:1].upper() + sentence[1:] + ("" if sentence[-1:] in ".!?…" else ".")


def _aloud(value: Any, depth: int = 0) -> str:
    if value is None or isinstance(value, bool):
        return {True: "yes", False: "no", None: "nothing"}[value]
    if isinstance(value, float):
        return f"{value:.6f}".rstrip("0").rstrip(".")[:_LONGEST]
    if not isinstance(value, dict | list):
        return str(value)[:_LONGEST].strip()
    if depth >= _DEEPEST:
        return "more"
    parts = [
        _aloud(held, depth + 1)
        for held in itertools.islice(value.values() if isinstance(value, dict) else value, _MOST_PARTS)
    ]
    if isinstance(value, dict):
        signs = (": " if isinstance(held, dict | list) else " is " for held in value.values())
        parts = [f"{_label(key)}{sign}{part}" for key, sign, part in zip(value, signs, parts, strict=False)]
    if len(value) > len(parts):
        parts.append(f"{len(value) - len(parts)} more")
    return ", ".join(parts) if depth or len(parts) < 2 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _label(key: Any) -> str:
    words = " ".join(re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[_-]+", " ", str(key)[:80]).split())
    return words if words.isupper() else words.lower()
