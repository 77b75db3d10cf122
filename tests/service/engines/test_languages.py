from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtnb.service.engines.languages import espeak_languages, guess_language


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The train leaves at nine, and you can buy a ticket here.", "en"),
        ("Der Zug fährt um neun, und du kannst die Karte hier kaufen.", "de"),
        ("Le train part à neuf heures, et vous pouvez acheter un billet ici.", "fr"),
        ("El tren sale a las nueve, y usted puede comprar el billete aquí.", "es"),
        ("Il treno parte alle nove e tu puoi comprare il biglietto, grazie.", "it"),
        ("O trem sai às nove e você pode comprar um bilhete, muito obrigado.", "pt"),
        ("De trein vertrekt om negen uur en je kan hier het kaartje kopen.", "nl"),
        ("Привет, как дела?", "ru"),
        ("今日はいい天気ですね", "ja"),
        ("今天天气很好", "zh"),
        ("안녕하세요", "ko"),
        ("مرحبا بكم", "ar"),
        ("Καλημέρα σας", "el"),
        ("", None),
        ("1234 — !?", None),
        ("Xylophon", None),
    ],
)
def test_guesses(text: str, language: str | None) -> None:
    """A sentence's language is guessed by its script or its small words; where neither decides, there is no guess."""
    assert guess_language(text) == language


@settings(deadline=None)
@given(st.text(max_size=200))
def test_any_text_may_be_asked_about(text: str) -> None:
    """Whatever the text, there is a guess or none."""
    guess_language(text)


@pytest.mark.parametrize(
    ("tag", "names"),
    [
        (None, ["en-us"]),
        ("de-AT", ["de-at", "de", "en-us"]),
        ("en-GB", ["en-gb-x-rp", "en-us"]),
        ("zh_CN", ["zh-cn", "cmn", "en-us"]),
        ("pt-BR", ["pt-br", "pt", "en-us"]),
        ("../../etc+f2", ["etcf2", "en-us"]),
    ],
)
def test_names_for_espeak(tag: str | None, names: list[str]) -> None:
    """A language tag becomes what the engine calls it, and nothing that could name anything else."""
    assert espeak_languages(tag) == names
