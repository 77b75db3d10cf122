"""Friendly sentences: greetings in five languages, who is speaking, small talk, and taking up a subject.

Pure text; used by the rules of :mod:`rtnb.service.replies`. Arguments called `words` are lower-case prompts.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

__all__ = [
    "about",
    "chat",
    "entertainment",
    "fallback",
    "given_name",
    "greeting",
    "identity",
    "language_of",
    "own_name",
    "wants_brevity",
]


@dataclass(frozen=True, slots=True)
class _Language:
    """Patterns that ask for a language or belong to it, and the sentences said in it."""

    asked: str
    hello: str
    thanks: str
    bye: str
    greeting: str
    named: str
    help: str
    welcome: str
    farewell: str


_LANGUAGES: Mapping[str, _Language] = MappingProxyType(
    {
        "de": _Language(
            r"\bgerman\b|\bdeutsch\b",
            r"hallo|guten (?:tag|morgen|abend)|servus|moin",
            r"danke",
            r"tschüss|auf wiedersehen",
            "Hallo! Was möchten Sie heute ausprobieren?",
            "Hallo, ich bin {name}! Was möchten Sie heute ausprobieren?",
            "Gerne! Wobei darf ich heute helfen?",
            "Gern geschehen!",
            "Auf Wiedersehen, bis zum nächsten Mal!",
        ),
        "fr": _Language(
            r"\bfrench\b|\bfrançais\b",
            r"bonjour|bonsoir|salut",
            r"merci",
            r"au revoir|adieu",
            "Bonjour ! Que voulez-vous essayer aujourd'hui ?",
            "Bonjour, je suis {name} ! Que voulez-vous essayer aujourd'hui ?",
            "Bien sûr ! En quoi puis-je vous aider aujourd'hui ?",
            "Avec plaisir !",
            "Au revoir, à la prochaine !",
        ),
        "es": _Language(
            r"\bspanish\b|\bespañol\b",
            r"hola|buenos días|buenas (?:tardes|noches)",
            r"gracias",
            r"adiós|hasta luego",
            "¡Hola! ¿Qué quiere probar hoy?",
            "¡Hola, soy {name}! ¿Qué quiere probar hoy?",
            "¡Claro! ¿En qué puedo ayudarle hoy?",
            "¡De nada!",
            "¡Adiós, hasta la próxima!",
        ),
        "it": _Language(
            r"\bitalian\b|\bitaliano\b",
            r"ciao|buongiorno|buonasera|salve",
            r"grazie",
            r"arrivederci",
            "Ciao! Che cosa proviamo oggi?",
            "Ciao, sono {name}! Che cosa proviamo oggi?",
            "Certo! Come posso aiutarti oggi?",
            "Prego!",
            "Arrivederci, alla prossima!",
        ),
        "en": _Language(
            r"\benglish\b",
            r"hello|hi|hey|greetings|good (?:morning|afternoon|evening|day)|howdy",
            r"thanks|thank you|thx|cheers",
            r"bye|bye[ -]bye|good ?bye|see you|farewell|good night",
            "Hello! What would you like to try today?",
            "Hello, {name} here! What would you like to try today?",
            "Of course! How can I assist you today?",
            "You are welcome! Is there anything else that you would like to try?",
            "Goodbye! Everything that we said is in your session's timeline.",
        ),
    }
)

_ENOUGH = " (?:there|again|everyone|you|all|assistant|to you|very much|so much|a lot|later|soon|for now|computer)"


def language_of(words: str, guide: str) -> str:
    """Choose the language of greetings: asked for in the prompt, used by it, or asked for in the instructions."""
    for text in (words, guide):
        if re.search(r"\b(?:in|auf|en|speak|answer|respond|reply|only|always|use)\b", text):
            asked = [code for code, language in _LANGUAGES.items() if re.search(language.asked, text)]
            if asked:
                return asked[0]
        if text is words:
            used = (
                code
                for code, language in _LANGUAGES.items()
                if code != "en" and re.match(rf"(?:{language.hello}|{language.thanks}|{language.bye})(?!\w)", words)
            )
            code = next(used, "")
            if code:
                return code
    return "en"


def given_name(guide: str) -> str:
    """Read from instructions the name that the assistant is to bear, or ``""``."""
    match = re.search(
        r"\b(?i:your name is|you are called|call yourself) ([A-ZÀ-Þ][\w-]{0,29})"
        r"|\b(?i:you are) ([A-ZÀ-Þ][\w-]{1,29})(?=[,.;!]| and\b|$)",
        guide,
    )
    return next((name for name in match.groups() if name), "") if match else ""


def own_name(said: str) -> str:
    """Read from a user's words the user's name, or ``""``."""
    match = re.search(
        r"\b(?i:my name is|my name's|i am called)\s+([^\W\d_][\w'’-]{0,29})"
        r"|\b(?i:call me|i am|i'm|i’m)\s+([A-ZÀ-Þ][\w-]{1,29})(?=[.,!]|$)",
        said,
    )
    return next((name for name in match.groups() if name), "") if match else ""


def wants_brevity(guide: str) -> bool:
    """Tell whether instructions ask for short answers."""
    return bool(
        re.search(
            r"\b(?:brief(?:ly)?|concise(?:ly)?|terse|(?:one|a single) sentence|short (?:answers?|repl(?:y|ies)|sentences?)|keep (?:it|them|your \w+) short)\b",
            guide,
        )
    )


def greeting(words: str, *, language: str, name: str) -> str | None:
    """Greet, when the prompt is a greeting and little else."""
    spoken = _LANGUAGES[language]
    hello = "|".join(entry.hello for entry in _LANGUAGES.values())
    asked = rf"(?:please )?(?:say )?(?:{hello})(?:{_ENOUGH}| \w+)?(?: in \w+)?[\s!.,?]*"
    if not re.fullmatch(asked, words):
        return None
    return spoken.named.format(name=name) if name else spoken.greeting


def identity(words: str, *, name: str, voice: str) -> str | None:
    """Say plainly what is speaking, and what it can do."""
    if re.search(r"\b(?:which|what|whose) voice\b|\bname of your voice\b", words):
        spoken = f'This is the voice named "{voice}"' if voice else "This is a voice"
        return f"{spoken}, made on this computer by simple rules. It is not the cloud's recording of that name."
    if re.search(
        r"\bwhat (?:else )?can you (?:do|help)\b|\bwhat are you able\b|\bhow (?:can|do) (?:you|i use you)\b", words
    ):
        return (
            "I can greet you, do sums, count, spell, repeat after you, tell the time, remember what you said, and "
            "explain realtime sessions. Everything else I take up as best I can: I am a rehearsal, not a cloud model."
        )
    if not re.search(
        r"\b(?:who|what|which (?:model|service|version)) (?:are|is) (?:you|this|speaking|there|it)\b(?! (?:doing|up|good|made))"
        r"|\bwho's (?:this|there|speaking)\b|\b(?:what(?:'s| is)|tell me) your name\b|\b(?:are|is) (?:you|this|it) (?:a |an |the )?"
        r"(?:real|human|person|robot|bot|ai|cloud|model|computer|machine|local|chatgpt|gpt\S*|openai|azure|alive)\b"
        r"|\bintroduce yourself\b|\bwhat model\b|\babout yourself\b",
        words,
    ):
        return None
    who = f"I am {name}, played by" if name else "I am"
    return f"{who} rtnb's local rehearsal service, not a cloud model. I answer by simple rules and speak with a made-up voice, so that you can practise without an account."


def chat(words: str, *, language: str) -> str | None:
    """Offer help, take thanks, say goodbye, and make small talk."""
    spoken = _LANGUAGES[language]
    thanks, bye = ("|".join(getattr(entry, kind) for entry in _LANGUAGES.values()) for kind in ("thanks", "bye"))
    if re.search(
        r"\b(?:assist (?:the|me|us)|help (?:me|us|the user)|(?:i )?need (?:some |your )?help|can you help)\b|^help\b",
        words,
    ):
        return spoken.help if len(words) < 60 else None
    if re.match(rf"(?:{thanks})(?!\w)", words) and len(words) < 60:
        return spoken.welcome
    if re.match(rf"(?:ok(?:ay)?[, ]+)?(?:{bye})(?!\w)", words) and len(words) < 60:
        return spoken.farewell
    for pattern, answer in _small_talk():
        if pattern.search(words):
            return answer
    return None


@lru_cache(maxsize=1)
def _small_talk() -> tuple[tuple[re.Pattern[str], str], ...]:
    table = (
        (r"\bhow (?:are you|do you do|is it going|'s it going)\b", "All is well on this side of the loopback. How are you?"),
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


def entertainment(text: str) -> str | None:
    """Tell a joke, a very short story or a verse."""
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


def about(text: str) -> str | None:
    """Take up the subject that a prompt asks about, and be honest about what a rehearsal knows."""
    asked = re.search(
        r"(?is)\b(?:about|explain|describe|define|summari[sz]e|who (?:is|was|were|are)|what(?:'s| is| are| was| were)"
        r"|why (?:is|are|do|does|did)|how (?:do|does|did|can|to)|where (?:is|are|was))\b(?: to (?:me|us))?\s+(.+)$",
        text,
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


def fallback(text: str) -> str:
    """Answer anything else by its own main words."""
    subject = _main_words(text)
    if not subject:
        return f'You said: "{text[:80]}". I am a rehearsal with few words of my own, but I have heard you.'
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


_COMMON = """
a an the and or but if then so of to in on at by for with from as is are was were be been am do does did have has had i me
my mine you your yours he him his she her it its we us our they them their this that these those there here what which who
whom whose when where why how can could will would shall should may might must not no yes please just very really some any
all more most much many too also than about into over up down out off again let lets want like need know think say tell
give make get go see use one two hello hi hey user it's i'm don't
"""


def _main_words(text: str) -> str:
    """Pick up to three telling words of a prompt, in its order."""
    common = frozenset(_COMMON.split())
    seen = dict.fromkeys(word for word in re.findall(r"[^\W_][\w'’-]{2,29}", text) if word.lower() not in common)
    chosen = sorted(sorted(seen, key=len, reverse=True)[:3], key=list(seen).index)
    return " and ".join([", ".join(chosen[:-1]), chosen[-1]] if len(chosen) > 1 else chosen)
