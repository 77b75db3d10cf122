"""What functions returned, in sentences: JSON as people would read it out. Pure and bounded."""

from __future__ import annotations

import json
import re
from typing import Any

from rtnb.service.script.prompt import Prompt

__all__ = ["output_values", "tell_outputs"]

_MOST_PARTS = 10  # of a list or an object that are told, and of outputs
_DEEPEST = 4
_LONGEST = 500  # characters of one output that are told
_DONE = frozenset(("", "ok", "done", "success", "true", "null", "none", "{}", "[]", '""'))


def tell_outputs(prompt: Prompt) -> str:
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
        return text


def _sentence(name: str, output: str) -> str:
    function = _label(name) or "function"
    value = _read(output)
    told, form = _failure(value), "{} did not work: {}"
    if not told:
        parts = value.values() if isinstance(value, dict) else [value if value is not None else ""]
        if output.strip().lower() in _DONE or all(each in (True, None) or str(each).lower() in _DONE for each in parts):
            return f"{function.capitalize()} is done."
        told = _aloud(value)
        form = "{1}" if isinstance(value, str) and len(told.split()) > 2 else "This is what {} says: {}"
    plain = " ".join(told.split())
    if len(plain) > _LONGEST:
        plain = plain[: _LONGEST - 1].rsplit(" ", 1)[0] + "…"
    sentence = form.format(function, plain)
    return sentence[:1].upper() + sentence[1:] + ("" if sentence[-1:] in ".!?…" else ".")


def _failure(value: Any) -> str:
    """Return what went wrong, where the output says that something did."""
    if isinstance(value, str):
        error = re.match(r"(?i)\s*(?:\w*error\b|\w*exception\b|traceback|failed\b)", value)
        return re.sub(r"(?i)^error:\s*", "", value.strip().splitlines()[-1]) if error else ""
    if not isinstance(value, dict):
        return ""
    reason = value.get("error") or value.get("exception")
    if reason and reason is not True:
        return _aloud(reason.get("message") or reason if isinstance(reason, dict) else reason)
    failed = reason or value.get("status") in ("error", "failed") or False in (value.get("success"), value.get("ok"))
    return _aloud(value.get("message") or value.get("reason") or value) if failed else ""


def _aloud(value: Any, depth: int = 0) -> str:
    if value is None or isinstance(value, bool):
        return {True: "yes", False: "no", None: "nothing"}[value]
    if isinstance(value, float) and abs(value) < 1e15:
        return f"{value:.6f}".rstrip("0").rstrip(".") if abs(value) >= 1e-6 or not value else str(value)
    if not isinstance(value, dict | list):
        return str(value)[:_LONGEST].strip()
    if depth >= _DEEPEST:
        return "more"
    nested, mark = False, ", "
    if isinstance(value, dict):
        shown = [
            f"{_label(key)}{': ' if isinstance(held, dict | list) else ' ' if depth else ' is '}{_aloud(held, depth + 1)}"
            for key, held in list(value.items())[:_MOST_PARTS]
        ]
        nested = depth > 0
    else:
        shown = [_aloud(held, depth + 1) for held in value[:_MOST_PARTS]]
        nested = any(isinstance(held, dict | list) for held in value)
        mark = "; " if nested else ", "
    if len(value) > len(shown):
        return f"{mark.join(shown)}{mark}and {len(value) - len(shown)} more"
    return f"{mark.join(shown[:-1])} and {shown[-1]}" if len(shown) > 1 and not nested else mark.join(shown)


def _label(key: Any) -> str:
    words = " ".join(re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[_-]+", " ", str(key)[:80]).split())
    return words if words.isupper() else words.lower()
