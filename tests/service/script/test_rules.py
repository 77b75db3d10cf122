"""Scripts that people write: what a rule's keys do."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from rtnb.service.engines.tasks import Call, Message, NamedTool, Preamble, Text, ToolSpec, Write
from rtnb.service.script import Fail, Script, Wait, answer, load_script

NOW = datetime(2025, 3, 14, 9, 5, tzinfo=UTC)
WEATHER = ToolSpec(
    "get_weather",
    "Tells the weather.",
    {
        "type": "object",
        "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
        "required": ["city"],
    },
)
Read = Callable[[str], Script]


@pytest.fixture
def script(tmp_path: Path) -> Read:
    """Return a function from a file's text to the script."""

    def read(text: str) -> Script:
        path = tmp_path / "lesson.toml"
        path.write_text(text, "utf-8")
        return load_script(path)

    return read


def steps(script: Script, prompt: str, *history: Message, **changes: Any) -> tuple[Any, ...]:
    given = {"instructions": "", "tools": (WEATHER,), "tool_choice": "auto", "seed": 0, "effort": ""} | changes
    asked = (given["tools"], given["tool_choice"], True, given["effort"])
    task = Write(prompt, history, given["instructions"], "alloy", NOW, *asked)
    return answer(script, task, given["seed"])


def said(script: Script, prompt: str, *history: Message, **changes: Any) -> str:
    (text,) = steps(script, prompt, *history, **changes)
    assert isinstance(text, Text)
    return text.text


@pytest.mark.parametrize(
    ("match", "prompt", "found"),
    [
        ("capital of {x}", "What is the CAPITAL of France?", "France"),
        ("capital of {x}", "what's the capital, of south  africa, please", "south africa"),
        ("from {x} to {y}", "from New York to Rome", "New York/Rome"),
        ("what is|are (the) {x}", "What are the odds? Tell me.", "odds"),
        ("what is|are (the) {x}", "what is pi", "pi"),
        ("count to {x} (please)", "count to 3.5, please!", "3.5"),
        ("say {x}", 'say "so be it".', "so be it"),
        ("hello (my|dear|old friend) {x}", "hello old friend Ada", "Ada"),
        ("grüße {x}", "Grüße Zürich!", "Zürich"),
    ],
)
def test_a_match_is_found(script: Read, match: str, prompt: str, found: str) -> None:
    """Words are found in any case, whatever the punctuation; a placeholder reaches to the next word or the sentence's end."""
    read = script(f"[[rule]]\nmatch = {match!r}\nsay = '{'{x}/{y}' if '{y}' in match else '{x}'}'\n")
    assert said(read, prompt) == found


@pytest.mark.parametrize(
    ("match", "prompt"),
    [("capital of {x}", "capital offence"), ("art", "the party"), ("one two", "two one"), ("say {x}", "say.")],
)
def test_a_match_is_not_found(script: Read, match: str, prompt: str) -> None:
    """A word is not found within a word, nor words in another order, nor a placeholder with nothing in its place."""
    read = script(f"extends = 'none'\n[[rule]]\nmatch = {match!r}\nsay = 'found'\n")
    assert steps(read, prompt) == (Fail("no_matching_rule", f'lesson.toml: no rule matches "{prompt}".'),)


def test_the_first_rule_answers(script: Read) -> None:
    """Rules are tried in the order of the file; a list of matches is a choice; the default script is behind them."""
    read = script("""
        [[rule]]
        match = ["ahoy|hello", "good {time_of_day}"]
        say = "first"
        [[rule]]
        match = "hello"
        say = "second"
    """)
    assert [said(read, prompt) for prompt in ("Hello", "Good grief")] == ["first", "first"]
    assert said(read, "what is 2 + 2?") == "2 plus 2 is 4."


def test_a_whole_match_is_all_of_the_prompt(script: Read) -> None:
    """With whole = true nothing else may stand in the prompt."""
    read = script("[[rule]]\nmatch = ['yes', 'of course']\nwhole = true\nsay = 'Agreed.'\n[[rule]]\nsay = 'Hm.'")
    assert [said(read, prompt) for prompt in ("Yes!", "“Of course.”", "yes and no")] == ["Agreed.", "Agreed.", "Hm."]


