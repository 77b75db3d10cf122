"""Filling a function's arguments from what the user said, by the schema that the function gives.

Pure and deterministic. Every result fits the schema, as far as a value that fits can be found: what the text does not
give is taken from defaults, or made up as simply as the schema allows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from rtnb.service.script.clues import Clues
from rtnb.service.script.schemas import Schema
from rtnb.service.script.words import stem, stems, words_of

__all__ = ["MISSING", "evidence", "fill", "place_argument"]

_MOST_PROPERTIES = 200  # of an object that are looked for


class _Missing:
    """Nothing in the text."""


MISSING = _Missing()

_PLACES = frozenset(
    map(stem, words_of("city location place town country where region address area destination origin capital room"))
)
_PEOPLE = frozenset(map(stem, words_of("name person contact recipient who customer user guest attendee friend")))
_DAYS = frozenset(map(stem, words_of("date day deadline birthday")))
_TIMES = frozenset(map(stem, words_of("time hour clock")))
_WORDINGS = frozenset(
    map(
        stem,
        words_of(
            "query text message question content prompt topic title note body subject term keyword phrase sentence description task reminder search word"
        ),
    )
)
_LEAD = re.compile(
    r"(?is)^.*?\b(?:saying|that says|called|titled|about|search(?: the web)? for|look up|find(?: me)?|google|remind me to"
    r"|tell \w+ that|note that|translate|ask(?: for)?)\b[\s:]+"
)
_OFF = re.compile(
    r"(?i)\b(?:off|no|not|without|don't|disable\w*|false|never|stop|close|lock out|deactivate\w*|aus|mute)\b"
)
_ON = re.compile(r"(?i)\b(?:on|yes|with|enable\w*|true|activate\w*|start|open|an|ein)\b")
_SWITCHES = frozenset(map(stem, words_of("on enabled enable state active power switch value status")))
_COLOURS = r"(?i)\b(?:red|green|blue|yellow|orange|purple|violet|pink|white|black|grey|gray|brown|cyan|magenta|turquoise|gold|silver)\b"


def fill(parameters: Mapping[str, Any], text: str, now: datetime, *, further: str = "") -> dict[str, Any]:
    """Fill the arguments of a call.

    Parameters
    ----------
    parameters : mapping
        JSON schema of the arguments; anything at all.
    text : str
        The part of the prompt that speaks of this call.
    now : datetime
        What ``tomorrow`` is reckoned from.
    further : str
        More text, for what is required and not found in `text`.

    Returns
    -------
    dict
        All required arguments, and those optional ones that the text speaks of.
    """
    schema = Schema(parameters)
    branch, clues, more = _object_branch(schema), Clues(text, now), Clues(further or text, now)
    found = _completed(branch, _object(branch, [clues, more]), more)
    if schema.fits(found):
        return found
    made = schema.simplest()
    return made if isinstance(made, dict) and schema.fits(made) else found


def evidence(parameters: Mapping[str, Any], text: str, now: datetime) -> float:
    """Tell how much of a text fits a function's arguments: 1 for a word of an enumeration or a place, 0.5 for a number."""
    clues = Clues(text, now)
    total = 0.0
    for name, node in _object_branch(Schema(parameters)).properties.items():
        schema = Schema(node, parameters)
        value = _found(schema, name, clues)
        if value is not MISSING:
            strong = schema.options is not None or (
                isinstance(value, str) and value[:1].isupper() and _about(name, schema) & _PLACES
            )
            number = isinstance(value, int | float) and not isinstance(value, bool)
            total += 1.0 if strong else 0.5 if number else 0.0
    return min(total, 1.5)


def place_argument(parameters: Mapping[str, Any]) -> str:
    """Return the name of the one argument that is a single place, or ``""``."""
    branch = _object_branch(Schema(parameters))
    names = [
        name for name, node in branch.properties.items()
        if set(stems(name)) & _PLACES and "string" in branch.part(node).kinds and branch.part(node).options is None
    ]  # fmt: skip
    return names[0] if len(names) == 1 else ""


