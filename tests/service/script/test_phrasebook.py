from __future__ import annotations

import string
from dataclasses import fields

import pytest

from rtnb.service.script.phrasebook import LANGUAGES, Phrases, phrases


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", [field.name for field in fields(Phrases)])
def test_every_language_says_the_same_things(language: str, name: str) -> None:
    """Each sentence has the same places to fill as the English one, and each list is complete."""

    def places(text: str) -> set[str | None]:
        return {place for _, place, _, _ in string.Formatter().parse(text)} - {None}

    said, english = getattr(phrases(language), name), getattr(phrases("en"), name)
    assert said
    assert places(said) == places(english)
    if name in ("weekdays", "months", "signs"):
        mark = "|" if name == "signs" else " "
        assert said.count(mark) == english.count(mark)


def test_an_unknown_language_is_english() -> None:
    """Where a language is not in the book, English is spoken."""
    assert phrases("xx") is phrases("en")