def test_a_regular_expression_has_placeholders(script: Read) -> None:
    """Named groups are placeholders; a group that took no part leaves the rule without its sentence."""
    read = script(r"""
        [[rule]]
        regex = '(?P<left>\d+) (?:miles|(?P<unit>km))'
        say = "{left} in {unit}"
        [[rule]]
        say = "No unit."
    """)
    assert [said(read, prompt) for prompt in ("about 12 KM", "12 miles")] == ["12 in KM", "No unit."]


def test_sentences_come_one_after_another(script: Read) -> None:
    """Each time that the rule answers it says the next of its sentences, whatever was asked in between."""
    read = script("[[rule]]\nmatch = 'stop'\nsay = 'x'\n[[rule]]\nmatch = 'why'\nsay = ['One.', 'Two.', 'Three.']")
    talk: list[Message] = []
    told = []
    for prompt in ("Why?", "Stop, why?", "And why?", "Why though?", "why"):
        told.append(said(read, prompt, *talk))
        talk += [Message("user", prompt), Message("assistant", told[-1])]
    assert told == ["One.", "x", "Two.", "Three.", "One."]


def test_a_random_sentence_is_picked_by_the_seed(script: Read) -> None:
    """The same seed and prompt give the same sentence; among many prompts each sentence comes."""
    read = script("[[rule]]\npick = 'random'\nsay = ['a', 'b', 'c']")
    first = [said(read, f"prompt {number}", seed=1) for number in range(30)]
    assert first == [said(read, f"prompt {number}", seed=1) for number in range(30)]
    assert first != [said(read, f"prompt {number}", seed=2) for number in range(30)]
    assert {*first} == {"a", "b", "c"}


@pytest.mark.parametrize(
    ("sentence", "told"),
    [
        ("{user}, it is {time} on {date}.", "Grace, it is 9:05 on Friday, 14 March 2025."),
        ("{first} … {last} … {answer} … {prompt}", "I am Grace. … Again. … Good. … Go on"),
        ("I am {name} with the voice {voice}.", "I am Ada with the voice alloy."),
    ],
)
def test_what_is_known_fills_a_sentence(script: Read, sentence: str, told: str) -> None:
    """The conversation, the instructions and the clock have placeholders of their own."""
    talk = [Message("user", "I am Grace."), Message("assistant", "Good."), Message("user", "Again.")]
    read = script(f"[[rule]]\nsay = '{sentence}'")
    assert said(read, "Go on", *talk, instructions="Your name is Ada.") == told


def test_a_sentence_that_needs_what_is_not_known_is_not_said(script: Read) -> None:
    """The next rule answers instead."""
    read = script("[[rule]]\nsay = 'Hello, {user}.'\n[[rule]]\nsay = 'Hello, stranger.'")
    assert said(read, "Hi") == "Hello, stranger."
    assert said(read, "My name is Ada") == "Hello, Ada."


def test_a_rule_looks_at_the_instructions_or_the_last_answer(script: Read) -> None:
    """With a role the match is looked for elsewhere than in the prompt."""
    read = script("""
        [[rule]]
        role = "assistant"
        match = "which city"
        say = "It was {prompt}."
        [[rule]]
        role = "system"
        match = "translate to {language}"
        say = "Translated to {language}."
        [[rule]]
        language = "de"
        say = "Auf Deutsch."
    """)
    assert said(read, "Rome", Message("assistant", "Which city is it?")) == "It was Rome."
    assert said(read, "Rome", instructions="Translate to Latin.") == "Translated to Latin."
    assert said(read, "Rome, in German") == said(read, "Rome", instructions="Answer in German.") == "Auf Deutsch."


