"""Signs that a service speaks the other dialect: the shape of its session object, or a refusal. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from rtnb.protocol.dialects import DIALECTS, Dialect

_PARAMETER = re.compile(r"parameter:? '([\w.\[\]]+)'", re.IGNORECASE)
_SHAPED = ("session", "response", "item")
_VALUE = re.compile(r"invalid value:? '(\w+)'", re.IGNORECASE)


def other_dialect(spoken: Dialect, session: Mapping[str, Any]) -> Dialect | None:
    """Return the dialect whose shape a session object has, if it is not the one that is `spoken`.

    None for an object that has marks of both, or of none.
    """
    found = [dialect for dialect in DIALECTS.values() if dialect.marks & session.keys()]
    return found[0] if len(found) == 1 and found[0] != spoken else None


def dialect_of_refusal(
    spoken: Dialect, *, param: str | None, message: str, known: Dialect | None = None
) -> Dialect | None:
    """Return the dialect that a service speaks which refuses what `spoken` makes of a client event; None where that is not why.

    Parameters
    ----------
    spoken : Dialect
    param, message : str
        The error's: an unknown parameter that only `spoken` has, a missing session type where `spoken` has none, or a type
        of content part that only `spoken` has.
    known : Dialect, optional
        The other dialect, where the service's session object has its shape: then any parameter of session, response or item
        may be refused for that.
    """
    named = _PARAMETER.search(message)
    path = (param or (named[1] if named else "")).split(".")
    if known is not None:
        return known if path[0] in _SHAPED else None
    other = next(dialect for dialect in DIALECTS.values() if dialect != spoken)
    unknown, missing = (f"{word} parameter" in message.lower() for word in ("unknown", "missing required"))
    if path == ["session", "type"]:
        return other if (other.typed_session and missing) or (spoken.typed_session and unknown) else None
    if unknown and len(path) == 2 and path[0] in _SHAPED and path[1] in spoken.marks | spoken.paths.keys():
        return other
    value = _VALUE.search(message)
    return other if value and "content" in (param or "") and value[1] in _parts(spoken, other) else None


def hint(spoken: Dialect, there: Dialect) -> str:
    """Return what to say of a service that speaks another dialect than the session, and what to write."""
    return f"the service speaks the {there.title}, this session the {spoken.title}: connect with {there.choice}"


def _parts(dialect: Dialect, other: Dialect) -> set[str]:
    """Return the types of an assistant's content parts that `dialect` has and `other` has not."""
    return set(dialect.item_parts.values()) or set(other.item_parts)
