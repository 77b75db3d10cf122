"""The arguments of `Timeline.select` as matchers: names, globs, ids, shortened ids, texts, instants."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection, Iterable
from datetime import UTC, datetime
from fnmatch import fnmatchcase, translate

import numpy as np

from rtnb.errors import ConfigurationError
from rtnb.protocol.events import Event
from rtnb.protocol.names import PREVIEW_NAME, kind_of
from rtnb.timeline.store import DIRECTIONS

Accepts = Callable[[str], bool]
Words = str | Iterable[str]
_SUFFIX = 4  # characters at the end of an id that identify it


def words_of(argument: str, value: object) -> list[str]:
    """Return an argument that is one string or several as a list.

    Raises
    ------
    ConfigurationError
        If it is anything else.
    """
    if isinstance(value, str):
        return [value]
    if isinstance(value, Iterable):
        words = list(value)
        if all(isinstance(word, str) for word in words):
            return words
    raise ConfigurationError(f"{argument}={value!r}: give a string, a glob such as 'response.*', or a list of those.")


def type_matcher(value: object) -> Accepts:
    """Accept types as they are on the wire."""
    patterns = words_of("type", value)
    return lambda name: any(_matches(name, pattern) for pattern in patterns)


def kind_matcher(value: object) -> Accepts:
    """Accept kinds by their GA name, or by the preview dialect's."""
    patterns = words_of("kind", value)

    def accepts(kind: str) -> bool:
        spellings = (kind, PREVIEW_NAME.get(kind, kind))
        return any(
            kind == kind_of(pattern) or any(_matches(name, pattern) for name in spellings) for pattern in patterns
        )

    return accepts


def direction_matcher(value: object) -> Accepts:
    """Accept directions; a word that matches none of them is an error.

    Raises
    ------
    ConfigurationError
        With the word that was probably meant.
    """
    patterns = words_of("direction", value)
    for pattern in patterns:
        if not any(_matches(name, pattern) for name in DIRECTIONS):
            near = difflib.get_close_matches(pattern, DIRECTIONS, n=1)
            hint = f" Did you mean direction={near[0]!r}?" if near else ""
            raise ConfigurationError(f"direction={pattern!r} is not one of {', '.join(map(repr, DIRECTIONS))}.{hint}")
    return lambda name: any(_matches(name, pattern) for pattern in patterns)


def id_matcher(argument: str, value: object, known: Collection[str]) -> Accepts:
    """Accept ids: whole, as a glob, as their last characters, or as a table shortens them (``item_…a1b2c3``).

    An object with an ``id`` is taken as its id. An id that occurs in the column is taken literally, even with glob characters.
    """
    identifier = getattr(value, "id", None)
    wanted = words_of(argument, identifier if isinstance(identifier, str) else value)
    tests = [_one_id(word, known) for word in wanted]
    return lambda identifier: any(test(identifier) for test in tests)


def _one_id(word: str, known: Collection[str]) -> Accepts:
    if word in known:
        return lambda identifier: identifier == word
    if "…" in word:
        start, _, end = word.partition("…")
        return lambda identifier: identifier.startswith(start) and identifier.endswith(end)
    suffix = len(word) >= _SUFFIX
    return lambda identifier: _matches(identifier, word) or (suffix and identifier.endswith(word))


def text_matcher(value: object) -> Accepts:
    """Accept texts that contain the words, in any case; with a ``*`` the whole text must fit the glob."""
    tests = [_one_text(word.casefold()) for word in words_of("text", value)]
    return lambda text: any(test(text.casefold()) for test in tests)


def _one_text(word: str) -> Accepts:
    # Only a star makes a glob: "how are you?" is a text to look for.
    if "*" not in word:
        return lambda text: word in text
    fits = re.compile(translate(word)).match
    return lambda text: fits(text) is not None


def instant(argument: str, value: object) -> float | np.datetime64:
    """Return seconds since the session opened, or a UTC time, for a number, an event or a time.

    Raises
    ------
    ConfigurationError
        If it is none of them, or a datetime without a time zone.
    """
    if isinstance(value, Event):
        return value.t
    if isinstance(value, np.datetime64):
        return value
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ConfigurationError(
                f"{argument}={value!r} has no time zone; add tzinfo=datetime.UTC or .astimezone()."
            )
        return np.datetime64(value.astimezone(UTC).replace(tzinfo=None), "us")
    if isinstance(value, (int, float, np.integer, np.floating)):
        return float(value)
    raise ConfigurationError(f"{argument}={value!r}: give seconds since the session opened, an event, or a datetime.")


def _matches(name: str, pattern: str) -> bool:
    return name == pattern or fnmatchcase(name, pattern)
