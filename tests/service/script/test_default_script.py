"""The script that comes with rtnb: what it answers where no file is given."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtnb.service.engines.tasks import Call, Message, Text, ToolSpec, Write
from rtnb.service.script import LONGEST_REPLY, answer, load_script

NOW = datetime(2025, 3, 14, 9, 5, tzinfo=UTC)
TALK = (
    Message("user", "Hello, my name is Grace."),
    Message("assistant", "Nice to meet you, Grace!"),
    Message("user", "What is 2 + 2?"),
    Message("assistant", "2 plus 2 is 4."),
)
turns = st.lists(
    st.builds(Message, st.sampled_from(["user", "assistant", "system", "?"]), st.text(max_size=80)), max_size=4
).map(tuple)


def reply(prompt: str, history: tuple[Message, ...] = (), instructions: str = "", voice: str = "coral") -> str:
    task = Write(prompt, history, instructions, voice, NOW, (), "auto", True)
    (text,) = answer(load_script(), task)
    assert isinstance(text, Text)
    assert answer(load_script(), task) == (text,)
    return text.text


@given(st.text(max_size=300), turns, st.text(max_size=100), st.text(max_size=12))
def test_anything_is_answered(text: str, history: tuple[Message, ...], instructions: str, voice: str) -> None:
    """No prompt, history or instruction throws; the answer is neither empty nor long, and always the same."""
    assert 0 < len(reply(text, history, instructions, voice)) <= LONGEST_REPLY


OPENINGS = ["say", "count to", "count from", "spell", "what is", "tell me about", "my name is", "repeat after me:", "who is", "why"]  # fmt: skip


@given(st.sampled_from(OPENINGS), st.text(max_size=200))
def test_any_request_is_answered(opening: str, rest: str) -> None:
    """Each rule takes anything behind its opening."""
    assert 0 < len(reply(f"{opening} {rest}", TALK)) <= LONGEST_REPLY


@pytest.mark.large
@pytest.mark.parametrize(
    "text", ["x" * 1_000_000, "say " + "word " * 100_000, "9" * 100_000, "( " * 50_000, "a," * 50_000, "tell me " * 9_000]
)  # fmt: skip
def test_a_giant_prompt_has_a_short_answer(text: str) -> None:
    """Only the beginning of a giant prompt is looked at."""
    assert len(reply(text)) <= LONGEST_REPLY


@pytest.mark.parametrize(
    ("prompt", "said"),
    [
        ("Please assist the user.", "Of course! How can I assist you today?"),
        ("Hello", "Hello! What would you like to try today?"),
        ("Hi there!", "Hello! What would you like to try today?"),
        ("Say hello.", "Hello! What would you like to try today?"),
        ("Good morning.", "Hello! What would you like to try today?"),
        ("what is 12 * 7", "12 times 7 is 84."),
        ("What is six times seven?", "6 times 7 is 42."),
        ("How much is seven divided by zero?", "A division by zero is not possible."),
        ("what is 9**9**9", "That number is too large to read aloud."),
        ("spell banana", "B, A, N, A, N, A. That spells banana."),
        ("How do you spell “rhythm”?", "R, H, Y, T, H, M. That spells rhythm."),
        ("count to five", "One, two, three, four, five."),
        ("Count from one to five, please.", "One, two, three, four, five."),
        ("count from ten to seven", "Ten, nine, eight, seven."),
        ("Count down from 3", "Three, two, one, zero."),
        ("count backwards from 1 to 4", "Four, three, two, one."),
        ("what time is it?", "By the clock of this computer it is 9:05."),
        ("What is the date today?", "Today is Friday, 14 March 2025."),
        ("What is my name?", "Your name is Grace."),
        ("What was my first question?", 'First you said: "Hello, my name is Grace."'),
        ("What did I ask first?", 'First you said: "Hello, my name is Grace."'),
        ("what did I just say?", 'Just before this you said: "What is 2 + 2?"'),
        ("Can you repeat that, please?", "2 plus 2 is 4."),
        ("My name is Ada", "Nice to meet you, Ada! What shall we try?"),
        ("say hello in Spanish", "¡Hola! ¿En qué puedo ayudarle hoy?"),
        ("Guten Tag!", "Hallo! Wobei darf ich heute helfen?"),
        ("Bonjour", "Bonjour ! En quoi puis-je vous aider aujourd'hui ?"),
        ("Buongiorno", "Ciao! Come posso aiutarti oggi?"),
    ],
)
def test_answers(prompt: str, said: str) -> None:
    """The rules answer what a demonstration asks."""
    assert reply(prompt, TALK) == said


@pytest.mark.parametrize(
    ("prompt", "said"),
    [
        ("Repeat after me: the rain in Spain.", "the rain in Spain."),
        ("Repeat after me: count from one to three.", "count from one to three."),
        ("repeat after me what is two plus two", "what is two plus two"),
        ("Please say hello world", "hello world"),
        ("Say the following: Good morning. How are you?", "Good morning. How are you?"),
        ('Say exactly "One two."', "One two."),
        ("can you say exactly: I am Ada", "I am Ada"),
        ("Repeat the sentence “It’s late.”", "It's late."),
        ("echo -5", "-5"),
        ("Please repeat the following sentence word for word: Hello there.", "Hello there."),
        ("Say exactly this: it is 5:30", "it is 5:30"),
        ("Read the following aloud, please: One.", "One."),
        ('Say "hello" to the users.', "hello"),
        # As a recogniser writes it: no punctuation.
        ("okay repeat after me the rain in spain", "the rain in spain"),
        ("say the following good morning how are you today", "good morning how are you today"),
        ("could you say the following sentence the sky is blue", "the sky is blue"),
        ("please say exactly one two three", "one two three"),
        ("repeat after me exactly this is a test", "this is a test"),
        ("say text me later", "text me later"),
    ],
)
def test_what_is_to_be_said_is_said_and_nothing_of_the_command(prompt: str, said: str) -> None:
    """A command to repeat gives the words behind it, as they are, whatever the instructions say."""
    assert reply(prompt, instructions="Be brief.") == said


@pytest.mark.parametrize(
    ("prompt", "part"),
    [
        ("Who are you?", "not a cloud model"),
        ("Are you a real person?", "not a cloud model"),
        ("tell me about yourself", "not a cloud model"),
        ("What can you do?", "sums, count, spell"),
        ("Which voice is this?", '"coral"'),
        ("How are you?", "All is well"),
        ("yes", "next"),
        ("no thanks", "Tell me when"),
        ("Thank you!", "welcome"),
        ("bye", "Goodbye"),
        ("testing 1 2 3", "Test received"),
        ("tell me a joke", "sound wave"),
        ("What is the weather in Paris?", "weather"),
        ("Tell me about tides.", "tides"),
        ("Tell me about the events of the French revolution.", "the events of the French revolution"),
        ("Who was Ada Lovelace?", "Ada Lovelace"),
        ("Is this polite so far?", "polite"),
        ("I bought apples and oranges at the market", "oranges"),
        ("你好吗", "你好吗"),
        ("😀", "did not catch any words"),
        ("", "did not catch any words"),
        ("what is the time complexity of sorting?", "complexity of sorting"),
        ("What is a realtime session?", "one open connection"),
        ("what is server VAD?", "start and the end of speech"),
        ("What is a delta?", "one small piece"),
        ("What is PCM16?", "48,000 bytes for every second"),
        ("what is an event", "JSON object with a type"),
        ("What is a response?", "completed, cancelled, incomplete or failed"),
        ("tell me about G.711", "8,000 samples a second"),
        ("what does latency mean?", "between asking and hearing"),
    ],
)
def test_answers_contain(prompt: str, part: str) -> None:
    """Small talk is friendly, realtime sessions are explained, subjects are taken up."""
    assert part in reply(prompt, TALK)


@pytest.mark.parametrize("prompt", ["Tell me about volcanoes.", "Who was Ada Lovelace?", "Bananas grow in Ecuador"])
def test_no_fact_is_made_up(prompt: str) -> None:
    """An answer about the world says that a script speaks, in two to four sentences."""
    said = reply(prompt)
    assert "script" in said
    assert 2 <= said.count(". ") + 1 <= 4


@pytest.mark.parametrize(
    "prompt", ["Count to sixty.", "Tell me a long story.", "Please tell me a long story about the sea."]
)
def test_a_long_answer_is_long(prompt: str) -> None:
    """There is something to interrupt: half a minute of speech."""
    assert 400 < len(reply(prompt)) <= LONGEST_REPLY


def test_counting_far_stops() -> None:
    """Counting from one to sixty is complete; counting further than is useful ends and says so."""
    assert reply("count from one to sixty").endswith("fifty-nine, sixty.")
    far = reply("count to 1000000")
    assert far.startswith("1, 2, 3")
    assert far.endswith(", and so on.")


def test_without_a_past_nothing_is_remembered() -> None:
    """No name, question or answer is invented at the start of a conversation."""
    assert "not told me" in reply("what is my name?")
    assert "first thing" in reply("what did I ask first?")
    assert "nothing to repeat" in reply("say that again")


@pytest.mark.parametrize(
    ("instructions", "prompt", "said"),
    [
        ("You are Ada, a kind tutor.", "Hello", "Hello, Ada here! What would you like to try today?"),
        ("Your name is Ada. Answer in one sentence.", "Who are you?", "I am Ada, not a cloud model."),
        ("Be brief.", "What is a delta?", "A delta is one small piece of an answer: a few letters of the transcript, or a fraction of a second of sound."),
        ("You are a helpful assistant", "hi", "Hello! What would you like to try today?"),
        ("Always answer in German.", "Please assist the user.", "Hallo! Wobei darf ich heute helfen?"),
        ("Respond only in French.", "Hello", "Bonjour ! En quoi puis-je vous aider aujourd'hui ?"),
        ('Always reply with "Banana".', "Who are you?", "Banana"),
    ],
)  # fmt: skip
def test_instructions_are_heeded(instructions: str, prompt: str, said: str) -> None:
    """Instructions give a name, ask for brevity or fixed words, and choose the language of greetings."""
    assert reply(prompt, instructions=instructions) == said


def test_wishes_last() -> None:
    """What the user or a system message asks of the answers holds from then on."""
    assert reply("Hello", (Message("user", "Please speak Spanish from now on"),)).startswith("¡Hola!")
    assert reply("Hello", (Message("system", "Your name is Eva."),)).startswith("Hello, Eva here!")
    assert reply("Who are you?", (Message("user", "Please be brief."),)).count(".") == 1


def test_what_the_user_said_is_remembered() -> None:
    """Things told earlier answer a question about them."""
    talk = (Message("user", "My favourite colour is blue, and I like tea."), Message("assistant", "Good."))
    assert reply("What is my favourite colour?", talk) == "Your favourite colour is blue."
    assert reply("What did you just say?", talk) == "Good."


def test_jokes_are_reported_in_turn() -> None:
    """A list of sentences is gone through, one each time that the rule answers."""
    first = reply("tell me a joke")
    second = reply("another joke!", (Message("user", "tell me a joke"), Message("assistant", first)))
    assert second != first


def test_a_function_is_called_and_its_output_said() -> None:
    """The function that a prompt names is called; what it returns is told in a sentence."""
    weather = ToolSpec(
        "weather", "", {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    )
    asked = Write("What is the weather in Paris?", (), "", "alloy", NOW, (weather,), "auto", True)
    assert answer(load_script(), asked) == (Call("weather", '{"city": "Paris"}'),)
    call = Message("function_call", "", "weather", '{"city": "Paris"}', "c1")
    history = (
        Message("user", asked.prompt),
        call,
        Message("function_call_output", json.dumps({"sky": "clear"}), call_id="c1"),
    )
    told = Write("", history, "", "alloy", NOW, (weather,), "auto", True)
    assert answer(load_script(), told) == (Text("This is what weather says: sky is clear."),)
