"""Recognising what a prompt asks for, and in which language, in any of the five languages that the service answers in.

Pure text. Arguments called `words` are lower-case prompts with single spaces and plain quotes.
"""

from __future__ import annotations

import re
from functools import lru_cache

__all__ = ["asks", "demanded_language", "find", "used_language"]

# What is asked | how English, German, French, Spanish and Italian ask for it. One pattern a line, in that order.
_QUESTIONS = r"""
hello|hello|hi|hey|greetings|good (?:morning|afternoon|evening|day)|howdy|ahoy
hello|hallo|guten (?:tag|morgen|abend)|servus|moin|grüß gott
hello|bonjour|bonsoir|salut
hello|hola|buenos días|buenas (?:tardes|noches)
hello|ciao|buongiorno|buonasera|salve
thanks|thanks|thank you|thx|cheers
thanks|danke|vielen dank
thanks|merci
thanks|(?:muchas )?gracias
thanks|grazie
bye|bye|bye[ -]bye|good ?bye|see you|farewell|good night
bye|tschüss|auf wiedersehen|bis bald
bye|au revoir|adieu|à bientôt
bye|adiós|hasta luego
bye|arrivederci|a presto
help|\bassist (?:the|me|us)\b|\bhelp (?:me|us|the user)\b|\b(?:i )?need (?:some |your )?help\b|\bcan you help\b|^help\b
help|^hilfe\b|\bhilf(?:st du)? mir\b|\bhelfen sie\b|\bkannst du (?:mir |uns )?helfen\b|\bkönnen sie (?:mir |uns )?helfen\b
help|^au secours\b|^à l'aide\b|\baide[zr]?[ -]moi\b|\bm'aider\b
help|^ayuda\b|\bay[uú]d[ea]me\b|\bayudarme\b
help|^aiuto\b|\baiut(?:a|ar)mi\b|\bmi aiut[io]\b
how are you|\bhow (?:are you|do you do|is it going|'s it going)\b
how are you|\bwie geht(?:'s| es)\b
how are you|\b(?:comment (?:ça va|allez-vous|vas-tu)|ça va)\b
how are you|\b(?:cómo está[sn]?|qué tal)\b
how are you|\bcome (?:stai|sta|va)\b
identity|\b(?:who|what|which (?:model|service|version)) (?:are|is) (?:you|this|speaking|there|it)\b(?! (?:doing|up|good|made))|\bwho's (?:this|there|speaking)\b|\b(?:what(?:'s| is)|tell me) your name\b|\b(?:are|is) (?:you|this|it) (?:a |an |the )?(?:real|human|person|robot|bot|ai|cloud|model|computer|machine|local|chatgpt|gpt\S*|openai|azure|alive)\b|\bintroduce yourself\b|\bwhat model\b|\babout yourself\b
identity|\bwer (?:bist du|sind sie|ist da|spricht)\b|\bwie (?:heißt du|heißen sie|ist (?:dein|ihr) name)\b|\bstell(?:en sie|e)? (?:dich|sich) vor\b
identity|\bqui (?:es[ -]tu|êtes[ -]vous|parle)\b|\btu es qui\b|\bcomment (?:t'appelles|tu t'appelles|vous appelez)\b|\bprésente[zs]?[ -](?:toi|vous)\b
identity|\bquién (?:eres|es usted|habla)\b|\bcómo (?:te llamas|se llama)\b|\bpreséntate\b
identity|\bchi (?:sei|è lei|parla)\b|\bcome (?:ti chiami|si chiama)\b|\bpresentati\b
abilities|\bwhat (?:else )?can you (?:do|help)\b|\bwhat are you able\b|\bhow (?:can|do) (?:you|i use you)\b
abilities|\bwas (?:kannst du|können sie)\b
abilities|\bque (?:sais-tu|savez-vous|peux-tu|pouvez-vous) faire\b
abilities|\bqué (?:puedes|sabes|puede|sabe)(?: usted)? hacer\b
abilities|\bche cosa (?:sai|puoi) fare\b|\bcosa (?:sai|puoi) fare\b
time|\bwhat(?:'s| is)? (?:the )?(?:current )?time\b(?: is it| now| right now| please|,)*[?.! ]*$|\btell me the time\b
time|\bwie ?viel uhr\b|\bwie spät\b
time|\bquelle heure\b
time|\bqué hora\b
time|\bche or[ae]\b
date|\bwhat (?:date|day|year|month|weekday) (?:is it|is today|do we have)\b|\b(?:today's|current) (?:date|day)\b|\bwhat(?:'s| is) (?:the )?(?:date|day|year|month|weekday)\b(?! (?:of|when|that|on|before|after))
date|\bwelche[rns]? (?:tag|datum)\b|\bwas für ein tag\b|\bder wievielte\b
date|\bquel(?:le)? (?:jour|date)\b|\bquelle est la date\b
date|\bqué (?:día|fecha)\b
date|\bche (?:giorno|data)\b|\bquanti ne abbiamo\b
my name|\b(?:what(?:'s| is| was)|(?:do you )?(?:remember|know)|tell me) my name\b|\bwho am i\b
my name|\bwie (?:heiße ich|ist mein name)\b|\bwer bin ich\b
my name|\bcomment (?:je m'appelle|m'appelle-t-on|est-ce que je m'appelle)\b|\bquel est mon nom\b|\bqui suis-je\b
my name|\bcómo me llamo\b|\bcuál es mi nombre\b|\bquién soy\b
my name|\bcome mi chiamo\b|\bqual è il mio nome\b|\bchi sono io\b
first|\bwhat (?:did i|have i|was my|were my|was the) (?:just |very )?(?:first|thing i (?:ask|sa)\w* first)\b|\bwhat (?:did i|have i) (?:ask|sa(?:y|id)|tell|told)\w*(?: you)? (?:at )?first\b|\bmy (?:very )?first (?:question|message|words?|sentence)\b|\bfirst thing (?:that )?i (?:asked|said|told)\b
first|\bwas (?:habe ich|hab ich) (?:dich )?(?:zuerst|als erstes)\b|\bmeine erste frage\b
first|\b(?:ma première question|qu'ai-je (?:demandé|dit) en premier)\b
first|\b(?:mi primera pregunta|qué (?:pregunté|dije) primero)\b
first|\b(?:la mia prima domanda|che cosa ho (?:chiesto|detto) per prim[ao])\b
previous|\bwhat (?:did i|have i|was my|were my|was the) (?:just )?(?:last |previous )?(?:thing )?(?:i )?(?:just )?(?:ask(?:ed)?|sa(?:y|id)|question|message|words?|told?|tell)\b
previous|\bwas (?:habe|hab) ich (?:gerade|eben|zuletzt)\b
previous|\bqu'est-ce que (?:je viens de|j'ai) (?:dire|dit|demandé)\b
previous|\bqué (?:acabo de|he) (?:decir|dicho|preguntar)\b
previous|\b(?:che )?cosa ho appena (?:detto|chiesto)\b
again|^(?:(?:can|could|would) you |please )*(?:say|repeat) (?:that|it|this|yourself|your last \w+)(?: again| once more)?(?:,? please)?[.?!]*$|^what did you (?:just )?say\b(?: again| before)?[.?!]*$|^(?:once more|come again|pardon\?|again)(?:,? please)?[.?!]*$|^what was your last (?:answer|reply|sentence)\b
again|^(?:bitte )?(?:wiederhol\w* (?:das|es)|(?:noch ?mal|noch einmal))(?: noch ?(?:mal|einmal))?(?:,? bitte)?[.?!]*$|^was (?:hast du|haben sie) (?:gerade |eben )?gesagt\b
again|^(?:rép[éè]te[zr]?|encore une fois)(?: ça| cela)?(?:,? s'il (?:te|vous) plaît)?[ .?!]*$|^qu'est-ce que (?:tu as|vous avez) dit\b
again|^(?:repítelo|otra vez|repite eso)(?:,? por favor)?[.?!]*$|\bqué (?:has|acabas de) (?:dicho|decir)\b
again|^(?:ripeti|ancora una volta|ripetilo)(?:,? per favore)?[.?!]*$|\b(?:che )?cosa hai (?:appena )?detto\b
count|\bcount(?:ing|down)?:? (?:me |for me |aloud |out loud |up |with me |slowly )*(?:from|to|till|until|down|backwards?|by|in|\d)
count|\bzähl\w* (?:\w+ )?(?:von|bis|rückwärts|\d)
count|\bcompte[zr]? (?:\w+ )?(?:de|jusqu|à|à rebours|\d)
count|\bcuenta (?:\w+ )?(?:del?|hasta|desde|a|\d)
count|\b(?:conta|contare) (?:\w+ )?(?:da|fino|a|\d)
down|\b(?:down|backwards?|countdown|reverse)\b
down|\brückwärts\b
down|\bà rebours\b
down|\bhacia atrás\b
down|\ball'indietro\b
"""

