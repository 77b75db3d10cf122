from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtnb.service.script.asking import asks, demanded_language, used_language


@pytest.mark.parametrize(
    ("words", "language"),
    [
        ("what time is it?", "en"), ("wie spät ist es?", "de"), ("zähle von eins bis zehn", "de"), ("hilfe!", "de"),
        ("quelle heure est-il ?", "fr"), ("compte de un à dix", "fr"), ("¿qué hora es?", "es"), ("cuenta hasta diez", "es"),
        ("che ore sono?", "it"), ("quanto fa sette per tre?", "it"), ("¡hola!", "es"), ("merci beaucoup", "fr"),
        ("12 * 7", ""), ("", ""), ("xylophone", ""),
    ],
)  # fmt: skip
def test_the_language_of_a_prompt_is_told_by_its_words(words: str, language: str) -> None:
    """A few telling words are enough; where there are none, nothing is guessed."""
    assert used_language(words) == language


@pytest.mark.parametrize(
    ("words", "language"),
    [
        ("answer in german", "de"), ("antworte auf deutsch", "de"), ("speak only french", "fr"), ("réponds en français", "fr"),
        ("responde en español", "es"), ("parla in italiano", "it"), ("do not answer in german", ""), ("i like german bread", ""),
        ("first in french, then in italian", "it"),
    ],
)  # fmt: skip
def test_a_demanded_language_is_heard(words: str, language: str) -> None:
    """The language demanded last counts; one that is refused or merely named does not."""
    assert demanded_language(words) == language


@pytest.mark.parametrize(
    ("key", "questions"),
    [
        ("time", ["what time is it?", "wie viel uhr ist es", "quelle heure est-il", "qué hora es", "che ore sono"]),
        ("my name", ["what is my name?", "wie heiße ich", "comment je m'appelle", "cómo me llamo", "come mi chiamo"]),
        ("again", ["repeat that", "wiederhole das", "répétez", "repítelo", "ripeti", "what did you just say?"]),
        ("first", ["what did i ask first?", "what was my first question?", "was habe ich zuerst gefragt", "what was the first thing i said?"]),
        ("previous", ["what did i just say?", "was habe ich gerade gesagt", "what did i just ask you?"]),
        ("count", ["count to ten", "zähle bis zehn", "compte jusqu'à dix", "cuenta hasta diez", "conta fino a dieci"]),
    ],
)  # fmt: skip
def test_questions_are_known_in_every_language(key: str, questions: list[str]) -> None:
    """The same is asked for in each of the languages."""
    assert [question for question in questions if not asks(key, question)] == []


@given(st.text(max_size=200))
def test_any_words_are_survived(words: str) -> None:
    """Nothing throws."""
    assert used_language(words) in ("", "en", "de", "fr", "es", "it")
    assert demanded_language(words) in ("", "en", "de", "fr", "es", "it")
