"""The sentences that the service says by heart, in five languages.

Pure data and one lookup.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

__all__ = ["LANGUAGES", "Phrases", "phrases"]


@dataclass(frozen=True, slots=True)
class Phrases:
    """What is said in one language; names in braces are filled in.

    Attributes
    ----------
    greeting, named, help, how_are_you, welcome, farewell, nice, as_you_wish : str
        Good manners; `named` and `nice` with ``{name}``.
    identity, named_identity, abilities : str
        Who speaks, plainly, and what it can do.
    silence : str
        Where no words came.
    time, date, no_clock, weekdays, months : str
        With ``{hour}``, ``{minute}``, ``{weekday}``, ``{day}``, ``{month}``, ``{year}``; the names separated by spaces.
    your_name, no_name, first, before, nothing_said, nothing_to_repeat, yours : str
        Of the conversation so far; ``{name}``, ``{said}``, ``{thing}``, ``{value}``.
    spelled, enough : str
        ``{letters}``, ``{word}``; after counting as far as anybody listens.
    sum, signs, division_by_zero, too_large, about, tiny : str
        Of arithmetic: ``{sum}``, ``{value}``; the signs ``** * / + -`` in words, separated by ``|``.
    output, failed, done : str
        Of a function's output: ``{tool}``, ``{told}``.
    subject, no_subject : str
        When there is nothing better to say: ``{subject}``, ``{text}``.
    """

    greeting: str
    named: str
    help: str
    how_are_you: str
    welcome: str
    farewell: str
    nice: str
    as_you_wish: str
    identity: str
    named_identity: str
    abilities: str
    silence: str
    time: str
    date: str
    no_clock: str
    weekdays: str
    months: str
    your_name: str
    no_name: str
    first: str
    before: str
    nothing_said: str
    nothing_to_repeat: str
    yours: str
    spelled: str
    enough: str
    sum: str
    signs: str
    division_by_zero: str
    too_large: str
    about: str
    tiny: str
    output: str
    failed: str
    done: str
    subject: str
    no_subject: str


_ENGLISH = (
    "Hello! What would you like to try today?",
    "Hello, {name} here! What would you like to try today?",
    "Of course! How can I assist you today?",
    "All is well on this side of the loopback. How are you?",
    "You are welcome! Is there anything else that you would like to try?",
    "Goodbye! Everything that we said is in your session's timeline.",
    "Nice to meet you, {name}! What shall we try?",
    "As you wish. What shall we try?",
    "I am rtnb's local rehearsal service, not a cloud model. I answer by simple rules and speak with a made-up voice, so that you can practise without an account.",
    "I am {name}, played by rtnb's local rehearsal service, not a cloud model. I answer by simple rules and speak with a made-up voice, so that you can practise without an account.",
    "I can greet you, do sums, count, spell, repeat after you, tell the time, remember what you said, call your functions, and explain realtime sessions. Everything else I take up as best I can: I am a rehearsal, not a cloud model.",
    "I did not catch any words. Please write or say something, and I will answer.",
    "By the clock of this computer it is {hour}:{minute}.",
    "Today is {weekday}, {day} {month} {year}.",
    "I have no clock here, so I would have to guess. Your notebook knows the time better.",
    "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
    "January February March April May June July August September October November December",
    "Your name is {name}.",
    "You have not told me your name yet. What is it?",
    'First you said: "{said}"',
    'Just before this you said: "{said}"',
    "This is the first thing that you have said to me.",
    "I have not said anything yet, so there is nothing to repeat.",
    "You told me that your {thing} is {value}.",
    "{letters}. That spells {word}.",
    "I stop here, that is enough for a rehearsal.",
    "{sum} is {value}.",
    "to the power of|times|divided by|plus|minus",
    "Dividing by zero has no answer: no number times zero gives anything but zero.",
    "That number is too large to read aloud. Try a smaller sum.",
    "about",
    "almost zero",
    "This is what {tool} says: {told}",
    "{tool} did not work: {told}",
    "{tool} is done.",
    "So this is about {subject}. I am rtnb's local rehearsal, so I can only take it up, not answer it as a cloud model would.",
    'You said: "{text}". I am a rehearsal with few words of my own, but I have heard you.',
)

_GERMAN = (
    "Hallo! Was möchten Sie heute ausprobieren?",
    "Hallo, ich bin {name}! Was möchten Sie heute ausprobieren?",
    "Gerne! Wobei darf ich heute helfen?",
    "Mir geht es gut, danke. Und Ihnen?",
    "Gern geschehen!",
    "Auf Wiedersehen, bis zum nächsten Mal!",
    "Freut mich, {name}! Was wollen wir ausprobieren?",
    "Wie Sie wünschen. Was wollen wir ausprobieren?",
    "Ich bin der lokale Übungsdienst von rtnb, kein Modell in der Cloud. Ich antworte nach einfachen Regeln und mit einer künstlichen Stimme, damit man ohne Konto üben kann.",
    "Ich bin {name}, gespielt vom lokalen Übungsdienst von rtnb, keinem Modell in der Cloud. Ich antworte nach einfachen Regeln.",
    "Ich kann grüßen, rechnen, zählen, buchstabieren, nachsprechen, die Uhrzeit sagen, mir merken, was Sie sagen, und Ihre Funktionen aufrufen.",
    "Ich habe keine Worte verstanden. Bitte schreiben oder sagen Sie etwas, dann antworte ich.",
    "Nach der Uhr dieses Rechners ist es {hour}:{minute} Uhr.",
    "Heute ist {weekday}, der {day}. {month} {year}.",
    "Ich habe hier keine Uhr und müsste raten.",
    "Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonntag",
    "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "Sie heißen {name}.",
    "Ihren Namen haben Sie mir noch nicht gesagt. Wie heißen Sie?",
    'Zuerst sagten Sie: "{said}"',
    'Gerade eben sagten Sie: "{said}"',
    "Das ist das Erste, was Sie zu mir sagen.",
    "Ich habe noch nichts gesagt, also gibt es nichts zu wiederholen.",
    "Sie sagten mir zu {thing}: {value}.",
    "{letters}. So schreibt man {word}.",
    "Hier höre ich auf, das genügt zum Üben.",
    "{sum} ist {value}.",
    "hoch|mal|geteilt durch|plus|minus",
    "Durch null kann man nicht teilen.",
    "Diese Zahl ist zu groß zum Vorlesen. Bitte eine kleinere Aufgabe.",
    "ungefähr",
    "fast null",
    "Das sagt {tool}: {told}",
    "{tool} hat nicht funktioniert: {told}",
    "{tool} ist erledigt.",
    "Es geht also um {subject}. Ich bin nur der lokale Übungsdienst von rtnb und kann dazu nichts Eigenes sagen; ein Modell in der Cloud könnte es.",
    'Sie sagten: "{text}". Ich bin ein Übungsdienst mit wenigen eigenen Worten, aber ich habe Sie gehört.',
)

_FRENCH = (
    "Bonjour ! Que voulez-vous essayer aujourd'hui ?",
    "Bonjour, je suis {name} ! Que voulez-vous essayer aujourd'hui ?",
    "Bien sûr ! En quoi puis-je vous aider aujourd'hui ?",
    "Tout va bien, merci. Et vous ?",
    "Avec plaisir !",
    "Au revoir, à la prochaine !",
    "Enchanté, {name} ! Qu'allons-nous essayer ?",
    "Comme vous voudrez. Qu'allons-nous essayer ?",
    "Je suis le service d'exercice local de rtnb, pas un modèle du cloud. Je réponds par des règles simples, avec une voix artificielle, pour s'exercer sans compte.",
    "Je suis {name}, joué par le service d'exercice local de rtnb, pas un modèle du cloud. Je réponds par des règles simples.",
    "Je sais saluer, calculer, compter, épeler, répéter, dire l'heure, retenir ce que vous dites et appeler vos fonctions.",
    "Je n'ai compris aucun mot. Écrivez ou dites quelque chose, et je répondrai.",
    "À l'horloge de cet ordinateur, il est {hour} h {minute}.",
    "Nous sommes le {weekday} {day} {month} {year}.",
    "Je n'ai pas d'horloge ici, il me faudrait deviner.",
    "lundi mardi mercredi jeudi vendredi samedi dimanche",
    "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "Vous vous appelez {name}.",
    "Vous ne m'avez pas encore dit votre nom. Comment vous appelez-vous ?",
    'Vous avez d\'abord dit : "{said}"',
    'Vous venez de dire : "{said}"',
    "C'est la première chose que vous me dites.",
    "Je n'ai encore rien dit, il n'y a donc rien à répéter.",
    "Vous m'avez dit ceci, {thing} : {value}.",
    "{letters}. Voilà comment s'écrit {word}.",
    "Je m'arrête ici, cela suffit pour un exercice.",
    "{sum} font {value}.",
    "puissance|fois|divisé par|plus|moins",
    "On ne peut pas diviser par zéro.",
    "Ce nombre est trop grand pour être lu. Essayez un calcul plus petit.",
    "environ",
    "presque zéro",
    "Voici ce que dit {tool} : {told}",
    "{tool} n'a pas fonctionné : {told}",
    "{tool}, c'est fait.",
    "Il s'agit donc de {subject}. Je ne suis que le service d'exercice local de rtnb et n'en sais rien de plus ; un modèle du cloud saurait répondre.",
    'Vous avez dit : "{text}". Je suis un service d\'exercice avec peu de mots, mais je vous ai entendu.',
)

_SPANISH = (
    "¡Hola! ¿Qué quiere probar hoy?",
    "¡Hola, soy {name}! ¿Qué quiere probar hoy?",
    "¡Claro! ¿En qué puedo ayudarle hoy?",
    "Estoy bien, gracias. ¿Y usted?",
    "¡De nada!",
    "¡Adiós, hasta la próxima!",
    "¡Mucho gusto, {name}! ¿Qué probamos?",
    "Como quiera. ¿Qué probamos?",
    "Soy el servicio local de ensayo de rtnb, no un modelo de la nube. Respondo con reglas sencillas y una voz artificial, para practicar sin cuenta.",
    "Soy {name}, en la voz del servicio local de ensayo de rtnb, no un modelo de la nube. Respondo con reglas sencillas.",
    "Sé saludar, calcular, contar, deletrear, repetir, decir la hora, recordar lo que usted dice y llamar a sus funciones.",
    "No he entendido ninguna palabra. Escriba o diga algo, y responderé.",
    "Según el reloj de este ordenador son las {hour}:{minute}.",
    "Hoy es {weekday}, {day} de {month} de {year}.",
    "Aquí no tengo reloj, tendría que adivinar.",
    "lunes martes miércoles jueves viernes sábado domingo",
    "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "Usted se llama {name}.",
    "Todavía no me ha dicho su nombre. ¿Cómo se llama?",
    'Primero dijo: "{said}"',
    'Acaba de decir: "{said}"',
    "Es lo primero que me dice.",
    "Todavía no he dicho nada, así que no hay nada que repetir.",
    "Esto me dijo de {thing}: {value}.",
    "{letters}. Así se escribe {word}.",
    "Aquí me detengo, basta para un ensayo.",
    "{sum} son {value}.",
    "elevado a|por|entre|más|menos",
    "No se puede dividir entre cero.",
    "Ese número es demasiado grande para leerlo. Pruebe una cuenta más pequeña.",
    "aproximadamente",
    "casi cero",
    "Esto dice {tool}: {told}",
    "{tool} no ha funcionado: {told}",
    "{tool}: hecho.",
    "Se trata, pues, de {subject}. Soy solo el servicio local de ensayo de rtnb y no sé más; un modelo de la nube podría responder.",
    'Usted dijo: "{text}". Soy un ensayo con pocas palabras, pero le he oído.',
)

_ITALIAN = (
    "Ciao! Che cosa proviamo oggi?",
    "Ciao, sono {name}! Che cosa proviamo oggi?",
    "Certo! Come posso aiutarti oggi?",
    "Sto bene, grazie. E tu?",
    "Prego!",
    "Arrivederci, alla prossima!",
    "Piacere, {name}! Che cosa proviamo?",
    "Come vuoi. Che cosa proviamo?",
    "Sono il servizio di prova locale di rtnb, non un modello del cloud. Rispondo con regole semplici e una voce artificiale, per esercitarsi senza account.",
    "Sono {name}, interpretato dal servizio di prova locale di rtnb, non un modello del cloud. Rispondo con regole semplici.",
    "So salutare, calcolare, contare, sillabare, ripetere, dire l'ora, ricordare quello che dici e chiamare le tue funzioni.",
    "Non ho capito nessuna parola. Scrivi o di' qualcosa, e risponderò.",
    "Secondo l'orologio di questo computer sono le {hour}:{minute}.",
    "Oggi è {weekday} {day} {month} {year}.",
    "Qui non ho un orologio, dovrei indovinare.",
    "lunedì martedì mercoledì giovedì venerdì sabato domenica",
    "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "Ti chiami {name}.",
    "Non mi hai ancora detto il tuo nome. Come ti chiami?",
    'Per prima cosa hai detto: "{said}"',
    'Hai appena detto: "{said}"',
    "È la prima cosa che mi dici.",
    "Non ho ancora detto nulla, quindi non c'è niente da ripetere.",
    "Di {thing} mi hai detto: {value}.",
    "{letters}. Così si scrive {word}.",
    "Mi fermo qui, basta per una prova.",
    "{sum} fa {value}.",
    "alla|per|diviso|più|meno",
    "Non si può dividere per zero.",
    "Questo numero è troppo grande da leggere. Prova un calcolo più piccolo.",
    "circa",
    "quasi zero",
    "Ecco che cosa dice {tool}: {told}",
    "{tool} non ha funzionato: {told}",
    "{tool}: fatto.",
    "Si tratta dunque di {subject}. Sono solo il servizio di prova locale di rtnb e non so altro; un modello del cloud saprebbe rispondere.",
    'Hai detto: "{text}". Sono una prova con poche parole, ma ti ho sentito.',
)

_BY_LANGUAGE: Mapping[str, Phrases] = MappingProxyType(
    {
        code: Phrases(*said)
        for code, said in {"de": _GERMAN, "fr": _FRENCH, "es": _SPANISH, "it": _ITALIAN, "en": _ENGLISH}.items()
    }
)

#: Codes of the languages, English last.
LANGUAGES: tuple[str, ...] = tuple(_BY_LANGUAGE)


def phrases(language: str) -> Phrases:
    """Give the phrases of a language; of English for a language that is not known."""
    return _BY_LANGUAGE.get(language) or _BY_LANGUAGE["en"]