# Words that tell a language: two of them, or one with a star.
_TELLING = """
en the is are am what who how you my your and of in it that this tell me please can could do does give i a count from to say
de der die das und ist nicht ich du wie was wer kannst bitte* von bis auf mein meine heiße* heißt* sind ein eine zähle* viel mir sie es mal erzähl* warum* buchstabiere* wiederhole* sprich* sag* welcher* welches* welchen* hilfe* tag viele danke guten wird wo
fr le les et est je tu vous quel* quelle* heure comment* qui mon ma mes pas une des du s'il* compte de à combien* font plus moi pourquoi* suis répète* épelle* m'appelle* t'appelles* dis* jour* aide* où* c'est* qu'est*
es el los las y es yo tú usted* qué* cuál* hora cómo* quién* mi una cuenta hasta* por favor cuánto* son más me llamo* está dime cuéntame* del repite deletrea* di llamas* día* ayuda* dónde* fecha*
it il lo gli e è io tu lei che quale ora come chi mio mia non una conta fino da per favore quanto* fa più mi chiamo* sono dimmi* perché* ripeti* sillaba* dì* ti chiami* aiuto* giorno* dove* cos'è*
"""

_NAMES = (
    ("de", r"german|deutsch|allemand|alemán|tedesco"),
    ("fr", r"french|français|französisch|francés|francese"),
    ("es", r"spanish|español|spanisch|espagnol|spagnolo"),
    ("it", r"italian|italiano|italienisch|italien"),
    ("en", r"english|englisch|anglais|inglés|inglese"),
)