def test_a_script_is_said_as_it_is_written(script: Read) -> None:
    """Brevity and fixed words of the instructions shape the default script, not the sentences of a file."""
    read = script("[[rule]]\nmatch = 'tea'\nsay = 'One. Two.'")
    assert said(read, "tea", instructions='Be brief. Always say "Banana".') == "One. Two."


def test_a_function_is_called_with_the_placeholders(script: Read) -> None:
    """Without arguments the placeholders of the same names are taken, in the type that the function wants."""
    read = script("[[rule]]\nmatch = ['weather in {city} for {days} days', 'weather in {city}']\ncall = 'get_weather'")
    (call,) = steps(read, "Weather in oslo for three days")
    assert call == Call("get_weather", '{"city": "oslo", "days": 3}')


@pytest.mark.parametrize(
    ("arguments", "json_text"),
    [
        ('{ city = "{place}", days = "{n}" }', '{"city": "Bonn", "days": 2}'),
        ('{ city = "{place}!", days = 7, more = [{ at = "{n}" }] }', '{"city": "Bonn!", "days": 7, "more": [{"at": "two"}]}'),
        ("""'{"city": "{place}"'""", '{"city": "Bonn"'),
    ],
)  # fmt: skip
def test_the_arguments_of_a_call_can_be_written(script: Read, arguments: str, json_text: str) -> None:
    """A table has placeholders, a text goes out as it stands, broken JSON included."""
    read = script(f"[[rule]]\nmatch = 'look at {{place}} for {{n}}'\ncall = 'get_weather'\narguments = {arguments}")
    assert steps(read, "Look at Bonn for two.") == (Call("get_weather", json_text),)


def test_a_function_that_is_not_offered_is_reported(script: Read) -> None:
    """A call that the session cannot take fails with the line of the rule and the functions that there are."""
    read = script("\n[[rule]]\nmatch = 'go'\ncall = 'get_whether'")
    (failed,) = steps(read, "go")
    assert failed == Fail(
        "unknown_function", 'lesson.toml, line 2: the rule calls "get_whether"; the session offers get_weather.'
    )


def test_the_choice_of_tools_is_heeded(script: Read) -> None:
    """With "none" no rule calls; with "required", or a named function, only rules that call answer."""
    read = script("[[rule]]\nmatch = 'hello'\nsay = 'Hi.'\n[[rule]]\nmatch = 'rain'\ncall = 'get_weather'")
    assert not any(isinstance(step, Call) for step in steps(read, "rain", tool_choice="none"))
    for choice in ("required", NamedTool("get_weather")):
        assert isinstance(steps(read, "hello", tool_choice=choice)[0], Call)


def test_the_output_of_a_function_has_a_rule(script: Read) -> None:
    """The output's values are placeholders; without a rule the values are told in a sentence."""
    read = script("""
        [[rule]]
        after_call = "get_weather"
        say = ["{temperature} degrees.", "Now {temperature}."]
        [[rule]]
        after_call = "*"
        say = "So: {output}"
    """)
    call = Message("function_call", "", "get_weather", "{}", "c1")
    warm = [call, Message("function_call_output", '{"temperature": 21.0}', call_id="c1")]
    assert said(read, "", *warm) == "21 degrees."
    assert said(read, "", *warm, Message("assistant", "21 degrees."), *warm) == "Now 21."
    vague = [call, Message("function_call_output", '{"sky": "clear"}', call_id="c1")]
    assert said(read, "", *vague) == "So: This is what get weather says: sky is clear."


def test_waiting_and_failing_are_steps(script: Read) -> None:
    """A rule waits, speaks, and fails, in this order; a failure's message has placeholders."""
    read = script("""
        [[rule]]
        match = "break {thing}"
        wait = 2
        say = "I try."
        fail = { code = "rate_limit_exceeded", message = "No {thing} left." }
        [[rule]]
        match = "fail"
        fail = "Broken."
    """)
    assert steps(read, "break ice") == (
        Wait(2.0),
        Text("I try."),
        Fail("rate_limit_exceeded", "No ice left."),
    )
    assert steps(read, "fail") == (Fail("server_error", "Broken."),)


