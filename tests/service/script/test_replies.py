from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtnb.service.script.lessons import lesson
from rtnb.service.script.replies import LONGEST_REPLY, Message, reply, reply_language

NOW = datetime(2025, 3, 14, 9, 5)
TALK = (
    Message("user", "Hello, my name is Grace."),
    Message("assistant", "Nice to meet you, Grace!"),
    Message("user", "What is 2 + 2?"),
    Message("assistant", "2 plus 2 is 4."),
)

turns = st.lists(
    st.builds(Message, st.sampled_from(["user", "assistant", "system", "?"]), st.text(max_size=80)), max_size=4
)


@given(st.text(max_size=300), turns, st.text(max_size=100), st.text(max_size=12), st.none() | st.datetimes())
def test_anything_is_answered(
    text: str, history: list[Message], instructions: str, voice: str, now: datetime | None
) -> None:
    """No prompt, history or instruction throws; the answer is neither empty nor long, and always the same."""
    answer = reply(text, history=history, instructions=instructions, voice=voice, now=now)
    assert 0 < len(answer) <= LONGEST_REPLY
    assert answer == reply(text, history=history, instructions=instructions, voice=voice, now=now)


@given(
    st.sampled_from(
        [
            "say",
            "count to",
            "count from",
            "spell",
            "what is",
            "tell me about",
            "my name is",
            "repeat after me:",
            "who is",
            "why",
        ]
    ),
    st.text(max_size=200),
)
def test_any_request_is_answered(opening: str, rest: str) -> None:
    """Each rule takes anything behind its opening."""
    assert 0 < len(reply(f"{opening} {rest}", history=TALK, now=NOW)) <= LONGEST_REPLY


@pytest.mark.parametrize(
    "text", ["x" * 1_000_000, "say " + "word " * 100_000, "9" * 100_000, "( " * 50_000, "a," * 50_000]
)
def test_a_giant_prompt_has_a_short_answer(text: str) -> None:
    """Only the beginning of a giant prompt is looked at."""
    assert len(reply(text)) <= LONGEST_REPLY


@pytest.mark.parametrize(
    ("prompt", "answer"),
    [
        ("Please assist the user.", "Of course! How can I assist you today?"),
        ("Hello", "Hello! What would you like to try today?"),
        ("Hi there!", "Hello! What would you like to try today?"),
        ("what is 12 * 7", "12 times 7 is 84."),
        ("spell banana", "B, A, N, A, N, A. That spells banana."),
        ("How do you spell “rhythm”?", "R, H, Y, T, H, M. That spells rhythm."),
        ("Repeat after me: the rain in Spain.", "the rain in Spain."),
        ("Repeat after me: what is two plus two?", "what is two plus two?"),
        ("please say hello world", "hello world"),
        ("count to five", "One, two, three, four, five."),
        ("count from ten to seven", "Ten, nine, eight, seven."),
        ("Count down from 3", "Three, two, one, zero."),
        ("count backwards from 1 to 4", "Four, three, two, one."),
        ("count from 2 to 8 by twos", "Two, four, six, eight."),
        ("count from 0 to 20 in steps of five", "Zero, five, ten, fifteen, twenty."),
        ("what time is it?", "By the clock of this computer it is 9:05."),
        ("What is the date today?", "Today is Friday, 14 March 2025."),
        ("What is my name?", "Your name is Grace."),
        ("What was my first question?", 'First you said: "Hello, my name is Grace."'),
        ("what did I just say?", 'Just before this you said: "What is 2 + 2?"'),
        ("Can you repeat that, please?", "2 plus 2 is 4."),
        ("My name is Ada", "Nice to meet you, Ada! What shall we try?"),
        ("Danke schön", "Gern geschehen!"),
        ("say hello in Spanish", "¡Hola! ¿Qué quiere probar hoy?"),
    ],
)
def test_answers(prompt: str, answer: str) -> None:
    """The rules answer what a demonstration asks."""
    assert reply(prompt, history=TALK, now=NOW) == answer


