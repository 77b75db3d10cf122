"""Faults on request: what goes wrong, and when. `rtnb.service.server.fault_plan` applies them to a session's events.

Each fault is one line to write: ``rtnb serve --fault drop_after=20`` or ``rtnb.connect("local", faults="drop_after=20")``.
Events are counted in each session, ``session.created`` being the first.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

from rtnb.errors import ConfigurationError

_Number = TypeVar("_Number", int, float)
_REFUSALS = (401, 429, 503)
_TRUE, _FALSE = ("", "1", "true", "yes", "on"), ("0", "false", "no", "off")


def _count(text: str) -> int:
    return _least(int(text), 0)


def _close_code(text: str) -> int:
    code = int(text)
    if code not in (1000, 1001, 1002, 1003, *range(1007, 1015), *range(3000, 5000)):
        raise ValueError
    return code


def _refusal(text: str) -> int:
    if (status := int(text)) not in _REFUSALS:
        raise ValueError
    return status


def _amount(text: str) -> float:
    return _least(float(text), 0.0)


def _switch(text: str) -> bool:
    if text.lower() not in _TRUE + _FALSE:
        raise ValueError
    return text.lower() in _TRUE


def _least(value: _Number, least: _Number) -> _Number:
    if not least <= value < math.inf:
        raise ValueError
    return value


def _fault(default: Any, read: Callable[[str], Any], form: str, meaning: str) -> Any:
    return field(default=default, metadata={"read": read, "form": form, "meaning": meaning})


@dataclass(frozen=True, slots=True)
class Faults:
    """What goes wrong in every session of a service; by default nothing. Each field's `meaning` says what it does.

    Examples
    --------
    >>> Faults.of("drop_after=20")
    Faults('drop_after=20')
    >>> Faults.of({"delay_ms": 200, "jitter_ms": 50})
    Faults('delay_ms=200', 'jitter_ms=50')
    """

    refuse: int | None = _fault(
        None, _refusal, "401|429|503", "refuse the connection: wrong key, too many requests, overloaded"
    )
    retire_preview: bool = _fault(
        False, _switch, "", "refuse the preview dialect as a cloud that has retired it: error, then close code 4000"
    )
    drop_after: int | None = _fault(None, _count, "N", "break the connection after N events, without a closing frame")
    close_after: int | None = _fault(None, _count, "N", "close the connection after N events, with close_code")
    close_code: int = _fault(1011, _close_code, "CODE", "the code for close_after (default 1011, an internal error)")
    close_in_response: int | None = _fault(
        None, _close_code, "CODE", "close with this code in the middle of a response, after its third delta"
    )
    stall_after: int | None = _fault(None, _count, "N", "send nothing more after N events, and keep the connection")
    malformed_after: int | None = _fault(None, _count, "N", "send a frame that is not JSON after N events, then go on")
    unknown_event_after: int | None = _fault(
        None, _count, "N", "send an event of an unknown type after N events, then go on"
    )
    delay_ms: float = _fault(0.0, _amount, "MS", "send every event MS milliseconds later")
    jitter_ms: float = _fault(0.0, _amount, "MS", "and up to MS milliseconds more, at random, the order kept")
    expire_in: float | None = _fault(
        None, _amount, "SECONDS", "end the session after SECONDS with session_expired and close code 1001"
    )
    rate_limit: bool = _fault(False, _switch, "", "let every response fail with rate_limit_exceeded")

    @classmethod
    def of(cls, given: Faults | str | Mapping[str, Any] | Iterable[str] | None) -> Faults:
        """Return the faults that are written as ``"drop_after=20, delay_ms=50"``, as a list of such, or as a mapping.

        Raises
        ------
        ConfigurationError
            A name that is no fault, with all that there are and what they mean; or a value that the fault cannot have.
        """
        if isinstance(given, Faults):
            return given
        chosen: dict[str, Any] = {}
        for name, value in _pairs(given):
            if name in chosen:
                raise ConfigurationError(f"The fault {name} is given twice; give it once.")
            chosen[name] = _read(name, value)
        return cls(**chosen)

    def written(self) -> tuple[str, ...]:
        """Return the faults that are on, as they are written: ``("drop_after=20",)``."""
        values = ((each.name, getattr(self, each.name), each.default) for each in fields(self))
        return tuple(name if value is True else f"{name}={value:g}" for name, value, off in values if value != off)

    def described(self) -> tuple[str, ...]:
        """Return one line for each fault that is on, with its meaning."""
        about = {each.name: each.metadata for each in fields(self)}
        lines = []
        for each in self.written():
            name, _, value = each.partition("=")
            form, meaning = about[name]["form"], about[name]["meaning"]
            if form.isalpha():
                meaning = re.sub(rf"\b{form}\b", value, meaning)
            lines.append(f"{each:<24} {meaning}")
        return tuple(lines)

    def __bool__(self) -> bool:
        return bool(self.written())

    def __repr__(self) -> str:
        return f"Faults({', '.join(map(repr, self.written()))})"


def catalogue() -> str:
    """Return every fault with what it means, one line each."""
    forms = ((each.name, each.metadata["form"], each.metadata["meaning"]) for each in fields(Faults))
    return "\n".join(f"  {name + ('=' + form if form else ''):<22} {meaning}" for name, form, meaning in forms)


def _pairs(given: str | Mapping[str, Any] | Iterable[str] | None) -> list[tuple[str, str]]:
    if given is None:
        return []
    if isinstance(given, Mapping):
        return [(str(name), _text(value)) for name, value in given.items() if value is not None]
    if isinstance(given, str):
        given = given.split(",")
    if not isinstance(given, Iterable) or not all(isinstance(each, str) for each in given):
        raise ConfigurationError(
            f'faults={given!r} cannot be read; write faults="drop_after=20" or {{"drop_after": 20}}.'
        )
    split = (each.partition("=") for each in given if each.strip())
    return [(name.strip(), value.strip()) for name, _, value in split]


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _read(name: str, value: str) -> Any:
    known = {each.name: each.metadata for each in fields(Faults)}
    if name not in known:
        near = [each for each in known if name and each.startswith(name)] or difflib.get_close_matches(name, known, n=1)
        meant = f" Did you mean {' or '.join(near)}?" if near else ""
        raise ConfigurationError(f"There is no fault {name!r}.{meant} There are:\n{catalogue()}")
    form = known[name]["form"]
    try:
        return known[name]["read"](value)
    except ValueError:
        right = f"{name}={form}" if form else name
        raise ConfigurationError(
            f"{name}={value!r} is not possible; write {right}: {known[name]['meaning']}."
        ) from None
