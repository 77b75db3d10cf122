"""The phrases that the transcriber expects: what people say to a demonstration.

A recogniser that knows what may be said makes far fewer mistakes; anything else is left to its general model.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from rtnb.service.script.words import in_words

__all__ = ["PHRASES", "spoken_forms"]

_LONGEST = 300  # characters of one phrase
_MOST = 2000

#: The built-in phrases.
PHRASES = (
    "hello",
    "hi there",
    "good morning",
    "good afternoon",
    "good evening",
    "good morning how are you today",
    "how are you",
    "thank you",
    "thank you very much",
    "goodbye",
    "yes",
    "yes please",
    "no",
    "no thank you",
    "okay",
    "stop",
    "wait a moment",
    "please help me",
    "can you help me",
    "can you help me with my homework",
    "please assist the user",
    "what is your name",
    "my name is",
    "what is my name",
    "what was my name",
    "who are you",
    "what can you do",
    "what did i ask first",
    "what did you say",
    "please repeat that",
    "please repeat what i just said",
    "say that again please",
    "repeat after me",
    "please speak more slowly",
    "please speak louder",
    "what time is it",
    "what time is it now",
    "what is the date today",
    "what day is it today",
    "what is the weather like today",
    "what is the weather like in london",
    "what is the weather in paris",
    "tell me a joke",
    "tell me a story",
    "tell me a short story about a dog",
    "tell me something about realtime speech",
    "what is a realtime session",
    "how does speech recognition work",
    "count to ten",
    "count from one to five",
    "spell the word hello",
    "how do you spell that",
    "please turn on the lights in the kitchen",
    "please turn off the lights in the living room",
    "set a timer for five minutes",
    "play some music",
    "i would like to order a pizza",
    "how much is two plus two",
    "how much is seven plus five",
    "what is three times four",
    "what is ten minus six",
    "what is twenty divided by four",
)


def spoken_forms(phrases: Iterable[str]) -> list[str]:
    """Return phrases as a recogniser knows them: small letters, numbers as words, no punctuation, none twice.

    Examples
    --------
    >>> spoken_forms(["What's 2 + 2?"])
    ["what's two plus two"]
    """
    forms = (_spoken(phrase[:_LONGEST]) for phrase in phrases)
    return list(dict.fromkeys(form for form in forms if form))[:_MOST]


def _spoken(phrase: str) -> str:
    phrase = phrase.lower().replace("’", "'").replace("+", " plus ").replace("%", " percent ")
    phrase = re.sub(r"\d{1,9}", lambda digits: f" {in_words(int(digits.group()))} ", phrase)
    return " ".join(word.strip("'") for word in re.findall(r"[a-z']+", phrase) if word.strip("'"))