@pytest.mark.parametrize(
    ("prompt", "part"),
    [
        ("Who are you?", "local rehearsal service, not a cloud model"),
        ("Are you a real person?", "local rehearsal service, not a cloud model"),
        ("tell me about yourself", "local rehearsal service"),
        ("What can you do?", "sums, count, spell"),
        ("Which voice is this?", '"coral"'),
        ("How are you?", "All is well"),
        ("yes", "next"),
        ("no thanks", "Tell me when"),
        ("Thank you!", "welcome"),
        ("bye", "Goodbye"),
        ("testing 1 2 3", "Test received"),
        ("tell me a joke", "sound wave"),
        ("Tell me a short story about a fox.", "about a fox"),
        ("Write a poem about spring", "about spring"),
        ("Tell me about the history of lighthouses.", "the history of lighthouses"),
        ("Who was Ada Lovelace?", "Ada Lovelace"),
        ("why is the sky blue?", '"Why is the sky blue?" is a good question.'),
        ("Describe my garden", "your garden"),
        ("I bought apples and oranges at the market", "oranges"),
        ("你好吗", "你好吗"),
        ("😀", "did not catch any words"),
        ("", "did not catch any words"),
        ("what is the time complexity of sorting?", "complexity of sorting"),
    ],
)
def test_answers_contain(prompt: str, part: str) -> None:
    """Small talk is friendly, questions of identity are answered plainly, and subjects are taken up."""
    assert part in reply(prompt, history=TALK, now=NOW, voice="coral")


@pytest.mark.parametrize(
    "prompt", ["Tell me about volcanoes.", "How does photosynthesis work?", "Bananas grow in Ecuador"]
)
def test_a_subject_is_taken_up_honestly(prompt: str) -> None:
    """An answer about the world says that a rehearsal speaks, in two or three sentences."""
    answer = reply(prompt)
    assert "rehears" in answer
    assert 2 <= answer.count(". ") + 1 <= 4


@pytest.mark.parametrize(
    ("prompt", "fact"),
    [
        ("What is a realtime session?", "one open connection"),
        ("what is server VAD?", "start and the end of speech"),
        ("explain semantic vad", "what was said"),
        ("What is a delta?", "one small piece"),
        ("What is PCM16?", "48,000 bytes for every second"),
        ("what is an event", "JSON object with a type"),
        ("What is a response?", "completed, cancelled, incomplete or failed"),
        ("tell me about G.711", "8,000 samples a second"),
        ("what does latency mean?", "between asking and hearing"),
    ],
)
def test_lessons(prompt: str, fact: str) -> None:
    """The notions of realtime sessions are explained, with the facts."""
    assert fact in reply(prompt)


def test_an_everyday_word_is_no_lesson() -> None:
    """A question that merely contains a word of the protocol is about its own subject."""
    assert lesson("tell me about the events of the french revolution") is None
    assert "French revolution" in reply("Tell me about the events of the French revolution")


def test_counting_far_stops_at_a_stated_end() -> None:
    """Counting from one to sixty is complete; counting further than anybody listens ends and says so."""
    sixty = reply("count from one to sixty")
    assert sixty.startswith("One, two,")
    assert sixty.endswith("fifty-nine, sixty.")
    far = reply("count to 1000000")
    assert far.startswith("1, 2, 3")
    assert "I stop here" in far


def test_without_a_clock_no_time_is_told() -> None:
    """No time is invented where none was given."""
    assert "no clock" in reply("what time is it?")


def test_without_a_past_nothing_is_remembered() -> None:
    """No name, question or answer is invented at the start of a conversation."""
    assert "not told me" in reply("what is my name?")
    assert "first thing" in reply("what did I ask first?")
    assert "nothing to repeat" in reply("say that again")


@pytest.mark.parametrize(
    ("instructions", "prompt", "answer"),
    [
        ("You are Ada, a kind tutor.", "Hello", "Hello, Ada here! What would you like to try today?"),
        ("Your name is Ada. Answer in one sentence.", "Who are you?", "I am Ada, played by rtnb's local rehearsal service, not a cloud model."),
        ("Be brief.", "What is a delta?", "A delta is one small piece of an answer: a few letters of the transcript, or a fraction of a second of sound."),
        ("Be brief.", "Repeat after me: One. Two.", "One. Two."),
        ("You are a helpful assistant", "hi", "Hello! What would you like to try today?"),
        ("Always answer in German.", "Please assist the user.", "Gerne! Wobei darf ich heute helfen?"),
        ("Respond in French", "bye", "Au revoir, à la prochaine !"),
        ("", "Buongiorno", "Ciao! Che cosa proviamo oggi?"),
    ],
)  # fmt: skip
def test_instructions_are_heeded(instructions: str, prompt: str, answer: str) -> None:
    """Instructions give a name, ask for brevity, and choose the language of greetings."""
    assert reply(prompt, instructions=instructions) == answer


