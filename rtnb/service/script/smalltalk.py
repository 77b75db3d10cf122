"""Friendly sentences: greetings, who is speaking, small talk, and taking up a subject.

Pure; each takes a prompt and returns the answer, or None where it does not fit. What is known by heart in one language
only, English, is said only where English is wanted.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from functools import lru_cache

from rtnb.service.script.asking import asks, find
from rtnb.service.script.prompt import Prompt
from rtnb.service.script.words import common_words

__all__ = ["about", "as_you_wish", "chat", "entertainment", "fallback", "greeting", "identity", "manners", "silence"]

_ENOUGH = " (?:there|again|everyone|you|all|assistant|to you|very much|so much|a lot|later|soon|for now|computer)"
_SHORT = 60  # characters of a prompt that is nothing but good manners


def silence(prompt: Prompt) -> str | None:
    """Say that no words came."""
    return None if re.search(r"\w", prompt.text) else prompt.say.silence


def greeting(prompt: Prompt) -> str | None:
    """Greet, when the prompt is a greeting and little else."""
    frame = rf"[¡ ]*(?:please )?(?:say )?%(?:{_ENOUGH}|,? [^\W\d_]+)?(?: in \w+)?[\s!.,?]*"
    told_to = r"(?:please )?(?:greet|welcome|say (?:hello|hi) to) (?:the |your )?(?:users?|callers?|customers?|everyone|them|me|us)\b"
    if not find("hello", prompt.words, frame) and not re.match(told_to, prompt.words):
        return None
    name = prompt.guidance.name
    return prompt.say.named.format(name=name) if name else prompt.say.greeting


def identity(prompt: Prompt) -> str | None:
    """Say plainly what is speaking, and what it can do."""
    if re.search(r"\b(?:which|what|whose) voice\b|\bname of your voice\b", prompt.words):
        spoken = f'This is the voice named "{prompt.voice}"' if prompt.voice else "This is a voice"
        return f"{spoken}, made on this computer by simple rules. It is not the cloud's recording of that name."
    if asks("abilities", prompt.words):
        return prompt.say.abilities
    if not asks("identity", prompt.words):
        return None
    name = prompt.guidance.name
    return prompt.say.named_identity.format(name=name) if name else prompt.say.identity


def manners(prompt: Prompt) -> str | None:
    """Offer help, take thanks, and say goodbye."""
    if len(prompt.words) >= _SHORT:
        return None
    if asks("help", prompt.words):
        return prompt.say.help
    if find("thanks", prompt.words, r"%(?!\w).*"):
        return prompt.say.welcome
    if find("bye", prompt.words, r"(?:ok(?:ay)?[, ]+)?[¡ ]*%(?!\w).*"):
        return prompt.say.farewell
    return prompt.say.how_are_you if asks("how are you", prompt.words) else None


def as_you_wish(prompt: Prompt) -> str | None:
    """Take up a wish about the answers to come."""
    asked = prompt.guidance
    heeded = asked.language or asked.tone or asked.most_sentences or asked.opening or asked.closing
    return prompt.say.as_you_wish if prompt.wish and heeded else None


def chat(prompt: Prompt) -> str | None:
    """Make small talk."""
    if prompt.language != "en":
        return None
    return next((answer for pattern, answer in _small_talk() if pattern.search(prompt.words)), None)


@lru_cache(maxsize=1)
def _small_talk() -> tuple[tuple[re.Pattern[str], str], ...]:
    table = (
        (r"\bwhat's up\b|\bwhat are you doing\b", "I am waiting for your next event. What shall we try?"),
        (r"\bcan you hear me\b|\bare you (?:there|listening)\b", "Yes, your words reach me. Please go on."),
        (r"\bdo you (?:like|love|want|feel|dream|think)\b", "I have no likes or wishes: I am a handful of rules with a voice. But I am glad to be of use."),
        (r"^(?:yes|yeah|yep|sure|ok|okay|alright|right)\b[\w ,]{0,12}[.!]*$", "Good! What would you like to do next?"),
        (r"^(?:no|nope|not really)\b[\w ,]{0,12}[.!]*$", "All right. Tell me when you would like to try something."),
        (r"^(?:test(?:ing)?|check)\b[\w ,]{0,20}[.!?]*$", "Test received, loud and clear. The connection works in both directions."),
        (r"^(?:good|great|nice|well done|wonderful|awesome|perfect|cool)\b[\w ,]{0,16}[.!]*$", "I am glad to hear it. What shall we try next?"),
        (r"^(?:sorry|i'm sorry|excuse me|pardon)\b", "No harm done. Please go on."),
        (r"\bhow old are you\b", "As old as the process that I run in: I begin anew each time the service starts."),
        (r"\b(?:say|tell me) (?:something|anything)\b", "Here is something: this very sentence travels to you in small pieces, and your timeline keeps each of them."),
        (r"\bweather\b", "I cannot look out of a window from here, so I do not know the weather. A model with a weather tool could tell you."),
    )  # fmt: skip
    return tuple((re.compile(pattern), answer) for pattern, answer in table)


def entertainment(prompt: Prompt) -> str | None:
    """Tell a joke, a very short story or a verse."""
    text = prompt.text
    if prompt.language != "en":
        return None
    asked = re.search(r"(?i)\b(joke|story|tale|poem|verse|rhyme|haiku|limerick|song)\b", text)
    if asked is None or not re.search(r"(?i)\b(?:tell|write|make|compose|recite|sing|give|short|a)\b", text):
        return None
    kind = asked.group(1).lower()
    if kind == "joke":
        return "Why did the sound wave go to the doctor? It had a pain in the crest, and its phase had dropped."
    subject = _subject(text[asked.end() :]) or ("a small voice" if kind in ("story", "tale") else "the wire")
    if kind in ("story", "tale"):
        return (
            f"Here is a very short one about {subject}. It began on a quiet morning, when nobody was listening. "
            "By noon every word had found an ear, and by evening the log held them all. The end."
        )
    return (
        f"Here are four plain lines about {subject}. Softly spoken, piece by piece, words arrive and never cease. "
        "Some come early, some come late; all are worth the little wait."
    )


def about(prompt: Prompt) -> str | None:
    """Take up the subject that a prompt asks about, and be honest about what a rehearsal knows."""
    if prompt.language != "en":
        return None
    asked = re.search(
        r"(?is)\b(?:about|explain|describe|define|summari[sz]e|who (?:is|was|were|are)|what(?:'s| is| are| was| were)"
        r"|why (?:is|are|do|does|did)|how (?:do|does|did|can|to)|where (?:is|are|was))\b(?: to (?:me|us))?\s+(.+)$",
        prompt.text,
    )
    subject = _subject(asked.group(1)) if asked else ""
    if not asked or not subject:
        return None
    openings: tuple[str, ...] = (
        f"Let us talk about {subject}.",
        f"You would like to hear about {subject}.",
        f"A good subject: {subject}.",
    )
    if re.match(r"(?i)why|how|where", asked.group()):
        question = re.split(r"[.?!\n]", asked.group(), maxsplit=1)[0].strip()[:120]
        openings = (f'"{question[:1].upper()}{question[1:]}?" is a good question.',)
    return f"{_pick(openings, subject)} {_pick(_HONEST, subject[::-1])} {_pick(_ONWARD, subject)}"


_HONEST = (
    "I am only the local rehearsal, so I know nothing about it beyond your own words, and I will not make facts up.",
    "This rehearsal service looks nothing up and invents nothing, so the facts must wait for a cloud model.",
    "As a rehearsal I can speak the words but not vouch for any facts.",
)
_ONWARD = (
    "Connect to Azure or OpenAI and the same cell will bring a real answer.",
    "The same prompt, sent to a cloud model, will be answered in full; here you can watch how an answer arrives.",
)


def fallback(prompt: Prompt) -> str:
    """Answer anything else by its own main words."""
    subject = _main_words(prompt)
    if not subject:
        return prompt.say.no_subject.format(text=prompt.text[:80])
    if prompt.language != "en":
        return prompt.say.subject.format(subject=subject)
    openings = (f"I hear {subject} in what you say.", f"So this is about {subject}.", f"You mention {subject}.")
    return (
        f"{_pick(openings, subject)} I am rtnb's local rehearsal, so I can only take it up, not answer it as a cloud "
        "model would. Ask me for a sum, to count, to spell a word, or what a realtime session is."
    )


def _pick(choices: Sequence[str], key: str) -> str:
    """Choose by the subject, so that prompts differ and the same prompt does not."""
    return choices[zlib.crc32(key.encode("utf-8", "surrogatepass")) % len(choices)]


def _subject(text: str) -> str:
    """Take the subject of a request: up to the end of its sentence, without politeness."""
    sentence = re.split(r"[.?!\n;]", re.sub(r"(?i)^\s*(?:about|of|on|for)\b", "", text), maxsplit=1)[0]
    plain = re.sub(
        r"(?i)\b(?:please|for me|in (?:one|two|three|a few) (?:sentences?|words?)|briefly|your favou?rite)\b",
        "",
        sentence,
    )
    plain = re.sub(r"(?i)\bmy\b", "your", re.sub(r"\s+", " ", plain)).strip(" ,:\"'“”")
    if len(plain) > 80:
        plain = plain[:80].rsplit(" ", 1)[0]
    return plain if re.search(r"\w", plain) else ""


def _main_words(prompt: Prompt) -> str:
    """Pick up to three telling words of a prompt, in its order."""
    common = common_words()
    found = re.findall(r"[^\W_][\w'’-]{2,29}", prompt.text)
    seen = dict.fromkeys(word for word in found if word.lower() not in common)
    chosen = sorted(sorted(seen, key=len, reverse=True)[:3], key=list(seen).index)
    if prompt.language != "en":
        return ", ".join(chosen)
    return " and ".join([", ".join(chosen[:-1]), chosen[-1]] if len(chosen) > 1 else chosen)
