"""Words for comparison: without their endings and without those that every sentence has.

Pure text; used to match questions with statements, and prompts with the functions that can be called.
"""

from __future__ import annotations

import re
from functools import lru_cache

__all__ = ["common_words", "content_words", "stem", "stems", "words_of"]

_COMMON = """
a an the and or but if then so of to in on at by for with from as is are was were be been am do does did have has had i me
my mine you your yours he him his she her it its we us our they them their this that these those there here what which who
whom whose when where why how can could will would shall should may might must not no yes please just very really some any
all more most much many too also than about into over up down out off again let lets want like need know think say tell
give make get go see use one hello hi hey it's i'm don't what's let's i'd der die das ein eine ist und ich du sie wie was wer le
la les un une des est el los las una es il lo gli è che de di da en mir von zu auf dir bitte mit dem den erzähl sag mich über moi vous parle dis sur por sobre qué dime mi su per
"""


def words_of(text: str) -> tuple[str, ...]:
    """Split a table's line into its words."""
    return tuple(text.split())


@lru_cache(maxsize=1)
def common_words() -> frozenset[str]:
    """Return the words that say nothing about a subject."""
    return frozenset(_COMMON.split())


def stem(word: str) -> str:
    """Cut a lower-case word's ending: ``"lights"`` and ``"lighting"`` become ``"light"``."""
    for ending, kept in (("ies", "y"), ("ing", ""), ("ed", ""), ("es", ""), ("s", ""), ("e", "")):
        if word.endswith(ending) and len(word) - len(ending) >= 3 and not word.endswith("ss"):
            return word[: -len(ending)] + kept
    return word


def stems(text: str) -> list[str]:
    """Return the stems of all words of a text, in its order; names like ``get_weather`` and ``getWeather`` are taken apart."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|_", " ", text)
    return [stem(word) for word in re.findall(r"[^\W_]+", apart.lower())]


def content_words(text: str) -> frozenset[str]:
    """Return the stems of the words that tell what a text is about."""
    words = re.findall(r"[^\W_]+(?:'[^\W_]+)?", text.lower())
    return frozenset(stem(word) for word in words if word not in common_words() and len(word) > 1)