@pytest.mark.parametrize(
    ("prompt", "answer"),
    [
        ("Was ist sieben mal zwölf?", "7 mal 12 ist 84."),
        ("Was ist 21 geteilt durch 4?", "21 geteilt durch 4 ist 5,25."),
        ("Zähle von eins bis fünf", "Eins, zwei, drei, vier, fünf."),
        ("Wie spät ist es?", "Nach der Uhr dieses Rechners ist es 9:05 Uhr."),
        ("Welcher Tag ist heute?", "Heute ist Freitag, der 14. März 2025."),
        ("Mein Name ist Ada.", "Freut mich, Ada! Was wollen wir ausprobieren?"),
        ("Sprich mir nach: Guten Tag.", "Guten Tag."),
        ("Combien font sept plus cinq ?", "7 plus 5 font 12."),
        ("Compte de un à trois", "Un, deux, trois."),
        ("Épelle banane", "B, A, N, A, N, E. Voilà comment s'écrit banane."),
        ("¿Cuánto es siete por tres?", "7 por 3 son 21."),
        ("Cuenta del uno al tres", "Uno, dos, tres."),
        ("¿Qué día es hoy?", "Hoy es viernes, 14 de marzo de 2025."),
        ("Quanto fa sette per tre?", "7 per 3 fa 21."),
        ("Conta da uno a tre", "Uno, due, tre."),
        ("Erzähl mir von Vulkanen", "Es geht also um Vulkanen. Ich bin nur der lokale Übungsdienst von rtnb und kann dazu nichts Eigenes sagen; ein Modell in der Cloud könnte es."),
    ],
)  # fmt: skip
def test_other_languages_are_answered_in_themselves(prompt: str, answer: str) -> None:
    """Sums, counting, spelling, clock and names work in German, French, Spanish and Italian."""
    assert reply(prompt, now=NOW) == answer


@pytest.mark.parametrize("language", ["German", "French", "Spanish", "Italian"])
@pytest.mark.parametrize("prompt", ["Hello", "Help me", "Who are you?", "What can you do?", "Count to ten", "What is 2 + 3?", "What is a delta?", "Tell me a joke", "", "Is it warm?"])  # fmt: skip
def test_a_demanded_language_is_kept(prompt: str, language: str) -> None:
    """Whatever is asked in English, an answer demanded in another language is not the English one."""
    assert reply(prompt, instructions=f"Always answer in {language}.") != reply(prompt)


@pytest.mark.parametrize(
    ("instructions", "prompt", "answer"),
    [
        ("Talk like a pirate.", "Hello", "Arr! Ahoy! What would ye like to try today?"),
        ("Be formal.", "Hello", "Good day. What would you like to try today?"),
        ('End every answer with "over and out".', "what is 2+2", "2 plus 2 is 4. over and out"),
        ('Always reply with "Banana".', "Who are you?", "Banana"),
        ("Talk like a pirate.", "Repeat after me: Hello, you.", "Hello, you."),
        ("The shop opens at nine and closes at six. Returns are free.", "When does the shop open?", "The shop opens at nine and closes at six."),
        ("Always be kind to the shop's customers.", "Who are you?", None),
    ],
)  # fmt: skip
def test_instructions_colour_the_answer(instructions: str, prompt: str, answer: str | None) -> None:
    """Tone and fixed words are given to an answer, facts in the instructions answer questions, and orders are not read out."""
    assert reply(prompt, instructions=instructions) == (answer or reply(prompt))


def test_wishes_last() -> None:
    """What the user or a system message asks of the answers holds from then on; the wish itself is taken up."""
    assert reply("Talk like a pirate") == "Arr! As ye wish. What shall we try?"
    assert (
        reply("Hello", history=[Message("user", "Please speak Spanish from now on")])
        == "¡Hola! ¿Qué quiere probar hoy?"
    )
    assert (
        reply("Hello", history=[Message("system", "Your name is Eva.")])
        == "Hello, Eva here! What would you like to try today?"
    )


def test_what_the_user_told_is_remembered() -> None:
    """Things told earlier answer a question about them, in the language in which they are asked for."""
    talk = [
        Message("user", "My favourite colour is blue."),
        Message("assistant", "Good."),
        Message("user", "Ich heiße Ada."),
    ]
    assert reply("What is my favourite colour?", history=talk) == "You told me that your favourite colour is blue."
    assert reply("Wie heiße ich?", history=talk) == "Sie heißen Ada."
    assert reply("What did you just say?", history=talk) == "Good."
    assert reply("What was the first thing I said?", history=talk) == 'First you said: "My favourite colour is blue."'


@pytest.mark.parametrize(
    ("prompt", "language"),
    [("Hello", "en"), ("Wie geht es dir?", "de"), ("say hello in Spanish", "es"), ("12 * 7", "fr")],
)
def test_the_language_of_the_reply_is_told(prompt: str, language: str) -> None:
    """The language that a reply is in can be asked for, so that a voice of that language may say it."""
    assert reply_language(prompt, history=[Message("user", "Bonjour !")] if language == "fr" else ()) == language
