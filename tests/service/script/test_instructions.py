from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtnb.service.script.instructions import Instructions, asked_language, read_instructions


@pytest.mark.parametrize(
    ("text", "instructions"),
    [
        ("", Instructions()),
        ("You are a helpful assistant.", Instructions()),
        ("You are Ada, a kind tutor. Always answer in German.", Instructions(name="Ada", language="de")),
        ("You are a butler. Your name is Jeeves. Be formal and brief.", Instructions(name="Jeeves", most_sentences=1)),
        ("Talk calmly, in two short sentences.", Instructions(most_sentences=2)),
        ("Two sentences.", Instructions(most_sentences=2)),
        ("Answer in a single sentence.", Instructions(most_sentences=1)),
        ("Do not be brief. Never answer in French.", Instructions()),
        ("You are a French teacher who answers in English.", Instructions(language="en")),
    ],
)  # fmt: skip
def test_instructions_are_read(text: str, instructions: Instructions) -> None:
    """Name, language, length and fixed words are found, and what is refused is left out."""
    assert read_instructions(text) == instructions


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("answer in german", "de"),
        ("speak only French", "fr"),
        ("do not answer in german", ""),
        ("i like german bread", ""),
        ("first in French, then in Italian", "it"),
    ],
)
def test_an_asked_language_is_found(text: str, language: str) -> None:
    """The language asked for last counts; one that is refused or merely named does not."""
    assert asked_language(text) == language


def test_an_answer_heeds_instructions() -> None:
    """An answer has no more sentences than the instructions allow."""
    said = 'Hello, you are kind. He said "you". Over.'
    assert Instructions(most_sentences=2).heeded(said) == 'Hello, you are kind. He said "you".'
    assert Instructions(most_sentences=1).heeded(said) == "Hello, you are kind."
    assert Instructions().heeded(said) == said


@given(st.text(max_size=200), st.text(max_size=200))
def test_any_instructions_are_read(text: str, answer: str) -> None:
    """Nothing throws, and nothing is added."""
    assert len(read_instructions(text).heeded(answer)) <= len(answer)
