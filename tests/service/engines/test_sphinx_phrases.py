from __future__ import annotations

import pytest

from rtnb.service.engines.sphinx_phrases import PHRASES, spoken_forms


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("What's 2 + 2?", ["what's two plus two"]),
        ("  Hello,   WORLD! ", ["hello world"]),
        ("!!!", []),
        ("", []),
        ("It’s 100%", ["it's one hundred percent"]),
    ],
)
def test_as_they_are_spoken(written: str, spoken: list[str]) -> None:
    """Phrases become small letters, numbers words, and marks nothing."""
    assert spoken_forms([written]) == spoken


def test_the_built_in_ones_are_spoken_forms() -> None:
    """The built-in phrases are written as they are spoken, none of them twice."""
    assert spoken_forms(PHRASES) == list(PHRASES)