@lru_cache(maxsize=1)
def _patterns() -> dict[str, str]:
    joined: dict[str, str] = {}
    for line in _QUESTIONS.strip().splitlines():
        key, _, pattern = line.partition("|")
        joined[key] = f"{joined[key]}|{pattern}" if key in joined else pattern
    return joined


@lru_cache(maxsize=64)
def _compiled(key: str, frame: str) -> re.Pattern[str]:
    return re.compile(frame.replace("%", f"(?:{_patterns()[key]})"))


def asks(key: str, words: str) -> bool:
    """Tell whether the prompt asks this in any language.

    Parameters
    ----------
    key : str
        ``"time"``, ``"date"``, ``"my name"``, ``"first"``, ``"previous"``, ``"again"``, ``"count"``, ``"down"``,
        ``"identity"``, ``"abilities"``, ``"help"``, ``"how are you"``.
    """
    return _compiled(key, "%").search(words) is not None


def find(key: str, words: str, frame: str) -> bool:
    """Tell whether the whole prompt is the thing asked for within a frame, a pattern in which ``%`` stands for it."""
    return _compiled(key, frame).fullmatch(words) is not None


@lru_cache(maxsize=1)
def _demands() -> re.Pattern[str]:
    named = "|".join(f"(?P<{code}>{names})" for code, names in _NAMES)
    return re.compile(
        r"(?P<refused>\b(?:not|never|don't|without|nicht|jamais|nunca|mai)\b[^.!?;]{0,20}?)?"
        r"\b(?:in|auf|en|speak\w*|sprich|sprechen sie|parle[zr]?|habla|parla|use|using|only|always|answer\w*|respond\w*"
        r"|repl(?:y|ies)|language:|language is)\s+(?:only |fluent |to me in |nur |plain |simple )?"
        rf"(?:{named})(?![\w-])"
    )


def demanded_language(words: str) -> str:
    """Return the language that lower-case words demand last (``"answer in German"``), or ``""``."""
    code = ""
    for found in _demands().finditer(words):
        if found["refused"] is None:
            code = next(code for code, _ in _NAMES if found[code])
    return code


@lru_cache(maxsize=1)
def _openings() -> tuple[tuple[str, re.Pattern[str]], ...]:
    codes = ("en", "de", "fr", "es", "it")
    lines = [line.partition("|") for line in _QUESTIONS.strip().splitlines()]
    manners = [pattern for key, _, pattern in lines if key in ("hello", "thanks", "bye")]
    return tuple(
        (code, re.compile(rf"[¡\s]*(?:{'|'.join(manners[place :: len(codes)])})(?!\w)"))
        for place, code in enumerate(codes)
        if code != "en"
    )


@lru_cache(maxsize=1)
def _telling() -> dict[str, dict[str, int]]:
    lines = (line.split() for line in _TELLING.strip().splitlines())
    return {code: {word.rstrip("*"): 1 + word.endswith("*") for word in words} for code, *words in lines}


def used_language(words: str) -> str:
    """Return the language that a prompt is written in, or ``""`` where nothing tells it."""
    for code, opening in _openings():
        if opening.match(words):
            return code
    said = frozenset(re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)?", words))
    scores = {code: sum(telling.get(word, 0) for word in said) for code, telling in _telling().items()}
    best = max(scores, key=lambda code: scores[code])
    enough = 2 if best != "en" else 1
    return best if scores[best] >= enough and list(scores.values()).count(scores[best]) == 1 else ""