def _object_branch(schema: Schema) -> Schema:
    return next((branch for branch in schema.branches if "object" in branch.kinds), schema.branches[0])


def _object(schema: Schema, clues: list[Clues]) -> dict[str, Any]:
    """Return the parts of an object that the nearest text gives, and for required ones the further text."""
    found: dict[str, Any] = {}
    for name, node in list(schema.properties.items())[:_MOST_PROPERTIES]:
        part = schema.part(node)
        for source in clues if name in schema.required else clues[:1]:
            if (value := _found(part, name, source)) is not MISSING:
                found[name] = value
                break
    return found


def _completed(schema: Schema, found: Mapping[str, Any], clues: Clues) -> dict[str, Any]:
    """Add what is required and was not found, in the order of the schema."""
    parts = {name: schema.part(schema.properties.get(name, {})) for name in schema.required}
    whole = {**found, **{name: _default(part, name, clues) for name, part in parts.items() if name not in found}}
    return {name: whole[name] for name in dict.fromkeys([*schema.properties, *whole]) if name in whole}


def _default(schema: Schema, name: str, clues: Clues) -> Any:
    """Make up a required value: a default, none where none is allowed, something of the text, or the simplest."""
    plain = "default" in schema.node or schema.options is not None or "examples" in schema.node
    if not plain and schema.fits(None):
        return None
    guesses: list[Any] = []
    if not plain and "string" in schema.kinds:
        about = _about(name, schema)
        guesses = ["somewhere"] if about & _PLACES else []
        if about & _DAYS:
            guesses = [clues.now.date().isoformat(), clues.now.isoformat(timespec="seconds")]
        elif about & _TIMES:
            guesses = [f"{clues.now:%H:%M}"]
        elif about & _WORDINGS:
            guesses = [clues.text.strip()]
    return next((guess for guess in guesses if guess and schema.fits(guess)), schema.simplest())


def _about(name: str, schema: Schema) -> set[str]:
    """Words that tell what an argument is: those of its name; of its description where the name says nothing."""
    words = set(stems(name))
    known = _PLACES | _PEOPLE | _DAYS | _TIMES | _WORDINGS
    return words if words & known or schema.too_deep else words | set(stems(schema.description)[:8])


def _found(schema: Schema, name: str, clues: Clues) -> Any:
    """Find a value in the text that fits, else MISSING."""
    if schema.too_deep:
        return MISSING
    for branch in schema.branches:
        for kind in branch.kinds:
            for value in _values(branch, kind, name, clues):
                if value is not MISSING and schema.fits(value):
                    return value
    return MISSING


def _values(schema: Schema, kind: str, name: str, clues: Clues) -> Iterator[Any]:
    """Yield values of one type that the text gives, the best first; one that is not asked for is not taken."""
    if schema.options is not None:
        yield _option(schema.options, clues)
    elif kind in ("integer", "number"):
        value = clues.number(name)
        yield MISSING if value is None else _number(value)
    elif kind == "boolean":
        yield _truth(name, clues)
    elif kind == "array":
        yield _array(schema, name, clues)
    elif kind == "object":
        found = _object(schema, [clues])
        yield _completed(schema, found, clues) if found else MISSING
    elif kind == "string":
        yield from (text or MISSING for text in _texts(schema, name, clues))


def _number(value: float) -> float:
    return int(value) if value == int(value) else value


def _option(options: list[Any], clues: Clues) -> Any:
    """Find the value of an enumeration whose words are in the text."""
    for option in options[:200]:
        wanted = (
            [str(option).lower()]
            if isinstance(option, int | float) and not isinstance(option, bool)
            else stems(str(option))
        )
        if wanted and isinstance(option, str | int | float) and _within(wanted, clues.words):
            return option
    return MISSING


