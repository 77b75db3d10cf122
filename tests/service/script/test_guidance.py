from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtnb.service.script.guidance import Guidance, dressed, read_guidance


@pytest.mark.parametrize(
    ("instructions", "guidance"),
    [
        ("", Guidance()),
        ("You are a helpful assistant.", Guidance()),
        ("You are Ada, a kind tutor. Always answer in German.", Guidance(name="Ada", language="de")),
        (
            "You are a butler named Jeeves. Be formal and brief.",
            Guidance(name="Jeeves", tone="formal", most_sentences=1),
        ),
        ("Du heißt Eva. Antworte auf Deutsch.", Guidance(name="Eva", language="de")),
        ("Talk like a pirate, in two sentences.", Guidance(tone="pirate", most_sentences=2)),
        ("Do not talk like a pirate. Never answer in French.", Guidance()),
        ("You are a cheerful guide. Use at most 20 words.", Guidance(tone="cheerful", most_words=20)),
        (
            'Start every answer with "Roger," and end each reply with “over”.',
            Guidance(opening="Roger,", closing="over"),
        ),
        ('Always reply with "Banana".', Guidance(only="Banana")),
        ("Speak only Spanish", Guidance(language="es")),
        ("You are a French teacher who answers in English.", Guidance(language="en")),
    ],
)
def test_instructions_are_read(instructions: str, guidance: Guidance) -> None:
    """Name, language, tone, length and fixed words are found, and what is refused is left out."""
    assert read_guidance(instructions) == guidance


@pytest.mark.parametrize(
    ("guidance", "language", "answer"),
    [
        (Guidance(tone="pirate"), "en", 'Arr! Ahoy, ye be kind. He said "you". Aye!'),
        (Guidance(tone="pirate"), "de", 'Arr! Hello, you are kind. He said "you". Yes!'),
        (Guidance(tone="formal"), "en", 'Good day, you are kind. He said "you". Yes.'),
        (Guidance(tone="robot"), "en", 'Beep. Hello, you are kind. He said "you". Yes! Boop.'),
        (Guidance(most_sentences=1), "en", "Hello, you are kind."),
        (Guidance(most_words=4), "en", "Hello, you are kind."),
        (Guidance(opening="So:", closing="Over."), "en", 'So: Hello, you are kind. He said "you". Yes! Over.'),
    ],
)
def test_an_answer_is_dressed(guidance: Guidance, language: str, answer: str) -> None:
    """An answer takes on the tone, length and fixed words; quoted words stay as they are."""
    assert dressed('Hello, you are kind. He said "you". Yes!', guidance, language) == answer


@given(st.text(max_size=200), st.text(max_size=200))
def test_any_instructions_and_answers_are_survived(instructions: str, answer: str) -> None:
    """Nothing throws, and little is added."""
    assert len(dressed(answer, read_guidance(instructions), "en")) <= 2 * len(answer) + 300
