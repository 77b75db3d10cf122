"""A guess at the language of a text, by its script or its smallest words, and eSpeak NG's names of languages."""

from __future__ import annotations

import re

__all__ = ["espeak_languages", "guess_language"]

_LOOKED_AT = 2000  # characters
_LETTERS_OF_SCRIPT = 0.3  # share of the letters from which a script decides

_SCRIPTS = {
    "ja": "\u3040-\u30ff", "ko": "\uac00-\ud7af\u1100-\u11ff", "zh": "\u4e00-\u9fff\u3400-\u4dbf", "ru": "\u0400-\u04ff",
    "el": "\u0370-\u03ff\u1f00-\u1fff", "he": "\u0590-\u05ff", "ar": "\u0600-\u06ff", "hi": "\u0900-\u097f", "th": "\u0e00-\u0e7f",
}  # fmt: skip

_SMALL_WORDS = {
    language: frozenset(words.split())
    for language, words in {
        "en": "the and of to is are was were you that it this with what how my your i he she we they not have can "
        "will would do does an at from by hello please thanks",
        "de": "der die das und ist sind nicht ein eine einen ich du sie wir ihr mit auf für von zu den dem im was wie "
        "auch es kann haben wird bin bist guten hallo danke bitte mein dein heute",
        "fr": "le la les et est sont un une des je tu il elle nous vous ils pas que qui dans pour sur avec ce cette "
        "mon votre au du ne bonjour merci suis ça oui aujourd hui très",
        "es": "el la los las y es son un una de que no en por para con su mi yo tú usted muy hola gracias qué cómo "
        "está estoy pero del al este esta buenos días hoy",
        "it": "il lo la gli le e è sono un una di che non in per con mio tuo io tu lei noi molto ciao grazie come "
        "cosa sto del della questo questa buongiorno oggi ho",
        "pt": "o a os as e é são um uma de que não em por para com meu seu eu você nós muito olá obrigado como está "
        "estou mas do da no na este isto bom dia hoje",
        "nl": "de het een en is zijn niet ik je jij u wij we met op voor van te dat wat hoe ook kan hebben hallo dank "
        "goed mijn jouw maar naar vandaag ben",
    }.items()
}

#: What eSpeak NG calls languages that are written otherwise elsewhere.
_ESPEAK_NAMES = {
    "en": "en-us", "en-gb": "en-gb-x-rp", "en-uk": "en-gb-x-rp", "zh": "cmn", "zh-hk": "yue", "no": "nb", "iw": "he",
    "fil": "en-us", "es-mx": "es-419", "es-us": "es-419",
}  # fmt: skip


def guess_language(text: str) -> str | None:
    """Guess the language of a text.

    Returns
    -------
    str or None
        ``"en"``, ``"de"``, ``"fr"``, ``"es"``, ``"it"``, ``"pt"`` or ``"nl"`` by small words, or the language that a
        script is best known for; None if nothing speaks for one of them.

    Examples
    --------
    >>> guess_language("Guten Tag, wie geht es dir?")
    'de'
    >>> guess_language("Ok!") is None
    True
    """
    text = text[:_LOOKED_AT]
    counts = {language: len(re.findall(f"[{script}]", text)) for language, script in _SCRIPTS.items()}
    if counts["ja"]:  # Japanese is written with Chinese characters too
        counts["ja"] += counts["zh"]
    best = max(counts, key=lambda language: counts[language])
    if counts[best] > _LETTERS_OF_SCRIPT * sum(character.isalpha() for character in text):
        return best
    words = re.findall(r"[^\W\d_]+", text.lower())
    counts = {language: sum(word in small for word in words) for language, small in _SMALL_WORDS.items()}
    best, second = sorted(counts, key=lambda language: -counts[language])[:2]
    return best if counts[best] > counts[second] else None


def espeak_languages(language: str | None) -> list[str]:
    """Return what eSpeak NG may call a language, the likeliest first, American English last.

    Examples
    --------
    >>> espeak_languages("de-AT")
    ['de-at', 'de', 'en-us']
    """
    tag = (language or "en").lower().replace("_", "-")
    tag = re.sub(r"[^a-z0-9-]", "", tag)[:20]
    names = [_ESPEAK_NAMES.get(name, name) for name in (tag, tag.split("-")[0])]
    return list(dict.fromkeys(name for name in (*names, "en-us") if name))