def _within(wanted: list[str], words: list[str]) -> bool:
    return any(words[start : start + len(wanted)] == wanted for start in range(len(words) - len(wanted) + 1))


def _truth(name: str, clues: Clues) -> Any:
    wanted = set(stems(name))
    if wanted & _SWITCHES and (off := _OFF.search(clues.text) or _ON.search(clues.text)):
        return not _OFF.fullmatch(off.group())
    beside = re.search(rf"(?i)([\w']+ +)?([\w']+ +)?\b(?:{'|'.join(map(re.escape, wanted)) or '-'})\w*", clues.text)
    return MISSING if beside is None else _OFF.search(beside.group()) is None


def _array(schema: Schema, name: str, clues: Clues) -> Any:
    item = schema.part(schema.node.get("items", {}))
    for branch in item.branches:
        found: list[Any] = []
        if branch.options is not None:
            found = [option for option in branch.options if _option([option], clues) is not MISSING]
        elif {"integer", "number"} & set(branch.kinds):
            found = [_number(value) for value in clues.numbers()]
        elif "object" in branch.kinds:
            value = _found(branch, name, clues)
            found = [] if value is MISSING else [value]
        elif "string" in branch.kinds:
            found = (clues.places() if _about(name, schema) & _PLACES else []) or clues.listed()
        fitting = [value for value in found if item.fits(value)][: schema.count("maxItems", 50)]
        if fitting:
            return fitting
    return MISSING


def _texts(schema: Schema, name: str, clues: Clues) -> Iterator[str | None]:
    """Yield texts worth trying for an argument, judged by its format, its name and its description."""
    kind, about, own = str(schema.node.get("format", "")), _about(name, schema), set(stems(name))
    if kind in ("email", "idn-email") or "email" in about:
        yield clues.matching(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+")
    elif kind.startswith("uri") or about & {"url", "link", "uri"}:
        yield clues.matching(r"https?://[^\s\"'<>]{1,300}")
    elif kind in ("date", "date-time", "time") or about & (_DAYS | _TIMES):
        yield from _moments(kind, about, clues)
    elif about & _PLACES or own & {"from", "to"}:
        after = "from" if about & {"origin", "from"} else "to" if about & {"to", stem("destination")} else ""
        yield clues.place(after)
        yield clues.named(name)
    elif about & {"colour", "color"}:
        yield clues.matching(_COLOURS)
    else:
        yield clues.named(name)
        yield from _wordings(about, clues)


def _wordings(about: set[str], clues: Clues) -> Iterator[str | None]:
    """Yield free texts: names, numbers of things, subjects, and what is to be written or looked for."""
    if about & {"phone", "number", "id", "cod", "zip"}:
        yield clues.matching(r"\+?\d[\d -]{1,18}\d|\b[A-Z]{0,4}-?\d+\b")
    if about & {"subject", stem("title"), "topic"}:
        yield clues.subject()
    yield clues.quote()
    if about & _PEOPLE:
        yield clues.person()
    elif about & _WORDINGS:
        yield _LEAD.sub("", clues.text, count=1).strip(" .?!") if _LEAD.match(clues.text) else None


def _moments(kind: str, about: set[str], clues: Clues) -> Iterator[str | None]:
    """Yield a day or a time in the forms in which it may be wanted."""
    day, clock = clues.day(), clues.clock()
    if day is None and clock is None:
        return
    now = clues.now
    both = datetime.combine(day or now.date(), clock or now.time().replace(microsecond=0), now.tzinfo)
    stamp = both.isoformat(timespec="seconds") + ("" if now.tzinfo else "Z")
    if day and kind != "time" and (kind or about & _DAYS):
        yield day.isoformat()
    if clock and kind not in ("date", "date-time") and (kind or about & _TIMES):
        yield f"{clock:%H:%M}"
        yield f"{clock:%H:%M:%S}Z"
    yield stamp