@pytest.mark.parametrize(
    ("verb", "prompt", "told"),
    [
        ("repeat", "echo One. Two!", "One. Two!"),
        ("count", "echo three", "One, two, three."),
        ("spell", "echo cat", "C, A, T. That spells cat."),
        ("sum", "echo 2 plus 2", "2 plus 2 is 4."),
        ("help", "echo x", "Of course! How can I assist you today?"),
    ],
)
def test_a_verb_works_on_what_the_match_found(script: Read, verb: str, prompt: str, told: str) -> None:
    """Without a sentence of its own a verb says what the default script says, also in a script that stands alone."""
    read = script(f"extends = 'none'\n[[rule]]\nmatch = 'echo {{it}}'\ndo = '{verb}'")
    assert said(read, prompt) == told


def test_a_verb_has_placeholders(script: Read) -> None:
    """What a verb finds out fills the rule's sentence; where it finds nothing, the rule does not apply."""
    read = script("""
        [[rule]]
        do = "sum"
        say = "{result}, because {sum} makes so much."
        [[rule]]
        do = "identity"
        say = "They call me {name}."
    """)
    assert said(read, "What is 3 + 4?") == "7, because 3 plus 4 makes so much."
    assert said(read, "Who?", instructions="Your name is Ada.") == "They call me Ada."


def test_a_script_can_stand_alone(script: Read) -> None:
    """With extends = "none" nothing but the file answers: no greeting, no call, no sentence about an output."""
    read = script('extends = "none"\n[[rule]]\nmatch = "ping"\nsay = "pong"')
    assert said(read, "ping") == "pong"
    call = Message("function_call", "", "get_weather", "{}", "c1")
    output = Message("function_call_output", json.dumps({"sky": "clear"}), call_id="c1")
    for prompt, history, about in (
        ("Hello", [], '"Hello"'),
        ("get_weather in Paris", [], '"get_weather in Paris"'),
        ("", [call, output], "the output of get_weather"),
    ):
        assert steps(read, prompt, *history) == (Fail("no_matching_rule", f"lesson.toml: no rule matches {about}."),)


THINKING = """
preamble = { en = ["Let me think.", "One moment."], de = "Moment." }
[[rule]]
match = "weather in {city}"
call = "get_weather"
[[rule]]
after_call = "*"
say = "{output}"
[[rule]]
say = "Yes."
"""


def test_a_preamble_comes_before_an_answer_that_is_thought_about(script: Read) -> None:
    """The sentences come one after another, in the language of the answer, before a call too; without effort there is none."""
    read = script(THINKING)
    assert steps(read, "Really?", effort="low") == (Preamble("Let me think."), Text("Yes."))
    assert steps(read, "And now?", Message("user", "Really?"), effort="low")[0] == Preamble("One moment.")
    assert steps(read, "Answer in German.", effort="high")[0] == Preamble("Moment.")
    assert [type(step) for step in steps(read, "weather in Bonn", effort="low")] == [Preamble, Call]
    assert steps(read, "Really?") == (Text("Yes."),)
    assert steps(read, "Answer in French.", effort="low") == (Text("Yes."),)


def test_nothing_is_said_before_the_output_of_a_function(script: Read) -> None:
    """It was thought about before the call."""
    history = (
        Message("function_call", "", "get_weather", "{}", "c"),
        Message("function_call_output", "sunny", call_id="c"),
    )
    assert [type(step) for step in steps(script(THINKING), "", *history, effort="low")] == [Text]


def test_a_script_without_preambles_has_those_of_the_default(script: Read) -> None:
    """Unless it says that it wants none, or stands alone."""
    assert isinstance(steps(script("[[rule]]\nsay = 'Yes.'"), "Really?", effort="low")[0], Preamble)
    for text in ("preamble = {}\n[[rule]]\nsay = 'Yes.'", "extends = 'none'\n[[rule]]\nsay = 'Yes.'"):
        assert steps(script(text), "Really?", effort="low") == (Text("Yes."),)
