"""Options of the service: from Python, to a command line, and back."""

from __future__ import annotations

import argparse

import pytest

from rtnb.errors import ConfigurationError
from rtnb.service.faults import Faults, catalogue
from rtnb.service.server.options import ServiceOptions, add_arguments, connect_words, options_table


def parser():
    made = argparse.ArgumentParser()
    add_arguments(made)
    return made


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"seed": -3, "speed": 0.5, "voice_engine": "tones", "expire_in": 2.5},
        {"faults": "drop_after=20,delay_ms=50"},
        {"faults": {"rate_limit": True}, "chat": "http://127.0.0.1:11434/v1", "chat_model": "a b; --seed 9"},
        {"speed": float("inf"), "phrases": ["one two", "--three"]},
        {
            "speak": "localhost:8000",
            "speak_model": "kokoro",
            "speak_voice": "af_heart",
            "transcriber": "my.ears:listen",
        },
        {
            "speaker": "my_engines:speak",
            "transcribe": "localhost:8000",
            "transcribe_model": "small",
            "phrases": ["one"],
        },
    ],
)
def test_options_survive_the_command_line(options):
    """What a process is started with is what it reads."""
    made = ServiceOptions(**options)
    assert ServiceOptions.of(parser().parse_args(made.arguments())) == made


def test_what_is_as_by_default_is_not_said():
    """A service that shall behave as ever needs no argument; options are values, equal and hashable."""
    assert ServiceOptions().arguments() == []
    assert len({ServiceOptions(), ServiceOptions(faults=None), ServiceOptions(faults={})}) == 1
    assert ServiceOptions(faults="drop_after=1").faults == Faults(drop_after=1)


@pytest.mark.parametrize(
    "options",
    [
        {"speed": -1},
        {"speed": float("nan")},
        {"expire_in": -1},
        {"expire_in": float("inf")},
        {"expire_in": "soon"},
        {"speed": "fast"},
        {"seed": "x"},
        {"phrases": 3},
        {"phrases": ["one", 2]},
        {"voice_engine": "espresso"},
        {"chat_model": "m"},
        {"chat": "http://127.0.0.1:11434"},
        {"chat": "ftp://host/v1", "chat_model": "m"},
        {"chat": "http://[", "chat_model": "m"},
        {"faults": "nonsense"},
        {"speak_model": "kokoro"},
        {"speak_voice": "af_heart"},
        {"transcribe_model": "small"},
        {"speak": "ftp://host"},
        {"transcribe": "http://user:pass@host"},
        {"speak": "localhost:1", "speaker": "my_engines:speak"},
        {"speak": "localhost:1", "voice_engine": "espeak"},
        {"transcribe": "localhost:1", "transcriber": "my_engines:listen"},
        {"transcriber": "my_engines:listen", "phrases": ["one"]},
        {"speaker": "my_engines"},
        {"speaker": "my_engines:"},
        {"speaker": "my-engines:speak"},
        {"speaker": "__main__:speak"},
        {"speaker": print},
        {"script": "/no/such/lesson.toml"},
        {"chat": "localhost:1", "chat_model": "m", "script": __file__},
    ],
)
def test_what_is_not_possible_is_refused(options):
    """Before anything starts, with the corrected form."""
    with pytest.raises(ConfigurationError):
        ServiceOptions(**options)


def test_a_fault_decides_over_the_option():
    """A session's life is that of the option, unless a fault says otherwise; by default neither does."""
    assert ServiceOptions().lifetime is None
    assert ServiceOptions(expire_in=9).lifetime == 9
    assert ServiceOptions(expire_in=9, faults="expire_in=2").lifetime == 2


def test_the_help_lists_the_faults():
    """A teacher finds every fault with its meaning in --help."""
    assert catalogue() in parser().format_help()


def test_an_option_is_written_once():
    """Every field has its flag with a help, and its word for rtnb.connect; both come from the one table."""
    table, shown = options_table(), parser().format_help()
    assert all(each.help for each in table.values())
    for flag in ("--speed", "--fault", "--phrase", "--speak-voice", "--transcribe-model", "--chat-model"):
        assert f"{flag} " in shown
    assert connect_words() == {"pace": "speed", **{name: name for name in table if name != "speed"}}


def test_a_script_is_found_from_any_folder(tmp_path, monkeypatch):
    """A relative path is made absolute: the service may run in another folder."""
    (tmp_path / "lesson.toml").write_text("")
    monkeypatch.chdir(tmp_path)
    assert ServiceOptions(script="lesson.toml").script == str(tmp_path / "lesson.toml")


def test_only_the_secrets_that_are_needed_are_named():
    """An endpoint needs its own key; a function has the environment that it has elsewhere."""
    environ = {"RTNB_CHAT_API_KEY": "k", "OPENAI_API_KEY": "k", "PATH": "/bin"}
    assert ServiceOptions().secrets(environ) == set()
    assert ServiceOptions(speak="localhost:1").secrets(environ) == {"RTNB_SPEAK_API_KEY"}
    assert ServiceOptions(speaker="my_engines:speak").secrets(environ) == set(environ)
