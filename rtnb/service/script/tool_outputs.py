"""Telling what functions gave: JSON read out as people would say it.

Pure and bounded.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from rtnb.service.engines.tasks import Message
from rtnb.service.script.phrasebook import Phrases, phrases

__all__ = ["pending", "tell_outputs"]

_MOST_PARTS = 10  # of a list or an object that are told
_DEEPEST = 4
_LONGEST = 500  # characters of one output that are told
_FAILED = re.compile(r"(?i)\s*(?:\w*error\b|\w*exception\b|traceback|failed\b)")
_DONE = frozenset(("", "ok", "done", "success", "true", "null", "none", "{}", "[]", '""'))


def pending(history: Sequence[Message]) -> list[Message]:
    """Return the calls and outputs at the end of the conversation, if there are outputs that nobody has told yet."""
    tail: list[Message] = []
    for turn in reversed(history):
        if turn.role not in ("function_call", "function_call_output"):
            break
        tail.append(turn)
    return tail[::-1] if any(turn.role == "function_call_output" for turn in tail) else []


def tell_outputs(history: Sequence[Message], language: str = "en") -> str | None:
    """Tell the outputs that have just come.

    Parameters
    ----------
    history : sequence of Message
        The conversation; the calls and outputs at its end are told.
    language : str
        Of the sentences around the values.

    Returns
    -------
    str or None
        A sentence for each output; None where none is waiting.
    """
    names = {turn.call_id: turn.name for turn in history if turn.role == "function_call"}
    outputs = [turn for turn in pending(history) if turn.role == "function_call_output"]
    say = phrases(language)
    told = [_sentence(names.get(turn.call_id) or turn.name, turn.text, say) for turn in outputs[:_MOST_PARTS]]
    return " ".join(told) or None


def _sentence(name: str, output: str, say: Phrases) -> str:
    tool = " ".join(re.findall(r"[^\W_]+", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name))).lower()[:80] or "function"
    if output.strip().lower() in _DONE:
        return _capital(say.done.format(tool=tool))
    try:
        value = json.loads(output)
    except (ValueError, RecursionError):
        value = output
    failure = _failure(value)
    if failure:
        return _ended(_capital(say.failed.format(tool=tool, told=failure)))
    if isinstance(value, dict) and all(part in (True, None) or str(part).lower() in _DONE for part in value.values()):
        return _capital(say.done.format(tool=tool))
    told = _shortened(_aloud(value, say is phrases("en")))
    if isinstance(value, str) and len(told.split()) > 2:
        return _ended(_capital(told))
    return _ended(_capital(say.output.format(tool=tool, told=told)))


def _failure(value: Any) -> str:
    """Return what went wrong, where the output says that something did."""
    if isinstance(value, str):
        return _shortened(re.sub(r"(?i)^error:\s*", "", value.strip().splitlines()[-1])) if _FAILED.match(value) else ""
    if not isinstance(value, dict):
        return ""
    reason = value.get("error") or value.get("exception") or value.get("errors")
    failed = value.get("status") in ("error", "failed") or value.get("success") is False or value.get("ok") is False
    if reason and reason is not True:
        inner = reason.get("message") if isinstance(reason, dict) else None
        return _shortened(_aloud(inner or reason, True))
    return _shortened(_aloud(value.get("message") or value.get("reason") or value, True)) if failed or reason else ""


def _aloud(value: Any, english: bool, depth: int = 0) -> str:
    if isinstance(value, bool):
        return ("yes" if value else "no") if english else str(value).lower()
    if value is None:
        return "nothing" if english else "–"
    if isinstance(value, float) and value == value and abs(value) < 1e15:
        return f"{value:.6f}".rstrip("0").rstrip(".") if abs(value) >= 1e-6 or not value else str(value)
    if isinstance(value, dict | list) and depth >= _DEEPEST:
        return "more" if english else "…"
    if isinstance(value, dict):
        parts = [_pair(key, held, english, depth) for key, held in list(value.items())[:_MOST_PARTS]]
        return _joined(parts, len(value), english and not depth)
    if isinstance(value, list):
        told = [_aloud(held, english, depth + 1) for held in value[:_MOST_PARTS]]
        nested = any(isinstance(held, dict | list) for held in value)
        return _joined(told, len(value), english and not nested, "; " if nested else ", ")
    return str(value)[:_LONGEST].strip()


def _pair(key: Any, held: Any, english: bool, depth: int) -> str:
    link = ": " if isinstance(held, dict | list) or not english else " " if depth else " is "
    return f"{_label(key)}{link}{_aloud(held, english, depth + 1)}"


def _label(key: Any) -> str:
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[_-]+", " ", str(key)[:80])
    return words if words.isupper() else words.lower()


def _joined(parts: list[str], count: int, english: bool, mark: str = ", ") -> str:
    if count > len(parts):
        return f"{mark.join(parts)}{mark}{'and ' if english else ''}{count - len(parts)} {'more' if english else '…'}"
    if english and len(parts) > 1:
        return f"{mark.join(parts[:-1])} and {parts[-1]}"
    return mark.join(parts)


def _shortened(text: str) -> str:
    plain = re.sub(r"\s+", " ", text).strip()
    return plain if len(plain) <= _LONGEST else plain[: _LONGEST - 1].rsplit(" ", 1)[0] + "…"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _ended(text: str) -> str:
    return text if text[-1:] in ".!?…" else f"{text}."
